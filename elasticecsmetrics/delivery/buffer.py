"""The buffer: the one place where callers, the worker and the senders meet, and the only lock between them.

Invariants, each true whenever the lock is free:

- Every accepted document is in the queue, parked, in a batch that is out (``_out``), or counted as at rest in the ledger.
- Sequence numbers ascend in the queue from left to right; what is handed back goes to the left end. Parked documents wait
  apart, so that those that the store puts off do not hold up the others.
- All of them together never exceed the bounds of documents and bytes.

Nothing here does I/O, and nothing waits except :meth:`Buffer.wait_for_work` (the worker) and :meth:`Buffer.wait_for_rest`
(whoever flushes).
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import inf
from typing import NamedTuple

from elasticecsmetrics.config import DeliveryConfig
from elasticecsmetrics.delivery.stats import Ledger, Stats
from elasticecsmetrics.model.document import Document
from elasticecsmetrics.model.outcome import Outcome

#: Seconds after which a wait looks again by itself: the platform's own limit may be anything.
LONGEST_WAIT = 3600.0


class Entry(NamedTuple):
    """A document with its place in the order of acceptance."""

    seq: int
    document: Document


class Returned(NamedTuple):
    """A batch as a sender thread gives it back: the number it went out under, and the outcomes in order."""

    number: int
    outcomes: Sequence[Outcome]


@dataclass(frozen=True, slots=True)
class View:
    """What the worker decides by: the state of the buffer at one instant."""

    queued: int
    queued_bytes: int
    oldest_since: float
    """Monotonic seconds at which the oldest queued document came, or an earlier time."""
    parked: int
    out: int
    out_bytes: int
    hurry: bool
    """Somebody flushes or closes, and what they wait for is not at rest."""
    hurries: int
    """How many flushes and closes there have been."""
    rescue_at: float
    """Monotonic seconds at which the next flush's time is up; infinite without one."""
    rescue_to: int
    """The last sequence number of the flushes whose time is up: all up to it has to leave; -1 when there is none."""
    dropping: bool
    """One of those flushes closes: what the folder does not take is dropped."""
    closing: bool


@dataclass(slots=True, eq=False)
class Flush:
    """Somebody who waits: for which documents, until when the network may take, and whether one of them failed."""

    target: int
    rescue_at: float
    closing: bool
    failed: bool


def _size(entries: Iterable[Entry]) -> int:
    return sum(len(entry.document.body) for entry in entries)


class Buffer:
    """Documents between the caller and the store, bounded by number and by bytes."""

    def __init__(self, config: DeliveryConfig, monotonic: Callable[[], float]) -> None:
        self._config = config
        self._monotonic = monotonic
        self.reset()

    def reset(self) -> None:
        """Empty, with new locks: at birth, and in a forked child, where another thread may have held the old ones."""
        # A re-entrant lock, and _busy: a signal handler or a __del__ run by the garbage collector may log while this very
        # thread is inside; such a document is put aside and taken over by whoever comes next.
        self._lock = threading.RLock()
        self._work = threading.Condition(self._lock)
        self._rest = threading.Condition(self._lock)
        self._busy = False
        self._aside: deque[Document] = deque()
        self._queue: deque[Entry] = deque()
        self._queued_bytes = 0
        self._out: dict[int, list[Entry]] = {}
        self._out_bytes = 0
        self._parked: deque[Entry] = deque()
        self._parked_bytes = 0
        self._lowest_parked: float | None = None
        self._batches = 0
        self._next_seq = 0
        self._oldest_since = inf
        self._returned: deque[Returned] = deque()
        self._flushes: list[Flush] = []
        self._hurries = 0
        self._closed = False
        self._signalled = False
        self._worker_wakes_at = inf
        self._out_count = 0
        self._failed_since_flush = False
        self.ledger = Ledger()

    # ---- callers ----------------------------------------------------------------------------------------------------

    def put(self, document: Document) -> bool:
        """Takes a document, in constant time. False when the buffer is closed, and the document not accepted."""
        with self._lock:
            if self._busy:
                self._aside.append(document)
                return True
            if self._closed:
                return False
            self._busy = True
            try:
                self._accept(document)
                self._take_over_aside()
            finally:
                self._busy = False
        return True

    def _accept(self, document: Document) -> None:
        size = len(document.body)
        self.ledger.accepted += 1
        seq = self._next_seq
        self._next_seq = seq + 1
        config = self._config
        if size > config.max_buffered_bytes:
            self._drop(seq, "too_large")
            return
        if not self._queue:
            self._oldest_since = self._monotonic()
        self._queue.append(Entry(seq, document))
        self._queued_bytes += size
        queued = len(self._queue)
        if self._is_over():
            self._push_out()
        # A full batch is told by the remainder, so that the worker is woken once for each and not by every document.
        if (
            queued % config.full_documents == 0
            or self._queued_bytes // config.full_bytes != (self._queued_bytes - size) // config.full_bytes
            or (queued == 1 and self._worker_wakes_at > self._oldest_since + config.flush_frequency)
        ):
            self._signal()

    def _is_over(self) -> bool:
        config = self._config
        held = len(self._queue) + self._out_count + len(self._parked)
        return held > config.max_buffered or (
            self._queued_bytes + self._out_bytes + self._parked_bytes > config.max_buffered_bytes
        )

    def _push_out(self) -> None:
        """The oldest goes: first what is parked, for it was tried already."""
        while self._is_over() and self._parked:
            entry = self._parked.popleft()
            self._lowest_parked = None
            self._parked_bytes -= len(entry.document.body)
            self._drop(entry.seq, "buffer_full")
        while self._is_over() and self._queue:
            entry = self._queue.popleft()
            self._queued_bytes -= len(entry.document.body)
            self._drop(entry.seq, "buffer_full")

    def _drop(self, seq: int, reason: str) -> None:
        self.ledger.drop(reason)
        self._note_failure(seq)

    def begin_flush(self, rescue_at: float, *, closing: bool = False) -> Flush:
        """Asks for all that was accepted so far to come to rest; what is not by ``rescue_at`` leaves for the folder."""
        with self._exclusively():
            self._take_over_aside()
            flush = Flush(self._next_seq - 1, rescue_at, closing, self._failed_since_flush)
            self._failed_since_flush = False
            self._flushes.append(flush)
            self._hurries += 1
            self._closed = self._closed or closing
            self._signal()
            return flush

    def wait_for_rest(self, flush: Flush, until: float) -> bool:
        """Waits for a flush begun; True when all of it, and all since the flush before it, was acknowledged."""
        with self._lock:
            try:
                while self._low_water() <= flush.target:
                    left = until - self._monotonic()
                    if left <= 0:
                        break
                    self._rest.wait(min(left, LONGEST_WAIT))
            finally:
                self._flushes.remove(flush)
            return self._low_water() > flush.target and not flush.failed

    @property
    def closed(self) -> bool:
        """True when no more documents are taken."""
        return self._closed

    def stats(self) -> Stats:
        """The figures at this instant."""
        with self._exclusively():
            self._take_over_aside()
            held = self._queued_bytes + self._out_bytes + self._parked_bytes
            return self.ledger.snapshot(in_flight=self._out_count, buffered_bytes=held)

    # ---- senders ----------------------------------------------------------------------------------------------------

    def give_back(self, number: int, outcomes: Sequence[Outcome]) -> None:
        """From a sender thread: what became of a batch."""
        with self._lock:
            self._returned.append(Returned(number, outcomes))
            self._signal()

    # ---- the worker -------------------------------------------------------------------------------------------------

    def view(self, now: float) -> View:
        """The state to decide by. A signal that comes after it keeps the worker from sleeping."""
        with self._exclusively():
            self._signalled = False
            self._take_over_aside()
            low = self._low_water() if self._flushes else 0
            waited_for = [flush for flush in self._flushes if flush.target >= low]
            over = [flush for flush in waited_for if now >= flush.rescue_at]
            return View(
                queued=len(self._queue),
                queued_bytes=self._queued_bytes,
                oldest_since=self._oldest_since if self._queue else inf,
                parked=len(self._parked),
                out=self._out_count,
                out_bytes=self._out_bytes,
                hurry=bool(waited_for) or self._closed,
                hurries=self._hurries,
                rescue_at=min((flush.rescue_at for flush in waited_for), default=inf),
                rescue_to=max((flush.target for flush in over), default=-1),
                dropping=any(flush.closing for flush in over),
                closing=self._closed,
            )

    def collect(self) -> list[Returned]:
        """What the senders gave back since the last call."""
        with self._lock:
            returned = list(self._returned)
            self._returned.clear()
            return returned

    def take(self, up_to: int | None = None) -> tuple[int, list[Entry]]:
        """The oldest batch and the number it is out under; at most a full one by number and by bytes.

        Args:
            up_to: the last sequence number to take; None takes any.
        """
        with self._exclusively():
            entries: list[Entry] = []
            size = 0
            while self._queue and len(entries) < self._config.full_documents:
                seq, document = self._queue[0]
                if (entries and size + len(document.body) > self._config.full_bytes) or (up_to is not None and seq > up_to):
                    break
                entries.append(self._queue.popleft())
                size += len(document.body)
            self._queued_bytes -= size
            self._batches += 1
            if entries:
                self._out[self._batches] = entries
                self._out_bytes += size
                self._out_count += len(entries)
            return self._batches, entries

    def out_batches(self) -> list[int]:
        """The numbers of the batches that are out."""
        with self._lock:
            return list(self._out)

    def entries(self, number: int) -> list[Entry]:
        """The documents of a batch that is out; empty when it has been settled already."""
        with self._lock:
            return self._out.get(number, [])

    def settle(
        self,
        number: int,
        *,
        delivered: int = 0,
        diverted: int = 0,
        spooled: Iterable[Entry] = (),
        rejected: Iterable[Entry] = (),
        dropped: Iterable[tuple[Entry, str]] = (),
        handed_back: Sequence[Entry] = (),
        parked: Sequence[Entry] = (),
        evicted: int = 0,
    ) -> None:
        """Ends a batch: counts each of its documents where it rests, puts it back at the head of the queue, or parks it."""
        with self._exclusively():
            entries = self._out.pop(number, None)
            if entries is None:
                return
            self._out_bytes -= _size(entries)
            self._out_count -= len(entries)
            ledger = self.ledger
            ledger.delivered += delivered
            ledger.diverted += diverted
            ledger.evicted += evicted
            for entry in spooled:
                ledger.spooled += 1
                self._note_failure(entry.seq)
            for entry in rejected:
                ledger.rejected += 1
                self._note_failure(entry.seq)
            for entry, reason in dropped:
                self._drop(entry.seq, reason)
            if handed_back:
                self._put_back(handed_back)
                # Not due again before a whole period has passed, so that what nobody takes is not tried in a tight loop.
                self._oldest_since = self._monotonic()
            if parked:
                self._parked += parked
                self._parked_bytes += _size(parked)
                self._lowest_parked = None
            self._rest.notify_all()

    def unpark(self) -> None:
        """All that is parked goes back to the head of the queue, for one more try."""
        with self._exclusively():
            if self._parked:
                if not self._queue:
                    self._oldest_since = self._monotonic()
                self._put_back(sorted(self._parked))
                self._parked.clear()
                self._parked_bytes, self._lowest_parked = 0, None

    def end_rescue(self, now: float) -> None:
        """What could be rescued for the flushes whose time is up was; the rest goes on being tried."""
        with self._lock:
            for flush in self._flushes:
                if now >= flush.rescue_at:
                    flush.rescue_at = inf

    def count_replayed(self, *, delivered: int, rejected: int, left: int) -> None:
        """Counts what the drain brought from the folder."""
        with self._lock:
            self.ledger.replay(delivered=delivered, rejected=rejected, left=left)

    def count_evicted(self, documents: int) -> None:
        """Counts documents that left the folder because of its bounds."""
        with self._exclusively():
            self.ledger.evicted += documents

    def count_late(self, *, spooled: bool, evicted: int = 0) -> None:
        """Counts a document that came after the end and went straight to the folder, or was dropped."""
        with self._exclusively():
            self.ledger.accepted += 1
            self.ledger.evicted += evicted
            if spooled:
                self.ledger.spooled += 1
            else:
                self.ledger.drop("closed")

    def wait_for_work(self, until: float) -> None:
        """The worker's sleep: until something is due, somebody wakes it, or ``until`` (monotonic seconds; may be infinite)."""
        with self._lock:
            timeout = until - self._monotonic()
            if timeout <= 0 or self._signalled:
                return
            self._worker_wakes_at = until
            self._work.wait(min(timeout, LONGEST_WAIT))
            self._worker_wakes_at = inf

    def wake(self) -> None:
        """Makes the worker look again."""
        with self._lock:
            self._signal()

    # ---- inside the lock --------------------------------------------------------------------------------------------

    @contextmanager
    def _exclusively(self) -> Iterator[None]:
        with self._lock:
            was, self._busy = self._busy, True
            try:
                yield
            finally:
                self._busy = was

    def _signal(self) -> None:
        self._signalled = True
        self._work.notify()

    def _put_back(self, entries: Sequence[Entry]) -> None:
        if self._queue and self._queue[0].seq < entries[-1].seq:  # several batches were out, and came back out of order
            self._queue = deque(sorted([*entries, *self._queue]))
        else:
            self._queue.extendleft(reversed(entries))
        self._queued_bytes += _size(entries)

    def _take_over_aside(self) -> None:
        while self._aside:
            self._accept(self._aside.popleft())

    def _low_water(self) -> float:
        """The lowest sequence number that is not at rest; one above the last when all are."""
        if self._lowest_parked is None:  # found out here, where somebody waits, and not in every put to a full buffer
            self._lowest_parked = min((entry.seq for entry in self._parked), default=inf)
        lowest = min(self._queue[0].seq if self._queue else self._next_seq, self._lowest_parked)
        for entries in self._out.values():
            lowest = min(lowest, entries[0].seq)
        return lowest

    def _note_failure(self, seq: int) -> None:
        waiting = [flush for flush in self._flushes if flush.target >= seq]
        for flush in waiting:
            flush.failed = True
        self._failed_since_flush = self._failed_since_flush or not waiting
