"""A timed block as the tree of a metric document.

``@timestamp`` is ``event.start``; ``event.end - event.start == event.duration`` exactly, in nanoseconds;
``metrics.duration.us`` is the same length in whole microseconds, rounded down, and ``metrics.name`` says of what.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from elasticecsmetrics.ecs import error as errors
from elasticecsmetrics.ecs import timestamp
from elasticecsmetrics.ecs.clean import Aside, name_text
from elasticecsmetrics.ecs.text import safe_str
from elasticecsmetrics.ecs.trace import trace_fields

#: The values that ECS allows for ``event.outcome``.
OUTCOMES = frozenset(("success", "failure", "unknown"))


class MetricTree(NamedTuple):
    """A metric's own part of a document."""

    tree: dict[str, Any]
    moved: list[Aside]
    """What goes to ``labels``."""


def metric_tree(
    name: str,
    start_ns: int,
    duration_ns: int,
    *,
    taken_ns: int,
    outcome: str | None = None,
    error: BaseException | None = None,
    fields: Mapping[str, Any] | None = None,
) -> MetricTree:
    """Makes a metric's own part of its document.

    Args:
        name: ``metrics.name``.
        start_ns: when the block began, in nanoseconds since 1970.
        duration_ns: how long it took, in nanoseconds; below 0 counts as 0.
        taken_ns: when the metric was recorded (``event.created``), in nanoseconds since 1970.
        outcome: one of :data:`OUTCOMES`; None: ``failure`` when there is an error, else not said. Any other text becomes
            ``labels.event_outcome``.
        error: what the block raised.
        fields: the user's fields; only looked through for a trace of their own.
    """
    length = max(duration_ns, 0)
    # Clamped here as in the text, so that the equality of end, start and duration holds at the ends of time too.
    start = min(max(start_ns, timestamp.FIRST_NS), timestamp.LAST_NS - min(length, timestamp.LAST_NS))
    end = start + length
    start_text = timestamp.render(start)
    event: dict[str, Any] = {
        "kind": "metric",
        "created": timestamp.render(max(taken_ns, start)),
        "start": start_text,
        "end": timestamp.render(end),
        "duration": length,
    }
    metrics = {"name": name_text(name), "duration": {"us": length // 1000}}
    tree: dict[str, Any] = {"@timestamp": start_text, "event": event, "metrics": metrics}
    moved: list[Aside] = []
    if outcome is None and error is not None:
        outcome = "failure"
    if outcome in OUTCOMES:
        event["outcome"] = outcome
    elif outcome is not None:
        moved.append(Aside(("event", "outcome"), safe_str(outcome)))
    if error is not None:
        tree["error"] = errors.from_exception(error)
    tree.update(trace_fields(fields or {}))
    return MetricTree(tree, moved)
