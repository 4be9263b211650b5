"""Time as an argument: what reads clocks or sleeps takes a :class:`Clock`, so that tests never wait."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """The two clocks: the wall's for what is written down, the monotonic one for lengths and time-outs."""

    def wall_ns(self) -> int:
        """Nanoseconds since 1970-01-01T00:00:00Z."""

    def monotonic(self) -> float:
        """Seconds from an arbitrary start, never going back."""

    def monotonic_ns(self) -> int:
        """Nanoseconds from an arbitrary start, never going back."""


class SystemClock:
    """The clocks of the machine."""

    wall_ns = staticmethod(time.time_ns)
    monotonic = staticmethod(time.monotonic)
    monotonic_ns = staticmethod(time.perf_counter_ns)


SYSTEM_CLOCK = SystemClock()


def now() -> datetime:
    """The time now, aware, in the local zone (as ElasticECSMetrics' ``now``)."""
    return datetime.now().astimezone()
