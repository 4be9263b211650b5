"""The failure folder: real files, real processes, and disks that refuse."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from elasticecsmetrics.config import SpoolConfig
from elasticecsmetrics.delivery.spool import Claim, Spool, fileform
from elasticecsmetrics.delivery.spool.filelock import LockedFile
from elasticecsmetrics.errors import ForeignFileError, SpoolError
from elasticecsmetrics.model.document import CREATE, INDEX, Document
from elasticecsmetrics.model.outcome import DELIVERED, Outcome, Verdict

NS = 1_795_338_000_123_456_000
RETRYABLE = Outcome(Verdict.RETRYABLE, 503, reason="busy")
REJECTED = Outcome(Verdict.REJECTED, 400, "document_parsing_exception", "failed to parse field [a]")
SECOND = 10**9


class HandClock:
    """Moved by hand; each look is a microsecond later, so that names have an order."""

    def __init__(self) -> None:
        self.now = NS

    def wall_ns(self) -> int:
        self.now += 1000
        return self.now

    def monotonic(self) -> float:
        return self.now / SECOND

    def monotonic_ns(self) -> int:
        return self.now


def document(number: int, *, size: int = 0) -> Document:
    body = b'{"@timestamp":"2026-11-22T09:00:00.123456Z","n":%d,"fill":"%b"}' % (number, b"x" * size)
    return Document(f"id-{number}", NS, "logs-2026.11.22", CREATE, body)


def documents(*numbers: int) -> list[Document]:
    return [document(number) for number in numbers]


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def spool(tmp_path: Path, clock: HandClock) -> Spool:
    return Spool(SpoolConfig(folder=tmp_path / "spool", min_free_bytes=0), clock=clock)


def claimed(spool: Spool, path: Path) -> Claim:
    claim = spool.claim(path)
    assert claim is not None
    return claim


def ids(spool: Spool, *, rejected: bool = False) -> list[str]:
    return [item.document.id for path in spool.waiting(rejected=rejected) for item in spool.look(path).items]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


# Writing


def test_what_is_written_waits_oldest_first_and_comes_back_to_the_byte(spool: Spool) -> None:
    first = spool.write([document(1), document(2)._replace(op=INDEX, id="user's own ü")])
    second = spool.write(documents(3))
    assert spool.waiting() == [first.path, second.path]
    with claimed(spool, first.path) as claim:
        assert claim.documents == [document(1), document(2)._replace(op=INDEX, id="user's own ü")]
        assert not claim.torn


def test_folders_are_0700_and_files_0600_because_documents_hold_personal_data(tmp_path: Path) -> None:
    spool = Spool(SpoolConfig(folder=tmp_path / "above" / "spool", min_free_bytes=0))
    spool.prepare()
    written = spool.write(documents(1))
    rejected = spool.reject([(document(2), REJECTED)], attempts=1)
    for folder in (spool.folder, spool.folder.parent, spool.rejected_folder):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for path in (written.path, rejected.path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_nothing_is_touched_before_it_is_asked_for(tmp_path: Path) -> None:
    spool = Spool(SpoolConfig(folder=tmp_path / "spool"))
    assert spool.waiting() == spool.unfinished() == spool.torn_rests() == spool.passed_over() == []
    assert spool.recover() == ([], [])
    assert names(tmp_path) == []


def test_a_file_in_the_folders_place_is_an_error_with_its_name_and_writing_works_once_it_is_gone(spool: Spool) -> None:
    spool.folder.write_text("not a folder")
    with pytest.raises(SpoolError, match=f"{spool.folder}: is no folder"):
        spool.prepare()
    with pytest.raises(SpoolError, match=f"{spool.folder}: is no folder"):
        spool.write(documents(1))
    spool.folder.unlink()
    spool.write(documents(1))
    assert ids(spool) == ["id-1"]


def test_a_folder_below_a_file_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(SpoolError, match=f"{tmp_path / 'file'}: is no folder"):
        Spool(SpoolConfig(folder=tmp_path / "file" / "below")).prepare()


FULL_DISK = """
import resource, sys
from pathlib import Path
from elasticecsmetrics.config import SpoolConfig
from elasticecsmetrics.delivery.spool import Spool
from elasticecsmetrics.errors import SpoolError
from elasticecsmetrics.model.document import Document
spool = Spool(SpoolConfig(folder=Path(sys.argv[1]), min_free_bytes=0))
small = Document("small", 0, "logs", "create", b'{"@timestamp":"2026-11-22T09:00:00.123456Z"}')
large = Document("large", 0, "logs", "create", b'{"fill":"' + b"x" * 100_000 + b'"}')
path = spool.write([small] * 100).path
resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
try:
    spool.write([large])
except SpoolError as error:
    print(error)
print(spool.write([small]).path.name)
"""


def test_a_disk_that_refuses_is_named_and_left_without_litter(spool: Spool) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(spool.folder)], capture_output=True, text=True, check=True, timeout=60
    )
    refusal, written = done.stdout.splitlines()
    assert str(spool.folder) in refusal
    assert "File too large" in refusal
    assert len(names(spool.folder)) == 2
    assert written in names(spool.folder)


def test_a_failing_sync_is_a_failed_write(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    spool.prepare()

    def broken(_fd: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", broken)
    with pytest.raises(SpoolError, match="Input/output error"):
        spool.write(documents(1))
    assert names(spool.folder) == []


# Bounds


def bounded(spool: Spool, clock: HandClock, free: Callable[[Path], int] = lambda _folder: 10**12, **bounds: Any) -> Spool:
    return Spool(SpoolConfig(folder=spool.folder, **bounds), clock=clock, free_bytes=free)


def test_the_oldest_files_go_when_the_folder_is_full_and_their_documents_are_counted(spool: Spool, clock: HandClock) -> None:
    size = spool.write(documents(1, 2)).path.stat().st_size
    spool.write(documents(3, 4))
    written = bounded(spool, clock, max_bytes=size * 5 // 2, min_free_bytes=0).write(documents(5, 6))
    assert (written.evicted_documents, written.evicted_files) == (2, 1)
    assert ids(spool) == ["id-3", "id-4", "id-5", "id-6"]


def test_files_too_old_go(spool: Spool, clock: HandClock) -> None:
    spool.write(documents(1))
    clock.now += 100 * SECOND
    assert bounded(spool, clock, max_age=60).write(documents(2)).evicted_documents == 1
    assert ids(spool) == ["id-2"]


def test_a_disk_nearly_full_makes_the_oldest_go_then_refuses(spool: Spool, clock: HandClock) -> None:
    size = spool.write(documents(1)).path.stat().st_size
    spool.write(documents(2))
    free = size // 2
    tight = bounded(spool, clock, lambda _folder: free, min_free_bytes=10)
    assert tight.write(documents(3)).evicted_documents == 1
    free = -size * 10
    with pytest.raises(SpoolError, match="spool_min_free_bytes=10"):
        tight.write(documents(4))
    assert ids(spool) == ["id-2", "id-3"]


def test_a_file_that_somebody_replays_is_not_taken_from_under_him(spool: Spool, clock: HandClock) -> None:
    oldest = spool.write(documents(1)).path
    spool.write(documents(2))
    with claimed(spool, oldest):
        size = oldest.stat().st_size
        assert bounded(spool, clock, max_bytes=size * 5 // 2, min_free_bytes=0).write(documents(3)).evicted_documents == 0
        bounded(spool, clock, max_bytes=size * 3 // 2, min_free_bytes=0).write(documents(4))
    assert ids(spool) == ["id-1", "id-4"]


def test_the_bounds_take_nothing_that_we_have_not_written(spool: Spool, clock: HandClock) -> None:
    spool.prepare()
    (spool.folder / "package.json").write_text("{}" * 1000)
    os.utime(spool.folder / "package.json", ns=(0, 0))
    bounded(spool, clock, max_bytes=1000, max_age=1).write(documents(1))
    assert "package.json" in names(spool.folder)


def test_what_went_before_a_failed_write_is_reported_with_the_next_that_succeeds(
    spool: Spool, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool.write(documents(1, 2))
    tight = bounded(spool, clock, max_age=60)
    clock.now += 100 * SECOND
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", lambda _fd: (_ for _ in ()).throw(OSError(28, "No space left on device")))
        with pytest.raises(SpoolError, match="No space left"):
            tight.write(documents(3))
    assert tight.write(documents(3)).evicted_documents == 2
    assert tight.write(documents(4)).evicted_documents == 0


def test_rejected_files_have_the_same_bounds_for_themselves(spool: Spool, clock: HandClock) -> None:
    spool.write(documents(1))
    spool.reject([(document(2), REJECTED)], attempts=1)
    clock.now += 100 * SECOND
    written = bounded(spool, clock, max_age=60).reject([(document(3), REJECTED)], attempts=1)
    assert written.evicted_documents == 1
    assert (ids(spool), ids(spool, rejected=True)) == (["id-1"], ["id-3"])


# Claiming


def test_a_claimed_file_is_nobody_elses_until_it_is_released(spool: Spool) -> None:
    path = spool.write(documents(1)).path
    with claimed(spool, path):
        assert spool.claim(path) is None
    claimed(spool, path).release()


def test_a_file_that_is_gone_cannot_be_claimed(spool: Spool) -> None:
    assert spool.claim(spool.folder / "gone.json") is None


def test_a_foreign_file_is_named_left_and_not_held(spool: Spool) -> None:
    spool.prepare()
    path = spool.folder / "package.json"
    path.write_text('{"name": "left-pad"}')
    for _ in range(2):
        with pytest.raises(ForeignFileError, match=str(path)):
            spool.claim(path)
    assert path.read_text() == '{"name": "left-pad"}'


def test_folders_links_and_hidden_files_are_no_files_of_the_spool(spool: Spool, tmp_path: Path) -> None:
    spool.prepare()
    (spool.folder / "folder.json").mkdir()
    (spool.folder / ".hidden.json").write_text("[]")
    (tmp_path / "elsewhere.json").write_text("[]")
    (spool.folder / "link.json").symlink_to(tmp_path / "elsewhere.json")
    os.mkfifo(spool.folder / "pipe.json")
    assert spool.waiting() == []


# Settling


def settle(spool: Spool, path: Path, *outcomes: Outcome | None) -> tuple[int, int, int]:
    with claimed(spool, path) as claim:
        return spool.settle(claim, outcomes)


def test_a_file_goes_when_all_its_documents_are_delivered(spool: Spool) -> None:
    path = spool.write(documents(1, 2)).path
    assert settle(spool, path, DELIVERED, DELIVERED) == (2, 0, 0)
    assert names(spool.folder) == []


def test_each_document_goes_where_its_outcome_says(spool: Spool) -> None:
    path = spool.write(documents(1, 2, 3, 4)).path
    assert settle(spool, path, DELIVERED, REJECTED, RETRYABLE, None) == (1, 1, 2)
    assert ids(spool) == ["id-3", "id-4"]
    assert spool.waiting() == [path]
    assert ids(spool, rejected=True) == ["id-2"]
    assert names(spool.folder) == [path.name, "rejected"]


def test_the_remainder_is_still_ours_until_the_claim_is_released(spool: Spool) -> None:
    path = spool.write(documents(1, 2)).path
    with claimed(spool, path) as claim:
        spool.settle(claim, [DELIVERED, RETRYABLE])
        assert spool.claim(path) is None
    claimed(spool, path).release()


def test_a_file_without_any_outcome_is_left_untouched(spool: Spool) -> None:
    path = spool.write(documents(1, 2)).path
    before = path.stat()
    assert settle(spool, path, RETRYABLE, None) == (0, 0, 2)
    assert path.stat().st_ino == before.st_ino


def test_a_file_without_documents_goes(spool: Spool) -> None:
    path = spool.write([]).path
    assert settle(spool, path) == (0, 0, 0)
    assert not path.exists()


def test_outcomes_that_do_not_fit_the_documents_change_nothing(spool: Spool) -> None:
    path = spool.write(documents(1, 2)).path
    with pytest.raises(ValueError, match="shorter"):
        settle(spool, path, REJECTED)
    assert ids(spool) == ["id-1", "id-2"]
    assert ids(spool, rejected=True) == []


def test_a_rejected_document_keeps_the_reason(spool: Spool) -> None:
    path = spool.write(documents(1)).path
    settle(spool, path, REJECTED)
    (kept,) = json.loads(spool.waiting(rejected=True)[0].read_bytes())
    assert kept["_source"]["n"] == 1
    assert kept["error"] == {
        "status": 400,
        "type": "document_parsing_exception",
        "reason": "failed to parse field [a]",
        "attempts": 1,
        "time": kept["error"]["time"],
    }
    assert kept["error"]["time"].startswith("2026-11-22T")


def test_in_rejected_what_is_rejected_again_stays_with_the_new_reason_and_all_attempts(spool: Spool) -> None:
    rejections = [(document(number), REJECTED) for number in range(3)]
    path = spool.reject(rejections, attempts=2).path
    assert settle(spool, path, DELIVERED, REJECTED._replace(reason="other"), RETRYABLE) == (1, 1, 1)
    errors = [item.error for item in spool.look(path).items]
    assert [(error["attempts"], error["reason"]) for error in errors if error] == [(3, "other"), (2, REJECTED.reason)]
    assert spool.waiting(rejected=True) == [path]


def test_settled_twice_after_a_kill_a_rejected_document_is_there_once(spool: Spool) -> None:
    path = spool.write(documents(1, 2)).path
    data = path.read_bytes()
    settle(spool, path, REJECTED, REJECTED)
    path.write_bytes(data)
    settle(spool, path, REJECTED, DELIVERED)
    assert ids(spool, rejected=True) == ["id-2", "id-1"]


def test_killed_while_it_puts_rejected_documents_away_it_leaves_no_second_copy(
    spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = spool.write(documents(1, 2)).path

    class Killed(BaseException):
        pass

    def killed(*_arguments: object) -> None:
        raise Killed

    with monkeypatch.context() as patched, claimed(spool, path) as claim:
        patched.setattr(os, "replace", killed)
        patched.setattr(os, "unlink", killed)
        with pytest.raises(Killed):
            spool.settle(claim, [REJECTED, RETRYABLE])
    settle(spool, path, REJECTED, RETRYABLE)
    spool.recover()
    assert (ids(spool), ids(spool, rejected=True)) == (["id-2"], ["id-1"])
    assert names(spool.rejected_folder) == [path.name]


@pytest.mark.parametrize("obstacle", ["foreign", "torn", "held"])
def test_what_lies_in_the_way_in_rejected_stops_nothing(spool: Spool, obstacle: str) -> None:
    path = spool.write(documents(1)).path
    target = spool.rejected_folder / path.name
    spool.rejected_folder.mkdir()
    target.write_bytes({"foreign": b'{"a":1}', "torn": b"[\n", "held": b"[\n]\n"}[obstacle])
    target = target.rename(target.with_name("foreign.json")) if obstacle == "foreign" else target
    if obstacle == "foreign":
        path = path.rename(path.with_name("foreign.json"))
    before = target.read_bytes()
    with claimed(spool, path) as claim:
        held = spool.claim(target) if obstacle == "held" else None
        assert spool.settle(claim, [REJECTED]) == (0, 1, 0)
        if held is not None:
            held.release()
    assert target.read_bytes() == before
    (other,) = set(spool.waiting(rejected=True)) - {target}
    assert [item.document.id for item in spool.look(other).items] == ["id-1"]
    assert not path.exists()


def test_when_the_disk_refuses_the_rejected_the_file_stays_whole(spool: Spool) -> None:
    path = spool.write(documents(1, 2)).path
    spool.rejected_folder.write_text("in the way")
    with pytest.raises(SpoolError, match="is no folder"):
        settle(spool, path, REJECTED, DELIVERED)
    assert ids(spool) == ["id-1", "id-2"]


def test_when_the_disk_refuses_the_remainder_the_file_stays_whole(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    path = spool.write(documents(1, 2)).path
    with monkeypatch.context() as patched, claimed(spool, path) as claim:
        patched.setattr(os, "write", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
        with pytest.raises(SpoolError, match=f"{path}.*No space left"):
            spool.settle(claim, [DELIVERED, RETRYABLE])
    assert ids(spool) == ["id-1", "id-2"]
    assert names(spool.folder) == [path.name]


def test_a_torn_file_is_settled_and_left_as_it_is(spool: Spool) -> None:
    path = spool.write(documents(1, 2, 3)).path
    data = path.read_bytes()[:-30]
    path.write_bytes(data)
    with claimed(spool, path) as claim:
        assert claim.torn
        assert claim.documents == documents(1, 2)
    for _ in range(2):
        assert settle(spool, path, DELIVERED, REJECTED) == (1, 1, 0)
    assert path.read_bytes() == data
    assert ids(spool, rejected=True) == ["id-2"]


def test_the_originals_file_keeps_its_ids_when_a_remainder_is_rewritten(spool: Spool) -> None:
    spool.prepare()
    path = spool.folder / "my_app_2020-02-20T10:20:30.123-0500_8b1f0f9e-4d0c-4a57-9a4f-0d9c6cf7a9b1.json"
    path.write_text(json.dumps([{"@timestamp": "2020-02-20T10:20:29.000-0500", "n": n} for n in range(3)]))
    before = claimed(spool, path).documents
    assert settle(spool, path, DELIVERED, RETRYABLE, REJECTED) == (1, 1, 1)
    with claimed(spool, path) as claim:
        assert claim.documents == before[1:2]
    assert ids(spool, rejected=True) == [before[2].id]


# What the dead leave


def orphan(spool: Spool, data: bytes, name: str | None = None) -> Path:
    spool.prepare()
    path = spool.folder / f".{name or fileform.new_name(NS)}.part"
    path.write_bytes(data)
    return path


WHOLE = fileform.file_bytes([fileform.Item(one) for one in documents(1, 2)])


@pytest.mark.parametrize("cut", [0, -1, -2, -3])
def test_an_orphan_with_whole_lines_waits_like_others(spool: Spool, cut: int) -> None:
    path = orphan(spool, WHOLE[:cut] if cut else WHOLE)
    assert spool.recover() == ([], [])
    assert names(spool.folder) == [path.name[1:-5] + ".json"]
    (waiting,) = spool.waiting()
    assert waiting.read_bytes() == WHOLE


def test_only_the_broken_last_line_of_an_orphan_is_set_aside_and_named(spool: Spool) -> None:
    path = orphan(spool, WHOLE[:-30])
    ((torn,), _) = spool.recover()
    assert torn == spool.folder / f"{path.name[1:-5]}.torn"
    assert stat.S_IMODE(torn.stat().st_mode) == 0o600
    assert b'"_id":"id-2"' in torn.read_bytes()
    assert ids(spool) == ["id-1"]
    assert not spool.look(spool.waiting()[0]).torn
    assert spool.recover() == ([], [])
    assert spool.torn_rests() == [torn]


@pytest.mark.parametrize("data", [b"", b"[", b"[\n", b"[\n]\n"])
def test_an_orphan_without_documents_goes(spool: Spool, data: bytes) -> None:
    orphan(spool, data)
    assert spool.recover() == ([], [])
    assert names(spool.folder) == []


def test_an_orphan_of_nothing_but_a_broken_line_leaves_that(spool: Spool) -> None:
    orphan(spool, b"\0" * 10)
    ((torn,), _) = spool.recover()
    assert names(spool.folder) == [torn.name]


def test_a_rewriting_cut_short_is_worth_nothing(spool: Spool) -> None:
    path = spool.write(documents(1)).path
    (spool.folder / f".{path.name}.rewrite").write_bytes(WHOLE[:-30])
    assert spool.recover() == ([], [])
    assert names(spool.folder) == [path.name]
    (spool.folder / f".{path.name}.rewrite").write_bytes(WHOLE[:-30])
    (later,) = spool.waiting()
    with claimed(spool, later) as claim:
        assert claim.documents == documents(1)


WRITER = """
import os, sys
from pathlib import Path
from elasticecsmetrics.config import SpoolConfig
from elasticecsmetrics.delivery.spool import Spool
from elasticecsmetrics.model.document import Document
spool = Spool(SpoolConfig(folder=Path(sys.argv[1]), min_free_bytes=0))
def halt(fd):
    print("written", flush=True)
    sys.stdin.read()
os.fsync = halt
spool.write([Document(f"id-{n}", 0, "logs", "create", b'{"@timestamp":"2026-11-22T09:00:00Z"}') for n in range(3)])
"""


def test_the_file_of_a_living_writer_is_left_alone_and_that_of_a_killed_one_recovered(spool: Spool) -> None:
    program = [sys.executable, "-c", WRITER, str(spool.folder)]
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"written\n"
        (part,) = spool.unfinished()
        assert spool.recover() == ([], [])
        assert spool.unfinished() == [part]
        writer.kill()
        writer.wait()
    assert spool.recover() == ([], [])
    assert spool.unfinished() == []
    assert ids(spool) == ["id-0", "id-1", "id-2"]


FULL_DISK_WITH_ORPHANS = """
import resource, sys
from pathlib import Path
from elasticecsmetrics.config import SpoolConfig
from elasticecsmetrics.delivery.spool import Spool
spool = Spool(SpoolConfig(folder=Path(sys.argv[1]), min_free_bytes=0))
resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
for path, problem in spool.recover().problems:
    print(path.name, problem)
"""


def test_an_orphan_that_the_disk_refuses_to_finish_is_named_and_stops_no_other(spool: Spool) -> None:
    stuck = orphan(spool, WHOLE[:-30] + b"x" * 100_000, f"{fileform.new_name(NS)}a")
    orphan(spool, WHOLE)
    program = [sys.executable, "-c", FULL_DISK_WITH_ORPHANS, str(spool.folder)]
    done = subprocess.run(program, capture_output=True, text=True, check=True, timeout=60)
    (said,) = done.stdout.splitlines()
    assert said.startswith(stuck.name)
    assert "File too large" in said
    assert ids(spool) == ["id-1", "id-2"]
    assert spool.unfinished() == [stuck]


@pytest.mark.parametrize("error", [PermissionError(13, "Permission denied"), OSError(38, "Function not implemented")])
def test_an_orphan_that_cannot_be_opened_or_locked_is_named(
    spool: Spool, monkeypatch: pytest.MonkeyPatch, error: OSError
) -> None:
    path = orphan(spool, WHOLE)

    def refused(_path: Path) -> None:
        raise error

    monkeypatch.setattr(LockedFile, "take", refused)
    ((named, problem),) = spool.recover().problems
    assert named == path
    assert str(error.strerror) in problem
    assert path.exists()


def test_links_and_the_like_are_named(spool: Spool, tmp_path: Path) -> None:
    spool.prepare()
    (spool.folder / "link.json").symlink_to(tmp_path / "elsewhere.json")
    (spool.folder / ".link.part").symlink_to(tmp_path / "elsewhere.part")
    (spool.folder / ".hidden.json").symlink_to(tmp_path / "elsewhere.json")
    assert [path.name for path in spool.passed_over()] == [".link.part", "link.json"]


def test_rejected_keeps_its_bound_when_files_are_settled_and_what_went_is_counted(spool: Spool, clock: HandClock) -> None:
    bound = 3 * len(fileform.file_bytes([fileform.Item(document(0, size=500))]))
    tight = bounded(spool, clock, max_bytes=bound, min_free_bytes=0)
    for number in range(10):
        settle(tight, tight.write([document(number, size=500)]).path, REJECTED)
    kept = ids(tight, rejected=True)
    assert sum(file.size for file in tight.files(rejected=True)) <= bound
    assert kept == [f"id-{number}" for number in range(10 - len(kept), 10)]
    assert 0 < len(kept) < 10


def test_what_settling_evicts_is_told_once(spool: Spool, clock: HandClock) -> None:
    spool.reject([(document(number), REJECTED) for number in range(3)], attempts=1)
    path = spool.write(documents(7)).path
    clock.now += 100 * SECOND
    aged = bounded(spool, clock, max_age=60, min_free_bytes=0)
    settle(aged, path, REJECTED)
    assert aged.take_evicted() == (3, 1)
    assert aged.take_evicted() == (0, 0)
    assert ids(aged, rejected=True) == ["id-7"]


def test_joining_a_rejected_file_evicts_others_not_itself(spool: Spool, clock: HandClock) -> None:
    path = spool.write(documents(1, 2)).path
    settle(spool, path, REJECTED, RETRYABLE)
    clock.now += 100 * SECOND
    aged = bounded(spool, clock, max_age=60, min_free_bytes=0)
    settle(aged, path, REJECTED)
    assert ids(aged, rejected=True) == ["id-1", "id-2"]
    assert aged.take_evicted() == (0, 0)


SHORT_OF_MEMORY = """
import resource, sys
from pathlib import Path
from elasticecsmetrics.config import SpoolConfig
from elasticecsmetrics.delivery.spool import Spool
from elasticecsmetrics.errors import SpoolError
spool = Spool(SpoolConfig(folder=Path(sys.argv[1]), min_free_bytes=0))
resource.setrlimit(resource.RLIMIT_AS, (400 << 20,) * 2)
for problem in spool.recover().problems:
    print(problem.path.name, problem.problem)
for path in spool.waiting():
    for read in (spool.claim, spool.look):
        try:
            read(path)
        except SpoolError as error:
            print(path.name, type(error).__name__, error)
"""


def test_files_too_large_to_read_are_judged_by_their_beginning_or_named(spool: Spool) -> None:
    spool.write(documents(1))
    foreign, ours = spool.folder / "core.json", spool.folder / f"{fileform.new_name(NS)}.json"
    part = spool.folder / f".{fileform.new_name(NS)}.part"
    for path in (foreign, ours, part):
        path.touch()
        os.truncate(path, 1 << 30)
    program = [sys.executable, "-c", SHORT_OF_MEMORY, str(spool.folder)]
    done = subprocess.run(program, capture_output=True, text=True, check=True, timeout=60)
    lines = done.stdout.splitlines()
    assert len(lines) == 5
    for line in lines:
        assert ("not written by" in line) == line.startswith(foreign.name)
        assert ("too large for the memory" in line) == line.startswith((ours.name, part.name))
