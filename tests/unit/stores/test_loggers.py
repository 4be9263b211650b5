"""The names that a handler must not ship are those that the libraries really write to."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fakes.scripted_server import Reply, bulk_reply

from elasticecsmetrics.cluster.hosts import parse_hosts
from elasticecsmetrics.config import AuthType, ClusterConfig, LoginConfig
from elasticecsmetrics.model.document import CREATE, Document
from elasticecsmetrics.stores.cluster import ClusterStore
from elasticecsmetrics.stores.loggers import STORE_LOGGERS
from elasticecsmetrics.stores.sql.store import SQLStore

ONE = [Document("1", 0, "m", CREATE, b"{}")]
AWS = LoginConfig(auth_type=AuthType.AWS_SIGNED_AUTH, aws_access_key="AK", aws_secret_key="sk", aws_region="r")


@pytest.fixture
def heard() -> Iterator[set[str]]:
    """The names of the loggers that write anything at all, the root at DEBUG."""
    names: set[str] = set()

    class Listening(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            names.add(record.name)

    handler, root = Listening(), logging.getLogger()
    before, level = root.handlers[:], root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield names
    root.setLevel(level)
    root.removeHandler(handler)
    assert root.handlers == before


def strangers(names: set[str]) -> set[str]:
    return {name for name in names if not any(name == own or name.startswith(f"{own}.") for own in STORE_LOGGERS)}


@pytest.mark.parametrize("login", [LoginConfig(), AWS], ids=["urllib3", "requests"])
def test_all_that_is_logged_under_a_request_is_named(
    scripted_server: Callable[..., Any], heard: set[str], login: LoginConfig
) -> None:
    server = scripted_server(bulk_reply(201), Reply(503), Reply(cut=True))
    store = ClusterStore(ClusterConfig(hosts=parse_hosts(server.url).hosts, login=login))
    for _ in range(3):
        store.write(ONE)
    assert heard
    assert strangers(heard) == set()


def test_all_that_is_logged_under_a_write_to_sqlite_is_named(tmp_path: Path, heard: set[str]) -> None:
    logging.getLogger("sqlalchemy").setLevel(logging.DEBUG)
    try:
        SQLStore(f"sqlite:///{tmp_path}/metrics.db").write(ONE)
    finally:
        logging.getLogger("sqlalchemy").setLevel(logging.NOTSET)
    assert heard
    assert strangers(heard) == set()
