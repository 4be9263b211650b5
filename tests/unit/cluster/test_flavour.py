"""Telling Elasticsearch and OpenSearch apart, and both from everything else that answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from fakes.scripted_server import Reply, ScriptedServer

from elasticecsmetrics.cluster.client import ClusterClient
from elasticecsmetrics.cluster.flavour import identify
from elasticecsmetrics.cluster.hosts import parse_hosts
from elasticecsmetrics.config import ClusterConfig
from elasticecsmetrics.errors import StoreRefusedError

Start = Callable[..., ScriptedServer]
ELASTIC = {"X-elastic-product": "Elasticsearch"}


def root(**version: str) -> bytes:
    return json.dumps({"name": "n1", "version": version, "tagline": "You Know, for Search"}).encode()


def node(**version: str) -> bytes:
    return json.dumps({"nodes": {"x": version}}).encode()


FOUND: dict[str, Any] = {
    "Elasticsearch 8": ([Reply(200, root(number="8.19.0"), ELASTIC)], ("elasticsearch", "8.19.0")),
    "Elasticsearch before 7.14": ([Reply(200, root(number="7.10.2", build_flavor="default"))], ("elasticsearch", "7.10.2")),
    "OpenSearch": ([Reply(200, root(number="2.19.1", distribution="opensearch"))], ("opensearch", "2.19.1")),
    "OpenSearch that says 7.10.2": (
        [Reply(200, root(number="7.10.2", distribution="opensearch", build_flavor="oss"))],
        ("opensearch", "7.10.2"),
    ),
    "Elasticsearch without GET /": (
        [Reply(405, b"{}", ELASTIC), Reply(200, node(version="7.17.28"), ELASTIC)],
        ("elasticsearch", "7.17.28"),
    ),
    "OpenSearch without GET /": ([Reply(400, b"{}"), Reply(200, node(version="3.1.0"))], ("opensearch", "3.1.0")),
}

REFUSED: dict[str, Any] = {
    "wrong password": (Reply(401, b'{"error":{"type":"t","reason":"unable to authenticate"}}'), 401, "check the user"),
    "no right": (Reply(403, b'{"error":{"type":"t","reason":"unauthorized"}}'), 403, "right to monitor"),
    "redirect with secrets": (
        Reply(307, b"", {"Location": "https://bob:s3cret@login/x?ticket=s3cret"}),
        307,
        r"\(307\) to https://\*\*\*@login/x: give",
    ),
    "redirect to nowhere": (Reply(302, b""), 302, r"\(302\) to nowhere"),
    "redirect": (Reply(302, b"", {"Location": "https://login/"}), 302, "https://login/"),
    "web server": (Reply(200, b"<html>It works!</html>", {"Server": "nginx"}), 200, "It works!"),
    "other JSON": (Reply(200, b'{"couchdb":"Welcome","version":"3.3"}'), 200, "neither"),
    "look-alike": (Reply(200, b'{"version":{"number":"1.0"}}'), 200, "neither"),
    "JSON list": (Reply(200, b"[]"), 200, "neither"),
    "gateway": (Reply(502, b"<html>Bad Gateway</html>"), 502, "Bad Gateway"),
    "not found": (Reply(404, b"no such page"), 404, "no such page"),
    "empty": (Reply(200, b""), 200, "neither"),
}


def ask(server: ScriptedServer) -> Any:
    return identify(ClusterClient(ClusterConfig(hosts=parse_hosts(server.url).hosts)))


@pytest.mark.parametrize(("script", "expected"), FOUND.values(), ids=FOUND)
def test_engine_and_version_are_told(scripted_server: Start, script: list[Reply], expected: tuple[str, str]) -> None:
    server = scripted_server(*script)
    found = ask(server)
    assert ((found.engine, found.version), found.url) == (expected, server.url)


@pytest.mark.parametrize(("reply", "status", "said"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_welcome_is_refused_with_what_it_is(scripted_server: Start, reply: Reply, status: int, said: str) -> None:
    server = scripted_server(reply)
    with pytest.raises(StoreRefusedError, match=said) as caught:
        ask(server)
    assert caught.value.status == status
    assert server.url in str(caught.value)
    assert "s3cret" not in str(caught.value)
