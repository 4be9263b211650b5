"""When to try again: two pure policies, one for requests that failed whole and one for single items, and the circuit.

Nothing here sleeps, reads a clock or draws a random number by itself: all three are arguments.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """Exponential backoff with full jitter, honouring ``Retry-After``; all times in seconds.

    Full jitter (a wait drawn evenly from zero to the ceiling) is what keeps many clients from coming back at once; see
    "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
    """

    base: float
    """The ceiling of the first wait; it doubles with each attempt."""
    cap: float
    """The highest ceiling."""
    give_up_after: float
    """Seconds of failures after which no further attempt is begun."""

    def delay(self, attempt: int, elapsed: float, *, retry_after: float | None, random: float) -> float | None:
        """How long to wait after the failed attempt number ``attempt`` (from 1), or None to give up.

        Args:
            attempt: how many attempts were made.
            elapsed: seconds since the first attempt began to fail.
            retry_after: what the server asked for, if it did.
            random: evenly drawn from 0 to 1.
        """
        ceiling = min(self.cap, self.base * 2.0 ** min(attempt - 1, 30))
        wait = max(random * ceiling, retry_after or 0.0)
        return wait if elapsed + wait <= self.give_up_after else None


#: A store that does not answer: given up soon, because what waits for it waits better on disk, or in the buffer.
REQUEST_POLICY = RetryPolicy(base=0.1, cap=0.4, give_up_after=0.5)

#: Single documents that the store is too busy for (429, 503) while it takes others: tried again at once and once more. They
#: occupy a sender meanwhile, so what takes longer waits elsewhere.
ITEM_POLICY = RetryPolicy(base=0.1, cap=0.2, give_up_after=0.3)


@dataclass(frozen=True, slots=True)
class Circuit:
    """Whether the store is taken to be reachable. Open means: not before ``retry_at``.

    A value: each event gives a new circuit.
    """

    failures: int = 0
    retry_at: float = 0.0
    """Monotonic seconds before which the store is not asked."""

    BASE = 0.5
    CAP = 30.0
    #: Seconds of ``Retry-After`` that are honoured: one maintenance page must not silence a program for a day.
    LONGEST_RETRY_AFTER = 300.0

    def is_open(self, now: float) -> bool:
        """True while the store is left alone. Afterwards one request is the probe."""
        return self.failures > 0 and now < self.retry_at

    @property
    def is_probing(self) -> bool:
        """True when the last answer was a failure: only one request at a time."""
        return self.failures > 0

    def failed(self, now: float, *, retry_after: float | None, random: float) -> Self:
        """After a request that failed whole, or was answered by nothing but failures."""
        ceiling = min(self.CAP, self.BASE * 2.0 ** min(self.failures, 30))
        # Half of it is fixed: a probe that may come at once would make an outage cost a connection attempt a batch.
        wait = max(ceiling / 2 * (1 + random), min(retry_after or 0.0, self.LONGEST_RETRY_AFTER))
        return replace(self, failures=self.failures + 1, retry_at=now + wait)

    def succeeded(self) -> Self:
        """After a request that was answered."""
        return self if self.failures == 0 else replace(self, failures=0, retry_at=0.0)

    def hurried(self) -> Self:
        """When somebody flushes: the next request may go out now."""
        return replace(self, retry_at=0.0)
