"""Whether the current thread is at work for us, so that no log record that we cause ourselves is taken in again."""

from __future__ import annotations

import threading


class Inside(threading.local):
    """Of the current thread."""

    ours: bool = False
    """A worker's or a sender's thread, or a caller's while it does their work: none of its records is accepted."""
    depth: int = 0
    """How many log calls of this thread are under way in a handler of ours, one within another."""


inside = Inside()
