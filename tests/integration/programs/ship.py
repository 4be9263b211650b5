"""Ships numbered records from 8 threads, a phase at a time: each line on standard input starts one, "end" ends the program.

ship.py URL FOLDER RECORDS_A_PHASE
"""

from __future__ import annotations

import dataclasses
import json
import logging
import sys
import threading

from elasticecsmetrics import ElasticECSMetricsLogger

THREADS = 8


def main(url: str, folder: str, records: int) -> None:
    handler = ElasticECSMetricsLogger(hosts=url, es_index_name="outage", flush_failure_folder=folder, spool_min_free_bytes=0)
    logger = logging.getLogger("ship")
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    logger.addHandler(handler)

    def log(begin: int, end: int) -> None:
        for n in range(begin, end):
            logger.info("record %d", n, extra={"n": n})

    for phase, line in enumerate(sys.stdin):
        if line.strip() == "end":
            break
        begin = phase * records
        share = records // THREADS
        threads = [threading.Thread(target=log, args=(begin + i * share, begin + (i + 1) * share)) for i in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        print(json.dumps({"phase": phase}), flush=True)
    handler.close()
    print(json.dumps(dataclasses.asdict(handler.stats())), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
