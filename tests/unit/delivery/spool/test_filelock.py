"""Ownership of files: exclusive, freed by death, never inherited."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from elasticecsmetrics.delivery.spool import filelock
from elasticecsmetrics.delivery.spool.filelock import LockedFile

HOLDER = """
import sys
from pathlib import Path
from elasticecsmetrics.delivery.spool.filelock import LockedFile
file = LockedFile.take(Path(sys.argv[1]))
print(file is not None, flush=True)
sys.stdin.read()
"""

FORKING_HOLDER = """
import os, sys
from pathlib import Path
from elasticecsmetrics.delivery.spool.filelock import LockedFile
file = LockedFile.take(Path(sys.argv[1]))
if os.fork() == 0:
    # The child says it, so that by then it has let go of what it inherited.
    print(os.getpid(), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "file"
    made.write_bytes(b"contents")
    return made


def start(program: str, path: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", program, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def test_one_owner_at_a_time_even_within_a_process(path: Path) -> None:
    first = LockedFile.take(path)
    assert first is not None
    assert LockedFile.take(path) is None
    first.close()
    with LockedFile.take(path) as second:  # type: ignore[union-attr]
        assert second.read() == b"contents"


def test_what_is_gone_cannot_be_taken(tmp_path: Path) -> None:
    assert LockedFile.take(tmp_path / "nothing") is None


def test_the_kernel_takes_the_lock_from_a_killed_owner(path: Path) -> None:
    with start(HOLDER, path) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == "True\n"
        assert LockedFile.take(path) is None
        owner.kill()
        owner.wait()
        taken = LockedFile.take(path)
        assert taken is not None
        taken.close()


def test_a_child_forked_by_the_owner_does_not_keep_its_lock_alive(path: Path) -> None:
    with start(FORKING_HOLDER, path) as owner:
        assert owner.stdout is not None
        child = int(owner.stdout.readline())
        try:
            assert LockedFile.take(path) is None
            owner.kill()
            owner.wait()
            os.kill(child, 0)
            taken = LockedFile.take(path)
            assert taken is not None
            taken.close()
        finally:
            os.kill(child, signal.SIGKILL)


def test_a_child_that_closes_what_it_inherited_takes_nothing_from_the_parent(path: Path) -> None:
    held = LockedFile.take(path)
    assert held is not None
    program = """
import os, sys
from pathlib import Path
from elasticecsmetrics.delivery.spool.filelock import LockedFile
file = LockedFile.take(Path(sys.argv[1]))
read, write = os.pipe()
if os.fork() == 0:
    other = os.open(sys.argv[1], os.O_RDONLY)
    file.close()
    os.fstat(other)
    os._exit(0)
_, status = os.wait()
print(status, LockedFile.take(Path(sys.argv[1])) is None, flush=True)
"""
    held.close()
    with start(program, path) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == "0 True\n"


def test_a_file_replaced_between_opening_and_locking_is_not_owned(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lock = filelock._try_lock

    def replaced_first(fd: int) -> bool:
        new = path.with_name("new")
        new.write_bytes(b"new")
        new.replace(path)
        return lock(fd)

    monkeypatch.setattr(filelock, "_try_lock", replaced_first)
    assert LockedFile.take(path) is None


def test_a_file_removed_between_opening_and_locking_is_not_owned(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lock = filelock._try_lock

    def removed_first(fd: int) -> bool:
        path.unlink()
        return lock(fd)

    monkeypatch.setattr(filelock, "_try_lock", removed_first)
    assert LockedFile.take(path) is None


def test_a_new_file_that_a_recovery_snatched_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "new"
    lock = filelock._try_lock
    calls = []

    def snatched_once(fd: int) -> bool:
        calls.append(fd)
        if len(calls) == 1:
            path.unlink()
        return lock(fd)

    monkeypatch.setattr(filelock, "_try_lock", snatched_once)
    with LockedFile.create(path) as file:
        file.write(b"here")
    assert len(calls) == 2
    assert file.path.read_bytes() == b"here"


def test_who_snatched_a_new_file_and_removes_it_late_does_not_remove_the_one_made_instead(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "new"
    lock = filelock._try_lock
    tried: list[int] = []
    snatched: list[LockedFile] = []

    def snatched_once(fd: int) -> bool:
        if not tried:
            tried.append(fd)
            taken = LockedFile.take(path)
            assert taken is not None
            snatched.append(taken)
        return lock(fd)

    with monkeypatch.context() as patched:
        patched.setattr(filelock, "_try_lock", snatched_once)
        file = LockedFile.create(path)
    snatched[0].path.unlink(missing_ok=True)
    snatched[0].close()
    file.move(tmp_path / "moved")
    file.close()
    assert (tmp_path / "moved").exists()


def test_removing_leaves_what_somebody_else_has_put_there(path: Path) -> None:
    held = LockedFile.take(path)
    assert held is not None
    path.unlink()
    path.write_bytes(b"somebody else's")
    held.remove()
    assert path.read_bytes() == b"somebody else's"


def test_without_locks_files_are_written_but_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_locks(fd: int) -> None:
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(filelock, "_lock", no_locks)
    with LockedFile.create(tmp_path / "new") as file:
        file.write(b"here")
    assert (tmp_path / "new").read_bytes() == b"here"
    with pytest.raises(OSError, match="not implemented"):
        LockedFile.take(tmp_path / "new")


def test_a_new_file_is_for_its_owner_alone_and_never_overwrites(tmp_path: Path) -> None:
    with LockedFile.create(tmp_path / "new") as file:
        assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
        with pytest.raises(FileExistsError):
            LockedFile.create(tmp_path / "new")


def test_a_moved_file_is_still_owned_at_its_new_place(path: Path) -> None:
    held = LockedFile.take(path)
    assert held is not None
    with held:
        held.move(path.with_name("moved"))
        assert LockedFile.take(path.with_name("moved")) is None
    assert not path.exists()


def test_closing_twice_closes_nobody_elses_descriptor(path: Path) -> None:
    held = LockedFile.take(path)
    assert held is not None
    held.close()
    other = os.open(path, os.O_RDONLY)
    held.close()
    os.fstat(other)
    os.close(other)


def test_a_forgotten_file_is_given_up(path: Path) -> None:
    held = LockedFile.take(path)
    assert held is not None
    del held
    taken = LockedFile.take(path)
    assert taken is not None
    taken.close()
