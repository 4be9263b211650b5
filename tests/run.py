"""Owns a whole run of the tests, as ``make test``, ``make fast`` and ``make lint`` start it: ``python run.py test|fast|lint``.

It makes the environments (again only when ``pyproject.toml`` changed), runs the steps in order, goes on after a failed one,
and closes with each step's time, every test that was skipped with its reason, and the counts of the main run. Standard
library only.

With ``CI=true`` nothing may be missing: as root, Debian's packages are installed, and a step that cannot run has failed.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import python314  # the neighbouring file

ROOT = Path(__file__).resolve().parent.parent
CI = os.environ.get("CI", "").lower() in ("true", "1")
#: What also runs on the second Python: all but the servers, and the process's life, in which versions differ most.
CORE = ["tests/unit", "tests/properties", "tests/architecture", "tests/integration/test_process_life.py"]
NO_SERVERS = ["-m", "not live"]
#: What the real servers need: the program, and Debian's package of it.
PROGRAMS = {"javac": "default-jdk-headless", "mvn": "maven", "openssl": "openssl"}


@dataclass
class Report:
    """What is said at the end."""

    steps: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    not_run: list[str] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)
    closing: str = ""


def main(target: str) -> int:
    """Runs one of the targets; 0 when all of it passed, 1 when not."""
    report = Report()
    python = environment(sys.executable, ROOT / ".venv-test")
    if target in ("lint", "test"):
        lint(python, report)
    if target == "fast":
        pytest(python, "the tests that need no server", NO_SERVERS, report)
    if target == "test":
        step("make demo in a copy of the project", report, demo)
        programs(report)
        second_python(report)
        version = ".".join(map(str, sys.version_info[:2]))
        pytest(python, f"everything on Python {version}", [], report)
    return close(report)


def environment(python: str | Path, folder: Path) -> Path:
    """The interpreter of a virtual environment at ``folder`` with this project, editable, and what its tests need."""
    inputs = (ROOT / "pyproject.toml").read_bytes() + str(python).encode()
    stamp, wanted = folder / "made-from", hashlib.sha256(inputs).hexdigest()
    made = folder / "bin" / "python"
    if not stamp.exists() or stamp.read_text() != wanted or not made.exists():
        print(f"Installing into {folder.name} (again when pyproject.toml changes)", flush=True)
        subprocess.run([python, "-m", "venv", "--clear", folder], check=True)
        pip = [made, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "-e", ".[test]"], cwd=ROOT, check=True)
        stamp.write_text(wanted)
    return made


def step(name: str, report: Report, work: Callable[[], bool]) -> None:
    """Does one step, and notes how long it took and whether it passed."""
    print(f"\n== {name}", flush=True)
    begun = time.monotonic()
    passed = work()
    report.steps.append(f"{'ok    ' if passed else 'FAILED'} {time.monotonic() - begun:6.1f} s  {name}")
    if not passed:
        report.failed.append(name)


def run(*command: str | Path) -> bool:
    """Whether the command, run in the project's folder, exited with 0."""
    return subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, check=False).returncode == 0


def lint(python: Path, report: Report) -> None:
    """The checks that run nothing of the project."""
    bin_ = python.parent
    step("ruff", report, lambda: run(bin_ / "ruff", "check", "--quiet", "."))
    step("mypy --strict", report, lambda: run(bin_ / "mypy", "--strict"))
    step("import-linter", report, lambda: run(bin_ / "lint-imports", "--no-cache"))


def demo() -> bool:
    """Whether the demo works where nothing was made before: as in a fresh clone, from an installed package."""
    left_out = shutil.ignore_patterns(".git", ".venv*", "__pycache__", ".*_cache", ".hypothesis", "*.egg-info", "build", "var")
    with tempfile.TemporaryDirectory() as folder:
        copy = shutil.copytree(ROOT, Path(folder, "project"), ignore=left_out)
        done = subprocess.run(
            ["make", "demo"], cwd=copy, env={**os.environ, "TMPDIR": folder}, stdin=subprocess.DEVNULL, check=False
        )
    return done.returncode == 0


def programs(report: Report) -> None:
    """Notes what the real servers need and this machine lacks; installs it first where that is expected of us."""
    missing = [package for program, package in PROGRAMS.items() if not shutil.which(program)]
    if missing and CI and os.geteuid() == 0 and shutil.which("apt-get"):
        print(f"\n== apt-get install {' '.join(missing)}", flush=True)
        run("apt-get", "update", "-qq")
        run("apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing)
    for program, package in PROGRAMS.items():
        if not shutil.which(program):
            report.not_run.append(f"tests with real servers: {program} is missing (Debian's package {package})")


def second_python(report: Report) -> None:
    """Runs the core on Python 3.14, unless the main run is on it or a later one."""
    if sys.version_info >= (3, 14):
        return
    try:
        interpreter = python314.find()
    except python314.NotAvailableError as error:
        report.not_run.append(f"the core on Python 3.14: {error}")
        return
    python = environment(interpreter, ROOT / ".venv-test-3.14")
    pytest(python, "the core on Python 3.14", [*CORE, *NO_SERVERS], report)


def pytest(python: Path, name: str, arguments: list[str], report: Report) -> None:
    """Runs pytest, and takes the counts and the reasons of what was skipped from its report in XML."""
    with tempfile.TemporaryDirectory() as folder:
        results = Path(folder, "results.xml")
        command = [python, "-m", "pytest", "-q", "--durations=10", "--durations-min=5", f"--junitxml={results}", *arguments]
        step(name, report, lambda: run(*command))
        if not results.exists():
            report.closing = "0 passed, 1 failed"
            return
        suite = ET.parse(results).getroot().find("testsuite")
    assert suite is not None
    count = {key: int(suite.get(key, "0")) for key in ("tests", "failures", "errors", "skipped")}
    failed = count["failures"] + count["errors"]
    report.closing = f"{count['tests'] - failed - count['skipped']} passed, {failed} failed, {count['skipped']} skipped"
    for skip in suite.iter("skipped"):
        report.skipped[f"{name}: {skip.get('message', '')}"] += 1


def close(report: Report) -> int:
    """Prints the end of the run; the last line is the counts of the main run."""
    print("\n== summary")
    print(*report.steps, sep="\n")
    for reason, count in sorted(report.skipped.items()):
        print(f"skipped {count} of {reason}")
    for reason in report.not_run:
        print(f"not run: {reason}")
    failed = bool(report.failed or (CI and report.not_run))
    print(f"FAILED: {', '.join(report.failed or report.not_run)}" if failed else "all steps passed")
    if report.closing:
        print(report.closing, flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
