"""What the worker does next: a function from two snapshots to one step. Reads no clock, takes no lock, does nothing."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from elasticecsmetrics.config import DeliveryConfig
from elasticecsmetrics.delivery.buffer import View
from elasticecsmetrics.delivery.retry import Circuit

#: After so many fresh batches in a row the drain gets a turn, so that neither starves the other.
FRESH_BATCHES_A_DRAIN = 4


class Step(enum.Enum):
    """What the worker does next."""

    UNPARK = "unpark"
    """Documents that were put off go back into the queue."""
    RESCUE = "rescue"
    """The time of a flush is up: all that is not at rest leaves for the folder."""
    SPILL = "spill"
    """The oldest batch goes to the folder."""
    SEND = "send"
    """The oldest batch goes to a sender."""
    DRAIN = "drain"
    """A file of the folder goes to a sender."""
    STOP = "stop"
    WAIT = "wait"


@dataclass(frozen=True, slots=True)
class Situation:
    """What the worker knows beside the buffer."""

    now: float
    circuit: Circuit
    busy_senders: int
    senders: int
    has_folder: bool
    """There is a failure folder, and it did not just refuse."""
    drain_at: float
    """Monotonic seconds from which the folder may be looked into; infinite when there is nothing to drain."""
    fresh_in_a_row: int
    unpark_at: float
    """Monotonic seconds at which parked documents are tried again."""
    draining: bool
    """A file of the folder is with a sender."""


def is_due(view: View, config: DeliveryConfig, now: float) -> bool:
    """Whether the oldest batch is full, old enough or waited for."""
    return view.queued > 0 and (
        view.hurry
        or view.queued >= config.full_documents
        or view.queued_bytes >= config.full_bytes
        or now - view.oldest_since >= config.flush_frequency
    )


def decide(view: View, config: DeliveryConfig, situation: Situation) -> Step:
    """The next step, from the two snapshots alone."""
    now, circuit = situation.now, situation.circuit
    if view.rescue_to >= 0:
        return Step.RESCUE
    if view.parked and now >= situation.unpark_at:
        return Step.UNPARK
    is_open = circuit.is_open(now)
    allowed = 1 if circuit.is_probing else situation.senders
    free = situation.busy_senders < allowed and not is_open
    drainable = free and now >= situation.drain_at and not view.closing and not situation.draining
    if is_due(view, config, now):
        if is_open and situation.has_folder:
            return Step.SPILL
        if free and not (drainable and situation.fresh_in_a_row >= FRESH_BATCHES_A_DRAIN):
            return Step.SEND
    if situation.has_folder and view.queued and _is_high(view, config):
        return Step.SPILL
    if drainable:
        return Step.DRAIN
    if view.closing and not (view.queued or view.out or view.parked or situation.draining):
        return Step.STOP
    return Step.WAIT


def _is_high(view: View, config: DeliveryConfig) -> bool:
    """More than half of a bound is held: the rest is kept free for what comes while the disk is written."""
    return (
        2 * (view.queued + view.out) > config.max_buffered
        or 2 * (view.queued_bytes + view.out_bytes) > config.max_buffered_bytes
    )
