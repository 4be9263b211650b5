"""The timed block of ``log_time_metric_timer``: monotonic length, wall-clock start, recorded when the block raises too."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from contextlib import ContextDecorator
from types import TracebackType
from typing import Any, Self, TypeVar, cast

from elasticecsmetrics.clock import SYSTEM_CLOCK, Clock

_Function = TypeVar("_Function", bound=Callable[..., Any])

#: Takes the name, the start (ns since 1970), the length (ns), what the block raised, and the fields.
Record = Callable[[str, int, int, BaseException | None, Mapping[str, Any]], None]


class TimedBlock(ContextDecorator):
    """Measures a ``with`` block, or each call of a function that it decorates; ``fields`` may be filled inside the block.

    One object may be entered again inside itself. Threads and tasks that measure at once each make their own, as every
    call of ``log_time_metric_timer`` does.
    """

    def __init__(self, name: str, record: Record, fields: Mapping[str, Any] | None = None, clock: Clock = SYSTEM_CLOCK) -> None:
        self.name = name
        self.fields: dict[str, Any] = dict(fields or {})
        """More fields for the document: nested, or with dotted names."""
        self._record = record
        self._clock = clock
        self._starts: list[tuple[int, int]] = []

    def _recreate_cm(self) -> Self:
        # contextlib asks for a fresh one for each call of a decorated function, so that calls at once do not share it
        return type(self)(self.name, self._record, self.fields, self._clock)

    def __call__(self, function: _Function) -> _Function:
        """Measures each call: of a coroutine function to its end, of a generator function to its exhaustion."""
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def awaited(*args: Any, **kwargs: Any) -> Any:
                with self._recreate_cm():
                    return await function(*args, **kwargs)

            return cast("_Function", awaited)
        if inspect.isasyncgenfunction(function):

            @functools.wraps(function)
            async def each(*args: Any, **kwargs: Any) -> Any:
                with self._recreate_cm():
                    async for value in function(*args, **kwargs):
                        yield value

            return cast("_Function", each)
        if inspect.isgeneratorfunction(function):

            @functools.wraps(function)
            def exhausted(*args: Any, **kwargs: Any) -> Any:
                with self._recreate_cm():
                    return (yield from function(*args, **kwargs))

            return cast("_Function", exhausted)
        return super().__call__(function)

    def __enter__(self) -> Self:
        self._starts.append((self._clock.wall_ns(), self._clock.monotonic_ns()))
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        ended = self._clock.monotonic_ns()
        start, began = self._starts.pop()
        self._record(self.name, start, ended - began, exc, self.fields)
