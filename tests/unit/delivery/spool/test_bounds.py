"""Which files go so that another one fits."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from elasticecsmetrics.config import SpoolConfig
from elasticecsmetrics.delivery.spool.bounds import NS_PER_SECOND, StoredFile, make_room

FOLDER = Path("/nowhere")
NOW = 1000 * NS_PER_SECOND


def files(*facts: tuple[int, int]) -> list[StoredFile]:
    return [StoredFile(FOLDER / str(age), NOW - age * NS_PER_SECOND, size) for age, size in facts]


def test_nothing_goes_while_there_is_room() -> None:
    config = SpoolConfig(folder=FOLDER, max_bytes=100, max_age=60, min_free_bytes=10)
    room = make_room(config, files((9, 30), (8, 30)), size=40, free=50, now=NOW)
    assert (list(room.evict), room.refusal) == ([], None)


def test_the_oldest_go_first_and_no_more_than_needed() -> None:
    config = SpoolConfig(folder=FOLDER, max_bytes=100, min_free_bytes=0)
    have = files((9, 30), (8, 30), (7, 30))
    assert list(make_room(config, have, size=40, free=1000, now=NOW).evict) == have[:1]


def test_what_is_too_old_goes_though_there_is_room() -> None:
    config = SpoolConfig(folder=FOLDER, max_age=8.5, min_free_bytes=0)
    have = files((9, 30), (8, 30))
    assert list(make_room(config, have, size=1, free=1000, now=NOW).evict) == have[:1]


def test_for_a_disk_that_others_filled_nothing_goes() -> None:
    config = SpoolConfig(folder=FOLDER, min_free_bytes=1000)
    room = make_room(config, files((9, 30), (8, 30)), size=10, free=500, now=NOW)
    assert room.evict == ()
    assert room.refusal is not None
    assert "spool_min_free_bytes=1000" in room.refusal


def test_for_a_file_above_the_bound_nothing_goes() -> None:
    config = SpoolConfig(folder=FOLDER, max_bytes=100, min_free_bytes=0)
    room = make_room(config, files((9, 30)), size=101, free=500, now=NOW)
    assert room.evict == ()
    assert room.refusal is not None
    assert "spool_max_bytes=100" in room.refusal


@given(
    st.lists(st.tuples(st.integers(0, 100), st.integers(1, 50)), max_size=8),
    st.integers(1, 60),
    st.integers(0, 200),
    st.none() | st.integers(1, 150),
    st.none() | st.integers(1, 100),
    st.integers(0, 100),
)
def test_the_bounds_hold_afterwards_with_as_few_gone_as_can_be(
    facts: list[tuple[int, int]], size: int, free: int, max_bytes: int | None, max_age: int | None, min_free: int
) -> None:
    config = SpoolConfig(folder=FOLDER, max_bytes=max_bytes, max_age=max_age, min_free_bytes=min_free)
    have = files(*sorted(facts, reverse=True))

    def fits(gone: int) -> bool:
        kept = have[gone:]
        return (
            (max_bytes is None or sum(file.size for file in kept) + size <= max_bytes)
            and free + sum(file.size for file in have[:gone]) - size >= min_free
            and (max_age is None or all(NOW - file.time <= max_age * NS_PER_SECOND for file in kept))
        )

    enough = [gone for gone in range(len(have) + 1) if fits(gone)]
    room = make_room(config, have, size=size, free=free, now=NOW)
    assert (room.refusal is None) == bool(enough)
    assert list(room.evict) == (have[: enough[0]] if enough else [])
