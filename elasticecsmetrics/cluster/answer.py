"""The answer to one HTTP request, and the few facts that every part of this folder reads from it."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any

import orjson

#: Characters of a server's text that are kept: it may quote the document, and it ends in logs and in files.
REASON_LENGTH = 500

#: Characters of an answer that nobody expected, for a message.
GLIMPSE_LENGTH = 120

#: Seconds: the longest wait that ``Retry-After`` may ask of us. A page for maintenance names an hour or a date far off, meant
#: for crawlers; taken at its word it would silence a handler long after the server is back, and fill its buffer.
LONGEST_WAIT = 300.0

#: The login in a URL, in the midst of any text.
_LOGIN = re.compile(r"(?<=//)[^/?#\s]*@")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered, whatever it was: JSON of ours, or a proxy's page."""

    status: int
    headers: Mapping[str, str]
    """By their names in lower case."""
    body: bytes
    """As it came, but unzipped."""
    url: str
    """Of the host that answered, without credentials."""

    def json(self) -> Any:
        """The body as JSON; None when it is none."""
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError:
            return None

    def glimpse(self) -> str:
        """The beginning of the body in one line, for a message."""
        text = " ".join(self.body[: 4 * GLIMPSE_LENGTH].decode("utf-8", "replace").split())
        return cut(without_login(text), GLIMPSE_LENGTH)

    def location(self) -> str:
        """Where a redirect leads, for a message: without login, query and fragment, any of which may be secret; else empty."""
        return re.split(r"[?#]", without_login(self.headers.get("location", "")), maxsplit=1)[0]

    def retry_after(self, wall: float | None = None) -> float | None:
        """Seconds to wait before the next try, from ``Retry-After`` (RFC 9110, 10.2.3); None when there is none.

        At most :data:`LONGEST_WAIT`. A date there is measured against the answer's own ``Date``, since the server's clock may
        differ from ours.

        Args:
            wall: seconds since 1970, for an answer without ``Date``; default: now.
        """
        given = self.headers.get("retry-after", "").strip()
        if not given:
            return None
        try:
            seconds = float(given)
        except ValueError:
            until, sent = _seconds(given), _seconds(self.headers.get("date", ""))
            if until is None:
                return None
            seconds = until - (sent if sent is not None else time.time() if wall is None else wall)
        return min(max(0.0, seconds), LONGEST_WAIT) if math.isfinite(seconds) else None


def error_of(value: Any) -> tuple[str, str]:
    """Type and reason of an ``error`` object as both servers write it, its cause added; empty strings for none.

    A proxy or an old server may give a plain text in its place: that is the reason then.
    """
    if isinstance(value, str):
        return "", cut(value)
    if not isinstance(value, Mapping):
        return "", ""
    type_, reason = str(value.get("type") or ""), str(value.get("reason") or "")
    caused_by = value.get("caused_by")
    cause = str(caused_by.get("reason") or "") if isinstance(caused_by, Mapping) else ""
    if not cause or cause in reason:
        return type_, cut(reason)
    # The outer text may quote a whole value: the cause must survive the cutting.
    inner = cut(cause, REASON_LENGTH // 2)
    return type_, f"{cut(reason, REASON_LENGTH - len(inner) - 2)}: {inner}"


def without_login(text: str) -> str:
    """``text`` with ``***@`` for the login of each URL in it."""
    return _LOGIN.sub("***@", text)


def cut(text: str, length: int = REASON_LENGTH) -> str:
    """``text``, shortened in its middle to ``length`` characters: servers put the cause at the end."""
    if len(text) <= length:
        return text
    head = (length - 1) * 2 // 3
    return f"{text[:head]}…{text[head + 1 - length :]}"


def _seconds(date: str) -> float | None:
    try:
        parsed = parsedate_to_datetime(date)
    except (TypeError, ValueError):
        return None
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()
