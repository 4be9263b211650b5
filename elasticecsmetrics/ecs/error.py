"""``error.type``, ``error.message`` and ``error.stack_trace``: from an exception, or from its printed text.

``error.type`` is the bare name of the class, as the official formatter for Python writes it; ``error.stack_trace`` is the whole
text with chained causes, groups and notes, as the interpreter prints it.
"""

from __future__ import annotations

import re
import traceback
from types import TracebackType
from typing import Any

from elasticecsmetrics.ecs.text import class_name, safe_str

_LAST_LINE = re.compile(r"(?P<type>[^\s:]+)(?:: (?P<message>.*))?", re.DOTALL)


def from_exception(error: BaseException) -> dict[str, Any]:
    """The members of ``error`` for an exception. Never raises, whatever its ``__str__`` does."""
    return from_parts(type(error), error, error.__traceback__)


def from_exc_info(exc_info: object) -> dict[str, Any] | None:
    """The members of ``error`` for a record's ``exc_info``; None when that is no exception.

    ``False``, ``None`` and ``(None, None, None)`` are none; an exception itself, which a record made by hand may have, is one.
    """
    if isinstance(exc_info, BaseException):
        return from_exception(exc_info)
    if isinstance(exc_info, tuple) and len(exc_info) == 3:
        kind, error, trace = exc_info
        if isinstance(kind, type) and issubclass(kind, BaseException):
            return from_parts(
                kind, error if isinstance(error, BaseException) else None, trace if isinstance(trace, TracebackType) else None
            )
    return None


def from_parts(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> dict[str, Any]:
    """The members of ``error`` for the three parts that ``sys.exc_info()`` gives."""
    name = class_name(kind)
    message = "" if error is None else safe_str(error)
    try:
        stack_trace = "".join(traceback.format_exception(kind, error, trace)).rstrip("\n")
    except Exception:  # noqa: BLE001 - an exception's own attributes may raise, and the message remains
        stack_trace = f"{name}: {message}"
    return {"type": name, "message": message, "stack_trace": stack_trace}


def from_text(stack_trace: str) -> dict[str, Any]:
    """The members of ``error`` for a printed stack trace: ``exc_text``, which outlives ``exc_info`` in queues and pickles."""
    lines = stack_trace.rstrip("\n").split("\n")
    frames = [number for number, line in enumerate(lines) if line.startswith('  File "')]
    number = frames[-1] + 1 if frames else max(len(lines) - 1, 0)
    while number < len(lines) - 1 and lines[number].startswith("    "):
        number += 1
    match = _LAST_LINE.fullmatch("\n".join(lines[number:]))
    if match is None:
        return {"message": lines[-1], "stack_trace": stack_trace}
    return {"type": match["type"].rpartition(".")[2], "message": match["message"] or "", "stack_trace": stack_trace}
