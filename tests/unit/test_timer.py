"""The timed block on a manual clock."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from elasticecsmetrics.testing import ManualClock
from elasticecsmetrics.timer import TimedBlock


@pytest.fixture
def recorded() -> list[tuple[Any, ...]]:
    return []


def block(recorded: list[tuple[Any, ...]], clock: ManualClock, **options: Any) -> TimedBlock:
    def record(*values: Any) -> None:
        recorded.append(values)

    return TimedBlock("name", record, clock=clock, **options)


def test_the_start_is_the_walls_and_the_length_the_monotonic_clocks(recorded: list[tuple[Any, ...]]) -> None:
    clock = ManualClock()
    start = clock.wall_ns()
    with block(recorded, clock):
        clock.advance(1.5)
        clock._wall_ns -= 3600 * 10**9  # the wall clock is set back meanwhile
    assert recorded == [("name", start, 1_500_000_000, None, {})]


def test_one_object_may_be_entered_inside_itself(recorded: list[tuple[Any, ...]]) -> None:
    clock = ManualClock()
    timer = block(recorded, clock)
    with timer:
        clock.advance(1)
        with timer:
            clock.advance(2)
    assert [values[2] for values in recorded] == [2_000_000_000, 3_000_000_000]


def test_the_exception_is_recorded_and_goes_on(recorded: list[tuple[Any, ...]]) -> None:
    error = KeyError("x")
    with pytest.raises(KeyError), block(recorded, ManualClock()):
        raise error
    assert recorded[0][3] is error


def test_the_callers_fields_are_not_changed(recorded: list[tuple[Any, ...]]) -> None:
    fields = {"a": 1}
    with block(recorded, ManualClock(), fields=fields) as timer:
        timer.fields["b"] = 2
    assert recorded[0][4] == {"a": 1, "b": 2}
    assert fields == {"a": 1}


def test_each_call_of_a_decorated_function_has_its_own_fields(recorded: list[tuple[Any, ...]]) -> None:
    timer = block(recorded, ManualClock(), fields={"a": 1})
    decorated = timer(lambda: None)
    decorated()
    decorated()
    assert len(recorded) == 2
    assert recorded[0][4] is not recorded[1][4]


def test_a_decorated_coroutine_is_measured_to_its_end(recorded: list[tuple[Any, ...]]) -> None:
    clock = ManualClock()

    @block(recorded, clock)
    async def work() -> int:
        await asyncio.sleep(0)
        clock.advance(2)
        raise LookupError("late")

    assert recorded == []
    with pytest.raises(LookupError):
        asyncio.run(work())
    ((_, _, length, error, _),) = recorded
    assert length == 2_000_000_000
    assert isinstance(error, LookupError)


def test_a_decorated_generator_is_measured_to_its_exhaustion(recorded: list[tuple[Any, ...]]) -> None:
    clock = ManualClock()

    @block(recorded, clock)
    def numbers() -> Iterator[int]:
        yield 1
        clock.advance(3)
        yield 2

    assert list(numbers()) == [1, 2]
    assert [values[2] for values in recorded] == [3_000_000_000]


def test_a_decorated_async_generator_is_measured_to_its_exhaustion(recorded: list[tuple[Any, ...]]) -> None:
    clock = ManualClock()

    @block(recorded, clock)
    async def numbers() -> AsyncIterator[int]:
        yield 1
        clock.advance(3)
        yield 2

    async def main() -> list[int]:
        return [number async for number in numbers()]

    assert asyncio.run(main()) == [1, 2]
    assert [values[2] for values in recorded] == [3_000_000_000]
