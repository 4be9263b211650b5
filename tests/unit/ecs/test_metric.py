from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elasticecsmetrics.ecs import timestamp
from elasticecsmetrics.ecs.metric import metric_tree

START = 1_767_323_045_123_456_789


def test_a_metric_has_its_times_its_name_and_its_length():
    assert metric_tree("load", START, 1_500_999, taken_ns=START + 2_000_000, outcome="success").tree == {
        "@timestamp": "2026-01-02T03:04:05.123456789Z",
        "event": {
            "kind": "metric",
            "created": "2026-01-02T03:04:05.125456789Z",
            "start": "2026-01-02T03:04:05.123456789Z",
            "end": "2026-01-02T03:04:05.124957788Z",
            "duration": 1_500_999,
            "outcome": "success",
        },
        "metrics": {"name": "load", "duration": {"us": 1500}},
    }


@given(st.integers(timestamp.FIRST_NS - 10**18, timestamp.LAST_NS + 10**18), st.integers(0, 10**18))
def test_end_minus_start_is_the_duration_exactly(start, duration):
    event = metric_tree("m", start, duration, taken_ns=0).tree["event"]
    length = timestamp.parse(event["end"]) - timestamp.parse(event["start"])
    assert length == event["duration"] == duration
    assert event["created"] >= event["start"][:26]


def test_a_length_is_never_negative():
    assert metric_tree("m", START, -5, taken_ns=0).tree["event"]["duration"] == 0


@pytest.mark.parametrize(
    ("outcome", "error", "said"),
    [
        (None, None, None),
        (None, ValueError("bad"), "failure"),
        ("success", None, "success"),
        ("unknown", ValueError("bad"), "unknown"),
    ],
)
def test_the_outcome_is_said_when_it_is_known(outcome, error, said):
    tree = metric_tree("m", START, 1, taken_ns=0, outcome=outcome, error=error).tree
    assert tree["event"].get("outcome") == said
    assert ("error" in tree) == (error is not None)


def test_an_outcome_that_ecs_does_not_know_is_moved():
    found = metric_tree("m", START, 1, taken_ns=0, outcome="fine")
    assert "outcome" not in found.tree["event"]
    assert found.moved == [(("event", "outcome"), "fine")]


def test_the_name_is_always_text():
    assert metric_tree(5, START, 1, taken_ns=0).tree["metrics"]["name"] == "5"  # type: ignore[arg-type]
