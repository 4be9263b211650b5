"""A cluster killed and started again while 8 threads log, and a replay that is killed: nothing lost, nothing doubled."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

TESTS = Path(__file__).parent.parent
SHIP = Path(__file__).parent / "programs" / "ship.py"
RECORDS_A_PHASE = 25_000
PHASES = 4

GiveUp = Callable[[str, subprocess.CompletedProcess[str]], None]


class Cluster:
    """An Elasticsearch that can be killed, and started again on the same port and data."""

    def __init__(self, folder: Path, give_up: GiveUp) -> None:
        self.folder = folder
        self.port: int | None = None
        self._give_up = give_up
        self.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        command = [sys.executable, str(TESTS / "servers" / "start"), "elasticsearch", "--dir", str(self.folder)]
        if self.port is not None:
            command += ["--port", str(self.port)]
        started = subprocess.run(command, capture_output=True, text=True, check=False)
        if started.returncode != 0:
            self._give_up("elasticsearch-8.19", started)
        self.port = json.loads((self.folder / "info.json").read_text())["port"]

    def kill(self) -> None:
        """As a power cut would: SIGKILL to the groups of its own process ids."""
        pids = [int(line) for line in (self.folder / "pid").read_text().split()]
        for pid in pids:
            os.killpg(pid, signal.SIGKILL)
        for pid in pids:
            while alive(pid):
                threading.Event().wait(0.05)
        (self.folder / "pid").unlink()

    def stop(self) -> None:
        if (self.folder / "pid").exists():
            subprocess.run([sys.executable, str(TESTS / "servers" / "stop"), str(self.folder)], check=True)

    def request(self, method: str, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, {"Content-Type": "application/json"}, method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read())

    def count(self) -> int:
        """How many documents a search finds now; none while the shards are not there yet."""
        try:
            return int(self.request("GET", "/outage-*/_count")["count"])
        except urllib.error.HTTPError:
            return 0

    def wait_for_more_than(self, documents: int) -> None:
        while self.count() <= documents:
            threading.Event().wait(0.01)

    def numbers(self) -> list[int]:
        """The ``n`` of every document, read page by page."""
        self.request("POST", "/outage-*/_refresh")
        found: list[int] = []
        after: list[Any] | None = None
        while True:
            query: dict[str, Any] = {"size": 10_000, "_source": ["n"], "sort": [{"n": "asc"}, {"_doc": "asc"}]}
            if after is not None:
                query["search_after"] = after
            hits = self.request("POST", "/outage-*/_search", query)["hits"]["hits"]
            if not hits:
                return found
            found += [hit["_source"]["n"] for hit in hits]
            after = hits[-1]["sort"]


def alive(pgid: int) -> bool:
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, group = stat.read_text().rpartition(")")[2].split()[:3]
        except (OSError, ValueError):
            continue
        if int(group) == pgid and state not in "ZX":
            return True
    return False


@pytest.fixture
def cluster(give_up: GiveUp) -> Iterator[Cluster]:
    folder = Path(tempfile.mkdtemp(prefix="elasticecsmetrics-outage-"))  # pytest's own folders are closed to the server's user
    try:
        started = Cluster(folder, give_up)
        yield started
        started.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def phase(program: subprocess.Popen[str]) -> None:
    assert program.stdin is not None
    program.stdin.write("go\n")
    program.stdin.flush()


def done(program: subprocess.Popen[str]) -> dict[str, Any]:
    assert program.stdout is not None
    figures: dict[str, Any] = json.loads(program.stdout.readline())
    return figures


def in_folder(folder: Path) -> list[int]:
    return [item["_source"]["n"] for path in folder.glob("*.json") for item in json.loads(path.read_bytes())]


def replay(folder: Path, url: str) -> list[str]:
    return [sys.executable, "-m", "elasticecsmetrics", "replay", str(folder), "--hosts", url]


def kill_once_a_file_is_gone(command: list[str], folder: Path) -> None:
    """Runs a replay, and kills it with -9 when it has put its first file away and others are left."""
    before = len(list(folder.glob("*.json")))
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as replaying:
        end = time.monotonic() + 60
        while len(list(folder.glob("*.json"))) >= before and time.monotonic() < end:
            assert replaying.poll() is None
        replaying.kill()
    assert 0 < len(list(folder.glob("*.json"))) < before


@pytest.mark.live
@pytest.mark.timeout(600)
def test_every_record_survives_two_outages_and_a_killed_replay(cluster: Cluster, tmp_path: Path) -> None:
    folder = tmp_path / "spool"
    command = [sys.executable, str(SHIP), cluster.url, str(folder), str(RECORDS_A_PHASE)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as program:
        phase(program)  # killed while it takes records
        cluster.wait_for_more_than(0)
        cluster.kill()
        done(program)
        phase(program)  # all of it while nobody is there
        done(program)
        cluster.start()
        phase(program)  # killed again, while it takes records and the folder is drained
        cluster.wait_for_more_than(cluster.count())
        cluster.kill()
        done(program)
        phase(program)
        done(program)
        assert program.stdin is not None
        program.stdin.write("end\n")
        program.stdin.flush()
        stats = done(program)
    cluster.start()

    everything = set(range(RECORDS_A_PHASE * PHASES))
    assert stats["accepted"] == len(everything)
    assert stats["buffered"] == 0
    assert stats["dropped"] == {}
    assert stats["delivered"] + stats["spooled"] == len(everything)
    assert set(cluster.numbers()) | set(in_folder(folder)) == everything

    kill_once_a_file_is_gone(replay(folder, cluster.url), folder)
    finished = subprocess.run(replay(folder, cluster.url), capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert [path for path in folder.rglob("*") if path.is_file()] == []
    numbers = cluster.numbers()
    assert len(numbers) == len(everything)
    assert set(numbers) == everything
