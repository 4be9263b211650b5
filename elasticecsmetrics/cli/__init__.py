"""The commands of ``python -m elasticecsmetrics``: one module each.

They exit with 0 (all done), 1 (something left or refused), 2 (usage, or could not tell), 130 (interrupted).
"""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Sequence

from elasticecsmetrics._version import __version__
from elasticecsmetrics.cli import ping, replay, setup, spool
from elasticecsmetrics.cli.output import shown
from elasticecsmetrics.errors import ElasticECSMetricsError

__all__ = ["main"]

PROGRAM = "elasticecsmetrics"
INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command that ``argv`` (by default the program's own arguments) asks for; returns the exit code.

    Raises:
        SystemExit: with 2, after the usage was printed; with 0, after a help text.
    """
    arguments = _parser().parse_args(argv)
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A file's name may hold bytes that are no text.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        code: int = arguments.run(arguments)
        sys.stdout.flush()
    except ElasticECSMetricsError as error:
        print(f"{PROGRAM}: error: {shown(str(error))}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"{PROGRAM}: interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has had enough. The interpreter would complain when it flushes at its exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=PROGRAM,
        description="Looks after the failure folder and the stores of elasticecsmetrics.",
        epilog="Every option of a store may come from the environment instead: ELASTICECSMETRICS_HOSTS, _STORE, _AUTH_TYPE, "
        "_AUTH_DETAILS, _API_KEY, _CA_CERTS, ...; secrets also from a file that ELASTICECSMETRICS_<NAME>_FILE names.",
    )
    parser.add_argument("--version", action="version", version=f"{PROGRAM} {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in (replay, ping, setup, spool):
        command.add(commands)
    return parser
