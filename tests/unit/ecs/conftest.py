"""What the tests of documents share: a strict reader of bodies, and a builder with a clock that stands still."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any

import pytest

from elasticecsmetrics.config import DocumentConfig
from elasticecsmetrics.ecs.builder import DocumentBuilder

TAKEN_NS = 1_800_000_000_123_456_000


class StandingClock:
    """Always the same moment."""

    def wall_ns(self) -> int:
        return TAKEN_NS

    def monotonic(self) -> float:
        return 0.0

    def monotonic_ns(self) -> int:
        return 0


def _refuse(constant: str) -> Any:
    raise AssertionError(f"{constant} is no JSON")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = [name for name, _ in pairs]
    assert len(names) == len(set(names)), f"a name stands twice: {names}"
    return dict(pairs)


@pytest.fixture
def read() -> Callable[[bytes], dict[str, Any]]:
    """Reads a body as a server does: no NaN, no name twice, valid UTF-8, one line."""

    def read_strictly(body: bytes) -> dict[str, Any]:
        assert b"\n" not in body
        document = json.loads(body.decode("utf-8"), parse_constant=_refuse, object_pairs_hook=_once)
        assert isinstance(document, dict)
        return document

    return read_strictly


@pytest.fixture
def make_builder() -> Callable[..., DocumentBuilder]:
    def make(config: DocumentConfig | None = None, **options: Any) -> DocumentBuilder:
        options.setdefault("clock", StandingClock())
        return DocumentBuilder(config or DocumentConfig(), name_index=lambda ns: f"index-{ns // 10**9}", **options)

    return make


@pytest.fixture
def make_record() -> Callable[..., logging.LogRecord]:
    """A record as a logger makes it, with ``extra`` set as the logger sets it."""

    def make(msg: object = "hello", *args: object, extra: Any = None, **options: Any) -> logging.LogRecord:
        exc_info = options.pop("exc_info", None)
        record = logging.LogRecord("app.views", logging.INFO, "/srv/app/views.py", 42, msg, args, exc_info, "index")
        for name, value in {**(extra or {}), **options}.items():
            record.__dict__[name] = value
        return record

    return make


@pytest.fixture
def logged(make_builder: Any, make_record: Any, read: Any) -> Callable[..., dict[str, Any]]:
    """The document of a record with this extra."""

    def document(extra: Any = None, msg: object = "hello", *args: object, **options: Any) -> Any:
        return read(make_builder().log(make_record(msg, *args, extra=extra, **options)).document.body)

    return document
