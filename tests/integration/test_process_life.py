"""Real processes with a real HTTP client: exit in all its ways, fork, and the client's own log records."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes.bulk_server import BulkServer

START = """
import atexit, logging, multiprocessing, os, sys, threading
from elasticecsmetrics import ElasticECSMetricsLogger, now
def handler(**options):
    return ElasticECSMetricsLogger(hosts=sys.argv[1], flush_failure_folder=sys.argv[2], spool_min_free_bytes=0, **options)
def log(*handlers, name="app"):
    logger = logging.getLogger(name)
    logger.setLevel(logging.DEBUG)
    for one in handlers:
        logger.addHandler(one)
    return logger
"""


@pytest.fixture
def server() -> Iterator[BulkServer]:
    with BulkServer() as running:
        yield running


def heed_interrupts() -> None:
    """In the child: a background job of a shell inherits that SIGINT is ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def run(program: str, url: str, folder: Path, *, timeout: float = 30.0) -> subprocess.CompletedProcess[str]:
    """Runs the program to its end; one that does not end is a failure."""
    code = START + textwrap.dedent(program)
    done = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", code, url, str(folder)],
        capture_output=True, text=True, timeout=timeout, check=False, preexec_fn=heed_interrupts,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    return done


def spooled(folder: Path) -> list[str]:
    return sorted(str(item["_source"]["message"]) for path in folder.glob("*.json") for item in json.loads(path.read_bytes()))


def test_what_is_buffered_is_delivered_at_exit(server: BulkServer, tmp_path: Path) -> None:
    run("log(handler(flush_frequency_in_sec=60)).info('last words')", server.url, tmp_path)
    assert server.messages == ["last words"]
    assert spooled(tmp_path) == []


def test_an_exception_and_sys_exit_lose_nothing(server: BulkServer, tmp_path: Path) -> None:
    for end in ("raise RuntimeError('crash')", "sys.exit(3)"):
        code = START + f"log(handler(flush_frequency_in_sec=60)).info({end!r})\n{end}\n"
        subprocess.run([sys.executable, "-c", code, server.url, str(tmp_path)], capture_output=True, timeout=30, check=False)
    assert server.messages == ["raise RuntimeError('crash')", "sys.exit(3)"]


def test_exit_with_a_dead_cluster_does_not_hang_and_keeps_all(tmp_path: Path) -> None:
    program = """
        logger = log(handler())
        for n in range(3): logger.info("n%d", n)
    """
    done = run(program, "http://127.0.0.1:9", tmp_path, timeout=20)
    assert spooled(tmp_path) == ["n0", "n1", "n2"]
    assert "failure folder" in done.stderr


def test_logging_in_an_exit_hook_that_runs_after_ours(server: BulkServer, tmp_path: Path) -> None:
    """By then urllib3 has emptied its pools: a request on the old connections would wait for ever."""
    program = """
        atexit.register(lambda: logging.getLogger("app").info("in the hook"))
        h = handler(flush_frequency_in_sec=60)
        log(h).info("before")
        h.flush()
    """
    run(program, server.url, tmp_path)
    assert sorted(server.messages + spooled(tmp_path)) == ["before", "in the hook"]


def test_the_first_log_call_of_all_in_an_exit_hook(server: BulkServer, tmp_path: Path) -> None:
    program = """
        logger = log(handler())
        atexit.register(lambda: logger.info("only here"))
    """
    run(program, server.url, tmp_path)
    assert server.messages + spooled(tmp_path) == ["only here"]


def test_a_dropped_handler_is_delivered_before_exit(server: BulkServer, tmp_path: Path) -> None:
    program = """
        h = handler(flush_frequency_in_sec=60)
        h.log_time_metric("dropped", now(), 5)
        del h
    """
    run(program, server.url, tmp_path)
    assert [body["metrics"]["name"] for body in server.contents.values()] == ["dropped"]


def test_the_root_logger_at_debug_ships_none_of_our_clients_records(server: BulkServer, tmp_path: Path) -> None:
    program = """
        h = handler()
        log(h, name=None)
        logging.getLogger("app").debug("the only one")
        h.flush()
        h.flush()
        h.test_es_source()
        h.flush()
        assert h.stats().accepted == 1, h.stats()
    """
    run(program, server.url, tmp_path)
    assert server.messages == ["the only one"]


def test_a_forked_child_ships_its_own_and_not_its_parents(server: BulkServer, tmp_path: Path) -> None:
    program = """
        logger = log(handler(flush_frequency_in_sec=60))
        logger.info("parent before")
        pid = os.fork()
        logger.info("child" if pid == 0 else "parent after")
        if pid:
            os.waitpid(pid, 0)
    """
    run(program, server.url, tmp_path)
    assert server.messages == ["child", "parent after", "parent before"]
    assert server.repeated == 0


def test_a_child_forked_while_threads_log_is_not_locked_up(server: BulkServer, tmp_path: Path) -> None:
    program = """
        logger = log(handler())
        stop = threading.Event()
        def chatter():
            while not stop.is_set():
                logger.debug("chatter")
        threads = [threading.Thread(target=chatter) for _ in range(3)]
        for thread in threads: thread.start()
        for n in range(10):
            pid = os.fork()
            if pid == 0:
                logger.info("child %d", n)
                logger.handlers[0].flush()
                os._exit(0)
            os.waitpid(pid, 0)
        stop.set()
        for thread in threads: thread.join()
    """
    run(program, server.url, tmp_path, timeout=60)
    children = [message for message in server.messages + spooled(tmp_path) if message.startswith("child")]
    assert sorted(children) == sorted(f"child {n}" for n in range(10))


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_a_multiprocessing_child_ships_at_its_end(server: BulkServer, tmp_path: Path, method: str) -> None:
    program = START + textwrap.dedent(
        f"""
        def work(n):
            log(handler(flush_frequency_in_sec=60)).info("work %d", n)
        if __name__ == "__main__":
            context = multiprocessing.get_context({method!r})
            children = [context.Process(target=work, args=(n,)) for n in range(2)]
            for child in children: child.start()
            for child in children: child.join()
        """
    )
    path = tmp_path / "program.py"
    path.write_text(program)
    done = subprocess.run(
        [sys.executable, str(path), server.url, str(tmp_path / "spool")],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert server.messages == ["work 0", "work 1"]


def test_a_multiprocessing_child_ships_through_its_parents_handler(server: BulkServer, tmp_path: Path) -> None:
    program = """
        logger = log(handler(flush_frequency_in_sec=60))
        logger.info("parent")
        child = multiprocessing.get_context("fork").Process(target=logger.info, args=("child",))
        child.start()
        child.join()
    """
    run(program, server.url, tmp_path)
    assert server.messages == ["child", "parent"]


def test_a_slow_server_at_exit_costs_at_most_the_close_timeout(tmp_path: Path) -> None:
    program = """
        import socket
        silent = socket.create_server(("127.0.0.1", 0))
        h = ElasticECSMetricsLogger(
            hosts=f"http://127.0.0.1:{silent.getsockname()[1]}", flush_failure_folder=sys.argv[2], close_timeout=1,
            spool_min_free_bytes=0,
        )
        log(h).info("kept")
    """
    run(program, "unused", tmp_path, timeout=9)  # below the request_timeout of the request that hangs
    assert spooled(tmp_path) == ["kept"]


HUNG = """
import socket
silent = socket.create_server(("127.0.0.1", 0))
silent_url = f"http://127.0.0.1:{silent.getsockname()[1]}"
"""


def test_many_handlers_share_one_deadline_at_exit_and_say_what_is_lost(tmp_path: Path) -> None:
    program = (
        HUNG
        + """
handlers = [ElasticECSMetricsLogger(hosts=silent_url, close_timeout=2, request_timeout=60) for _ in range(5)]
log(*handlers).info("lost")
"""
    )
    done = run(program, "unused", tmp_path, timeout=9)  # one after the other it would be 10 s and more
    assert done.stderr.count("documents are lost") == 5


def test_a_file_that_hangs_in_the_drain_does_not_hold_up_the_exit(tmp_path: Path) -> None:
    run("log(handler()).info('from before')", "http://127.0.0.1:9", tmp_path)
    program = (
        HUNG
        + """
h = ElasticECSMetricsLogger(
    hosts=silent_url, flush_failure_folder=sys.argv[2], spool_min_free_bytes=0, close_timeout=1, request_timeout=60
)
log(h).info("fresh")
"""
    )
    run(program, "unused", tmp_path, timeout=9)
    assert spooled(tmp_path) == ["fresh", "from before"]


def test_what_hangs_at_an_early_exit_is_in_the_folder(tmp_path: Path) -> None:
    """Python 3.12 and newer start no thread at the exit: the sender has to be there before."""
    program = (
        HUNG
        + """
h = ElasticECSMetricsLogger(
    hosts=silent_url, flush_failure_folder=sys.argv[2], spool_min_free_bytes=0, close_timeout=1, request_timeout=60
)
logger = log(h)
for n in range(3):
    logger.info("n%d", n)
"""
    )
    run(program, "unused", tmp_path, timeout=9)
    assert spooled(tmp_path) == ["n0", "n1", "n2"]


def test_a_second_interrupt_at_exit_does_not_wait_and_still_says_what_is_lost(tmp_path: Path) -> None:
    program = (
        HUNG
        + """
import os, signal, threading
log(ElasticECSMetricsLogger(hosts=silent_url, close_timeout=60, flush_timeout=60, request_timeout=60)).info("lost")
timer = threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGINT))
timer.daemon = True  # the interpreter waits for the others before it comes to its exit hooks
timer.start()
"""
    )
    done = run(program, "unused", tmp_path, timeout=30)
    assert "documents are lost" in done.stderr
