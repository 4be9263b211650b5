"""From a store's URL to an engine of SQLAlchemy whose waits are bounded, and the one statement that databases spell apart."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import Connection, Engine, Insert, create_engine
from sqlalchemy.dialects import mysql, postgresql, sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, OperationalError
from sqlalchemy.pool import NullPool, StaticPool

from elasticecsmetrics.errors import ConfigurationError, MissingExtraError
from elasticecsmetrics.model.document import CREATE, Op
from elasticecsmetrics.stores.sql import schema

#: Seconds: to connect, or to wait for a connection; in SQLite to wait for all locks of one call together, elsewhere for each
#: statement.
TIMEOUT = 10

#: How each driver is told. Of others, what they wait for is theirs to say, in the URL.
_LIBPQ = {"connect_timeout": TIMEOUT, "options": f"-c statement_timeout={TIMEOUT * 1000}"}
_BOUNDS: Mapping[str, Mapping[str, Any]] = {
    "psycopg": _LIBPQ,
    "psycopg2": _LIBPQ,
    "pymysql": {"connect_timeout": TIMEOUT, "read_timeout": TIMEOUT, "write_timeout": TIMEOUT},
    "mysqldb": {"connect_timeout": TIMEOUT, "read_timeout": TIMEOUT, "write_timeout": TIMEOUT},
}

_MYSQL = frozenset({"mysql", "mariadb"})
_SUPPORTED = frozenset({"sqlite", "postgresql"}) | _MYSQL


def parse(url: str) -> URL:
    """Reads a store's URL.

    Raises:
        ConfigurationError: it is none, or of a database that is not supported. The message holds no password.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise ConfigurationError("store: no URL of a database, such as sqlite:///metrics.db (its value is not shown)") from None
    if parsed.get_backend_name() not in _SUPPORTED:
        known = ", ".join(sorted(_SUPPORTED))
        raise ConfigurationError(f"store={shown(parsed)!r}: expected a URL of {known}")
    return parsed


def shown(url: URL) -> str:
    """The URL without user, password and options, any of which may be secret."""
    return URL.create(url.drivername, host=url.host, port=url.port, database=url.database).render_as_string()


def in_memory(url: URL) -> bool:
    """True for SQLite without a file."""
    return url.get_backend_name() == "sqlite" and url.database in {None, "", ":memory:"}


def open_engine(url: URL) -> Engine:
    """An engine for this URL; nothing is connected yet.

    Raises:
        MissingExtraError: the database's driver is not installed.
        ConfigurationError: SQLAlchemy knows no such driver, or this Python was built without SQLite.
    """
    try:
        engine = create_engine(url, **_options(url))
    except NoSuchModuleError:
        raise ConfigurationError(f"store={shown(url)!r}: SQLAlchemy knows no driver {url.drivername!r}") from None
    except ImportError as error:
        package = error.name or url.drivername
        if package.partition(".")[0] in {"sqlite3", "_sqlite3"}:
            # A part of Python, which nothing from an index of packages can add.
            raise ConfigurationError(
                f"store={shown(url)!r}: this Python was built without sqlite3; use one that has it, or another database"
            ) from error
        raise MissingExtraError(package, extra="sql", needed_for=f"store={shown(url)!r}") from error
    return engine


def deadline() -> float:
    """Until when a call that begins now may wait: seconds of ``time.monotonic``."""
    return time.monotonic() + TIMEOUT


@contextlib.contextmanager
def connected(engine: Engine, until: float) -> Iterator[Connection]:
    """A connection that in SQLite waits for locks until then at the most; all of a call's connections share one deadline."""
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            left = max(0, round((until - time.monotonic()) * 1000))
            connection.exec_driver_sql(f"PRAGMA busy_timeout = {left}")
        yield connection


@contextlib.contextmanager
def transaction(engine: Engine, until: float) -> Iterator[Connection]:
    """A connection as of :func:`connected` that commits at the end of its block, if that did not raise.

    In SQLite it takes the lock for writing at once: who reads first and then wants to write is refused, not made to wait.
    """
    with connected(engine, until) as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        yield connection
        connection.commit()


def write_ahead(engine: Engine, until: float) -> None:
    """Makes a SQLite file one whose readers do not block the writer, nor it them. The file remembers it.

    Without it everything works as well: some file systems cannot, and while another process uses the file it must wait.
    """
    if engine.dialect.name == "sqlite":
        with contextlib.suppress(OperationalError), connected(engine, until) as connection:
            connection.exec_driver_sql("PRAGMA journal_mode=WAL")


def insert(dialect: str, op: Op) -> Insert:
    """The statement that writes a row: what is there already is kept for :data:`CREATE`, replaced for the other."""
    if dialect in _MYSQL:
        # Not INSERT IGNORE: that would also cut what is too long, and say nothing.
        adding = mysql.insert(schema.documents)
        kept = {"id": schema.documents.c.id}
        return adding.on_duplicate_key_update(kept if op == CREATE else {n: adding.inserted[n] for n in ("time", "body")})
    add: Any = (postgresql if dialect == "postgresql" else sqlite).insert(schema.documents)
    if op == CREATE:
        return add.on_conflict_do_nothing(index_elements=["index_name", "id"])  # type: ignore[no-any-return]
    replaced = {name: add.excluded[name] for name in ("time", "body")}
    return add.on_conflict_do_update(index_elements=["index_name", "id"], set_=replaced)  # type: ignore[no-any-return]


def _options(url: URL) -> dict[str, Any]:
    if in_memory(url):
        return {"poolclass": StaticPool, "connect_args": {"check_same_thread": False}}
    if url.get_backend_name() == "sqlite":
        # A connection for each write: a file that was deleted or replaced would otherwise go on being written, unseen.
        return {"poolclass": NullPool, "connect_args": {"timeout": TIMEOUT}}
    bounds = _BOUNDS.get(url.get_dialect().driver, {})
    arguments = {name: value for name, value in bounds.items() if name not in url.query}
    return {"pool_pre_ping": True, "pool_timeout": TIMEOUT, "connect_args": arguments}
