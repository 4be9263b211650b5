from __future__ import annotations

import platform
import subprocess
import sys
import uuid

import pytest

from elasticecsmetrics.config import DocumentConfig
from elasticecsmetrics.ecs.context import EnvironmentFields, static_fields


def static(config=None, environ=None, **options):
    return static_fields(config or DocumentConfig(), agent_version="1.2.3", environ=environ or {}, **options)


def test_agent_host_and_release_are_named():
    tree = static()
    assert tree["ecs"] == {"version": "9.4.0"}
    assert tree["agent"].pop("ephemeral_id") == str(uuid.UUID(static()["agent"]["ephemeral_id"]))
    assert tree["agent"] == {"type": "python-elasticecsmetrics", "version": "1.2.3"}
    assert tree["host"]["hostname"] == tree["host"]["name"] == platform.node()
    assert tree["host"]["os"]["type"] in {"linux", "macos", "windows"}
    assert set(tree) == {"ecs", "agent", "host"}


def test_the_host_is_named_without_asking_the_network():
    program = """
import sys, socket
def refuse(*args): raise AssertionError("a look-up")
socket.getaddrinfo = socket.gethostbyname = socket.getfqdn = socket.gethostbyaddr = socket.socket.connect = refuse
from elasticecsmetrics.config import DocumentConfig
from elasticecsmetrics.ecs.context import static_fields
print(static_fields(DocumentConfig(), agent_version="1")["host"]["name"])
"""
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == platform.node()


def test_addresses_are_an_array_without_loopback_and_nonsense():
    assert static(host_ips=("127.0.0.1", "10.0.0.1", "::1", "", "name"))["host"]["ip"] == ["10.0.0.1"]
    assert "ip" not in static(host_ips=("127.0.0.1",))["host"]


CONFIGURED = DocumentConfig(service_name="c", service_version="c2", service_environment="c3", service_node_name="c4")
OTEL = {
    "OTEL_SERVICE_NAME": "o",
    "OTEL_RESOURCE_ATTRIBUTES": "service.name=ignored,service.version=o%202, deployment.environment=old ,"
    "deployment.environment.name=o3,service.instance.id=o4,nonsense",
}
APM = {
    "ELASTIC_APM_SERVICE_NAME": "a",
    "ELASTIC_APM_SERVICE_VERSION": "a2",
    "ELASTIC_APM_ENVIRONMENT": "a3",
    "ELASTIC_APM_SERVICE_NODE_NAME": "a4",
}


@pytest.mark.parametrize(
    ("config", "environ", "service"),
    [
        (CONFIGURED, {**OTEL, **APM}, {"name": "c", "version": "c2", "environment": "c3", "node": {"name": "c4"}}),
        (None, {**OTEL, **APM}, {"name": "o", "version": "o 2", "environment": "o3", "node": {"name": "o4"}}),
        (None, APM, {"name": "a", "version": "a2", "environment": "a3", "node": {"name": "a4"}}),
        (None, {"OTEL_RESOURCE_ATTRIBUTES": "service.name=r,deployment.environment=old"}, {"name": "r", "environment": "old"}),
        (None, {"OTEL_SERVICE_NAME": "", **APM}, {"name": "a", "version": "a2", "environment": "a3", "node": {"name": "a4"}}),
    ],
)
def test_the_service_is_found_in_this_order(config, environ, service):
    assert static(config, environ)["service"] == service


@pytest.mark.parametrize(
    ("config", "dataset"),
    [
        (DocumentConfig(dataset="d", service_name="s"), "d"),
        (DocumentConfig(service_name="s"), "s"),
        (DocumentConfig(additional_fields={"service": {"name": "s2"}}), "s2"),
        (DocumentConfig(service_name="s", additional_fields={"event.dataset": "mine"}), "mine"),
    ],
)
def test_the_dataset_is_the_configured_one_or_the_services_name(config, dataset):
    assert static(config)["event"]["dataset"] == dataset


def test_additional_fields_are_merged_and_ours_win_in_ecs_agent_and_host():
    fields = {
        "agent": {"type": "mine", "id": "a1"},
        "host": {"name": "mine", "id": "h1"},
        "ecs.version": "1.4.0",
        "event": {"module": "m"},
        "metrics": {"unit": "x"},
        "team": "blue",
        "user": "bob",
    }
    tree = static(DocumentConfig(additional_fields=fields))
    assert tree["agent"]["type"] == "python-elasticecsmetrics"
    assert tree["agent"]["id"] == "a1"
    assert tree["host"]["name"] == platform.node()
    assert tree["host"]["id"] == "h1"
    assert tree["ecs"] == {"version": "9.4.0"}
    assert tree["event"] == {"module": "m"}
    assert tree["metrics"] == {"unit": "x"}
    assert tree["team"] == "blue"
    assert tree["labels"] == {"agent_type": "mine", "host_name": "mine", "ecs_version": "1.4.0", "user": "bob"}


def test_variables_are_read_at_each_document_even_when_empty():
    environ = {"A": "1", "B": ""}
    fields = EnvironmentFields({"app": {"a": "A", "b": "B"}, "host.id": "C", "n": 5, "odd": None}, environ)
    assert fields.read() == {"app.a": "1", "app.b": ""}
    environ["C"] = "h"
    del environ["A"]
    assert fields.read() == {"app.b": "", "host.id": "h"}
