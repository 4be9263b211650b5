"""The embedded store: any SQL database that SQLAlchemy reaches, SQLite with nothing else."""

from __future__ import annotations

from importlib.util import find_spec

from elasticecsmetrics.errors import MissingExtraError

if find_spec("sqlalchemy") is None:
    raise MissingExtraError("sqlalchemy", extra="sql", needed_for="a SQL store")
