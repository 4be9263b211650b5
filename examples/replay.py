"""An outage: what cannot be sent goes to the failure folder, and the replay command brings it to a store later."""

from __future__ import annotations

import contextlib
import logging
import sqlite3
from pathlib import Path

from elasticecsmetrics import ElasticECSMetricsLogger
from elasticecsmetrics.cli import main as command

FOLDER = Path("failures")


def main() -> None:
    """Logs while nothing listens, looks into the folder, replays twice, and counts."""
    handler = ElasticECSMetricsLogger(hosts="http://localhost:1", flush_failure_folder=str(FOLDER))
    logger = logging.getLogger("replay")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    for number in range(250):
        logger.info("record %d", number)
    print("acknowledged:", handler.flush())
    handler.close()
    print("files that wait:", len(list(FOLDER.glob("*.json"))) > 0)

    # The same as: python -m elasticecsmetrics replay failures --store sqlite:///replay.db
    for attempt in (1, 2):
        print(f"replay {attempt} ended with", command(["replay", str(FOLDER), "--store", "sqlite:///replay.db"]))
    print("files that wait:", len(list(FOLDER.glob("*.json"))) > 0)

    with contextlib.closing(sqlite3.connect("replay.db")) as database:
        (documents,) = database.execute("SELECT count(*) FROM documents").fetchone()
    print(f"{documents} documents")


if __name__ == "__main__":
    main()
