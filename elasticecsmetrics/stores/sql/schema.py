"""The tables that documents live in, and how a document becomes a row.

``documents`` is readable by plain SQL: the index and the time are columns, and the body is JSON that SQLite's ``->>``,
PostgreSQL's ``->>`` and MariaDB's ``JSON_VALUE`` take as it is. ``schema_version`` has one row.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Column, ColumnElement, Index, Integer, MetaData, String, Table, Text, cast
from sqlalchemy.dialects import mysql
from sqlalchemy.types import UserDefinedType

from elasticecsmetrics.model.document import Document

#: Raised by one with each change of the tables that an older version of this package could not write to.
SCHEMA_VERSION = 1

#: Characters. Both are what a cluster allows at most, and together just what a key of InnoDB may have in bytes.
INDEX_LENGTH = 255
ID_LENGTH = 512

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NS = 1_000_000_000
_TIME = re.compile(r"(?P<second>.{19})\.(?P<fraction>\d{9})Z")


class _JSONText(UserDefinedType[str]):
    """PostgreSQL's JSON, which keeps the text byte for byte (JSONB does not), handed over as text."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "JSON"

    def column_expression(self, column: ColumnElement[str]) -> ColumnElement[str]:
        return cast(column, Text)


def _key(length: int) -> String:
    # MySQL and MariaDB would otherwise take ids that differ in case only for one and the same.
    binary = mysql.VARCHAR(length, charset="utf8mb4", collation="utf8mb4_bin")
    return String(length).with_variant(binary, "mysql", "mariadb")


metadata = MetaData()

documents = Table(
    "documents",
    metadata,
    Column("index_name", _key(INDEX_LENGTH), primary_key=True),
    Column("id", _key(ID_LENGTH), primary_key=True),
    Column("time", String(30), nullable=False, comment="UTC, ISO 8601 with nanoseconds: sorts as text"),
    Column(
        "body",
        Text()
        .with_variant(_JSONText(), "postgresql")
        .with_variant(mysql.LONGTEXT(collation="utf8mb4_bin"), "mysql", "mariadb"),
        nullable=False,
        comment="the document as JSON",
    ),
    Index("documents_by_time", "time"),
)

schema_version = Table(
    "schema_version",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False, comment="always 1"),
    Column("version", Integer, nullable=False),
)


def row(document: Document) -> dict[str, str]:
    """The row of a document.

    Raises:
        ValueError: the body is no UTF-8, the time is before year 1 or after year 9999, or a key is too long.
    """
    values = {
        "index_name": _storable(document.index),
        "id": _storable(document.id),
        "time": time_text(document.time),
        "body": document.body.decode(),
    }
    # SQLite takes any length, the others raise or cut, each in its own way.
    if len(values["id"]) > ID_LENGTH or len(values["index_name"]) > INDEX_LENGTH:
        raise ValueError(f"the id has more than {ID_LENGTH} or the index more than {INDEX_LENGTH} characters")
    return values


def time_text(time_ns: int) -> str:
    """Nanoseconds since 1970 as ``2026-11-22T09:00:00.123456789Z``: always 30 characters, so that it sorts as text.

    Raises:
        ValueError: the year has not four digits.
    """
    seconds, nanoseconds = divmod(time_ns, _NS)
    try:
        moment = _EPOCH + timedelta(seconds=seconds)
    except OverflowError:
        raise ValueError(f"time {time_ns}: the year has not four digits") from None
    return f"{moment.replace(tzinfo=None).isoformat(timespec='seconds')}.{nanoseconds:09d}Z"


def time_ns(text: str) -> int:
    """The reverse of :func:`time_text`.

    Raises:
        ValueError: the text is not of that form.
    """
    found = _TIME.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no time as this package stores it")
    whole = datetime.fromisoformat(f"{found['second']}+00:00") - _EPOCH
    return (whole.days * 86_400 + whole.seconds) * _NS + int(found["fraction"])


def _storable(text: str) -> str:
    """The text with lone surrogates written out, since no database takes them."""
    return text.encode("utf-8", "backslashreplace").decode()
