"""Any sequence of writes, claims, outcomes and kills: every document is in the folder or settled, in the end exactly once.

A kill strikes before one of the calls by which the spool reaches the disk; from then on the dead process does nothing more
(its clean-up handlers fail too), and the kernel closes its files.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from elasticecsmetrics.config import SpoolConfig
from elasticecsmetrics.delivery.spool import Spool, filelock
from elasticecsmetrics.model.document import CREATE, Document
from elasticecsmetrics.model.outcome import DELIVERED, Outcome, Verdict

CALLS = ("open", "write", "fsync", "replace", "rename", "unlink", "ftruncate", "mkdir")
WHOLE_RETRY = Outcome(Verdict.RETRYABLE, 503)
REJECTED = Outcome(Verdict.REJECTED, 400, "mapper_parsing_exception", "no")


class Killed(BaseException):
    """The end of a simulated process."""


@contextlib.contextmanager
def killed_before_call(number: int | None) -> Iterator[None]:
    """Lets ``number`` calls through to the disk, then none (None: all). A killed write leaves half of its bytes."""
    left = number

    def striking(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            nonlocal left
            if left is not None:
                left -= 1
                if left == -1 and name == "write":
                    real(args[0], bytes(args[1])[: len(args[1]) // 2])
                if left < 0:
                    raise Killed
            return real(*args, **kwargs)

        return call

    with contextlib.ExitStack() as stack:
        for name in CALLS:
            # Only the loss of power makes a difference between written and synced, and it cannot be simulated here.
            real = (lambda _fd: None) if name == "fsync" else getattr(os, name)
            stack.enter_context(mock.patch.object(os, name, striking(name, real)))
        yield


def close_like_the_kernel() -> None:
    for fd in tuple(filelock._HELD):
        os.close(fd)
    filelock._HELD.clear()


class Folder(RuleBasedStateMachine):
    """One folder, one process at a time, a store that remembers ids."""

    def __init__(self) -> None:
        super().__init__()
        self.root = Path(tempfile.mkdtemp())
        self.spool = Spool(SpoolConfig(folder=self.root / "spool", min_free_bytes=0))
        self.made = 0
        self.accepted: set[str] = set()
        self.uncertain: set[str] = set()
        self.stored: set[str] = set()

    def teardown(self) -> None:
        self.run(None, self.spool.recover)
        for path in self.spool.waiting():
            claim = self.spool.claim(path)
            assert claim is not None
            with claim:
                self.spool.settle(claim, [self.final(document) for document in claim.documents])
        # What was rejected, and is then found in the store or the other way round, would be a document that came to rest twice.
        there = Counter(self.ids(rejected=True)) + Counter(self.stored)
        assert set(there.values()) <= {1}
        assert self.accepted <= set(there) <= self.accepted | self.uncertain
        assert self.ids() == []
        shutil.rmtree(self.root)

    def final(self, document: Document) -> Outcome:
        """A fixed verdict for each document, so that a second try gives the same answer as the first."""
        if int(document.id) % 3 == 0:
            return REJECTED
        self.stored.add(document.id)
        return DELIVERED

    def ids(self, *, rejected: bool = False) -> list[str]:
        return [item.document.id for path in self.spool.waiting(rejected=rejected) for item in self.spool.look(path).items]

    def run(self, kill: int | None, act: Callable[[], Any]) -> bool:
        """True when the process lived to the end of ``act``."""
        try:
            with killed_before_call(kill):
                act()
        except Killed:
            return False
        finally:
            close_like_the_kernel()
        return True

    kills = st.none() | st.integers(0, 14)

    @rule(count=st.integers(1, 4), kill=kills)
    def write(self, count: int, kill: int | None) -> None:
        ids = [str(self.made + position) for position in range(count)]
        self.made += count
        body = b'{"@timestamp":"2026-11-22T09:00:00.123456Z"}'
        documents = [Document(id_, 0, "logs", CREATE, body) for id_ in ids]
        lived = self.run(kill, lambda: self.spool.write(documents))
        # What a process had in its hands when it was killed may be in the folder or not: nobody was told that it is.
        (self.accepted if lived else self.uncertain).update(ids)

    @rule(kill=kills)
    def recover(self, kill: int | None) -> None:
        self.run(kill, self.spool.recover)

    @rule(pick=st.integers(0, 5), delivered=st.lists(st.booleans(), min_size=8, max_size=8), kill=kills)
    def replay(self, pick: int, delivered: list[bool], kill: int | None) -> None:
        waiting = self.spool.waiting()
        if not waiting:
            return

        def act() -> None:
            claim = self.spool.claim(waiting[pick % len(waiting)])
            assert claim is not None
            with claim:
                outcomes = [
                    self.final(document) if decided else WHOLE_RETRY
                    for document, decided in zip(claim.documents, delivered, strict=False)
                ]
                self.spool.settle(claim, outcomes)

        self.run(kill, act)

    @invariant()
    def nothing_is_lost(self) -> None:
        assert self.accepted <= {*self.ids(), *self.ids(rejected=True), *self.stored}

    @invariant()
    def no_waiting_file_is_torn(self) -> None:
        for path in self.spool.waiting() + self.spool.waiting(rejected=True):
            assert not self.spool.look(path).torn


TestFolder = Folder.TestCase
TestFolder.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
