from __future__ import annotations

import logging
import queue
import sys
from logging.handlers import QueueHandler

import pytest

from elasticecsmetrics.ecs import schema
from elasticecsmetrics.ecs.logrecord import STANDARD_ATTRIBUTES, extras, level_text, log_tree

NS = 1_800_000_000_000_000_000


def tree_of(record, **options):
    return log_tree(record, NS, **options).tree


def test_each_attribute_has_its_place(make_record):
    record = make_record("%s items", 3, created=1767323045.123456, process=7, processName="P", thread=8, threadName="T")
    assert tree_of(record) == {
        "@timestamp": "2026-01-02T03:04:05.123456Z",
        "log": {
            "level": "info",
            "logger": "app.views",
            "origin": {"file": {"name": "views.py", "line": 42}, "function": "index"},
        },
        "message": "3 items",
        "event": {"kind": "event", "created": "2027-01-15T08:00:00.000000Z"},
        "process": {"pid": 7, "name": "P", "thread": {"id": 8, "name": "T"}},
    }


def test_what_is_not_known_is_left_out(make_record):
    record = make_record(process=None, processName=None, thread=None, threadName=None, lineno=0, funcName=None, filename="")
    tree = tree_of(record)
    assert tree["process"] == {}
    assert tree["log"] == {"level": "info", "logger": "app.views"}


def test_attributes_of_wrong_types_never_reach_the_mapping(make_record):
    record = make_record(process="7", thread=1.5, lineno="12", name=5, funcName=len, created="now", levelno=None)
    log_document = tree_of(record)
    assert log_document["@timestamp"] == "2027-01-15T08:00:00.000000Z"
    assert "pid" not in log_document["process"]
    assert log_document["log"]["logger"] == "5"
    assert "line" not in log_document["log"]["origin"]["file"]


@pytest.mark.parametrize("created", [float("nan"), float("inf"), None, "x"])
def test_a_time_that_is_none_is_replaced_by_the_clocks(make_record, created):
    assert log_tree(make_record(created=created), NS).time == NS


def test_created_is_never_before_the_timestamp(make_record):
    assert tree_of(make_record(created=1_900_000_000.0))["event"]["created"] == "2030-03-17T17:46:40.000000Z"


@pytest.mark.parametrize(
    ("name", "number", "text"),
    [
        ("INFO", 20, "info"),
        ("WARNING", 30, "warning"),
        ("CRITICAL", 50, "critical"),
        ("Trace", 5, "trace"),
        ("Level 25", 25, "info+5"),
        ("Level 5", 5, "debug-5"),
        ("Level 60", 60, "critical+10"),
        ("Level -1", -1, "debug-11"),
        ("NOTSET", 0, "notset"),
        ("", 20, "info"),
        (None, 35, "warning+5"),
        (None, None, "notset"),
        (["odd"], 20, "['odd']"),
    ],
)
def test_levels_are_lower_case_and_clean(name, number, text):
    assert level_text(name, number) == text


@pytest.mark.parametrize("message", [{"a": 1}, ["x"], 5, None, ValueError("x")])
def test_the_message_is_always_text(make_record, message):
    assert tree_of(make_record(message))["message"] == str(message)


def test_a_formatters_text_is_the_message(make_record):
    assert tree_of(make_record("%d", "no number"), message="formatted")["message"] == "formatted"


class Mute:
    def __str__(self) -> str:
        raise LookupError("no text")


@pytest.mark.parametrize(
    ("msg", "args", "message", "reason"),
    [
        ("%d items", ("many",), "%d items", "TypeError"),
        ("no place", ("left",), "no place", "TypeError"),
        (Mute(), (), "<", "LookupError"),
        ("%s", (Mute(),), "%s", "LookupError"),
        ("%(a)s", ({"b": 1},), "%(a)s", "KeyError"),
    ],
)
def test_a_message_that_cannot_be_formatted_is_shipped_raw_with_the_reason(make_record, msg, args, message, reason):
    found = log_tree(make_record(msg, *args), NS)
    assert found.tree["message"].startswith(message)
    assert found.tree["error"]["type"] == type(found.failure).__name__ == reason
    assert "Traceback" in found.tree["error"]["stack_trace"]
    if args:
        assert [aside.path for aside in found.moved] == [("message_args",)]


def caught(error):
    try:
        raise error
    except Exception:
        return sys.exc_info()


def test_an_exception_fills_error(make_record):
    tree = tree_of(make_record(exc_info=caught(ValueError("bad"))))
    assert (tree["error"]["type"], tree["error"]["message"]) == ("ValueError", "bad")


@pytest.mark.parametrize("exc_info", [None, False, (None, None, None)])
def test_no_exception_is_no_error(make_record, exc_info):
    assert "error" not in tree_of(make_record(exc_info=exc_info))


def test_an_exception_and_a_bad_message_are_both_told(make_record):
    found = log_tree(make_record("%d", "x", exc_info=caught(ValueError("bad"))), NS).tree["error"]
    assert found["type"] == "ValueError"
    assert "ValueError: bad" in found["stack_trace"]
    assert "TypeError" in found["stack_trace"]


def test_exc_text_stands_in_for_a_lost_exc_info(make_record):
    text = logging.Formatter().formatException(caught(ValueError("bad")))
    error = tree_of(make_record(exc_info=None, exc_text=text))["error"]
    assert error == {"type": "ValueError", "message": "bad", "stack_trace": text}


def test_a_record_through_a_queue_keeps_its_message_and_extras(make_record):
    waiting: queue.SimpleQueue = queue.SimpleQueue()
    QueueHandler(waiting).emit(make_record("%s!", "hello", exc_info=caught(ValueError("bad")), extra={"order": 1}))
    record = waiting.get()
    assert tree_of(record)["message"].startswith("hello!\nTraceback")
    assert extras(record) == {"order": 1}


def test_a_stack_is_no_error(make_record):
    found = log_tree(make_record(stack_info="Stack (most recent call last): ..."), NS)
    assert "error" not in found.tree
    assert found.moved[0].path == ("stack_info",)


def test_extras_are_what_no_python_puts_there_itself(make_record):
    record = make_record(extra={"order": 1, "otel_own": 2, "elasticapm_own": 3, "stack": "x"}, taskName="t", otelTraceID="0")
    logging.Formatter("%(asctime)s %(message)s").format(record)
    assert extras(record) == {"order": 1, "otel_own": 2, "elasticapm_own": 3, "stack": "x"}


def test_a_log_call_has_no_extras_of_its_own():
    class Keep(logging.Handler):
        def emit(self, record):
            self.record = record

    keep, logger = Keep(), logging.Logger("own")
    logger.addHandler(keep)
    logger.info("x", stack_info=True)
    assert extras(keep.record) == {}
    assert {"args", "msg", "exc_text", "taskName", "relativeCreated"} <= STANDARD_ATTRIBUTES


def test_each_leaf_is_known_to_ecs(make_record):
    tree = tree_of(make_record(exc_info=caught(ValueError("x")), otelTraceID="1" * 32, otelSpanID="2" * 16))

    def leaves(value, path=""):
        if isinstance(value, dict):
            for name, below in value.items():
                yield from leaves(below, f"{path}.{name}" if path else name)
        else:
            yield path

    assert set(leaves(tree)) <= set(schema.fields())


@pytest.mark.parametrize(
    ("name", "number", "text"),
    [
        ("\x1b[32mINFO\x1b[0m", 20, "info"),
        ("\x1b[1;38;5;208mWARNING\x1b[m", 30, "warning"),
        ("\x9b31mERROR\x9b0m", 40, "error"),
        ("INFO    ", 20, "info"),
        (" \x1b[36m DEBUG \x1b[0m\t", 10, "debug"),
        ("\x1b[35mLevel 25\x1b[0m", 25, "info+5"),
        ("\x1b[0m", 25, "info+5"),
        ("   ", None, "notset"),
        ("Very Loud", 35, "very loud"),
    ],
)
def test_the_levels_name_is_written_without_colours_and_blanks(name, number, text):
    assert level_text(name, number) == text
