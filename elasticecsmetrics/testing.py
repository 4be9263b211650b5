"""For tests, users' and ours: stores without a server, a clock that is set by hand, and a capture of what was logged."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from elasticecsmetrics.errors import StoreUnreachableError
from elasticecsmetrics.handler import ElasticECSMetricsLogger
from elasticecsmetrics.model.document import CREATE, Document
from elasticecsmetrics.model.outcome import DELIVERED, Outcome, Verdict
from elasticecsmetrics.model.store import Ping

#: One answer of a :class:`ScriptedStore`: the same outcome for all, one for each, an exception to raise, or a function.
Step = Outcome | Sequence[Outcome] | Exception | Callable[[Sequence[Document]], Sequence[Outcome]]

UNREACHABLE = Outcome(Verdict.RETRYABLE, type="ConnectionError", reason="scripted: no answer", whole_request=True)


class MemoryStore:
    """Keeps documents in a dict by (index, id), as a cluster does: ``create`` keeps the first, ``index`` the last."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.contents: dict[tuple[str, str], Document] = {}
        self.requests = 0
        """How many times ``write`` was called."""
        self.repeated = 0
        """How many documents were created again, each a 409 of a cluster."""

    def write(self, documents: Sequence[Document], /) -> Sequence[Outcome]:
        """Takes them all."""
        with self._lock:
            self.requests += 1
            for document in documents:
                key = (document.index, document.id)
                if document.op == CREATE and key in self.contents:
                    self.repeated += 1
                else:
                    self.contents[key] = document
        return [DELIVERED] * len(documents)

    def ping(self) -> Ping:
        """Always there."""
        return Ping("memory", "1", "memory:")

    def close(self) -> None:
        """Keeps its contents."""

    @property
    def documents(self) -> list[dict[str, Any]]:
        """The decoded bodies, in the order in which they came."""
        with self._lock:
            return [json.loads(document.body) for document in self.contents.values()]


class ScriptedStore(MemoryStore):
    """Answers by a script, one step a request; afterwards as a :class:`MemoryStore`."""

    def __init__(self, script: Iterable[Step] = (), *, reachable: bool = True) -> None:
        """
        Args:
            script: the answers, in order.
            reachable: False: after the script every request goes unanswered, until the attribute is set.
        """
        super().__init__()
        self.script = list(script)
        self.reachable = reachable

    def write(self, documents: Sequence[Document], /) -> Sequence[Outcome]:
        """The next step of the script."""
        if not self.script:
            return super().write(documents) if self.reachable else [UNREACHABLE] * len(documents)
        self.requests += 1
        step = self.script.pop(0)
        if isinstance(step, Exception):
            raise step
        if isinstance(step, Outcome):
            outcomes: Sequence[Outcome] = [step] * len(documents)
        elif callable(step):
            outcomes = step(documents)
        else:
            outcomes = step
        self._keep(documents, outcomes)
        return outcomes

    def _keep(self, documents: Sequence[Document], outcomes: Sequence[Outcome]) -> None:
        taken = [d for d, o in zip(documents, outcomes, strict=False) if o.verdict is Verdict.DELIVERED]
        if taken:
            super().write(taken)
            self.requests -= 1

    def ping(self) -> Ping:
        """Says whether it is reachable."""
        if not self.reachable:
            raise StoreUnreachableError("scripted: no answer")
        return super().ping()


class ManualClock:
    """A clock that moves only when it is told to, or slept on."""

    def __init__(self, wall_ns: int = 1_767_323_045_123_456_000, monotonic: float = 1000.0) -> None:
        self._wall_ns = wall_ns
        self._monotonic = monotonic
        self.slept: list[float] = []
        """The lengths of all sleeps, in seconds."""

    def wall_ns(self) -> int:
        """Nanoseconds since 1970."""
        return self._wall_ns

    def monotonic(self) -> float:
        """Seconds."""
        return self._monotonic

    def monotonic_ns(self) -> int:
        """Nanoseconds."""
        return round(self._monotonic * 1_000_000_000)

    def advance(self, seconds: float) -> None:
        """Moves both clocks."""
        self._monotonic += seconds
        self._wall_ns += round(seconds * 1_000_000_000)

    def sleep(self, seconds: float) -> bool:
        """Moves on at once; never cut short."""
        self.slept.append(seconds)
        self.advance(seconds)
        return False


class Captured:
    """What was logged inside a :func:`capture_documents` block."""

    def __init__(self, handler: ElasticECSMetricsLogger, store: MemoryStore) -> None:
        self.handler = handler
        """The handler, for ``log_time_metric_timer`` and the like."""
        self._store = store

    @property
    def documents(self) -> list[dict[str, Any]]:
        """The documents so far, decoded."""
        self.handler.flush()
        return self._store.documents


@contextmanager
def capture_documents(logger: str | None = None, *, level: int | str = logging.NOTSET, **options: Any) -> Iterator[Captured]:
    """Captures as documents what is logged to a logger inside the block, without any server.

    Args:
        logger: the logger's name; None: the root logger.
        level: the level that the logger has meanwhile.
        options: parameters of :class:`~elasticecsmetrics.ElasticECSMetricsLogger`.
    """
    store = MemoryStore()
    handler = ElasticECSMetricsLogger(store=store, **options)
    target = logging.getLogger(logger)
    was = target.level
    target.addHandler(handler)
    target.setLevel(level or logging.DEBUG)
    try:
        yield Captured(handler, store)
    finally:
        target.removeHandler(handler)
        target.setLevel(was)
        handler.close()
