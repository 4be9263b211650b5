"""Why no answer came, in words that tell what to do: from the nested exceptions of the libraries underneath."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator

from elastic_transport import ConnectionTimeout
from urllib3.exceptions import NewConnectionError

from elasticecsmetrics.cluster.answer import without_login

_CERTIFICATE_REMEDY = "give the file of its CA as ca_certs"


def explain(error: BaseException, url: str, timeout: float) -> str:
    """One line: which host, and what happened.

    Args:
        error: as a node raised it.
        url: of the host, without credentials.
        timeout: seconds that were allowed.
    """
    chain = list(_chain(error))
    for cause in chain:
        said = _known(cause)
        if said:
            return f"{url}: {said}"
    if any(isinstance(cause, (ConnectionTimeout, TimeoutError)) for cause in chain):
        return f"{url}: no answer within {timeout:g} s"
    last = chain[-1]
    # A redirect, or a proxy of the environment, may have a login in its URL.
    return f"{url}: {type(last).__name__}: {without_login(' '.join(str(last).split()))[:300]}"


def never_sent(error: BaseException) -> bool:
    """True when no connection came about, so that not one byte of the request can have arrived."""
    return any(isinstance(cause, (NewConnectionError, ssl.SSLCertVerificationError)) for cause in _chain(error))


def _known(cause: BaseException) -> str:
    if isinstance(cause, ConnectionRefusedError):
        return "connection refused: nothing listens there"
    if isinstance(cause, socket.gaierror):
        return f"the name of the host is not known ({cause.strerror})"
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"the server's certificate is not trusted ({cause.verify_message}); {_CERTIFICATE_REMEDY}"
    if isinstance(cause, ssl.SSLError):
        if cause.reason in {"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE"}:
            return "no TLS is spoken there; is it http?"
        return f"TLS failed ({cause.reason or without_login(str(cause))})"
    if isinstance(cause, UnicodeError):
        return "this can be no name of a host"
    if isinstance(cause, ConnectionResetError) or type(cause).__name__ == "RemoteDisconnected":
        return "the connection was closed without an answer; if the server speaks TLS, is it https?"
    return ""


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The exception and all that it was made from, wherever its library keeps them: innermost last."""
    seen: set[int] = set()
    waiting: list[object] = [error]
    while waiting:
        current = waiting.pop(0)
        if not isinstance(current, BaseException) or id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        waiting += [current.__cause__, current.__context__, getattr(current, "reason", None)]
        waiting += [*getattr(current, "errors", ()), *current.args]
