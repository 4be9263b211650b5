"""``replay``: brings what waits in the failure folder to the store."""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Iterable, Iterator

from elasticecsmetrics import environment, wiring
from elasticecsmetrics.cli import options
from elasticecsmetrics.cli.output import Progress, counted
from elasticecsmetrics.config import IndexNameFrequency, SpoolConfig, member
from elasticecsmetrics.delivery.replay import FileReplayed, Replay, State, preview
from elasticecsmetrics.delivery.spool import Spool


def add(commands: options.Commands) -> None:
    """Adds the command to the program's."""
    parser = commands.add_parser("replay", help="bring what waits in the failure folder to the store")
    options.add_folder(parser)
    parser.add_argument("--dry-run", action="store_true", help="only say what waits; nothing is sent or changed")
    parser.add_argument("--rejected", action="store_true", help="also what the store refused before")
    parser.add_argument(
        "--index-frequency",
        metavar="NAME",
        help="for files of ElasticECSMetrics 1.0, which do not tell it: one of "
        f"{', '.join(IndexNameFrequency.__members__).lower()} (default: daily)",
    )
    options.add_store(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """0 when everything was delivered, 1 when something is left or was refused."""
    spool = Spool(SpoolConfig(folder=options.folder(arguments.folder)))
    frequency = _frequency(arguments.index_frequency)
    with contextlib.ExitStack() as stack:
        if arguments.dry_run:
            files = preview(spool, rejected=arguments.rejected, index_frequency=frequency)
        else:
            store = options.open_store(arguments)
            stack.callback(store.close)
            files = Replay(spool, wiring.replay_sender(store), index_frequency=frequency).run(rejected=arguments.rejected)
        summary = Summary(dry_run=arguments.dry_run)
        try:
            follow(files, summary)
        finally:
            print(summary)
    return summary.exit_code


def _frequency(given: str | None) -> IndexNameFrequency:
    name = given if given is not None else environment.read("index_name_frequency")
    return IndexNameFrequency.DAILY if name is None else member(IndexNameFrequency, str(name), "--index-frequency")


class Summary:
    """The figures of one replay so far."""

    def __init__(self, *, dry_run: bool = False) -> None:
        self._dry_run = dry_run
        self._files = self._documents = self._delivered = self._rejected = self._left = self._problems = self._total = 0
        self._evicted = 0

    def add(self, done: FileReplayed) -> None:
        """Counts one file."""
        self._files += done.position > 0
        self._documents += done.documents
        self._delivered += done.delivered
        self._rejected += done.rejected
        self._left += done.left
        self._evicted += done.evicted
        self._problems += done.problem is not None
        self._total = max(self._total, done.total)

    @property
    def exit_code(self) -> int:
        """0 when all is done, 1 when something is left or was refused."""
        left = self._untried + (0 if self._dry_run else self._left)
        return int(bool(left or self._rejected or self._problems))

    @property
    def _untried(self) -> int:
        return self._total - self._files

    def __str__(self) -> str:
        files = counted(self._files, "file")
        if self._dry_run:
            text = f"{files}: {counted(self._documents, 'document')} would be sent"
        else:
            text = f"{files}: {counted(self._delivered, 'document')} delivered, {self._rejected} rejected, {self._left} left"
        if self._evicted:
            text += f"; {counted(self._evicted, 'document')} rejected earlier deleted, for want of room"
        if self._untried:
            text += f"; {counted(self._untried, 'more file')} not tried"
        if self._problems:
            text += f"; {counted(self._problems, 'problem')}, see above"
        return text


def follow(files: Iterable[FileReplayed], summary: Summary) -> None:
    """Shows the files on standard error as they are done, and counts them."""
    with Progress(sys.stderr) as progress, _closing(files) as each:
        for done in each:
            summary.add(done)
            if done.problem is not None:
                progress.say(_problem(done))
            if done.position:
                progress.step(done.position, done.total, _line(done))


@contextlib.contextmanager
def _closing(files: Iterable[FileReplayed]) -> Iterator[Iterable[FileReplayed]]:
    # Not left to the garbage collector: the file at hand is another replay's from the moment this one stops.
    try:
        yield files
    finally:
        if hasattr(files, "close"):
            files.close()


def _problem(done: FileReplayed) -> str:
    if done.state is State.UNANSWERED:
        return str(done.problem)
    # Some problems begin with the path, which a message that was raised must name.
    text = str(done.problem)
    return text if text.startswith(str(done.path)) else f"{done.path}: {text}"


def _line(done: FileReplayed) -> str:
    return (
        f"[{done.position}/{done.total}] {done.path.name}: {counted(done.documents, 'document')}, {done.delivered} delivered, "
        f"{done.rejected} rejected, {done.left} left"
    )
