"""Measures blocks of code: a timer with fields, a timer around a failing block, and a length measured elsewhere."""

from __future__ import annotations

import contextlib
import sqlite3
import zlib

from elasticecsmetrics import ElasticECSMetricsLogger, now


def main() -> None:
    """Each measurement becomes one ECS document with event.start, event.end and event.duration."""
    metrics = ElasticECSMetricsLogger(store="sqlite:///timer.db", service_name="archive")
    text = b"all work and no play " * 50_000

    with metrics.log_time_metric_timer("pack", fields={"archive": {"bytes_in": len(text)}}) as timer:
        packed = zlib.compress(text)
        timer.fields["archive.bytes_out"] = len(packed)  # known only inside the block

    try:
        with metrics.log_time_metric_timer("unpack"):
            zlib.decompress(packed[:-10] + b"x" * 10)
    except zlib.error:
        pass  # the timer has recorded the failure, and the exception went on

    metrics.log_time_metric("import", now(), 1_250_000)  # microseconds

    metrics.close()

    query = """
        SELECT json_extract(body, '$.metrics.name'), json_extract(body, '$.event.outcome'),
               json_extract(body, '$.error.type'), json_extract(body, '$.archive.bytes_out')
        FROM documents ORDER BY time, id
    """
    with contextlib.closing(sqlite3.connect("timer.db")) as database:
        for name, outcome, error, size in database.execute(query):
            print(f"{name:<8} outcome={outcome} error={error} bytes_out={size}")


if __name__ == "__main__":
    main()
