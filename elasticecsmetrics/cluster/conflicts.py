"""Reading from an error which field of a document does not fit the index's mapping.

Servers name it in English only. The sentences were provoked on Elasticsearch 7.17.28, 8.19.0 and 9.1.0 and OpenSearch 2.19.1
and 3.1.0; the table with every one of them is the test of this module.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

#: Characters of one sentence that are searched: what follows is a quotation.
_SEARCHED = 2000

# Not anchored: from version 8 on, Elasticsearch puts the position before the sentence, as in "[1:13] failed to parse ...".
_SENTENCES = tuple(
    re.compile(pattern, re.DOTALL)
    for pattern in (
        r"failed to parse field \[(?P<field>.+?)\] of type \[",
        r"object mapping for \[(?P<field>.+?)\] tried to parse field \[.*?\] as object, but found a concrete value",
        r"Could not dynamically add mapping for field \[(?P<field>.+?)\]\. Existing mapping for \[",
        r"mapper \[(?P<field>.+?)\] cannot be changed from type \[",
        r"can't merge a non object mapping \[(?P<field>.+?)\] with an object mapping",
        r"dynamic introduction of \[(?P<field>.+?)\] within \[(?P<parent>.+?)\] is not allowed",
        r"Cannot write to a field alias \[(?P<field>.+?)\]\.",
        r"immense term in field=\"(?P<field>.+?)\" ",
    )
)

#: What stands for the document itself where the name of an object is expected.
_ROOT = "_doc"


def conflicting_field(error: Any) -> str | None:
    """The dotted name of the field that an item's ``error`` is about; None when it names none.

    Only the first is named by a server, even where several do not fit.
    """
    for sentence in _sentences(error):
        for pattern in _SENTENCES:
            found = pattern.search(sentence)
            if found:
                named = found.groupdict()
                parent = named.get("parent") or _ROOT
                return named["field"] if parent == _ROOT else f"{parent}.{named['field']}"
    return None


def _sentences(error: Any) -> Iterator[str]:
    while isinstance(error, Mapping):
        yield str(error.get("reason") or "")[:_SEARCHED]
        error = error.get("caused_by")
