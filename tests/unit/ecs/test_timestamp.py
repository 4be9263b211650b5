from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta, timezone
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elasticecsmetrics.ecs import timestamp

INSIDE = st.integers(timestamp.FIRST_NS, timestamp.LAST_NS)


@pytest.fixture
def new_york(monkeypatch):
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("ns", "text"),
    [
        (0, "1970-01-01T00:00:00.000000Z"),
        (1_767_323_045_123_456_000, "2026-01-02T03:04:05.123456Z"),
        (1_767_323_045_000_000_000, "2026-01-02T03:04:05.000000Z"),
        (1_767_323_045_123_456_789, "2026-01-02T03:04:05.123456789Z"),
        (1_767_323_045_000_000_001, "2026-01-02T03:04:05.000000001Z"),
        (-1_000, "1969-12-31T23:59:59.999999Z"),
        (timestamp.FIRST_NS, "0001-01-01T00:00:00.000000Z"),
        (timestamp.LAST_NS, "9999-12-31T23:59:59.999999999Z"),
        (timestamp.FIRST_NS - 1, "0001-01-01T00:00:00.000000Z"),
        (timestamp.LAST_NS + 1, "9999-12-31T23:59:59.999999999Z"),
        (10**30, "9999-12-31T23:59:59.999999999Z"),
    ],
)
def test_renders_six_digits_or_nine_and_never_a_year_outside_1_to_9999(ns, text):
    assert timestamp.render(ns) == text


@given(INSIDE)
def test_what_is_rendered_is_read_back_exactly(ns):
    assert timestamp.parse(timestamp.render(ns)) == ns


@given(INSIDE, INSIDE)
def test_whole_microseconds_sort_as_text_as_they_do_as_numbers(one, other):
    one, other = one // 1000 * 1000, other // 1000 * 1000
    assert (timestamp.render(one) < timestamp.render(other)) == (one < other)


@given(st.datetimes(timezones=st.timezones() | st.builds(lambda m: timezone(timedelta(minutes=m)), st.integers(-1439, 1439))))
def test_an_aware_datetime_keeps_its_microsecond(moment):
    exact = moment - datetime(1970, 1, 1, tzinfo=UTC)
    assert timestamp.from_datetime(moment) == exact // timedelta(microseconds=1) * 1000


def test_a_naive_datetime_counts_as_local_time_with_its_fold(new_york):
    assert timestamp.render(timestamp.from_datetime(datetime(2026, 1, 2, 3, 4, 5, 6))) == "2026-01-02T08:04:05.000006Z"
    assert timestamp.render(timestamp.from_datetime(datetime(2026, 11, 1, 1, 30))) == "2026-11-01T05:30:00.000000Z"
    assert timestamp.render(timestamp.from_datetime(datetime(2026, 11, 1, 1, 30, fold=1))) == "2026-11-01T06:30:00.000000Z"


def test_the_first_and_last_naive_datetimes_do_not_raise(new_york):
    assert timestamp.render(timestamp.from_datetime(datetime.min)).startswith("0001-01-01T")
    assert timestamp.render(timestamp.from_datetime(datetime.max)).startswith("9999-12-31T")


@given(st.integers(-62_000_000_000_000_000, 250_000_000_000_000_000))
def test_seconds_are_rounded_to_the_nearest_microsecond(microseconds):
    seconds = microseconds / 1_000_000
    assert abs(Fraction(timestamp.from_seconds(seconds), 1000) - Fraction(seconds) * 1_000_000) <= Fraction(1, 2)


@given(st.integers(0, 4_000_000_000_000_000))
def test_seconds_made_from_whole_microseconds_give_them_back(microseconds):
    assert timestamp.from_seconds(microseconds / 1_000_000) == microseconds * 1000


def test_seconds_that_are_no_number_are_an_error():
    with pytest.raises(ValueError, match="NaN"):
        timestamp.from_seconds(float("nan"))
    with pytest.raises(OverflowError):
        timestamp.from_seconds(float("inf"))


@pytest.mark.parametrize(
    ("text", "ns"),
    [
        ("2026-01-02T03:04:05.123456Z", 1_767_323_045_123_456_000),
        ("2026-01-02T03:04:05.123456789Z", 1_767_323_045_123_456_789),
        ("2026-01-02T03:04:05Z", 1_767_323_045_000_000_000),
        ("2026-01-02T03:04:05.1Z", 1_767_323_045_100_000_000),
        ("2026-01-02T03:04:05,123Z", 1_767_323_045_123_000_000),
        ("2026-01-02T03:04:05.123+0000", 1_767_323_045_123_000_000),
        ("2026-01-02T03:04:05.123+00:00", 1_767_323_045_123_000_000),
        ("2026-01-01T22:04:05.123-0500", 1_767_323_045_123_000_000),
        ("2026-01-02T08:34:05.123+05:30", 1_767_323_045_123_000_000),
        ("2026-01-02T04:04:05+01", 1_767_323_045_000_000_000),
        ("2026-01-02T03:04:05", 1_767_323_045_000_000_000),
        ("2026-01-02 03:04:05z", 1_767_323_045_000_000_000),
        ("2026-01-02T03:04Z", 1_767_323_040_000_000_000),
        ("2026-01-02", 1_767_312_000_000_000_000),
        ("0001-01-01T00:00:00+23:59", timestamp.FIRST_NS - 86_340 * 10**9),
    ],
)
def test_reads_every_form_that_documents_hold(text, ns):
    assert timestamp.parse(text) == ns


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "1767323045",
        "2026-13-01T00:00:00Z",
        "2026-02-30T00:00:00Z",
        "2026-01-02T24:00:00Z",
        "2026-01-02T03:04:60Z",
        "2026-01-02T03:04:05.1234567890Z",
        "2026-01-02T03:04:05.Z",
        "2026-01-02T03:04:05+24:00",
        "2026-01-02T03:04:05+01:60",
        "2026-01-02Z",
        "0000-01-01T00:00:00Z",
        "10000-01-01T00:00:00Z",
        "2026-01-02T03:04:05Z\n",
        "２０２６-01-02T03:04:05Z",
    ],
)
def test_what_is_no_time_is_a_value_error(text):
    with pytest.raises(ValueError, match=r"."):
        timestamp.parse(text)


def test_end_minus_start_is_the_duration_to_the_nanosecond():
    start, duration = 1_767_323_045_123_456_789, 987_654_321
    assert timestamp.parse(timestamp.render(start + duration)) - timestamp.parse(timestamp.render(start)) == duration
