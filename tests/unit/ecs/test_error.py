from __future__ import annotations

import sys
import traceback

import pytest

from elasticecsmetrics.ecs.error import from_exc_info, from_exception, from_text


class Mute(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no")


def raised(error: BaseException, cause: BaseException | None = None) -> BaseException:
    try:
        raise error from cause
    except BaseException as caught:
        return caught


def test_an_exception_fills_type_message_and_stack_trace_with_its_causes():
    found = from_exception(raised(ValueError("bad"), KeyError("why")))
    assert found["type"] == "ValueError"
    assert found["message"] == "bad"
    assert found["stack_trace"].startswith("KeyError: 'why'\n\nThe above exception was the direct cause")
    assert found["stack_trace"].endswith("ValueError: bad")


def test_groups_and_notes_are_in_the_stack_trace():
    error = ExceptionGroup("several", [ValueError("one"), TypeError("two")])
    error.add_note("a note")
    text = from_exception(raised(error))["stack_trace"]
    assert all(part in text for part in ("ValueError: one", "TypeError: two", "a note"))


@pytest.mark.parametrize("exc_info", [None, False, True, 1, (), (None, None, None), (1, 2, 3), "text", (ValueError, None)])
def test_what_is_no_exception_is_no_error(exc_info):
    assert from_exc_info(exc_info) is None


def test_an_exception_and_its_triple_say_the_same():
    error = raised(ValueError("bad"))
    assert from_exc_info(error) == from_exc_info((type(error), error, error.__traceback__)) == from_exception(error)
    assert from_exc_info((ValueError, None, None))["type"] == "ValueError"


def test_an_exception_that_cannot_be_printed_is_told_of():
    found = from_exception(raised(Mute()))
    assert found["type"] == "Mute"
    assert found["message"] == "Mute()"
    assert "Mute" in found["stack_trace"]


class Odd(Exception):
    pass


@pytest.mark.parametrize(
    "error",
    [ValueError("bad"), ValueError(), ValueError("two\nlines: of it"), KeyError("k"), Odd("x: y"), Odd("    indented")],
    ids=repr,
)
def test_printed_text_gives_the_same_as_the_exception(error):
    try:
        raise error
    except Exception:
        text = "".join(traceback.format_exception(*sys.exc_info())).rstrip("\n")
    expected = from_exception(error)
    assert from_text(text) == expected


@pytest.mark.parametrize("text", ["", "no trace at all", "one\ntwo", 'Traceback:\n  File "x"'])
def test_any_text_keeps_its_whole(text):
    assert from_text(text)["stack_trace"] == text
