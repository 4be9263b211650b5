"""What only a real cluster can show: which field it refuses, what its blocks mean, and that it takes whatever we make."""

from __future__ import annotations

import datetime as dt
import decimal
import json
import logging
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from elasticecsmetrics.config import DocumentConfig
from elasticecsmetrics.ecs import repair
from elasticecsmetrics.ecs.builder import DocumentBuilder
from elasticecsmetrics.ecs.fit import MAX_TERM_BYTES
from elasticecsmetrics.model.document import CREATE, Document
from elasticecsmetrics.model.outcome import Verdict
from elasticecsmetrics.stores.cluster import ClusterStore

NOON = 1_795_435_200_000_000_000

MAPPING = {
    "properties": {
        "user_id": {"type": "long"},
        "order": {"properties": {"total": {"type": "double"}}},
        "code": {"type": "keyword"},
        "when": {"type": "date"},
        "address": {"type": "ip"},
        "yes": {"type": "boolean"},
        "also": {"type": "alias", "path": "code"},
    }
}

#: A document that does not fit, and the names under which servers refuse it: they differ, but each can be put right.
CONFLICTS: dict[str, tuple[dict[str, Any], set[str]]] = {
    "text for a number": ({"user_id": "bob"}, {"user_id"}),
    "text for an inner number": ({"order": {"total": "much"}}, {"order.total"}),
    "text for a dotted inner number": ({"order.total": "much"}, {"order.total"}),
    "object for a number": ({"user_id": {"of": "bob"}}, {"user_id"}),
    "text for an object": ({"order": "none"}, {"order"}),
    "list for an object": ({"order": ["none"]}, {"order"}),
    "object for a keyword": ({"code": {"x": 1}}, {"code"}),
    "dotted name below a keyword": ({"code.x": 1}, {"code", "code.x"}),
    "text for a date": ({"when": "soon"}, {"when"}),
    "text for an address": ({"address": "home"}, {"address"}),
    "text for a boolean": ({"yes": "perhaps"}, {"yes"}),
    "number beyond a long": ({"user_id": 2**70}, {"user_id"}),
    "number beyond a double": ({"order": {"total": "1e999"}}, {"order.total"}),
    "value for an alias": ({"also": "x"}, {"also"}),
    "too long for a keyword": ({"code": "x" * 40_000}, {"code"}),
    "new list of two kinds": ({"fresh": [1, "x"]}, {"fresh"}),
    "new list of an object and a number": ({"fresh": [{"x": 1}, 5]}, {"fresh"}),
    "new list of a number and an object": ({"fresh": [5, {"x": 1}]}, {"fresh"}),
    "new name, dotted and not": ({"fresh.x": 1, "fresh": 2}, {"fresh"}),
}


class Anything:
    def __repr__(self) -> str:
        raise RuntimeError("no words")


CYCLE: dict[str, Any] = {"name": "cycle"}
CYCLE["self"] = CYCLE

WEIRD: dict[str, dict[str, Any]] = {
    "plain": {"user_id": 5, "tags": ["a", "b"]},
    "nested and dotted": {"order": {"id": 1, "lines": [{"n": 1}, {"n": 2}]}, "order.total": 9.5},
    "objects of ECS": {
        "user": "bob",
        "event": "login",
        "host": 5,
        "log": None,
        "log.level": 10,
        "process": [1],
        "error": "bad",
    },
    "types of Python": {
        "when": dt.datetime(2026, 11, 22, 9, tzinfo=dt.UTC),
        "naive": dt.datetime(2026, 11, 22, 9),
        "day": dt.date(2026, 11, 22),
        "length": dt.timedelta(seconds=5),
        "price": decimal.Decimal("9.99"),
        "uuid": uuid.UUID(int=5),
        "raw": b"\x00\xff",
        "set": {1, "a"},
        "path": Path("/tmp"),
        "failure": ValueError("oh"),
        "complex": 1 + 2j,
        "class": Anything,
    },
    "numbers": {"nan": float("nan"), "inf": float("inf"), "huge": 2**200, "tiny": 5e-324, "negative": -(2**63), "above": 2**63},
    "texts": {"nul": "a\x00b", "half": "\ud800", "line": "\u2028", "long": "x" * 50_000, "control": "\x1b[31m"},
    "names": {
        "": 1,
        " ": 2,
        ".": 3,
        "a..b": 4,
        ".c": 5,
        "d.": 6,
        "e f": 7,
        "_id": 8,
        "_source": 9,
        "@timestamp": "mine",
        "ü☃": 10,
    },
    "names that are no text": {"by": {1: "one", None: "none", (1, 2): "pair", False: "no"}},
    "cycle": CYCLE,
    "no words": {"what": Anything()},
    "mixed list": {"list": [1, "a", {"b": 2}, None, [3, [4]]]},
    "deep": {"deep": json.loads('{"a":' * 60 + "1" + "}" * 60)},
    "wide": {"wide": {f"field{n}": n for n in range(300)}},
    "empty": {"nothing": {}, "none": None, "list": []},
}


@pytest.fixture
def store(cluster: Any) -> Iterator[ClusterStore]:
    store = ClusterStore(cluster.config())
    yield store
    store.close()


def call(store: ClusterStore, method: str, target: str, body: Any = None) -> Any:
    answer = store.client.request(method, target, body=None if body is None else json.dumps(body).encode(), timeout=60)
    assert answer.status == 200, answer.body
    return answer.json()


def document(index: str, value: dict[str, Any] | None = None, id_: str = "1") -> Document:
    return Document(id_, NOON, index, CREATE, json.dumps(value or {"message": "hello"}).encode())


def test_field_that_does_not_fit_is_named_and_as_a_label_it_is_taken(store: ClusterStore, index: str) -> None:
    call(store, "PUT", f"/{index}", {"mappings": MAPPING})
    given = [document(index, value, str(n)) for n, (value, _) in enumerate(CONFLICTS.values())]
    # Each for itself: what one of them adds to the mapping would change the answer to the next.
    refused = [store.write([one])[0] for one in given]
    for outcome, (name, (_, expected)) in zip(refused, CONFLICTS.items(), strict=True):
        assert outcome.verdict is Verdict.REJECTED, name
        assert outcome.field in expected, f"{name}: {outcome.reason}"
    mended, names = [], []
    for name, one, outcome in zip(CONFLICTS, given, refused, strict=True):
        if "dotted" in name:
            continue  # to know how servers name it; what we make has nested names only
        names.append(name)
        body = repair.to_label(one.body, outcome.field or "")
        assert body is not None
        mended.append(one._replace(body=body))
    outcomes = [store.write([one])[0] for one in mended]
    left = {
        name: outcome.reason for name, outcome in zip(names, outcomes, strict=True) if outcome.verdict is not Verdict.DELIVERED
    }
    assert left == {}


def test_whatever_we_make_is_taken(store: ClusterStore, index: str) -> None:
    builder = DocumentBuilder(DocumentConfig(service_name="test"), name_index=lambda _: index)
    documents, names = [], []
    for n, (name, extra) in enumerate(WEIRD.items()):
        record = logging.LogRecord("a.b", logging.INFO, __file__, 1, "hello %s", ("you",), None)
        record.__dict__.update(extra)
        names += [f"log: {name}", f"metric: {name}"]
        documents.append(builder.log(record, "hello you").document._replace(index=f"{index}-{n}"))
        documents.append(builder.metric("a.metric", NOON, 1500.0, fields=extra)._replace(index=f"{index}-{n}"))
    try:
        raise ValueError("oh")
    except ValueError:
        failed = logging.LogRecord("a.b", logging.ERROR, __file__, 1, "failed", None, sys.exc_info())
    names.append("log: exception")
    documents.append(builder.log(failed, "failed").document)
    outcomes = store.write(documents)
    assert {
        name: outcome.reason for name, outcome in zip(names, outcomes, strict=True) if outcome.verdict is not Verdict.DELIVERED
    } == {}


def test_what_a_flattened_field_of_ecs_cannot_hold_is_taken_as_a_label(store: ClusterStore, index: str) -> None:
    store.install_template(index, "full")
    builder = DocumentBuilder(DocumentConfig(), name_index=lambda _: index)
    field = "log.syslog.structured_data"
    longest = "x" * (MAX_TERM_BYTES - len(f"{field}.{field}.a="))
    given: list[dict[str, Any]] = [{"a": longest}, {"a": f"{longest}x"}, {"a\0b": "x"}, {"a": [{"b": "x" * 100_000, "c": 1}]}]
    taken = [builder.metric("m", NOON, 1, fields={field: value}) for value in given]
    assert [one.reason for one in store.write(taken)] == [""] * len(given)
    call(store, "DELETE", f"/_index_template/elasticecsmetrics-{index}")


def test_blocked_index_may_be_tried_again(store: ClusterStore, index: str) -> None:
    for n, block in enumerate(("write", "read_only_allow_delete")):
        call(store, "PUT", f"/{index}-{n}", {"settings": {f"index.blocks.{block}": True}})
        (outcome,) = store.write([document(f"{index}-{n}")])
        assert (outcome.verdict, outcome.type, outcome.whole_request) == (Verdict.RETRYABLE, "cluster_block_exception", False)
        call(store, "PUT", f"/{index}-{n}/_settings", {f"index.blocks.{block}": None})
        assert store.write([document(f"{index}-{n}")])[0].verdict is Verdict.DELIVERED


def test_closed_index_may_be_tried_again(store: ClusterStore, index: str) -> None:
    call(store, "PUT", f"/{index}")
    call(store, "POST", f"/{index}/_close")
    (outcome,) = store.write([document(index)])
    assert (outcome.verdict, outcome.status, outcome.type) == (Verdict.RETRYABLE, 400, "index_closed_exception")
    call(store, "POST", f"/{index}/_open?wait_for_active_shards=1")
    assert store.write([document(index)])[0].verdict is Verdict.DELIVERED


def test_cluster_without_room_for_a_shard_may_be_tried_again(store: ClusterStore, index: str) -> None:
    call(store, "PUT", "/_cluster/settings", {"persistent": {"cluster.max_shards_per_node": 1}})
    try:
        (outcome,) = store.write([document(f"{index}-a")])
        (another,) = store.write([document(f"{index}-b")])
    finally:
        call(store, "PUT", "/_cluster/settings", {"persistent": {"cluster.max_shards_per_node": None}})
    refused = outcome if outcome.verdict is not Verdict.DELIVERED else another
    assert (refused.verdict, refused.status, refused.type) == (Verdict.RETRYABLE, 400, "validation_exception")
    assert store.write([document(f"{index}-b")])[0].verdict is Verdict.DELIVERED


def test_cluster_that_takes_nothing_puts_the_whole_request_off(store: ClusterStore, index: str) -> None:
    call(store, "PUT", "/_cluster/settings", {"persistent": {"cluster.blocks.read_only": True}})
    try:
        outcomes = store.write([document(index, id_="1"), document(index, id_="2")])
    finally:
        call(store, "PUT", "/_cluster/settings", {"persistent": {"cluster.blocks.read_only": None}})
    assert [(one.verdict, one.status, one.whole_request) for one in outcomes] == [(Verdict.RETRYABLE, 403, True)] * 2


def test_missing_index_that_may_not_be_made_may_be_tried_again(store: ClusterStore, index: str) -> None:
    call(store, "PUT", "/_cluster/settings", {"persistent": {"action.auto_create_index": "false"}})
    try:
        (outcome,) = store.write([document(index)])
    finally:
        call(store, "PUT", "/_cluster/settings", {"persistent": {"action.auto_create_index": None}})
    assert (outcome.verdict, outcome.status, outcome.type) == (Verdict.RETRYABLE, 404, "index_not_found_exception")


def test_name_that_no_index_can_have_is_rejected(store: ClusterStore, index: str) -> None:
    outcomes = store.write([document(index), document("Upper"), document("a b")])
    assert [one.verdict.value for one in outcomes] == ["delivered", "rejected", "rejected"]
    assert outcomes[1].type == "invalid_index_name_exception"


def test_compressed_requests_are_taken(cluster: Any, index: str) -> None:
    store = ClusterStore(cluster.config(http_compress=True))
    assert [one.verdict for one in store.write([document(index, id_=str(n)) for n in range(100)])] == [Verdict.DELIVERED] * 100
    answer = store.client.request("GET", f"/{index}/_source/99")
    assert answer.json() == {"message": "hello"}
    store.close()


def test_requests_through_a_signing_login_are_taken_as_well(cluster: Any, index: str) -> None:
    from elasticecsmetrics.config import AuthType, LoginConfig

    login = LoginConfig(auth_type=AuthType.AWS_SIGNED_AUTH, aws_access_key="AK", aws_secret_key="sk", aws_region="r")
    store = ClusterStore(cluster.config(login=login))
    assert store.write([document(index)])[0].verdict is Verdict.DELIVERED
    store.close()
