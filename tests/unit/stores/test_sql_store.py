"""SQLite when things go wrong: locked, full, deleted, of a newer version, somebody else's, or wanted by many at once."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from sqlalchemy import event

from elasticecsmetrics.errors import MissingExtraError, StoreRefusedError, StoreUnreachableError
from elasticecsmetrics.model.document import CREATE, Document
from elasticecsmetrics.model.outcome import Outcome, Verdict
from elasticecsmetrics.stores.sql import engines
from elasticecsmetrics.stores.sql.schema import SCHEMA_VERSION
from elasticecsmetrics.stores.sql.store import SQLStore

NOON = 1_795_435_200_000_000_000


def document(id_: str = "1", index: str = "m-2026.11.23", time: int = NOON) -> Document:
    return Document(id_, time, index, CREATE, json.dumps({"message": f"hello {id_}"}).encode())


def only(outcomes: list[Outcome]) -> Outcome:
    (outcome,) = outcomes
    return outcome


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "metrics.db"


@pytest.fixture
def store(path: Path) -> SQLStore:
    return SQLStore(f"sqlite:///{path}")


def test_documents_are_read_by_plain_sql(store: SQLStore, path: Path) -> None:
    store.write([document("1"), document("2")])
    connection = sqlite3.connect(path)
    rows = connection.execute("SELECT index_name, id, time, body ->> '$.message' FROM documents ORDER BY id").fetchall()
    version = connection.execute("SELECT version FROM schema_version").fetchall()
    connection.close()
    assert rows == [("m-2026.11.23", n, "2026-11-23T12:00:00.000000000Z", f"hello {n}") for n in "12"]
    assert version == [(SCHEMA_VERSION,)]


def test_nothing_is_made_before_the_first_write(store: SQLStore, path: Path) -> None:
    assert not path.exists()


def test_documents_are_read_back_as_they_were_the_oldest_first(store: SQLStore) -> None:
    written = [document("b", time=NOON + 1), document("c", time=NOON), document("a", time=NOON + 1)]
    store.write(written)
    assert [one.id for one in store.documents()] == ["c", "a", "b"]
    assert sorted(store.documents()) == sorted(written)
    assert [one.id for one in store.documents(limit=1)] == ["c"]


@pytest.mark.parametrize(
    ("pattern", "found"),
    [("m-*", ["m-1", "m-2"]), ("m-1", ["m-1"]), ("*_x%", ["a_x%"]), ("m", []), ("*", ["a_x%", "m-1", "m-2", "m!"])],
)
def test_pattern_of_an_index_means_only_its_stars(store: SQLStore, pattern: str, found: list[str]) -> None:
    store.write([document(index=index) for index in ("m-1", "m-2", "a_x%", "m!")])
    assert sorted(one.index for one in store.documents(pattern)) == sorted(found)


def test_empty_database_reads_as_nothing(store: SQLStore) -> None:
    assert store.documents() == []


def test_locked_database_puts_off_within_the_time_allowed(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "TIMEOUT", 0.1)
    store = SQLStore(f"sqlite:///{path}")
    store.write([document("1")])
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    outcome = only(store.write([document("2")]))
    assert (outcome.verdict, outcome.whole_request, outcome.type) == (Verdict.RETRYABLE, True, "OperationalError")
    assert "locked" in outcome.reason
    holder.execute("ROLLBACK")
    holder.close()
    assert only(store.write([document("2")])).verdict is Verdict.DELIVERED


def test_locked_database_is_waited_for_once_and_not_at_every_step(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "TIMEOUT", 0.3)
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("CREATE TABLE other (x)")
    holder.execute("BEGIN EXCLUSIVE")
    store = SQLStore(f"sqlite:///{path}")
    asked: list[str] = []
    event.listen(store._current().engine, "before_cursor_execute", lambda _c, _k, statement, *_: asked.append(statement))
    assert only(store.write([document("1")])).reason == "database is locked"
    holder.close()
    waits = [int(statement.rpartition(" ")[2]) for statement in asked if "busy_timeout" in statement]
    assert 0 < waits[0] <= 300
    assert sum(waits) < 400
    assert asked.count("BEGIN IMMEDIATE") == 1


def test_what_has_no_time_left_is_put_off_untried(store: SQLStore, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store.write([document("1")])
    monkeypatch.setattr(engines, "TIMEOUT", 0)
    outcome = only(store.write([document("2")]))
    assert (outcome.verdict, outcome.type) == (Verdict.RETRYABLE, "TimeoutError")
    monkeypatch.undo()
    assert only(store.write([document("2")])).verdict is Verdict.DELIVERED


def test_reader_does_not_hold_up_the_writer(store: SQLStore, path: Path) -> None:
    store.write([document("1")])
    reader = sqlite3.connect(path, isolation_level=None)
    reader.execute("BEGIN")
    assert reader.execute("SELECT count(*) FROM documents").fetchone() == (1,)
    assert only(store.write([document("2")])).verdict is Verdict.DELIVERED
    assert reader.execute("SELECT count(*) FROM documents").fetchone() == (1,)
    reader.close()


def test_full_database_puts_off(store: SQLStore, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store.write([document("1")])
    opened = store._current()
    event.listen(opened.engine, "connect", lambda connection, _: connection.execute("PRAGMA max_page_count = 1"))
    large = document("2")._replace(body=b'"' + b"x" * 100_000 + b'"')
    outcome = only(store.write([large]))
    assert (outcome.verdict, outcome.whole_request) == (Verdict.RETRYABLE, True)
    assert "full" in outcome.reason


def test_file_that_is_deleted_meanwhile_is_made_anew_by_the_next_try(store: SQLStore, path: Path) -> None:
    store.write([document("1")])
    path.unlink()
    assert only(store.write([document("2")])).verdict is Verdict.RETRYABLE
    assert only(store.write([document("2")])).verdict is Verdict.DELIVERED
    assert [one.id for one in SQLStore(f"sqlite:///{path}").documents()] == ["2"]


def test_file_that_is_no_database_puts_off_and_says_so(store: SQLStore, path: Path) -> None:
    path.write_bytes(b"no database at all, but long enough to be looked at" * 100)
    outcome = only(store.write([document()]))
    assert (outcome.verdict, outcome.whole_request) == (Verdict.RETRYABLE, True)
    with pytest.raises(StoreUnreachableError, match="not a database"):
        store.ping()


def test_newer_schema_is_refused_by_ping_and_puts_off_writes(store: SQLStore, path: Path) -> None:
    store.write([document("1")])
    connection = sqlite3.connect(path)
    with connection:
        connection.execute(f"UPDATE schema_version SET version = {SCHEMA_VERSION + 1}")
    connection.close()
    newcomer = SQLStore(f"sqlite:///{path}")
    with pytest.raises(StoreRefusedError, match="newer elasticecsmetrics"):
        newcomer.ping()
    outcome = only(newcomer.write([document("2")]))
    assert (outcome.verdict, outcome.whole_request, outcome.type) == (Verdict.RETRYABLE, True, "StoreRefusedError")
    assert "upgrade" in outcome.reason


def test_table_of_somebody_else_is_refused_and_left_alone(store: SQLStore, path: Path) -> None:
    connection = sqlite3.connect(path)
    with connection:
        connection.execute("CREATE TABLE documents (title TEXT)")
    with pytest.raises(StoreRefusedError, match="not ours"):
        store.ping()
    assert only(store.write([document()])).verdict is Verdict.RETRYABLE
    assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("documents",)]
    connection.close()


def test_reason_holds_no_document(store: SQLStore, path: Path) -> None:
    path.write_bytes(b"no database" * 1000)
    assert "hello" not in only(store.write([document()])).reason


def test_database_in_memory_is_one_for_all_threads_and_outlives_close() -> None:
    store = SQLStore("sqlite://")
    threads = [threading.Thread(target=store.write, args=([document(f"{n}-{m}") for m in range(50)],)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    store.close()
    assert len(store.documents()) == 400


def test_relative_path_is_relative_to_the_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    SQLStore("sqlite:///relative.db").write([document()])
    assert (tmp_path / "relative.db").exists()


def test_processes_that_begin_at_once_share_one_database(path: Path) -> None:
    script = (
        "import sys\n"
        "from elasticecsmetrics.model.document import Document\n"
        "from elasticecsmetrics.stores.sql.store import SQLStore\n"
        "store = SQLStore(f'sqlite:///{sys.argv[1]}')\n"
        "sys.stdin.read()\n"
        "for n in range(10):\n"
        "    outcomes = store.write([Document(f'{sys.argv[2]}-{n}-{m}', 0, 'm', 'create', b'{}') for m in range(20)])\n"
        "    assert all(outcome.verdict.value == 'delivered' for outcome in outcomes), outcomes[0]\n"
    )
    writers = [
        subprocess.Popen([sys.executable, "-c", script, path, str(n)], stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for n in range(4)
    ]
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.close()
        writer.stdin = None
    assert [(writer.communicate(timeout=120)[1], writer.returncode) for writer in writers] == [("", 0)] * 4
    assert len(SQLStore(f"sqlite:///{path}").documents()) == 800


def test_without_sqlalchemy_the_extra_is_named() -> None:
    script = (
        "import sys\n"
        "sys.modules['sqlalchemy'] = None\n"
        "import importlib.util\n"
        "find = importlib.util.find_spec\n"
        "importlib.util.find_spec = lambda name, *rest: None if name == 'sqlalchemy' else find(name, *rest)\n"
        "from elasticecsmetrics.errors import MissingExtraError\n"
        "try:\n"
        "    import elasticecsmetrics.stores.sql.store\n"
        "except MissingExtraError as error:\n"
        "    print(error.extra)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "sql\n"
    assert MissingExtraError("x", extra="sql", needed_for="y").extra == "sql"
