"""The form of the failure folder's files, as functions from bytes to values.

One JSON array a file, one document a line inside it, so that a file is valid JSON and still readable when it breaks off::

    [
    {"_index":"logs-2026.11.22","_id":"...","_source":{...}},
    {"_index":"logs-2026.11.22","_id":"...","_op":"index","_source":{...}}
    ]

The bytes of ``_source`` are the document's body, untouched in both directions. Files of ``rejected/`` hold an ``"error"``
beside each ``_source``. The files' names sort by time and are unique over threads, processes and machines.
"""

from __future__ import annotations

import itertools
import json
import os
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from elasticecsmetrics.delivery.spool import jsonarray
from elasticecsmetrics.ecs import timestamp
from elasticecsmetrics.model.document import CREATE, INDEX, Document

HEAD = b"[\n"
TAIL = b"\n]\n"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_STAMP = "%Y%m%dT%H%M%S.%fZ"
_NAME = re.compile(r"(?P<stamp>\d{8}T\d{6}\.\d{6}Z)-\d+-[0-9a-f]{6,}", re.ASCII)
_SEQUENCE = itertools.count()

_OPENING = re.compile(rb"\s*\[\s*\{")
_LINE_BREAK = re.compile(rb"\s*\n\s*")


class Item(NamedTuple):
    """One line of a file."""

    document: Document
    error: Mapping[str, Any] | None = None
    """Why it was rejected: ``status``, ``type``, ``reason``, ``attempts``, ``time``; None for what waits."""


class Contents(NamedTuple):
    """What was read of a file."""

    items: list[Item]
    """Its whole documents, in the order of the file."""
    torn: bool
    """Whether it breaks off, or holds lines that are no documents."""
    end: int
    """Where its last whole document ends, in bytes (of a file of ours)."""


def new_name(wall_ns: int) -> str:
    """A new file's name without its ending: ``20261122T090000.123456Z-<pid>-<counter and chance>``."""
    stamp = (_EPOCH + timedelta(microseconds=wall_ns // 1000)).strftime(_STAMP)
    return f"{stamp}-{os.getpid()}-{next(_SEQUENCE):06x}{os.urandom(4).hex()}"


def name_time(name: str) -> int | None:
    """Nanoseconds since 1970 of a file of ours by its name, with or without ending; None when it is not ours."""
    found = _NAME.match(name)
    if found is None:
        return None
    try:
        moment = datetime.strptime(found["stamp"], _STAMP).replace(tzinfo=UTC)
    except ValueError:
        return None
    return (moment - _EPOCH) // timedelta(microseconds=1) * 1000


def line(document: Document, error: Mapping[str, Any] | None = None) -> bytes:
    """One document as a line, without the comma and the line break that separate lines."""
    operation = b"" if document.op == CREATE else b',"_op":"index"'
    # A document has no line break; one made elsewhere might, where JSON takes a blank as well, and would tear the file.
    body = document.body.replace(b"\n", b" ")
    reason = b"" if error is None else b',"error":' + json.dumps(error, separators=(",", ":")).encode()
    index, id_ = json.dumps(document.index).encode(), json.dumps(document.id).encode()
    return b'{"_index":%b,"_id":%b%b,"_source":%b%b}' % (index, id_, operation, body, reason)


def file_bytes(items: Iterable[Item]) -> bytes:
    """A whole file."""
    return HEAD + b",\n".join(line(*item) for item in items) + TAIL


def parse_line(data: bytes) -> Item:
    """Reads one line back; the body is cut out of it, byte for byte.

    The document's time is its ``@timestamp``, or 0 where that cannot be read.

    Raises:
        ValueError: the line is not a whole document.
    """
    members = dict(jsonarray.members(data.decode()))
    try:
        index, id_ = members["_index"].value, members["_id"].value
        source = members["_source"]
    except KeyError as error:
        raise ValueError(f"no {error}") from None
    op = members["_op"].value if "_op" in members else CREATE
    reason = members["error"].value if "error" in members else None
    if not (isinstance(index, str) and isinstance(id_, str) and isinstance(source.value, dict) and op in (CREATE, INDEX)):
        raise ValueError("not a document of ours")
    if not (reason is None or isinstance(reason, dict)):
        raise ValueError("'error' is no object")
    return Item(Document(id_, time_of(source.value) or 0, index, op, source.text.encode()), reason)


def time_of(source: Mapping[str, Any]) -> int | None:
    """The ``@timestamp`` of a source in nanoseconds since 1970, or None where it has none that can be read."""
    text = source.get("@timestamp")
    try:
        return timestamp.parse(text) if isinstance(text, str) else None
    except ValueError:
        return None


def may_be_ours(name: str, head: bytes) -> bool:
    """Whether a file of this name that begins so may be ours, so that reading all of it is worth while."""
    if name_time(name) is not None or head.partition(b"\n")[2].startswith(b'{"_index":'):
        return True
    return _OPENING.match(head) is not None and b'"_index"' in head


def is_ours(name: str, data: bytes) -> bool:
    """Whether a file was written by this package: by its contents, or, where these do not tell, by its name."""
    if name_time(name) is not None:
        return True
    first, _, rest = data.partition(b"\n")
    second = rest.partition(b"\n")[0]
    if first.strip() == b"[" and (second.startswith(b'{"_index":') or _item(second) is not None):
        return True
    return bool(_laid_out_anew(data))


def read(data: bytes) -> Contents:
    """Reads a file of ours: line by line, so that what is broken costs its own line only.

    Where another program has laid the array out anew, as ``jq`` does, it is read as the JSON that it is.
    """
    contents = _read_lines(data)
    if contents.torn and (items := _laid_out_anew(data)) is not None:
        return Contents(items, torn=False, end=len(data.rstrip()[:-1].rstrip()))
    return contents


def _laid_out_anew(data: bytes) -> list[Item] | None:
    """The documents of a whole array, however its lines run; None when it is something else."""
    bare = data.strip()
    if not (bare.startswith(b"[") and bare.endswith(b"]")):
        return None
    elements = jsonarray.elements(bare)
    if elements.torn:
        return None
    try:
        items = [parse_line(piece.text.encode()) for piece in elements.pieces]
    except ValueError:
        return None
    return [item._replace(document=_on_one_line(item.document)) for item in items]


def _on_one_line(document: Document) -> Document:
    return document._replace(body=_LINE_BREAK.sub(b" ", document.body)) if b"\n" in document.body else document


def _read_lines(data: bytes) -> Contents:
    items: list[Item] = []
    opened = closed = broken = False
    at = end = 0
    for piece in data.split(b"\n"):
        bare = piece.strip()
        if (item := _item(bare)) is not None:
            items.append(item)
            end = at + len(piece.rstrip().removesuffix(b","))
            broken = broken or closed or not opened
        elif bare == b"[" and not opened:
            opened = True
            end = at + len(piece)
        elif bare == b"]" and opened and not closed:
            closed = True
        elif bare:
            broken = True
        at += len(piece) + 1
    return Contents(items, broken or not closed, end)


def _item(piece: bytes) -> Item | None:
    if not piece.startswith(b"{"):
        return None
    try:
        return parse_line(piece.removesuffix(b","))
    except ValueError:
        return None


def count(pieces: Iterable[bytes]) -> int:
    """How many documents a file of ours holds, given in pieces, without reading them."""
    found, last = 0, b""
    for piece in pieces:
        found += (last + piece).count(b"\n{")
        last = piece[-1:]
    return found
