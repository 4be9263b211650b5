"""URLs of databases, and the statement that each of them understands."""

from __future__ import annotations

import sys

import pytest
from sqlalchemy.dialects import mysql, postgresql, sqlite
from sqlalchemy.schema import CreateTable

from elasticecsmetrics.errors import ConfigurationError, MissingExtraError
from elasticecsmetrics.model.document import CREATE, INDEX
from elasticecsmetrics.stores.sql import schema
from elasticecsmetrics.stores.sql.engines import in_memory, insert, open_engine, parse, shown

DIALECTS = {"sqlite": sqlite.dialect(), "postgresql": postgresql.dialect(), "mysql": mysql.dialect()}


@pytest.mark.parametrize(
    "url",
    ["", "metrics.db", "sqlite:/bad", "oracle://bob:s3cret@h/db", "nosuch://bob:s3cret@h", "mysql://bob:s3cret@h:port/db"],
)
def test_what_is_no_url_of_a_supported_database_is_refused_without_its_secrets(url: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^store") as caught:
        parse(url)
    assert "s3cret" not in str(caught.value)


def test_driver_that_sqlalchemy_does_not_know_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="no driver 'sqlite\\+nosuch'"):
        open_engine(parse("sqlite+nosuch:///x.db"))


def test_missing_driver_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg2", None)
    with pytest.raises(MissingExtraError, match=r"psycopg2.*elasticecsmetrics\[sql\]"):
        open_engine(parse("postgresql+psycopg2://bob:s3cret@h/db"))


def test_shown_url_has_no_secrets() -> None:
    assert shown(parse("mysql+pymysql://bob:s3cret@h:1/db?password=s3cret")) == "mysql+pymysql://h:1/db"


@pytest.mark.parametrize(
    ("url", "memory"),
    [
        ("sqlite://", True),
        ("sqlite:///", True),
        ("sqlite:///:memory:", True),
        ("sqlite:///a.db", False),
        ("sqlite:////a.db", False),
    ],
)
def test_database_in_memory_is_known(url: str, memory: bool) -> None:
    assert in_memory(parse(url)) is memory


@pytest.mark.parametrize(
    ("dialect", "kept", "replaced"),
    [
        ("sqlite", "ON CONFLICT (index_name, id) DO NOTHING", "DO UPDATE SET time = excluded.time, body = excluded.body"),
        ("postgresql", "ON CONFLICT (index_name, id) DO NOTHING", "DO UPDATE SET time = excluded.time, body = excluded.body"),
        ("mysql", "ON DUPLICATE KEY UPDATE id = documents.id", "UPDATE time = VALUES(time), body = VALUES(body)"),
    ],
)
def test_statement_keeps_or_replaces_in_the_databases_own_words(dialect: str, kept: str, replaced: str) -> None:
    create, index = (str(insert(dialect, op).compile(dialect=DIALECTS[dialect])).replace("`", "") for op in (CREATE, INDEX))
    assert kept in create
    assert replaced in index


@pytest.mark.parametrize(
    ("dialect", "body"), [("sqlite", "body TEXT NOT NULL"), ("postgresql", "body JSON NOT NULL"), ("mysql", "body LONGTEXT")]
)
def test_body_has_a_type_that_keeps_it_whole(dialect: str, body: str) -> None:
    assert body in str(CreateTable(schema.documents).compile(dialect=DIALECTS[dialect]))


def test_mysql_compares_keys_byte_for_byte() -> None:
    ddl = str(CreateTable(schema.documents).compile(dialect=DIALECTS["mysql"]))
    assert ddl.count("VARCHAR(512) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin") == 1
    assert ddl.count("VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin") == 1


@pytest.mark.parametrize("module", ["sqlite3", "_sqlite3"])
def test_python_without_sqlite_is_named_as_what_it_is(monkeypatch: pytest.MonkeyPatch, module: str) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "sqlite3"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ConfigurationError, match="this Python was built without sqlite3"):
        open_engine(parse("sqlite:///x.db"))
