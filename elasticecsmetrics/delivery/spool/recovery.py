"""What the dead left in the failure folder: files that were being written become files that wait, line by line."""

from __future__ import annotations

import contextlib
from pathlib import Path

from elasticecsmetrics.delivery.spool import claims, fileform, listing
from elasticecsmetrics.delivery.spool.filelock import LockedFile


def recover(folder: Path) -> list[Path]:
    """Finishes the files in ``folder`` whose writers died.

    Returns:
        The files ``NAME.torn`` made now, each a last line that was cut off, which is no document.

    Raises:
        SpoolError: the folder cannot be read, or the disk refuses.
    """
    torn: list[Path] = []
    for path in listing.paths(folder, listing.PART, listing.REWRITE):
        # What cannot be opened or locked stays as it is; `spool ls` shows it.
        with contextlib.suppress(OSError):
            file = LockedFile.take(path)
            if file is None:
                continue
            with file, listing.saying(path, "cannot be recovered"):
                if path.name.endswith(listing.REWRITE):
                    file.remove()
                else:
                    torn += _finished(file)
    return torn


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
