"""What every document of one process holds: the release of ECS, the agent, the host, the service, and the user's own fields.

All of it is worked out once (and once more after a fork); only the variables of ``additional_fields_in_env`` are read at each
document. Nothing here looks a name up: the host's name is what the system calls itself.
"""

from __future__ import annotations

import functools
import os
import platform
from collections.abc import Iterable, Mapping
from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import unquote

from elasticecsmetrics.config import DocumentConfig
from elasticecsmetrics.ecs import identity
from elasticecsmetrics.ecs.clean import Cleaned, clean
from elasticecsmetrics.ecs.labels import flatten
from elasticecsmetrics.ecs.merge import merge_cleaned
from elasticecsmetrics.ecs.schema import ECS_VERSION
from elasticecsmetrics.ecs.text import safe_str, well_formed

#: ``agent.type`` of every document.
AGENT_TYPE: Final = "python-elasticecsmetrics"

_OS_TYPES = {"Linux": "linux", "Darwin": "macos", "Windows": "windows", "iOS": "ios", "iPadOS": "ios", "Android": "android"}

#: Member of ``service``, key of ``OTEL_RESOURCE_ATTRIBUTES`` (the newer one first), variable of elastic-apm.
_SERVICE_SOURCES = (
    ("name", ("service.name",), "ELASTIC_APM_SERVICE_NAME"),
    ("version", ("service.version",), "ELASTIC_APM_SERVICE_VERSION"),
    ("environment", ("deployment.environment.name", "deployment.environment"), "ELASTIC_APM_ENVIRONMENT"),
    ("node", ("service.instance.id",), "ELASTIC_APM_SERVICE_NODE_NAME"),
)


def static_fields(
    config: DocumentConfig,
    *,
    agent_type: str = AGENT_TYPE,
    agent_version: str,
    environ: Mapping[str, str] = os.environ,
    host_ips: Iterable[str] = (),
    additional: Cleaned | None = None,
    owned: frozenset[str] = frozenset(("ecs.version",)),
) -> dict[str, Any]:
    """The constant part of a document.

    ``service`` comes from the configuration, else from OpenTelemetry's variables ``OTEL_SERVICE_NAME`` and
    ``OTEL_RESOURCE_ATTRIBUTES``, else from elastic-apm's ``ELASTIC_APM_*``. The user's additional fields are merged over it by
    the rules of :mod:`elasticecsmetrics.ecs.merge`; the leaves of ``ecs``, ``agent`` and ``host`` that stand here win against
    them. ``event.dataset`` is the configured one, else ``service.name``.

    Args:
        config: the user's part.
        agent_type: ``agent.type``.
        agent_version: ``agent.version``.
        environ: where variables are looked up.
        host_ips: ``host.ip``; loopback addresses and what is no address are left out.
        additional: ``config.additional_fields``, cleaned before; None: they are cleaned here.
        owned: dotted names that additional fields do not fill.
    """
    tree: dict[str, Any] = {
        "ecs": {"version": ECS_VERSION},
        "agent": {"type": agent_type, "version": agent_version, "ephemeral_id": identity.ephemeral_id()},
        "host": _host(host_ips),
    }
    own = {".".join(leaf.path) for leaf in flatten(tree)}
    service = _service(config, environ)
    if service:
        tree["service"] = service
    merge_cleaned(tree, clean(config.additional_fields) if additional is None else additional, protect=owned | own)
    dataset = config.dataset or tree.get("service", {}).get("name")
    if dataset:
        tree["event"] = {"dataset": well_formed(safe_str(dataset)), **tree.get("event", {})}
    return tree


class EnvironmentFields:
    """Fields whose leaves name environment variables, which are read anew at each document."""

    def __init__(self, fields: Mapping[str, Any], environ: Mapping[str, str] = os.environ) -> None:
        self._variables = [
            (".".join(path), well_formed(safe_str(variable)))
            for path, variable in flatten(clean(fields).tree)
            if isinstance(variable, (str, int, float))
        ]
        self._environ = environ

    def read(self) -> dict[str, str]:
        """The dotted name and the value of each variable that is set, be it to nothing."""
        found = {}
        for name, variable in self._variables:
            value = self._environ.get(variable)
            if value is not None:
                found[name] = value
        return found


def _service(config: DocumentConfig, environ: Mapping[str, str]) -> dict[str, Any]:
    configured = {
        "name": config.service_name,
        "version": config.service_version,
        "environment": config.service_environment,
        "node": config.service_node_name,
    }
    attributes = _resource_attributes(environ.get("OTEL_RESOURCE_ATTRIBUTES", ""))
    if environ.get("OTEL_SERVICE_NAME"):
        attributes["service.name"] = environ["OTEL_SERVICE_NAME"]
    service: dict[str, Any] = {}
    for member, keys, variable in _SERVICE_SOURCES:
        found = configured[member] or next((attributes[key] for key in keys if attributes.get(key)), environ.get(variable))
        if found:
            text = well_formed(safe_str(found))
            service[member] = {"name": text} if member == "node" else text
    return service


def _resource_attributes(text: str) -> dict[str, str]:
    # As https://opentelemetry.io/docs/specs/otel/resource/sdk/ says: key=value pairs, commas between them, percent-encoded.
    pairs = (entry.partition("=") for entry in text.split(",") if "=" in entry)
    return {unquote(key.strip()): unquote(value.strip()) for key, _, value in pairs}


def _host(host_ips: Iterable[str]) -> dict[str, Any]:
    host = dict(_machine())
    addresses = [address for address in host_ips if _is_reachable(address)]
    if addresses:
        host["ip"] = addresses
    return host


def _is_reachable(address: str) -> bool:
    try:
        return not ip_address(address).is_loopback
    except ValueError:
        return False


@functools.cache
def _machine() -> Mapping[str, Any]:
    system = platform.system()
    release = _release() if system == "Linux" else {}
    os_fields = {
        "type": _OS_TYPES.get(system),
        "name": release.get("NAME") or system,
        "version": release.get("VERSION_ID") or (None if system == "Linux" else platform.release()),
        "kernel": platform.release() if system != "Windows" else platform.version(),
        "platform": release.get("ID") or system.lower(),
    }
    name = platform.node()
    host: dict[str, Any] = {"hostname": name, "name": name, "architecture": platform.machine()}
    host["os"] = _texts(os_fields)
    return _texts(host)


def _release() -> dict[str, str]:
    try:
        return platform.freedesktop_os_release()
    except OSError:
        return {}


def _texts(members: dict[str, Any]) -> dict[str, Any]:
    return {name: well_formed(value) if isinstance(value, str) else value for name, value in members.items() if value}
