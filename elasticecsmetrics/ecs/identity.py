"""Who a document and a process are: ids that sort by time, and the uuid of this process.

An id is 15 bytes: 7 of microseconds since 1970, 5 random ones of the process, 3 of a counter; written in 20 characters of the
URL-safe base64 alphabet put into ASCII order, so that texts sort as the numbers do. Twenty characters without padding are also
what Elasticsearch stores as bytes instead of text, and ids that grow with time cost its index least.

Nothing here locks: ``next`` of an ``itertools.count`` is atomic, and a fork renews the random part by a hook.
"""

from __future__ import annotations

import itertools
import os
import string
import time
import uuid
from binascii import b2a_base64

_BASE64 = string.ascii_uppercase + string.ascii_lowercase + string.digits + "+/"
_IN_ASCII_ORDER = bytes.maketrans(_BASE64.encode(), "".join(sorted(string.ascii_letters + string.digits + "-_")).encode())

_TIME_MASK = (1 << 56) - 1
_COUNT_MASK = (1 << 24) - 1


class _Process:
    """What tells this process from every other; renewed in a forked child, which must not go on with its parent's."""

    __slots__ = ("ephemeral_id", "random")

    def __init__(self) -> None:
        self.renew()

    def renew(self) -> None:
        self.random = os.urandom(5)
        self.ephemeral_id = str(uuid.uuid4())


_PROCESS = _Process()
_counter = itertools.count()

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_PROCESS.renew)


def new_id() -> str:
    """A unique id of 20 characters of ``-0-9A-Z_a-z`` that sorts, as text, by the wall clock's time of the call.

    Unique over threads, processes, forks and hosts. Ids made one after another in one process ascend, also inside one
    microsecond, for as long as the clock does not go back.
    """
    count = next(_counter)
    # The counter's overflow moves on by a microsecond, so that its return to 0 is no step back.
    microseconds = (time.time_ns() // 1000 + (count >> 24)) & _TIME_MASK
    raw = microseconds.to_bytes(7, "big") + _PROCESS.random + (count & _COUNT_MASK).to_bytes(3, "big")
    return b2a_base64(raw, newline=False).translate(_IN_ASCII_ORDER).decode()


def ephemeral_id() -> str:
    """The ``agent.ephemeral_id``: a random uuid, one for each process, another one after a fork.

    The same object is returned until the process forks, so that ``is`` tells whether it did.
    """
    return _PROCESS.ephemeral_id
