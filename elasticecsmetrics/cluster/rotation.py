"""Which of several hosts is asked next: each in turn, and one that failed rests for a while.

elastic-transport's pool does the same, but writes a WARNING at every failure into the program's own log.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

Node = TypeVar("Node")

#: Seconds of rest after the first failure; doubled by each further one.
FIRST_REST = 1.0
LONGEST_REST = 30.0


class Rotation(Generic[Node]):
    """The hosts of one client. Two threads may use it at once: at worst a host is asked out of turn."""

    def __init__(self, nodes: Sequence[Node], *, monotonic: Callable[[], float] = time.monotonic) -> None:
        """
        Args:
            nodes: at least one.
            monotonic: seconds that never go back.
        """
        self.nodes = tuple(nodes)
        self._monotonic = monotonic
        self._next = 0
        self._failures = [0] * len(self.nodes)
        self._rests_until = [0.0] * len(self.nodes)

    def order(self) -> list[int]:
        """The places of all nodes as they should be tried now: those in good health in turn, then the first to end its rest."""
        count, now = len(self.nodes), self._monotonic()
        turn = [(self._next + step) % count for step in range(count)]
        self._next = (self._next + 1) % count
        return sorted(turn, key=lambda place: max(0.0, self._rests_until[place] - now))

    def failed(self, place: int) -> None:
        """Notes that the node there did not answer, or that what stands before it said so."""
        self._failures[place] += 1
        rest = min(LONGEST_REST, FIRST_REST * 2 ** min(self._failures[place] - 1, 8))
        self._rests_until[place] = self._monotonic() + rest

    def answered(self, place: int) -> None:
        """Notes that the node there answered."""
        self._failures[place] = 0
        self._rests_until[place] = 0.0
