"""What the pipeline says of itself: a line at once, then at most one in 30 s with the count, the rest at the end.

The lines are WARNING or above on the logger ``elasticecsmetrics``. When no handler but ours would take them they go to
standard error: a program that logs only into a dead cluster must still hear of it.
"""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable

#: The logger of our own lines. A handler of ours never ships its records: that would be a loop.
LOGGER_NAME = "elasticecsmetrics"

_LOGGER = logging.getLogger(LOGGER_NAME)

#: Seconds between two lines of the same kind.
INTERVAL = 30.0


class Diagnostics:
    """Rate-limited by kind. Used by one thread at a time, outside every lock."""

    def __init__(self, *, monotonic: Callable[[], float] = time.monotonic, interval: float = INTERVAL) -> None:
        self._monotonic = monotonic
        self._interval = interval
        self._said_at: dict[str, float] = {}
        self._held: dict[str, tuple[str, int]] = {}

    def say(self, kind: str, text: str, count: int = 0) -> None:
        """Says ``text``, or holds it back with its count when ``kind`` was said less than an interval ago.

        Args:
            kind: what is rate-limited together, such as ``rejected``.
            text: one line, without credentials.
            count: documents that it has happened to; they are summed up while held back. 0 for a state, which is not counted,
                and which nobody has to hear of at the end.
        """
        now = self._monotonic()
        held = self._held.pop(kind, ("", 0))[1] + count
        if now - self._said_at.get(kind, -self._interval) < self._interval:
            self._held[kind] = (text, held)
            return
        self._said_at[kind] = now
        _write(_counted(text, held))

    def flush(self) -> None:
        """Says what is still held back."""
        while self._held:
            text, held = self._held.popitem()[1]
            if held:
                _write(_counted(text, held))

    def forget(self) -> None:
        """Says nothing of what was held back: in a forked child it is the parent's."""
        self._held.clear()


def _counted(text: str, count: int) -> str:
    return text if not count else f"{text} ({count} document{'' if count == 1 else 's'})"


def is_heard_elsewhere(logger: logging.Logger, level: int) -> bool:
    """True when a handler that is not one of ours would take a record of this level."""
    current: logging.Logger | None = logger
    while current is not None:
        for handler in current.handlers:
            if not _is_ours(handler) and not isinstance(handler, logging.NullHandler) and level >= handler.level:
                return True
        current = current.parent if current.propagate else None
    return False


def _is_ours(handler: logging.Handler) -> bool:
    return any(base.__module__.partition(".")[0] == "elasticecsmetrics" for base in type(handler).__mro__)


def _write(line: str) -> None:
    try:
        heard = _log(line)
    except Exception:  # noqa: BLE001  a user's handler may raise anything; delivery goes on
        heard = False
    if not heard and sys.stderr is not None:
        try:
            sys.stderr.write(f"elasticecsmetrics: {line}\n")
        except (OSError, ValueError):  # a closed or broken standard error: there is nobody left to tell
            return


def _log(line: str) -> bool:
    logger = _LOGGER
    heard = _is_enabled(logger) and is_heard_elsewhere(logger, logging.WARNING)
    if heard:
        # Not logger.warning(): isEnabledFor takes logging's own lock when its cache is cold, and dictConfig holds that lock
        # while it closes handlers, which wait for the thread that would wait here.
        logger.handle(logger.makeRecord(LOGGER_NAME, logging.WARNING, __file__, 0, "%s", (line,), None, "say"))
    return heard


def _is_enabled(logger: logging.Logger) -> bool:
    return not logger.disabled and logger.manager.disable < logging.WARNING >= logger.getEffectiveLevel()
