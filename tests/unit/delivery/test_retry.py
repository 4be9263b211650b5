"""The policies are functions from values to a value: no clock and no sleep in these tests."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from elasticecsmetrics.delivery.retry import Circuit, RetryPolicy

POLICY = RetryPolicy(base=0.1, cap=2.0, give_up_after=10.0)


def test_the_ceiling_doubles_with_each_attempt_up_to_the_cap() -> None:
    waits = [POLICY.delay(attempt, 0.0, retry_after=None, random=1.0) for attempt in range(1, 8)]
    assert waits == [0.1, 0.2, 0.4, 0.8, 1.6, 2.0, 2.0]


@given(st.integers(1, 10_000), st.floats(0, 1))
def test_full_jitter_never_leaves_the_ceiling(attempt: int, random: float) -> None:
    wait = POLICY.delay(attempt, 0.0, retry_after=None, random=random)
    assert wait is not None
    assert 0.0 <= wait <= 2.0


def test_retry_after_is_the_least_that_is_waited() -> None:
    assert POLICY.delay(1, 0.0, retry_after=7.0, random=0.5) == 7.0


def test_it_gives_up_when_the_next_try_would_come_too_late() -> None:
    assert POLICY.delay(9, 9.0, retry_after=None, random=1.0) is None
    assert POLICY.delay(1, 0.0, retry_after=60.0, random=0.0) is None


def test_a_new_circuit_is_closed() -> None:
    assert not Circuit().is_open(0.0)
    assert not Circuit().is_probing


def test_a_failure_opens_the_circuit_for_a_while_then_it_probes() -> None:
    circuit = Circuit().failed(100.0, retry_after=None, random=0.0)
    assert circuit.is_open(100.0)
    assert circuit.is_open(100.24)
    assert not circuit.is_open(100.26)
    assert circuit.is_probing


def test_repeated_failures_open_it_longer_but_never_longer_than_the_cap() -> None:
    circuit = Circuit()
    lengths = []
    for _ in range(20):
        circuit = circuit.failed(0.0, retry_after=None, random=1.0)
        lengths.append(circuit.retry_at)
    assert lengths[:4] == [0.5, 1.0, 2.0, 4.0]
    assert max(lengths) == Circuit.CAP


def test_retry_after_keeps_the_circuit_open() -> None:
    assert Circuit().failed(0.0, retry_after=90.0, random=0.0).is_open(89.0)


def test_retry_after_is_honoured_for_minutes_not_for_days() -> None:
    assert Circuit().failed(0.0, retry_after=99_999_999_999.0, random=0.0).retry_at == Circuit.LONGEST_RETRY_AFTER


def test_an_answer_closes_it_and_a_flush_lets_one_request_through() -> None:
    circuit = Circuit().failed(0.0, retry_after=None, random=1.0)
    assert not circuit.hurried().is_open(0.0)
    assert circuit.hurried().is_probing
    assert not circuit.succeeded().is_probing
