"""The decision is a function of two snapshots: each rule of it in one line."""

from __future__ import annotations

from dataclasses import replace
from math import inf

import pytest

from elasticecsmetrics.config import DeliveryConfig
from elasticecsmetrics.delivery.buffer import View
from elasticecsmetrics.delivery.decision import FRESH_BATCHES_A_DRAIN, Situation, Step, decide
from elasticecsmetrics.delivery.retry import Circuit

NOW = 100.0
CONFIG = DeliveryConfig(buffer_size=10, max_buffered=100, max_in_flight=2)
EMPTY = View(
    queued=0, queued_bytes=0, oldest_since=inf, parked=0, out=0, out_bytes=0, hurry=False, hurries=0, rescue_at=inf,
    rescue_to=-1, dropping=False, closing=False,
)  # fmt: skip
FEW = replace(EMPTY, queued=3, queued_bytes=30, oldest_since=NOW - 0.1)
FULL = replace(EMPTY, queued=10, queued_bytes=100, oldest_since=NOW - 0.1)
HIGH = replace(EMPTY, queued=60, queued_bytes=600, oldest_since=NOW - 0.1)
IDLE = Situation(
    now=NOW,
    circuit=Circuit(),
    busy_senders=0,
    senders=2,
    has_folder=False,
    drain_at=inf,
    fresh_in_a_row=0,
    unpark_at=0.0,
    draining=False,
)
FOLDER = replace(IDLE, has_folder=True)
OPEN = Circuit(failures=3, retry_at=NOW + 5)
PROBING = Circuit(failures=3, retry_at=NOW - 1)


@pytest.mark.parametrize(
    ("view", "situation", "step"),
    [
        pytest.param(EMPTY, IDLE, Step.WAIT, id="nothing to do"),
        pytest.param(FEW, IDLE, Step.WAIT, id="too few and too young"),
        pytest.param(FULL, IDLE, Step.SEND, id="full by number"),
        pytest.param(replace(FEW, queued_bytes=6 * 1024 * 1024), IDLE, Step.SEND, id="full by bytes"),
        pytest.param(replace(FEW, oldest_since=NOW - 1), IDLE, Step.SEND, id="old enough"),
        pytest.param(replace(FEW, hurry=True), IDLE, Step.SEND, id="waited for"),
        pytest.param(FULL, replace(IDLE, busy_senders=2), Step.WAIT, id="all senders busy"),
        pytest.param(FULL, replace(IDLE, busy_senders=1), Step.SEND, id="one sender is free"),
        pytest.param(FULL, replace(IDLE, circuit=OPEN), Step.WAIT, id="open circuit, no folder: waits in memory"),
        pytest.param(
            FULL, replace(FOLDER, circuit=OPEN), Step.SPILL, id="open circuit: the due batch goes to the folder at once"
        ),
        pytest.param(FEW, replace(FOLDER, circuit=OPEN), Step.WAIT, id="open circuit: what is not due stays"),
        pytest.param(FULL, replace(FOLDER, circuit=PROBING), Step.SEND, id="half open: one request probes"),
        pytest.param(FULL, replace(FOLDER, circuit=PROBING, busy_senders=1), Step.WAIT, id="half open: one request only"),
        pytest.param(HIGH, replace(FOLDER, busy_senders=2), Step.SPILL, id="overflow goes to the disk while the network hangs"),
        pytest.param(HIGH, replace(IDLE, busy_senders=2), Step.WAIT, id="overflow without a folder waits"),
        pytest.param(HIGH, FOLDER, Step.SEND, id="a free sender goes before the disk"),
        pytest.param(EMPTY, replace(FOLDER, drain_at=NOW), Step.DRAIN, id="idle: the folder is drained"),
        pytest.param(FULL, replace(FOLDER, drain_at=NOW), Step.SEND, id="fresh documents before the folder"),
        pytest.param(
            FULL,
            replace(FOLDER, drain_at=NOW, fresh_in_a_row=FRESH_BATCHES_A_DRAIN),
            Step.DRAIN,
            id="but the folder is not starved",
        ),
        pytest.param(EMPTY, replace(FOLDER, drain_at=NOW, circuit=OPEN), Step.WAIT, id="no drain while the circuit is open"),
        pytest.param(EMPTY, replace(FOLDER, drain_at=NOW, circuit=PROBING), Step.DRAIN, id="a file may be the probe"),
        pytest.param(EMPTY, replace(FOLDER, drain_at=NOW, draining=True), Step.WAIT, id="one file at a time"),
        pytest.param(replace(FEW, rescue_to=7), FOLDER, Step.RESCUE, id="the time of a flush is up"),
        pytest.param(replace(EMPTY, parked=2), replace(IDLE, unpark_at=NOW + 1), Step.WAIT, id="what is parked waits"),
        pytest.param(replace(EMPTY, parked=2), replace(IDLE, unpark_at=NOW), Step.UNPARK, id="until it is tried again"),
        pytest.param(replace(EMPTY, parked=1, closing=True), replace(IDLE, unpark_at=inf), Step.WAIT, id="closed, but parked"),
        pytest.param(
            replace(FEW, queued=1, queued_bytes=40 * 1024 * 1024),
            replace(FOLDER, busy_senders=2),
            Step.SPILL,
            id="a few large documents overflow too",
        ),
        pytest.param(replace(EMPTY, closing=True), IDLE, Step.STOP, id="closed and empty"),
        pytest.param(replace(EMPTY, closing=True, out=1), IDLE, Step.WAIT, id="closed, but a request is under way"),
        pytest.param(
            replace(EMPTY, closing=True), replace(FOLDER, draining=True), Step.WAIT, id="closed, but a file is under way"
        ),
        pytest.param(replace(EMPTY, closing=True), replace(FOLDER, drain_at=NOW), Step.STOP, id="no drain begins at the end"),
    ],
)
def test_the_next_step(view: View, situation: Situation, step: Step) -> None:
    assert decide(view, CONFIG, situation) is step
