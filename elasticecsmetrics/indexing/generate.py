"""Writes the templates of ``mappings/``: ``python -m elasticecsmetrics.indexing.generate [--check] [FOLDER]``.

Exits 0 when the files are written, or with ``--check`` agree with the source; 1 when they do not; 2 on wrong usage.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

from elasticecsmetrics.config import IndexConfig
from elasticecsmetrics.indexing.fieldtypes import ELASTICSEARCH, OPENSEARCH
from elasticecsmetrics.indexing.naming import index_patterns
from elasticecsmetrics.indexing.templates import Kind, template

_STOCK_TYPES = {"elasticsearch": ELASTICSEARCH, "opensearch": OPENSEARCH}


def generated_files() -> dict[str, str]:
    """The name and text of each file: for each engine and kind a template for the default index name."""
    patterns = index_patterns(IndexConfig().name)
    kinds: tuple[Kind, ...] = get_args(Kind)
    return {
        f"{engine}-{kind}.json": _text(template(kind, index_patterns=patterns, types=types))
        for engine, types in _STOCK_TYPES.items()
        for kind in kinds
    }


def differing_files(folder: Path) -> list[str]:
    """The names of files in ``folder`` that are missing, differ from the source, or are JSON that the source does not make."""
    expected = generated_files()
    found = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.json")}
    return sorted(name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name))


def write_files(folder: Path) -> None:
    """Writes every file into ``folder``, which is made if it is missing.

    Raises:
        OSError: the folder or a file cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in generated_files().items():
        (folder / name).write_text(text, encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; ``arguments`` default to those of the process. Returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m elasticecsmetrics.indexing.generate", description="Writes the index templates of mappings/."
    )
    parser.add_argument("--check", action="store_true", help="write nothing; name the files that differ and exit 1")
    parser.add_argument("folder", nargs="?", type=Path, default=Path("mappings"), metavar="FOLDER", help="(./mappings)")
    options = parser.parse_args(arguments)
    if not options.check:
        write_files(options.folder)
        return 0
    differing = differing_files(options.folder)
    for name in differing:
        sys.stderr.write(f"{options.folder / name}: differs from what the source makes\n")
    return 1 if differing else 0


def _text(body: object) -> str:
    return json.dumps(body, indent=1, sort_keys=True) + "\n"


if __name__ == "__main__":
    sys.exit(main())
