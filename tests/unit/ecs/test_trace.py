from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace

import pytest

from elasticecsmetrics.ecs.trace import trace_fields

TRACE = "0af7651916cd43dd8448eb211c80319c"
SPAN = "b7ad6b7169203331"


@pytest.fixture(autouse=True)
def _no_tracer(monkeypatch):
    monkeypatch.delitem(sys.modules, "elasticapm", raising=False)
    monkeypatch.delitem(sys.modules, "opentelemetry.trace", raising=False)


def test_without_a_tracer_there_is_nothing_and_none_is_imported():
    program = """
import sys
from elasticecsmetrics.ecs.trace import trace_fields
assert trace_fields({}) == {}
assert not {"opentelemetry", "elasticapm"} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", program], check=True)


def test_the_attributes_of_elastic_apm_are_read():
    record = {"elasticapm_trace_id": TRACE, "elasticapm_transaction_id": SPAN, "elasticapm_span_id": None}
    assert trace_fields(record) == {"trace": {"id": TRACE}, "transaction": {"id": SPAN}}


def test_the_attributes_of_opentelemetry_are_read():
    assert trace_fields({"otelTraceID": TRACE, "otelSpanID": SPAN}) == {"trace": {"id": TRACE}, "span": {"id": SPAN}}


@pytest.mark.parametrize("trace_id", ["0", "0" * 32, "", None, 0])
def test_ids_of_no_span_are_none(trace_id):
    assert trace_fields({"otelTraceID": trace_id, "otelSpanID": "0"}) == {}
    assert trace_fields({"elasticapm_trace_id": trace_id, "elasticapm_span_id": SPAN}) == {}


@pytest.mark.parametrize("extra", [{"trace": {"id": "mine"}}, {"trace.id": "mine"}])
def test_a_trace_of_the_users_own_comes_first(extra):
    assert trace_fields({**extra, "otelTraceID": TRACE}) == {}


def test_elastic_apm_comes_before_opentelemetry():
    record = {"otelTraceID": "1" * 32, "elasticapm_trace_id": TRACE}
    assert trace_fields(record)["trace"] == {"id": TRACE}


def test_the_current_span_of_opentelemetry_is_read(monkeypatch):
    monkeypatch.undo()
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider

    assert trace_fields({}) == {}
    with TracerProvider(shutdown_on_exit=False).get_tracer("t").start_as_current_span("s") as span:
        context = span.get_span_context()
        expected = {"trace": {"id": f"{context.trace_id:032x}"}, "span": {"id": f"{context.span_id:016x}"}}
        assert trace_fields({}) == expected
        # Where the instrumentation wrote "0", the span that began since then still counts.
        assert trace_fields({"otelTraceID": "0"}) == expected
    assert trace.get_current_span().get_span_context().is_valid is False


def test_the_current_transaction_of_elastic_apm_is_read(monkeypatch):
    apm = SimpleNamespace(get_trace_id=lambda: TRACE, get_transaction_id=lambda: SPAN, get_span_id=lambda: None)
    monkeypatch.setitem(sys.modules, "elasticapm", apm)
    assert trace_fields({}) == {"trace": {"id": TRACE}, "transaction": {"id": SPAN}}


def test_a_broken_tracer_costs_nothing(monkeypatch):
    monkeypatch.setitem(sys.modules, "opentelemetry.trace", SimpleNamespace())
    monkeypatch.setitem(sys.modules, "elasticapm", SimpleNamespace())
    assert trace_fields({}) == {}
