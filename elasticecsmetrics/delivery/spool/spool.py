"""The spool, that is the failure folder: what waits for the store lies in it, what the store refused in its ``rejected/``.

Every document lies in exactly one file, or is settled. A file appears whole, is owned by whoever claims it, and changes
or goes only after what became of its documents is on the disk. So a kill at any instant loses nothing: at worst documents
are sent once more, with the same ids. Several processes and handlers may share a folder. Nothing here sleeps or waits.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from elasticecsmetrics.clock import SYSTEM_CLOCK, Clock
from elasticecsmetrics.config import IndexNameFrequency, SpoolConfig
from elasticecsmetrics.delivery.spool import claims, fileform, listing, recovery, settling
from elasticecsmetrics.delivery.spool.bounds import StoredFile, make_room
from elasticecsmetrics.delivery.spool.claims import Claim
from elasticecsmetrics.delivery.spool.fileform import Contents, Item
from elasticecsmetrics.delivery.spool.filelock import LockedFile
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


def _free_bytes(folder: Path) -> int:
    return shutil.disk_usage(folder).free


class Spool:
    """The failure folder, as one handler, worker or command sees it."""

    def __init__(
        self, config: SpoolConfig, *, clock: Clock = SYSTEM_CLOCK, free_bytes: Callable[[Path], int] = _free_bytes
    ) -> None:
        """Touches nothing; see :meth:`prepare`.

        Args:
            config: the folder and its bounds, which hold for what waits and for ``rejected/``, each by itself.
            clock: names files and tells their age.
            free_bytes: bytes free on the disk of a folder.
        """
        self.folder = config.folder
        self.rejected_folder = config.folder / "rejected"
        self._config = config
        self._clock = clock
        self._free_bytes = free_bytes
        self._evicted_documents = 0
        self._evicted_files = 0

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
        self._make_room(folder, len(data))
        path = claims.write_new(folder, fileform.new_name(self._clock.wall_ns()), data)
        written = SpoolWritten(path, self._evicted_documents, self._evicted_files)
        self._evicted_documents = self._evicted_files = 0
        return written

    def _make_room(self, folder: Path, size: int) -> None:
        with listing.saying(folder, "cannot be read"):
            free = self._free_bytes(folder)
        if self._config.max_bytes is None and self._config.max_age is None and free - size >= self._config.min_free_bytes:
            return
        files = [file for file in listing.files(folder) if fileform.name_time(file.path.name) is not None]
        while True:
            room = make_room(self._config, files, size=size, free=free, now=self._clock.wall_ns())
            if room.refusal is not None:
                raise SpoolError(f"{folder}: nothing more is written: {room.refusal}")
            if not room.evict:
                return
            free += sum(file.size for file in room.evict if self._evict(file.path))
            # One that somebody holds could not go, so the decision is taken again without those seen.
            files = files[len(room.evict) :]

    def _evict(self, path: Path) -> bool:
        try:
            file = LockedFile.take(path)
            if file is None:
                return False
            with file:
                documents = fileform.count(file.read())
                file.remove()
        except OSError:
            return False
        self._evicted_documents += documents
        self._evicted_files += 1
        return True

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

    def recover(self) -> list[Path]:
        """Finishes the files whose writers died, so that they wait like others.

        Returns:
            The files ``NAME.torn`` made now, each a last line that was cut off, which is no document.

        Raises:
            SpoolError: the folder cannot be read, or the disk refuses.
        """
        return recovery.recover(self.folder) + recovery.recover(self.rejected_folder)

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

        A torn file is left as it is, so that what is broken in it can be looked at. In ``rejected/`` itself, what is
        rejected again stays in its file, with the new reason.

        Args:
            claim: a file that is ours; afterwards it holds what is left.
            outcomes: one for each of its items, in order; None for what was not tried.
            attempts: how often the rejected were sent.

        Raises:
            SpoolError: the disk refuses; the file is as it was.
        """
        now = self._clock.wall_ns()
        return settling.settle(claim, outcomes, attempts=attempts, now=now, rejected_folder=self.rejected_folder)
