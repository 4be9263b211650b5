"""The pipeline with its real threads, real files and a store in memory."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from elasticecsmetrics.config import DeliveryConfig, SpoolConfig
from elasticecsmetrics.delivery.diagnostics import Diagnostics
from elasticecsmetrics.delivery.pipeline import Pipeline
from elasticecsmetrics.delivery.spool import Spool
from elasticecsmetrics.model.document import Document
from elasticecsmetrics.model.outcome import DELIVERED, Outcome, Verdict
from elasticecsmetrics.testing import MemoryStore, ScriptedStore

BAD = Outcome(Verdict.REJECTED, 400, "document_parsing_exception", "no")
FORBIDDEN = Outcome(Verdict.RETRYABLE, 403, "cluster_block_exception", "read-only")

Start = Callable[..., Pipeline]


class Silent(Diagnostics):
    """Collects what would be said."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[tuple[str, str]] = []

    def say(self, kind: str, text: str, count: int = 1) -> None:
        self.said.append((kind, text))


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    started: list[Pipeline] = []

    def make(store: MemoryStore, *, folder: bool = False, drain: bool = False, **bounds: Any) -> Pipeline:
        spool = Spool(SpoolConfig(folder=tmp_path / "spool", min_free_bytes=0)) if folder else None
        options = {"flush_frequency": 60.0, "flush_timeout": 5.0, "close_timeout": 2.0, **bounds}
        pipeline = Pipeline(store, config=DeliveryConfig(**options), spool=spool, drain=drain, diagnostics=Silent())
        started.append(pipeline)
        return pipeline

    yield make
    for pipeline in started:
        pipeline.close(1.0)


def waiting(tmp_path: Path) -> list[Document]:
    spool = Spool(SpoolConfig(folder=tmp_path / "spool", min_free_bytes=0))
    found: list[Document] = []
    for path in spool.waiting():
        with spool.claim(path) as claim:  # type: ignore[union-attr]
            found += claim.documents
    return found


def until(condition: Callable[[], bool]) -> None:
    """Waits for it; pytest's own time-out is the bound."""
    while not condition():
        threading.Event().wait(0.01)


def count_calls(target: Any, name: str, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    calls: list[Any] = []
    original = getattr(target, name)

    def counted(*args: Any, **kwargs: Any) -> Any:
        calls.append(args)
        return original(*args, **kwargs)

    monkeypatch.setattr(target, name, counted)
    return calls


class Gate(MemoryStore):
    """A store that hangs until it is opened."""

    def __init__(self) -> None:
        super().__init__()
        self.opened = threading.Event()
        self.entered = threading.Event()

    def write(self, documents: Sequence[Document], /) -> Sequence[Outcome]:
        self.entered.set()
        self.opened.wait(30)
        return super().write(documents)


def test_a_flush_brings_everything_to_the_store(start: Start, make_documents: Any) -> None:
    store = MemoryStore()
    pipeline = start(store)
    documents = make_documents(2500)
    for document in documents:
        pipeline.submit(document)
    assert pipeline.flush() is True
    assert list(store.contents.values()) == documents
    assert store.requests == 3
    stats = pipeline.stats()
    assert (stats.accepted, stats.delivered, stats.buffered) == (2500, 2500, 0)


def test_a_full_batch_goes_out_without_a_flush(start: Start, make_documents: Any) -> None:
    store = Gate()
    pipeline = start(store, buffer_size=10)
    for document in make_documents(10):
        pipeline.submit(document)
    assert store.entered.wait(10)
    store.opened.set()


def test_an_old_document_goes_out_without_a_flush(start: Start, make_documents: Any) -> None:
    store = Gate()
    store.opened.set()
    pipeline = start(store, flush_frequency=0.05)
    pipeline.submit(make_documents(1)[0])
    assert store.entered.wait(10)


def test_the_log_call_does_not_wait_for_a_hung_store(start: Start, make_documents: Any) -> None:
    store = Gate()
    pipeline = start(store, buffer_size=1)
    pipeline.submit(make_documents(1)[0])
    assert store.entered.wait(10)
    for document in make_documents(50):
        pipeline.submit(document)
    assert pipeline.stats().accepted == 51
    assert not store.opened.is_set()
    store.opened.set()


def test_what_the_store_does_not_take_waits_in_the_folder(start: Start, make_documents: Any, tmp_path: Path) -> None:
    pipeline = start(ScriptedStore(reachable=False), folder=True)
    documents = make_documents(5)
    for document in documents:
        pipeline.submit(document)
    assert pipeline.flush() is False
    assert waiting(tmp_path) == documents
    assert pipeline.stats().spooled == 5


def test_without_a_folder_it_is_tried_until_the_store_answers(start: Start, make_documents: Any) -> None:
    store = ScriptedStore(reachable=False)
    pipeline = start(store)
    documents = make_documents(5)
    for document in documents:
        pipeline.submit(document)
    assert pipeline.flush(0.7) is False
    assert pipeline.stats().buffered == 5
    store.reachable = True
    assert pipeline.flush() is True
    assert list(store.contents.values()) == documents


def test_only_the_bad_document_is_rejected_and_kept_with_its_reason(start: Start, make_documents: Any, tmp_path: Path) -> None:
    store = ScriptedStore([[DELIVERED, BAD, DELIVERED]])
    pipeline = start(store, folder=True)
    for document in make_documents(3):
        pipeline.submit(document)
    assert pipeline.flush() is False
    stats = pipeline.stats()
    assert (stats.delivered, stats.rejected, stats.spooled) == (2, 1, 0)
    (kept,) = (tmp_path / "spool" / "rejected").glob("*.json")
    assert "document_parsing_exception" in kept.read_text()


def test_without_a_folder_a_rejected_document_is_counted_and_said(start: Start, make_documents: Any) -> None:
    pipeline = start(ScriptedStore([[BAD]]))
    pipeline.submit(make_documents(1)[0])
    pipeline.flush()
    assert pipeline.stats().rejected == 1
    said = pipeline._diagnostics.said  # type: ignore[attr-defined]
    assert any(kind == "rejected" and "status 400" in text for kind, text in said)


def test_the_folder_is_drained_once_the_store_answers_again(start: Start, make_documents: Any, tmp_path: Path) -> None:
    store = ScriptedStore(reachable=False)
    pipeline = start(store, folder=True, drain=True, flush_frequency=0.05)
    documents = make_documents(5)
    for document in documents:
        pipeline.submit(document)
    assert pipeline.flush() is False
    store.reachable = True
    taken = threading.Event()
    original = store.write

    def write(given: Sequence[Document]) -> Sequence[Outcome]:
        outcomes = original(given)
        if len(store.contents) == 6:
            taken.set()
        return outcomes

    store.write = write  # type: ignore[method-assign, assignment]
    pipeline.submit(make_documents(1)[0])
    assert taken.wait(20)
    pipeline.close()
    assert waiting(tmp_path) == []
    stats = pipeline.stats()
    assert stats.spooled >= 5  # the last one too, if it came while the circuit was open
    assert stats.spooled == stats.replayed.delivered == stats.replayed.claimed
    assert stats.spooled + stats.delivered == 6


def test_a_leftover_of_an_earlier_run_is_drained(start: Start, make_documents: Any, tmp_path: Path) -> None:
    dead = start(ScriptedStore(reachable=False), folder=True)
    old = make_documents(3)
    for document in old:
        dead.submit(document)
    dead.close()
    store = Gate()
    store.opened.set()
    alive = start(store, folder=True, drain=True)
    (fresh,) = make_documents(1)
    alive.submit(fresh)
    assert store.entered.wait(20)
    alive.flush()
    until(lambda: alive.stats().replayed.claimed == 3)
    assert set(store.contents.values()) == {*old, fresh}


def test_a_document_that_was_put_off_does_not_keep_the_others(start: Start, make_documents: Any) -> None:
    stuck, *others = make_documents(4)

    class OneForbidden(MemoryStore):
        def write(self, documents: Sequence[Document], /) -> Sequence[Outcome]:
            super().write([d for d in documents if d is not stuck])
            return [FORBIDDEN if d is stuck else DELIVERED for d in documents]

    store = OneForbidden()
    pipeline = start(store)
    for document in [stuck, *others]:
        pipeline.submit(document)
    assert pipeline.flush(0.1) is False
    until(lambda: pipeline.stats().delivered == 3)
    assert pipeline.stats().buffered == 1
    fresh = make_documents(5)
    for document in fresh:
        pipeline.submit(document)
    assert pipeline.flush(0.1) is False
    until(lambda: pipeline.stats().delivered == 8)
    assert set(store.contents.values()) == {*others, *fresh}


def test_a_hung_request_does_not_keep_the_rest_from_the_disk(start: Start, make_documents: Any, tmp_path: Path) -> None:
    store = Gate()
    pipeline = start(store, folder=True, buffer_size=10)
    documents = make_documents(35)
    for document in documents:
        pipeline.submit(document)
    assert store.entered.wait(10)
    assert pipeline.flush(0.5) is False
    assert sorted(d.id for d in waiting(tmp_path)) == [d.id for d in documents]
    store.opened.set()
    pipeline.close()
    stats = pipeline.stats()
    assert (stats.spooled, stats.delivered, stats.buffered) == (35, 0, 0)


def test_overflow_goes_to_the_disk_while_the_network_hangs(start: Start, make_documents: Any) -> None:
    store = Gate()
    pipeline = start(store, folder=True, buffer_size=10, max_buffered=60)
    for document in make_documents(10):
        pipeline.submit(document)
    assert store.entered.wait(10)
    for document in make_documents(40):
        pipeline.submit(document)
    until(lambda: pipeline.stats().spooled >= 10)
    assert pipeline.stats().dropped == {}
    store.opened.set()


def test_close_spools_the_rest_and_is_harmless_twice(start: Start, make_documents: Any, tmp_path: Path) -> None:
    pipeline = start(ScriptedStore(reachable=False), folder=True)
    documents = make_documents(3)
    for document in documents:
        pipeline.submit(document)
    assert pipeline.close() is False
    assert pipeline.close() is True
    assert waiting(tmp_path) == documents


def test_a_flush_that_gives_up_leaves_a_longer_close_its_time(start: Start, make_documents: Any) -> None:
    store = Gate()
    pipeline = start(store)
    documents = make_documents(3)
    for document in documents:
        pipeline.submit(document)
    closed: list[bool] = []
    closing = threading.Thread(target=lambda: closed.append(pipeline.close(30.0)))
    closing.start()
    assert store.entered.wait(10)
    assert pipeline.flush(0.3) is False
    store.opened.set()
    closing.join(20)
    assert closed == [True]
    stats = pipeline.stats()
    assert (stats.delivered, stats.dropped) == (3, {})


def test_a_flush_that_gave_up_does_not_keep_the_worker_busy(
    start: Start, make_documents: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Gate()
    pipeline = start(store)
    for document in make_documents(3):
        pipeline.submit(document)
    turns = count_calls(pipeline._buffer, "view", monkeypatch)
    assert pipeline.flush(0.5) is False
    assert len(turns) < 50
    store.opened.set()


def test_close_without_a_folder_drops_with_the_reason(start: Start, make_documents: Any) -> None:
    pipeline = start(ScriptedStore(reachable=False))
    for document in make_documents(3):
        pipeline.submit(document)
    assert pipeline.close(0.5) is False
    stats = pipeline.stats()
    assert (stats.dropped, stats.buffered) == ({"closed": 3}, 0)


def test_a_document_after_close_goes_to_the_folder(start: Start, make_documents: Any, tmp_path: Path) -> None:
    pipeline = start(MemoryStore(), folder=True)
    pipeline.close()
    (late,) = make_documents(1)
    pipeline.submit(late)
    assert waiting(tmp_path) == [late]
    assert pipeline.stats().spooled == 1


def test_a_document_after_close_without_a_folder_is_counted_as_closed(start: Start, make_documents: Any) -> None:
    pipeline = start(MemoryStore())
    pipeline.close()
    pipeline.submit(make_documents(1)[0])
    stats = pipeline.stats()
    assert (stats.accepted, stats.dropped) == (1, {"closed": 1})


def test_a_released_pipeline_delivers_in_the_background(start: Start, make_documents: Any) -> None:
    store = Gate()
    pipeline = start(store)
    (document,) = make_documents(1)
    pipeline.submit(document)
    pipeline.release()
    assert store.entered.wait(10)
    store.opened.set()
    thread = pipeline._thread
    assert thread is not None
    thread.join(10)
    assert not thread.is_alive()
    assert list(store.contents.values()) == [document]


def test_where_no_thread_can_be_had_flush_does_the_work(
    start: Start, make_documents: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't create new thread at interpreter shutdown")

    store = MemoryStore()
    pipeline = start(store)
    monkeypatch.setattr(threading.Thread, "start", refuse)
    documents = make_documents(3)
    for document in documents:
        pipeline.submit(document)
    assert pipeline.flush() is True
    assert list(store.contents.values()) == documents


def test_no_surprise_ends_the_worker(start: Start, make_documents: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    store = MemoryStore()
    pipeline = start(store)
    surprises = [MemoryError("no memory"), OverflowError("too large")]
    heed = pipeline._worker._heed_hurry

    def surprised(view: Any) -> None:
        if surprises:
            raise surprises.pop()
        heed(view)

    monkeypatch.setattr(pipeline._worker, "_heed_hurry", surprised)
    documents = make_documents(3)
    for document in documents:
        pipeline.submit(document)
    assert pipeline.flush() is True
    assert list(store.contents.values()) == documents
    assert surprises == []
    assert any("MemoryError" in text for _, text in pipeline._diagnostics.said)  # type: ignore[attr-defined]


def test_a_surprise_in_a_senders_thread_brings_the_batch_back(
    start: Start, make_documents: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from elasticecsmetrics.delivery.sender import Sender

    surprises = [MemoryError("no memory")]
    send = Sender.send

    def surprised(sender: Sender, documents: Sequence[Document]) -> Any:
        if surprises:
            raise surprises.pop()
        return send(sender, documents)

    monkeypatch.setattr(Sender, "send", surprised)
    store = MemoryStore()
    pipeline = start(store)
    documents = make_documents(3)
    for document in documents:
        pipeline.submit(document)
    assert pipeline.flush() is True
    assert list(store.contents.values()) == documents


def test_a_document_that_a_gateway_refuses_does_not_stop_the_others(start: Start, make_documents: Any, tmp_path: Path) -> None:
    documents = make_documents(20)
    poison = documents[3]

    class Gateway(MemoryStore):
        def write(self, given: Sequence[Document], /) -> Sequence[Outcome]:
            if poison in given:
                return [Outcome(Verdict.RETRYABLE, 403, reason="blocked", whole_request=True)] * len(given)
            return super().write(given)

    store = Gateway()
    pipeline = start(store, folder=True)
    for document in documents:
        pipeline.submit(document)
    assert pipeline.flush() is False
    assert set(store.contents.values()) == set(documents) - {poison}
    assert waiting(tmp_path) == [poison]


def test_several_requests_are_in_flight_at_once(start: Start, make_documents: Any) -> None:
    both = threading.Barrier(2, timeout=10)

    class Meeting(MemoryStore):
        def write(self, documents: Sequence[Document], /) -> Sequence[Outcome]:
            both.wait()
            return super().write(documents)

    store = Meeting()
    pipeline = start(store, buffer_size=5, max_in_flight=2)
    documents = make_documents(20)
    for document in documents:
        pipeline.submit(document)
    assert pipeline.flush() is True
    assert set(store.contents.values()) == set(documents)


def test_a_disk_that_refuses_is_said_and_loses_nothing_while_memory_lasts(
    start: Start, make_documents: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = ScriptedStore(reachable=False)
    pipeline = start(store, folder=True)
    (tmp_path / "spool").write_text("a file in the folder's place")
    asked = count_calls(pipeline._spool, "write", monkeypatch)
    documents = make_documents(3)
    for document in documents:
        pipeline.submit(document)
    assert pipeline.flush(1.0) is False
    assert 1 <= len(asked) < 10  # it is left alone for a while, not asked in a tight loop
    stats = pipeline.stats()
    assert (stats.buffered, stats.spooled, stats.dropped) == (3, 0, {})
    assert any(kind == "spool" for kind, _ in pipeline._diagnostics.said)  # type: ignore[attr-defined]
    store.reachable = True
    assert pipeline.flush() is True
    assert list(store.contents.values()) == documents
