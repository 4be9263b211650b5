"""The protocol of what documents are sent to. The seeds call it a backend."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from elasticecsmetrics.model.document import Document
from elasticecsmetrics.model.outcome import Outcome


@dataclass(frozen=True, slots=True)
class Ping:
    """What answered a :meth:`Store.ping`."""

    engine: str
    """``elasticsearch``, ``opensearch``, ``sqlite``, ..."""
    version: str
    url: str
    """Where, without credentials."""


class Store(Protocol):
    """Where documents come to rest.

    A store is used by one sender thread at a time for each request in flight. It builds its client on first use, and
    again in a forked child. ``write`` never raises for what the outside world does: that becomes outcomes.
    """

    def write(self, documents: Sequence[Document], /) -> Sequence[Outcome]:
        """Tries once to write these documents; returns one outcome for each, in order. Bounded in time."""

    def ping(self) -> Ping:
        """Asks who is there.

        Raises:
            StoreUnreachableError: no answer.
            StoreRefusedError: an answer, but not a welcome (login, product).
        """

    def close(self) -> None:
        """Gives up connections. A later ``write`` makes new ones, so closing twice or early is harmless."""
