"""Configuration as frozen values: one dataclass for each part, and the enums that strings become at the door.

Each dataclass checks itself and raises :class:`~elasticecsmetrics.errors.ConfigurationError` with the parameter's public
name, the value and the remedy.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from elasticecsmetrics.errors import ConfigurationError

MIB = 1024 * 1024

_E = TypeVar("_E", bound=enum.Enum)


class AuthType(enum.Enum):
    """How to log in. The first four values are ElasticECSMetrics' own."""

    NO_AUTH = 0
    BASIC_AUTH = 1
    KERBEROS_AUTH = 2
    AWS_SIGNED_AUTH = 3
    API_KEY = 4


class IndexNameFrequency(enum.Enum):
    """How often a new index begins, counted in UTC. The values are ElasticECSMetrics' own."""

    DAILY = 0
    WEEKLY = 1
    MONTHLY = 2
    YEARLY = 3
    NEVER = 4


def member(enum_class: type[_E], value: _E | str, parameter: str) -> _E:
    """The member of ``enum_class`` that ``value`` is or names, in any case.

    Raises:
        ConfigurationError: it is neither; the message lists the names.
    """
    if isinstance(value, enum_class):
        return value
    if isinstance(value, str):
        found = enum_class.__members__.get(value.strip().upper())
        if found is not None:
            return found
    raise ConfigurationError(f"{parameter}={value!r}: expected one of {', '.join(enum_class.__members__)} (in any case)")


_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off"})


def boolean(value: object, parameter: str) -> bool:
    """The truth of ``value``, which may be a text: YAML in quotes, INI and the environment give those.

    Raises:
        ConfigurationError: it is neither true nor false.
    """
    word = str(value).strip().lower()
    if isinstance(value, bool | int | str) and word in _TRUE | _FALSE:
        return word in _TRUE
    raise ConfigurationError(f"{parameter}={value!r:.60}: expected true or false")


def _positive(value: object, parameter: str) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
        raise ConfigurationError(f"{parameter}={value!r:.60}: expected a number above 0")


@dataclass(frozen=True, slots=True)
class Host:
    """One address of a cluster."""

    scheme: str
    host: str
    port: int
    path_prefix: str = ""
    """``/prefix`` of a gateway, or empty."""

    @property
    def url(self) -> str:
        """The address as a URL; an IPv6 address in brackets."""
        name = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{name}:{self.port}{self.path_prefix}"


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginConfig:
    """Who we are to the cluster. Secrets are left out of the repr."""

    auth_type: AuthType = AuthType.NO_AUTH
    user: str = ""
    password: str = field(default="", repr=False)
    api_key: str = field(default="", repr=False)
    """Encoded: base64 of ``id:key``, as Elasticsearch answers it."""
    aws_access_key: str = field(default="", repr=False)
    aws_secret_key: str = field(default="", repr=False)
    aws_region: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterConfig:
    """Where the cluster is and how it is spoken to."""

    hosts: tuple[Host, ...] = (Host("http", "localhost", 9200),)
    login: LoginConfig = LoginConfig()
    verify_certs: bool = True
    ca_certs: str | None = None
    """Path of a file of certificates in PEM; None: those that certifi ships."""
    request_timeout: float = 10.0
    """Seconds for one request."""
    http_compress: bool = False
    """Whether bodies are sent gzipped."""
    connections: int = 1
    """Connections kept to each host."""

    def __post_init__(self) -> None:
        _positive(self.request_timeout, "request_timeout")
        if self.ca_certs is not None and not Path(self.ca_certs).exists():
            raise ConfigurationError(f"ca_certs={self.ca_certs!r}: no such file; give the path of a PEM file of the CA")


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexConfig:
    """How indexes are named: ``name-2026.11.22``, by the document's own time in UTC."""

    name: str = "python_metrics"
    frequency: IndexNameFrequency = IndexNameFrequency.DAILY


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentConfig:
    """What every document of this handler holds beside its own content."""

    service_name: str | None = None
    service_version: str | None = None
    service_environment: str | None = None
    service_node_name: str | None = None
    dataset: str | None = None
    """``event.dataset``; None: the service's name."""
    additional_fields: Mapping[str, Any] = field(default_factory=dict)
    """Nested fields, as the seed's ``es_additional_fields``."""
    additional_fields_in_env: Mapping[str, Any] = field(default_factory=dict)
    """The same nesting; the leaves name environment variables, read at each document."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpoolConfig:
    """The failure folder and its bounds."""

    folder: Path
    max_bytes: int | None = None
    """Bytes of waiting files, above which the oldest files go."""
    max_age: float | None = None
    """Seconds, after which a waiting file goes."""
    min_free_bytes: int = 100 * MIB
    """Bytes of the disk that are left free: the oldest files go first, then nothing more is written."""

    def __post_init__(self) -> None:
        for parameter, value in (("spool_max_bytes", self.max_bytes), ("spool_max_age", self.max_age)):
            if value is not None:
                _positive(value, parameter)
        free: object = self.min_free_bytes  # from a configuration file it may be anything
        if isinstance(free, bool) or not isinstance(free, int) or free < 0:
            raise ConfigurationError(f"spool_min_free_bytes={self.min_free_bytes!r}: expected 0 or more bytes")


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryConfig:
    """The bounds of the pipeline: documents, bytes and seconds."""

    buffer_size: int = 1000
    """Documents that make a batch due; also the largest batch."""
    batch_bytes: int = 5 * MIB
    """Bytes of bodies that make a batch due; also the largest batch, unless one document alone is larger."""
    flush_frequency: float = 1.0
    """Seconds after which the oldest buffered document makes a batch due."""
    max_buffered: int = 100_000
    """Documents held in memory, those in flight included."""
    max_buffered_bytes: int = 64 * MIB
    """Bytes of bodies held in memory, those in flight included."""
    max_in_flight: int = 1
    """Requests under way at once."""
    flush_timeout: float = 10.0
    """Seconds that ``flush()`` takes at the most."""
    close_timeout: float = 5.0
    """Seconds that ``close()`` and the exit of the interpreter take at the most."""

    def __post_init__(self) -> None:
        _positive(self.flush_frequency, "flush_frequency_in_sec")
        for parameter in ("buffer_size", "batch_bytes", "max_buffered", "max_buffered_bytes", "max_in_flight"):
            value = getattr(self, parameter)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise ConfigurationError(f"{parameter}={value!r}: expected a whole number of at least 1")
        for parameter in ("flush_timeout", "close_timeout"):
            _positive(getattr(self, parameter), parameter)

    @property
    def full_documents(self) -> int:
        """Documents that make a batch full: at least four such batches fit the bound, so that one in flight leaves room."""
        return max(1, min(self.buffer_size, self.max_buffered // 4))

    @property
    def full_bytes(self) -> int:
        """Bytes that make a batch full, likewise."""
        return max(1, min(self.batch_bytes, self.max_buffered_bytes // 4))
