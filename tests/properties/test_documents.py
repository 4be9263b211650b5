"""Whatever a user puts into ``extra``: a document comes out, strict JSON, taken by every server, and nothing is lost."""

from __future__ import annotations

import collections
import dataclasses
import enum
import json
import logging
import math
from datetime import UTC
from pathlib import PurePosixPath
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from elasticecsmetrics.config import DocumentConfig
from elasticecsmetrics.ecs import schema, timestamp
from elasticecsmetrics.ecs.builder import DocumentBuilder
from elasticecsmetrics.ecs.clean import RESERVED_NAMES
from elasticecsmetrics.ecs.encode import encode
from elasticecsmetrics.ecs.logrecord import STANDARD_ATTRIBUTES
from elasticecsmetrics.ecs.repair import to_label
from elasticecsmetrics.ecs.text import well_formed

BUILDER = DocumentBuilder(DocumentConfig(service_name="shop"), name_index=lambda ns: "index")


class Colour(enum.Enum):
    RED = "red-value"


@dataclasses.dataclass
class Order:
    number: Any
    note: Any


class Odd:
    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text


ECS_NAMES = sorted(
    {*schema.TOP_LEVEL_NAMES, "metrics", "metrics.duration", *list(schema.fields())[::40], *list(schema.objects())[::40]}
)
ODD_NAMES = ["a", "b", "a.b", "a.b.c", "labels.a", "labels.a.b", "", ".", "a.", ".a", " "]

NAMES = (
    st.sampled_from([*ECS_NAMES, *sorted(RESERVED_NAMES), *ODD_NAMES])
    | st.text(st.characters(), max_size=6)
    | st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.binary(max_size=3)
    | st.tuples(st.integers())
)

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(st.characters(), max_size=20)
    | st.binary(max_size=8)
    | st.decimals()
    | st.fractions()
    | st.complex_numbers()
    | st.datetimes(timezones=st.none() | st.just(UTC))
    | st.dates()
    | st.times()
    | st.timedeltas()
    | st.uuids()
    | st.ip_addresses()
    | st.sampled_from([Colour.RED, PurePosixPath("/a/b"), ValueError("bad"), Odd("odd"), object, len])
    | st.floats(width=32).map(np.float32)
    | st.integers(-(2**31), 2**31 - 1).map(np.int64)
)


def containers(inside: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return (
        st.lists(inside, max_size=4)
        | st.dictionaries(NAMES, inside, max_size=4)
        | st.lists(inside, max_size=3).map(tuple)
        | st.lists(inside, max_size=3).map(collections.deque)
        | st.builds(Order, inside, inside)
        | st.frozensets(st.integers() | st.text(max_size=3), max_size=3)
        | inside.map(lambda value: {"k": {"k": {"k": {"k": {"k": {"k": {"k": {"k": value}}}}}}}})
    )


VALUES = st.recursive(SCALARS, containers, max_leaves=12)
EXTRAS = st.dictionaries(NAMES, VALUES, max_size=6)


def read_strictly(body: bytes) -> dict[str, Any]:
    def refuse(constant: str) -> Any:
        raise AssertionError(constant)

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        assert len(dict(pairs)) == len(pairs), pairs
        return dict(pairs)

    assert b"\n" not in body
    document = json.loads(body.decode("utf-8"), parse_constant=refuse, object_pairs_hook=once)
    assert isinstance(document, dict)
    return document


def given_to_a_record(extra: dict[Any, Any]) -> dict[Any, Any]:
    """Without the names of a record's own attributes, which a logger refuses as extras."""
    return {name: value for name, value in extra.items() if name not in STANDARD_ATTRIBUTES}


def build(extra: dict[Any, Any]) -> bytes:
    record = logging.LogRecord("app", logging.INFO, "/srv/a.py", 7, "hello", (), None, "f")
    record.__dict__.update(given_to_a_record(extra))
    built = BUILDER.log(record)
    assert built.failure is None
    return built.document.body


def build_metric(fields: dict[Any, Any]) -> bytes:
    return BUILDER.metric("load", 1_767_323_045_123_456_789, 1_500, outcome="success", fields=fields).body


BUILDS = pytest.mark.parametrize("make", [build, build_metric, encode])


def leaves(value: Any, path: tuple[str, ...] = ()) -> Any:
    if isinstance(value, dict):
        for name, below in value.items():
            yield from leaves(below, (*path, name))
    elif isinstance(value, list):
        for below in value:
            yield from leaves(below, path)
    else:
        yield path, value


def objects(value: Any, path: tuple[str, ...] = ()) -> Any:
    if isinstance(value, dict):
        yield path, value
        for name, below in value.items():
            yield from objects(below, (*path, name))
    elif isinstance(value, list):
        for below in value:
            yield from objects(below, path)


def kinds(value: Any) -> set[str]:
    if isinstance(value, list):
        return set().union(*(kinds(element) for element in value))
    if value is None:
        return set()
    names = {bool: "boolean", int: "number", float: "number", str: "text", dict: "object"}
    return {names[type(value)]}


def lists(value: Any) -> Any:
    if isinstance(value, list):
        yield value
    for below in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from lists(below)


@BUILDS
@given(extra=EXTRAS)
@settings(max_examples=250, deadline=None)
def test_every_document_is_one_that_every_server_takes(make, extra):
    document = read_strictly(make(extra))
    assert not RESERVED_NAMES & set(document)
    for path, value in objects(document):
        assert len(path) < 20
        for name in value:
            assert name.strip()
            # A dot would name an object, which may stand there as well.
            assert "." not in name
    for path, value in leaves(document):
        assert len(path) <= 20
        if type(value) is int:
            assert -(2**63) <= value < 2**63
    for each in lists(document):
        assert len(kinds(each)) <= 1


def holds(field: schema.Field, value: Any) -> bool:
    """Whether a server's mapping of this type takes the value, and it has the JSON kind of that type."""
    if value is None:
        return True
    if field.array != isinstance(value, list):
        return False
    of_type = {
        "long": lambda v: type(v) is int,
        "integer": lambda v: type(v) is int and abs(v) <= 2**31,
        "boolean": lambda v: type(v) is bool,
        "date": lambda v: timestamp.render(timestamp.parse(v)) == v,
        "geo_point": lambda v: isinstance(v, dict),
    }
    for name in ("float", "double", "scaled_float"):
        of_type[name] = lambda v: type(v) in (int, float)
    check = of_type.get(field.type, lambda v: isinstance(v, str))
    return all(check(element) for element in (value if isinstance(value, list) else [value]))


@pytest.mark.parametrize("make", [build, build_metric])
@given(extra=EXTRAS | st.dictionaries(st.sampled_from(ECS_NAMES), VALUES, max_size=8))
@settings(max_examples=250, deadline=None)
@example(extra={"user": "bob", "host": {"ip": "x"}, "tags": "a", "event.duration": "soon", "dns.answers": [{"ttl": "x"}]})
def test_what_stands_at_a_name_of_ecs_has_its_type(make, extra):
    document = read_strictly(make(extra))
    for name, field in schema.fields().items():
        value: Any = document
        for part in name.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        if field.type in schema.OBJECT_TYPES:
            assert value is None or isinstance(value, dict) or all(isinstance(element, dict) for element in value), name
        else:
            assert holds(field, value), (name, value)
    for name in schema.TOP_LEVEL_OBJECTS | {"metrics"}:
        assert isinstance(document.get(name, {}), dict)
    assert all(isinstance(text, str) for _, text in leaves(document.get("labels", {})))
    assert not any(isinstance(label, dict) for label in document.get("labels", {}).values())


@given(extra=EXTRAS)
@settings(max_examples=150, deadline=None)
def test_what_the_handler_owns_is_as_without_extras(extra):
    log, metric = read_strictly(build(extra)), read_strictly(build_metric(extra))
    assert log["message"] == "hello"
    assert log["log"]["level"] == "info"
    assert log["ecs"]["version"] == metric["ecs"]["version"] == schema.ECS_VERSION
    assert timestamp.parse(log["@timestamp"]) > 1_700_000_000_000_000_000
    assert metric["@timestamp"] == metric["event"]["start"] == "2026-01-02T03:04:05.123456789Z"
    assert (metric["event"]["end"], metric["event"]["duration"]) == ("2026-01-02T03:04:05.123458289Z", 1500)
    assert (metric["metrics"]["name"], metric["metrics"]["duration"]["us"]) == ("load", 1)


def texts_of(value: Any) -> Any:
    """The texts that have to be found again for each scalar of a user's value."""
    if isinstance(value, dict):
        for below in value.values():
            yield from texts_of(below)
    elif isinstance(value, (list, tuple, set, frozenset, collections.deque)):
        for below in value:
            yield from texts_of(below)
    elif isinstance(value, Order):
        yield from texts_of([value.number, value.note])
    else:
        yield text_of(value)


def text_of(value: Any) -> str:
    if type(value) is float and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity"
    return value.value if isinstance(value, Colour) else well_formed(str(value))


def everything_in(value: Any) -> Any:
    """The texts of all scalars of a document; those inside JSON text as well."""
    for _, leaf in leaves(value):
        if isinstance(leaf, str):
            yield leaf
            if leaf[:1] in ("{", "["):
                try:
                    yield from everything_in(json.loads(leaf))
                except ValueError:
                    continue
        elif isinstance(leaf, bool):
            yield str(leaf).lower()
        elif leaf is not None:
            yield repr(leaf)
            if isinstance(leaf, float) and leaf.is_integer():
                yield str(int(leaf))


DEEP = {"k": {"k": {"k": {"k": {"k": {"k": {"k": {"": -1, b"": 2, 1: 3, "1": 4}}}}}}}}

# Where a custom name is a plain value in one place and an object in another, both have to be kept as well.
PLAIN = st.recursive(
    st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(st.characters(), min_size=1, max_size=8)
    | st.uuids()
    | st.just(Colour.RED),
    containers,
    max_leaves=12,
)


@BUILDS
@given(extra=st.dictionaries(NAMES, PLAIN, max_size=6))
@settings(max_examples=300, deadline=None)
@example(extra={"a": 1, "a.b": 2, "a.b.c": 3, "user": "bob", "log.level": "x", "x": float("nan")})
@example(extra={"k": {"k": {"k": {"k": {"k": {"k": {"k": {"k": {"k": {"k": {"k": {"k": {"k": DEEP}}}}}}}}}}}}})
@example(extra={"labels": {"a": 4, "b.c": 6, "b_c": 7}, "labels.a": 5, "a": {"b": 8}, "b": [9, "x", {"c": 10}]})
def test_no_scalar_is_lost(make, extra):
    document = read_strictly(make(extra))
    found = set(everything_in(document))
    for text in texts_of(given_to_a_record(extra) if make is build else extra):
        assert any(same(text, each) for each in found), (text, document)


def same(text: str, found: str) -> bool:
    if text == found or (text == "Infinity" and found == "-Infinity"):
        return True
    try:
        return float(text) == float(found) or timestamp.parse(text) == timestamp.parse(found)
    except (ValueError, OverflowError):
        return False


@given(extra=EXTRAS)
@settings(max_examples=150, deadline=None)
def test_every_custom_leaf_can_be_repaired_without_losing_the_rest(extra):
    body = build(extra)
    document = read_strictly(body)
    for path in {path for path, value in leaves(document) if value is not None and path[0] not in schema.TOP_LEVEL_NAMES}:
        repaired = to_label(body, ".".join(path))
        if path[0] == "metrics":
            continue
        assert repaired is not None
        after = read_strictly(repaired)
        found = set(everything_in(after))
        assert all(any(same(text, each) for each in found) for text in everything_in(document))
        assert path not in {each for each, _ in leaves(after)}
