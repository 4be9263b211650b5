"""A SQL database as a store: SQLite with nothing else installed, PostgreSQL and MariaDB with their drivers.

Writing is idempotent by (index, id), as in a cluster: an id of ours that is there already was delivered, an id of the user's
replaces. A document that the database will never take is found by halving its batch, and rejected alone; what is wrong with
the database (locked, full, gone, of a newer version) puts the whole batch off. One call waits for locks of SQLite for
:data:`~elasticecsmetrics.stores.sql.engines.TIMEOUT` at the most, however many steps it takes.
"""

from __future__ import annotations

import itertools
import os
import threading
import time
import weakref
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import Connection, Engine, insert, inspect, select
from sqlalchemy.engine import URL
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, SQLAlchemyError, StatementError

from elasticecsmetrics.errors import StoreError, StoreRefusedError, StoreUnreachableError
from elasticecsmetrics.model.document import CREATE, Document, Op
from elasticecsmetrics.model.outcome import DELIVERED, Outcome, Verdict
from elasticecsmetrics.model.store import Ping
from elasticecsmetrics.stores.sql import engines, schema

#: Characters of a database's text that are kept: it may quote the document.
_REASON_LENGTH = 500

_Failure = (SQLAlchemyError, ValueError)  # a driver's own complaint about a value is a plain ValueError


class _Row(NamedTuple):
    op: Op
    values: dict[str, str]


@dataclass(slots=True)
class _Opened:
    """What belongs to one process: connections cannot be shared with a forked child, nor a lock be taken over by it."""

    engine: Engine
    turn: AbstractContextManager[object]
    """Held while writing or reading: a database in memory is one connection for all threads."""
    ready: bool = False
    """True once the tables are known to be there, and ours."""


class SQLStore:
    """A database, as :class:`~elasticecsmetrics.model.store.Store`. Several threads may use it at once.

    A database in memory (``sqlite://``) lives until the store is dropped; ``close`` leaves it alone.
    """

    def __init__(self, url: str) -> None:
        """
        Args:
            url: of SQLAlchemy, such as ``sqlite:///relative.db``, ``sqlite:////absolute.db``, ``sqlite://`` (in memory) or
                ``postgresql+psycopg://user:password@host/database``. Nothing is connected yet.

        Raises:
            ConfigurationError: no URL, or of a database that is not supported.
            MissingExtraError: the database's driver is not installed.
        """
        self._url = engines.parse(url)
        self._opened = {os.getpid(): _open(self._url)}
        if engines.in_memory(self._url):
            weakref.finalize(self, self._opened[os.getpid()].engine.dispose).atexit = False

    def write(self, documents: Sequence[Document], /) -> list[Outcome]:
        """Tries once to write these documents; one outcome for each, in order."""
        outcomes: list[Outcome | None] = []
        rows = []
        for document in documents:
            try:
                rows.append(_Row(document.op, schema.row(document)))
                outcomes.append(None)
            except ValueError as error:
                outcomes.append(_rejected(error))
        written = iter(self._write(rows)) if rows else iter(())
        return [next(written) if outcome is None else outcome for outcome in outcomes]

    def ping(self) -> Ping:
        """Asks which database is there, and whether its tables are ours, if there are any.

        Raises:
            StoreUnreachableError: no connection, or the database cannot be read.
            StoreRefusedError: its tables are of a newer version, or somebody else's.
        """
        opened = self._current()
        try:
            with opened.turn, engines.connected(opened.engine, engines.deadline()) as connection:
                _check_tables(connection, engines.shown(self._url))
                return Ping(_name(opened.engine), _version(connection), engines.shown(self._url))
        except SQLAlchemyError as error:
            raise self._unreachable(error) from error

    def documents(self, index_pattern: str | None = None, limit: int | None = None) -> list[Document]:
        """Reads documents back, the oldest first. How they were written (``op``) is not kept.

        Args:
            index_pattern: the name of an index; ``*`` stands for anything. Default: all.
            limit: how many at the most. Default: all.

        Raises:
            StoreUnreachableError: no connection, or the database cannot be read.
            StoreRefusedError: its tables are of a newer version, or somebody else's.
        """
        table = schema.documents.c
        query = select(table.id, table.time, table.index_name, table.body).order_by(table.time, table.id).limit(limit)
        if index_pattern is not None:
            pattern = index_pattern.replace("!", "!!").replace("%", "!%").replace("_", "!_").replace("*", "%")
            query = query.where(table.index_name.like(pattern, escape="!"))
        opened, until = self._current(), engines.deadline()
        try:
            with opened.turn:
                self._make_ready(opened, until)
                with engines.connected(opened.engine, until) as connection:
                    rows = connection.execute(query).all()
        except SQLAlchemyError as error:
            raise self._unreachable(error) from error
        return [Document(id_, schema.time_ns(time), index, CREATE, body.encode()) for id_, time, index, body in rows]

    def close(self) -> None:
        """Gives up connections. A later ``write`` makes new ones."""
        opened = self._opened.get(os.getpid())
        if opened is not None and not engines.in_memory(self._url):
            opened.engine.dispose()

    def _current(self) -> _Opened:
        pid = os.getpid()
        opened = self._opened.get(pid)
        if opened is None:
            # In a forked child. The parent's connections are forgotten, not closed: closing would end the parent's session.
            for inherited in self._opened.copy().values():
                inherited.engine.dispose(close=False)
            opened = self._opened.setdefault(pid, _open(self._url))
        return opened

    def _write(self, rows: Sequence[_Row]) -> list[Outcome]:
        opened, until = self._current(), engines.deadline()
        try:
            with opened.turn:
                self._make_ready(opened, until)
                outcomes = _insert(opened.engine, rows, until)
        except (SQLAlchemyError, StoreError) as error:
            outcomes = [_put_off(error)] * len(rows)
        if any(outcome.verdict is Verdict.RETRYABLE for outcome in outcomes):
            opened.ready = False  # the tables may have gone: look again next time
        return outcomes

    def _make_ready(self, opened: _Opened, until: float) -> None:
        if opened.ready:
            return
        engines.write_ahead(opened.engine, until)
        try:
            _create_tables(opened.engine, engines.shown(self._url), until)
        except SQLAlchemyError:
            if opened.engine.dialect.name == "sqlite" or time.monotonic() >= until:
                raise
            # Another process may have made them between our look and our attempt; in SQLite our lock keeps it from that.
            _create_tables(opened.engine, engines.shown(self._url), until)
        opened.ready = True

    def _unreachable(self, error: SQLAlchemyError) -> StoreUnreachableError:
        return StoreUnreachableError(f"{engines.shown(self._url)}: {_reason(error)}")


def _open(url: URL) -> _Opened:
    return _Opened(engines.open_engine(url), threading.Lock() if engines.in_memory(url) else nullcontext())


def _create_tables(engine: Engine, url: str, until: float) -> None:
    with engines.transaction(engine, until) as connection:
        _check_tables(connection, url)
        schema.metadata.create_all(connection)
        if connection.scalar(select(schema.schema_version.c.version)) is None:
            connection.execute(insert(schema.schema_version).values(id=1, version=schema.SCHEMA_VERSION))


def _check_tables(connection: Connection, url: str) -> None:
    found = inspect(connection)
    for table in schema.metadata.sorted_tables:
        if not found.has_table(table.name):
            continue
        missing = set(table.columns.keys()) - {column["name"] for column in found.get_columns(table.name)}
        if missing:
            raise StoreRefusedError(
                f"{url} has a table {table.name!r} that is not ours (it lacks {', '.join(sorted(missing))}); "
                "use another database"
            )
        if table is schema.schema_version:
            version = connection.scalar(select(table.c.version)) or 0
            if version > schema.SCHEMA_VERSION:
                raise StoreRefusedError(
                    f"{url} was made by a newer elasticecsmetrics: its tables have version {version}, "
                    f"this one writes version {schema.SCHEMA_VERSION}; upgrade elasticecsmetrics here"
                )


def _insert(engine: Engine, rows: Sequence[_Row], until: float) -> list[Outcome]:
    """All of the rows in one transaction; if one of them is to blame for a failure, each half in its own.

    What is not tried before ``until`` is put off.
    """
    if time.monotonic() >= until:
        return [_put_off(TimeoutError("the database took too long before these documents had their turn"))] * len(rows)
    try:
        with engines.transaction(engine, until) as connection:
            for op, group in itertools.groupby(rows, key=lambda row: row.op):
                connection.execute(engines.insert(engine.dialect.name, op), [row.values for row in group])
    except _Failure as error:
        if not _blames_a_row(error):
            return [_put_off(error)] * len(rows)
        if len(rows) == 1:
            return [_rejected(error)]
        half = len(rows) // 2
        return _insert(engine, rows[:half], until) + _insert(engine, rows[half:], until)
    return [DELIVERED] * len(rows)


def _blames_a_row(error: Exception) -> bool:
    if isinstance(error, (DataError, IntegrityError)) or not isinstance(error, SQLAlchemyError):
        return True
    return isinstance(error, StatementError) and not isinstance(error, DBAPIError)


def _put_off(error: Exception) -> Outcome:
    return Outcome(Verdict.RETRYABLE, type=_type(error), reason=_reason(error), whole_request=True)


def _rejected(error: Exception) -> Outcome:
    return Outcome(Verdict.REJECTED, type=_type(error), reason=_reason(error))


def _type(error: Exception) -> str:
    return type(getattr(error, "orig", None) or error).__name__


def _reason(error: Exception) -> str:
    # SQLAlchemy's own text would add the statement and its values: the whole document.
    return " ".join(str(getattr(error, "orig", None) or error).split())[:_REASON_LENGTH]


def _name(engine: Engine) -> str:
    return "mariadb" if getattr(engine.dialect, "is_mariadb", False) else engine.dialect.name


def _version(connection: Connection) -> str:
    if connection.dialect.name == "sqlite":
        return str(connection.exec_driver_sql("select sqlite_version()").scalar())
    return ".".join(str(part) for part in connection.dialect.server_version_info or ())
