from __future__ import annotations

import logging
import os
import platform
import subprocess
import sys
import threading

import pytest

from elasticecsmetrics._version import __version__
from elasticecsmetrics.config import DocumentConfig
from elasticecsmetrics.ecs import identity, schema
from elasticecsmetrics.model.document import CREATE


def test_a_log_document_is_whole(make_builder, make_record, read):
    builder = make_builder(DocumentConfig(service_name="shop"), host_ips=("10.0.0.1",), new_id=lambda: "the-id")
    built = builder.log(make_record("%s items", 3, created=1767323045.5, extra={"order": 42, "http.request.method": "GET"}))
    document = built.document
    assert built.failure is None
    assert document[:4] == ("the-id", 1_767_323_045_500_000_000, "index-1767323045", CREATE)
    body = read(document.body)
    assert list(body)[:3] == ["@timestamp", "log", "message"]
    assert body["message"] == "3 items"
    assert body["order"] == 42
    assert body["http"] == {"request": {"method": "GET"}}
    assert body["ecs"] == {"version": "9.4.0"}
    assert body["service"] == {"name": "shop"}
    assert body["event"] == {"kind": "event", "created": "2027-01-15T08:00:00.123456Z", "dataset": "shop"}
    assert body["host"]["name"] == platform.node()
    assert body["host"]["ip"] == ["10.0.0.1"]
    assert body["agent"] == {
        "type": "python-elasticecsmetrics",
        "version": __version__,
        "ephemeral_id": identity.ephemeral_id(),
    }


def test_a_metric_document_is_whole(make_builder, read):
    fields = {"metrics": {"rows": 5}, "event": {"action": "load"}, "labels.queue": 7, "user": "bob"}
    builder = make_builder(DocumentConfig(additional_fields={"event": {"module": "etl"}, "metrics": {"unit": "rows"}}))
    document = builder.metric("load", 1_767_323_045_500_000_000, 1_500_000, outcome="success", fields=fields)
    body = read(document.body)
    assert document.time == 1_767_323_045_500_000_000
    assert document.op == CREATE
    assert body["@timestamp"] == body["event"]["start"] == "2026-01-02T03:04:05.500000Z"
    assert body["event"] == {
        "kind": "metric",
        "created": "2027-01-15T08:00:00.123456Z",
        "start": "2026-01-02T03:04:05.500000Z",
        "end": "2026-01-02T03:04:05.501500Z",
        "duration": 1_500_000,
        "outcome": "success",
        "module": "etl",
        "action": "load",
    }
    assert body["metrics"] == {"name": "load", "duration": {"us": 1500}, "unit": "rows", "rows": 5}
    assert body["labels"] == {"queue": "7", "user": "bob"}


def test_a_block_that_raised_says_what(make_builder, read):
    body = read(make_builder().metric("m", 0, 1, error=ValueError("bad")).body)
    assert body["event"]["outcome"] == "failure"
    assert body["error"]["type"] == "ValueError"


def leaves(value, path=""):
    if isinstance(value, dict):
        for name, below in value.items():
            yield from leaves(below, f"{path}.{name}" if path else name)
    else:
        yield path, value


def test_all_that_we_write_is_in_ecs_with_its_kind_and_its_allowed_values(make_builder, make_record, read):
    config = DocumentConfig(service_name="s", service_version="1", service_environment="e", service_node_name="n")
    builder = make_builder(config, host_ips=("10.0.0.1",))
    record = make_record("%d", "x", exc_info=(ValueError, ValueError("bad"), None), otelTraceID="1" * 32, otelSpanID="2" * 16)
    log = read(builder.log(record).document.body)
    metric = read(builder.metric("m", 5, 6, outcome="success", error=ValueError("bad")).body)
    assert log.pop("labels") == {"message_args": "('x',)"}
    assert metric.pop("metrics") == {"name": "m", "duration": {"us": 0}}
    kinds = {"long": int, "keyword": str, "date": str, "match_only_text": str, "wildcard": str, "ip": str}
    for name, value in [*leaves(log), *leaves(metric)]:
        field = schema.fields()[name]
        assert isinstance(value, list) is field.array, name
        for element in value if field.array else [value]:
            assert type(element) is kinds[field.type], name
            assert not field.allowed_values or element in field.allowed_values


def test_neither_the_record_nor_its_extras_are_changed(make_builder, make_record):
    extra = {"own": {"x": [1]}, "a.b": 2}
    record = make_record("%s", 1, extra=extra)
    before = dict(record.__dict__)
    make_builder().log(record)
    assert record.__dict__ == before
    assert extra == {"own": {"x": [1]}, "a.b": 2}


def test_documents_do_not_share_what_a_call_adds(make_builder, make_record, read):
    builder = make_builder(DocumentConfig(service_name="s", additional_fields={"own": {"a": 1}, "labels": {"x": "1"}}))
    plain = read(builder.log(make_record()).document.body)
    builder.log(make_record(extra={"own.b": 2, "service.version": "9", "host.name": "other", "user": "bob", "agent.id": "z"}))
    again = read(builder.log(make_record()).document.body)
    assert {name: again[name] for name in ("own", "service", "host", "agent", "labels")} == {
        name: plain[name] for name in ("own", "service", "host", "agent", "labels")
    }


def test_later_changes_of_the_additional_fields_have_no_effect(make_builder, make_record, read):
    fields = {"own": {"list": [1]}}
    builder = make_builder(DocumentConfig(additional_fields=fields))
    fields["own"]["list"].append(2)
    fields["more"] = 1
    body = read(builder.log(make_record()).document.body)
    assert body["own"] == {"list": [1]}
    assert "more" not in body


def test_fields_from_the_environment_override_last_but_not_what_is_the_handlers(make_builder, make_record, read, monkeypatch):
    config = DocumentConfig(
        additional_fields={"app": {"zone": "default"}, "host": {"id": "h"}},
        additional_fields_in_env={
            "app": {"zone": "T_ZONE", "unset": "T_UNSET"},
            "host.name": "T_HOST",
            "log.level": "T_LEVEL",
            "process.pid": "T_PID",
        },
    )
    for name in ("T_ZONE", "T_UNSET", "T_HOST", "T_LEVEL", "T_PID"):
        monkeypatch.delenv(name, raising=False)
    builder = make_builder(config)
    assert read(builder.log(make_record()).document.body)["app"] == {"zone": "default"}
    monkeypatch.setenv("T_ZONE", "")
    monkeypatch.setenv("T_HOST", "pod-1")
    monkeypatch.setenv("T_LEVEL", "loud")
    monkeypatch.setenv("T_PID", "77")
    body = read(builder.log(make_record(extra={"app.zone": "extra"})).document.body)
    assert body["app"] == {"zone": ""}
    assert body["host"]["name"] == "pod-1"
    assert body["log"]["level"] == "info"
    assert body["labels"] == {"log_level": "loud"}
    assert body["process"]["pid"] == 77
    assert read(builder.metric("m", 0, 1).body)["app"] == {"zone": ""}


def test_additional_fields_yield_to_what_each_kind_of_document_owns(make_builder, make_record, read):
    builder = make_builder(DocumentConfig(additional_fields={"message": "static", "event": {"duration": 5}}))
    log = read(builder.log(make_record()).document.body)
    metric = read(builder.metric("m", 0, 9).body)
    assert (log["message"], log["event"]["duration"], log["labels"]) == ("hello", 5, {"message": "static"})
    assert (metric["message"], metric["event"]["duration"], metric["labels"]) == ("static", 9, {"event_duration": "5"})


def test_what_an_exception_says_is_not_overwritten(make_builder, make_record, read):
    builder = make_builder(DocumentConfig(additional_fields={"error": {"code": "E1", "type": "static"}}))
    record = make_record(exc_info=(ValueError, ValueError("bad"), None), extra={"error.message": "mine"})
    body = read(builder.log(record).document.body)
    assert body["error"]["type"] == "ValueError"
    assert body["error"]["message"] == "bad"
    assert body["error"]["code"] == "E1"
    assert body["labels"]["error_message"] == "mine"
    assert read(builder.log(make_record(extra={"error.message": "mine"})).document.body)["error"]["message"] == "mine"


def test_a_bad_message_is_shipped_and_the_caller_told(make_builder, make_record, read):
    built = make_builder().log(make_record("%d", "x", extra={"order": 1}))
    body = read(built.document.body)
    assert isinstance(built.failure, TypeError)
    assert (body["message"], body["error"]["type"], body["order"]) == ("%d", "TypeError", 1)


@pytest.mark.parametrize("extra", [{"user": "bob"}, {"host": "x"}, {"event": "login"}, {"log": "x"}, {"log.level": "x"}])
def test_extras_at_the_place_of_ecs_objects_go_to_labels(logged, extra):
    body = logged(extra)
    (name,) = extra
    assert body["labels"] == {name.replace(".", "_"): extra[name]}
    assert isinstance(body["host"], dict)
    assert body["message"] == "hello"


def test_what_makes_our_own_part_fail_still_comes_out(make_builder, make_record, read, monkeypatch):
    def fail(*args, **options):
        raise LookupError("inside")

    monkeypatch.setattr("elasticecsmetrics.ecs.builder.merge_cleaned", fail)
    builder = make_builder()
    result = builder.log(make_record("%s items", 3, extra={"order": 42}))
    body = read(result.document.body)
    assert isinstance(result.failure, LookupError)
    assert body["message"] == "%s items"
    assert body["labels"]["order"] == "42"
    assert body["labels"]["args"] == "(3,)"
    assert body["error"]["message"] == "inside"
    metric = read(builder.metric("m", 5, 6, fields={"rows": 7}).body)
    assert metric["message"] == "m"
    assert metric["labels"]["fields"] == "{'rows': 7}"
    assert metric["labels"]["duration_ns"] == "6"


def test_fields_that_are_no_mapping_do_not_raise(make_builder, read):
    assert "rows" in str(read(make_builder().metric("m", 0, 1, fields=["rows"]).body))


def test_a_django_like_request_in_an_extra_does_not_break_the_record(logged):
    class Request:
        def __init__(self):
            self.lock = threading.Lock()
            self.me = self

        def __repr__(self):
            return "<WSGIRequest: GET '/'>"

    assert logged({"request": Request()})["request"] == "<WSGIRequest: GET '/'>"


def test_many_threads_may_build_at_once(make_builder, make_record, read):
    builder = make_builder(DocumentConfig(service_name="s", additional_fields={"own": {"x": 1}}))
    bodies: list[bytes] = []

    def build(number: int) -> None:
        extra = {"own.n": number, "host.id": str(number)}
        bodies.extend(builder.log(make_record(extra=extra)).document.body for _ in range(200))

    threads = [threading.Thread(target=build, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    documents = [read(body) for body in bodies]
    assert len(documents) == 1600
    assert all(str(document["own"]["n"]) == document["host"]["id"] for document in documents)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_child_names_itself(make_builder, make_record, read):
    builder = make_builder()
    ours = read(builder.log(make_record()).document.body)
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        record = logging.LogRecord("app", 20, "a.py", 1, "hello", (), None)
        os.write(writing, builder.log(record).document.body)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as answer:
        theirs = read(answer.read())
    os.waitpid(child, 0)
    assert theirs["agent"]["ephemeral_id"] != ours["agent"]["ephemeral_id"]
    assert theirs["process"]["pid"] == child
    assert read(builder.log(make_record()).document.body)["agent"] == ours["agent"]


def test_building_documents_loads_no_library_of_others_but_orjson():
    program = """
import sys
before = set(sys.modules)
import elasticecsmetrics.ecs.builder
assert "orjson" not in sys.modules
loaded = {name.partition(".")[0] for name in set(sys.modules) - before}
outside = loaded - set(sys.stdlib_module_names) - {"elasticecsmetrics"}
assert not outside, outside
"""
    subprocess.run([sys.executable, "-c", program], check=True)


class NamelessMeta(type):
    @property
    def __name__(cls):
        raise ValueError("no name")

    def __mro_entries__(cls, bases):
        raise ValueError("no bases")


class NamelessError(Exception, metaclass=NamelessMeta):
    def __str__(self):
        raise NamelessError


def test_an_exception_that_cannot_be_looked_into_is_told_as_far_as_it_goes(make_builder, make_record, read):
    body = read(make_builder().log(make_record(exc_info=(NamelessError, NamelessError(), None))).document.body)
    assert body["message"] == "hello"
    assert body["error"]["type"] == "NamelessError"
    assert read(make_builder().metric("m", 0, 1, error=NamelessError()).body)["error"]["type"] == "NamelessError"


def test_where_even_the_reason_cannot_be_told_message_level_and_time_remain(make_builder, make_record, read, monkeypatch):
    def fail(*args, **options):
        raise LookupError("inside")

    monkeypatch.setattr("elasticecsmetrics.ecs.builder.merge_cleaned", fail)
    monkeypatch.setattr("elasticecsmetrics.ecs.builder.encode", fail)
    builder = make_builder(new_id=lambda: "the-id")
    built = builder.log(make_record("%s items \ud800", 3, extra={"order": 42}))
    assert isinstance(built.failure, LookupError)
    assert built.document[:4] == ("the-id", 1_800_000_000_123_456_000, "index-1800000000", CREATE)
    bare = {"@timestamp": "2027-01-15T08:00:00.123456Z", "ecs": {"version": "9.4.0"}}
    assert read(built.document.body) == {**bare, "log": {"level": "info"}, "message": "%s items \\ud800"}
    metric = builder.metric("m", 5, 6, fields={"rows": 7})
    assert read(metric.body) == {**bare, "log": {"level": "error"}, "message": "m"}
    strange = read(builder.log(make_record(NamelessError(), extra={"levelname": None, "order": 42})).document.body)
    assert strange == {**bare, "log": {"level": "notset"}, "message": "<NamelessError>"}


def test_near_the_end_of_the_stack_a_document_still_comes_out(make_builder, make_record, read):
    def at(depth, call):
        return at(depth - 1, call) if depth else call()

    def end():
        depth = sys.getrecursionlimit()
        while True:
            try:
                at(depth, int)
            except RecursionError:
                depth -= 1
            else:
                return depth

    builder = make_builder()
    record = make_record(extra={"own": {"a": [1]}})
    for build in (lambda: builder.log(record).document, lambda: builder.metric("hello", 0, 1, fields={"a": [1]})):
        whole = len(build().body)
        bodies = [at(depth, build).body for depth in range(end() - 60, end() - 5)]
        assert len(bodies[0]) == whole
        assert all(b"hello" in body for body in bodies)
        assert len(bodies[-1]) < whole / 2
