"""``trace.id``, ``transaction.id`` and ``span.id``: which request a record belongs to, from whichever tracer is at work.

The first of these that knows a trace: the user's own extra; the attributes that elastic-apm puts on a record; those that
OpenTelemetry's logging instrumentation puts there; OpenTelemetry's current span; elastic-apm's current transaction. Neither
library is ever imported here: where nobody has imported it, it traces nothing.

The caller's context decides, so this has to run in the thread (or task) that logs.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any, Final

#: Attributes that the two instrumentations put on every record; they are no extras of the user's.
RECORD_ATTRIBUTES: Final = frozenset(
    (
        "elasticapm_labels",
        "elasticapm_service_environment",
        "elasticapm_service_name",
        "elasticapm_span_id",
        "elasticapm_trace_id",
        "elasticapm_transaction_id",
        "otelServiceName",
        "otelSpanID",
        "otelTraceID",
        "otelTraceSampled",
    )
)


def trace_fields(record: Mapping[str, Any]) -> dict[str, Any]:
    """The objects ``trace``, ``transaction`` and ``span``, as far as they are known; empty when nothing traces.

    Args:
        record: the attributes of a log record, or a metric's fields; a ``trace`` of the user's own in them decides.
    """
    if "trace" in record or "trace.id" in record:
        return {}
    return _from_record(record) or _from_opentelemetry() or _from_elasticapm()


def _from_record(record: Mapping[str, Any]) -> dict[str, Any]:
    if "elasticapm_trace_id" in record:
        found = _objects(
            record["elasticapm_trace_id"], record.get("elasticapm_transaction_id"), record.get("elasticapm_span_id")
        )
        if found:
            return found
    if "otelTraceID" in record:
        return _objects(record["otelTraceID"], None, record.get("otelSpanID"))
    return {}


def _from_opentelemetry() -> dict[str, Any]:
    api = sys.modules.get("opentelemetry.trace")
    if api is None:
        return {}
    try:
        context = api.get_current_span().get_span_context()
        trace_id, span_id = f"{context.trace_id:032x}", f"{context.span_id:016x}"
    except Exception:  # noqa: BLE001 - a tracer half set up or half torn down must not cost the document
        return {}
    return _objects(trace_id, None, span_id)


def _from_elasticapm() -> dict[str, Any]:
    apm = sys.modules.get("elasticapm")
    if apm is None:
        return {}
    try:
        return _objects(apm.get_trace_id(), apm.get_transaction_id(), apm.get_span_id())
    except Exception:  # noqa: BLE001 - as above
        return {}


def _objects(trace_id: object, transaction_id: object, span_id: object) -> dict[str, Any]:
    # An instrumentation without an active span writes "0", zeros, None or nothing.
    ids = {"trace": trace_id, "transaction": transaction_id, "span": span_id}
    found: dict[str, Any] = {name: {"id": text} for name, text in ids.items() if isinstance(text, str) and text.strip("0")}
    return found if "trace" in found else {}
