"""From parameters and URLs to stores."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from elasticecsmetrics.config import AuthType, Host
from elasticecsmetrics.errors import ConfigurationError, MissingExtraError
from elasticecsmetrics.stores.cluster import ClusterStore
from elasticecsmetrics.stores.sql.store import SQLStore
from elasticecsmetrics.testing import MemoryStore
from elasticecsmetrics.wiring import host_addresses, login, open_store

NOTHING: dict[str, Any] = {
    "auth_type": None,
    "auth_details": None,
    "api_key": None,
    "aws_access_key": None,
    "aws_secret_key": None,
    "aws_region": None,
}


def test_without_anything_it_is_the_seeds_default() -> None:
    store = open_store()
    assert isinstance(store, ClusterStore)
    assert store.client.config.hosts == (Host("http", "localhost", 9200),)


@pytest.mark.parametrize("url", ["http://h:1", "https://h:1"])
def test_an_http_url_as_store_is_a_cluster(url: str) -> None:
    assert isinstance(open_store(store=url), ClusterStore)


def test_a_sqlite_url_is_an_sql_store(tmp_path: Path) -> None:
    assert isinstance(open_store(store=f"sqlite:///{tmp_path}/metrics.db"), SQLStore)


def test_a_store_is_taken_as_it_is() -> None:
    store = MemoryStore()
    assert open_store(store=store) is store


def test_the_environment_names_the_store(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ELASTICECSMETRICS_STORE", f"sqlite:///{tmp_path}/metrics.db")
    assert isinstance(open_store(), SQLStore)
    assert isinstance(open_store(hosts="http://h:1"), ClusterStore)


def test_two_places_in_the_environment_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ELASTICECSMETRICS_STORE", "sqlite://")
    monkeypatch.setenv("ELASTICECSMETRICS_HOSTS", "http://h:1")
    with pytest.raises(ConfigurationError, match="ELASTICECSMETRICS_HOSTS and ELASTICECSMETRICS_STORE"):
        open_store()


def test_a_missing_package_names_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "sqlalchemy", None)
    for name in [name for name in sys.modules if name.startswith("elasticecsmetrics.stores.sql")]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(MissingExtraError, match=r"elasticecsmetrics\[sql\]"):
        open_store(store="sqlite://")


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, (AuthType.NO_AUTH, "", "", "")),
        ({"auth_details": ("u", "p")}, (AuthType.NO_AUTH, "", "", "")),
        ({"auth_type": "basic_auth", "auth_details": ["u", "p"]}, (AuthType.BASIC_AUTH, "u", "p", "")),
        ({"auth_type": "BASIC_AUTH", "auth_details": "u:p:q"}, (AuthType.BASIC_AUTH, "u", "p:q", "")),
        ({"api_key": "k"}, (AuthType.API_KEY, "", "", "k")),
    ],
)
def test_logins(options: dict[str, Any], expected: tuple[AuthType, str, str, str]) -> None:
    made = login({**NOTHING, **options})
    assert (made.auth_type, made.user, made.password, made.api_key) == expected


def test_a_user_in_the_url_logs_in_by_itself() -> None:
    made = login({**NOTHING, "auth_details": ("", "")}, user="u", password="p")
    assert (made.auth_type, made.user, made.password) == (AuthType.BASIC_AUTH, "u", "p")


def test_secrets_are_not_in_the_repr() -> None:
    store = open_store(hosts="https://user:hunter2@h:1")
    assert "hunter2" not in repr(store)
    assert isinstance(store, ClusterStore)
    assert "hunter2" not in repr(store.client.config)


def test_host_addresses_are_addresses_without_loopback() -> None:
    import ipaddress

    assert all(not ipaddress.ip_address(address).is_loopback for address in host_addresses())
