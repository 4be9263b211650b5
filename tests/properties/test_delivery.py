"""The delivery state machine under every order of faults: each accepted document ends in exactly one known place.

The worker runs in this thread, turn by turn, on a manual clock, with real files. The store fails in all the ways that a
cluster does, losing the answer to what it stored among them.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from elasticecsmetrics.config import DeliveryConfig, SpoolConfig
from elasticecsmetrics.delivery.buffer import Buffer
from elasticecsmetrics.delivery.diagnostics import Diagnostics
from elasticecsmetrics.delivery.spool import Spool
from elasticecsmetrics.delivery.worker import Worker
from elasticecsmetrics.errors import SpoolError
from elasticecsmetrics.model.document import CREATE, Document
from elasticecsmetrics.model.outcome import DELIVERED, Outcome, Verdict
from elasticecsmetrics.testing import UNREACHABLE, ManualClock, MemoryStore

BUSY = Outcome(Verdict.RETRYABLE, 429, "es_rejected_execution_exception", "busy")
BAD = Outcome(Verdict.REJECTED, 400, "document_parsing_exception", "bad")

FAULTS = st.sampled_from(["none", "none", "unreachable", "answer lost", "busy items", "bad items", "raises"])


class FaultyStore(MemoryStore):
    """Takes, refuses or loses by its mode; which documents of a request are hit depends on their number."""

    def __init__(self) -> None:
        super().__init__()
        self.mode = "none"
        self.refused: set[str] = set()

    def write(self, documents: Sequence[Document], /) -> Sequence[Outcome]:
        if self.mode == "unreachable":
            return [UNREACHABLE] * len(documents)
        if self.mode == "raises":
            raise ConnectionResetError("reset")
        if self.mode == "answer lost":
            super().write(documents[: len(documents) // 2 + 1])
            return [UNREACHABLE] * len(documents)
        outcomes = [self._judge(document) for document in documents]
        super().write([d for d, o in zip(documents, outcomes, strict=True) if o is DELIVERED])
        return outcomes

    def _judge(self, document: Document) -> Outcome:
        taken = (document.index, document.id) in self.contents
        if taken or int(document.id) % 3:
            return DELIVERED
        if self.mode == "busy items":
            return BUSY
        if self.mode == "bad items" or document.id in self.refused:
            self.refused.add(document.id)
            return BAD
        return DELIVERED


class DiskThatMayRefuse(Spool):
    """A real folder that can be made to refuse."""

    refuses = False

    def write(self, documents: Sequence[Document]) -> Any:
        if self.refuses:
            raise SpoolError("no space left")
        return super().write(documents)


class Silence(Diagnostics):
    def say(self, kind: str, text: str, count: int = 1) -> None:
        """Not here."""


class Delivery(RuleBasedStateMachine):
    """One worker, one store, perhaps a folder."""

    @initialize(folder=st.booleans())
    def begin(self, folder: bool) -> None:
        self.clock = ManualClock()
        self.store = FaultyStore()
        self.folder = Path(tempfile.mkdtemp(prefix="delivery-"))
        self.disk = DiskThatMayRefuse(SpoolConfig(folder=self.folder, min_free_bytes=0)) if folder else None
        config = DeliveryConfig(buffer_size=4, max_buffered=12, max_buffered_bytes=4000, flush_frequency=1.0)
        self.buffer = Buffer(config, self.clock.monotonic)
        self.worker = Worker(
            self.buffer,
            self.store,
            config=config,
            spool=self.disk,
            drain=True,
            diagnostics=Silence(),
            monotonic=self.clock.monotonic,
            random=lambda: 0.5,
        )
        self.worker._start_sender = lambda: None  # type: ignore[method-assign]
        self.buffer.wait_for_work = lambda until: None  # type: ignore[method-assign]
        self.worker._hurry.wait = self.clock.sleep  # type: ignore[method-assign, assignment]
        self.accepted: list[Document] = []

    def teardown(self) -> None:
        if hasattr(self, "folder"):
            shutil.rmtree(self.folder, ignore_errors=True)

    @rule(count=st.integers(1, 8), turns=st.integers(0, 4), mode=FAULTS)
    def log(self, count: int, turns: int, mode: str) -> None:
        self.store.mode = mode
        for _ in range(count):
            n = len(self.accepted) + 1
            document = Document(str(n), 0, "logs", CREATE, b'{"@timestamp":"1970-01-01T00:00:00.000000Z","n":%d}' % n)
            self.accepted.append(document)
            assert self.buffer.put(document)
        self.work(turns)

    @rule(turns=st.integers(1, 5))
    def work(self, turns: int) -> None:
        for _ in range(turns):
            self.worker._turn()

    @rule(seconds=st.sampled_from([0.1, 1.0, 40.0]))
    def time_passes(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @precondition(lambda self: self.disk is not None)
    @rule(refuses=st.booleans())
    def disk_refuses(self, refuses: bool) -> None:
        self.disk.refuses = refuses

    @rule(timeout=st.sampled_from([0.0, 5.0]))
    def flush(self, timeout: float) -> None:
        known = {document.id for document in self.accepted}
        before = self.buffer.stats()
        flush = self.buffer.begin_flush(self.clock.monotonic() + timeout)
        for _ in range(30):
            self.worker._turn()
        after = self.buffer.stats()
        if self.buffer.wait_for_rest(flush, until=-1.0):
            assert known.isdisjoint(self.in_memory())
            assert (after.spooled, after.rejected, after.dropped) == (before.spooled, before.rejected, before.dropped)

    @invariant()
    def the_sum_is_right(self) -> None:
        stats = self.buffer.stats()
        at_rest = stats.delivered + stats.spooled + stats.rejected + sum(stats.dropped.values())
        assert stats.accepted == len(self.accepted) == at_rest + stats.buffered
        held = len(self.buffer._queue) + len(self.buffer._parked) + stats.in_flight
        assert stats.buffered == held  # it is derived: what is counted must be there
        assert stats.replayed.claimed == stats.replayed.delivered + stats.replayed.rejected + stats.replayed.left

    @invariant()
    def every_document_is_somewhere(self) -> None:
        known = self.in_store() | self.in_folder() | self.in_rejected() | self.in_memory()
        lost = {document.id for document in self.accepted} - known
        stats = self.buffer.stats()
        refused_without_folder = stats.rejected if self.disk is None else 0
        assert len(lost) <= sum(stats.dropped.values()) + refused_without_folder

    def bring_all_home(self) -> None:
        """In the end the weather is fine, and everything is brought home: exactly once."""
        self.store.mode = "none"
        if self.disk is not None:
            self.disk.refuses = False
        for _ in range(400):
            self.clock.advance(10.0)
            self.worker._turn()
            if not self.in_memory() and not self.in_folder():
                break
        assert self.in_memory() == set()
        assert self.in_folder() == set()
        stats = self.buffer.stats()
        homes = len(self.in_store()) + len(self.in_rejected())
        assert self.in_store().isdisjoint(self.in_rejected())
        if self.disk is not None:
            assert homes + sum(stats.dropped.values()) >= len(self.accepted)

    @rule()
    def all_comes_home(self) -> None:
        self.bring_all_home()

    def in_store(self) -> set[str]:
        return {id_ for _, id_ in self.store.contents}

    def in_memory(self) -> set[str]:
        out = [entry for number in self.buffer.out_batches() for entry in self.buffer.entries(number)]
        return {entry.document.id for entry in [*self.buffer._queue, *self.buffer._parked, *out]}

    def in_folder(self) -> set[str]:
        return self._ids(self.folder.glob("*.json")) if hasattr(self, "folder") else set()

    def in_rejected(self) -> set[str]:
        return self._ids(self.folder.glob("rejected/*.json"))

    @staticmethod
    def _ids(paths: Any) -> set[str]:
        return {item["_id"] for path in paths for item in json.loads(path.read_bytes())}


TestDelivery = Delivery.TestCase
TestDelivery.settings = settings(max_examples=100, stateful_step_count=30, deadline=None)
