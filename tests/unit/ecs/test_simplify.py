from __future__ import annotations

import array
import collections
import dataclasses
import decimal
import enum
import fractions
import ipaddress
import time
import types
import uuid
from datetime import UTC, date, datetime, timedelta, timezone
from datetime import time as time_of_day
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import numpy as np
import pytest

from elasticecsmetrics.ecs.simplify import MAX_ELEMENTS, simplify
from elasticecsmetrics.ecs.text import MAX_REPR


class Colour(enum.Enum):
    RED = "red"


class Loud(str):
    __slots__ = ()

    def __str__(self) -> str:
        return "LOUD"


class Level(enum.IntEnum):
    HIGH = 3


@dataclasses.dataclass
class Order:
    number: int
    items: list[str]


class Point(NamedTuple):
    x: int
    y: int


class Unprintable:
    def __repr__(self) -> str:
        raise RuntimeError("no")


class Huge:
    def __repr__(self) -> str:
        return "h" * 5000


class Liar:
    @property
    def __class__(self):
        raise RuntimeError("unbound")


class Broken(collections.abc.Mapping):
    def __getitem__(self, key):
        raise KeyError(key)

    def __iter__(self):
        raise RuntimeError("no")

    def __len__(self):
        return 1

    def __repr__(self) -> str:
        return "Broken()"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("text", "text"),
        (Loud("quiet"), "quiet"),
        (True, True),
        (5, 5),
        (1.5, 1.5),
        (None, "None"),
        (Colour.RED, "red"),
        (Level.HIGH, 3),
        (datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC), "2026-01-02T03:04:05.000006Z"),
        (datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone(timedelta(hours=-5))), "2026-01-02T08:04:05.000000Z"),
        (date(2026, 1, 2), "2026-01-02"),
        (time_of_day(3, 4, 5), "03:04:05"),
        (timedelta(minutes=1, milliseconds=500), 60.5),
        (decimal.Decimal("1.10"), 1.1),
        (decimal.Decimal("0.1234567890123456789"), "0.1234567890123456789"),
        (decimal.Decimal("1E+400"), "1E+400"),
        (decimal.Decimal("sNaN"), "Decimal('sNaN')"),
        (fractions.Fraction(1, 3), "1/3"),
        (1 + 2j, "(1+2j)"),
        (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (Path("/srv/app"), "/srv/app"),
        (PurePosixPath("a/b"), "a/b"),
        (ipaddress.ip_address("10.0.0.1"), "10.0.0.1"),
        (ipaddress.ip_network("10.0.0.0/8"), "10.0.0.0/8"),
        (b"caf\xc3\xa9", "café"),
        (b"\xff\x00", "/wA="),
        (bytearray(b"abc"), "abc"),
        (memoryview(b"abc"), "abc"),
        (ValueError("bad"), "ValueError: bad"),
        (Order(7, ["a"]), {"number": 7, "items": ["a"]}),
        (Point(1, 2), {"x": 1, "y": 2}),
        ((1, 2), [1, 2]),
        ({3, 1, 2}, [1, 2, 3]),
        (frozenset("ba"), ["a", "b"]),
        (collections.deque([1]), [1]),
        (types.MappingProxyType({"a": 1}), {"a": 1}),
        (collections.OrderedDict(a=1), {"a": 1}),
        (range(3), "range(0, 3)"),
        (array.array("i", [1, 2]), [1, 2]),
        (np.float32(0.5), 0.5),
        (np.int64(7), 7),
        (np.bool_(True), True),
        (np.str_("s"), "s"),
        (np.array([[1, 2], [3, 4]]), [[1, 2], [3, 4]]),
        (np.datetime64("2026-01-02T03:04:05.123456789"), "2026-01-02T03:04:05.123456789"),
        (np.array(["2026-01-02"], dtype="M8[D]"), ["2026-01-02"]),
        (np.timedelta64(1500, "ms"), timedelta(milliseconds=1500)),
        (Unprintable(), "<Unprintable: its repr raised RuntimeError>"),
        (Broken(), "Broken()"),
        (Order, repr(Order)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_each_type_becomes_something_readable(value, expected):
    simple = simplify(value)
    assert simple == expected
    assert type(simple) is type(expected)


def test_a_naive_datetime_counts_as_local_time(monkeypatch):
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        assert simplify(datetime(2026, 1, 2, 3, 4, 5)) == "2026-01-01T18:04:05.000000Z"
    finally:
        monkeypatch.undo()
        time.tzset()


def test_a_long_repr_is_cut_and_shows_that_it_was():
    text = simplify(Huge())
    assert len(text) == MAX_REPR
    assert text.endswith("…")


def test_a_large_array_is_shown_in_short_and_not_copied():
    text = simplify(np.zeros(MAX_ELEMENTS + 1))
    assert isinstance(text, str)
    assert len(text) <= MAX_REPR


def test_an_object_that_lies_about_its_class_does_not_raise():
    assert "Liar" in simplify(Liar())


def test_a_generator_is_not_consumed():
    generator = (n for n in range(3))
    assert simplify(generator).startswith("<generator")
    assert list(generator) == [0, 1, 2]


def test_numbers_of_a_subclass_become_plain():
    class Tricky(int):
        def __int__(self) -> int:
            raise RuntimeError

        def __repr__(self) -> str:
            return "tricky"

    assert type(simplify(Tricky(5))) is int
    assert simplify(np.longdouble(1) / 3) is not None
