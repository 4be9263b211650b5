"""The buffer: bounds, order, figures at every instant, and what happens when a thread is inside already."""

from __future__ import annotations

import threading
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from elasticecsmetrics.config import DeliveryConfig
from elasticecsmetrics.delivery.buffer import Buffer
from elasticecsmetrics.model.document import CREATE, Document
from elasticecsmetrics.testing import ManualClock


def buffer_of(clock: ManualClock | None = None, **bounds: Any) -> Buffer:
    return Buffer(DeliveryConfig(**bounds), (clock or ManualClock()).monotonic)


def test_batches_come_out_in_the_order_of_acceptance(make_documents: Any) -> None:
    buffer = buffer_of(buffer_size=3)
    documents = make_documents(5)
    for document in documents:
        buffer.put(document)
    _, first = buffer.take()
    _, second = buffer.take()
    assert [entry.document for entry in first + second] == documents
    assert (len(first), len(second)) == (3, 2)


def test_a_batch_ends_before_it_exceeds_its_bytes(make_documents: Any) -> None:
    documents = make_documents(4, size=100)
    size = len(documents[0].body)
    buffer = buffer_of(batch_bytes=2 * size)
    for document in documents:
        buffer.put(document)
    assert [len(buffer.take()[1]) for _ in range(2)] == [2, 2]


def test_a_document_larger_than_a_batch_goes_alone(make_documents: Any) -> None:
    buffer = buffer_of(batch_bytes=10)
    for document in make_documents(2, size=100):
        buffer.put(document)
    assert len(buffer.take()[1]) == 1


def test_a_full_buffer_pushes_out_the_oldest_and_counts_it(make_documents: Any) -> None:
    buffer = buffer_of(max_buffered=3)
    documents = make_documents(5)
    for document in documents:
        buffer.put(document)
    assert buffer.stats().dropped == {"buffer_full": 2}
    assert [buffer.take()[1][0].document for _ in range(3)] == documents[2:]


def test_documents_in_flight_count_against_the_bounds(make_documents: Any) -> None:
    buffer = buffer_of(max_buffered=4, buffer_size=1)
    for document in make_documents(2):
        buffer.put(document)
    buffer.take()
    for document in make_documents(4):
        buffer.put(document)
    stats = buffer.stats()
    assert (stats.buffered, stats.in_flight, stats.dropped) == (4, 1, {"buffer_full": 2})


def test_bytes_are_bounded_exactly(make_documents: Any) -> None:
    documents = make_documents(8, size=1000)
    bound = sum(len(d.body) for d in documents[:4])
    buffer = buffer_of(max_buffered_bytes=bound)
    for document in documents:
        buffer.put(document)
        assert buffer.stats().buffered_bytes <= bound
    assert buffer.stats().buffered == 4


def test_a_document_larger_than_the_whole_buffer_is_dropped_alone(make_documents: Any) -> None:
    buffer = buffer_of(max_buffered_bytes=500)
    small, large = make_documents(1)[0], make_documents(1, size=1000)[0]
    buffer.put(small)
    buffer.put(large)
    assert buffer.stats().dropped == {"too_large": 1}
    assert [entry.document for entry in buffer.take()[1]] == [small]


def test_batches_handed_back_out_of_order_are_put_in_order_again(make_documents: Any) -> None:
    buffer = buffer_of(buffer_size=2)
    documents = make_documents(6)
    for document in documents:
        buffer.put(document)
    (first, entries), (second, later) = buffer.take(), buffer.take()
    buffer.settle(first, handed_back=entries)
    buffer.settle(second, handed_back=later)
    taken = [entry.document for _ in range(3) for entry in buffer.take()[1]]
    assert taken == documents


def test_settling_twice_counts_once(make_documents: Any) -> None:
    buffer = buffer_of()
    buffer.put(make_documents(1)[0])
    number, entries = buffer.take()
    buffer.settle(number, spooled=entries)
    buffer.settle(number, delivered=1)
    stats = buffer.stats()
    assert (stats.spooled, stats.delivered, stats.buffered) == (1, 0, 0)


def test_after_the_end_nothing_is_taken(make_documents: Any) -> None:
    buffer = buffer_of()
    buffer.begin_flush(0.0, closing=True)
    assert buffer.put(make_documents(1)[0]) is False
    assert buffer.stats().accepted == 0


def test_a_document_put_while_this_thread_is_inside_is_taken_over(make_documents: Any) -> None:
    """A signal handler or a __del__ may log in the middle of put: no deadlock, and nothing lost."""
    outer, inner = make_documents(2)

    class Clock(ManualClock):
        def monotonic(self) -> float:
            if not self.slept:
                self.slept.append(0)
                assert buffer.put(inner)
            return super().monotonic()

    buffer = buffer_of(Clock())
    done = threading.Thread(target=buffer.put, args=(outer,), daemon=True)
    done.start()
    done.join(10)
    assert not done.is_alive()
    assert {entry.document for entry in buffer.take()[1]} == {outer, inner}
    assert buffer.stats().accepted == 2


def test_a_flush_waits_for_the_oldest_not_for_a_count(make_documents: Any) -> None:
    buffer = buffer_of(buffer_size=1)
    for document in make_documents(2):
        buffer.put(document)
    flush = buffer.begin_flush(float("inf"))
    (first, _), (second, _) = buffer.take(), buffer.take()
    for document in make_documents(3):
        buffer.put(document)
    buffer.settle(second, delivered=1)
    assert buffer.view(0.0).hurry
    buffer.settle(first, delivered=1)
    assert not buffer.view(0.0).hurry
    assert buffer.wait_for_rest(flush, until=0.0) is True


def test_every_flush_that_waits_for_a_document_hears_of_its_failure(make_documents: Any) -> None:
    buffer = buffer_of()
    buffer.put(make_documents(1)[0])
    flushes = [buffer.begin_flush(float("inf")) for _ in range(3)]
    number, entries = buffer.take()
    buffer.settle(number, rejected=entries)
    assert [buffer.wait_for_rest(flush, until=0.0) for flush in flushes] == [False] * 3


def test_a_document_that_fails_after_its_flush_gave_up_is_the_next_ones(make_documents: Any) -> None:
    buffer = buffer_of()
    buffer.put(make_documents(1)[0])
    number, entries = buffer.take()
    assert buffer.wait_for_rest(buffer.begin_flush(0.0), until=0.0) is False
    buffer.settle(number, rejected=entries)
    assert buffer.wait_for_rest(buffer.begin_flush(0.0), until=0.0) is False


def test_a_short_flush_does_not_rescue_what_only_a_long_one_waits_for(make_documents: Any) -> None:
    buffer = buffer_of()
    buffer.put(make_documents(1)[0])
    buffer.begin_flush(10.0)
    buffer.put(make_documents(1)[0])
    buffer.begin_flush(100.0, closing=True)
    early, late = buffer.view(10.0), buffer.view(100.0)
    assert (early.rescue_to, early.dropping) == (0, False)
    assert (late.rescue_to, late.dropping) == (1, True)
    buffer.end_rescue(10.0)
    assert buffer.view(10.0).rescue_to == -1
    assert buffer.view(10.0).rescue_at == 100.0


def test_parked_documents_count_and_come_back_in_order(make_documents: Any) -> None:
    buffer = buffer_of(buffer_size=2, max_buffered=8)
    documents = make_documents(4)
    for document in documents:
        buffer.put(document)
    number, entries = buffer.take()
    buffer.settle(number, delivered=1, parked=entries[:1])
    flush = buffer.begin_flush(float("inf"))
    number, _ = buffer.take()
    buffer.settle(number, delivered=2)
    assert buffer.view(0.0).hurry
    assert buffer.stats().buffered == 1
    buffer.unpark()
    assert [entry.document for entry in buffer.take()[1]] == [documents[0]]
    buffer.wait_for_rest(flush, until=0.0)


def test_the_worker_is_woken_by_the_bytes_of_a_full_batch(make_documents: Any) -> None:
    documents = make_documents(3, size=100)
    buffer = buffer_of(batch_bytes=2 * len(documents[0].body), flush_frequency=1000)
    buffer.put(documents[0])
    buffer.view(0.0)
    buffer.put(documents[1])
    assert buffer._signalled


def test_a_flush_is_false_once_for_what_failed_before_it(make_documents: Any) -> None:
    buffer = buffer_of()
    buffer.put(make_documents(1)[0])
    number, entries = buffer.take()
    buffer.settle(number, rejected=entries)
    assert buffer.wait_for_rest(buffer.begin_flush(0.0), until=0.0) is False
    assert buffer.wait_for_rest(buffer.begin_flush(0.0), until=0.0) is True


def test_the_failure_of_a_later_document_is_not_this_flushs(make_documents: Any) -> None:
    buffer = buffer_of(buffer_size=1)
    buffer.put(make_documents(1)[0])
    flush = buffer.begin_flush(float("inf"))
    good, _ = buffer.take()
    buffer.put(make_documents(1)[0])
    bad, entries = buffer.take()
    buffer.settle(bad, spooled=entries)
    buffer.settle(good, delivered=1)
    assert buffer.wait_for_rest(flush, until=0.0) is True
    assert buffer.wait_for_rest(buffer.begin_flush(0.0), until=0.0) is False


class Accounting(RuleBasedStateMachine):
    """Whatever happens in whatever order: the sum is right, the bounds hold, and no document is in two places or in none."""

    out = Bundle("out")

    def __init__(self) -> None:
        super().__init__()
        self.buffer = buffer_of(buffer_size=3, max_buffered=7, max_buffered_bytes=400, batch_bytes=100)
        self.put = 0
        self.at_rest = 0

    @rule(size=st.integers(1, 500))
    def accept(self, size: int) -> None:
        self.put += 1
        self.buffer.put(Document(str(self.put), 0, "i", CREATE, b"x" * size))

    @rule(target=out)
    def take(self) -> tuple[int, list[Any]]:
        return self.buffer.take()

    @rule(batch=consumes(out), cut=st.integers(0, 3), back=st.booleans())
    def settle(self, batch: tuple[int, list[Any]], cut: int, back: bool) -> None:
        number, entries = batch
        good, rest = entries[:cut], entries[cut:]
        if back:
            self.buffer.settle(number, delivered=len(good), handed_back=rest)
        else:
            self.buffer.settle(number, delivered=len(good), spooled=rest[:1], rejected=rest[1:])

    @invariant()
    def the_sum_is_right(self) -> None:
        stats, view = self.buffer.stats(), self.buffer.view(0.0)
        assert stats.accepted == self.put
        at_rest = stats.delivered + stats.spooled + stats.rejected + sum(stats.dropped.values())
        assert stats.accepted == at_rest + stats.buffered
        assert stats.buffered == view.queued + view.out
        assert stats.buffered <= 7
        assert stats.buffered_bytes <= 400

    @invariant()
    def the_low_water_mark_tells_rest(self) -> None:
        flush = self.buffer.begin_flush(float("inf"))
        waits = self.buffer.view(0.0).hurry
        self.buffer.wait_for_rest(flush, until=-1.0)
        assert waits == (self.buffer.stats().buffered > 0)


TestAccounting = Accounting.TestCase
TestAccounting.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
