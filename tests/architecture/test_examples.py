"""Each example runs as a program of its own, in an empty folder, and prints what it promises."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
#: File name -> patterns, each of which a line of its output matches, in this order.
PROMISES = {
    "asyncio_app.py": [r"acknowledged: True", r"10 documents of 10 jobs"],
    "dictconfig.py": [
        r"info +order placed +order=A-17 error=None",
        r"warning +payment took 4\.2 s +order=None error=None",
        r"error +order failed +order=A-18 error=KeyError",
    ],
    "quickstart.py": [
        r"1\. Hashing and compiling \d{3,} modules, logged and timed into sqlite:///.*",
        r" +flush\(\) returned True\. .* 0 in the failure folder, 0 lost",
        r" +timer compile +[\d,]+ .*",
        r" +timer hash +[\d,]+ .*",
        r" +flush\(\) returned False\. .* 0 delivered, 300 in the failure folder, 0 lost",
        r" +\S+\.json +\d+ documents",
        r"3\. .*replay",
        r"([\d,]+) of \1 documents are in the store\. .*",
    ],
    "replay.py": [
        r"acknowledged: False",
        r"files that wait: True",
        r"replay 1 ended with 0",
        r"replay 2 ended with 0",
        r"files that wait: False",
        r"250 documents",
    ],
    "timer.py": [
        r"pack +outcome=success error=None bytes_out=\d+",
        r"unpack +outcome=failure error=\S*error bytes_out=None",
        r"import +outcome=None error=None bytes_out=None",
    ],
}


def test_every_example_promises_something() -> None:
    assert {path.name for path in EXAMPLES.glob("*.py")} == set(PROMISES)


@pytest.mark.parametrize("name", PROMISES)
def test_example(name: str, tmp_path: Path) -> None:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("ELASTICECSMETRICS_")}
    environment["TMPDIR"] = str(tmp_path)
    command = [sys.executable, "-W", "error", str(EXAMPLES / name)]
    streams = {"stdin": subprocess.DEVNULL, "capture_output": True, "text": True}
    done = subprocess.run(command, cwd=tmp_path, env=environment, timeout=120, check=False, **streams)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = iter(done.stdout.splitlines())
    for promise in PROMISES[name]:
        assert any(re.fullmatch(promise, line) for line in lines), f"no line (or not in order) {promise!r} in:\n{done.stdout}"


@pytest.mark.parametrize("name", PROMISES)
def test_an_example_is_short(name: str) -> None:
    assert (EXAMPLES / name).read_text(encoding="utf-8").count("\n") < (150 if name == "quickstart.py" else 60)
