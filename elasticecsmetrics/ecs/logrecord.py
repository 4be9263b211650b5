"""A ``logging.LogRecord`` as the tree of a log document.

============================================  =========================================================================
field                                         from
============================================  =========================================================================
@timestamp                                    ``created``
log.level                                     ``levelname`` in lower case, without the colours and blanks that formatters
                                              for terminals put into it; a level without a name is written as its distance
                                              from the standard one below it, as Go's log/slog does: 25 is ``info+5``, 5 is
                                              ``debug-5``
message                                       ``getMessage()``, or what the handler's formatter made of the record
log.logger                                    ``name``
log.origin.file.name, .line, log.origin       ``filename``, ``lineno`` (unless 0), ``funcName``
.function
process.pid, .name, .thread.id, .thread.name  ``process``, ``processName``, ``thread``, ``threadName``
error.*                                       ``exc_info``, else ``exc_text``
labels.stack_info                             ``stack_info``: it is no error, and ECS has no place for it
event.kind, event.created                     ``event``; when the handler took the record
============================================  =========================================================================

What remains of the record's attributes are the user's extras. A message that cannot be formatted is shipped as it was written,
``labels.message_args`` holds its arguments, and ``error.*`` says why.
"""

from __future__ import annotations

import logging
import math
import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from elasticecsmetrics.ecs import error, timestamp
from elasticecsmetrics.ecs.clean import Aside
from elasticecsmetrics.ecs.text import exact, safe_repr, safe_str
from elasticecsmetrics.ecs.trace import RECORD_ATTRIBUTES, trace_fields

#: The attributes of a record that are no extras: those of this Python and of newer ones, and those of formatters and tracers.
STANDARD_ATTRIBUTES: Final = (
    frozenset(logging.makeLogRecord({}).__dict__) | RECORD_ATTRIBUTES | {"asctime", "message", "taskName"}
)


class LogTree(NamedTuple):
    """A record's own part of a document."""

    time: int
    """``@timestamp`` in nanoseconds since 1970."""
    tree: dict[str, Any]
    """Fresh: the caller may change it."""
    moved: list[Aside]
    """What goes to ``labels``."""
    failure: Exception | None
    """Why the message could not be formatted."""


def log_tree(record: logging.LogRecord, taken_ns: int, message: str | None = None) -> LogTree:
    """Makes a record's own part of its document.

    Args:
        record: is not changed.
        taken_ns: when the handler took it, in nanoseconds since 1970, of which the whole microseconds count; ``@timestamp`` too
            when ``created`` is no number.
        message: the text that a formatter made; None: the record's own message.
    """
    attributes = record.__dict__
    taken_ns -= taken_ns % 1000
    time = _time(attributes.get("created"), taken_ns)
    moved: list[Aside] = []
    failure: Exception | None = None
    if message is None:
        message, failure = _message(record, moved)
    else:
        message = exact(message)
    tree: dict[str, Any] = {
        "@timestamp": timestamp.render(time),
        "log": _log(attributes),
        "message": message,
        "event": {"kind": "event", "created": timestamp.render(max(taken_ns, time))},
        "process": _process(attributes),
    }
    if failure or attributes.get("exc_info") or attributes.get("exc_text"):
        found = _error(attributes, failure)
        if found is not None:
            tree["error"] = found
    if stack_info := attributes.get("stack_info"):
        moved.append(Aside(("stack_info",), safe_str(stack_info)))
    tree.update(trace_fields(attributes))
    return LogTree(time, tree, moved, failure)


def extras(record: logging.LogRecord) -> dict[str, Any]:
    """What the user added to the record: the ``extra`` of the log call, and what filters set."""
    return {name: value for name, value in record.__dict__.items() if name not in STANDARD_ATTRIBUTES}


def level_text(name: object, number: object) -> str:
    """``log.level``: the level's name in lower case, or for one without a name its distance from a standard level."""
    if type(name) is str and name in _STANDARD_NAMES:
        return _STANDARD_NAMES[name]
    text = "" if name is None else exact(name) if isinstance(name, str) else safe_str(name)
    text = _TERMINAL_SEQUENCE.sub("", text).strip()
    if not isinstance(number, int):
        return text.lower() or "notset"
    if text and text != f"Level {number}":
        return text.lower()
    below = max((level for level in _STANDARD_LEVELS if level <= number), default=logging.DEBUG)
    distance = number - below
    return _STANDARD_LEVELS[below] + (f"{distance:+d}" if distance else "")


#: ECMA-48: a control sequence, as for colours, or an escape sequence of two characters.
_TERMINAL_SEQUENCE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[@-Z\\-_])|\x9b[0-?]*[ -/]*[@-~]")

_STANDARD_LEVELS = {10: "debug", 20: "info", 30: "warning", 40: "error", 50: "critical"}
_STANDARD_NAMES = {name.upper(): name for name in _STANDARD_LEVELS.values()}


def raw_message(record: logging.LogRecord) -> str:
    """The message as it was written in the log call, unformatted; the repr of what is no text."""
    message = record.__dict__.get("msg")
    return exact(message) if isinstance(message, str) else safe_repr(message)


def _time(created: object, taken_ns: int) -> int:
    if isinstance(created, (int, float)) and math.isfinite(created):
        return timestamp.from_seconds(created)
    return taken_ns


def _message(record: logging.LogRecord, moved: list[Aside]) -> tuple[str, Exception | None]:
    try:
        return exact(record.getMessage()), None
    except Exception as failure:  # noqa: BLE001 - a user's __str__ or format may raise anything
        if record.args:
            moved.append(Aside(("message_args",), safe_repr(record.args)))
        return raw_message(record), failure


def _log(attributes: Mapping[str, Any]) -> dict[str, Any]:
    get = attributes.get
    log: dict[str, Any] = {"level": level_text(get("levelname"), get("levelno"))}
    if (name := get("name")) is not None:
        log["logger"] = name if type(name) is str else safe_str(name)
    file: dict[str, Any] = {}
    if filename := get("filename"):
        file["name"] = filename if type(filename) is str else safe_str(filename)
    if type(line := get("lineno")) is int and line > 0:
        file["line"] = line
    origin: dict[str, Any] = {"file": file} if file else {}
    if function := get("funcName"):
        origin["function"] = function if type(function) is str else safe_str(function)
    if origin:
        log["origin"] = origin
    return log


def _process(attributes: Mapping[str, Any]) -> dict[str, Any]:
    # Each may be None: logging.logThreads, logProcesses and logMultiprocessing switch them off.
    get = attributes.get
    process: dict[str, Any] = {}
    if type(pid := get("process")) is int:
        process["pid"] = pid
    if (name := get("processName")) is not None:
        process["name"] = name if type(name) is str else safe_str(name)
    thread: dict[str, Any] = {}
    if type(ident := get("thread")) is int:
        thread["id"] = ident
    if (name := get("threadName")) is not None:
        thread["name"] = name if type(name) is str else safe_str(name)
    if thread:
        process["thread"] = thread
    return process


def _error(attributes: Mapping[str, Any], failure: Exception | None) -> dict[str, Any] | None:
    found = error.from_exc_info(attributes.get("exc_info"))
    exc_text = attributes.get("exc_text")
    if found is None and exc_text:
        found = error.from_text(safe_str(exc_text))
    if failure is None:
        return found
    reason = error.from_exception(failure)
    if found is None:
        return reason
    found["stack_trace"] += f"\n\nAnd the message could not be formatted:\n\n{reason['stack_trace']}"
    return found
