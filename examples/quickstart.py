"""Times and logs the hashing and compiling of every module of Python's standard library, and shows what arrived.

    python examples/quickstart.py [FOLDER]

The documents go into an SQLite file in FOLDER (a new temporary folder when it is not given). With
ELASTICECSMETRICS_HOSTS=http://localhost:9200 the same program writes to that cluster and reads from it.
The second half does the same work while the store cannot be reached, and then replays what was kept.
"""

from __future__ import annotations

import hashlib
import json
import logging
import logging.config
import os
import subprocess
import sys
import sysconfig
import tempfile
import uuid
from collections import defaultdict
from pathlib import Path
from typing import Any

from elasticecsmetrics import ElasticECSMetricsLogger
from elasticecsmetrics.wiring import open_store

FOLDER = Path(sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp(prefix="elasticecsmetrics-"))
FAILURES = FOLDER / "failures"
HOSTS = os.environ.get("ELASTICECSMETRICS_HOSTS")
SQLITE = f"sqlite:///{FOLDER / 'metrics.db'}"
TARGET: dict[str, Any] = {"hosts": HOSTS} if HOSTS else {"store": SQLITE}
UNREACHABLE = {"hosts": "http://localhost:1"}
#: Marks the documents of this run, so that a cluster may hold those of others.
RUN = uuid.uuid4().hex


def set_up(target: dict[str, Any]) -> ElasticECSMetricsLogger:
    """Configures logging as any program would, and returns the handler."""
    handler = {
        "class": "elasticecsmetrics.ElasticECSMetricsLogger",
        "es_index_name": "quickstart",
        "es_additional_fields": {"labels": {"run": RUN}},
        "flush_failure_folder": str(FAILURES),
        "service_name": "quickstart",
        **target,
    }
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "handlers": {"metrics": handler},
            "root": {"level": "INFO", "handlers": ["metrics"]},
        }
    )
    (found,) = (handler for handler in logging.getLogger().handlers if isinstance(handler, ElasticECSMetricsLogger))
    return found


def modules(limit: int | None = None) -> list[Path]:
    """The sources of the standard library, without its tests and without what was installed beside it."""
    root = Path(sysconfig.get_path("stdlib"))
    left_out = {"site-packages", "dist-packages", "test", "tests", "idle_test", "lib2to3"}
    return sorted(path for path in root.rglob("*.py") if not left_out & set(path.relative_to(root).parts))[:limit]


def work(metrics: ElasticECSMetricsLogger, paths: list[Path]) -> None:
    """The program itself: two timers and a log line for each module."""
    logger = logging.getLogger("quickstart")
    for path in paths:
        source = path.read_bytes()
        with metrics.log_time_metric_timer("hash", fields={"file": {"path": str(path)}}) as timer:
            timer.fields["file.hash.sha256"] = hashlib.sha256(source).hexdigest()
        with metrics.log_time_metric_timer("compile", fields={"file": {"path": str(path), "size": len(source)}}):
            compile(source, str(path), "exec", dont_inherit=True)
        level = logging.WARNING if len(source) > 100_000 else logging.INFO
        logger.log(level, "compiled %s", path.name, extra={"file.path": str(path), "file.size": len(source)})


def arrived() -> list[dict[str, Any]]:
    """The documents of this run, read back from the store."""
    store = open_store(**TARGET)
    try:
        if not HOSTS:
            return [json.loads(document.body) for document in store.documents()]
        query = {"size": 10_000, "query": {"term": {"labels.run": RUN}}}
        store.client.request("POST", "/quickstart-*/_refresh")
        answer = store.client.request("POST", "/quickstart-*/_search", body=json.dumps(query).encode())
        return [hit["_source"] for hit in json.loads(answer.body)["hits"]["hits"]]
    finally:
        store.close()


def show(documents: list[dict[str, Any]]) -> None:
    """Prints a table: one row for each metric and each log level."""
    groups: dict[str, list[float]] = defaultdict(list)
    for document in documents:
        if "metrics" in document:
            groups[f"timer {document['metrics']['name']}"].append(document["event"]["duration"] / 1e6)
        else:
            groups[f"log {document['log']['level']}"].append(0.0)
    print(f"\n    {'what':<16}{'documents':>10}{'total ms':>12}{'median ms':>12}{'slowest ms':>12}")
    for what, lengths in sorted(groups.items()):
        times = [sum(lengths), sorted(lengths)[len(lengths) // 2], max(lengths)] if what.startswith("timer") else []
        print(f"    {what:<16}{len(lengths):>10,}" + "".join(f"{value:>12,.2f}" for value in times))
    print(f"    {'all':<16}{len(documents):>10,}")


def report(metrics: ElasticECSMetricsLogger, *, acknowledged: bool) -> None:
    """Prints what flush() returned, and where the documents came to rest."""
    figures = metrics.stats()
    print(f"   flush() returned {acknowledged}. Of {figures.accepted:,} documents:", end=" ")
    print(f"{figures.delivered:,} delivered, {figures.spooled:,} in the failure folder, {sum(figures.dropped.values())} lost")


def main() -> int:
    """Both halves: a store that answers, then one that does not; 0 when every document arrived once."""
    paths = modules()
    print(f"1. Hashing and compiling {len(paths)} modules, logged and timed into {HOSTS or SQLITE}")
    metrics = set_up(TARGET)
    work(metrics, paths)
    report(metrics, acknowledged=metrics.flush())
    show(arrived())

    print("\n2. The same for 100 modules, while the store cannot be reached")
    metrics = set_up(UNREACHABLE)
    work(metrics, paths[:100])
    report(metrics, acknowledged=metrics.flush())
    metrics.close()
    for file in sorted(FAILURES.glob("*.json")):
        print(f"    {file.name}  {len(json.loads(file.read_bytes()))} documents")

    print("\n3. The store is back: python -m elasticecsmetrics replay")
    to = ["--hosts", HOSTS] if HOSTS else ["--store", SQLITE]
    replay = [sys.executable, "-m", "elasticecsmetrics", "replay", str(FAILURES), *to]
    done = subprocess.run(replay, stdout=subprocess.PIPE, text=True, check=True)
    print(f"   {done.stdout.strip()}")
    documents = arrived()
    show(documents)

    expected = 3 * (len(paths) + 100)
    print(f"\n{len(documents):,} of {expected:,} documents are in the store. The files are in {FOLDER}")
    return int(len(documents) != expected)


if __name__ == "__main__":
    sys.exit(main())
