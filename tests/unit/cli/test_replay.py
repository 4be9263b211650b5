"""The replay command: what it says, where, and its exit code."""

from __future__ import annotations

import io
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from elasticecsmetrics import wiring
from elasticecsmetrics.cli import main
from elasticecsmetrics.cli.output import Progress
from elasticecsmetrics.config import SpoolConfig
from elasticecsmetrics.delivery.spool import Spool
from elasticecsmetrics.model.document import CREATE, Document
from elasticecsmetrics.model.outcome import Outcome, Verdict
from elasticecsmetrics.testing import MemoryStore, ScriptedStore

ORIGINAL = "my_app_2020-02-20T10:20:30.123-0500_8b1f0f9e-4d0c-4a57-9a4f-0d9c6cf7a9b1.json"
REJECTED = Outcome(Verdict.REJECTED, 400, "mapper_parsing_exception", "no")
DEAD = "http://127.0.0.1:1"


def documents(*numbers: int) -> list[Document]:
    body = b'{"@timestamp":"2026-11-22T09:00:00.123456Z"}'
    return [Document(str(number), 1_795_338_000_123_456_000, "logs-2026.11.22", CREATE, body) for number in numbers]


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    made = Spool(SpoolConfig(folder=tmp_path / "spool", min_free_bytes=0))
    made.prepare()
    return made


@pytest.fixture
def sqlite(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'store.db'}"


@pytest.fixture
def put_in(monkeypatch: pytest.MonkeyPatch) -> Callable[[MemoryStore], MemoryStore]:
    """Lets the command find this store, whatever it asks for."""

    def put(store: MemoryStore) -> MemoryStore:
        monkeypatch.setattr(wiring, "open_store", lambda **_options: store)
        return store

    return put


def stored(url: str) -> list[str]:
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
        return sorted(id_ for (id_,) in connection.execute("SELECT id FROM documents"))


def test_all_delivered_is_exit_0_with_a_line_a_file_and_a_summary(
    spool: Spool, sqlite: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = spool.write(documents(1, 2)).path
    spool.write(documents(3))
    assert main(["replay", str(spool.folder), "--store", sqlite]) == 0
    said = capsys.readouterr()
    assert said.out == "2 files: 3 documents delivered, 0 rejected, 0 left\n"
    assert said.err.splitlines()[0] == f"[1/2] {path.name}: 2 documents, 2 delivered, 0 rejected, 0 left"
    assert stored(sqlite) == ["1", "2", "3"]
    assert list(spool.folder.iterdir()) == []


def test_nothing_to_do_is_exit_0(spool: Spool, sqlite: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", str(spool.folder), "--store", sqlite]) == 0
    assert capsys.readouterr() == ("0 files: 0 documents delivered, 0 rejected, 0 left\n", "")


def test_the_folder_and_the_store_may_come_from_the_environment(
    spool: Spool, sqlite: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool.write(documents(1))
    monkeypatch.setenv("ELASTICECSMETRICS_FLUSH_FAILURE_FOLDER", str(spool.folder))
    monkeypatch.setenv("ELASTICECSMETRICS_STORE", sqlite)
    assert main(["replay"]) == 0
    assert stored(sqlite) == ["1"]


def test_torn_and_foreign_files_are_named_left_and_exit_1(
    spool: Spool, sqlite: str, capsys: pytest.CaptureFixture[str]
) -> None:
    torn = spool.write(documents(1, 2)).path
    torn.write_bytes(torn.read_bytes()[:-30])
    foreign = spool.folder / "package.json"
    foreign.write_text("{}")
    spool.write(documents(3))
    assert main(["replay", str(spool.folder), "--store", sqlite]) == 1
    said = capsys.readouterr()
    assert f"{torn}: torn" in said.err
    assert f"{foreign}: not written by" in said.err
    assert said.out == "3 files: 2 documents delivered, 0 rejected, 0 left; 2 problems, see above\n"
    assert stored(sqlite) == ["1", "3"]
    assert {path.name for path in spool.folder.iterdir()} == {torn.name, foreign.name}


def test_a_dead_store_is_named_nothing_is_lost_and_exit_1(spool: Spool, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(3):
        spool.write(documents(number))
    assert main(["replay", str(spool.folder), "--hosts", DEAD]) == 1
    said = capsys.readouterr()
    assert "the store gives no answer: " in said.err
    assert "refused" in said.err
    assert said.out.startswith("1 file: 0 documents delivered, 0 rejected, 1 left; 2 more files not tried")
    assert len(spool.waiting()) == 3


def test_what_the_store_refuses_is_put_aside_and_exit_1(
    spool: Spool, put_in: Callable[[MemoryStore], MemoryStore], capsys: pytest.CaptureFixture[str]
) -> None:
    put_in(ScriptedStore([REJECTED]))
    spool.write(documents(1))
    assert main(["replay", str(spool.folder)]) == 1
    assert "0 documents delivered, 1 rejected, 0 left" in capsys.readouterr().out
    assert (spool.waiting(), len(spool.waiting(rejected=True))) == ([], 1)
    assert main(["replay", str(spool.folder)]) == 0
    assert main(["replay", str(spool.folder), "--rejected"]) == 0
    assert spool.waiting(rejected=True) == []


def test_a_dry_run_needs_no_store_sends_nothing_and_counts(spool: Spool, capsys: pytest.CaptureFixture[str]) -> None:
    spool.write(documents(1, 2))
    spool.reject([(documents(3)[0], REJECTED)], attempts=1)
    before = {path: path.read_bytes() for path in spool.folder.rglob("*.json")}
    assert main(["replay", str(spool.folder), "--hosts", DEAD, "--dry-run"]) == 0
    assert capsys.readouterr().out == "1 file: 2 documents would be sent\n"
    assert main(["replay", str(spool.folder), "--dry-run", "--rejected"]) == 0
    assert capsys.readouterr().out == "2 files: 3 documents would be sent\n"
    assert {path: path.read_bytes() for path in spool.folder.rglob("*.json")} == before


@pytest.mark.parametrize(
    ("frequency", "index"), [([], "my_app-2020.02.20"), (["--index-frequency", "Monthly"], "my_app-2020.02")]
)
def test_the_originals_files_go_to_the_index_of_their_documents_time(
    spool: Spool, put_in: Callable[[MemoryStore], MemoryStore], frequency: list[str], index: str
) -> None:
    store = put_in(MemoryStore())
    (spool.folder / ORIGINAL).write_text(json.dumps([{"@timestamp": "2020-02-20T10:20:29.000-0500"}] * 2))
    assert main(["replay", str(spool.folder), *frequency]) == 0
    assert [key[0] for key in store.contents] == [index, index]
    assert list(spool.folder.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["replay", "/nowhere/at/all", "--hosts", DEAD], "/nowhere/at/all: there is no such folder"),
        (["replay", __file__, "--hosts", DEAD], "is no folder"),
        (["replay", "--hosts", DEAD], "give FOLDER or set ELASTICECSMETRICS_FLUSH_FAILURE_FOLDER"),
        (["replay", "/", "--index-frequency", "hourly", "--hosts", DEAD], "--index-frequency='hourly': expected one of DAILY"),
        (["replay", "/", "--store", "nosuch://host"], "nosuch"),
        (["replay", "/", "--hosts", DEAD, "--auth-type", "magic"], "auth_type='magic'"),
        (["replay", "/", "--hosts", DEAD, "--ca-certs", "/no/ca.pem"], "/no/ca.pem"),
    ],
)
def test_what_cannot_work_is_exit_2_with_the_reason(
    arguments: list[str], problem: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ELASTICECSMETRICS_FLUSH_FAILURE_FOLDER", raising=False)
    assert main(arguments) == 2
    said = capsys.readouterr().err
    assert said.startswith("elasticecsmetrics: error: ")
    assert problem in said


@pytest.mark.parametrize(
    "arguments", [[], ["replay", "/", "--hosts", DEAD, "--store", DEAD], ["dance"], ["replay", "--no-such"]]
)
def test_wrong_usage_is_exit_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(arguments)
    assert left.value.code == 2
    assert "usage: elasticecsmetrics" in capsys.readouterr().err


def test_ctrl_c_is_exit_130_with_a_summary_and_nothing_lost(
    spool: Spool, put_in: Callable[[MemoryStore], MemoryStore], capsys: pytest.CaptureFixture[str]
) -> None:
    spool.write(documents(1))
    spool.write(documents(2, 3))

    class Interrupted(MemoryStore):
        def write(self, some: object, /) -> list[Outcome]:  # type: ignore[override]
            if self.requests == 1:
                raise KeyboardInterrupt
            return list(super().write(some))  # type: ignore[arg-type]

    put_in(Interrupted())
    assert main(["replay", str(spool.folder)]) == 130
    said = capsys.readouterr()
    assert said.out == "1 file: 1 document delivered, 0 rejected, 0 left; 1 more file not tried\n"
    assert said.err.endswith("elasticecsmetrics: interrupted\n")
    assert len(spool.waiting()) == 1


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_on_a_terminal_a_bar_grows_in_place_and_goes_at_the_end() -> None:
    stream = Terminal()
    with Progress(stream) as progress:
        progress.step(1, 3, "unseen")
        progress.say("a problem")
        progress.step(3, 3, "unseen")
    text = stream.getvalue()
    assert "[##########--------------------] 1/3" in text
    assert "[##############################] 3/3" in text
    assert "\r\x1b[Ka problem\n" in text
    assert "unseen" not in text
    assert text.endswith("\r\x1b[K")
