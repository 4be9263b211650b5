from __future__ import annotations

import copy
import decimal
import ipaddress
from datetime import UTC, datetime

import pytest

from elasticecsmetrics.ecs.merge import LOG_OWNED, METRIC_OWNED, merge


def merged(user, document=None, protect=LOG_OWNED):
    document = {} if document is None else document
    merge(document, user, protect=protect)
    return document


def ours():
    return {
        "@timestamp": "2026-01-02T03:04:05.000000Z",
        "message": "hello",
        "ecs": {"version": "9.4.0"},
        "log": {"level": "info", "logger": "app"},
        "host": {"name": "vm", "hostname": "vm"},
        "event": {"kind": "event"},
    }


@pytest.mark.parametrize(
    ("name", "value", "label"),
    [
        ("@timestamp", "2020-01-01T00:00:00Z", {"@timestamp": "2020-01-01T00:00:00Z"}),
        ("message", "other", {"message": "other"}),
        ("message", {"a": 1}, {"message": '{"a":1}'}),
        ("ecs.version", "1.4.0", {"ecs_version": "1.4.0"}),
        ("ecs", {"version": 1}, {"ecs_version": "1"}),
        ("log.level", "TRACE", {"log_level": "TRACE"}),
        ("log", {"level": ["a", "b"]}, {"log_level": ["a", "b"]}),
    ],
)
def test_what_the_handler_owns_stays_and_the_users_value_is_kept(name, value, label):
    document = merged({name: value}, ours())
    assert document == {**ours(), "labels": label}


def test_the_same_value_as_the_handlers_needs_no_label():
    assert merged({"message": "hello", "log.level": "info"}, ours()) == ours()


@pytest.mark.parametrize("name", sorted(METRIC_OWNED))
def test_a_metric_owns_its_times_and_its_name(name):
    document = merged({name: 77}, {}, METRIC_OWNED)
    assert document == {"labels": {name.replace(".", "_"): "77"}}


@pytest.mark.parametrize("name", ["user", "host", "event", "error", "file", "source", "agent", "trace", "log", "metrics"])
@pytest.mark.parametrize(("value", "text"), [("bob", "bob"), (5, "5"), (["a", "b"], ["a", "b"]), ([{"id": 1}], '[{"id":1}]')])
def test_a_plain_value_where_there_is_an_object_goes_to_labels(name, value, text):
    assert merged({name: value}, ours()) == {**ours(), "labels": {name: text}}


@pytest.mark.parametrize("value", [None, []])
def test_nothing_where_there_is_an_object_is_nothing(value):
    assert merged({"user": value, "host": value}, ours()) == ours()


def test_an_object_where_ecs_has_a_leaf_goes_to_labels_as_json():
    assert merged({"user.name": {"first": "Bob"}}) == {"labels": {"user_name": '{"first":"Bob"}'}}
    assert merged({"tags": {"a": 1}}) == {"labels": {"tags": '{"a":1}'}}
    assert merged({"process.name.text": "x"}) == {"labels": {"process_name": '{"text":"x"}'}}


def test_objects_are_merged_deeply_and_the_users_leaf_wins():
    document = merged({"host": {"name": "mine", "risk": {"static_score": 1.5}}, "event.action": "login"}, ours())
    assert document["host"] == {"name": "mine", "hostname": "vm", "risk": {"static_score": 1.5}}
    assert document["event"] == {"kind": "event", "action": "login"}


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        ("user.id", 42, "42"),
        ("http.response.status_code", "200", 200),
        ("http.response.status_code", 200, 200),
        ("event.category", "web", ["web"]),
        ("tags", "a", ["a"]),
        ("tags", ("a", 1), ["a", "1"]),
        ("host.ip", "10.0.0.1", ["10.0.0.1"]),
        ("client.ip", ipaddress.ip_address("::1"), "::1"),
        ("file.mtime", datetime(2026, 1, 2, tzinfo=UTC), "2026-01-02T00:00:00.000000Z"),
        ("event.risk_score", decimal.Decimal("1.5"), 1.5),
        ("tls.established", "true", True),
        ("client.geo.location", {"lat": 1, "lon": 2}, {"lat": 1, "lon": 2}),
        ("user.shoe_size", 43, 43),
        ("dns.answers", {"ttl": "5"}, [{"ttl": 5}]),
        ("dns.answers", [{"ttl": 5, "name": "a"}], [{"ttl": 5, "name": "a"}]),
        ("container.labels", {"a": "b"}, {"a": "b"}),
    ],
)
def test_a_value_that_fits_its_place_exactly_stands_there(name, value, kept):
    document = merged({name: value})
    for part in name.split("."):
        document = document[part]
    assert document == kept
    assert type(document) is type(kept)


@pytest.mark.parametrize(
    ("name", "value", "label"),
    [
        ("http.response.status_code", "OK", "OK"),
        ("http.response.status_code", 1.5, "1.5"),
        ("host.ip", "", ""),
        ("file.mtime", 1767323045.123, "1767323045.123"),
        ("tls.established", 1, "1"),
        ("user.name", ["a", "b"], ["a", "b"]),
        ("event.risk_score", float("nan"), "NaN"),
        ("metrics.name", {"a": 1}, '{"a":1}'),
        ("metrics.duration.us", "1ms", "1ms"),
        ("metrics.duration", 5, "5"),
    ],
)
def test_a_value_that_does_not_fit_goes_to_labels(name, value, label):
    document = merged({name: value})
    assert document.pop("labels") == {name.replace(".", "_"): label}
    assert "OK" not in str(document)


def test_only_those_elements_of_an_array_go_that_do_not_fit():
    document = merged({"host.ip": ["10.0.0.1", "nowhere"], "dns.answers": [{"ttl": "soon", "name": "a"}]})
    assert document == {
        "host": {"ip": ["10.0.0.1"]},
        "dns": {"answers": [{"name": "a"}]},
        "labels": {"host_ip": ["nowhere"], "dns_answers_ttl": "soon"},
    }


FLATTENED = "log.syslog.structured_data"


def structured(value, document=None):
    document = merged({FLATTENED: value})
    return document.get("log", {}).get("syslog", {}).get("structured_data"), document.get("labels")


@pytest.mark.parametrize("text", ["x" * 32_710, "\U0001f600" * 8_177 + "xx"])
def test_a_flattened_field_keeps_what_fits_one_term_and_not_one_byte_more(text):
    assert len(f"{FLATTENED}.{FLATTENED}.a={text}".encode()) == 32_766
    assert structured({"a": text}) == ({"a": text}, None)
    assert structured({"a": text + "x", "b": 1}) == ({"b": 1}, {"log_syslog_structured_data_a": text + "x"})


def test_a_flattened_field_keeps_no_name_with_nul():
    assert structured({"a\0b": "x", "b": {"c\0": 1, "d": 2}}) == (
        {"b": {"d": 2}},
        {"log_syslog_structured_data_a\0b": "x", "log_syslog_structured_data_b_c\0": "1"},
    )


def test_a_flattened_field_is_looked_through_to_its_last_list():
    long = "x" * 40_000
    assert structured({"a": ["b", long], "c": [{"d": long, "e": None}], "f": {}}) == (
        {"a": ["b"], "c": [{"e": None}], "f": {}},
        {"log_syslog_structured_data_a": long, "log_syslog_structured_data_c_d": long},
    )
    assert structured({"a": {"b": [long]}}) == (None, {"log_syslog_structured_data_a_b": long})
    assert merged({"file.pe.imports": [{"a": long}, {"b": "c"}]}) == {
        "file": {"pe": {"imports": [{"b": "c"}]}},
        "labels": {"file_pe_imports_a": long},
    }


def test_custom_names_keep_their_place_and_type():
    user = {"order": 42, "note": "x", "ratio": 0.5, "ok": True, "nothing": None, "list": [1, 2], "own": {"deep": {"er": 1}}}
    assert merged(user) == user


def test_a_custom_object_meets_a_plain_value_and_both_are_kept():
    assert merged({"team": {"name": "a"}}, {"team": "b"}) == {"team": {"name": "a"}, "labels": {"team": "b"}}
    assert merged({"team": "b"}, {"team": {"name": "a"}}) == {"team": {"name": "a"}, "labels": {"team": "b"}}


def test_dotted_beside_nested():
    assert merged({"a": 1, "a.b": 2}) == {"a": {"b": 2}, "labels": {"a": "1"}}
    assert merged({"http.request.method": "GET", "http": {"request": {"id": "7"}}}) == {
        "http": {"request": {"method": "GET", "id": "7"}}
    }


def test_labels_are_flat_and_text_whatever_was_given():
    user = {
        "labels": {"n": 1, "b": True, "a.b": 2, "c*d\\e": "x", "deep": {"er": [1, 2]}, "none": None, "o": [{"x": 1}]},
        "labels.dotted": 3,
    }
    assert merged(user, {"labels": {"n": "0", "there": "y"}}) == {
        "labels": {
            "there": "y",
            "n": "1",
            "b": "true",
            "a_b": "2",
            "c_d_e": "x",
            "deep_er": ["1", "2"],
            "o": '[{"x":1}]',
            "dotted": "3",
        }
    }


def test_two_values_for_one_label_are_both_kept():
    assert merged({"labels": {"user": "explicit"}, "user": "bob"}) == {"labels": {"user": "explicit", "user_2": "bob"}}
    assert merged({"user": "bob", "labels.user": "explicit"}) == {"labels": {"user": "explicit", "user_2": "bob"}}
    assert merged({"labels": {"a.b": 1, "a_b": 2}}) == {"labels": {"a_b": "1", "a_b_2": "2"}}


@pytest.mark.parametrize("labels", ["text", 5, ["a"], [{"a": 1}]])
def test_labels_that_are_no_object_are_a_label(labels):
    document = merged({"labels": labels}, {"labels": {"x": "1"}})
    assert document["labels"]["x"] == "1"
    assert "labels" in document["labels"]


def test_neither_the_users_mapping_nor_shared_parts_of_the_document_are_changed():
    user = {"host.name": "x", "event": {"action": "a"}, "labels": {"a.b": 1}, "user": "bob", "own.x": 1}
    document = {**ours(), "own": {"y": 2}, "labels": {"z": "1"}}
    parts = {name: part for name, part in document.items() if isinstance(part, dict)}
    before_user, before_parts = copy.deepcopy(user), copy.deepcopy(parts)
    merge(document, user)
    assert user == before_user
    assert parts == before_parts
    assert document["own"] == {"y": 2, "x": 1}


def test_the_handlers_leaves_are_safe_without_naming_them():
    document = {**ours(), "metrics": {"name": "m"}}
    merge(document, {"metrics.name": "x", "log.level": "y"})
    assert document["metrics"] == {"name": "m"}
    assert document["log"]["level"] == "info"


def test_what_is_no_mapping_is_kept_too():
    assert merged("text") == {"fields": "text"}
