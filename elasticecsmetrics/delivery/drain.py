"""The drain: brings the failure folder's files to the store once it answers again, oldest first, one at a time.

The worker asks it for a file, gives the documents to a sender, and hands the outcomes back. Files that are not our own are the
replay command's: it can say what is wrong with them, and of the original's files nobody knows which documents arrived.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from pathlib import Path

from elasticecsmetrics.delivery.sender import is_content_refused
from elasticecsmetrics.delivery.spool import Claim, Settled, Spool
from elasticecsmetrics.delivery.spool.fileform import name_time
from elasticecsmetrics.errors import SpoolError
from elasticecsmetrics.model.document import Document
from elasticecsmetrics.model.outcome import Outcome

#: Seconds between two looks into a folder that was found empty: other processes' orphans may appear there.
PERIOD = 30.0

#: Seconds for which a file is left alone whose documents were put off; doubles up to PERIOD each time.
FIRST_PAUSE = 1.0


class Drain:
    """At most one file is with a sender. Used by the worker's thread only."""

    #: The number a file's batch goes out under; the buffer's own begin at 1.
    NUMBER = 0

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._waiting: deque[Path] = deque()
        self._claim: Claim | None = None
        self._put_off: dict[str, tuple[float, float]] = {}
        """By name: when a file is tried again, and the pause after that."""
        self.due_at = 0.0
        """Monotonic seconds from which :meth:`claim` is worth a call."""

    @property
    def busy(self) -> bool:
        """True while a file is with a sender."""
        return self._claim is not None

    def look_again(self, now: float) -> None:
        """Something was written to the folder, or the store answers again."""
        self.due_at = min(self.due_at, now)

    def claim(self, now: float) -> Sequence[Document] | None:
        """The documents of the oldest file that nobody else holds; None when there is none now."""
        if not self._waiting:
            self._waiting = self._listed(now)
        while self._waiting:
            claim = self._taken(self._waiting.popleft())
            if claim is not None:
                self._claim = claim
                return claim.documents
        self.due_at = min([now + PERIOD, *(until for until, _ in self._put_off.values())])
        return None

    def _listed(self, now: float) -> deque[Path]:
        try:
            self._spool.recover()
            ours = [path for path in self._spool.waiting() if name_time(path.name) is not None]
        except SpoolError:  # the folder cannot be read now; `replay` says what is wrong with it
            return deque()
        there = {path.name for path in ours}
        self._put_off = {name: rest for name, rest in self._put_off.items() if name in there}
        return deque(path for path in ours if self._put_off.get(path.name, (0.0, 0.0))[0] <= now)

    def _taken(self, path: Path) -> Claim | None:
        try:
            claim = self._spool.claim(path)
        except (SpoolError, MemoryError):  # this file cannot be read; the others can
            return None
        if claim is None or (claim.documents and not claim.torn):
            return claim
        claim.release()
        return None

    def settle(self, outcomes: Sequence[Outcome], now: float) -> Settled:
        """Deletes the file, or keeps of it what has no outcome; then the next file's turn has come.

        Raises:
            SpoolError: the disk refused; the file is left as it was.
        """
        claim, self._claim = self._claim, None
        if claim is None:
            return Settled(0, 0, 0)
        self.due_at = now
        with claim:
            settled = self._spool.settle(claim, outcomes)
        if not settled.left:
            return settled
        if any(outcome.whole_request and not is_content_refused(outcome) for outcome in outcomes):
            self._waiting.appendleft(claim.path)  # it is still the oldest: the request failed, not these documents
        else:
            _, pause = self._put_off.get(claim.path.name, (0.0, FIRST_PAUSE))
            self._put_off[claim.path.name] = (now + pause, min(pause * 2, PERIOD))
        return settled
