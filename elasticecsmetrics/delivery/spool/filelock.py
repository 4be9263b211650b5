"""Ownership of a file: whoever holds the lock on it owns it, and the kernel takes the lock from the dead.

POSIX: ``flock``, which goes with the open file, so two owners in one process exclude each other too, and which ``kill -9``
frees. A forked child would share its parent's locks and keep them alive; it closes them at its birth.
Windows, as well as it can be done there: a byte range far behind the end; open files cannot be moved or removed there, so
ownership ends just before.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

#: Descriptors held by this process; only numbers, so that nothing is kept alive and the fork hook needs no lock.
_HELD: set[int] = set()
_O_BINARY: int = getattr(os, "O_BINARY", 0)
_CREATE_TRIES = 100
_PIECE_BYTES = 1 << 20

#: Bytes at the beginning of a file by which it is judged before the whole is read.
HEAD_BYTES = 1 << 16

_TAKEN = (errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES)

if sys.platform == "win32":
    import msvcrt

    _LOCK_OFFSET = 0x7FFF_0000

    def _lock(fd: int) -> None:
        os.lseek(fd, _LOCK_OFFSET, os.SEEK_SET)
        try:
            msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
        finally:
            os.lseek(fd, 0, os.SEEK_SET)

    def _unlock(fd: int) -> None:
        os.lseek(fd, _LOCK_OFFSET, os.SEEK_SET)
        msvcrt.locking(fd, msvcrt.LK_UNLCK, 1)
else:
    import fcntl

    def _lock(fd: int) -> None:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _unlock(fd: int) -> None:
        fcntl.flock(fd, fcntl.LOCK_UN)


def _try_lock(fd: int) -> bool:
    """True when the lock is ours now, False when somebody has it.

    Raises:
        OSError: the file system has no locks.
    """
    try:
        _lock(fd)
    except OSError as error:
        if error.errno in _TAKEN:
            return False
        raise
    return True


def _close_inherited() -> None:
    for fd in tuple(_HELD):
        with contextlib.suppress(OSError):
            os.close(fd)
    _HELD.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_close_inherited)


class LockedFile:
    """An open file that this process owns, until it is closed or the process ends."""

    __slots__ = ("_fd", "_pid", "path")

    def __init__(self, fd: int, path: Path) -> None:
        _HELD.add(fd)
        self._fd = fd
        self._pid = os.getpid()
        self.path = path

    @classmethod
    def take(cls, path: Path) -> LockedFile | None:
        """Opens and locks a file that is there; None when it is gone, replaced, or somebody else's.

        Raises:
            OSError: it cannot be opened, or the file system has no locks.
        """
        try:
            file = cls(os.open(path, os.O_RDWR | _O_BINARY), path)
        except FileNotFoundError:
            return None
        try:
            # Between opening and locking its owner may have removed or replaced it: then the lock is on a ghost.
            mine = _try_lock(file._fd) and file._is_at_its_path()
        except BaseException:
            file.close()
            raise
        if not mine:
            file.close()
            return None
        return file

    @classmethod
    def create(cls, path: Path) -> LockedFile:
        """Makes a new file of mode 0600 and locks it. Where it was snatched, a number joins its name; ``path`` tells it.

        On a file system without locks it is returned unlocked: that the documents are written matters more.

        Raises:
            FileExistsError: there is a file of that name.
            OSError: the disk refuses.
        """
        for attempt in range(_CREATE_TRIES):
            # No name twice: who snatched the file removes it by its name, perhaps late.
            here = path.with_name(f"{path.stem}-{attempt}{path.suffix}") if attempt else path
            file = cls(os.open(here, os.O_RDWR | os.O_CREAT | os.O_EXCL | _O_BINARY, 0o600), here)
            try:
                mine = _try_lock(file._fd)
            except OSError:
                return file
            # Another process that looks for orphans may have found the file in the instant before it was locked.
            if mine and file._is_at_its_path():
                return file
            file.close()
            here.unlink(missing_ok=True)
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))

    def _is_at_its_path(self) -> bool:
        try:
            there = self.path.stat()
        except FileNotFoundError:
            return False
        return os.path.samestat(there, os.fstat(self._fd))

    def head(self) -> bytes:
        """The first bytes, which tell what file it is without reading the whole."""
        os.lseek(self._fd, 0, os.SEEK_SET)
        return os.read(self._fd, HEAD_BYTES)

    def pieces(self) -> Iterator[bytes]:
        """The whole contents, a part at a time."""
        os.lseek(self._fd, 0, os.SEEK_SET)
        while piece := os.read(self._fd, _PIECE_BYTES):
            yield piece

    def read(self) -> bytes:
        """The whole contents.

        Raises:
            MemoryError: they are too large for this process.
        """
        return b"".join(self.pieces())

    def write(self, data: bytes) -> None:
        """Writes all of ``data`` where the file stands.

        Raises:
            OSError: the disk refuses; part of it may be written.
        """
        view = memoryview(data)
        while view:
            view = view[os.write(self._fd, view) :]

    def cut(self, size: int) -> None:
        """Cuts the file to ``size`` bytes and stands there."""
        os.ftruncate(self._fd, size)
        os.lseek(self._fd, size, os.SEEK_SET)

    def sync(self) -> None:
        """Returns when the contents are on the disk."""
        os.fsync(self._fd)

    def move(self, target: Path) -> None:
        """Renames the file over ``target``, atomically, and goes on owning it there (not on Windows)."""
        if sys.platform == "win32":
            self.close()
        self.path.replace(target)
        self.path = target

    def remove(self) -> None:
        """Removes the file and closes it. What somebody else has put in its place stays."""
        try:
            mine = self._is_at_its_path()
            if sys.platform == "win32":
                self.close()
            if mine:
                self.path.unlink(missing_ok=True)
        finally:
            self.close()

    def close(self) -> None:
        """Gives the file up. In a forked child, and the second time, this does nothing."""
        fd, self._fd = self._fd, -1
        if fd < 0 or self._pid != os.getpid():
            return
        # Unlocked first: a child forked this instant would keep the lock together with its copy of the descriptor.
        with contextlib.suppress(OSError):
            _unlock(fd)
        _HELD.discard(fd)
        os.close(fd)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()
