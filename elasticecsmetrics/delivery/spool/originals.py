"""Reading the failure files of ElasticECSMetrics 1.0: ``{prefix}_{datetime}_{uuid4}.json``, an array of bare documents.

They hold neither index nor id. The index is made from the prefix, the document's own time and a frequency that the file
does not tell; the id from the file's name and the document's position, so that replaying a file twice does not double it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
from typing import Any, NamedTuple

from elasticecsmetrics.config import IndexConfig, IndexNameFrequency
from elasticecsmetrics.delivery.spool import jsonarray
from elasticecsmetrics.delivery.spool.fileform import Contents, Item, time_of
from elasticecsmetrics.ecs import timestamp
from elasticecsmetrics.errors import ConfigurationError, ForeignFileError
from elasticecsmetrics.indexing.naming import index_namer
from elasticecsmetrics.model.document import CREATE, Document

# From the right: the prefix may hold ``_`` and anything else.
_NAME = re.compile(
    r"(?P<prefix>.+)_(?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:[+-][\d:.]+|Z)?)"
    r"_[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\.json",
    re.DOTALL | re.ASCII,
)

#: What is said of a file that neither program has written.
FOREIGN = "not written by elasticecsmetrics nor by ElasticECSMetrics"


class OriginalName(NamedTuple):
    """What the name of such a file tells."""

    prefix: str
    time: int
    """When it was written, in nanoseconds since 1970; 0 where that cannot be read."""


def parse_name(name: str) -> OriginalName | None:
    """Takes a file's name apart; None when the original has not given it."""
    found = _NAME.fullmatch(name)
    if found is None:
        return None
    try:
        return OriginalName(found["prefix"], timestamp.parse(found["time"]))
    except ValueError:
        return OriginalName(found["prefix"], 0)


def document_id(name: str, position: int) -> str:
    """The ``_id`` of the document at this position (from 0) of the file of this name: 20 URL-safe characters."""
    digest = hashlib.blake2b(os.fsencode(name) + b"\0%d" % position, digest_size=15).digest()
    return base64.urlsafe_b64encode(digest).decode()


def may_be(name: str, head: bytes) -> bool:
    """Whether a file of this name that begins so may be one of the original."""
    return parse_name(name) is not None and head.lstrip().startswith(b"[")


def read(name: str, data: bytes, frequency: IndexNameFrequency) -> Contents:
    """Reads a file of the original. A document whose ``@timestamp`` cannot be read gets the time in the file's name.

    Raises:
        ForeignFileError: the name is not the original's, its prefix names no index, or the contents are something else.
    """
    known = parse_name(name)
    if known is None or not may_be(name, data):
        raise ForeignFileError(FOREIGN)
    try:
        index_of = index_namer(IndexConfig(name=known.prefix, frequency=frequency))
    except ConfigurationError as error:
        raise ForeignFileError(f"its name begins with no index's name: {error}") from error
    elements, torn = jsonarray.elements(data)
    items = []
    for position, (source, text) in enumerate(elements):
        if not isinstance(source, dict) or "@timestamp" not in source:
            torn = True
            continue
        time = time_of(source)
        time = known.time if time is None else time
        body = _one_line(text, source)
        items.append(Item(Document(document_id(name, position), time, index_of(time), CREATE, body)))
    if elements and not items:
        raise ForeignFileError("its name is one of ElasticECSMetrics, but it holds no documents with an @timestamp")
    return Contents(items, torn, end=0)


def _one_line(text: str, value: Any) -> bytes:
    """The element as it stands, unless somebody has laid it out over several lines since."""
    return (json.dumps(value) if "\n" in text else text).encode()
