"""The figures: where each accepted document first came to rest, so that at every instant the sum is right.

``accepted == delivered + spooled + rejected + sum(dropped) + buffered``
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Replayed:
    """What the drain did with documents that rested in the failure folder.

    ``claimed == delivered + rejected + left``
    """

    claimed: int = 0
    delivered: int = 0
    rejected: int = 0
    left: int = 0
    """Back in the folder, to be claimed again."""


@dataclass(frozen=True, slots=True)
class Stats:
    """A snapshot of one pipeline's figures, in documents."""

    accepted: int = 0
    delivered: int = 0
    spooled: int = 0
    """In the failure folder before anything acknowledged them. The drain's later success stands under ``replayed``."""
    rejected: int = 0
    """Refused by the store for good: in the folder's ``rejected/``, or without a folder only counted and reported."""
    dropped: Mapping[str, int] = field(default_factory=dict)
    """Lost, by reason: ``buffer_full``, ``too_large``, ``closed``, ``spool_failed``."""
    buffered: int = 0
    """In memory, those in flight included."""
    in_flight: int = 0
    buffered_bytes: int = 0
    """Bytes of the bodies of all that is buffered."""
    ignored: int = 0
    """Log records that were not accepted: those of our own client in our own threads."""
    diverted: int = 0
    """Of the delivered, those that the server put into its failure store."""
    evicted: int = 0
    """Documents that left the failure folder because of its bounds (``spool_max_bytes`` and the like)."""
    replayed: Replayed = Replayed()


class Ledger:
    """The counters behind :class:`Stats`. Not thread-safe: the buffer changes it under its own lock."""

    def __init__(self) -> None:
        self.accepted = 0
        self.delivered = 0
        self.spooled = 0
        self.rejected = 0
        self.dropped: dict[str, int] = {}
        self.diverted = 0
        self.evicted = 0
        self.replayed = Replayed()

    def drop(self, reason: str, count: int = 1) -> None:
        """Counts documents that are lost."""
        self.dropped[reason] = self.dropped.get(reason, 0) + count

    def replay(self, *, delivered: int, rejected: int, left: int) -> None:
        """Counts one file that the drain settled."""
        was = self.replayed
        claimed = delivered + rejected + left
        self.replayed = Replayed(was.claimed + claimed, was.delivered + delivered, was.rejected + rejected, was.left + left)

    def snapshot(self, *, in_flight: int, buffered_bytes: int) -> Stats:
        """The figures now. ``buffered`` is what is accepted and not yet at rest, by definition."""
        accepted = self.accepted
        at_rest = self.delivered + self.spooled + self.rejected + sum(self.dropped.values())
        return Stats(
            accepted=accepted,
            delivered=self.delivered,
            spooled=self.spooled,
            rejected=self.rejected,
            dropped=dict(self.dropped),
            buffered=accepted - at_rest,
            in_flight=in_flight,
            buffered_bytes=buffered_bytes,
            diverted=self.diverted,
            evicted=self.evicted,
            replayed=self.replayed,
        )
