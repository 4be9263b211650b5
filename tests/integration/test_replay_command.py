"""The replay command as a real process: killed, interrupted, run twice at once."""

from __future__ import annotations

import fcntl
import os
import pty
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from elasticecsmetrics.config import SpoolConfig
from elasticecsmetrics.delivery.spool import Spool
from elasticecsmetrics.model.document import CREATE, Document

FILES = 60
PER_FILE = 20
IDS = {str(number) for number in range(FILES * PER_FILE)}


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    spool = Spool(SpoolConfig(folder=tmp_path / "spool", min_free_bytes=0))
    body = b'{"@timestamp":"2026-11-22T09:00:00.123456Z"}'
    numbers = iter(range(FILES * PER_FILE))
    for _ in range(FILES):
        ids = [str(next(numbers)) for _ in range(PER_FILE)]
        spool.write([Document(id_, 1_795_338_000_123_456_000, "logs-2026.11.22", CREATE, body) for id_ in ids])
    return spool


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


def heed_interrupts() -> None:
    """In the child: a background job of a shell inherits that SIGINT is ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def command(spool: Spool, store: Path) -> list[str]:
    return [sys.executable, "-m", "elasticecsmetrics", "replay", str(spool.folder), "--store", f"sqlite:///{store}"]


def replay(spool: Spool, store: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command(spool, store), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=heed_interrupts
    )


def replay_that_waits_for_its_reader(spool: Spool, store: Path) -> subprocess.Popen[str]:
    """Its lines do not fit the pipe for standard error, so it cannot come to its end before they are read."""
    started = replay(spool, store)
    assert started.stderr is not None
    fcntl.fcntl(started.stderr, fcntl.F_SETPIPE_SZ, 4096)
    return started


def stored(store: Path) -> list[str]:
    with closing(sqlite3.connect(store)) as connection:
        return [id_ for (id_,) in connection.execute("SELECT id FROM documents")]


def waiting(spool: Spool) -> set[str]:
    return {item.document.id for path in spool.waiting() for item in spool.look(path).items}


def read_lines(process: subprocess.Popen[str], count: int) -> None:
    assert process.stderr is not None
    for _ in range(count):
        assert process.stderr.readline().startswith("[")


def test_killed_and_run_again_each_document_is_there_exactly_once(spool: Spool, store: Path) -> None:
    with replay_that_waits_for_its_reader(spool, store) as killed:
        read_lines(killed, 5)
        killed.kill()
    assert killed.returncode == -signal.SIGKILL
    assert {*stored(store), *waiting(spool)} == IDS
    assert waiting(spool)
    with replay(spool, store) as again:
        again.communicate()
    assert again.returncode == 0
    assert sorted(stored(store)) == sorted(IDS)
    assert list(spool.folder.iterdir()) == []


def test_interrupted_it_says_how_far_it_came_exits_130_and_loses_nothing(spool: Spool, store: Path) -> None:
    with replay_that_waits_for_its_reader(spool, store) as interrupted:
        read_lines(interrupted, 3)
        interrupted.send_signal(signal.SIGINT)
        out, err = interrupted.communicate()
    assert interrupted.returncode == 130
    assert "documents delivered, 0 rejected, 0 left; " in out
    assert err.endswith("elasticecsmetrics: interrupted\n")
    assert "Traceback" not in err
    assert {*stored(store), *waiting(spool)} == IDS
    assert waiting(spool)


def test_two_at_once_bring_each_document_once_and_the_last_to_end_knows_that_all_is_done(spool: Spool, store: Path) -> None:
    with replay(spool, store) as one, replay(spool, store) as other:
        said = [process.communicate() for process in (one, other)]
    assert sorted(stored(store)) == sorted(IDS)
    assert list(spool.folder.iterdir()) == []
    delivered = [int(out.split()[2]) for out, _ in said]
    assert sum(delivered) == len(IDS)
    assert 0 in (one.returncode, other.returncode)


def test_on_a_terminal_there_is_a_bar(spool: Spool, store: Path) -> None:
    ours, theirs = pty.openpty()
    try:
        done = subprocess.run(command(spool, store), stdout=subprocess.PIPE, stderr=theirs, check=True, text=True, timeout=120)
        assert done.stdout == f"{FILES} files: {len(IDS)} documents delivered, 0 rejected, 0 left\n"
        assert b"[#" in os.read(ours, 100_000)
    finally:
        os.close(ours)
        os.close(theirs)


def test_who_reads_only_the_first_lines_sees_no_traceback(spool: Spool) -> None:
    cat = [sys.executable, "-m", "elasticecsmetrics", "spool", "cat", *[str(spool.folder)] * 20]
    with subprocess.Popen(cat, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline().startswith(b'{"_index":')
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 1
