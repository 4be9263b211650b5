"""The sender against scripted stores: what goes round again, what is split, what is repaired, and when it gives up."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from elasticecsmetrics.delivery.sender import Sender
from elasticecsmetrics.model.document import Document
from elasticecsmetrics.model.outcome import DELIVERED, Outcome, Verdict
from elasticecsmetrics.testing import UNREACHABLE, ManualClock, MemoryStore, ScriptedStore

BUSY = Outcome(Verdict.RETRYABLE, 429, "es_rejected_execution_exception", "queue full")
BAD = Outcome(Verdict.REJECTED, 400, "document_parsing_exception", "no")
TOO_LARGE = Outcome(Verdict.RETRYABLE, 413, whole_request=True)


def sender_to(store: MemoryStore, clock: ManualClock, *, random: float = 1.0) -> Sender:
    return Sender(store, monotonic=clock.monotonic, sleep=clock.sleep, random=lambda: random)


def test_each_document_gets_its_outcome_in_order(make_documents: Any) -> None:
    store = ScriptedStore([[DELIVERED, BAD, DELIVERED]])
    outcomes = sender_to(store, ManualClock()).send(make_documents(3))
    assert [o.verdict for o in outcomes] == [Verdict.DELIVERED, Verdict.REJECTED, Verdict.DELIVERED]
    assert store.requests == 1


def test_what_will_not_pass_soon_does_not_keep_the_sender_busy(make_documents: Any) -> None:
    clock = ManualClock()
    forbidden = Outcome(Verdict.RETRYABLE, 403, "cluster_block_exception", "read-only")
    store = ScriptedStore([[DELIVERED, forbidden]])
    outcomes = sender_to(store, clock).send(make_documents(2))
    assert [o.verdict for o in outcomes] == [Verdict.DELIVERED, Verdict.RETRYABLE]
    assert (store.requests, clock.slept) == (1, [])


def test_an_answer_that_is_no_outcome_is_a_failure_of_the_request(make_documents: Any) -> None:
    store = ScriptedStore([[None], [DELIVERED]])  # type: ignore[list-item]
    assert sender_to(store, ManualClock()).send(make_documents(1)) == [DELIVERED]


def test_only_the_retryable_go_round_again(make_documents: Any) -> None:
    rounds: list[list[str]] = []

    def first(documents: Sequence[Document]) -> Sequence[Outcome]:
        rounds.append([d.id for d in documents])
        return [DELIVERED, BUSY, BAD, BUSY]

    def second(documents: Sequence[Document]) -> Sequence[Outcome]:
        rounds.append([d.id for d in documents])
        return [DELIVERED, DELIVERED]

    documents = make_documents(4)
    clock = ManualClock()
    outcomes = sender_to(ScriptedStore([first, second]), clock).send(documents)
    assert rounds == [[d.id for d in documents], [documents[1].id, documents[3].id]]
    assert [o.verdict for o in outcomes] == [Verdict.DELIVERED, Verdict.DELIVERED, Verdict.REJECTED, Verdict.DELIVERED]
    assert len(clock.slept) == 1


def test_a_store_that_does_not_answer_is_given_up_within_half_a_second(make_documents: Any) -> None:
    clock = ManualClock()
    began = clock.monotonic()
    outcomes = sender_to(ScriptedStore(reachable=False), clock).send(make_documents(2))
    assert [o.verdict for o in outcomes] == [Verdict.RETRYABLE] * 2
    assert 0 < clock.monotonic() - began <= 0.5


def test_retry_after_beyond_the_policy_gives_up_at_once_and_keeps_the_figure(make_documents: Any) -> None:
    clock = ManualClock()
    store = ScriptedStore([Outcome(Verdict.RETRYABLE, 429, whole_request=True, retry_after=30.0)])
    outcomes = sender_to(store, clock).send(make_documents(1))
    assert clock.slept == []
    assert outcomes[0].retry_after == 30.0


def test_a_hurried_sleep_allows_one_more_try_only(make_documents: Any) -> None:
    store = ScriptedStore(reachable=False)
    Sender(store, monotonic=ManualClock().monotonic, sleep=lambda _: True, random=lambda: 1.0).send(make_documents(1))
    store.script = []
    requests: list[int] = []

    def count(documents: Sequence[Document]) -> Sequence[Outcome]:
        requests.append(len(documents))
        return [UNREACHABLE]

    hurried = Sender(ScriptedStore([count] * 10), monotonic=ManualClock().monotonic, sleep=lambda _: True, random=lambda: 1.0)
    hurried.send(make_documents(1))
    assert requests == [1, 1]


def test_a_request_that_is_too_large_is_halved_until_it_fits(make_documents: Any) -> None:
    sizes: list[int] = []

    class Small(MemoryStore):
        def write(self, documents: Sequence[Document], /) -> Sequence[Outcome]:
            sizes.append(len(documents))
            return super().write(documents) if len(documents) <= 2 else [TOO_LARGE] * len(documents)

    store = Small()
    documents = make_documents(7)
    outcomes = sender_to(store, ManualClock()).send(documents)
    assert outcomes == [DELIVERED] * 7
    assert [d.id for d in store.contents.values()] == [d.id for d in documents]
    assert sizes == [7, 3, 1, 2, 4, 2, 2]


def test_one_document_that_is_too_large_alone_does_not_hold_up_the_others(make_documents: Any) -> None:
    documents = make_documents(4)

    class Small(MemoryStore):
        def write(self, given: Sequence[Document], /) -> Sequence[Outcome]:
            if documents[2] in given:
                return [TOO_LARGE] * len(given) if len(given) > 1 else [Outcome(Verdict.REJECTED, 413)]
            return super().write(given)

    outcomes = sender_to(Small(), ManualClock()).send(documents)
    assert [o.verdict for o in outcomes] == [Verdict.DELIVERED, Verdict.DELIVERED, Verdict.REJECTED, Verdict.DELIVERED]


BLOCKED = Outcome(Verdict.RETRYABLE, 403, reason="blocked by the gateway", whole_request=True)


def test_a_document_that_a_gateway_refuses_is_isolated(make_documents: Any) -> None:
    documents = make_documents(50)
    requests: list[int] = []

    class Gateway(MemoryStore):
        def write(self, given: Sequence[Document], /) -> Sequence[Outcome]:
            requests.append(len(given))
            return [BLOCKED] * len(given) if documents[17] in given else super().write(given)

    store = Gateway()
    sender = Sender(store, monotonic=ManualClock().monotonic, sleep=lambda _: True, random=lambda: 1.0)
    outcomes = sender.send(documents)
    assert [i for i, o in enumerate(outcomes) if o.verdict is not Verdict.DELIVERED] == [17]
    assert outcomes[17]._replace(attempts=1) == BLOCKED
    assert len(requests) <= 2 * 6 + 2


def test_a_cluster_that_refuses_everybody_is_asked_three_times_not_a_thousand(make_documents: Any) -> None:
    requests: list[int] = []

    class Closed(MemoryStore):
        def write(self, given: Sequence[Document], /) -> Sequence[Outcome]:
            requests.append(len(given))
            return [BLOCKED] * len(given)

    sender = Sender(Closed(), monotonic=ManualClock().monotonic, sleep=lambda _: True, random=lambda: 1.0)
    outcomes = sender.send(make_documents(50))
    assert outcomes == [BLOCKED._replace(attempts=2)] * 50
    assert requests == [50, 25, 25] * 2


def conflict(field: str) -> Outcome:
    return Outcome(Verdict.REJECTED, 400, "document_parsing_exception", f"failed to parse field [{field}]", field=field)


def with_body(document: Document, body: dict[str, Any]) -> Document:
    return document._replace(body=json.dumps(body).encode())


def test_a_type_conflict_of_a_users_field_is_repaired_under_the_same_id(make_documents: Any) -> None:
    document = with_body(make_documents(1)[0], {"@timestamp": "2026-01-02T03:04:05.000000Z", "order_id": "A-17"})
    store = ScriptedStore([conflict("order_id")])
    assert sender_to(store, ManualClock()).send([document]) == [DELIVERED]
    ((index, id_),) = store.contents
    assert (index, id_) == (document.index, document.id)
    assert store.documents == [{"@timestamp": "2026-01-02T03:04:05.000000Z", "labels": {"order_id": "A-17"}}]


def test_two_conflicts_in_one_document_are_both_repaired(make_documents: Any) -> None:
    document = with_body(make_documents(1)[0], {"a": "x", "b": {"c": True}, "kept": 1})
    store = ScriptedStore([conflict("a"), conflict("b.c")])
    assert sender_to(store, ManualClock()).send([document]) == [DELIVERED]
    (stored,) = store.documents
    assert stored["kept"] == 1
    assert stored["labels"]["a"] == "x"
    assert set(stored["labels"]) == {"a", "b_c"}


def test_a_conflict_that_cannot_be_repaired_stays_rejected(make_documents: Any) -> None:
    document = with_body(make_documents(1)[0], {"@timestamp": "2026-01-02T03:04:05.000000Z", "message": "x"})
    store = ScriptedStore([conflict("message")])
    (outcome,) = sender_to(store, ManualClock()).send([document])
    assert outcome.verdict is Verdict.REJECTED
    assert store.requests == 1


def test_a_store_that_raises_or_answers_too_few_outcomes_loses_nothing(make_documents: Any) -> None:
    store = ScriptedStore([RuntimeError("boom"), [DELIVERED]])
    documents = make_documents(2)
    assert sender_to(store, ManualClock()).send(documents) == [DELIVERED] * 2
    assert [d.id for d in store.contents.values()] == [d.id for d in documents]


def test_what_a_raising_store_said_is_in_the_outcome(make_documents: Any) -> None:
    store = ScriptedStore([RuntimeError("boom")] * 50)
    (outcome,) = sender_to(store, ManualClock()).send(make_documents(1))
    assert (outcome.verdict, outcome.type, outcome.reason) == (Verdict.RETRYABLE, "RuntimeError", "boom")
    assert outcome.whole_request
