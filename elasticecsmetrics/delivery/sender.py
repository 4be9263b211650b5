"""Sends a batch until every document has an outcome, or the policy gives up. Knows nothing of threads or files."""

from __future__ import annotations

import random as _random
import time
from collections.abc import Callable, Sequence

from elasticecsmetrics.delivery.retry import ITEM_POLICY, REQUEST_POLICY, RetryPolicy
from elasticecsmetrics.ecs import repair
from elasticecsmetrics.model.document import Document
from elasticecsmetrics.model.outcome import TOO_LARGE_STATUS, Outcome, Verdict
from elasticecsmetrics.model.store import Store

#: A document with more conflicting fields than this is rejected: each costs one more request.
MAX_REPAIRS = 8


def _sleep(seconds: float) -> bool:
    time.sleep(seconds)
    return False


#: Answers to a whole request that may mean the login or the moment, not what was sent.
_NOT_THE_CONTENT = frozenset({401, 407, 408, TOO_LARGE_STATUS, 429})


def is_content_refused(outcome: Outcome) -> bool:
    """True when the whole request was answered with a refusal that waiting will hardly heal, as a gateway's 403 or 400."""
    status = outcome.status or 0
    return outcome.whole_request and 300 <= status < 500 and status not in _NOT_THE_CONTENT


def may_pass_soon(outcome: Outcome) -> bool:
    """True when another try within a second makes sense: no answer, too busy, a failure of the server's."""
    status = outcome.status or 0
    return outcome.whole_request or status in {0, 408, 429} or status >= 500


class Sender:
    """Takes batches to one store. Used by one thread at a time."""

    def __init__(
        self,
        store: Store,
        *,
        request_policy: RetryPolicy = REQUEST_POLICY,
        item_policy: RetryPolicy = ITEM_POLICY,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], bool] = _sleep,
        random: Callable[[], float] = _random.random,
    ) -> None:
        """
        Args:
            store: where to.
            request_policy: for requests that fail whole.
            item_policy: for documents that are put off while others of the same request are taken.
            monotonic: seconds that never go back.
            sleep: waits so many seconds; True when it was cut short because somebody is in a hurry.
            random: evenly drawn from 0 to 1.
        """
        self.store = store
        self._request_policy = request_policy
        self._item_policy = item_policy
        self._monotonic = monotonic
        self._sleep = sleep
        self._random = random

    def send(self, documents: Sequence[Document]) -> list[Outcome]:
        """One outcome for each document, in order. Never raises; bounded by the policies and the store's time-out.

        What is still retryable in the answer was given up: it is the caller's to keep.
        """
        outcomes: dict[int, Outcome] = {}
        pending = list(range(len(documents)))
        attempt, began, hurried = 0, self._monotonic(), False
        while pending:
            attempt += 1
            answers = self._write([documents[i] for i in pending])
            outcomes.update(zip(pending, answers, strict=True))
            pending = [i for i in pending if outcomes[i].verdict is Verdict.RETRYABLE]
            if not pending or hurried:
                break
            failures = [outcomes[i] for i in pending]
            if not any(may_pass_soon(failure) for failure in failures):
                break
            wait = self._wait_after(attempt, began, failures)
            if wait is None:
                break
            hurried = self._sleep(wait)
        return [
            outcomes[i] if outcomes[i].verdict is Verdict.DELIVERED else outcomes[i]._replace(attempts=attempt)
            for i in range(len(documents))
        ]

    def _wait_after(self, attempt: int, began: float, failures: Sequence[Outcome]) -> float | None:
        policy = self._request_policy if any(failure.whole_request for failure in failures) else self._item_policy
        asked = max((failure.retry_after or 0.0 for failure in failures), default=0.0)
        return policy.delay(attempt, self._monotonic() - began, retry_after=asked or None, random=self._random())

    def _write(self, documents: Sequence[Document]) -> list[Outcome]:
        """One attempt, with what needs no waiting done at once: splitting what is too large, repairing conflicts."""
        outcomes = self._write_once(documents)
        half = len(documents) // 2
        if half and outcomes[0].status == TOO_LARGE_STATUS and outcomes[0].whole_request:
            return self._write(documents[:half]) + self._write(documents[half:])
        if half and is_content_refused(outcomes[0]):
            return self._isolated(documents)
        return self._repaired(documents, outcomes)

    def _isolated(self, documents: Sequence[Document]) -> list[Outcome]:
        """A request that a gateway refused, perhaps for one document's content: halved, as long as one half is taken.

        When both halves are refused it is not about one document, and no request more is spent on it.
        """
        half = len(documents) // 2
        halves = [documents[:half], documents[half:]]
        answers = [self._write_once(part) for part in halves]
        refused = [is_content_refused(answer[0]) for answer in answers]
        if all(refused):
            return answers[0] + answers[1]
        outcomes: list[Outcome] = []
        for part, answer, again in zip(halves, answers, refused, strict=True):
            outcomes += self._isolated(part) if again and len(part) > 1 else self._repaired(part, answer)
        return outcomes

    def _repaired(self, documents: Sequence[Document], outcomes: list[Outcome]) -> list[Outcome]:
        """Documents refused for the type of one of the user's own fields, sent again with that field as a label."""
        current = dict(enumerate(documents))
        for _ in range(MAX_REPAIRS):
            mended = {}
            for i, outcome in enumerate(outcomes):
                if outcome.verdict is Verdict.REJECTED and outcome.field is not None:
                    body = repair.to_label(current[i].body, outcome.field)
                    if body is not None:
                        mended[i] = current[i]._replace(body=body)
            if not mended:
                break
            current.update(mended)
            answers = self._write_once(list(mended.values()))
            for i, answer in zip(mended, answers, strict=True):
                outcomes[i] = answer
        return outcomes

    def _write_once(self, documents: Sequence[Document]) -> list[Outcome]:
        try:
            outcomes = list(self.store.write(documents))
        except Exception as error:  # noqa: BLE001  a store of the user's may raise anything; the documents must survive it
            return [failed(type(error).__name__, str(error))] * len(documents)
        if not all(isinstance(outcome, Outcome) for outcome in outcomes):
            reason = f"{type(self.store).__name__}.write answered something that is no Outcome"
            return [failed("protocol", reason)] * len(documents)
        if len(outcomes) != len(documents):
            reason = f"{type(self.store).__name__}.write answered {len(outcomes)} outcomes for {len(documents)} documents"
            return [failed("protocol", reason)] * len(documents)
        return outcomes


def failed(type_: str, reason: str) -> Outcome:
    """The outcome of each document of a request that got no answer."""
    return Outcome(Verdict.RETRYABLE, type=type_, reason=reason, whole_request=True)
