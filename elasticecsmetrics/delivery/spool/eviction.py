"""Room for another file: the oldest go where the bounds ask it, and what went is counted until somebody asks."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from elasticecsmetrics.clock import Clock
from elasticecsmetrics.config import SpoolConfig
from elasticecsmetrics.delivery.spool import fileform, listing
from elasticecsmetrics.delivery.spool.bounds import make_room
from elasticecsmetrics.delivery.spool.filelock import LockedFile
from elasticecsmetrics.errors import SpoolError


class Evicted(NamedTuple):
    """What went for the bounds' sake."""

    documents: int
    files: int


def free_bytes(folder: Path) -> int:
    """Bytes free on the disk of a folder."""
    return shutil.disk_usage(folder).free


class Eviction:
    """Holds the folders to their bounds, each by itself."""

    def __init__(self, config: SpoolConfig, clock: Clock, free_bytes: Callable[[Path], int]) -> None:
        self._config = config
        self._clock = clock
        self._free_bytes = free_bytes
        self._documents = 0
        self._files = 0

    def take(self) -> Evicted:
        """What went since this was asked last."""
        taken = Evicted(self._documents, self._files)
        self._documents = self._files = 0
        return taken

    def make_room(self, folder: Path, size: int) -> None:
        """Removes the oldest files, no more than needed, so that ``size`` bytes more keep the bounds.

        Raises:
            SpoolError: a bound refuses whatever goes, or the folder cannot be read.
        """
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
                documents = _count(file)
                file.remove()
        except OSError:
            return False
        self._documents += documents
        self._files += 1
        return True


def _count(file: LockedFile) -> int:
    try:
        return fileform.count(file.pieces()) or len(fileform.read(file.read()).items)
    except MemoryError:  # no document of ours begins in it: it only has the name
        return 0
