"""What the pipeline says of itself: at once, then rarely, never to our own handler alone."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from elasticecsmetrics.delivery.diagnostics import LOGGER_NAME, Diagnostics
from elasticecsmetrics.testing import ManualClock


@pytest.fixture
def records() -> Iterator[list[logging.LogRecord]]:
    found: list[logging.LogRecord] = []
    handler = logging.Handler()
    handler.emit = found.append  # type: ignore[method-assign]
    logging.getLogger(LOGGER_NAME).addHandler(handler)
    yield found
    logging.getLogger(LOGGER_NAME).removeHandler(handler)


def test_the_first_line_comes_at_once_the_next_with_the_count_after_the_interval(records: list[logging.LogRecord]) -> None:
    clock = ManualClock()
    diagnostics = Diagnostics(monotonic=clock.monotonic)
    diagnostics.say("dropped", "documents are lost", 1)
    diagnostics.say("dropped", "documents are lost", 2)
    diagnostics.say("dropped", "documents are lost", 3)
    assert [r.getMessage() for r in records] == ["documents are lost (1 document)"]
    clock.advance(31)
    diagnostics.say("dropped", "documents are lost", 4)
    assert records[-1].getMessage() == "documents are lost (9 documents)"
    assert all(r.levelno >= logging.WARNING and r.name == LOGGER_NAME for r in records)


def test_kinds_do_not_silence_one_another(records: list[logging.LogRecord]) -> None:
    diagnostics = Diagnostics(monotonic=ManualClock().monotonic)
    diagnostics.say("a", "one", 1)
    diagnostics.say("b", "two", 1)
    assert len(records) == 2


def test_what_was_held_back_is_said_at_the_end(records: list[logging.LogRecord]) -> None:
    diagnostics = Diagnostics(monotonic=ManualClock().monotonic)
    diagnostics.say("a", "one", 1)
    diagnostics.say("a", "one", 5)
    diagnostics.flush()
    diagnostics.flush()
    assert [r.getMessage() for r in records] == ["one (1 document)", "one (5 documents)"]


def test_a_state_has_no_count_and_is_not_repeated_at_the_end(records: list[logging.LogRecord]) -> None:
    diagnostics = Diagnostics(monotonic=ManualClock().monotonic)
    diagnostics.say("state", "the store is away")
    diagnostics.say("state", "the store is away")
    diagnostics.flush()
    assert [r.getMessage() for r in records] == ["the store is away"]


def test_a_users_handler_that_raises_harms_nobody(capsys: pytest.CaptureFixture[str]) -> None:
    class Raising(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            raise RuntimeError("theirs")

    handler = Raising()
    logging.getLogger(LOGGER_NAME).addHandler(handler)
    try:
        Diagnostics().say("a", "hear me", 2)
    finally:
        logging.getLogger(LOGGER_NAME).removeHandler(handler)
    assert "hear me" in capsys.readouterr().err


def test_where_nobody_listens_it_goes_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    Diagnostics().say("a", "hear me", 2)
    assert capsys.readouterr().err == "elasticecsmetrics: hear me (2 documents)\n"


def test_a_handler_of_ours_alone_is_nobody(capsys: pytest.CaptureFixture[str]) -> None:
    from elasticecsmetrics import ElasticECSMetricsLogger
    from elasticecsmetrics.testing import MemoryStore

    handler = ElasticECSMetricsLogger(store=MemoryStore())
    logging.getLogger().addHandler(handler)
    try:
        Diagnostics().say("a", "hear me", 2)
    finally:
        logging.getLogger().removeHandler(handler)
        handler.close()
    assert "hear me" in capsys.readouterr().err
