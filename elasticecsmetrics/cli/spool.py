"""``spool ls`` and ``spool cat``: what waits in the failure folder, what was rejected and why. They read only."""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from elasticecsmetrics.cli import options
from elasticecsmetrics.cli.output import counted, shown
from elasticecsmetrics.config import SpoolConfig
from elasticecsmetrics.delivery.spool import Spool, fileform
from elasticecsmetrics.delivery.spool.bounds import StoredFile
from elasticecsmetrics.delivery.spool.fileform import Contents
from elasticecsmetrics.ecs import timestamp
from elasticecsmetrics.errors import ConfigurationError, SpoolError


def add(commands: options.Commands) -> None:
    """Adds the command to the program's."""
    spool = commands.add_parser("spool", help="look into the failure folder")
    actions = spool.add_subparsers(title="actions", metavar="ACTION", required=True)
    ls = actions.add_parser("ls", help="what waits, what was rejected and why")
    options.add_folder(ls)
    ls.add_argument("--json", action="store_true", help="one JSON object")
    ls.set_defaults(run=run_ls)
    cat = actions.add_parser("cat", help="the documents, one JSON object a line, with index and id")
    cat.add_argument("paths", metavar="PATH", nargs="*", help=f"files or folders (default: {options.FOLDER_VARIABLE})")
    cat.add_argument("--rejected", action="store_true", help="of a folder also the rejected documents, with the reasons")
    cat.set_defaults(run=run_cat)


@dataclass(frozen=True, slots=True)
class Row:
    """One file as ``ls`` shows it."""

    file: str
    documents: int
    bytes: int
    time: str
    problem: str | None = None
    reasons: Sequence[dict[str, Any]] = field(default=())
    """Why its documents were rejected: ``count``, ``status``, ``type``, ``reason``; the most frequent first."""


@dataclass(frozen=True, slots=True)
class Others:
    """Paths of what is no whole file."""

    unfinished: Sequence[str]
    torn: Sequence[str]
    passed_over: Sequence[str]


def _texts(paths: Iterable[Path]) -> list[str]:
    return [str(path) for path in paths]


def run_ls(arguments: argparse.Namespace) -> int:
    """0 when all could be read, 1 when something is torn or foreign."""
    spool = Spool(SpoolConfig(folder=options.folder(arguments.folder)))
    waiting = [_row(spool, file) for file in spool.files()]
    rejected = [_row(spool, file) for file in spool.files(rejected=True)]
    others = Others(
        unfinished=_texts(spool.unfinished() + spool.unfinished(rejected=True)),
        torn=_texts(spool.torn_rests()),
        passed_over=_texts(spool.passed_over() + spool.passed_over(rejected=True)),
    )
    if arguments.json:
        kinds = {"waiting": [asdict(row) for row in waiting], "rejected": [asdict(row) for row in rejected]}
        print(json.dumps({"folder": str(spool.folder), **kinds, **asdict(others)}, indent=2))
    else:
        print("\n".join(map(shown, _text(spool, waiting, rejected, others))))
    return int(bool(others.torn or others.passed_over or any(row.problem for row in waiting + rejected)))


def _row(spool: Spool, file: StoredFile) -> Row:
    time = timestamp.render(file.time)
    try:
        contents = spool.look(file.path)
    except SpoolError as error:
        return Row(file.path.name, 0, file.size, time, problem=str(error))
    problem = "torn" if contents.torn else None
    return Row(file.path.name, len(contents.items), file.size, time, problem, list(_reasons(contents)))


def _reasons(contents: Contents) -> Iterator[dict[str, Any]]:
    keys = ("status", "type", "reason")
    counted = Counter(tuple(_plain(item.error.get(key)) for key in keys) for item in contents.items if item.error is not None)
    for values, count in counted.most_common():
        yield {"count": count, **dict(zip(keys, values, strict=True))}


def _plain(value: Any) -> str | int | None:
    """What a server or somebody's hand put there, as something that can be counted and compared."""
    return value if value is None or isinstance(value, (str, int)) else json.dumps(value)


def _text(spool: Spool, waiting: Sequence[Row], rejected: Sequence[Row], others: Others) -> Iterator[str]:
    yield from _table(f"waiting in {spool.folder}", waiting)
    yield from _table(f"rejected, in {spool.rejected_folder}", rejected)
    titles = {
        "being written, or left by the dead until the next replay:": others.unfinished,
        "torn lines, set aside:": others.torn,
        "passed over, because they are links or the like:": others.passed_over,
    }
    for title, paths in titles.items():
        if paths:
            yield title
            yield from (f"  {path}" for path in paths)


def _table(title: str, rows: Sequence[Row]) -> Iterator[str]:
    documents, size = sum(row.documents for row in rows), sum(row.bytes for row in rows)
    yield f"{title}: {counted(len(rows), 'file')}, {counted(documents, 'document')}, {counted(size, 'byte')}"
    width = max((len(row.file) for row in rows), default=0)
    for row in rows:
        problem = f"  {row.problem}" if row.problem else ""
        yield f"  {row.file:<{width}}  {row.time}  {row.documents:>7} documents  {row.bytes:>10} bytes{problem}"
        for reason in row.reasons:
            said = " ".join(str(reason[key]) for key in ("status", "type", "reason") if reason[key])
            yield f"    {reason['count']:>7} x {said}"


def run_cat(arguments: argparse.Namespace) -> int:
    """0 when all could be read, 1 when something is torn or foreign."""
    code = 0
    for spool, path in _chosen(arguments.paths, rejected=arguments.rejected):
        try:
            contents = spool.look(path)
        except SpoolError as error:
            print(shown(str(error)), file=sys.stderr)
            code = 1
            continue
        if contents.torn:
            print(shown(f"{path}: torn"), file=sys.stderr)
            code = 1
        for item in contents.items:
            sys.stdout.buffer.write(fileform.line(*item) + b"\n")
    return code


def _chosen(paths: Iterable[str], *, rejected: bool) -> Iterator[tuple[Spool, Path]]:
    for path in [Path(name) for name in paths] or [options.folder(None)]:
        found = options.is_folder(path)
        if found:
            spool = Spool(SpoolConfig(folder=path))
            for file in spool.waiting() + (spool.waiting(rejected=True) if rejected else []):
                yield spool, file
        elif found is not None:
            yield Spool(SpoolConfig(folder=path.parent)), path
        else:
            raise ConfigurationError(f"{path}: there is no such file or folder")
