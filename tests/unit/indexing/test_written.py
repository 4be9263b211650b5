"""The minimal template against documents as the library really makes them."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from elasticecsmetrics.config import DocumentConfig
from elasticecsmetrics.ecs import schema
from elasticecsmetrics.ecs.builder import DocumentBuilder
from elasticecsmetrics.indexing.fieldtypes import ELASTICSEARCH
from elasticecsmetrics.indexing.templates import template
from elasticecsmetrics.indexing.written import WRITTEN_FIELDS


@pytest.fixture
def builder() -> DocumentBuilder:
    """One with everything configured that makes it write more."""
    config = DocumentConfig(
        service_name="shop",
        service_version="1",
        service_environment="test",
        service_node_name="node-1",
        dataset="shop.log",
        additional_fields={
            "agent": {"id": "a", "name": "n"},
            "data_stream": {"type": "logs", "dataset": "shop", "namespace": "default"},
            "event": {"category": ["web"], "type": ["info"], "module": "shop", "original": "line"},
            "host": {"id": "h", "mac": ["00-00-5E-00-53-23"], "os": {"family": "debian", "full": "Debian 12"}},
            "labels": {"team": "x"},
            "service": {"id": "s"},
            "tags": ["production"],
        },
    )
    return DocumentBuilder(config, name_index=lambda time_ns: "shop", host_ips=("10.0.0.1",))


def leaves(tree: dict[str, Any], path: str = "") -> Iterator[str]:
    for name, value in tree.items():
        if isinstance(value, dict):
            yield from leaves(value, f"{path}{name}.")
        else:
            yield f"{path}{name}"


def mapped_leaves(properties: dict[str, Any], path: str = "") -> Iterator[str]:
    for name, mapping in properties.items():
        if "type" in mapping:
            yield f"{path}{name}"
        yield from mapped_leaves(mapping.get("properties", {}), f"{path}{name}.")


def unmapped(body: bytes) -> set[str]:
    minimal = template("minimal", index_patterns=["shop"], types=ELASTICSEARCH)
    mapped = set(mapped_leaves(minimal["template"]["mappings"]["properties"]))
    return {leaf for leaf in leaves(json.loads(body)) if leaf not in mapped and not leaf.startswith("labels.")}


def test_every_field_of_a_log_document_is_mapped(builder: DocumentBuilder) -> None:
    try:
        raise ValueError("reason")
    except ValueError:
        record = logging.getLogger("shop.orders").makeRecord(
            "shop.orders", logging.ERROR, "orders.py", 7, "sold %d", (3,), sys.exc_info(), "sell", None, "stack"
        )
    record.otelTraceID, record.otelSpanID = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
    body = builder.log(record).document.body
    assert {"log.logger", "log.origin.function", "error.stack_trace", "trace.id", "tags", "host.ip"} <= set(
        leaves(json.loads(body))
    )
    assert unmapped(body) == set()


def test_every_field_of_a_record_that_cannot_be_formatted_is_mapped(builder: DocumentBuilder) -> None:
    built = builder.log(logging.makeLogRecord({"msg": "%d", "args": ("x",)}))
    assert built.failure is not None
    assert unmapped(built.document.body) == set()


def test_every_field_of_a_metric_document_is_mapped(builder: DocumentBuilder) -> None:
    body = builder.metric("sale", 10**18, 1_500, outcome="failure", error=ValueError("reason")).body
    assert {"metrics.name", "metrics.duration.us", "event.duration", "event.outcome", "error.type"} <= set(
        leaves(json.loads(body))
    )
    assert unmapped(body) == set()


def test_written_fields_are_of_ecs_and_need_no_nested_parent() -> None:
    table = schema.fields()
    assert [name for name in WRITTEN_FIELDS if name not in table] == []
    parents = {name[:place] for name in WRITTEN_FIELDS for place, letter in enumerate(name) if letter == "."}
    assert [parent for parent in parents if parent in table] == []


def test_written_fields_stand_once_and_in_order() -> None:
    assert list(WRITTEN_FIELDS) == sorted(set(WRITTEN_FIELDS))
