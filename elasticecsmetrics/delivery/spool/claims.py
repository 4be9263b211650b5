"""A file of the failure folder that is ours alone for a while; and how files appear there, whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from elasticecsmetrics.config import IndexNameFrequency
from elasticecsmetrics.delivery.spool import fileform, listing, originals
from elasticecsmetrics.delivery.spool.fileform import Contents, Item
from elasticecsmetrics.delivery.spool.filelock import HEAD_BYTES, LockedFile
from elasticecsmetrics.errors import ForeignFileError
from elasticecsmetrics.model.document import Document


class Claim:
    """One file and the lock on it. A context manager: leaving it releases the file."""

    def __init__(self, file: LockedFile, contents: Contents) -> None:
        self._file = file
        self.path = file.path
        self.items: Sequence[Item] = contents.items
        self.torn = contents.torn
        """Whether it breaks off; its whole documents are here."""

    @property
    def documents(self) -> list[Document]:
        """The documents, in the order of the file."""
        return [item.document for item in self.items]

    def rewrite(self, items: Sequence[Item]) -> None:
        """Replaces the contents, on the disk when this returns; a file without items is removed.

        Raises:
            SpoolError: the disk refuses; the file is as it was.
        """
        with listing.saying(self.path, "cannot be rewritten"):
            if items:
                before, self._file = self._file, _replaced(self.path, fileform.file_bytes(items))
                before.close()
            else:
                self._file.remove()
        self.items = items

    def release(self) -> None:
        """Gives the file up to whoever claims it next. Twice is harmless."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.release()


def claim(path: Path, frequency: IndexNameFrequency) -> Claim | None:
    """Takes a file; None when it is gone or somebody else has it.

    Raises:
        ForeignFileError: it is neither ours nor the original's.
        SpoolError: it cannot be opened or read, or the file system has no locks.
    """
    with listing.saying(path, "cannot be claimed"):
        file = LockedFile.take(path)
        if file is None:
            return None
        try:
            return Claim(file, _contents(file, frequency))
        except BaseException:
            file.close()
            raise


def look(path: Path, frequency: IndexNameFrequency) -> Contents:
    """Reads a file without owning it.

    Raises:
        ForeignFileError: it is neither ours nor the original's.
        SpoolError: it cannot be read.
    """
    with listing.saying(path, "cannot be read"), path.open("rb", buffering=0) as file:
        head = file.read(HEAD_BYTES)
        _refuse_foreign(path, head)
        return _parsed(path, head + file.readall(), frequency)


def _contents(file: LockedFile, frequency: IndexNameFrequency) -> Contents:
    _refuse_foreign(file.path, file.head())
    return _parsed(file.path, file.read(), frequency)


def _refuse_foreign(path: Path, head: bytes) -> None:
    # A foreign file may be of any size, such as the dump of a process; it must not be read for that to be seen.
    if not (fileform.may_be_ours(path.name, head) or originals.may_be(path.name, head)):
        raise ForeignFileError(f"{path}: {originals.FOREIGN}")


def _parsed(path: Path, data: bytes, frequency: IndexNameFrequency) -> Contents:
    if fileform.is_ours(path.name, data):
        return fileform.read(data)
    try:
        return originals.read(path.name, data, frequency)
    except ForeignFileError as error:
        raise ForeignFileError(f"{path}: {error}") from error


def write_new(folder: Path, name: str, data: bytes) -> Path:
    """Makes ``NAME.json``, of which nobody sees less than the whole, and which is on the disk when this returns.

    Raises:
        SpoolError: the disk refuses; nothing is left of the attempt.
    """
    target = folder / f"{name}{listing.JSON}"
    with listing.saying(target, "cannot be written"):
        file = LockedFile.create(folder / f".{name}{listing.PART}")
        _fill_and_move(file, data, target)
        file.close()
    return target


def write_over(path: Path, data: bytes) -> None:
    """Makes the file or replaces its contents, on the disk when this returns.

    Raises:
        SpoolError: the disk refuses; the file is as it was.
    """
    with listing.saying(path, "cannot be written"):
        _replaced(path, data).close()


def _replaced(path: Path, data: bytes) -> LockedFile:
    # A new name each time: one that the dead left may be in the hands of a recovery, which removes it by its name.
    file = LockedFile.create(path.with_name(f".{path.name}.{os.urandom(4).hex()}{listing.REWRITE}"))
    _fill_and_move(file, data, path)
    return file


def _fill_and_move(file: LockedFile, data: bytes, target: Path) -> None:
    try:
        file.write(data)
        file.sync()
        file.move(target)
    except BaseException:
        file.remove()
        raise
    listing.sync(target.parent)
