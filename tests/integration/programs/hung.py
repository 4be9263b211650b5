"""Logs RECORDS records from THREADS threads to a server that never answers, and to a NullHandler; prints what each cost.

hung.py URL FOLDER RECORDS THREADS
"""

from __future__ import annotations

import json
import logging
import resource
import sys
import threading
import time

from elasticecsmetrics import ElasticECSMetricsLogger

THREADS = int(sys.argv[4])


def longest_calls(ours: logging.Logger, null: logging.Logger, records: int) -> tuple[float, float]:
    """Seconds of the longest of so many log calls to each; in turns, so that both meet the same machine."""
    longest: list[tuple[float, float]] = [(0.0, 0.0)] * THREADS

    def timed(logger: logging.Logger, i: int, n: int) -> float:
        began = time.perf_counter()
        logger.info("record %d of thread %d", n, i, extra={"n": n, "thread_number": i, "text": "x" * 40})
        return time.perf_counter() - began

    def log(i: int) -> None:
        worst_ours = worst_null = 0.0
        for n in range(records // THREADS):
            worst_null = max(worst_null, timed(null, i, n))
            worst_ours = max(worst_ours, timed(ours, i, n))
        longest[i] = (worst_ours, worst_null)

    threads = [threading.Thread(target=log, args=(i,)) for i in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return max(worst for worst, _ in longest), max(worst for _, worst in longest)


def logger_with(name: str, handler: logging.Handler) -> logging.Logger:
    logger = logging.getLogger(name)
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    logger.addHandler(handler)
    return logger


def main(url: str, folder: str, records: int) -> None:
    handler = ElasticECSMetricsLogger(hosts=url, flush_failure_folder=folder, spool_min_free_bytes=0)
    logger = logger_with("hung", handler)
    logger.info("the first record opens the connection")
    null = logger_with("null", logging.NullHandler())
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    peak = [0]
    done = threading.Event()

    def watch() -> None:
        while not done.wait(0.005):
            peak[0] = max(peak[0], handler.stats().buffered_bytes)

    watcher = threading.Thread(target=watch)
    watcher.start()
    longest_ours, longest_null = longest_calls(logger, null, records)
    done.set()
    watcher.join()
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(
        json.dumps(
            {
                "longest_null": longest_null,
                "longest_ours": longest_ours,
                "peak_buffered_bytes": peak[0],
                "grown_kib": after - before,
                "accepted": handler.stats().accepted,
                "dropped": dict(handler.stats().dropped),
                "exit_begins": time.time(),
            }
        ),
        flush=True,
    )


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
