"""Replay: brings the failure folder's files to a store, oldest first, and says of each file what became of it.

Any number of replays may run over one folder: each file is one's at a time, and a kill leaves it for the next, with the
same ids. What cannot be used (torn, foreign) is named and left; the others go on.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from elasticecsmetrics.config import IndexNameFrequency
from elasticecsmetrics.delivery.spool import Claim, Spool
from elasticecsmetrics.errors import SpoolError
from elasticecsmetrics.model.document import Document
from elasticecsmetrics.model.outcome import Outcome, Verdict

TORN_PROBLEM = "torn: it breaks off, or holds lines that are no documents; its whole documents were read, the file is left"
REST_PROBLEM = "torn: the last line of a file whose writer died, set aside; it is no whole document"
HELD_PROBLEM = "in use by another process"


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
        self._spool.recover()
        for path in self._spool.torn_rests():
            yield FileReplayed(path, State.TORN, problem=REST_PROBLEM)
        paths = waiting(self._spool, rejected=rejected)
        held = []
        for position, path in enumerate(paths, 1):
            done = self._file(path)._replace(position=position, total=len(paths))
            if done.state is State.HELD:
                held.append(done)
                continue
            yield done
            if done.state is State.UNANSWERED:
                return
        # Those that another process had may be gone by now; if it was killed, they are ours to do.
        for before in held:
            done = self._file(before.path)._replace(position=before.position, total=before.total)
            yield done
            if done.state is State.UNANSWERED:
                return

    def _file(self, path: Path) -> FileReplayed:
        try:
            claim = self._spool.claim(path, index_frequency=self._index_frequency)
            if claim is not None:
                with claim:
                    return self._claimed(claim)
        except SpoolError as error:
            return FileReplayed(path, State.UNUSABLE, problem=str(error))
        if path.exists():
            return FileReplayed(path, State.HELD, problem=HELD_PROBLEM)
        return FileReplayed(path, State.REPLAYED)

    def _claimed(self, claim: Claim) -> FileReplayed:
        documents = claim.documents
        outcomes: list[Outcome | None] = []
        silence: Outcome | None = None
        while silence is None and len(outcomes) < len(documents):
            answers = self._sender.send(documents[len(outcomes) : len(outcomes) + self._buffer_size])
            outcomes += answers
            silence = _silence(answers)
        outcomes += [None] * (len(documents) - len(outcomes))
        settled = self._spool.settle(claim, outcomes)
        state, problem = State.TORN if claim.torn else State.REPLAYED, TORN_PROBLEM if claim.torn else None
        if silence is not None:
            state, problem = State.UNANSWERED, " ".join(filter(None, (silence.type, silence.reason)))
        return FileReplayed(claim.path, state, len(documents), *settled, problem=problem)


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


def _silence(answers: Sequence[Outcome]) -> Outcome | None:
    """The failure by which a whole request failed; None when the store answered for at least one document."""
    if answers and all(answer.verdict is Verdict.RETRYABLE and answer.whole_request for answer in answers):
        return answers[-1]
    return None
