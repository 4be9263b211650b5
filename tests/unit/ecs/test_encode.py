from __future__ import annotations

from elasticecsmetrics.ecs.encode import encode, encode_plain


def test_a_tree_of_any_content_becomes_one_json_object(read):
    tree = {"a.b": {1, 2}, "n": float("nan"), "": object, "s": "\ud800", "deep": {"x": b"\xff"}, "labels": "text"}
    document = read(encode(tree))
    assert document["a"] == {"b": [1, 2]}
    assert document["labels"] == {"labels": "text", "n": "NaN"}
    assert document["s"] == "\\ud800"
    assert document["deep"] == {"x": "/w=="}
    assert tree["labels"] == "text"


def test_a_plain_tree_is_written_as_it_is(read):
    tree = {"@timestamp": "x", "a.b": 1, "l": [1, 2.5, None, True], "é": "\n\u2028\0😀"}
    assert read(encode_plain(tree)) == tree


def test_lone_surrogates_are_written_out_in_names_and_values(read):
    assert read(encode_plain({"k\udc80": ["v\ud800"]})) == {"k\\udc80": ["v\\ud800"]}


def test_what_is_no_mapping_is_encoded_too(read):
    assert read(encode([1, 2])) == {"fields": [1, 2]}
