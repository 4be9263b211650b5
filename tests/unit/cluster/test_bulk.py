"""What each answer to a bulk request means for each document, and what is sent."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from elasticecsmetrics.cluster.answer import REASON_LENGTH, Answer
from elasticecsmetrics.cluster.bulk import MAX_ID_BYTES, decode, encode, refused_here
from elasticecsmetrics.model.document import CREATE, INDEX, Document, Op
from elasticecsmetrics.model.outcome import DELIVERED, Outcome, Verdict

URL = "http://search:9200"
ERROR = {"type": "some_exception", "reason": "some reason"}


def document(id_: str = "1", op: Op = CREATE, body: bytes = b'{"a":1}', index: str = "m-2026.11.22") -> Document:
    return Document(id_, 0, index, op, body)


def documents(count: int, op: Op = CREATE) -> list[Document]:
    return [document(str(n), op) for n in range(count)]


def answer(body: Any = b"", status: int = 200, **headers: str) -> Answer:
    raw = body if isinstance(body, bytes) else orjson.dumps(body)
    return Answer(status, {name.replace("_", "-"): value for name, value in headers.items()}, raw, URL)


def items(*items_: dict[str, Any]) -> dict[str, Any]:
    return {"errors": True, "items": [{"create": item} for item in items_]}


def outcome_of(status: int, op: Op = CREATE, **item: Any) -> Outcome:
    return decode(answer(items({"status": status, **item})), [document(op=op)])[0]


# ---- what is sent


def test_each_document_is_two_lines_and_its_own_bytes() -> None:
    body = encode([document("1"), document("2", INDEX, b'{"b": "\xc3\xbc"}', "x")])
    assert body == (
        b'{"create":{"_index":"m-2026.11.22","_id":"1"}}\n{"a":1}\n{"index":{"_index":"x","_id":"2"}}\n{"b": "\xc3\xbc"}\n'
    )


def test_line_break_in_a_body_does_not_end_the_document() -> None:
    lines = encode([document(body=b'{\n "a": 1\n}'), document("2")]).split(b"\n")
    assert len(lines) == 5
    assert json.loads(lines[1]) == {"a": 1}


@given(st.lists(st.tuples(st.text(min_size=1), st.text(min_size=1), st.sampled_from([CREATE, INDEX]))))
def test_any_id_and_index_make_lines_that_read_back(given_: list[tuple[str, str, Op]]) -> None:
    lines = encode([document(id_, op, index=index) for id_, index, op in given_]).split(b"\n")
    assert lines.pop() == b""
    assert [json.loads(line) for line in lines[::2]] == [{op: {"_index": index, "_id": id_}} for id_, index, op in given_]
    assert lines[1::2] == [b'{"a":1}'] * len(given_)


def test_lone_surrogates_of_ids_stay_apart() -> None:
    first, second = encode([document("\ud800")]), encode([document("\ud801")])
    assert first != second
    json.loads(first.split(b"\n")[0])


@pytest.mark.parametrize(("id_", "taken"), [("x" * 512, True), ("x" * 513, False), ("é" * 256, True), ("é" * 257, False)])
def test_id_that_would_refuse_the_whole_request_is_not_sent(id_: str, taken: bool) -> None:
    outcome = refused_here(document(id_))
    assert (outcome is None) is taken
    assert outcome is None or outcome.verdict is Verdict.REJECTED
    assert MAX_ID_BYTES == 512


# ---- items


@pytest.mark.parametrize("status", [200, 201])
def test_taken_is_delivered(status: int) -> None:
    assert outcome_of(status) == DELIVERED


def test_failure_store_is_delivered_and_said() -> None:
    assert outcome_of(201, failure_store="used") == Outcome(Verdict.DELIVERED, 201, failure_store=True)


@pytest.mark.parametrize("value", ["not_applicable_or_unknown", "not_enabled"])
def test_failure_store_that_was_not_used_is_a_plain_delivery(value: str) -> None:
    assert outcome_of(201, failure_store=value) == DELIVERED


def test_conflict_on_an_id_of_ours_is_delivered() -> None:
    assert outcome_of(409, CREATE, error=ERROR).verdict is Verdict.DELIVERED


def test_conflict_on_an_id_of_the_users_may_be_tried_again() -> None:
    assert outcome_of(409, INDEX, error=ERROR).verdict is Verdict.RETRYABLE


@pytest.mark.parametrize("status", [400, 413])
def test_document_that_will_never_be_taken_is_rejected_with_the_reason(status: int) -> None:
    outcome = outcome_of(status, error={**ERROR, "caused_by": {"type": "x", "reason": "the cause"}})
    assert outcome == Outcome(Verdict.REJECTED, status, "some_exception", "some reason: the cause")


@pytest.mark.parametrize("status", [300, 401, 403, 404, 405, 406, 408, 410, 422, 429, 500, 502, 503, 504])
def test_everything_else_may_be_tried_again_alone(status: int) -> None:
    assert outcome_of(status, error=ERROR) == Outcome(Verdict.RETRYABLE, status, "some_exception", "some reason")


@pytest.mark.parametrize(
    "error",
    [
        {"type": "index_closed_exception", "reason": "closed"},
        {
            "type": "validation_exception",
            "reason": "Validation Failed: 1: this action would add [2] shards, but this cluster currently has [19]/[1] "
            "maximum normal shards open;",
        },
    ],
    ids=["closed index", "no room for a shard"],
)
def test_400_about_the_index_and_not_the_document_may_be_tried_again(error: dict[str, str]) -> None:
    assert outcome_of(400, error=error).verdict is Verdict.RETRYABLE


def test_conflicting_field_is_named() -> None:
    outcome = outcome_of(400, error={"type": "t", "reason": "failed to parse field [a.b] of type [long] in document"})
    assert (outcome.verdict, outcome.field) == (Verdict.REJECTED, "a.b")


def test_reason_has_a_bounded_length() -> None:
    assert len(outcome_of(400, error={"type": "t", "reason": "x" * 100_000}).reason) == REASON_LENGTH


@pytest.mark.parametrize("error", [None, "a text", {}, []])
def test_error_of_another_form_is_no_fault_of_ours(error: Any) -> None:
    assert outcome_of(400, error=error).verdict is Verdict.REJECTED


def test_outcomes_stand_in_order() -> None:
    statuses = [201, 400, 429, 201, 409, 503]
    outcomes = decode(answer(items(*({"status": status} for status in statuses))), documents(6))
    assert [outcome.status for outcome in outcomes] == [None, 400, 429, None, None, 503]


# ---- whole requests


@pytest.mark.parametrize(
    "status", [301, 302, 307, 308, 400, 401, 403, 404, 405, 406, 407, 408, 409, 415, 429, 500, 502, 503, 504]
)
def test_refused_request_may_be_tried_again_whole(status: int) -> None:
    outcomes = decode(answer({"error": ERROR, "status": status}, status), documents(3))
    assert len(outcomes) == 3
    for outcome in outcomes:
        assert (outcome.verdict, outcome.status, outcome.whole_request) == (Verdict.RETRYABLE, status, True)
        assert outcome.type == "some_exception"
        assert outcome.reason == f"{URL} answered {status}: some reason"


def test_too_large_a_request_of_many_may_be_tried_again_in_parts() -> None:
    outcomes = decode(answer(b"", 413), documents(2))
    assert [(one.verdict, one.status, one.whole_request) for one in outcomes] == [(Verdict.RETRYABLE, 413, True)] * 2


def test_document_that_is_too_large_alone_is_rejected() -> None:
    (outcome,) = decode(answer(b"<html>413</html>", 413), documents(1))
    assert (outcome.verdict, outcome.status, outcome.whole_request) == (Verdict.REJECTED, 413, False)
    assert outcome.reason


def test_retry_after_of_a_request_is_kept() -> None:
    (outcome,) = decode(answer(b"", 429, retry_after="7"), documents(1))
    assert outcome.retry_after == 7


def test_redirect_says_where_to() -> None:
    (outcome,) = decode(answer(b"", 302, location="https://login/"), documents(1))
    assert "https://login/" in outcome.reason


def test_page_of_a_proxy_is_glimpsed() -> None:
    (outcome,) = decode(answer(b"<html>\n<h1>502 Bad Gateway</h1>", 502), documents(1))
    assert outcome.reason == f"{URL} answered 502: <html> <h1>502 Bad Gateway</h1>"


NO_BULK_ANSWERS: dict[str, Any] = {
    "nothing": b"",
    "page": b"<html>Please log in</html>",
    "truncated": b'{"errors":false,"items":[{"create":{"status":201}},{"cre',
    "list": [],
    "number": 5,
    "empty object": {},
    "items is no list": {"items": {"create": {"status": 201}}},
    "item is no object": {"items": [201, 201]},
    "empty items": {"items": [{}, {}]},
    "item of two operations": {"items": [{"create": {"status": 201}, "index": {"status": 201}}] * 2},
    "item without status": {"items": [{"create": {"status": 201}}, {"create": {}}]},
    "status is a text": {"items": [{"create": {"status": "201"}}] * 2},
    "too few": items({"status": 201}),
    "too many": items({"status": 201}, {"status": 201}, {"status": 201}),
    "all filtered away": {"errors": False},
}


@pytest.mark.parametrize("body", NO_BULK_ANSWERS.values(), ids=NO_BULK_ANSWERS)
def test_success_that_is_no_bulk_answer_may_be_tried_again_whole(body: Any) -> None:
    outcomes = decode(answer(body), documents(2))
    assert [(one.verdict, one.status, one.whole_request) for one in outcomes] == [(Verdict.RETRYABLE, 200, True)] * 2
    assert all(one.type == "no_bulk_answer" for one in outcomes)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["items", "create", "status", "error", "type", "reason", "caused_by"]), inner)
    ),
)


ITEMS = st.lists(st.fixed_dictionaries({"status": st.integers(100, 599), "error": JSON}))


@given(
    body=JSON.map(orjson.dumps) | st.binary() | ITEMS.map(lambda given_: orjson.dumps(items(*given_))),
    status=st.sampled_from([200, 200, 200, 302, 413, 429, 500]),
    count=st.integers(1, 4),
)
def test_any_answer_gives_one_outcome_for_each_document(body: bytes, status: int, count: int) -> None:
    outcomes = decode(answer(body, status), documents(count))
    assert len(outcomes) == count
    for outcome in outcomes:
        assert outcome.verdict is Verdict.DELIVERED or outcome.status is not None
        assert len(outcome.reason) <= REASON_LENGTH + 200


def test_redirect_with_secrets_is_told_without_them() -> None:
    moved = answer(b"", 302, location="https://bob:s3cret@login/sso?ticket=s3cret")
    (outcome,) = decode(moved, documents(1))
    assert outcome.reason == f"{URL} answered 302: redirects to https://***@login/sso"
