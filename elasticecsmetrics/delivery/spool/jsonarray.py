"""JSON read piece by piece, so that each piece keeps its own text: the elements of an array, the members of an object."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

# Not orjson: it refuses lone surrogates and numbers beyond 64 bits, which may stand in documents made elsewhere.
_decode = json.JSONDecoder(strict=False).raw_decode
_blank = re.compile(r"[ \t\r\n]*").match


class Piece(NamedTuple):
    """A value and how it was written."""

    value: Any
    text: str


class Elements(NamedTuple):
    """What was read of an array."""

    pieces: list[Piece]
    """Its whole elements."""
    torn: bool
    """Whether the array breaks off, or something follows it."""


def elements(data: bytes) -> Elements:
    """The elements of the array in ``data``, whose first byte other than white space is ``[``."""
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        text = data[: error.start].decode()
    pieces: list[Piece] = []
    at = _skip_blank(text, text.index("[") + 1)
    if text[at : at + 1] == "]":
        return Elements(pieces, _skip_blank(text, at + 1) != len(text))
    while True:
        try:
            value, end = _decode(text, at)
        except (ValueError, RecursionError):
            return Elements(pieces, torn=True)
        pieces.append(Piece(value, text[at:end]))
        at = _skip_blank(text, end)
        if text[at : at + 1] == "]":
            return Elements(pieces, _skip_blank(text, at + 1) != len(text))
        if text[at : at + 1] != ",":
            return Elements(pieces, torn=True)
        at = _skip_blank(text, at + 1)


def members(text: str) -> Iterator[tuple[str, Piece]]:
    """The members of the JSON object that fills ``text``.

    Raises:
        ValueError: it is no whole object.
    """
    at = _after(text, 0, "{")
    while True:
        try:
            key, at = _decode(text, at)
            start = _after(text, at, ":")
            value, at = _decode(text, start)
        except RecursionError as error:
            raise ValueError("nested too deeply") from error
        yield key, Piece(value, text[start:at])
        at = _skip_blank(text, at)
        if text[at : at + 1] == "}":
            break
        at = _after(text, at, ",")
    if _skip_blank(text, at + 1) != len(text):
        raise ValueError("something follows the object")


def _skip_blank(text: str, at: int) -> int:
    """The first place from ``at`` on that is no white space of JSON."""
    found = _blank(text, at)
    return found.end() if found else at


def _after(text: str, at: int, mark: str) -> int:
    at = _skip_blank(text, at)
    if text[at : at + 1] != mark:
        raise ValueError(f"no {mark!r} at {at}")
    return _skip_blank(text, at + 1)
