"""The repository speaks of the project alone, and is complete in itself."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BINARY = {".png", ".gz", ".jar"}
#: Written with a letter in brackets, so that this file passes its own test.
FORBIDDEN = {
    "unfinished work": r"\b(TO[D]O|FIX[M]E|XX[X])\b",
    "a folder beside the repository": r"[.]{2}/s[h]ared|\bs[h]ared/|/w[o]rk/",
    "a package registry's host": r"(p[y]pi|python[h]osted|crates|npm[j]s|maven|apache|golang|debian|rubygems)[.](org|com|io)\b",
}
#: What tools make, for a copy without git.
MADE = r"(^|/)(\.venv[^/]*|\.git|__pycache__|build|dist|[^/]*\.egg-info|\.[a-z_]*cache|\.hypothesis|var)(/|$)"


def _files() -> list[Path]:
    """What is or would be in the repository: tracked and not ignored; without git, every file that no tool made."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode == 0:
        found = [ROOT / name for name in listed.stdout.split("\0") if name]
    else:
        found = [path for path in ROOT.rglob("*") if not re.search(MADE, path.relative_to(ROOT).as_posix())]
    return [path for path in found if path.is_file() and path.suffix not in BINARY]


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_file_holds(what: str) -> None:
    pattern = re.compile(FORBIDDEN[what])
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:120]}"
        for path in _files()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if pattern.search(line)
    ]
    assert not found, "\n".join(found)


def test_no_file_is_large() -> None:
    large = {path.relative_to(ROOT).as_posix(): size for path in _files() if (size := path.stat().st_size) > 1024 * 1024}
    assert not large


@pytest.mark.parametrize(
    "name",
    [
        *("README.rst", "CHANGELOG.rst", "CONTRIBUTING.rst", "LICENSE", "setup.py", "pyproject.toml"),
        *(".importlinter", "Makefile", ".ci/run", "elasticecsmetrics/py.typed"),
    ],
)
def test_the_repository_has(name: str) -> None:
    assert (ROOT / name).is_file()
