"""The cluster store against a real HTTP server that misbehaves from a script: every fault becomes outcomes."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from fakes.scripted_server import Reply, ScriptedServer, bulk_reply

from elasticecsmetrics.cluster.hosts import parse_hosts
from elasticecsmetrics.config import ClusterConfig
from elasticecsmetrics.model.document import CREATE, Document
from elasticecsmetrics.model.outcome import Verdict
from elasticecsmetrics.stores.cluster import ClusterStore

Start = Callable[..., ScriptedServer]


def documents(count: int) -> list[Document]:
    return [Document(str(n), 0, "m-2026.11.23", CREATE, b'{"n":%d}' % n) for n in range(count)]


def store(server: ScriptedServer, **changes: Any) -> ClusterStore:
    return ClusterStore(ClusterConfig(**{"hosts": parse_hosts(server.url).hosts, "request_timeout": 5.0, **changes}))


FAULTS: dict[str, Any] = {
    "429": (Reply(429, b'{"error":"slow down"}', {"Retry-After": "30"}), 429),
    "502 page": (Reply(502, b"<html><h1>Bad Gateway</h1></html>", {"Content-Type": "text/html"}), 502),
    "503": (Reply(503), 503),
    "401": (Reply(401, b'{"error":{"type":"security_exception","reason":"unable to authenticate"}}'), 401),
    "403": (Reply(403), 403),
    "413": (Reply(413), 413),
    "redirect": (Reply(302, b"", {"Location": "https://login/"}), 302),
    "not JSON": (Reply(200, b"<html>Log in</html>"), 200),
    "truncated JSON": (Reply(200, b'{"errors":false,"items":[{"create":'), 200),
    "too few items": (bulk_reply(201), 200),
    "cut": (Reply(cut=True), None),
    "cut in the middle": (Reply(200, b'{"errors":', promised=500), None),
}


@pytest.mark.parametrize(("reply", "status"), FAULTS.values(), ids=FAULTS)
def test_fault_of_the_request_leaves_every_document_to_be_tried_again(
    scripted_server: Start, reply: Reply, status: int | None
) -> None:
    server = scripted_server(reply, bulk_reply(201, 201))
    sender = store(server)
    outcomes = sender.write(documents(2))
    assert [(one.verdict, one.status, one.whole_request) for one in outcomes] == [(Verdict.RETRYABLE, status, True)] * 2
    assert all(one.reason and server.url in one.reason for one in outcomes)
    assert [one.verdict for one in sender.write(documents(2))] == [Verdict.DELIVERED] * 2
    assert server.received[0].body == server.received[1].body


def test_retry_after_reaches_the_outcomes(scripted_server: Start) -> None:
    outcomes = store(scripted_server(Reply(503, b"", {"Retry-After": "30"}))).write(documents(2))
    assert [one.retry_after for one in outcomes] == [30, 30]


def test_hung_server_costs_the_time_out_and_no_more(scripted_server: Start) -> None:
    outcomes = store(scripted_server(Reply(hang=True)), request_timeout=0.2).write(documents(1))
    assert (outcomes[0].verdict, outcomes[0].status) == (Verdict.RETRYABLE, None)
    assert "no answer within 0.2 s" in outcomes[0].reason


def test_each_items_own_fate_is_told(scripted_server: Start) -> None:
    server = scripted_server(bulk_reply(201, 400, 429, 409, 503, error={"type": "t", "reason": "r"}))
    outcomes = store(server).write(documents(5))
    assert [one.verdict.value for one in outcomes] == ["delivered", "rejected", "retryable", "delivered", "retryable"]
    assert not any(one.whole_request for one in outcomes)


def test_one_write_is_one_request(scripted_server: Start) -> None:
    server = scripted_server(bulk_reply(*[201] * 500))
    store(server).write(documents(500))
    (request,) = server.received
    assert (request.method, request.target.partition("?")[0]) == ("POST", "/_bulk")
    assert request.headers["content-type"] == "application/x-ndjson"
    assert request.body.count(b"\n") == 1000
    assert json.loads(request.body.split(b"\n")[0]) == {"create": {"_index": "m-2026.11.23", "_id": "0"}}


def test_document_whose_id_would_refuse_the_request_is_left_out_of_it(scripted_server: Start) -> None:
    server = scripted_server(bulk_reply(201, 429))
    given = documents(3)
    given[1] = given[1]._replace(id="x" * 513)
    outcomes = store(server).write(given)
    assert [one.verdict.value for one in outcomes] == ["delivered", "rejected", "retryable"]
    assert server.received[0].body.count(b"\n") == 4


def test_nothing_to_send_sends_nothing(scripted_server: Start) -> None:
    server = scripted_server(Reply(500))
    assert store(server).write([]) == []
    assert store(server).write([documents(1)[0]._replace(id="x" * 513)])[0].verdict is Verdict.REJECTED
    assert server.received == []
