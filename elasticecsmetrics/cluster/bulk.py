"""The ``_bulk`` API, both ways: documents to the body of a request, and its answer to one outcome for each document.

What each status means follows one rule. A document is *rejected* only when the same bytes will never be taken: the server
could not map them (400), or they are too large alone (413). It is *delivered* when the server says so, or when it holds a
document with the id that we made (409: an earlier try got through). Everything else is *retryable*: a login, a block or a
missing index can be put right, and an answer that cannot be read says nothing.

https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-bulk
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import orjson

from elasticecsmetrics.cluster.answer import Answer, error_of
from elasticecsmetrics.cluster.conflicts import conflicting_field
from elasticecsmetrics.model.document import CREATE, Document
from elasticecsmetrics.model.outcome import DELIVERED, TOO_LARGE_STATUS, Outcome, Verdict

#: Only what is read of the answer: 26 bytes an item instead of about 200. A failed request is answered whole all the same.
BULK_TARGET = "/_bulk?filter_path=errors,items.*.status,items.*.error,items.*.failure_store"

CONTENT_TYPE = "application/x-ndjson"

#: Bytes of an ``_id``. One longer id and the server refuses the whole request (400), the other documents with it.
MAX_ID_BYTES = 512

#: 400 for what is wrong with the index or the cluster, not with the document: a closed index, and no room for a new shard.
_PASSING_400 = frozenset({"index_closed_exception", "validation_exception"})

_REFUSED_AS_IT_IS = frozenset({400, TOO_LARGE_STATUS})


class _Item(NamedTuple):
    status: int
    error: Any
    failure_store: Any


def refused_here(document: Document) -> Outcome | None:
    """The outcome of a document that must not be sent, since the whole request would be refused for it; else None."""
    if len(_sendable(document.id).encode()) <= MAX_ID_BYTES:
        return None
    return Outcome(Verdict.REJECTED, 400, "id_too_long", f"the _id has more than {MAX_ID_BYTES} bytes of UTF-8")


def encode(documents: Sequence[Document]) -> bytes:
    """The body of a request, as newline-delimited JSON: for each document a line with the action, and its own bytes."""
    lines = []
    for document in documents:
        lines.append(_action(document))
        # In JSON a line break can only stand between two values; here it would end the document.
        lines.append(document.body.replace(b"\n", b" "))
    lines.append(b"")
    return b"\n".join(lines)


def decode(answer: Answer, documents: Sequence[Document]) -> list[Outcome]:
    """One outcome for each of ``documents``, in order.

    Args:
        answer: to the request whose body was ``encode(documents)``.
        documents: at least one.
    """
    if not 200 <= answer.status < 300:
        return _refused_whole(answer, len(documents))
    items = _items(answer.json())
    if items is None or len(items) != len(documents):
        found = "no bulk answer" if items is None else f"a bulk answer with {len(items)} items for {len(documents)} documents"
        reason = f"{answer.url} answered {answer.status} with {found}: {answer.glimpse()}"
        return [Outcome(Verdict.RETRYABLE, answer.status, "no_bulk_answer", reason, whole_request=True)] * len(documents)
    return [_outcome(item, document) for item, document in zip(items, documents, strict=True)]


def _action(document: Document) -> bytes:
    return orjson.dumps({document.op: {"_index": _sendable(document.index), "_id": _sendable(document.id)}})


def _sendable(text: str) -> str:
    """The text with lone surrogates written out: a server takes each for the same question mark, and ids would collide."""
    return text.encode("utf-8", "backslashreplace").decode()


def _refused_whole(answer: Answer, count: int) -> list[Outcome]:
    type_, reason = error_of(_member(answer.json(), "error"))
    location = answer.location()
    said = reason or (f"redirects to {location}" if location else answer.glimpse())
    text = f"{answer.url} answered {answer.status}" + (f": {said}" if said else "")
    if answer.status == TOO_LARGE_STATUS and count == 1:
        return [Outcome(Verdict.REJECTED, answer.status, type_ or "too_large", text)]
    outcome = Outcome(Verdict.RETRYABLE, answer.status, type_, text, whole_request=True, retry_after=answer.retry_after())
    return [outcome] * count


def _items(value: Any) -> list[_Item] | None:
    """What each item holds; None when this is not the answer to a bulk request."""
    listed = _member(value, "items")
    if not isinstance(listed, list):
        return None
    items = []
    for wrapped in listed:
        item = next(iter(wrapped.values()), None) if isinstance(wrapped, Mapping) and len(wrapped) == 1 else None
        status = _member(item, "status")
        if not isinstance(status, int):
            return None
        items.append(_Item(status, _member(item, "error"), _member(item, "failure_store")))
    return items


def _outcome(item: _Item, document: Document) -> Outcome:
    status = item.status
    if 200 <= status < 300:
        return Outcome(Verdict.DELIVERED, status, failure_store=True) if item.failure_store == "used" else DELIVERED
    if status == 409 and document.op == CREATE:
        return DELIVERED
    type_, reason = error_of(item.error)
    if status in _REFUSED_AS_IT_IS and type_ not in _PASSING_400:
        return Outcome(Verdict.REJECTED, status, type_, reason, field=conflicting_field(item.error))
    return Outcome(Verdict.RETRYABLE, status, type_, reason)


def _member(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, Mapping) else None
