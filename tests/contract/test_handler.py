"""The whole way, from a log call or a timer to what a cluster answers a search with, on every engine."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from elasticecsmetrics import ElasticECSMetricsLogger
from elasticecsmetrics.cli import main
from elasticecsmetrics.cluster.client import ClusterClient

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def logger() -> Iterator[logging.Logger]:
    made = logging.getLogger("contract.handler")
    made.setLevel(logging.DEBUG)
    made.propagate = False
    yield made
    made.handlers.clear()


@pytest.fixture
def client(cluster: Any) -> Iterator[ClusterClient]:
    made = ClusterClient(cluster.config())
    yield made
    made.close()


def call(client: ClusterClient, method: str, target: str, body: Any = None) -> Any:
    answer = client.request(method, target, body=None if body is None else json.dumps(body).encode())
    assert answer.status < 300, answer.glimpse()
    return answer.json()


def found(client: ClusterClient, index: str) -> list[dict[str, Any]]:
    call(client, "POST", f"/{index}*/_refresh")
    query = {"size": 1000, "sort": [{"@timestamp": "asc"}]}
    return [hit["_source"] for hit in call(client, "POST", f"/{index}*/_search", query)["hits"]["hits"]]


def test_log_records_and_timers_arrive(cluster: Any, client: ClusterClient, index: str, logger: logging.Logger) -> None:
    handler = ElasticECSMetricsLogger(hosts=cluster.url, es_index_name=index, request_timeout=60, flush_timeout=60)
    logger.addHandler(handler)
    logger.info("sold %d", 3, extra={"order_id": 17, "user": "bob", "when": NOON})
    with handler.log_time_metric_timer("checkout", fields={"items": 3}):
        pass
    assert handler.flush() is True
    handler.close()
    record, metric = found(client, index)
    assert (record["message"], record["order_id"], record["labels"]["user"]) == ("sold 3", 17, "bob")
    assert (metric["metrics"]["name"], metric["event"]["outcome"], metric["items"]) == ("checkout", "success", 3)


@pytest.mark.parametrize(
    ("frequency", "suffix"),
    [("DAILY", "-2026.11.22"), ("WEEKLY", "-2026.11.16"), ("MONTHLY", "-2026.11"), ("YEARLY", "-2026"), ("NEVER", "")],
)
def test_the_index_is_named_from_the_documents_own_time_in_utc(
    cluster: Any, client: ClusterClient, index: str, frequency: str, suffix: str
) -> None:
    handler = ElasticECSMetricsLogger(
        hosts=cluster.url, es_index_name=index, index_name_frequency=frequency, request_timeout=60, flush_timeout=60
    )
    handler.log_time_metric("x", NOON.replace(hour=23, minute=30) + timedelta(minutes=15), 1)
    assert handler.flush() is True
    handler.close()
    assert list(call(client, "GET", f"/{index}*/_mapping")) == [index + suffix]


def test_a_type_conflict_of_a_users_field_is_repaired_by_itself(
    cluster: Any, client: ClusterClient, index: str, logger: logging.Logger
) -> None:
    call(client, "PUT", f"/{index}", {"mappings": {"properties": {"order_id": {"type": "long"}}}})
    handler = ElasticECSMetricsLogger(
        hosts=cluster.url, es_index_name=index, index_name_frequency="NEVER", request_timeout=60, flush_timeout=60
    )
    logger.addHandler(handler)
    logger.info("number", extra={"order_id": 42})
    logger.info("text", extra={"order_id": "A-17"})
    assert handler.flush() is True
    handler.close()
    number, text = found(client, index)
    assert number["order_id"] == 42
    assert text["labels"]["order_id"] == "A-17"
    assert "order_id" not in text
    assert handler.stats().rejected == 0


def test_one_bad_document_is_rejected_alone_and_comes_home_once_the_cause_is_mended(
    cluster: Any, client: ClusterClient, index: str, logger: logging.Logger, tmp_path: Path
) -> None:
    call(client, "PUT", f"/{index}", {"mappings": {"properties": {"message": {"type": "long"}}}})
    handler = ElasticECSMetricsLogger(
        hosts=cluster.url, es_index_name=index, index_name_frequency="NEVER", request_timeout=60, flush_timeout=60,
        flush_failure_folder=tmp_path, spool_min_free_bytes=0,
    )  # fmt: skip
    logger.addHandler(handler)
    for text in ("1", "two", "3"):
        logger.info(text)
    assert handler.flush() is False
    handler.close()
    stats = handler.stats()
    assert (stats.delivered, stats.rejected, stats.spooled) == (2, 1, 0)
    call(client, "DELETE", f"/{index}")
    assert main(["replay", str(tmp_path), "--rejected", "--hosts", cluster.url]) == 0
    assert [document["message"] for document in found(client, index)] == ["two"]


def test_setup_installs_a_template_that_our_documents_fit(
    cluster: Any, client: ClusterClient, index: str, logger: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(2):
        assert main(["setup", "--hosts", cluster.url, "--es-index-name", index]) == 0
    handler = ElasticECSMetricsLogger(hosts=cluster.url, es_index_name=index, request_timeout=60, flush_timeout=60)
    logger.addHandler(handler)
    logger.info("one", extra={"amount": 1, "labels": {"a": 1}, "note": "2026-11-22"})
    logger.info("two", extra={"amount": 1.5, "labels": {"a": "x"}, "note": "n/a"})
    assert handler.flush() is True
    handler.close()
    (mapping,) = call(client, "GET", f"/{index}*/_mapping").values()
    properties = mapping["mappings"]["properties"]
    assert properties["amount"]["type"] == "double"
    assert properties["note"]["type"] == "keyword"
    assert properties["log"]["properties"]["level"]["type"] == "keyword"
    assert handler.stats().rejected == 0
    call(client, "DELETE", f"/_index_template/elasticecsmetrics-{index}")
