"""Replay: oldest first, each file one's at a time, and what cannot be used named and left."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from elasticecsmetrics.config import IndexNameFrequency, SpoolConfig
from elasticecsmetrics.delivery.replay import FileReplayed, Replay, State, preview
from elasticecsmetrics.delivery.spool import Claim, Spool
from elasticecsmetrics.delivery.spool.filelock import LockedFile
from elasticecsmetrics.model.document import CREATE, Document
from elasticecsmetrics.model.outcome import DELIVERED, Outcome, Verdict

UNANSWERED = Outcome(Verdict.RETRYABLE, type="ConnectionRefused", reason="nobody there", whole_request=True)
BUSY = Outcome(Verdict.RETRYABLE, 429)
REJECTED = Outcome(Verdict.REJECTED, 400, "mapper_parsing_exception", "no")
ORIGINAL = "my_app_2020-02-20T10:20:30.123-0500_8b1f0f9e-4d0c-4a57-9a4f-0d9c6cf7a9b1.json"


class FakeSender:
    """Keeps what it is sent; answers as it is told."""

    def __init__(self, answer: Callable[[Document], Outcome] = lambda _document: DELIVERED) -> None:
        self.answer = answer
        self.batches: list[list[str]] = []

    def send(self, documents: Sequence[Document], /) -> list[Outcome]:
        self.batches.append([document.id for document in documents])
        return [self.answer(document) for document in documents]


def documents(*numbers: int) -> list[Document]:
    body = b'{"@timestamp":"2026-11-22T09:00:00.123456Z"}'
    return [Document(str(number), 0, "logs-2026.11.22", CREATE, body) for number in numbers]


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(SpoolConfig(folder=tmp_path / "spool", min_free_bytes=0))


def ids(spool: Spool, *, rejected: bool = False) -> list[str]:
    return [item.document.id for path in spool.waiting(rejected=rejected) for item in spool.look(path).items]


def taken(spool: Spool, path: Path) -> Claim:
    claim = spool.claim(path)
    assert claim is not None
    return claim


def test_files_go_out_oldest_first_and_the_folder_is_empty_afterwards(spool: Spool) -> None:
    first, second = spool.write(documents(1, 2)).path, spool.write(documents(3)).path
    sender = FakeSender()
    assert list(Replay(spool, sender).run()) == [
        FileReplayed(first, State.REPLAYED, documents=2, delivered=2, position=1, total=2),
        FileReplayed(second, State.REPLAYED, documents=1, delivered=1, position=2, total=2),
    ]
    assert sender.batches == [["1", "2"], ["3"]]
    assert list(spool.folder.iterdir()) == []


def test_a_file_larger_than_a_batch_is_sent_in_batches(spool: Spool) -> None:
    spool.write(documents(*range(5)))
    sender = FakeSender()
    (done,) = Replay(spool, sender, buffer_size=2).run()
    assert sender.batches == [["0", "1"], ["2", "3"], ["4"]]
    assert done.delivered == 5


def test_each_document_goes_where_its_outcome_says(spool: Spool) -> None:
    path = spool.write(documents(1, 2, 3)).path
    answers = {"1": DELIVERED, "2": REJECTED, "3": BUSY}
    (done,) = Replay(spool, FakeSender(lambda document: answers[document.id])).run()
    assert done == FileReplayed(path, State.REPLAYED, 3, delivered=1, rejected=1, left=1, position=1, total=1)
    assert (ids(spool), ids(spool, rejected=True)) == (["3"], ["2"])


def test_a_store_that_gives_no_answer_is_asked_once(spool: Spool) -> None:
    for number in range(3):
        spool.write(documents(number, 10 + number))
    sender = FakeSender(lambda _document: UNANSWERED)
    (done,) = Replay(spool, sender, buffer_size=1).run()
    assert (done.state, done.left, done.total) == (State.UNANSWERED, 2, 3)
    assert done.problem == "the store gives no answer: ConnectionRefused nobody there"
    assert sender.batches == [["0"]]
    assert ids(spool) == ["0", "10", "1", "11", "2", "12"]


def test_a_store_that_falls_silent_within_a_file_keeps_what_it_took(spool: Spool) -> None:
    spool.write(documents(1, 2, 3, 4))
    (done,) = Replay(spool, FakeSender(lambda one: DELIVERED if one.id < "3" else UNANSWERED), buffer_size=2).run()
    assert (done.state, done.delivered, done.left) == (State.UNANSWERED, 2, 2)
    assert ids(spool) == ["3", "4"]


def test_documents_put_off_one_by_one_do_not_stop_the_others(spool: Spool) -> None:
    spool.write(documents(1))
    spool.write(documents(2))
    states = [
        (done.state, done.left) for done in Replay(spool, FakeSender(lambda one: BUSY if one.id == "1" else DELIVERED)).run()
    ]
    assert states == [(State.REPLAYED, 1), (State.REPLAYED, 0)]
    assert ids(spool) == ["1"]


def test_torn_and_foreign_files_are_named_and_left_and_the_others_go_on(spool: Spool) -> None:
    torn = spool.write(documents(1, 2)).path
    torn.write_bytes(torn.read_bytes()[:-30])
    foreign = torn.with_name("package.json")
    foreign.write_text("{}")
    spool.write(documents(3))
    before = {path: path.read_bytes() for path in (torn, foreign)}
    sender = FakeSender()
    done = {one.path: one for one in Replay(spool, sender).run()}
    assert sorted(id_ for batch in sender.batches for id_ in batch) == ["1", "3"]
    assert (done[torn].state, done[torn].delivered) == (State.TORN, 1)
    assert "torn" in str(done[torn].problem)
    assert done[foreign].state is State.UNUSABLE
    assert str(foreign) in str(done[foreign].problem)
    assert {path: path.read_bytes() for path in spool.waiting()} == before


def test_what_a_dead_writer_left_is_recovered_first_and_its_broken_line_named(spool: Spool) -> None:
    path = spool.write(documents(1, 2)).path
    path.with_name(f".{path.stem}.part").write_bytes(path.read_bytes()[:-30])
    path.unlink()
    sender = FakeSender()
    rest, done = Replay(spool, sender).run()
    assert (rest.path, rest.state, rest.position) == (path.with_suffix(".torn"), State.TORN, 0)
    assert done.delivered == 1
    assert sender.batches == [["1"]]
    assert list(spool.folder.iterdir()) == [rest.path]


@pytest.mark.parametrize(
    ("frequency", "index"), [(IndexNameFrequency.DAILY, "my_app-2020.02.20"), (IndexNameFrequency.NEVER, "my_app")]
)
def test_the_originals_files_replay(spool: Spool, frequency: IndexNameFrequency, index: str) -> None:
    spool.prepare()
    source = {"@timestamp": "2020-02-20T10:20:29.000-0500", "metrics": {"name": "x"}}
    (spool.folder / ORIGINAL).write_text(json.dumps([source, source]))
    sent: list[Document] = []

    def keep(document: Document) -> Outcome:
        sent.append(document)
        return DELIVERED

    (done,) = Replay(spool, FakeSender(keep), index_frequency=frequency).run()
    assert done.delivered == 2
    assert {document.index for document in sent} == {index}
    assert len({document.id for document in sent}) == 2
    assert spool.waiting() == []


def test_the_rejected_are_sent_again_only_when_asked_for(spool: Spool) -> None:
    path = spool.reject([(one, REJECTED) for one in documents(1, 2)], attempts=1).path
    assert list(Replay(spool, FakeSender()).run()) == []
    (done,) = Replay(spool, FakeSender(lambda one: DELIVERED if one.id == "1" else REJECTED)).run(rejected=True)
    assert (done.path, done.delivered, done.rejected, done.left) == (path, 1, 1, 0)
    assert ids(spool, rejected=True) == ["2"]


def test_a_file_that_another_holds_to_the_end_is_named(spool: Spool) -> None:
    held, free = spool.write(documents(1)).path, spool.write(documents(2)).path
    with taken(spool, held):
        done = list(Replay(spool, FakeSender()).run())
    assert [(one.path, one.state) for one in done] == [(free, State.REPLAYED), (held, State.HELD)]
    assert ids(spool) == ["1"]


def test_a_file_that_another_let_go_meanwhile_is_replayed_in_a_second_look(spool: Spool) -> None:
    held, _ = spool.write(documents(1)).path, spool.write(documents(2)).path
    claim = taken(spool, held)

    def released(_document: Document) -> Outcome:
        claim.release()
        return DELIVERED

    assert [one.delivered for one in Replay(spool, FakeSender(released)).run()] == [1, 1]
    assert spool.waiting() == []


def test_a_file_that_another_has_done_is_no_problem(spool: Spool) -> None:
    done_by_other, _ = spool.write(documents(1)).path, spool.write(documents(2)).path
    run = Replay(spool, FakeSender()).run()
    claim = taken(spool, done_by_other)
    first = next(run)
    with claim:
        spool.settle(claim, [DELIVERED])
    assert [(one.state, one.delivered, one.problem) for one in (first, *run)] == [
        (State.REPLAYED, 1, None),
        (State.REPLAYED, 0, None),
    ]


def test_an_interrupted_replay_leaves_the_file_whole_and_free(spool: Spool) -> None:
    path = spool.write(documents(1, 2)).path

    def interrupted(_document: Document) -> Outcome:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(Replay(spool, FakeSender(interrupted)).run())
    assert ids(spool) == ["1", "2"]
    taken(spool, path).release()


def test_a_disk_that_refuses_the_outcomes_is_a_problem_of_that_file_only(spool: Spool) -> None:
    spool.write(documents(1))
    spool.write(documents(2))
    spool.rejected_folder.symlink_to(spool.folder / "nowhere")
    problem, fine = Replay(spool, FakeSender(lambda one: REJECTED if one.id == "1" else DELIVERED)).run()
    assert (problem.state, fine.state) == (State.UNUSABLE, State.REPLAYED)
    assert ids(spool) == ["1"]


def test_a_preview_tells_all_and_changes_nothing(spool: Spool) -> None:
    whole = spool.write(documents(1, 2)).path
    torn = spool.write(documents(3, 4)).path
    torn.write_bytes(torn.read_bytes()[:-30])
    foreign = whole.with_name("package.json")
    foreign.write_text("{}")
    part = whole.with_name(f".{whole.stem}x.part")
    part.write_bytes(whole.read_bytes()[:-3])
    rejected = spool.reject([(documents(5)[0], REJECTED)], attempts=1).path
    before = {path: path.read_bytes() for path in spool.folder.rglob("*") if path.is_file()}
    facts = {one.path: (one.state, one.documents) for one in preview(spool, rejected=True)}
    assert facts == {
        whole: (State.REPLAYED, 2),
        torn: (State.TORN, 1),
        foreign: (State.UNUSABLE, 0),
        rejected: (State.REPLAYED, 1),
        part: (State.REPLAYED, 2),
    }
    assert {path: path.read_bytes() for path in spool.folder.rglob("*") if path.is_file()} == before


# Real processes. The store is a table of ids: `times` says how often each came.

REPLAYER = """
import sqlite3, sys
from pathlib import Path
from elasticecsmetrics.config import SpoolConfig
from elasticecsmetrics.delivery.replay import Replay
from elasticecsmetrics.delivery.spool import Spool
from elasticecsmetrics.model.outcome import DELIVERED

folder, store, halt_at = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
connection = sqlite3.connect(store, timeout=60, isolation_level=None)
connection.execute("PRAGMA synchronous = OFF")

class Sender:
    def __init__(self):
        self.sent = 0

    def send(self, documents):
        for document in documents:
            sql = "INSERT INTO documents VALUES (?, 1) ON CONFLICT (id) DO UPDATE SET times = times + 1"
            connection.execute(sql, [document.id])
            self.sent += 1
            if self.sent == halt_at:
                print("halted", flush=True)
                sys.stdin.read()
        return [DELIVERED] * len(documents)

spool = Spool(SpoolConfig(folder=folder, min_free_bytes=0))
print(sum(done.delivered for done in Replay(spool, Sender(), buffer_size=7).run()), flush=True)
"""


@pytest.fixture
def store(tmp_path: Path) -> Path:
    path = tmp_path / "store.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE documents (id TEXT PRIMARY KEY, times INTEGER)")
        connection.commit()
    return path


def replayer(spool: Spool, store: Path, halt_at: int = 0) -> subprocess.Popen[str]:
    program = [sys.executable, "-c", REPLAYER, str(spool.folder), str(store), str(halt_at)]
    return subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def times(store: Path) -> dict[str, int]:
    with closing(sqlite3.connect(store)) as connection:
        return dict(connection.execute("SELECT id, times FROM documents").fetchall())


def fill(spool: Spool, files: int, per_file: int) -> set[str]:
    numbers = range(files * per_file)
    for start in numbers[::per_file]:
        spool.write(documents(*range(start, start + per_file)))
    return {str(number) for number in numbers}


@pytest.mark.parametrize("halt_at", [1, 14, 33, 100])
def test_killed_in_the_middle_and_run_again_it_neither_loses_nor_doubles(spool: Spool, store: Path, halt_at: int) -> None:
    all_ids = fill(spool, files=10, per_file=10)
    with replayer(spool, store, halt_at) as killed:
        assert killed.stdout is not None
        assert killed.stdout.readline() == "halted\n"
        killed.kill()
    sent = times(store)
    assert len(sent) == halt_at
    assert all_ids == {*sent, *ids(spool)}
    with replayer(spool, store) as again:
        again.communicate()
    assert set(times(store)) == all_ids
    # What was sent but not yet put away came once more, under the same id: never more than one file.
    assert sum(count - 1 for count in times(store).values()) == (halt_at - 1) % 10 + 1
    assert spool.waiting() == []


def test_two_at_once_share_the_folder_and_send_each_document_once(spool: Spool, store: Path) -> None:
    all_ids = fill(spool, files=40, per_file=10)
    with replayer(spool, store) as one, replayer(spool, store) as other:
        delivered = [int(process.communicate()[0]) for process in (one, other)]
    assert times(store) == dict.fromkeys(all_ids, 1)
    assert sum(delivered) == len(all_ids)
    assert list(spool.folder.iterdir()) == []


def refusal(status: int) -> Outcome:
    return Outcome(Verdict.RETRYABLE, status, "", f"http://x answered {status}", whole_request=True)


def test_a_file_whose_request_is_refused_whole_does_not_hold_up_the_next(spool: Spool) -> None:
    for number in range(4):
        spool.write(documents(number))
    answers = {"0": refusal(403), "2": refusal(403)}
    done = list(Replay(spool, FakeSender(lambda one: answers.get(one.id, DELIVERED))).run())
    assert [one.state for one in done] == [State.REFUSED, State.REPLAYED, State.REFUSED, State.REPLAYED]
    assert done[0].problem == "the store refuses the request: http://x answered 403"
    assert ids(spool) == ["0", "2"]


def test_a_store_that_refuses_two_files_in_a_row_alike_is_asked_no_more(spool: Spool) -> None:
    for number in range(4):
        spool.write(documents(number))
    sender = FakeSender(lambda one: refusal(400 if one.id == "0" else 403))
    states = [one.state for one in Replay(spool, sender).run()]
    assert states == [State.REFUSED] * 3
    assert ids(spool) == ["0", "1", "2", "3"]


@pytest.mark.parametrize("status", [401, 408, 413, 429, 500, 503])
def test_a_refusal_that_time_or_a_login_may_mend_ends_the_run_in_its_words(spool: Spool, status: int) -> None:
    spool.write(documents(1))
    spool.write(documents(2))
    (done,) = Replay(spool, FakeSender(lambda _document: refusal(status))).run()
    assert done.state is State.UNANSWERED
    assert done.problem == f"the store refuses the request: http://x answered {status}"


def test_a_document_that_alone_is_refused_is_told_though_the_others_are_delivered(spool: Spool) -> None:
    spool.write(documents(1, 2, 3))
    (done,) = Replay(spool, FakeSender(lambda one: refusal(403) if one.id == "2" else DELIVERED)).run()
    assert (done.state, done.delivered, done.left) == (State.REPLAYED, 2, 1)
    assert done.problem == "the store refuses the request: http://x answered 403"


def test_what_could_not_be_recovered_and_links_are_named_and_the_others_go_on(
    spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = spool.write(documents(1)).path
    part = path.rename(path.with_name(f".{path.stem}.part"))
    spool.write(documents(2))
    link = spool.folder / "link.json"
    link.symlink_to(part)
    take = LockedFile.take

    def not_the_part(path: Path) -> LockedFile | None:
        if path == part:
            raise PermissionError(13, "Permission denied")
        return take(path)

    monkeypatch.setattr(LockedFile, "take", not_the_part)
    stuck, linked, done = Replay(spool, FakeSender()).run()
    assert [(one.path, one.state, one.position) for one in (stuck, linked)] == [
        (part, State.UNUSABLE, 0),
        (link, State.UNUSABLE, 0),
    ]
    assert "Permission denied" in str(stuck.problem)
    assert done.delivered == 1


def test_memory_that_does_not_suffice_for_one_file_stops_no_other(spool: Spool) -> None:
    spool.write(documents(1))
    spool.write(documents(2))

    def hungry(document: Document) -> Outcome:
        if document.id == "1":
            raise MemoryError
        return DELIVERED

    assert [one.state for one in Replay(spool, FakeSender(hungry)).run()] == [State.UNUSABLE, State.REPLAYED]
    assert ids(spool) == ["1"]


def test_older_rejected_documents_that_had_to_go_are_told(spool: Spool) -> None:
    old = spool.reject([(one, REJECTED) for one in documents(1, 2, 3)], attempts=1).path
    old.rename(old.with_name("20200101T000000.000000Z-1-000000.json"))
    spool.write(documents(4))
    bounded = Spool(SpoolConfig(folder=spool.folder, max_age=3600, min_free_bytes=0))
    (done,) = Replay(bounded, FakeSender(lambda _document: REJECTED)).run()
    assert done.evicted == 3
