"""What the dead left in the failure folder: files that were being written become files that wait, line by line."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from elasticecsmetrics.delivery.spool import claims, fileform, listing
from elasticecsmetrics.delivery.spool.filelock import LockedFile
from elasticecsmetrics.errors import SpoolError


class Unrecovered(NamedTuple):
    """A file that is left as it was."""

    path: Path
    problem: str
    """Why, in words."""


class Recovered(NamedTuple):
    """What a recovery did, where it is worth telling."""

    torn: list[Path]
    """The files ``NAME.torn`` made now, each a last line that was cut off, which is no document."""
    problems: list[Unrecovered]
    """The files that could not be recovered."""


def recover(folder: Path) -> Recovered:
    """Finishes the files in ``folder`` whose writers died, each for itself: one that cannot be finished stops no other.

    Raises:
        SpoolError: the folder cannot be read.
    """
    done = Recovered([], [])
    for path in listing.paths(folder, listing.PART, listing.REWRITE):
        try:
            with listing.saying(path, "cannot be recovered"):
                done.torn.extend(_recover_one(path))
        except SpoolError as error:
            done.problems.append(Unrecovered(path, str(error)))
    return done


def _recover_one(path: Path) -> list[Path]:
    file = LockedFile.take(path)
    if file is None:
        return []
    with file:
        if not path.name.endswith(listing.REWRITE):
            return _finished(file)
        file.remove()
    return []


def _finished(file: LockedFile) -> list[Path]:
    folder, name = file.path.parent, file.path.name.removeprefix(".").removesuffix(listing.PART)
    data = file.read()
    contents = fileform.read(data)
    torn = []
    # Set aside before it is cut off: a kill in between sets it aside once more, under the same name.
    if data[contents.end :].strip(b" \t\r\n,]"):
        torn.append(folder / f"{name}{listing.TORN}")
        claims.write_over(torn[0], data[contents.end :])
    if contents.items:
        file.cut(contents.end)
        file.write(fileform.TAIL)
        file.sync()
        file.move(folder / f"{name}{listing.JSON}")
        listing.sync(folder)
    else:
        file.remove()
    return torn
