"""With a server that takes connections and never answers: nobody waits, nothing is lost, and the program ends."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

PROGRAM = Path(__file__).parent / "programs" / "hung.py"
RECORDS = 100_000


@pytest.fixture
def silent_server() -> Iterator[str]:
    """Accepts (the kernel does, into the backlog) and says nothing."""
    with socket.create_server(("127.0.0.1", 0), backlog=16) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def ids_in(folder: Path) -> list[str]:
    return [item["_id"] for path in folder.glob("*.json") for item in json.loads(path.read_bytes())]


def test_with_a_hung_server_nobody_waits_and_nothing_is_lost(silent_server: str, tmp_path: Path) -> None:
    command = [sys.executable, str(PROGRAM), silent_server, str(tmp_path), str(RECORDS), "1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        figures = json.loads(program.stdout.readline())
        program.wait(60)
        exit_took = time.time() - figures["exit_begins"]
    print(figures, f"exit took {exit_took:.2f} s")
    assert program.returncode == 0
    assert figures["accepted"] == RECORDS + 1
    assert figures["dropped"] == {}
    assert figures["peak_buffered_bytes"] <= 64 * 1024 * 1024
    # The two promises in seconds: each is bounded by what the same run shows of the machine, or by the parameter itself.
    assert figures["longest_ours"] <= figures["longest_null"] + 0.050
    assert exit_took <= 6.0
    ids = ids_in(tmp_path)
    assert len(ids) == RECORDS + 1
    assert len(set(ids)) == RECORDS + 1
