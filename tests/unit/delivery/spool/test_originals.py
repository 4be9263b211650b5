"""The failure files of ElasticECSMetrics 1.0, made here the way that program makes them."""

from __future__ import annotations

import codecs
import io
import json
import string
import uuid
from typing import Any

import pytest

from elasticecsmetrics.config import IndexNameFrequency
from elasticecsmetrics.delivery.spool import originals
from elasticecsmetrics.errors import ForeignFileError
from elasticecsmetrics.model.document import CREATE

UUID = "8b1f0f9e-4d0c-4a57-9a4f-0d9c6cf7a9b1"
NAME = f"python_metrics_2020-02-20T23:20:30.123-0500_{UUID}.json"
DAILY = IndexNameFrequency.DAILY


def metric(number: int = 0, stamp: Any = "2020-02-20T23:20:29.001-0500") -> dict[str, Any]:
    return {"@timestamp": stamp, "metrics": {"name": f"metric é {number}"}, "event": {"start": stamp}}


def written(documents: list[Any]) -> bytes:
    file = io.BytesIO()
    json.dump(documents, codecs.getwriter("utf-8")(file), ensure_ascii=False)
    return file.getvalue()


@pytest.mark.parametrize("prefix", ["python_metrics", "a", "my_app_2020-02-20T10:20:30.123-0500_metrics", "métrique.x"])
@pytest.mark.parametrize(
    ("stamp", "seconds"),
    [
        ("2020-02-20T10:20:30.123-0500", 1_582_212_030),
        ("2020-02-20T10:20:30.123456-0500", 1_582_212_030),
        ("2020-02-20T10:20:30.123+0000", 1_582_194_030),
        ("2020-02-20T10:20:30.123+0530", 1_582_174_230),
    ],
)
def test_a_name_is_taken_apart_from_the_right(prefix: str, stamp: str, seconds: int) -> None:
    found = originals.parse_name(f"{prefix}_{stamp}_{uuid.uuid4()}.json")
    assert found is not None
    assert found.prefix == prefix
    assert found.time // 10**9 == seconds


@pytest.mark.parametrize(
    "name", ["a.json", f"x_{UUID}.json", f"x_2020-02-20_{UUID}.json", NAME.removesuffix(".json"), f".{UUID}"]
)
def test_other_names_are_not_the_originals(name: str) -> None:
    assert originals.parse_name(name) is None


@pytest.mark.parametrize(
    ("frequency", "index"),
    [
        (IndexNameFrequency.DAILY, "python_metrics-2020.02.21"),
        (IndexNameFrequency.WEEKLY, "python_metrics-2020.02.17"),
        (IndexNameFrequency.MONTHLY, "python_metrics-2020.02"),
        (IndexNameFrequency.YEARLY, "python_metrics-2020"),
        (IndexNameFrequency.NEVER, "python_metrics"),
    ],
)
def test_the_index_comes_from_the_prefix_and_the_documents_own_time_in_utc(frequency: IndexNameFrequency, index: str) -> None:
    contents = originals.read(NAME, written([metric()]), frequency)
    (document,) = [item.document for item in contents.items]
    assert document.index == index
    assert document.time == 1_582_258_829_001_000_000
    assert document.op == CREATE
    assert json.loads(document.body) == metric()


def test_every_document_has_its_own_id_the_same_on_each_reading() -> None:
    data = written([metric(0), metric(0), metric(0)])
    once, again = (originals.read(NAME, data, DAILY).items for _ in range(2))
    elsewhere = originals.read(NAME.replace("9b1", "9b2"), data, DAILY).items
    assert once == again
    ids = {item.document.id for item in [*once, *elsewhere]}
    assert len(ids) == 6
    assert {len(id_) for id_ in ids} == {20}
    assert set("".join(ids)) <= {*string.ascii_letters, *string.digits, *"-_"}


@pytest.mark.parametrize("stamp", ["yesterday", 5, None])
def test_a_document_whose_time_cannot_be_read_gets_that_of_the_file(stamp: Any) -> None:
    (item,) = originals.read(NAME, written([metric(stamp=stamp)]), DAILY).items
    assert item.document.index == "python_metrics-2020.02.21"


@pytest.mark.parametrize("cut", [1, 2, 40, 100, -3, -1])
def test_of_a_torn_file_the_whole_documents_are_read(cut: int) -> None:
    data = written([metric(0), metric(1)])
    contents = originals.read(NAME, data[:cut], DAILY)
    assert contents.torn
    assert [json.loads(item.document.body) for item in contents.items] == [metric(0), metric(1)][: len(contents.items)]
    assert len(contents.items) == {1: 0, 2: 0, 40: 0, 100: 0, -3: 1, -1: 2}[cut]


def test_a_file_cut_within_a_character_is_torn_there() -> None:
    data = written([metric(0), metric(1)])
    cut = data.rindex("é".encode()) + 1
    contents = originals.read(NAME, data[:cut], DAILY)
    assert (len(contents.items), contents.torn) == (1, True)


def test_what_follows_the_array_is_named() -> None:
    contents = originals.read(NAME, written([metric()]) + b"[", DAILY)
    assert (len(contents.items), contents.torn) == (1, True)


def test_an_element_that_is_no_document_is_passed_over_and_the_positions_of_the_others_stay() -> None:
    whole = originals.read(NAME, written([metric(0), metric(1), metric(2)]), DAILY)
    holed = originals.read(NAME, written([metric(0), {"a": 1}, metric(2)]), DAILY)
    assert holed.torn
    assert holed.items == [whole.items[0], whole.items[2]]


def test_a_file_laid_out_over_lines_gives_documents_of_one_line_with_the_same_ids() -> None:
    pretty = json.dumps([metric(0), {**metric(1), "x": "\ud800"}], indent=2).encode()
    contents = originals.read(NAME, pretty, DAILY)
    assert not contents.torn
    assert all(b"\n" not in item.document.body for item in contents.items)
    assert json.loads(contents.items[0].document.body) == metric(0)
    assert contents.items[0].document.id == originals.read(NAME, written([metric(0)]), DAILY).items[0].document.id


def test_an_empty_array_is_a_file_without_documents() -> None:
    assert originals.read(NAME, b"[]", DAILY) == ([], False, 0)


@pytest.mark.parametrize(
    ("name", "data", "problem"),
    [
        ("a.json", written([metric()]), "not written by elasticecsmetrics"),
        (NAME, b'{"@timestamp": "2020-02-20T10:20:30.123-0500"}', "not written by elasticecsmetrics"),
        (NAME, b"", "not written by elasticecsmetrics"),
        (NAME, b'[{"name": "left-pad"}]', "no documents with an @timestamp"),
        (NAME, b"[1, 2]", "no documents with an @timestamp"),
        (f"UPPER {NAME}", written([metric()]), "no index's name"),
    ],
)
def test_what_the_original_has_not_written_is_foreign(name: str, data: bytes, problem: str) -> None:
    with pytest.raises(ForeignFileError, match=problem):
        originals.read(name, data, DAILY)
