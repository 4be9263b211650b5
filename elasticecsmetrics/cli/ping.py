"""``ping``: what answers at the store, or what exactly is wrong."""

from __future__ import annotations

import argparse
import sys

from elasticecsmetrics.cli import options
from elasticecsmetrics.errors import StoreError


def add(commands: options.Commands) -> None:
    """Adds the command to the program's."""
    parser = commands.add_parser("ping", help="what answers at the store: engine and version, or what is wrong")
    options.add_store(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """0 when the store answers and takes the login, 1 when not."""
    store = options.open_store(arguments)
    try:
        answer = store.ping()
    except StoreError as error:
        print(error, file=sys.stderr)
        return 1
    finally:
        store.close()
    print(f"{answer.engine} {answer.version} at {answer.url}")
    return 0
