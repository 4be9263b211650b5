"""Asking a cluster what it is: Elasticsearch or OpenSearch, of which version, or something else that answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from elasticecsmetrics.cluster.answer import Answer, error_of
from elasticecsmetrics.cluster.client import ClusterClient
from elasticecsmetrics.errors import StoreRefusedError
from elasticecsmetrics.model.store import Ping

ELASTICSEARCH = "elasticsearch"
OPENSEARCH = "opensearch"

#: Told by Elasticsearch from 7.14 on, with every answer.
_PRODUCT_HEADER = "x-elastic-product"

#: Distributions without the module that answers ``GET /`` say "no handler", "method not allowed" or "not found".
_NO_SUCH_CALL = frozenset({400, 404, 405})
_NODE_VERSION = "/_nodes/_local?filter_path=nodes.*.version,nodes.*.build_flavor"


def identify(client: ClusterClient, *, timeout: float | None = None) -> Ping:
    """Asks who is there, with our login.

    Args:
        timeout: seconds for each of one or two requests; default: the client's.

    Raises:
        StoreUnreachableError: no answer.
        StoreRefusedError: the login is refused, or what answers is no cluster; the message says which, and what to do.
    """
    answer = client.request("GET", "/", timeout=timeout)
    found = _from_root(answer)
    if found is None and answer.status in _NO_SUCH_CALL:
        answer = client.request("GET", _NODE_VERSION, timeout=timeout)
        found = _from_node(answer)
    if found is None:
        raise StoreRefusedError(_refusal(answer), status=answer.status)
    return found


def _from_root(answer: Answer) -> Ping | None:
    version = _member(answer.json(), "version") if answer.status == 200 else None
    number = _member(version, "number")
    if not isinstance(number, str):
        return None
    if _member(version, "distribution") == OPENSEARCH:
        return Ping(OPENSEARCH, number, answer.url)
    # Before 7.14 there was no header; the flavour is there since 6.3, and other products that copy the form have none.
    if _PRODUCT_HEADER in answer.headers or _member(version, "build_flavor"):
        return Ping(ELASTICSEARCH, number, answer.url)
    return None


def _from_node(answer: Answer) -> Ping | None:
    nodes = _member(answer.json(), "nodes") if answer.status == 200 else None
    for found in nodes.values() if isinstance(nodes, Mapping) else ():
        number = _member(found, "version")
        if isinstance(number, str):
            elastic = _PRODUCT_HEADER in answer.headers or _member(found, "build_flavor")
            return Ping(ELASTICSEARCH if elastic else OPENSEARCH, number, answer.url)
    return None


def _refusal(answer: Answer) -> str:
    status = answer.status
    said = error_of(_member(answer.json(), "error"))[1] or answer.glimpse()
    if status == 401:
        return f"{answer.url} does not accept this login (401): check the user and password, or the API key ({said})"
    if status == 403:
        return f"{answer.url} knows this login, but it may not ask who is there (403): give it the right to monitor ({said})"
    if 300 <= status < 400:
        return f"{answer.url} redirects ({status}) to {answer.location() or 'nowhere'}: give that as hosts"
    server = answer.headers.get("server", "")
    return f"{answer.url} is neither Elasticsearch nor OpenSearch: {server or 'something'} answered {status}: {said}"


def _member(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, Mapping) else None
