from __future__ import annotations

import json

import pytest

from elasticecsmetrics.ecs.repair import to_label


@pytest.mark.parametrize(
    ("document", "field", "repaired"),
    [
        ({"a": 1, "b": 2}, "a", {"b": 2, "labels": {"a": "1"}}),
        ({"a": {"b": 1, "c": 2}}, "a.b", {"a": {"c": 2}, "labels": {"a_b": "1"}}),
        ({"a.b": 1, "c": 2}, "a.b", {"c": 2, "labels": {"a_b": "1"}}),
        ({"a": {"b.c": {"d": 1}}, "x": 1}, "a.b.c.d", {"x": 1, "labels": {"a_b_c_d": "1"}}),
        ({"a": {"b": {"c": 1}}}, "a.b", {"labels": {"a_b": '{"c":1}'}}),
        ({"a": [1, "x", None]}, "a", {"labels": {"a": ["1", "x"]}}),
        ({"a": [{"b": 1}, {"b": "x", "c": 2}]}, "a.b", {"a": [{}, {"c": 2}], "labels": {"a_b": ["1", "x"]}}),
        ({"a": 1, "labels": {"a": "mine"}}, "a", {"labels": {"a": "mine", "a_2": "1"}}),
        ({"user": {"shoe": 5, "name": "x"}}, "user.shoe", {"user": {"name": "x"}, "labels": {"user_shoe": "5"}}),
        ({"é": "ü"}, "é", {"labels": {"é": "ü"}}),
        ({"metrics": {"name": "m", "x": "b"}}, "metrics.x", {"metrics": {"name": "m"}, "labels": {"metrics_x": "b"}}),
        ({"a": False}, "a", {"labels": {"a": "false"}}),
    ],
)
def test_the_value_moves_to_labels_and_the_rest_stays(document, field, repaired):
    body = to_label(json.dumps(document).encode(), field)
    assert body is not None
    assert json.loads(body) == repaired
    assert b"\n" not in body


@pytest.mark.parametrize(
    ("document", "field"),
    [
        ({"a": 1}, "b"),
        ({"a": 1}, "a.b"),
        ({"a": {"b": 1}}, "a.c"),
        ({"a": [1]}, "a.b"),
        ({"a": None}, "a"),
        ({"labels": {"a": 1}}, "labels.a"),
        ({"labels": {"a": 1}}, "labels"),
        ({"labels": "text", "a": 1}, "a"),
        ({"@timestamp": "x"}, "@timestamp"),
        ({"message": "x"}, "message"),
        ({"log": {"level": "x"}}, "log.level"),
        ({"host": "x"}, "host"),
        ({"user": {"name": {"a": 1}}}, "user.name"),
        ({"metrics": {"name": 1}}, "metrics.name"),
        ({"metrics": 1}, "metrics"),
        ({"metrics": {"duration": {"us": "x"}}}, "metrics.duration.us"),
    ],
)
def test_what_is_not_there_or_must_not_move_is_left(document, field):
    assert to_label(json.dumps(document).encode(), field) is None


def test_a_repair_may_follow_another():
    body = to_label(b'{"a":1,"b":[{"c":2}]}', "a")
    assert body is not None
    body = to_label(body, "b.c")
    assert body is not None
    assert json.loads(body) == {"b": [{}], "labels": {"a": "1", "b_c": ["2"]}}


def test_numbers_keep_every_digit():
    body = to_label(b'{"n":9007199254740993,"f":0.1,"x":1e-7,"a":1}', "a")
    assert body == b'{"n":9007199254740993,"f":0.1,"x":1e-7,"labels":{"a":"1"}}'
