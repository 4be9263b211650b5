"""Configures the handler with logging.config.dictConfig, logs with extra fields and an exception, and reads it back by SQL."""

from __future__ import annotations

import contextlib
import logging.config
import sqlite3

CONFIG = {
    "version": 1,
    "handlers": {
        "ecs": {
            "class": "elasticecsmetrics.ElasticECSMetricsLogger",
            "store": "sqlite:///dictconfig.db",
            "es_index_name": "shop",
            "index_name_frequency": "monthly",
            "es_additional_fields": {"labels": {"team": "checkout"}},
            "service_name": "shop",
        }
    },
    "root": {"level": "INFO", "handlers": ["ecs"]},
}


def main() -> None:
    """Three log calls; each becomes one ECS document."""
    logging.config.dictConfig(CONFIG)
    logger = logging.getLogger("shop.orders")

    logger.info("order placed", extra={"order_id": "A-17", "user.name": "ada"})
    logger.warning("payment took %.1f s", 4.2, extra={"event.outcome": "success"})
    try:
        {}["customer"]
    except KeyError:
        logger.exception("order failed", extra={"order_id": "A-18"})

    logging.shutdown()  # the interpreter does the same at its exit

    query = """
        SELECT json_extract(body, '$.log.level'), json_extract(body, '$.message'), json_extract(body, '$.order_id'),
               json_extract(body, '$.error.type')
        FROM documents ORDER BY time, id
    """
    with contextlib.closing(sqlite3.connect("dictconfig.db")) as database:
        for level, message, order, error in database.execute(query):
            print(f"{level:<8} {message:<20} order={order} error={error}")


if __name__ == "__main__":
    main()
