"""The ECS fields that this library writes by itself: what the minimal template maps."""

from __future__ import annotations

#: In logs and in metrics.
_IN_BOTH = (
    "@timestamp",
    "agent.ephemeral_id",
    "agent.id",
    "agent.name",
    "agent.type",
    "agent.version",
    "data_stream.dataset",
    "data_stream.namespace",
    "data_stream.type",
    "ecs.version",
    "event.category",
    "event.created",
    "event.dataset",
    "event.ingested",
    "event.kind",
    "event.module",
    "event.outcome",
    "event.type",
    "host.architecture",
    "host.hostname",
    "host.id",
    "host.ip",
    "host.mac",
    "host.name",
    "host.os.family",
    "host.os.full",
    "host.os.kernel",
    "host.os.name",
    "host.os.platform",
    "host.os.type",
    "host.os.version",
    "labels",
    "message",
    "process.pid",
    "service.environment",
    "service.id",
    "service.name",
    "service.node.name",
    "service.version",
    "span.id",
    "tags",
    "trace.id",
    "transaction.id",
)

#: From a log record; ``error`` also when a timed block raised.
_IN_LOGS = (
    "error.message",
    "error.stack_trace",
    "error.type",
    "event.original",
    "log.level",
    "log.logger",
    "log.origin.file.line",
    "log.origin.file.name",
    "log.origin.function",
    "process.name",
    "process.thread.id",
    "process.thread.name",
)

#: From a timer or a timed call; what stands under ``metrics`` is not of ECS.
_IN_METRICS = ("event.duration", "event.end", "event.start")

#: Their names, sorted. ``event.ingested`` is written by a server's pipeline, where there is one.
WRITTEN_FIELDS: tuple[str, ...] = tuple(sorted(_IN_BOTH + _IN_LOGS + _IN_METRICS))
