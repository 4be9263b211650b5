"""The templates against the table of ECS, which is read here anew, and by other code than the package's."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest

from elasticecsmetrics import ecs
from elasticecsmetrics._version import __version__
from elasticecsmetrics.indexing.fieldtypes import (
    ELASTICSEARCH,
    IGNORE_BEYOND_LIMIT,
    OPENSEARCH,
    FieldTypes,
    choose_types,
)
from elasticecsmetrics.indexing.templates import Kind, content_hash, field_count, template
from elasticecsmetrics.indexing.written import WRITTEN_FIELDS

KINDS: tuple[Kind, ...] = get_args(Kind)
PATTERNS = ("metrics", "metrics-*")

#: For each kind of server, what it is told in the place of an ECS type: all other types as ECS has them.
NOTHING = choose_types(frozenset())
SERVERS: list[tuple[FieldTypes, dict[str, dict[str, Any]]]] = [
    (ELASTICSEARCH, {}),
    (
        OPENSEARCH,
        {"flattened": {"type": "flat_object"}, "constant_keyword": {"type": "keyword", "ignore_above": 1024}},
    ),
    (
        NOTHING,
        {
            "wildcard": {"type": "keyword", "ignore_above": 8191},
            "match_only_text": {"type": "text", "norms": False},
            "constant_keyword": {"type": "keyword", "ignore_above": 1024},
            "flattened": {"type": "object", "enabled": False},
            "scaled_float": {"type": "double"},
        },
    ),
]
SERVER_IDS = ["elasticsearch", "opensearch", "nothing optional"]
OURS = {"metrics.name": {"type": "keyword", "ignore_above": 1024}, "metrics.duration.us": {"type": "long"}}


def ecs_table() -> dict[str, dict[str, str]]:
    path = Path(ecs.__file__).with_name("fields.tsv")
    with path.open(encoding="utf-8", newline="") as file:
        return {row["field"]: row for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)}


TABLE = ecs_table()


def expected_mapping(row: dict[str, str], instead: dict[str, dict[str, Any]]) -> dict[str, Any]:
    mapping = dict(instead.get(row["type"], {"type": row["type"]}))
    if row["ignore_above"]:
        mapping["ignore_above"] = int(row["ignore_above"])
    if row["index"] == "no":
        mapping["index"] = False
    if row["doc_values"] == "no":
        mapping["doc_values"] = False
    if mapping["type"] == "scaled_float":
        mapping["scaling_factor"] = {"scaling_factor=1000": 1000}[row["params"]]
    if row["multi_fields"]:
        pairs = (entry.split(":") for entry in row["multi_fields"].split(","))
        mapping["fields"] = {name: instead.get(type_, {"type": type_}) for name, type_ in pairs}
    return mapping


def mapped(properties: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every name that has a type, with its own parameters."""
    for name, mapping in properties.items():
        own = {parameter: value for parameter, value in mapping.items() if parameter != "properties"}
        if own:
            yield f"{path}{name}", own
        yield from mapped(mapping.get("properties", {}), f"{path}{name}.")


def build(kind: Kind, types: FieldTypes = ELASTICSEARCH) -> dict[str, Any]:
    return template(kind, index_patterns=PATTERNS, types=types)


def properties_of(body: dict[str, Any]) -> dict[str, Any]:
    properties: dict[str, Any] = body["template"]["mappings"]["properties"]
    return properties


@pytest.mark.parametrize(("types", "instead"), SERVERS, ids=SERVER_IDS)
def test_full_is_the_table_leaf_by_leaf(types: FieldTypes, instead: dict[str, dict[str, Any]]) -> None:
    expected = {name: expected_mapping(row, instead) for name, row in TABLE.items()} | OURS
    assert dict(mapped(properties_of(build("full", types)))) == expected


@pytest.mark.parametrize(("types", "instead"), SERVERS, ids=SERVER_IDS)
def test_minimal_is_the_table_for_the_names_that_are_written(types: FieldTypes, instead: dict[str, dict[str, Any]]) -> None:
    expected = {name: expected_mapping(TABLE[name], instead) for name in WRITTEN_FIELDS} | OURS
    assert dict(mapped(properties_of(build("minimal", types)))) == expected


def test_table_is_whole() -> None:
    assert len(TABLE) == 2605
    assert {row["ecs_version"] for row in TABLE.values()} == {"9.4.0"}


def test_every_parameter_of_the_table_is_known_here() -> None:
    parameters = {row["params"] for row in TABLE.values()}
    assert parameters == {
        "", "input_format=nanoseconds", "object_type=keyword", "scaling_factor=1000", "synthetic_source_keep=none",
    }  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_dynamic_templates_stand_in_this_order(kind: Kind) -> None:
    rules = [rule for named in build(kind)["template"]["mappings"]["dynamic_templates"] for rule in named.values()]
    keyword, double = {"type": "keyword", "ignore_above": 1024}, {"type": "double"}
    any_scalar = ("string", "boolean", "long", "double")
    labels = [("labels.*", value, keyword) for value in any_scalar]
    container_labels = [("container.labels.*", value, keyword) for value in any_scalar]
    assert [(rule.get("path_match"), rule["match_mapping_type"], rule["mapping"]) for rule in rules] == [
        *(container_labels if kind == "full" else []),
        *labels,
        ("metrics.*", "long", double),
        ("metrics.*", "double", double),
        (None, "string", keyword),
        (None, "long", double),
        (None, "double", double),
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_dynamic_templates_have_names_of_their_own(kind: Kind) -> None:
    # A server merges two rules of one name into the later one without a word.
    names = [name for rule in build(kind)["template"]["mappings"]["dynamic_templates"] for name in rule]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("kind", KINDS)
def test_text_and_numbers_are_never_guessed_to_be_something_else(kind: Kind) -> None:
    mappings = build(kind)["template"]["mappings"]
    assert mappings["date_detection"] is False
    assert mappings["numeric_detection"] is False


@pytest.mark.parametrize("kind", KINDS)
def test_settings_compress_and_leave_room_for_a_thousand_own_names(kind: Kind) -> None:
    body = build(kind)
    index = body["template"]["settings"]["index"]
    assert index["codec"] == "best_compression"
    assert index["mapping"]["total_fields"] == {"limit": field_count(properties_of(body)) + 1000}
    assert "number_of_shards" not in json.dumps(body)


def test_fields_are_counted_as_the_server_counts() -> None:
    properties = {
        "a": {"type": "keyword", "fields": {"text": {"type": "text"}, "raw": {"type": "keyword"}}},
        "o": {"properties": {"b": {"type": "long"}, "p": {"properties": {"c": {"type": "long"}}}}},
    }
    assert field_count(properties) == 7


def test_server_that_can_keeps_documents_with_too_many_names() -> None:
    body = build("minimal", choose_types({IGNORE_BEYOND_LIMIT}))
    assert body["template"]["settings"]["index"]["mapping"]["total_fields"][IGNORE_BEYOND_LIMIT] is True


def test_search_without_a_field_stays_below_1024_fields() -> None:
    full = build("full")
    searched = full["template"]["settings"]["index"]["query"]["default_field"]
    texts = {"keyword", "match_only_text", "wildcard", "constant_keyword"}
    types = {name: mapping["type"] for name, mapping in mapped(properties_of(full))}
    assert {types[name] for name in searched if name != "labels.*"} <= texts
    assert {"message", "error.message", "error.stack_trace", "metrics.name", "labels.*", "tags"} <= set(searched)
    assert "event.original" not in searched
    assert "query" not in build("minimal")["template"]["settings"]["index"]


@pytest.mark.parametrize("kind", KINDS)
def test_patterns_and_priority_are_as_given(kind: Kind) -> None:
    body = build(kind)
    assert body["index_patterns"] == ["metrics", "metrics-*"]
    assert body["priority"] == 501


@pytest.mark.parametrize("kind", KINDS)
def test_meta_names_the_versions_and_the_content(kind: Kind) -> None:
    body = build(kind)
    assert body["_meta"] == {
        "content_hash": content_hash(body),
        "ecs_version": "9.4.0",
        "kind": kind,
        "managed_by": "elasticecsmetrics",
        "version": __version__,
    }


def test_hash_changes_with_the_content_alone() -> None:
    body = build("minimal")
    before = content_hash(body)
    body["_meta"]["version"] = "0.0.0"
    assert content_hash(body) == before
    properties_of(body)["message"]["norms"] = True
    assert content_hash(body) != before


def test_hash_tells_kinds_servers_and_patterns_apart() -> None:
    bodies = [build(kind, types) for kind in KINDS for types, _ in SERVERS]
    bodies.append(template("minimal", index_patterns=["other"], types=ELASTICSEARCH))
    assert len({body["_meta"]["content_hash"] for body in bodies}) == len(bodies)


def test_same_arguments_give_the_same_bytes_and_nothing_is_shared() -> None:
    first = build("full")
    text = json.dumps(first)
    for mapping in (properties_of(first)["message"], properties_of(first)["metrics"]["properties"]["name"]):
        mapping["changed"] = True
    for named in first["template"]["mappings"]["dynamic_templates"]:
        for rule in named.values():
            rule["mapping"]["changed"] = True
    assert json.dumps(build("full")) == text
