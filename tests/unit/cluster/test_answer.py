"""Retry-After, the error objects of both servers, and glimpses of what nobody expected."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elasticecsmetrics.cluster.answer import GLIMPSE_LENGTH, LONGEST_WAIT, REASON_LENGTH, Answer, cut, error_of, without_login

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["type", "reason", "caused_by", "x"]), inner),
)


def answer(body: bytes = b"", **headers: str) -> Answer:
    return Answer(200, {name.replace("_", "-"): value for name, value in headers.items()}, body, "http://search:9200")


@pytest.mark.parametrize(
    ("given_", "seconds"),
    [
        ("120", 120),
        ("0", 0),
        (" 1.5 ", 1.5),
        ("-5", 0),
        ("", None),
        ("soon", None),
        ("nan", None),
        ("inf", None),
        ("1e999", None),
    ],
)
def test_seconds_of_retry_after_are_read(given_: str, seconds: float | None) -> None:
    assert answer(retry_after=given_).retry_after() == seconds


@pytest.mark.parametrize(
    ("given_", "seconds"),
    [("300", 300), ("301", 300), ("99999999999", 300), ("Fri, 31 Dec 9999 23:59:59 GMT", 300)],
)
def test_no_page_for_maintenance_keeps_us_silent_for_hours(given_: str, seconds: float) -> None:
    assert answer(retry_after=given_, date="Sun, 22 Nov 2026 09:00:00 GMT").retry_after() == seconds
    assert LONGEST_WAIT == 300


def test_answer_without_retry_after_has_none() -> None:
    assert answer().retry_after() is None


def test_date_of_retry_after_is_measured_by_the_servers_own_clock() -> None:
    later = answer(retry_after="Sun, 22 Nov 2026 09:00:30 GMT", date="Sun, 22 Nov 2026 09:00:00 GMT")
    assert later.retry_after(wall=0.0) == 30


def test_date_of_retry_after_is_measured_by_our_clock_when_the_server_tells_no_time() -> None:
    later = answer(retry_after="Sun, 22 Nov 2026 09:00:30 GMT")
    assert later.retry_after(wall=1_795_338_000.0) == 30
    assert later.retry_after(wall=1_795_338_100.0) == 0


@pytest.mark.parametrize("date", ["Sun, 99 Nov 2026 09:00:30 GMT", "yesterday", "Sun, 22 Nov 2026", "\x00"])
def test_date_that_is_none_is_passed_over(date: str) -> None:
    assert answer(retry_after=date).retry_after() is None
    answer(retry_after="Sun, 22 Nov 2026 09:00:30 GMT", date=date).retry_after()


def test_cause_is_added_to_the_reason() -> None:
    error = {"type": "t", "reason": "failed to parse", "caused_by": {"reason": "empty name", "caused_by": {"reason": "deeper"}}}
    assert error_of(error) == ("t", "failed to parse: empty name")


def test_cause_that_the_reason_tells_already_is_not_repeated() -> None:
    assert error_of({"type": "t", "reason": "a: b", "caused_by": {"reason": "b"}}) == ("t", "a: b")


def test_plain_text_in_the_place_of_an_error_is_its_reason() -> None:
    assert error_of("Content-Type header [text/plain] is not supported") == (
        "",
        "Content-Type header [text/plain] is not supported",
    )


def test_long_reason_is_cut_and_keeps_its_cause() -> None:
    type_, reason = error_of({"type": "t", "reason": "x" * 40_000, "caused_by": {"reason": f"{'y' * 40_000}the end"}})
    assert type_ == "t"
    assert len(reason) == REASON_LENGTH
    assert reason.startswith("xxx")
    assert reason.endswith("the end")


@given(JSON)
def test_any_json_in_the_place_of_an_error_is_read(value: Any) -> None:
    type_, reason = error_of(value)
    assert isinstance(type_, str)
    assert len(reason) <= REASON_LENGTH


@given(st.text(max_size=300), st.integers(2, 200))
def test_cut_text_has_the_length_asked_for(text: str, length: int) -> None:
    shorter = cut(text, length)
    assert shorter == text if len(text) <= length else len(shorter) == length


@given(st.binary(max_size=1000))
def test_glimpse_of_any_body_is_one_short_line(body: bytes) -> None:
    glimpse = answer(body).glimpse()
    assert len(glimpse) <= GLIMPSE_LENGTH
    assert "\n" not in glimpse


@pytest.mark.parametrize("body", [b"", b"<html>", b"{", b"\xff", b"NaN", b"[" * 100_000])
def test_body_that_is_no_json_is_none(body: bytes) -> None:
    assert answer(body).json() is None


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("see http://bob:s3cret@search:9200/x, then", "see http://***@search:9200/x, then"),
        ("https://s3cret@a http://u:s3c@s3cret@b", "https://***@a http://***@b"),
        ("http://search/@user", "http://search/@user"),
        ("mail bob@example.org // or", "mail bob@example.org // or"),
    ],
)
def test_logins_of_urls_are_taken_out_of_a_text(text: str, shown: str) -> None:
    assert without_login(text) == shown


@pytest.mark.parametrize(
    ("location", "shown"),
    [
        ("https://bob:s3cret@login:8443/sso/@me?ticket=s3cret#s3cret", "https://***@login:8443/sso/@me"),
        ("/login?token=s3cret", "/login"),
        ("https://login/", "https://login/"),
        ("", ""),
    ],
)
def test_place_of_a_redirect_is_told_without_what_may_be_secret(location: str, shown: str) -> None:
    assert answer(location=location).location() == shown


def test_glimpse_shows_no_login() -> None:
    assert answer(b"<a href='https://bob:s3cret@search/'>moved</a>").glimpse() == "<a href='https://***@search/'>moved</a>"
