"""Which files have to go so that another one fits: a function from the folder's figures to a decision."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from elasticecsmetrics.config import SpoolConfig

NS_PER_SECOND = 10**9


class StoredFile(NamedTuple):
    """A file of the failure folder."""

    path: Path
    time: int
    """When it was written, in nanoseconds since 1970."""
    size: int
    """Bytes."""


class Room(NamedTuple):
    """What has to be done before a file is written."""

    evict: Sequence[StoredFile]
    """These go; none when it is refused."""
    refusal: str | None
    """Why the file cannot be written whatever goes; None when it fits."""


def make_room(config: SpoolConfig, files: Sequence[StoredFile], *, size: int, free: int, now: int) -> Room:
    """Decides what goes so that ``size`` bytes more keep the bounds of ``config``.

    Nothing goes for a file that would not fit even then: on a disk that others fill, what waits is kept.

    Args:
        config: the bounds.
        files: those that may go, oldest first.
        size: bytes of the new file.
        free: bytes free on the disk.
        now: nanoseconds since 1970.
    """
    limit = None if config.max_age is None else now - int(config.max_age * NS_PER_SECOND)
    expired = 0 if limit is None else sum(1 for file in files if file.time < limit)
    held = sum(file.size for file in files[expired:])
    free += sum(file.size for file in files[:expired])
    evict = expired
    while (refusal := _refusal(config, held + size, free - size)) is not None and evict < len(files):
        held -= files[evict].size
        free += files[evict].size
        evict += 1
    return Room(files[:evict] if refusal is None else (), refusal)


def _refusal(config: SpoolConfig, held: int, free: int) -> str | None:
    if config.max_bytes is not None and held > config.max_bytes:
        return f"a file of {held} bytes is more than spool_max_bytes={config.max_bytes}"
    if free < config.min_free_bytes:
        return f"{free} bytes would be left free on the disk, spool_min_free_bytes={config.min_free_bytes}"
    return None
