"""The spool, that is the failure folder: what waits for the store lies in it, what the store refused in its ``rejected/``.

Every document lies in exactly one file, or is settled. A file appears whole, is owned by whoever claims it, and changes
or goes only after what became of its documents is on the disk. So a kill at any instant loses nothing: at worst documents
are sent once more, with the same ids. Several processes and handlers may share a folder. Nothing here sleeps or waits.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from elasticecsmetrics.clock import SYSTEM_CLOCK, Clock
from elasticecsmetrics.config import IndexNameFrequency, SpoolConfig
from elasticecsmetrics.delivery.spool import claims, fileform, listing, recovery, settling
from elasticecsmetrics.delivery.spool.bounds import StoredFile
from elasticecsmetrics.delivery.spool.claims import Claim
from elasticecsmetrics.delivery.spool.eviction import Evicted, Eviction, free_bytes
from elasticecsmetrics.delivery.spool.fileform import Contents, Item
from elasticecsmetrics.delivery.spool.recovery import Recovered
from elasticecsmetrics.delivery.spool.settling import Settled
from elasticecsmetrics.errors import SpoolError
from elasticecsmetrics.model.document import Document
from elasticecsmetrics.model.outcome import Outcome

__all__ = ["Claim", "Settled", "Spool", "SpoolWritten"]


class SpoolWritten(NamedTuple):
    """What a write did."""

    path: Path
    evicted_documents: int
    """Documents of older files that went for the bounds' sake, since the last write that succeeded."""
    evicted_files: int


class Spool:
    """The failure folder, as one handler, worker or command sees it."""

    def __init__(
        self, config: SpoolConfig, *, clock: Clock = SYSTEM_CLOCK, free_bytes: Callable[[Path], int] = free_bytes
    ) -> None:
        """Touches nothing; see :meth:`prepare`.

        Args:
            config: the folder and its bounds, which hold for what waits and for ``rejected/``, each by itself.
            clock: names files and tells their age.
            free_bytes: bytes free on the disk of a folder.
        """
        self.folder = config.folder
        self.rejected_folder = config.folder / "rejected"
        self._clock = clock
        self._eviction = Eviction(config, clock, free_bytes)

    def prepare(self) -> None:
        """Makes the folder, mode 0700, if it is not there. Each write does the same, so a failure here is not final.

        Raises:
            SpoolError: it cannot be made, is no folder, or cannot be written to.
        """
        listing.make(self.folder)
        if not os.access(self.folder, os.R_OK | os.W_OK | os.X_OK):
            raise SpoolError(f"{self.folder}: this user may not read and write it")

    def write(self, documents: Sequence[Document]) -> SpoolWritten:
        """Puts documents into one new file, on the disk when this returns. The oldest files go first where bounds ask it.

        Raises:
            SpoolError: the disk or a bound refuses; nothing is left of the attempt.
        """
        return self._add(self.folder, [Item(document) for document in documents])

    def reject(self, rejections: Sequence[tuple[Document, Outcome]], attempts: int) -> SpoolWritten:
        """Puts refused documents, each with the reason, into one new file of ``rejected/``.

        Raises:
            SpoolError: as :meth:`write`.
        """
        now = self._clock.wall_ns()
        items = [Item(document, settling.reason(outcome, attempts, now)) for document, outcome in rejections]
        return self._add(self.rejected_folder, items)

    def _add(self, folder: Path, items: Sequence[Item]) -> SpoolWritten:
        listing.make(folder)
        data = fileform.file_bytes(items)
        self._eviction.make_room(folder, len(data))
        path = claims.write_new(folder, fileform.new_name(self._clock.wall_ns()), data)
        return SpoolWritten(path, *self._eviction.take())

    def take_evicted(self) -> Evicted:
        """What went for the bounds' sake since the last write that succeeded, and since this was asked last."""
        return self._eviction.take()

    def waiting(self, *, rejected: bool = False) -> list[Path]:
        """The files that wait (or those of ``rejected/``), oldest first; after :meth:`recover` also what the dead left.

        Foreign files are among them: :meth:`claim` says so.

        Raises:
            SpoolError: the folder cannot be read.
        """
        return [file.path for file in self.files(rejected=rejected)]

    def files(self, *, rejected: bool = False) -> list[StoredFile]:
        """As :meth:`waiting`, with times and sizes."""
        return listing.files(self.rejected_folder if rejected else self.folder)

    def unfinished(self, *, rejected: bool = False) -> list[Path]:
        """Files that are being written, or that the dead left so."""
        return listing.paths(self.rejected_folder if rejected else self.folder, listing.PART)

    def torn_rests(self) -> list[Path]:
        """What :meth:`recover` set aside, here or in an earlier process."""
        return [path for folder in (self.folder, self.rejected_folder) for path in listing.paths(folder, listing.TORN)]

    def passed_over(self, *, rejected: bool = False) -> list[Path]:
        """What has a file's name without being a file, such as a link: nobody reads or removes it.

        Raises:
            SpoolError: the folder cannot be read.
        """
        return listing.passed_over(self.rejected_folder if rejected else self.folder)

    def recover(self) -> Recovered:
        """Finishes the files whose writers died, so that they wait like others; one that cannot be stops no other.

        Raises:
            SpoolError: a folder cannot be read.
        """
        waiting, rejected = recovery.recover(self.folder), recovery.recover(self.rejected_folder)
        return Recovered(waiting.torn + rejected.torn, waiting.problems + rejected.problems)

    def claim(self, path: Path, *, index_frequency: IndexNameFrequency = IndexNameFrequency.DAILY) -> Claim | None:
        """Takes a file; None when it is gone or somebody else has it.

        Args:
            path: one of :meth:`waiting`.
            index_frequency: for the original's files, which do not tell it.

        Raises:
            ForeignFileError: it is neither ours nor the original's.
            SpoolError: it cannot be opened or read, or the file system has no locks.
        """
        return claims.claim(path, index_frequency)

    def look(self, path: Path, *, index_frequency: IndexNameFrequency = IndexNameFrequency.DAILY) -> Contents:
        """Reads a file without owning it.

        Raises:
            ForeignFileError: it is neither ours nor the original's.
            SpoolError: it cannot be read.
        """
        return claims.look(path, index_frequency)

    def settle(self, claim: Claim, outcomes: Sequence[Outcome | None], *, attempts: int = 1) -> Settled:
        """Puts away what has an outcome: the rejected into ``rejected/`` first, then the rest stays or the file goes.

        ``rejected/`` keeps to its bounds; what goes for their sake, :meth:`take_evicted` or the next write tells.

        A torn file is left as it is, so that what is broken in it can be looked at. In ``rejected/`` itself, what is
        rejected again stays in its file, with the new reason.

        Args:
            claim: a file that is ours; afterwards it holds what is left.
            outcomes: one for each of its items, in order; None for what was not tried.
            attempts: how often the rejected were sent.

        Raises:
            SpoolError: the disk or a bound refuses; the file is as it was.
        """
        aside = settling.Aside(self.rejected_folder, self._eviction, self._clock.wall_ns())
        return settling.settle(claim, outcomes, attempts=attempts, aside=aside)
