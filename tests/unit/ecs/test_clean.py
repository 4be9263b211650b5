from __future__ import annotations

import sys

import pytest

from elasticecsmetrics.ecs.clean import CYCLE, MAX_DEPTH, MAX_NAME, MAX_VALUES, RESERVED_NAMES, Aside, clean


def deep(levels: int, leaf: object = "leaf") -> object:
    value = leaf
    for _ in range(levels):
        value = {"k": value}
    return value


def depth(value: object) -> int:
    if isinstance(value, dict):
        return 1 + max(map(depth, value.values()), default=0)
    return max(map(depth, value), default=0) if isinstance(value, list) else 0


@pytest.mark.parametrize(
    ("user", "tree"),
    [
        ({"a.b.c": 1}, {"a": {"b": {"c": 1}}}),
        ({"a.b": 1, "a": {"c": 2}}, {"a": {"b": 1, "c": 2}}),
        ({"a": {"c": 2}, "a.b": 1}, {"a": {"b": 1, "c": 2}}),
        ({"a": {"b.c": {"d.e": 1}}}, {"a": {"b": {"c": {"d": {"e": 1}}}}}),
        ({"": 1}, {"_": 1}),
        ({" ": 1}, {"_": 1}),
        ({"a..b": 1}, {"a": {"_": {"b": 1}}}),
        ({".a": 1}, {"_": {"a": 1}}),
        ({"a.": 1}, {"a": {"_": 1}}),
        ({".": 1}, {"_": {"_": 1}}),
        ({1: "a", None: "b", (1, 2): "c", b"k": "d"}, {"1": "a", "None": "b", "(1, 2)": "c", "k": "d"}),
        ({"_id": 1, "_source.x": 2, "a": {"_id": 3}}, {"_id_": 1, "_source_": {"x": 2}, "a": {"_id": 3}}),
        ({"k\ud800": "v\udfff"}, {"k\\ud800": "v\\udfff"}),
        ({"big": 2**63, "edge": 2**63 - 1}, {"big": str(2**63), "edge": 2**63 - 1}),
        ({"small": -(2**63) - 1, "edge": -(2**63)}, {"small": str(-(2**63) - 1), "edge": -(2**63)}),
        ({"l": [1, "a", None, {"x": 1}, True]}, {"l": ["1", "a", None, '{"x":1}', "true"]}),
        ({"l": [[1], ["a"]]}, {"l": [["1"], ["a"]]}),
        ({"l": [1, 2.5]}, {"l": [1, 2.5]}),
        ({"l": [1, 2**70]}, {"l": ["1", str(2**70)]}),
        ({"l": [{"b": 1}, {"b": 2.5, "c": "x"}]}, {"l": [{"b": 1}, {"b": 2.5, "c": "x"}]}),
        ({"l": [{"b": 1}, {"b": "x"}]}, {"l": ['{"b":1}', '{"b":"x"}']}),
        ({"l": [{"b": 1}, [{"b": {"c": 1}}]]}, {"l": ['{"b":1}', ['{"b":{"c":1}}']]}),
        ({"l": [{"b": [1]}, {"b": None}]}, {"l": [{"b": [1]}, {"b": None}]}),
        ({"l": [{"a.b": 1}]}, {"l": [{"a": {"b": 1}}]}),
        ({"l": ()}, {"l": []}),
    ],
)
def test_what_a_mapping_becomes(user, tree):
    cleaned = clean(user)
    assert cleaned.tree == tree
    assert cleaned.aside == []


@pytest.mark.parametrize(
    ("user", "tree", "aside"),
    [
        ({"a": 1, "a.b": 2}, {"a": {"b": 2}}, [Aside(("a",), 1)]),
        ({"a.b": 2, "a": 1}, {"a": {"b": 2}}, [Aside(("a",), 1)]),
        ({"a.b": 1, "a": {"b": 2}}, {"a": {"b": 1}}, [Aside(("a", "b"), 2)]),
        ({"a": True, "b.c": 1, "b": {"c": True}}, {"a": True, "b": {"c": 1}}, [Aside(("b", "c"), True)]),
        ({1: "a", "1": "b"}, {"1": "a"}, [Aside(("1",), "b")]),
        ({"x": float("nan")}, {"x": None}, [Aside(("x",), "NaN")]),
        ({"x": float("-inf")}, {"x": None}, [Aside(("x",), "-Infinity")]),
        ({"a": {"x": [1.0, float("inf")]}}, {"a": {"x": [1.0, None]}}, [Aside(("a", "x"), '[1.0,"Infinity"]')]),
        ({"x": 10**400}, {"x": None}, [Aside(("x",), hex(10**400))]),
        ({"n" * (MAX_NAME + 1): [1]}, {}, [Aside(("_",), {"n" * (MAX_NAME + 1): [1]})]),
    ],
)
def test_what_has_no_place_is_set_aside(user, tree, aside):
    cleaned = clean(user)
    assert cleaned.tree == tree
    assert cleaned.aside == aside


@pytest.mark.parametrize("name", sorted(RESERVED_NAMES))
def test_names_that_servers_keep_for_themselves_are_renamed_at_the_top_only(name):
    assert clean({name: 1, "own": {name: 1}}).tree == {name + "_": 1, "own": {name: 1}}


def test_the_users_mapping_is_not_changed_and_not_shared():
    inner = {"x": [1]}
    user = {"a": inner, "a.b": 2, "": 3}
    cleaned = clean(user)
    assert user == {"a": {"x": [1]}, "a.b": 2, "": 3}
    inner["x"].append(2)
    assert cleaned.tree["a"]["x"] == [1]


@pytest.mark.parametrize("levels", range(MAX_DEPTH - 2, MAX_DEPTH + 3))
def test_objects_below_the_twentieth_name_become_json(levels):
    tree = clean({"k": deep(levels)}).tree
    assert depth(tree) == min(levels + 1, MAX_DEPTH)
    assert "leaf" in str(tree)


def test_a_dotted_name_of_many_parts_keeps_all_of_them_within_the_depth():
    name = ".".join(f"p{n}" for n in range(30))
    tree = clean({"top": {name: 1}}).tree
    assert depth(tree) == MAX_DEPTH
    assert all(f"p{n}" in str(tree) for n in range(30))


def test_deeply_nested_lists_become_json():
    value: object = "leaf"
    for _ in range(60):
        value = [value]
    assert "leaf" in str(clean({"l": value}).tree)


@pytest.mark.parametrize("levels", [300, 5000, 100_000])
def test_no_depth_raises(levels):
    value: object = "leaf"
    for _ in range(levels):
        value = [value] if levels == 5000 else {"k": value}
    assert clean({"v": value}).tree
    while isinstance(value, (dict, list)):  # taken apart from outside: freeing it recursively is its owner's risk
        value = value[0] if isinstance(value, list) else value["k"]


def test_what_contains_itself_ends_in_a_mark():
    a: dict = {"name": "a"}
    a["self"] = a
    assert clean({"a": a}).tree == {"a": {"name": "a", "self": CYCLE}}
    listed: list = [1]
    listed.append(listed)
    assert clean({"l": listed}).tree == {"l": ["1", CYCLE]}


def test_a_cycle_below_the_depth_ends_too():
    a: dict = {}
    a["self"] = a
    assert CYCLE in str(clean({"k": deep(MAX_DEPTH, a)}).tree)


def test_keys_of_one_text_are_both_kept_inside_json():
    assert '{"1":"a","1_2":"b"}' in str(clean({"n" * (MAX_NAME + 1): 0, "k": deep(MAX_DEPTH - 1, {1: "a", "1": "b"})}).tree)


def test_what_stands_in_two_places_without_a_cycle_is_kept_in_both():
    shared = {"x": 1}
    assert clean({"a": shared, "b": [shared, shared]}).tree == {"a": {"x": 1}, "b": [{"x": 1}, {"x": 1}]}


def test_values_without_bound_are_only_sketched():
    bomb: list = ["boom"]
    for _ in range(40):
        bomb = [bomb, bomb]
    assert len(str(clean({"b": bomb}).tree)) < 40 * MAX_VALUES
    assert isinstance(clean({"l": [0] * (MAX_VALUES + 1)}).tree["l"], str)


def test_a_mapping_that_cannot_be_read_remains_as_text():
    class Changing(dict):
        def items(self):
            raise RuntimeError("dictionary changed size during iteration")

    assert "a" in str(clean(Changing(a=1)).tree)
    assert "a" in str(clean({"c": Changing(a=1)}).tree)


def test_little_stack_left_does_not_raise():
    def use(frames: int) -> object:
        return use(frames - 1) if frames else clean({"v": deep(15)})

    frame = sys._getframe()
    used = 0
    while frame:
        frame, used = frame.f_back, used + 1
    results = [use(sys.getrecursionlimit() - used - left) for left in (60, 80, 120)]
    assert all(result.tree for result in results)
