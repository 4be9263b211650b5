"""What every store promises, on every engine and on SQLite: the same tests, whatever stands behind them."""

from __future__ import annotations

import json
import os
import signal
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from elasticecsmetrics.config import ClusterConfig, Host
from elasticecsmetrics.errors import StoreUnreachableError
from elasticecsmetrics.model.document import CREATE, INDEX, Document
from elasticecsmetrics.model.outcome import Outcome, Verdict
from elasticecsmetrics.stores.cluster import ClusterStore
from elasticecsmetrics.stores.sql.store import SQLStore

NOON = 1_795_435_200_000_000_000
"""2026-11-23T12:00:00Z."""

ODD_TEXTS = {
    "nul": r'{"message": "a\u0000b"}',
    "emoji": '{"message": "naïve ☃ 𝄞 \u2028 \u202e"}',
    "surrogate": r'{"message": "half \ud83d of a pair"}',
    "escapes": r'{"message": "\"\\\/\b\f\n\r\t"}',
    "spaces": '{ "message" :\t"kept as it is" }',
    "long number": '{"number": 1.10}',
}

ODD_IDS = ["a/b c?d#e&f=g+h%i", "ünï☃𝄞", "..", "_all", "-", "a\nb", "a'b\"c\\d", "*", "x" * 512]


class StoreContract(ABC):
    """The promises. A subclass gives a store, a way to read from it, and what it refuses."""

    @pytest.fixture
    @abstractmethod
    def store(self) -> Any: ...

    @pytest.fixture
    @abstractmethod
    def unreachable(self) -> Any: ...

    @pytest.fixture
    @abstractmethod
    def expected_ping(self) -> tuple[str, str]: ...

    @abstractmethod
    def read(self, store: Any, index: str, id_: str) -> bytes | None: ...

    @abstractmethod
    def count(self, store: Any, index: str) -> int: ...

    @abstractmethod
    def spoiled(self, document: Document) -> Document: ...

    @pytest.fixture
    def document(self, index: str) -> Callable[..., Document]:
        def make(id_: str = "1", body: str = '{"message": "hello"}', **changes: Any) -> Document:
            return Document(id_, NOON, index, CREATE, body.encode())._replace(**changes)

        return make

    @pytest.mark.parametrize("body", ODD_TEXTS.values(), ids=ODD_TEXTS)
    def test_body_comes_back_byte_for_byte(self, store: Any, document: Any, body: str) -> None:
        written = document(body=body)
        assert verdicts(store.write([written])) == ["delivered"]
        assert self.read(store, written.index, "1") == body.encode()

    def test_document_with_every_kind_of_json_comes_back_equal(self, store: Any, document: Any) -> None:
        value = {"t": "text", "i": -(2**63), "f": 1e-300, "b": True, "n": None, "l": [1, 2], "o": {"p": {"q": "r"}}, "e": {}}
        written = document(body=json.dumps(value))
        store.write([written])
        assert json.loads(self.read(store, written.index, "1") or b"") == value

    @pytest.mark.parametrize("id_", ODD_IDS)
    def test_any_id_of_a_user_is_kept(self, store: Any, document: Any, id_: str) -> None:
        assert verdicts(store.write([document(id_)])) == ["delivered"]
        assert self.read(store, document().index, id_) == document().body

    def test_ids_that_differ_in_case_or_surrogate_are_different_documents(self, store: Any, document: Any) -> None:
        store.write([document(id_) for id_ in ("a", "A", "\ud800", "\ud801")])
        assert self.count(store, document().index) == 4

    def test_id_that_is_too_long_is_rejected_alone(self, store: Any, document: Any) -> None:
        outcomes = store.write([document("1"), document("x" * 513), document("3")])
        assert verdicts(outcomes) == ["delivered", "rejected", "delivered"]
        assert "512" in outcomes[1].reason

    def test_nothing_written_has_no_outcome(self, store: Any) -> None:
        assert list(store.write([])) == []

    def test_outcomes_stand_in_the_order_of_the_documents(self, store: Any, document: Any) -> None:
        written = [document(str(n)) for n in range(40)]
        for n in (0, 7, 8, 39):
            written[n] = self.spoiled(written[n])
        outcomes = store.write(written)
        assert [n for n, outcome in enumerate(outcomes) if outcome.verdict is Verdict.REJECTED] == [0, 7, 8, 39]
        assert verdicts(outcomes).count("delivered") == 36

    def test_bad_document_does_not_take_the_good_ones_with_it(self, store: Any, document: Any) -> None:
        outcomes = store.write([document("1"), self.spoiled(document("2")), document("3")])
        assert verdicts(outcomes) == ["delivered", "rejected", "delivered"]
        assert not outcomes[1].whole_request
        assert outcomes[1].type
        assert outcomes[1].reason
        assert self.read(store, document().index, "1") is not None
        assert self.read(store, document().index, "2") is None
        assert self.read(store, document().index, "3") is not None

    def test_create_twice_is_delivered_and_the_first_is_kept(self, store: Any, document: Any) -> None:
        store.write([document(body='{"n": 1}')])
        assert verdicts(store.write([document(body='{"n": 2}')])) == ["delivered"]
        assert self.read(store, document().index, "1") == b'{"n": 1}'

    def test_index_replaces(self, store: Any, document: Any) -> None:
        store.write([document(body='{"n": 1}')])
        assert verdicts(store.write([document(body='{"n": 2}', op=INDEX)])) == ["delivered"]
        assert self.read(store, document().index, "1") == b'{"n": 2}'

    def test_last_of_the_same_id_in_one_write_wins(self, store: Any, document: Any) -> None:
        store.write([document(body=f'{{"n": {n}}}', op=INDEX) for n in range(5)])
        assert self.read(store, document().index, "1") == b'{"n": 4}'

    def test_retry_with_the_same_ids_makes_no_doubles(self, store: Any, document: Any) -> None:
        written = [document(str(n)) for n in range(100)]
        store.write(written[:60])
        assert verdicts(store.write(written)) == ["delivered"] * 100
        assert self.count(store, document().index) == 100

    def test_one_write_may_go_to_many_indexes(self, store: Any, document: Any) -> None:
        written = [document(str(n), index=f"{document().index}-2026.11.{n:02}") for n in (21, 22, 23)]
        assert verdicts(store.write(written)) == ["delivered"] * 3
        assert [self.count(store, one.index) for one in written] == [1, 1, 1]

    def test_thousand_documents_in_one_write(self, store: Any, document: Any) -> None:
        written = [document(f"{n:04}", json.dumps({"n": n, "message": "x" * 500})) for n in range(1000)]
        assert verdicts(store.write(written)) == ["delivered"] * 1000
        assert self.count(store, document().index) == 1000

    def test_document_of_a_mebibyte(self, store: Any, document: Any) -> None:
        written = document(body=f'{{"message": "{"wörd " * 175_000}"}}')
        assert len(written.body) > 1024 * 1024
        assert verdicts(store.write([written])) == ["delivered"]
        assert self.read(store, written.index, "1") == written.body

    def test_threads_write_at_once(self, store: Any, document: Any) -> None:
        outcomes: list[Outcome] = []

        def work(thread: int) -> None:
            outcomes.extend(store.write([document(f"{thread}-{n}") for n in range(50)]))

        threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert verdicts(outcomes) == ["delivered"] * 400
        assert self.count(store, document().index) == 400

    def test_write_after_close_works_and_closing_twice_is_harmless(self, store: Any, document: Any) -> None:
        store.write([document("1")])
        store.close()
        store.close()
        assert verdicts(store.write([document("2")])) == ["delivered"]
        assert self.count(store, document().index) == 2

    @pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
    def test_write_in_a_forked_child_works_and_leaves_the_parent_alone(self, store: Any, document: Any) -> None:
        store.write([document("parent")])
        child = os.fork()
        if child == 0:
            signal.alarm(60)
            delivered = False
            try:
                delivered = verdicts(store.write([document("child")])) == ["delivered"]
                store.close()
            finally:
                os._exit(0 if delivered else 1)
        assert os.waitpid(child, 0)[1] == 0
        assert verdicts(store.write([document("parent again")])) == ["delivered"]
        assert self.count(store, document().index) == 3

    def test_ping_says_who_is_there(self, store: Any, expected_ping: tuple[str, str]) -> None:
        found = store.ping()
        assert (found.engine, found.version) == expected_ping
        assert found.url

    def test_unreachable_store_raises_nothing_and_all_may_be_tried_again(self, unreachable: Any, document: Any) -> None:
        outcomes = unreachable.write([document("1"), document("2")])
        assert verdicts(outcomes) == ["retryable", "retryable"]
        assert all(outcome.whole_request and outcome.reason and outcome.type for outcome in outcomes)
        with pytest.raises(StoreUnreachableError):
            unreachable.ping()


def verdicts(outcomes: Sequence[Outcome]) -> list[str]:
    return [outcome.verdict.value for outcome in outcomes]


class TestClusterStore(StoreContract):
    @pytest.fixture
    def store(self, cluster: Any, index: str) -> Any:
        store = ClusterStore(cluster.config())
        mapping = {"mappings": {"properties": {"spoiled": {"type": "long"}}}}
        assert store.client.request("PUT", f"/{index}", body=json.dumps(mapping).encode(), timeout=60).status == 200
        yield store
        store.close()

    @pytest.fixture
    def unreachable(self) -> Any:
        return ClusterStore(ClusterConfig(hosts=(Host("http", "127.0.0.1", 1),)))

    @pytest.fixture
    def expected_ping(self, cluster: Any) -> tuple[str, str]:
        return cluster.engine, cluster.version

    def read(self, store: Any, index: str, id_: str) -> bytes | None:
        answer = store.client.request("GET", f"/{index}/_source/{quote(id_, safe='')}")
        assert answer.status in {200, 404}
        return answer.body if answer.status == 200 else None

    def count(self, store: Any, index: str) -> int:
        store.client.request("POST", f"/{index}/_refresh")
        return int(store.client.request("GET", f"/{index}/_count").json()["count"])

    def spoiled(self, document: Document) -> Document:
        return document._replace(body=b'{"spoiled": "no number"}')


class TestSQLStore(StoreContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> Any:
        store = SQLStore(f"sqlite:///{tmp_path}/metrics.db")
        yield store
        store.close()

    @pytest.fixture
    def unreachable(self, tmp_path: Path) -> Any:
        return SQLStore(f"sqlite:///{tmp_path}/no such folder/metrics.db")

    @pytest.fixture
    def expected_ping(self) -> tuple[str, str]:
        import sqlite3

        return "sqlite", sqlite3.sqlite_version

    def read(self, store: Any, index: str, id_: str) -> bytes | None:
        return next((one.body for one in store.documents(index) if one.id == id_), None)

    def count(self, store: Any, index: str) -> int:
        return len(store.documents(index))

    def spoiled(self, document: Document) -> Document:
        return document._replace(time=10**30)
