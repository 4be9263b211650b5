from __future__ import annotations

import ast
import sys
import threading
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elasticecsmetrics.config import IndexConfig, IndexNameFrequency
from elasticecsmetrics.errors import ConfigurationError
from elasticecsmetrics.indexing.naming import index_namer, index_patterns, parse_index_name, validate_index_name

DAY = 86_400 * 10**9
EPOCH = datetime(1970, 1, 1)
DATED = [frequency for frequency in IndexNameFrequency if frequency is not IndexNameFrequency.NEVER]
STRFTIME = {
    IndexNameFrequency.DAILY: "%Y.%m.%d",
    IndexNameFrequency.MONTHLY: "%Y.%m",
    IndexNameFrequency.YEARLY: "%Y",
}


def ns(year: int, month: int, day: int, hour: int = 0, minute: int = 0, second: int = 0, microsecond: int = 0) -> int:
    return (datetime(year, month, day, hour, minute, second, microsecond) - EPOCH) // timedelta(microseconds=1) * 1000


FIRST, LAST = ns(1, 1, 1), ns(9999, 12, 31, 23, 59, 59, 999999) + 999
times = st.integers(FIRST, LAST)
dated = st.sampled_from(DATED)


def config(frequency: IndexNameFrequency, name: str = "metrics") -> IndexConfig:
    return IndexConfig(name=name, frequency=frequency)


def name_of(time_ns: int, frequency: IndexNameFrequency) -> str:
    return index_namer(config(frequency))(time_ns)


@pytest.mark.parametrize(
    ("frequency", "name"),
    [
        (IndexNameFrequency.DAILY, "metrics-2026.11.22"),
        (IndexNameFrequency.WEEKLY, "metrics-2026.11.16"),
        (IndexNameFrequency.MONTHLY, "metrics-2026.11"),
        (IndexNameFrequency.YEARLY, "metrics-2026"),
        (IndexNameFrequency.NEVER, "metrics"),
    ],
)
def test_name_has_the_documented_form(frequency: IndexNameFrequency, name: str) -> None:
    assert name_of(ns(2026, 11, 22, 9), frequency) == name


def test_week_goes_on_over_the_end_of_the_year() -> None:
    assert name_of(ns(2027, 1, 3, 23, 59, 59), IndexNameFrequency.WEEKLY) == "metrics-2026.12.28"
    assert name_of(ns(2027, 1, 4), IndexNameFrequency.WEEKLY) == "metrics-2027.01.04"


@given(times, dated)
def test_period_of_the_name_holds_the_time(time_ns: int, frequency: IndexNameFrequency) -> None:
    period = parse_index_name(name_of(time_ns, frequency), config(frequency))
    assert period is not None
    assert period[0] <= time_ns < period[1]


@given(times, dated)
def test_name_changes_exactly_where_its_period_ends(time_ns: int, frequency: IndexNameFrequency) -> None:
    name = name_of(time_ns, frequency)
    start, end = parse_index_name(name, config(frequency)) or (0, 0)
    assert name_of(start, frequency) == name == name_of(end - 1, frequency)
    assert end > LAST or name_of(end, frequency) > name
    assert start <= FIRST or name_of(start - 1, frequency) < name


@given(times, times, dated)
def test_later_time_never_has_an_earlier_name(one: int, other: int, frequency: IndexNameFrequency) -> None:
    early, late = sorted((one, other))
    assert name_of(early, frequency) <= name_of(late, frequency)


@given(st.integers(ns(1000, 1, 1), LAST), st.sampled_from(list(STRFTIME)))
def test_date_is_that_of_strftime(time_ns: int, frequency: IndexNameFrequency) -> None:
    text = (EPOCH + timedelta(microseconds=time_ns // 1000)).strftime(STRFTIME[frequency])
    assert name_of(time_ns, frequency) == f"metrics-{text}"


@given(times)
def test_week_is_named_by_its_monday(time_ns: int) -> None:
    day = (EPOCH + timedelta(microseconds=time_ns // 1000)).date()
    year, month, monday = name_of(time_ns, IndexNameFrequency.WEEKLY).removeprefix("metrics-").split(".")
    named = date(int(year), int(month), int(monday))
    assert named.isoweekday() == 1
    assert named <= day < named + timedelta(days=7) if named < date(9999, 12, 27) else named <= day


@given(st.lists(st.one_of(times, st.integers(ns(2026, 11, 20), ns(2026, 11, 24))), min_size=1), dated)
def test_remembered_period_never_changes_an_answer(sequence: list[int], frequency: IndexNameFrequency) -> None:
    remembering = index_namer(config(frequency))
    assert [remembering(time_ns) for time_ns in sequence] == [name_of(time_ns, frequency) for time_ns in sequence]


@given(st.integers(), st.sampled_from(IndexNameFrequency))
def test_no_time_raises(time_ns: int, frequency: IndexNameFrequency) -> None:
    assert name_of(time_ns, frequency).startswith("metrics")


@pytest.mark.parametrize(
    ("time_ns", "name"),
    [
        (FIRST - 1, "metrics-0001.01.01"),
        (-(10**40), "metrics-0001.01.01"),
        (LAST + 1, "metrics-9999.12.31"),
        (10**40, "metrics-9999.12.31"),
    ],
)
def test_time_without_a_date_gets_the_nearest_day(time_ns: int, name: str) -> None:
    assert name_of(time_ns, IndexNameFrequency.DAILY) == name


def test_threads_racing_over_midnight_get_right_names() -> None:
    name_index = index_namer(config(IndexNameFrequency.DAILY))
    expected = {ns(2026, 11, day): f"metrics-2026.11.{day}" for day in range(10, 14)}
    wrong: list[tuple[int, str]] = []

    def ask(time_ns: int) -> None:
        for _ in range(5000):
            name = name_index(time_ns)
            if name != expected[time_ns]:
                wrong.append((time_ns, name))

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=ask, args=(time_ns,)) for time_ns in expected]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert wrong == []


@pytest.mark.parametrize(
    "index",
    [
        "metrics",
        "metrics-",
        "other-2026.11.22",
        "metrics-other-2026.11.22",
        "metrics_2026.11.22",
        "2026.11.22",
        "metrics-2026.13",
        "metrics-2026.02.29",
        "metrics-0000",
        "metrics-2026.1.2",
        "metrics-2026.11.22-000001",
        "metrics-2026.11.22 ",
        "metrics-2026-11-22",
        "metrics-٢٠٢٦",
    ],
)
def test_name_of_another_index_has_no_period(index: str) -> None:
    assert parse_index_name(index, config(IndexNameFrequency.DAILY)) is None


def test_name_with_hyphens_is_parsed_back() -> None:
    named = config(IndexNameFrequency.DAILY, "my-app-2026")
    index = index_namer(named)(ns(2026, 11, 22))
    assert index == "my-app-2026-2026.11.22"
    assert parse_index_name(index, named) == (ns(2026, 11, 22), ns(2026, 11, 23))


@pytest.mark.parametrize("frequency", IndexNameFrequency)
def test_form_tells_the_period_whatever_the_frequency_is_now(frequency: IndexNameFrequency) -> None:
    assert parse_index_name("metrics-2024.02", config(frequency)) == (ns(2024, 2, 1), ns(2024, 3, 1))
    assert parse_index_name("metrics-2024", config(frequency)) == (ns(2024, 1, 1), ns(2025, 1, 1))
    assert parse_index_name("metrics-2024.02.29", config(frequency)) == (ns(2024, 2, 29), ns(2024, 3, 1))


@pytest.mark.parametrize("frequency", IndexNameFrequency)
def test_monday_counts_as_a_week_unless_names_are_daily(frequency: IndexNameFrequency) -> None:
    days = 1 if frequency is IndexNameFrequency.DAILY else 7
    start = ns(2026, 11, 16)
    assert parse_index_name("metrics-2026.11.16", config(frequency)) == (start, start + days * DAY)


@pytest.mark.parametrize("frequency", IndexNameFrequency)
@pytest.mark.parametrize("index", ["metrics-9999.12.31", "metrics-9999.12", "metrics-9999"])
def test_last_periods_of_the_calendar_have_an_end(index: str, frequency: IndexNameFrequency) -> None:
    period = parse_index_name(index, config(frequency))
    assert period is not None
    assert period[0] < LAST < period[1]


@pytest.mark.parametrize(
    "name",
    ["python_metrics", ".hidden", "a-b_c+d", "é", "1", "...", "a.", "x" * 244, "é" * 122, "a%b", "a@b", "name-2026.11.22"],
)
def test_valid_name_is_taken(name: str) -> None:
    assert validate_index_name(name) == name


@pytest.mark.parametrize(
    ("name", "rule", "proposal"),
    [
        ("Python_Metrics", "lower case", "python_metrics"),
        ("É", "lower case", "é"),
        ("my metrics", "holds no ' '", "my_metrics"),
        *((f"a{character}b", f"holds no {character!r}", "a_b") for character in '\\/*?"<>|,#:\t\0\u200b\ud800'),
        ("_metrics", "start with", "metrics"),
        ("-metrics", "start with", "metrics"),
        ("+metrics", "start with", "metrics"),
        ("", "not empty", "python_metrics"),
        (".", "not empty", "python_metrics"),
        ("..", "not empty", "python_metrics"),
        ("///", "holds no '/'", "python_metrics"),
        ("x" * 245, "at most 255 bytes", "x" * 244),
        ("é" * 123, "at most 255 bytes", "é" * 122),
        (None, "is a string", "none"),
    ],
)
def test_broken_rule_is_named_with_a_proposal(name: str, rule: str, proposal: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        validate_index_name(name)
    message = str(raised.value)
    assert message.startswith(f"es_index_name={name!r}: ")
    assert rule in message
    assert message.endswith(f"for example {proposal!r}")


@given(st.text())
def test_every_proposal_is_valid(name: str) -> None:
    try:
        validate_index_name(name)
    except ConfigurationError as error:
        proposal = ast.literal_eval(str(error).rpartition("for example ")[2])
        assert validate_index_name(proposal) == proposal


def test_namer_refuses_a_name_that_no_server_takes() -> None:
    with pytest.raises(ConfigurationError, match="es_index_name='A'"):
        index_namer(IndexConfig(name="A"))


@pytest.mark.parametrize("frequency", DATED)
def test_longest_name_fits_with_its_date(frequency: IndexNameFrequency) -> None:
    name_index = index_namer(config(frequency, "x" * 244))
    assert len(name_index(ns(2026, 11, 22))) <= 255


def test_patterns_match_the_names_and_no_longer_prefix() -> None:
    assert index_patterns("metrics") == ("metrics", "metrics-*")


def test_last_week_of_the_calendar_ends_after_it() -> None:
    monday = ns(9999, 12, 27)
    assert parse_index_name("metrics-9999.12.27", config(IndexNameFrequency.WEEKLY)) == (monday, monday + 7 * DAY)
