from __future__ import annotations

import os
import re
import threading
import time
import uuid

import pytest

from elasticecsmetrics.ecs import identity


def test_ids_are_twenty_url_safe_characters():
    assert re.fullmatch(r"[-0-9A-Z_a-z]{20}", identity.new_id())


def test_ids_made_one_after_another_ascend_as_text_also_inside_one_microsecond(monkeypatch):
    monkeypatch.setattr(time, "time_ns", lambda: 1_800_000_000_000_000_000)
    ids = [identity.new_id() for _ in range(5000)]
    assert ids == sorted(set(ids))


def test_ids_ascend_where_the_counter_overflows(monkeypatch):
    monkeypatch.setattr(time, "time_ns", lambda: 1_800_000_000_000_000_000)
    monkeypatch.setattr(identity, "_counter", iter(range((1 << 24) - 3, (1 << 24) + 3)))
    ids = [identity.new_id() for _ in range(6)]
    assert ids == sorted(set(ids))


@pytest.mark.parametrize("step", [1_000, 1_000_000, 86_400 * 10**9, 300 * 365 * 86_400 * 10**9])
def test_ids_sort_by_time(monkeypatch, step):
    monkeypatch.setattr(time, "time_ns", lambda: 1_800_000_000_000_000_000)
    earlier = identity.new_id()
    monkeypatch.setattr(time, "time_ns", lambda: 1_800_000_000_000_000_000 + step)
    assert earlier < identity.new_id()


def test_a_clock_before_1970_still_gives_ids(monkeypatch):
    monkeypatch.setattr(time, "time_ns", lambda: -1_000_000)
    assert len(identity.new_id()) == 20


def test_ids_of_many_threads_are_all_different():
    ids: list[list[str]] = [[] for _ in range(8)]

    def make(into: list[str]) -> None:
        into.extend(identity.new_id() for _ in range(5000))

    threads = [threading.Thread(target=make, args=(into,)) for into in ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    everything = [one for some in ids for one in some]
    assert len(set(everything)) == 40_000
    assert all(some == sorted(some) for some in ids)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_child_makes_other_ids_and_has_another_ephemeral_id(monkeypatch):
    # Same clock, same counter: only the random part tells the two apart.
    monkeypatch.setattr(time, "time_ns", lambda: 1_800_000_000_000_000_000)
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, f"{identity.new_id()} {identity.ephemeral_id()}".encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as answer:
        theirs, their_ephemeral_id = answer.read().split()
    os.waitpid(child, 0)
    assert theirs[:9] == identity.new_id()[:9]
    assert theirs != identity.new_id()
    assert uuid.UUID(their_ephemeral_id).version == 4
    assert their_ephemeral_id != identity.ephemeral_id()


def test_the_ephemeral_id_is_one_uuid_for_the_process():
    assert identity.ephemeral_id() is identity.ephemeral_id()
    assert uuid.UUID(identity.ephemeral_id()).version == 4
