from __future__ import annotations

import pytest

from elasticecsmetrics.ecs.clean import Aside
from elasticecsmetrics.ecs.labels import label_name, label_value, with_labels


@pytest.mark.parametrize(
    ("path", "name"),
    [
        (("user",), "user"),
        (("http", "request", "method"), "http_request_method"),
        (("labels", "a"), "a"),
        (("labels",), "labels"),
        (("a*b\\c.d",), "a_b_c_d"),
    ],
)
def test_names_are_flat_and_without_what_ecs_forbids(path, name):
    assert label_name(path) == name


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("x", "x"),
        (1, "1"),
        (1.5, "1.5"),
        (True, "true"),
        (None, None),
        ({"a": [1]}, '{"a":[1]}'),
        ([1, "a", None, False], ["1", "a", "false"]),
        ([], "[]"),
        ([{"a": 1}], '[{"a":1}]'),
        ([[1]], "[[1]]"),
    ],
)
def test_values_become_text(value, text):
    assert label_value(value) == text


def test_two_values_for_one_label_are_both_kept():
    moved = [Aside(("a", "b"), 1), Aside(("a.b",), 2), Aside(("a_b",), 2), Aside(("a_b",), 3)]
    assert with_labels({}, [], moved) == {"a_b": "1", "a_b_2": "2", "a_b_3": "3"}


def test_a_label_given_as_such_has_the_first_right_to_its_name():
    assert with_labels({"x": "old"}, [Aside(("x",), "new")], [Aside(("x",), "moved")]) == {"x": "new", "x_2": "moved"}


def test_the_labels_there_are_not_changed():
    there = {"x": "1"}
    assert with_labels(there, [Aside(("y",), 2)], []) == {"x": "1", "y": "2"}
    assert there == {"x": "1"}


def test_labels_that_are_no_object_become_a_label():
    assert with_labels("text", [], [Aside(("a",), 1)]) == {"labels": "text", "a": "1"}
