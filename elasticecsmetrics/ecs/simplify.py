"""One Python object, one step nearer to JSON: every type becomes text, a number, a list or a dict that says the same.

=====================================  ==============================================================================
what it is                             what it becomes
=====================================  ==============================================================================
str, int, float, bool and subclasses   the plain value
Enum                                   its value
datetime                               ``2026-01-02T03:04:05.123456Z``; a naive one counts as local time
date, time                             ISO 8601
timedelta                              seconds, as a float
Decimal                                a float that prints the same, else text
UUID, Path, IP address, Fraction, ...  ``str()``
bytes, bytearray, memoryview           the text, when it is UTF-8, else base64
exception                              ``Type: text``
dataclass, namedtuple                  a dict of the fields
Mapping                                a dict
tuple, set, frozenset, deque           a list; sets in the order of their texts
numpy scalars and arrays, tensors      what ``tolist()`` gives, up to :data:`MAX_ELEMENTS`; dates of numpy as text
anything else                          ``repr()``, of 1024 characters at most
=====================================  ==============================================================================
"""

from __future__ import annotations

import base64
import dataclasses
import enum
import fractions
import math
import os
import uuid
from collections import deque
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from elasticecsmetrics.ecs import timestamp
from elasticecsmetrics.ecs.text import exact, safe_repr, safe_str

#: Elements of an array, above which its repr stands for it.
MAX_ELEMENTS = 100_000

_NUMPY_TIMES = {"M": "str", "m": "timedelta64[us]"}


def simplify(value: object) -> Any:
    """``value`` as str, int, float, bool, None, list or dict; what a list or a dict holds is left for the next step.

    Never raises: whatever a user's type does when it is looked into, its repr remains.
    """
    try:
        return _simplified(value)
    except Exception:  # noqa: BLE001 - a user's property, __iter__ or __class__ may raise anything
        return safe_repr(value)


def _simplified(value: Any) -> Any:
    # An Enum may also be a str or an int, an exception also a Mapping: the order of this table decides.
    for types, convert in _CONVERSIONS:
        if isinstance(value, types):
            return convert(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    kind = type(value)
    if callable(getattr(kind, "tolist", None)):
        return _array(value)
    if kind.__module__ == "ipaddress":
        return str(value)
    return safe_repr(value)


def _array(value: Any) -> Any:
    size = getattr(value, "size", None)
    if isinstance(size, int) and size > MAX_ELEMENTS:
        return safe_repr(value)
    kind = getattr(getattr(value, "dtype", None), "kind", "")
    if kind in _NUMPY_TIMES:
        # numpy's own conversion of times in nanoseconds gives bare integers.
        value = value.astype(_NUMPY_TIMES[kind])
    listed = value.tolist()
    return safe_repr(value) if type(listed) is type(value) else listed


def _decimal(value: Decimal) -> float | str:
    as_float = float(value)
    if math.isfinite(as_float) and Decimal(repr(as_float)) == value:
        return as_float
    return str(value) if value.is_finite() else as_float


def _bytes(value: bytes | bytearray | memoryview) -> str:
    raw = bytes(value)
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return base64.b64encode(raw).decode("ascii")


def _tuple(value: tuple[Any, ...]) -> list[Any] | dict[str, Any]:
    names = getattr(type(value), "_fields", None)
    if names is not None and len(names) == len(value):
        return dict(zip(names, value, strict=True))
    return list(value)


def _set(value: set[Any] | frozenset[Any]) -> list[Any]:
    return sorted(value, key=safe_str)


def _mapping(value: Mapping[Any, Any]) -> dict[Any, Any]:
    return dict(value.items())


def _exception(value: BaseException) -> str:
    return f"{type(value).__name__}: {safe_str(value)}"


_CONVERSIONS: tuple[tuple[type | tuple[type, ...], Callable[[Any], Any]], ...] = (
    (enum.Enum, lambda value: value.value),
    (str, exact),
    (bool, bool),
    (int, int.__pos__),
    (float, float.__pos__),
    (BaseException, _exception),
    (datetime, lambda value: timestamp.render(timestamp.from_datetime(value))),
    ((date, time), lambda value: value.isoformat()),
    (timedelta, timedelta.total_seconds),
    (Decimal, _decimal),
    ((uuid.UUID, fractions.Fraction, complex), str),
    (os.PathLike, lambda value: _bytes(path) if isinstance(path := os.fspath(value), bytes) else exact(path)),
    ((bytes, bytearray, memoryview), _bytes),
    (Mapping, _mapping),
    (tuple, _tuple),
    ((set, frozenset), _set),
    ((list, deque), list),
)
