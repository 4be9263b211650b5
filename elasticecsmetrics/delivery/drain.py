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

#: Seconds of rest after a file that was put off; doubles up to PERIOD with each further one.
FIRST_PAUSE = 1.0


class Drain:
    """At most one file is with a sender. Used by the worker's thread only."""

    #: The number a file's batch goes out under; the buffer's own begin at 1.
    NUMBER = 0

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._waiting: deque[Path] = deque()
        self._claim: Claim | None = None
        self._pause = FIRST_PAUSE
        self.due_at = 0.0
        """Monotonic seconds from which :meth:`claim` is worth a call."""

    @property
    def busy(self) -> bool:
        """True while a file is with a sender."""
        return self._claim is not None

    def look_again(self, now: float) -> None:
        """Something was written to the folder, or the store answers again."""
        if self._pause == FIRST_PAUSE:
            self.due_at = min(self.due_at, now)

    def claim(self, now: float) -> Sequence[Document] | None:
        """The documents of the oldest file that nobody else holds; None when there is none now."""
        if not self._waiting:
            self._waiting = self._listed()
        while self._waiting:
            claim = self._taken(self._waiting.popleft())
            if claim is not None:
                self._claim = claim
                return claim.documents
        self.due_at = now + PERIOD
        return None

    def _listed(self) -> deque[Path]:
        try:
            self._spool.recover()
            return deque(path for path in self._spool.waiting() if name_time(path.name) is not None)
        except SpoolError:  # the folder cannot be read now; `replay` says what is wrong with it
            return deque()

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
        self._rest(now)
        with claim:
            settled = self._spool.settle(claim, outcomes)
        if not settled.left:
            self._pause = FIRST_PAUSE
            self.due_at = now
        elif any(outcome.whole_request and not is_content_refused(outcome) for outcome in outcomes):
            self._waiting.appendleft(claim.path)  # it is still the oldest: the request failed, not these documents
        return settled

    def _rest(self, now: float) -> None:
        self.due_at = now + self._pause
        self._pause = min(self._pause * 2, PERIOD)

    def let_go(self) -> None:
        """Leaves the file that is with a sender to whoever comes next; its documents have ids, so none is doubled."""
        claim, self._claim = self._claim, None
        if claim is not None:
            claim.release()
