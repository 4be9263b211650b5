"""spool ls and spool cat."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from elasticecsmetrics.cli import main
from elasticecsmetrics.config import SpoolConfig
from elasticecsmetrics.delivery.spool import Spool, fileform
from elasticecsmetrics.model.document import CREATE, Document
from elasticecsmetrics.model.outcome import Outcome, Verdict

REJECTED = Outcome(Verdict.REJECTED, 400, "mapper_parsing_exception", "failed to parse [a]")


def documents(*numbers: int) -> list[Document]:
    body = '{"@timestamp":"2026-11-22T09:00:00.123456Z","message":"ü"}'.encode()
    return [Document(str(number), 1_795_338_000_123_456_000, "logs-2026.11.22", CREATE, body) for number in numbers]


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    made = Spool(SpoolConfig(folder=tmp_path / "spool", min_free_bytes=0))
    made.prepare()
    return made


def test_ls_shows_what_waits_and_why_what_was_rejected(spool: Spool, capsys: pytest.CaptureFixture[str]) -> None:
    waits = spool.write(documents(1, 2)).path
    rejected = spool.reject([(one, REJECTED) for one in documents(3, 4, 5)], attempts=1).path
    assert main(["spool", "ls", str(spool.folder)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"waiting in {spool.folder}: 1 file, 2 documents, {waits.stat().st_size} bytes"
    assert lines[1].split()[0] == waits.name
    assert lines[2].startswith(f"rejected, in {spool.rejected_folder}: 1 file, 3 documents")
    assert lines[3].split()[0] == rejected.name
    assert lines[4].split(maxsplit=2) == ["3", "x", "400 mapper_parsing_exception failed to parse [a]"]


def test_ls_as_json_tells_the_same(spool: Spool, capsys: pytest.CaptureFixture[str]) -> None:
    waits = spool.write(documents(1, 2)).path
    spool.reject([(one, REJECTED) for one in documents(3, 4)], attempts=1)
    assert main(["spool", "ls", "--json", str(spool.folder)]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["folder"] == str(spool.folder)
    assert [(row["file"], row["documents"], row["bytes"]) for row in told["waiting"]] == [(waits.name, 2, waits.stat().st_size)]
    (rejected,) = told["rejected"]
    assert rejected["reasons"] == [{"count": 2, "status": 400, "type": REJECTED.type, "reason": REJECTED.reason}]
    assert (told["unfinished"], told["torn"]) == ([], [])


def test_ls_names_what_is_unfinished_torn_or_foreign(spool: Spool, capsys: pytest.CaptureFixture[str]) -> None:
    torn = spool.write(documents(1)).path
    torn.write_bytes(torn.read_bytes()[:-10])
    (spool.folder / "package.json").write_text("{}")
    (spool.folder / ".x.part").write_bytes(b"[\n")
    (spool.folder / "y.torn").write_bytes(b"{")
    assert main(["spool", "ls", str(spool.folder)]) == 1
    out = capsys.readouterr().out
    assert f"{torn.name}" in out
    assert "torn" in out
    assert "package.json: not written by" in out
    assert f"  {spool.folder}/.x.part" in out.splitlines()
    assert f"  {spool.folder}/y.torn" in out.splitlines()


def test_ls_of_an_empty_folder_makes_nothing(spool: Spool, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["spool", "ls", str(spool.folder)]) == 0
    assert "0 files, 0 documents, 0 bytes" in capsys.readouterr().out
    assert list(spool.folder.iterdir()) == []


def test_ls_without_a_folder_is_exit_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["spool", "ls", "/nowhere"]) == 2
    assert "/nowhere: there is no such folder" in capsys.readouterr().err


def test_cat_prints_one_document_a_line_that_reads_back_exactly(
    spool: Spool, capsysbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = spool.write(documents(1)).path
    spool.write(documents(2))
    spool.reject([(documents(3)[0], REJECTED)], attempts=1)
    monkeypatch.setenv("ELASTICECSMETRICS_FLUSH_FAILURE_FOLDER", str(spool.folder))

    def cat(*arguments: str) -> list[fileform.Item]:
        assert main(["spool", "cat", *arguments]) == 0
        return [fileform.parse_line(line) for line in capsysbinary.readouterr().out.splitlines()]

    assert [item.document for item in cat()] == documents(1, 2)
    assert [item.document for item in cat(str(path))] == documents(1)
    everything = cat("--rejected", str(spool.folder))
    assert [item.document for item in everything] == documents(1, 2, 3)
    assert everything[2].error is not None
    assert everything[2].error["reason"] == REJECTED.reason


def test_cat_names_what_it_cannot_read_and_goes_on(spool: Spool, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    torn = spool.write(documents(1, 2)).path
    torn.write_bytes(torn.read_bytes()[:-20])
    (spool.folder / "package.json").write_text("{}")
    spool.write(documents(3))
    assert main(["spool", "cat", str(spool.folder)]) == 1
    said = capsysbinary.readouterr()
    assert len(said.out.splitlines()) == 2
    assert b"package.json: not written by" in said.err
    assert f"{torn}: torn".encode() in said.err


def test_cat_of_what_is_not_there_is_exit_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["spool", "cat", "/nowhere.json"]) == 2
    assert "/nowhere.json: there is no such file or folder" in capsys.readouterr().err


def test_a_name_that_is_no_text_is_shown_all_the_same(spool: Spool) -> None:
    path = spool.write(documents(1)).path
    os.rename(path, os.fsencode(path.with_name("x")) + b"\xff.json")
    done = subprocess.run(
        [sys.executable, "-m", "elasticecsmetrics", "spool", "ls", str(spool.folder)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "\\udcff.json" in done.stdout


def test_ls_shows_reasons_of_any_shape(spool: Spool, capsys: pytest.CaptureFixture[str]) -> None:
    spool.reject([(documents(1)[0], REJECTED._replace(type=["a", {"b": 1}]))], attempts=1)  # type: ignore[arg-type]
    assert main(["spool", "ls", str(spool.folder)]) == 0
    assert '1 x 400 ["a", {"b": 1}] failed to parse [a]' in capsys.readouterr().out


def test_a_name_with_orders_to_the_terminal_is_printed_escaped(spool: Spool, capsys: pytest.CaptureFixture[str]) -> None:
    (spool.folder / "\x1b[31mred\n.json").write_text("x")
    (spool.folder / "\x1b[32mlink.json").symlink_to("/nowhere")
    for arguments in (["spool", "ls"], ["spool", "cat"], ["replay", "--dry-run"]):
        assert main([*arguments, str(spool.folder)]) == 1
        said = "".join(capsys.readouterr())
        assert "\x1b" not in said
        assert "\\x1b[31mred\\n.json" in said


def test_ls_names_links(spool: Spool, capsys: pytest.CaptureFixture[str]) -> None:
    link = spool.folder / "link.json"
    link.symlink_to("/nowhere")
    assert main(["spool", "ls", str(spool.folder)]) == 1
    assert f"  {link}" in capsys.readouterr().out.splitlines()
    assert main(["spool", "ls", "--json", str(spool.folder)]) == 1
    assert json.loads(capsys.readouterr().out)["passed_over"] == [str(link)]


@pytest.mark.parametrize("command", [["spool", "ls"], ["spool", "cat"], ["replay", "--dry-run"]])
def test_a_path_that_may_not_be_looked_at_is_exit_2(
    command: list[str], spool: Spool, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbidden(path: Path, **_options: bool) -> os.stat_result:
        raise PermissionError(13, "Permission denied", str(path))

    with monkeypatch.context() as patched:
        patched.setattr(Path, "stat", forbidden)
        assert main([*command, str(spool.folder)]) == 2
    assert f"{spool.folder}: cannot be looked at: Permission denied" in capsys.readouterr().err
