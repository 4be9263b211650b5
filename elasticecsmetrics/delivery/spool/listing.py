"""The failure folder as a list of names: what lies in it, made when it is missing, and its errors in words."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from elasticecsmetrics.delivery.spool.bounds import StoredFile
from elasticecsmetrics.delivery.spool.fileform import name_time
from elasticecsmetrics.errors import SpoolError

JSON = ".json"
#: A new file while it is being written; its name begins with a dot. Without a living owner it is recovered.
PART = ".part"
#: The next contents of a file that is there; its name begins with a dot. Without a living owner it is worth nothing.
REWRITE = ".rewrite"
#: A last line that was cut off, set aside by the recovery.
TORN = ".torn"


@contextlib.contextmanager
def saying(path: Path, what: str) -> Iterator[None]:
    """Turns an OSError into a SpoolError that names the file and says what the system said; a MemoryError likewise."""
    try:
        yield
    except OSError as error:
        raise SpoolError(f"{path}: {what}: {error.strerror or error}") from error
    except MemoryError as error:
        raise SpoolError(f"{path}: {what}: it is too large for the memory of this process") from error


def exists(path: Path) -> bool:
    """Whether there is something of this name.

    Raises:
        SpoolError: that cannot be told.
    """
    # Not Path.exists, which raises some errors in some versions and takes others for a "no".
    with saying(path, "cannot be looked at"):
        try:
            path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return False
    return True


def make(folder: Path) -> None:
    """Makes the folder, and those above it, where it is missing: mode 0700, because the documents hold personal data.

    Raises:
        SpoolError: it cannot be made, or is no folder.
    """
    with saying(folder, "cannot be made"):
        # Not `parents=True`, which makes those above with the mode that the process has for everything.
        for path in (*reversed(folder.parents), folder):
            if not path.is_dir():
                _make_one(path)


def _make_one(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
    except FileExistsError as error:
        raise SpoolError(f"{folder}: is no folder") from error


def sync(folder: Path) -> None:
    """Returns when the folder's names are on the disk, where the system can say so."""
    # The file has its name by now: an error here would make the caller believe that the documents are lost.
    with contextlib.suppress(OSError):
        fd = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)


def files(folder: Path) -> list[StoredFile]:
    """The files that are whole, foreign ones among them, oldest first: by the time in a name of ours, else of the change.

    Raises:
        SpoolError: the folder cannot be read.
    """
    found = []
    for entry in _entries(folder, JSON):
        with contextlib.suppress(FileNotFoundError):
            facts = entry.stat(follow_symlinks=False)
            time = name_time(entry.name)
            found.append(StoredFile(folder / entry.name, facts.st_mtime_ns if time is None else time, facts.st_size))
    return sorted((file for file in found if not file.path.name.startswith(".")), key=lambda file: (file.time, file.path.name))


def paths(folder: Path, *endings: str) -> list[Path]:
    """The files with one of these endings, by name.

    Raises:
        SpoolError: the folder cannot be read.
    """
    return sorted(folder / entry.name for entry in _entries(folder, *endings))


def passed_over(folder: Path) -> list[Path]:
    """What has a file's name without being a file: links, which lead who knows where, folders, pipes.

    Raises:
        SpoolError: the folder cannot be read.
    """
    named = [entry.name for entry in _entries(folder, JSON, PART, regular=False)]
    return sorted(folder / name for name in named if name.startswith(".") == name.endswith(PART))


def _entries(folder: Path, *endings: str, regular: bool = True) -> list[os.DirEntry[str]]:
    with saying(folder, "cannot be read"):
        try:
            with os.scandir(folder) as scan:
                named = [entry for entry in scan if entry.name.endswith(endings)]
                return [entry for entry in named if entry.is_file(follow_symlinks=False) is regular]
        except FileNotFoundError:
            return []
