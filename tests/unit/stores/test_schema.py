"""How a document becomes a row, and a time becomes text that sorts."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elasticecsmetrics.model.document import CREATE, Document
from elasticecsmetrics.stores.sql.schema import ID_LENGTH, INDEX_LENGTH, row, time_ns, time_text

FIRST = -62_135_596_800_000_000_000
LAST = 253_402_300_799_999_999_999
TIMES = st.integers(FIRST, LAST)


@pytest.mark.parametrize(
    ("time", "text"),
    [
        (0, "1970-01-01T00:00:00.000000000Z"),
        (-1, "1969-12-31T23:59:59.999999999Z"),
        (1_795_338_000_123_456_789, "2026-11-22T09:00:00.123456789Z"),
        (FIRST, "0001-01-01T00:00:00.000000000Z"),
        (LAST, "9999-12-31T23:59:59.999999999Z"),
    ],
)
def test_time_is_written_in_utc_to_the_nanosecond(time: int, text: str) -> None:
    assert time_text(time) == text
    assert time_ns(text) == time


@given(TIMES)
def test_time_reads_back(time: int) -> None:
    assert time_ns(time_text(time)) == time


@given(TIMES, TIMES)
def test_text_sorts_as_time_does(first: int, second: int) -> None:
    assert (time_text(first) < time_text(second)) is (first < second)


@given(st.integers(min_value=LAST + 1) | st.integers(max_value=FIRST - 1))
def test_time_without_a_year_of_four_digits_is_refused(time: int) -> None:
    with pytest.raises(ValueError, match="four digits"):
        time_text(time)


@pytest.mark.parametrize("text", ["", "2026-11-22", "2026-11-22T09:00:00Z", "2026-13-22T09:00:00.123456789Z", " " * 30])
def test_text_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        time_ns(text)


def test_row_has_index_and_time_as_columns_and_the_body_as_it_is() -> None:
    time = int(datetime(2026, 11, 22, 9, tzinfo=UTC).timestamp()) * 10**9
    assert row(Document("1", time, "m-2026.11.22", CREATE, '{"a": "ü"}'.encode())) == {
        "index_name": "m-2026.11.22",
        "id": "1",
        "time": "2026-11-22T09:00:00.000000000Z",
        "body": '{"a": "ü"}',
    }


@given(st.text(max_size=ID_LENGTH), st.text(max_size=INDEX_LENGTH))
def test_any_id_and_index_make_storable_text(id_: str, index: str) -> None:
    made = row(Document(id_, 0, index, CREATE, b"{}"))
    assert (made["id"].encode(), made["index_name"].encode()) == (id_.encode(), index.encode())


def test_ids_of_lone_surrogates_stay_apart() -> None:
    first, second = (row(Document(id_, 0, "m", CREATE, b"{}"))["id"] for id_ in ("\ud800", "\ud801"))
    assert first != second
    assert first.encode() != second.encode()


@pytest.mark.parametrize(
    "document",
    [
        Document("x" * (ID_LENGTH + 1), 0, "m", CREATE, b"{}"),
        Document("1", 0, "m" * (INDEX_LENGTH + 1), CREATE, b"{}"),
        Document("1", 0, "m", CREATE, b"\xff"),
        Document("1", LAST + 1, "m", CREATE, b"{}"),
    ],
    ids=["id too long", "index too long", "no UTF-8", "no year"],
)
def test_document_that_no_database_takes_is_refused(document: Document) -> None:
    with pytest.raises(ValueError):
        row(document)
