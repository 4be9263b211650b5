"""The templates on real servers, with the types that each server says it knows.

The Elasticsearch that the tests start is a minimal build without ``wildcard``, ``match_only_text``, ``constant_keyword`` and
``scaled_float``; there the fallbacks are tested, and the stock types only by the table of ECS (``tests/unit/indexing``).
"""

from __future__ import annotations

import json
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_args

import pytest

from elasticecsmetrics.indexing.fieldtypes import (
    ELASTICSEARCH,
    IGNORE_BEYOND_LIMIT,
    OPENSEARCH,
    OPTIONAL_TYPES,
    FieldTypes,
    choose_types,
)
from elasticecsmetrics.indexing.naming import index_patterns
from elasticecsmetrics.indexing.probe import supported_types
from elasticecsmetrics.indexing.templates import OWN_NAMES, Kind, template

pytestmark = pytest.mark.live

MAPPINGS = Path(__file__).parents[2] / "mappings"
KINDS: tuple[Kind, ...] = get_args(Kind)
KEYWORD = {"type": "keyword", "ignore_above": 1024}
DOUBLE = {"type": "double"}

Call = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture
def call(cluster_url: str) -> Call:
    """Sends one request; returns the status and the JSON of the answer."""

    def send(method: str, target: str, body: object = None) -> tuple[int, dict[str, Any]]:
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{cluster_url.rstrip('/')}{target}", data, method=method)
        request.add_header("Content-Type", "application/json")
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)

    return send


@pytest.fixture
def supported(call: Call) -> frozenset[str]:
    return supported_types(lambda method, target, body: call(method, target, body)[0])


@pytest.fixture
def types(supported: frozenset[str]) -> FieldTypes:
    return choose_types(supported)


@pytest.fixture
def name(call: Call) -> Iterator[str]:
    """A name for a template and its indexes, all removed afterwards."""
    name = f"templates-{uuid.uuid4().hex}"
    yield name
    call("DELETE", f"/_index_template/{name}")
    for index in (name, f"{name}-2026.11.22"):
        call("DELETE", f"/{index}")


@pytest.fixture(params=KINDS)
def installed(request: pytest.FixtureRequest, call: Call, name: str, types: FieldTypes) -> dict[str, Any]:
    """A template, put into the server."""
    body = template(request.param, index_patterns=index_patterns(name), types=types)
    status, answer = call("PUT", f"/_index_template/{name}", body)
    assert status == 200, answer
    return body


def index_all(call: Call, index: str, documents: list[dict[str, Any]]) -> None:
    for document in documents:
        status, answer = call("POST", f"/{index}/_doc?refresh=true", document)
        assert status == 201, (str(document)[:200], answer)


def mapping_of(call: Call, index: str) -> dict[str, Any]:
    mappings: dict[str, Any] = call("GET", f"/{index}/_mapping")[1][index]["mappings"]
    return mappings


def hits(call: Call, index: str, query: dict[str, Any]) -> int:
    status, answer = call("POST", f"/{index}/_search", {"query": query})
    assert status == 200, answer
    found: int = answer["hits"]["total"]["value"]
    return found


def template_names(call: Call) -> list[str]:
    return sorted(found["name"] for found in call("GET", "/_index_template")[1]["index_templates"])


def test_probe_agrees_with_installing_each_type(call: Call, name: str, supported: frozenset[str]) -> None:
    taken = set()
    for type_ in OPTIONAL_TYPES:
        mapping = {"type": type_} | ({"scaling_factor": 1000} if type_ == "scaled_float" else {})
        body = {"index_patterns": [name], "priority": 4, "template": {"mappings": {"properties": {"field": mapping}}}}
        if call("PUT", f"/_index_template/{name}", body)[0] == 200:
            taken.add(type_)
    assert supported - {IGNORE_BEYOND_LIMIT} == taken


def test_probe_leaves_no_template_behind(call: Call) -> None:
    asked = []

    def ask(method: str, target: str, body: bytes) -> int:
        asked.append(json.loads(body)["index_patterns"])
        return call(method, target, body)[0]

    supported_types(ask)
    left = call("GET", "/_index_template")[1]["index_templates"]
    assert asked
    assert not [found["name"] for found in left if found["index_template"]["index_patterns"] in asked]


def test_probe_works_beside_a_template_for_everything(call: Call, name: str, supported: frozenset[str]) -> None:
    # Of a priority that nobody else has, and below the built-in ones: tests running beside this one do not notice it.
    # OpenSearch answers 500 to a template for everything without settings.
    everything = {"index_patterns": ["*"], "priority": 3, "template": {"settings": {"index": {"number_of_replicas": 1}}}}
    assert call("PUT", f"/_index_template/{name}", everything)[0] == 200
    assert supported_types(lambda method, target, body: call(method, target, body)[0]) == supported


def test_installing_twice_changes_nothing(call: Call, name: str, installed: dict[str, Any]) -> None:
    before = call("GET", f"/_index_template/{name}")
    status, answer = call("PUT", f"/_index_template/{name}", installed)
    assert status == 200, answer
    assert call("GET", f"/_index_template/{name}") == before
    assert template_names(call).count(name) == 1


def test_server_keeps_what_a_changed_template_is_told_by(call: Call, name: str, installed: dict[str, Any]) -> None:
    stored = call("GET", f"/_index_template/{name}")[1]["index_templates"][0]["index_template"]
    assert stored["_meta"] == installed["_meta"]
    assert stored["priority"] == installed["priority"]
    assert stored["index_patterns"] == installed["index_patterns"]


@pytest.mark.parametrize("dated", [False, True])
def test_index_has_every_mapped_leaf_and_rule(call: Call, name: str, installed: dict[str, Any], dated: bool) -> None:
    index = f"{name}-2026.11.22" if dated else name
    assert call("PUT", f"/{index}")[0] == 200
    ours, theirs = installed["template"]["mappings"], mapping_of(call, index)
    assert theirs["date_detection"] is False
    assert theirs["dynamic_templates"] == ours["dynamic_templates"]
    assert dict(differences(ours["properties"], theirs["properties"])) == {}


def differences(ours: dict[str, Any], theirs: dict[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    """Parameters of ours that the server has otherwise, and names that only one of us has. It may show defaults beside."""
    for name in ours.keys() | theirs.keys():
        mapping, found = ours.get(name), theirs.get(name)
        if mapping is None or found is None:
            yield f"{path}{name}", (mapping, found)
            continue
        # An object is one by its properties, and then neither side needs to say so.
        wanted = {key: value for key, value in mapping.items() if key != "properties" and (key, value) != ("type", "object")}
        if wrong := {key: (value, found.get(key)) for key, value in wanted.items() if found.get(key) != value}:
            yield f"{path}{name}", wrong
        yield from differences(mapping.get("properties", {}), found.get("properties", {}), f"{path}{name}.")


@pytest.mark.usefixtures("installed")
def test_own_names_take_later_values_of_a_wider_kind(call: Call, name: str) -> None:
    first = {
        "@timestamp": "2026-11-22T00:00:00.000Z",
        "message": "first",
        "order": {"price": 1, "currency": "EUR"},
        "ratio": 0.5,
        "day": "2026-11-22",
        "digits": "17",
        "paid": True,
        "labels": {"number": 1, "truth": True, "fraction": 0.5, "text": "x", "deep": {"number": 1}},
        "metrics": {"name": "m", "duration": {"us": 5}, "value": 1},
    }
    second = {
        "@timestamp": "2026-11-22T00:00:00.000Z",
        "message": "second",
        "order": {"price": 1.5, "currency": 17},
        "ratio": 2,
        "day": "n/a",
        "digits": "none",
        "paid": False,
        "labels": {"number": "n/a", "truth": "maybe", "fraction": "half", "text": 5, "deep": {"number": "n/a"}},
        "metrics": {"name": "m", "duration": {"us": 6}, "value": 1.25},
    }
    index = f"{name}-2026.11.22"
    index_all(call, index, [first, second])
    properties = mapping_of(call, index)["properties"]
    assert {own: properties[own] for own in ("ratio", "day", "digits", "paid")} == {
        "ratio": DOUBLE,
        "day": KEYWORD,
        "digits": KEYWORD,
        "paid": {"type": "boolean"},
    }
    assert properties["order"]["properties"] == {"price": DOUBLE, "currency": KEYWORD}
    assert properties["labels"]["properties"] == {
        "deep": {"properties": {"number": KEYWORD}},
        "fraction": KEYWORD,
        "number": KEYWORD,
        "text": KEYWORD,
        "truth": KEYWORD,
    }
    assert properties["metrics"]["properties"]["value"] == DOUBLE
    assert hits(call, index, {"term": {"order.price": 1.5}}) == 1, "the later fraction was cut"
    assert hits(call, index, {"term": {"metrics.value": 1.25}}) == 1, "the later fraction was cut"
    assert hits(call, index, {"term": {"labels.number": "n/a"}}) == 1


@pytest.mark.usefixtures("installed")
def test_no_length_of_a_text_is_refused(call: Call, name: str) -> None:
    index_all(
        call,
        name,
        [
            {"message": "m" * 100_000},
            {"error": {"message": "m" * 100_000, "stack_trace": "é" * 100_000, "type": "T" * 100_000}},
            # Three bytes a character, so 12,000 of them would not fit into a term: they have to be left unindexed.
            *({"error": {"stack_trace": "漢" * length}} for length in (8191, 8192, 12_000)),
            {"event": {"original": "o" * 100_000}},
            {"labels": {"long": "l" * 100_000}},
            {"own": "o" * 100_000},
            {"log": {"logger": "l" * 100_000}},
            {"tags": ["t" * 100_000]},
        ],
    )


@pytest.mark.usefixtures("installed")
def test_stack_trace_of_usual_length_is_found_by_a_part_of_it(call: Call, name: str) -> None:
    trace = "Traceback (most recent call last):\n" + '  File "program.py", line 1, in main\n' * 100 + "ValueError: needle"
    index_all(call, name, [{"error": {"stack_trace": trace}}])
    assert hits(call, name, {"wildcard": {"error.stack_trace": "*needle*"}}) == 1
    assert hits(call, name, {"match": {"error.stack_trace.text": "needle"}}) == 1


@pytest.mark.usefixtures("installed")
def test_search_that_names_no_field_finds_the_message(call: Call, name: str) -> None:
    index_all(call, name, [{"message": "a needle in a haystack", "labels": {"team": "sewing"}}, {"message": "hay"}])
    assert hits(call, name, {"query_string": {"query": "needle"}}) == 1
    assert hits(call, name, {"multi_match": {"query": "needle"}}) == 1
    assert hits(call, name, {"simple_query_string": {"query": "sewing"}}) == 1


@pytest.mark.usefixtures("installed")
def test_room_for_a_thousand_own_names_and_then_no_more(call: Call, name: str, supported: frozenset[str]) -> None:
    own = {f"own_{number}": number for number in range(OWN_NAMES)}
    index_all(call, name, [own])
    status, _ = call("POST", f"/{name}/_doc", {"one_more": 1})
    assert status == (201 if IGNORE_BEYOND_LIMIT in supported else 400)
    assert {mapped for mapped in mapping_of(call, name)["properties"] if mapped.startswith(("own_", "one_"))} == set(own)


def test_minimal_and_full_replace_each_other(call: Call, name: str, types: FieldTypes) -> None:
    for kind in (*KINDS, *KINDS):
        body = template(kind, index_patterns=index_patterns(name), types=types)
        assert call("PUT", f"/_index_template/{name}", body)[0] == 200
        stored = call("GET", f"/_index_template/{name}")[1]["index_templates"][0]["index_template"]
        assert stored["_meta"]["kind"] == kind


@pytest.mark.parametrize(("engine", "stock"), [("elasticsearch", ELASTICSEARCH), ("opensearch", OPENSEARCH)])
@pytest.mark.parametrize("kind", KINDS)
def test_shipped_file_is_taken_where_its_types_are_known(
    call: Call, name: str, supported: frozenset[str], engine: str, stock: FieldTypes, kind: Kind
) -> None:
    body = json.loads((MAPPINGS / f"{engine}-{kind}.json").read_text(encoding="utf-8"))
    body["index_patterns"] = list(index_patterns(name))
    # The minimal template has no scaled_float and no flattened object, so it asks less of a server.
    needed = stock.supported & {json_type for json_type in OPTIONAL_TYPES if f'"type": "{json_type}"' in json.dumps(body)}
    status, answer = call("PUT", f"/_index_template/{name}", body)
    assert status == (200 if needed <= supported else 400), answer
