"""Waiting without holding logging's own lock.

``logging.config.dictConfig`` and ``fileConfig`` hold the module's lock while they flush and close the handlers of the old
configuration. The threads that we wait for then may need that lock themselves: ``Logger.isEnabledFor`` takes it when its cache
is cold, ``getLogger`` always, and every client library calls them. So it is given up for as long as we wait, as
``Condition.wait`` gives up its own; any other thread that logs, or asks for a logger, is not held up by our close either.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def released() -> Iterator[None]:
    """Inside, this thread does not hold logging's lock, however often it had taken it."""
    lock = getattr(logging, "_lock", None)
    if lock is None:
        yield
        return
    # The three methods by which threading.Condition itself waits on any re-entrant lock.
    is_owned, release, acquire = lock._is_owned, lock._release_save, lock._acquire_restore  # noqa: SLF001
    if not is_owned():
        yield
        return
    state = release()
    try:
        yield
    finally:
        acquire(state)
