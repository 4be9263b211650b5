"""``setup``: installs the index template for one index name, with the field types that the server knows."""

from __future__ import annotations

import argparse
import sys

from elasticecsmetrics import environment
from elasticecsmetrics.cli import options
from elasticecsmetrics.config import IndexConfig
from elasticecsmetrics.errors import StoreError


def add(commands: options.Commands) -> None:
    """Adds the command to the program's."""
    parser = commands.add_parser("setup", help="install the index template on a cluster")
    default = IndexConfig().name
    parser.add_argument("--es-index-name", metavar="NAME", help=f"the index's name without its date (default: {default})")
    parser.add_argument("--full", action="store_true", help="map all of ECS, not only the names that this library writes")
    options.add_store(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """0 when the template is there, 1 when the cluster refused or did not answer."""
    index_name = arguments.es_index_name
    if index_name is None:
        index_name = environment.read("es_index_name") or IndexConfig().name
    store = options.open_store(arguments)
    install = getattr(store, "install_template", None)
    if install is None:
        print("this store needs no template")
        return 0
    try:
        name = install(index_name, "full" if arguments.full else "minimal")
    except StoreError as error:
        print(error, file=sys.stderr)
        return 1
    finally:
        store.close()
    print(f"installed {name} for {index_name} and {index_name}-*")
    return 0
