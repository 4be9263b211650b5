"""What became of one document in one attempt to write it."""

from __future__ import annotations

import enum
from typing import NamedTuple


class Verdict(enum.Enum):
    """The three answers a store can give for a document."""

    DELIVERED = "delivered"
    """It is in the store."""
    RETRYABLE = "retryable"
    """It is not known to be in the store, and the same bytes may be taken later."""
    REJECTED = "rejected"
    """The same bytes will never be taken."""


class Outcome(NamedTuple):
    """A verdict, and the facts behind it."""

    verdict: Verdict
    status: int | None = None
    """The HTTP status of the item or of the request; None when no answer came, or for a store without HTTP."""
    type: str = ""
    """The server's (or the exception's) name for the failure, such as ``document_parsing_exception``."""
    reason: str = ""
    """What the server or the exception said, without credentials."""
    whole_request: bool = False
    """True when the request failed as a whole, so that the failure says nothing about this document."""
    retry_after: float | None = None
    """Seconds to wait before the next try, where the server named them (``Retry-After``)."""
    field: str | None = None
    """Dotted name of the field whose value does not fit the index's mapping, where the server named it."""
    failure_store: bool = False
    """True when the server took it, but diverted it to its failure store."""
    attempts: int = 1
    """How many requests were made with the document's batch until this outcome."""


DELIVERED = Outcome(Verdict.DELIVERED)

#: A request too large for the server: the sender splits the batch. Alone, the document is rejected.
TOO_LARGE_STATUS = 413
