"""Logs and metrics as ECS documents into Elasticsearch, OpenSearch or SQL: none lost, none doubled, and nobody waits.

::

    from elasticecsmetrics import ElasticECSMetricsLogger

    logger = ElasticECSMetricsLogger(hosts="http://localhost:9200", flush_failure_folder="/var/spool/myapp")
    with logger.log_time_metric_timer("import"):
        ...
    logger.flush()
"""

from __future__ import annotations

from elasticecsmetrics._version import __version__
from elasticecsmetrics.clock import now
from elasticecsmetrics.config import AuthType, IndexNameFrequency
from elasticecsmetrics.delivery.stats import Replayed, Stats
from elasticecsmetrics.errors import (
    ConfigurationError,
    ElasticECSMetricsError,
    ForeignFileError,
    MissingExtraError,
    NaiveDatetimeError,
    SpoolError,
    StoreError,
    StoreRefusedError,
    StoreUnreachableError,
)
from elasticecsmetrics.handler import ElasticECSMetricsLogger
from elasticecsmetrics.model.document import Document
from elasticecsmetrics.model.outcome import Outcome, Verdict
from elasticecsmetrics.model.store import Ping, Store
from elasticecsmetrics.timer import TimedBlock

__all__ = [
    "AuthType",
    "ConfigurationError",
    "Document",
    "ElasticECSMetricsError",
    "ElasticECSMetricsLogger",
    "ForeignFileError",
    "IndexNameFrequency",
    "MissingExtraError",
    "NaiveDatetimeError",
    "Outcome",
    "Ping",
    "Replayed",
    "SpoolError",
    "Stats",
    "Store",
    "StoreError",
    "StoreRefusedError",
    "StoreUnreachableError",
    "TimedBlock",
    "Verdict",
    "__version__",
    "now",
]
