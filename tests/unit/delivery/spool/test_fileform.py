"""The form of the failure folder's files: exact in both directions, and readable wherever it breaks off."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from elasticecsmetrics.delivery.spool import fileform
from elasticecsmetrics.delivery.spool.fileform import Item
from elasticecsmetrics.model.document import CREATE, INDEX, Document

NS = 1_795_338_000_123_456_000
STAMP = "2026-11-22T09:00:00.123456Z"

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
sources = st.dictionaries(st.text(), values, max_size=5)
texts = st.text(min_size=1, max_size=20)


@st.composite
def items(draw: st.DrawFn) -> Item:
    source = draw(sources) | {"@timestamp": STAMP}
    # Both kinds of encoders: those that escape and those that do not, with blanks and without.
    body = json.dumps(source, ensure_ascii=draw(st.booleans()), separators=draw(st.sampled_from([(",", ":"), (", ", ": ")])))
    document = Document(draw(texts), NS, draw(texts), draw(st.sampled_from([CREATE, INDEX])), body.encode())
    error = draw(st.none() | st.fixed_dictionaries({"status": st.just(400), "reason": st.text()}))
    return Item(document, error)


def item(number: int = 0, body: bytes | None = None) -> Item:
    source = body or f'{{"@timestamp":"{STAMP}","n":{number}}}'.encode()
    return Item(Document(f"id-{number}", NS, "logs-2026.11.22", CREATE, source))


@given(items())
def test_a_line_read_back_is_the_document_to_the_byte(one: Item) -> None:
    assert fileform.parse_line(fileform.line(*one)) == one


@given(st.lists(items(), max_size=5), st.integers(0, 1000))
def test_a_file_is_valid_json_and_reads_back_whole(several: list[Item], position: int) -> None:
    data = fileform.file_bytes(several)
    parsed: list[dict[str, Any]] = json.loads(data)
    assert [one["_source"] for one in parsed] == [json.loads(one.document.body) for one in several]
    contents = fileform.read(data)
    assert (contents.items, contents.torn) == (several, False)
    assert fileform.count([data[:position], data[position:]]) == len(several)
    assert fileform.is_ours("anything.json" if several else f"{fileform.new_name(NS)}.json", data)


@given(st.lists(items(), min_size=1, max_size=4), st.data())
def test_a_file_cut_anywhere_keeps_its_whole_lines_and_says_that_it_is_torn(several: list[Item], data: st.DataObject) -> None:
    whole = fileform.file_bytes(several)
    cut = data.draw(st.integers(0, len(whole) - 1))
    contents = fileform.read(whole[:cut])
    ends = [len(fileform.file_bytes(several[:count])) - len(fileform.TAIL) for count in range(1, len(several) + 1)]
    assert contents.items == several[: sum(end <= cut for end in ends)]
    assert contents.torn == (cut < len(whole) - 1)
    assert fileform.read(whole[: contents.end] + fileform.TAIL).items == contents.items


@given(st.binary())
@example(b"[\n{")
@example(b"\xff\n[\n]")
def test_any_bytes_at_all_are_read_without_an_error(data: bytes) -> None:
    contents = fileform.read(data)
    assert contents.torn or not data.strip(b"[] \t\r\n\x0b\x0c,")


def test_a_broken_line_in_the_middle_costs_itself_only() -> None:
    lines = fileform.file_bytes([item(0), item(1), item(2)]).split(b"\n")
    lines[2] = b"\0" * len(lines[2])
    contents = fileform.read(b"\n".join(lines))
    assert [one.document.id for one in contents.items] == ["id-0", "id-2"]
    assert contents.torn


def test_only_an_op_other_than_create_is_written() -> None:
    assert b"_op" not in fileform.line(item().document)
    assert b'"_op":"index"' in fileform.line(item().document._replace(op=INDEX))


def test_a_lone_surrogate_and_a_number_beyond_64_bits_come_back() -> None:
    body = b'{"@timestamp":"2026-11-22T09:00:00.123456Z","s":"\\ud800","n":123456789012345678901234567890}'
    assert fileform.read(fileform.file_bytes([item(body=body)])).items[0].document.body == body


def test_a_body_laid_out_over_lines_does_not_tear_the_file() -> None:
    body = b'{\n  "@timestamp": "2026-11-22T09:00:00.123456Z"\n}'
    contents = fileform.read(fileform.file_bytes([item(body=body)]))
    assert not contents.torn
    assert json.loads(contents.items[0].document.body) == json.loads(body)


@pytest.mark.parametrize("stamp", [b'"yesterday"', b"12", b"null"])
def test_a_document_without_a_readable_time_is_kept_with_time_zero(stamp: bytes) -> None:
    body = b'{"@timestamp":%b}' % stamp
    assert fileform.parse_line(fileform.line(item(body=body).document)).document.time == 0


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"[]",
        b"{}",
        b'{"_index":"a","_id":"b"}',
        b'{"_index":1,"_id":"b","_source":{}}',
        b'{"_index":"a","_id":"b","_source":3}',
        b'{"_index":"a","_id":"b","_op":"delete","_source":{}}',
        b'{"_index":"a","_id":"b","_source":{},"error":"x"}',
        b'{"_index":"a","_id":"b","_source":{}} {}',
        b'{"_index":"a","_id":"\xff","_source":{}}',
        b'{"_index":"a","_id":"b","_source":' + b'{"a":' * 100_000 + b"1" + b"}" * 100_000 + b"}",
    ],
)
def test_what_is_no_document_of_ours_is_refused(line: bytes) -> None:
    with pytest.raises(ValueError):
        fileform.parse_line(line)


def test_a_line_edited_by_hand_is_read() -> None:
    line = b' { "_id" : "b" , "_index" : "a" , "_source" : { "x" : 1 } } '
    assert fileform.parse_line(line).document == Document("b", 0, "a", CREATE, b'{ "x" : 1 }')


@given(st.lists(st.integers(0, 4_000_000_000_000_000_000), min_size=2, max_size=5))
def test_names_sort_by_time_and_tell_it(times: list[int]) -> None:
    names = [fileform.new_name(time) for time in sorted(times)]
    assert [name[:23] for name in names] == sorted(name[:23] for name in names)
    assert [fileform.name_time(f"{name}.json") for name in names] == [time // 1000 * 1000 for time in sorted(times)]
    assert len(set(names)) == len(names)


def test_names_of_one_instant_sort_by_their_making() -> None:
    names = [fileform.new_name(NS) for _ in range(100)]
    assert names == sorted(names)


@pytest.mark.parametrize("name", ["", "x.json", "20269922T090000.123456Z-1-0000001.json", "20261122.json"])
def test_other_names_tell_no_time(name: str) -> None:
    assert fileform.name_time(name) is None


def test_ours_is_known_by_its_contents_and_where_these_are_lost_by_its_name() -> None:
    name = f"{fileform.new_name(NS)}.json"
    whole = fileform.file_bytes([item()])
    assert fileform.is_ours("renamed.json", whole)
    assert fileform.is_ours("renamed.json", whole[:20])
    assert fileform.is_ours(name, b"")
    assert fileform.is_ours(name, b"\0" * 100)
    assert not fileform.is_ours("renamed.json", b"")
    assert not fileform.is_ours("package.json", b'[\n  {"name": "left-pad"}\n]\n')
    assert not fileform.is_ours("data.json", b'{"_index": "a"}')


@given(st.lists(items(), max_size=4), st.sampled_from([None, 2, "\t"]), st.booleans())
def test_a_file_laid_out_anew_by_another_program_is_whole(several: list[Item], indent: int | str | None, ascii_: bool) -> None:
    data = json.dumps(json.loads(fileform.file_bytes(several)), indent=indent, ensure_ascii=ascii_).encode("utf-8", "replace")
    contents = fileform.read(data)
    assert not contents.torn
    assert [one.document._replace(body=b"") for one in contents.items] == [
        one.document._replace(body=b"") for one in fileform.read(fileform.file_bytes(fileform.read(data).items)).items
    ]
    assert [json.loads(one.document.body) for one in contents.items] == [one["_source"] for one in json.loads(data)]
    assert all(b"\n" not in one.document.body for one in contents.items)
    assert fileform.read(data[: contents.end] + fileform.TAIL).items == contents.items


@pytest.mark.parametrize("indent", [None, 2])
def test_a_file_laid_out_anew_is_ours_under_any_name(indent: int | None) -> None:
    data = json.dumps(json.loads(fileform.file_bytes([item()])), indent=indent).encode()
    assert fileform.may_be_ours("renamed.json", data)
    assert fileform.is_ours("renamed.json", data)
    assert not fileform.is_ours("renamed.json", b"[" + data + b"]")
    assert fileform.read(data[:-2]).torn
