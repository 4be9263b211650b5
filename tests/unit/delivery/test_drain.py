"""The drain with real files: order, what it leaves alone, and how it rests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from elasticecsmetrics.config import SpoolConfig
from elasticecsmetrics.delivery.drain import PERIOD, Drain
from elasticecsmetrics.delivery.spool import Spool
from elasticecsmetrics.model.document import Document
from elasticecsmetrics.model.outcome import DELIVERED, Outcome, Verdict
from elasticecsmetrics.testing import UNREACHABLE, ManualClock

FORBIDDEN = Outcome(Verdict.RETRYABLE, 403, "cluster_block_exception", "read-only")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def spool(tmp_path: Path, clock: ManualClock) -> Spool:
    return Spool(SpoolConfig(folder=tmp_path, min_free_bytes=0), clock=clock)


def write(spool: Spool, clock: ManualClock, documents: list[Document]) -> None:
    spool.write(documents)
    clock.advance(1)


def test_files_come_oldest_first_and_are_deleted(spool: Spool, clock: ManualClock, make_documents: Any) -> None:
    old, new = make_documents(2), make_documents(2)
    write(spool, clock, old)
    write(spool, clock, new)
    drain = Drain(spool)
    for expected in (old, new):
        assert drain.claim(0.0) == expected
        assert drain.busy
        assert drain.settle([DELIVERED] * 2, 0.0) == (2, 0, 0)
    assert drain.claim(0.0) is None
    assert spool.waiting() == []


def test_an_empty_folder_is_left_alone_for_a_while(spool: Spool) -> None:
    drain = Drain(spool)
    assert drain.claim(100.0) is None
    assert drain.due_at == 100.0 + PERIOD
    drain.look_again(101.0)
    assert drain.due_at == 101.0


def test_a_file_that_is_put_off_does_not_hold_up_the_next(spool: Spool, clock: ManualClock, make_documents: Any) -> None:
    stuck, good = make_documents(1), make_documents(1)
    write(spool, clock, stuck)
    write(spool, clock, good)
    drain = Drain(spool)
    drain.claim(0.0)
    drain.settle([FORBIDDEN], 0.0)
    assert drain.claim(0.0) == good
    drain.settle([DELIVERED], 0.0)
    assert len(spool.waiting()) == 1


def test_a_file_that_a_gateway_refuses_does_not_hold_up_the_next(spool: Spool, clock: ManualClock, make_documents: Any) -> None:
    poison, good = make_documents(1), make_documents(1)
    write(spool, clock, poison)
    write(spool, clock, good)
    drain = Drain(spool)
    drain.claim(0.0)
    drain.settle([Outcome(Verdict.RETRYABLE, 403, whole_request=True)], 0.0)
    assert drain.claim(9.0) == good


def test_after_a_failed_request_the_same_file_is_the_next(spool: Spool, clock: ManualClock, make_documents: Any) -> None:
    first, second = make_documents(1), make_documents(1)
    write(spool, clock, first)
    write(spool, clock, second)
    drain = Drain(spool)
    drain.claim(0.0)
    drain.settle([UNREACHABLE], 0.0)
    assert drain.claim(9.0) == first


def test_a_file_that_is_put_off_again_and_again_is_tried_more_rarely(
    spool: Spool, clock: ManualClock, make_documents: Any
) -> None:
    write(spool, clock, make_documents(1))
    drain = Drain(spool)
    now, pauses = 0.0, []
    for _ in range(8):
        assert drain.claim(now) is not None
        drain.settle([FORBIDDEN], now)
        drain.look_again(now)
        assert drain.claim(now) is None
        pauses.append(drain.due_at - now)
        now = drain.due_at
    assert pauses[:5] == [1.0, 2.0, 4.0, 8.0, 16.0]
    assert pauses[-1] == PERIOD


def test_many_bad_files_do_not_keep_a_good_one(spool: Spool, clock: ManualClock, make_documents: Any) -> None:
    for _ in range(10):
        write(spool, clock, make_documents(1))
    good = make_documents(1)
    write(spool, clock, good)
    drain = Drain(spool)
    for _ in range(10):
        drain.claim(0.0)
        drain.settle([FORBIDDEN], 0.0)
        assert drain.due_at == 0.0
    assert drain.claim(0.0) == good


def test_foreign_and_original_files_are_the_commands(
    spool: Spool, clock: ManualClock, make_documents: Any, tmp_path: Path
) -> None:
    (tmp_path / "0-foreign.json").write_text("{}")
    original = tmp_path / "metrics_2020-02-20T10:20:30.123456-0500_8b1fd5a2-3c39-4a3b-9d4d-0c3b7a1d2e4f.json"
    original.write_text('[{"@timestamp": "2020-02-20T10:20:30.123-0500"}]')
    documents = make_documents(1)
    write(spool, clock, documents)
    drain = Drain(spool)
    assert drain.claim(0.0) == documents
    drain.settle([DELIVERED], 0.0)
    assert drain.claim(0.0) is None
    assert original.exists()


def test_what_a_dead_process_left_unfinished_is_recovered(spool: Spool, make_documents: Any, tmp_path: Path) -> None:
    from elasticecsmetrics.delivery.spool import fileform

    spool.prepare()
    documents = make_documents(2)
    data = fileform.file_bytes([fileform.Item(document) for document in documents])
    (tmp_path / f".{fileform.new_name(0)}.part").write_bytes(data[: len(data) - len(fileform.TAIL)])
    assert Drain(spool).claim(0.0) == documents
