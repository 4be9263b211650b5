"""Replay: brings the failure folder's files to a store, oldest first, and says of each file what became of it.

Any number of replays may run over one folder: each file is one's at a time, and a kill leaves it for the next, with the
same ids. What cannot be used (torn, foreign) is named and left; the others go on.
"""

from __future__ import annotations

import enum
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from elasticecsmetrics.config import IndexNameFrequency
from elasticecsmetrics.delivery.sender import is_content_refused
from elasticecsmetrics.delivery.spool import Claim, Spool, listing
from elasticecsmetrics.errors import SpoolError
from elasticecsmetrics.model.document import Document
from elasticecsmetrics.model.outcome import Outcome, Verdict

TORN_PROBLEM = "torn: it breaks off, or holds lines that are no documents; its whole documents were read, the file is left"
REST_PROBLEM = "torn: the last line of a file whose writer died, set aside; it is no whole document"
HELD_PROBLEM = "in use by another process"
PASSED_OVER_PROBLEM = "is no file but a link or the like, which is not followed"
TOO_LARGE_PROBLEM = "too large for the memory of this process"


class Sends(Protocol):
    """What a replay needs of :class:`elasticecsmetrics.delivery.sender.Sender`."""

    def send(self, documents: Sequence[Document], /) -> Sequence[Outcome]:
        """One outcome for each document, in order; tries again by itself; never raises."""


class State(enum.Enum):
    """How a replay left a file."""

    REPLAYED = "replayed"
    """Each document was tried; what is left of them is counted."""
    UNANSWERED = "unanswered"
    """The store gave no answer, so neither the rest of the file nor later files were tried."""
    REFUSED = "refused"
    """The store refused a whole request in a way that waiting does not mend; later files may fare better."""
    TORN = "torn"
    """As REPLAYED, but the file is left because it is broken."""
    UNUSABLE = "unusable"
    """Foreign, unreadable, or the disk refused to put its outcomes away."""
    HELD = "held"
    """Another process has it."""


class FileReplayed(NamedTuple):
    """What became of one file."""

    path: Path
    state: State
    documents: int = 0
    delivered: int = 0
    rejected: int = 0
    left: int = 0
    problem: str | None = None
    """What is wrong, in words; None when nothing is."""
    position: int = 0
    """Which of the files this is, from 1; 0 where it is none of those counted."""
    total: int = 0
    """How many files there were when the replay began."""
    status: int | None = None
    """Of REFUSED: the HTTP status."""
    evicted: int = 0
    """Older documents of ``rejected/`` that went because of its bounds."""


class Replay:
    """One replay of one folder."""

    def __init__(
        self,
        spool: Spool,
        sender: Sends,
        *,
        index_frequency: IndexNameFrequency = IndexNameFrequency.DAILY,
        buffer_size: int = 1000,
    ) -> None:
        """
        Args:
            spool: the folder.
            sender: the way to the store.
            index_frequency: for the indexes of the original's files, which do not tell it.
            buffer_size: documents sent at once.
        """
        self._spool = spool
        self._sender = sender
        self._index_frequency = index_frequency
        self._buffer_size = buffer_size

    def run(self, *, rejected: bool = False) -> Iterator[FileReplayed]:
        """Replays the files that wait now, then yields what became of each, as it happens.

        Stopped in between (by closing the iterator, or by an exception such as KeyboardInterrupt out of the sender),
        the file at hand is left as it was.

        Args:
            rejected: also those of ``rejected/``.

        Raises:
            SpoolError: the folder itself cannot be read.
        """
        recovered = self._spool.recover()
        for path in self._spool.torn_rests():
            yield FileReplayed(path, State.TORN, problem=REST_PROBLEM)
        for path, problem in recovered.problems:
            yield FileReplayed(path, State.UNUSABLE, problem=problem)
        yield from passed_over(self._spool, rejected=rejected)
        yield from self._each(waiting(self._spool, rejected=rejected))

    def _each(self, paths: Sequence[Path]) -> Iterator[FileReplayed]:
        todo = deque((position, path, False) for position, path in enumerate(paths, 1))
        refused: int | None = None
        while todo:
            position, path, again = todo.popleft()
            done = self._file(path)._replace(position=position, total=len(paths))
            if done.state is State.HELD and not again:
                # It may be gone by the end; if its owner was killed, it is ours to do.
                todo.append((position, path, True))
                continue
            yield done
            # Refused once, it is the file's contents; twice alike, it is the way to the store.
            if done.state is State.UNANSWERED or (done.state is State.REFUSED and done.status == refused):
                return
            if done.documents:
                refused = done.status

    def _file(self, path: Path) -> FileReplayed:
        done = self._tried(path)
        return done._replace(evicted=self._spool.take_evicted().documents)

    def _tried(self, path: Path) -> FileReplayed:
        try:
            claim = self._spool.claim(path, index_frequency=self._index_frequency)
            if claim is not None:
                with claim:
                    return self._claimed(claim)
            there = listing.exists(path)
        except SpoolError as error:
            return FileReplayed(path, State.UNUSABLE, problem=str(error))
        except MemoryError:
            return FileReplayed(path, State.UNUSABLE, problem=TOO_LARGE_PROBLEM)
        return FileReplayed(path, State.HELD, problem=HELD_PROBLEM) if there else FileReplayed(path, State.REPLAYED)

    def _claimed(self, claim: Claim) -> FileReplayed:
        documents = claim.documents
        outcomes: list[Outcome | None] = []
        failure: Outcome | None = None
        while failure is None and len(outcomes) < len(documents):
            answers = self._sender.send(documents[len(outcomes) : len(outcomes) + self._buffer_size])
            outcomes += answers
            failure = _failure(answers)
        # A sender may have found the few documents for which the store refuses a request, and delivered the others.
        refusals = (outcome for outcome in outcomes if outcome is not None and is_content_refused(outcome))
        said = failure or next(refusals, None)
        outcomes += [None] * (len(documents) - len(outcomes))
        settled = self._spool.settle(claim, outcomes)
        state, problem = (State.TORN, TORN_PROBLEM) if claim.torn else (State.REPLAYED, None)
        if failure is not None:
            state = State.REFUSED if is_content_refused(failure) else State.UNANSWERED
        if said is not None:
            problem = "; ".join(filter(None, (_words(said), problem)))
        status = failure.status if failure is not None and state is State.REFUSED else None
        return FileReplayed(claim.path, state, len(documents), *settled, problem=problem, status=status)


def passed_over(spool: Spool, *, rejected: bool = False) -> Iterator[FileReplayed]:
    """Names what looks like a file of the folder without being one."""
    for path in spool.passed_over() + (spool.passed_over(rejected=True) if rejected else []):
        yield FileReplayed(path, State.UNUSABLE, problem=PASSED_OVER_PROBLEM)


def waiting(spool: Spool, *, rejected: bool = False) -> list[Path]:
    """The files that a replay takes up, oldest first.

    Raises:
        SpoolError: the folder cannot be read.
    """
    return spool.waiting() + (spool.waiting(rejected=True) if rejected else [])


def preview(
    spool: Spool, *, rejected: bool = False, index_frequency: IndexNameFrequency = IndexNameFrequency.DAILY
) -> Iterator[FileReplayed]:
    """What :meth:`Replay.run` would take up; reads only, so what others hold or write now is counted too.

    Raises:
        SpoolError: the folder itself cannot be read.
    """
    for path in spool.torn_rests():
        yield FileReplayed(path, State.TORN, problem=REST_PROBLEM)
    yield from passed_over(spool, rejected=rejected)
    unfinished = spool.unfinished() + (spool.unfinished(rejected=True) if rejected else [])
    paths = waiting(spool, rejected=rejected)
    for position, path in enumerate([*paths, *unfinished], 1):
        try:
            contents = spool.look(path, index_frequency=index_frequency)
        except SpoolError as error:
            done = FileReplayed(path, State.UNUSABLE, problem=str(error))
        else:
            # One that is being written is not closed yet, which is no fault.
            torn = contents.torn and position <= len(paths)
            count = len(contents.items)
            done = FileReplayed(path, State.TORN if torn else State.REPLAYED, count, left=count)
            done = done._replace(problem=TORN_PROBLEM if torn else None)
        yield done._replace(position=position, total=len(paths) + len(unfinished))


def _failure(answers: Sequence[Outcome]) -> Outcome | None:
    """The failure by which a whole request failed; None when the store answered for at least one document."""
    if answers and all(answer.verdict is Verdict.RETRYABLE and answer.whole_request for answer in answers):
        return answers[-1]
    return None


def _words(failure: Outcome) -> str:
    what = "gives no answer" if failure.status is None else "refuses the request"
    return f"the store {what}: {' '.join(filter(None, (failure.type, failure.reason)))}"
