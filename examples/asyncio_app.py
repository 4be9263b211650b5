"""An asyncio program: timers in tasks that run at once, and a flush that the event loop does not wait in."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3

from elasticecsmetrics import ElasticECSMetricsLogger


async def job(metrics: ElasticECSMetricsLogger, number: int) -> None:
    """One task; its timer has nothing in common with the timers of the others."""
    with metrics.log_time_metric_timer("job", fields={"job": {"number": number}}):
        await asyncio.sleep(0.01 * number)


async def main() -> None:
    """Runs ten jobs at once and waits until their documents are in the store."""
    metrics = ElasticECSMetricsLogger(store="sqlite:///asyncio.db", service_name="worker")
    await asyncio.gather(*(job(metrics, number) for number in range(10)))
    print("acknowledged:", await metrics.aflush(timeout=5))
    metrics.close()

    query = "SELECT count(*), count(DISTINCT json_extract(body, '$.job.number')) FROM documents"
    with contextlib.closing(sqlite3.connect("asyncio.db")) as database:
        documents, numbers = database.execute(query).fetchone()
    print(f"{documents} documents of {numbers} jobs")


if __name__ == "__main__":
    asyncio.run(main())
