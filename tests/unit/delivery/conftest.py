"""Documents to deliver."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest

from elasticecsmetrics.model.document import CREATE, Document

MakeDocuments = Callable[..., list[Document]]


@pytest.fixture
def make_documents() -> MakeDocuments:
    counter = itertools.count(1)

    def make(count: int = 1, *, size: int = 0) -> list[Document]:
        made = []
        for n in itertools.islice(counter, count):
            body = b'{"@timestamp":"2026-01-02T03:04:05.000000Z","n":%d,"pad":"%s"}' % (n, b"x" * size)
            made.append(Document(f"id-{n:06d}", 1_767_323_045_000_000_000, "logs-2026.01.02", CREATE, body))
        return made

    return make
