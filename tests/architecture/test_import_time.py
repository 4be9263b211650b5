"""``import elasticecsmetrics`` is cheap: nothing third-party, and no part of the standard library that costs much."""

from __future__ import annotations

import subprocess
import sys

#: Each takes longer to import than this package, or starts something.
HEAVY = {"asyncio", "concurrent", "ctypes", "email", "http", "multiprocessing", "sqlite3", "ssl", "tomllib", "unittest", "xml"}
#: What an editable installation loads at start, before any import of ours.
INSTALLER = ("_distutils_hack", "__editable__", "sitecustomize", "usercustomize")


def _loaded_by(statement: str) -> set[str]:
    """Top-level names of the modules that the statement loads in a fresh interpreter."""
    code = f"import sys\nbefore = set(sys.modules)\n{statement}\nprint('loaded', *(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    word, *names = done.stdout.splitlines()[-1].split()
    assert word == "loaded"
    return {name.partition(".")[0] for name in names}


def test_importing_the_package_loads_nothing_third_party() -> None:
    loaded = {name for name in _loaded_by("import elasticecsmetrics") if not name.startswith(INSTALLER)}
    assert loaded - sys.stdlib_module_names == {"elasticecsmetrics"}


def test_importing_every_public_name_loads_nothing_third_party() -> None:
    loaded = {name for name in _loaded_by("from elasticecsmetrics import *") if not name.startswith(INSTALLER)}
    assert loaded - sys.stdlib_module_names == {"elasticecsmetrics"}


def test_importing_the_package_loads_no_heavy_part_of_the_standard_library() -> None:
    assert not _loaded_by("import elasticecsmetrics") & HEAVY


def test_importtime_shows_nothing_third_party() -> None:
    command = [sys.executable, "-X", "importtime", "-c", "import elasticecsmetrics"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    names = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines() if "|" in line}
    assert "elasticecsmetrics" in names
    assert not names & {"elastic_transport", "elasticsearch", "orjson", "requests", "sqlalchemy", "dateutil", "urllib3", "rich"}


def test_asking_for_help_needs_no_optional_package() -> None:
    loaded = _loaded_by("from elasticecsmetrics.cli import main\ntry: main(['--help'])\nexcept SystemExit: pass")
    assert not loaded & {"rich", "sqlalchemy", "elasticsearch"}
