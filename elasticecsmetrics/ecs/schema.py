"""What ECS is: its release, its fields and its objects, read from the two tables beside this module.

``fields.tsv`` and ``objects.tsv`` hold the names and types of the Elastic Common Schema 9.4.0 (the schema is Elastic's, under
the Apache License 2.0; https://www.elastic.co/guide/en/ecs/current/). They are read once, when a field of the user's at an ECS
name has to be judged or a template is built: a log call without such fields never reads them. The names that have to be known
on every call stand here in code.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

#: The release whose fields are used: the value of ``ecs.version``.
ECS_VERSION = "9.4.0"

#: The top-level names that are objects in ECS: a plain value there is refused by every server once ECS is mapped.
TOP_LEVEL_OBJECTS = frozenset(
    (
        "agent",
        "client",
        "cloud",
        "container",
        "data_stream",
        "destination",
        "device",
        "dll",
        "dns",
        "ecs",
        "email",
        "entity",
        "error",
        "event",
        "faas",
        "file",
        "gen_ai",
        "group",
        "host",
        "http",
        "labels",
        "log",
        "network",
        "observer",
        "orchestrator",
        "organization",
        "package",
        "process",
        "registry",
        "related",
        "rule",
        "server",
        "service",
        "source",
        "span",
        "threat",
        "tls",
        "trace",
        "transaction",
        "url",
        "user",
        "user_agent",
        "volume",
        "vulnerability",
    )
)

#: The top-level names that are leaves in ECS.
TOP_LEVEL_LEAVES = frozenset(("@timestamp", "message", "tags"))

#: Every top-level name that ECS knows.
TOP_LEVEL_NAMES = TOP_LEVEL_OBJECTS | TOP_LEVEL_LEAVES

#: Types whose value in a document is itself a JSON object, with names that ECS leaves open or lists itself.
OBJECT_TYPES = frozenset(("object", "nested", "flattened"))

_FOLDER = Path(__file__).parent


class Field(NamedTuple):
    """One leaf of ECS."""

    name: str
    """Dotted, from the root of the document."""
    type: str
    """The Elasticsearch type, such as ``keyword``, ``long``, ``date``, ``match_only_text``, ``flattened``."""
    array: bool
    """True when ECS always stores an array here, even for one value."""
    ignore_above: int | None
    """Characters, beyond which a keyword is stored but not indexed."""
    index: bool  # type: ignore[assignment]  # the mapping's own word; tuple.index is of no use here
    doc_values: bool
    multi_fields: tuple[tuple[str, str], ...]
    """``(name, type)`` of what the mapping makes below the field; such names are never sent."""
    params: str
    """Further mapping parameters as ``name=value``, separated by commas; mostly empty."""
    allowed_values: tuple[str, ...]
    """The closed list of values, or empty when any value may stand here."""


class ObjectInfo(NamedTuple):
    """One name of ECS that is an object."""

    declared_type: str
    """``object`` or ``nested`` where ECS declares one, ``(container)`` where the object only holds fields."""
    top_level: bool
    """True for the names of :data:`TOP_LEVEL_OBJECTS`."""


@functools.cache
def fields() -> Mapping[str, Field]:
    """Every leaf of ECS by its dotted name, in the table's order. Read from disk on the first call."""
    return MappingProxyType({row[0]: _field(row) for row in _rows("fields.tsv")})


@functools.cache
def objects() -> Mapping[str, ObjectInfo]:
    """Every object of ECS by its dotted name, in the table's order. Read from disk on the first call."""
    return MappingProxyType(
        {name: ObjectInfo(declared_type, top_level == "yes") for name, declared_type, _below, top_level in _rows("objects.tsv")}
    )


def _field(row: list[str]) -> Field:
    name, type_, array, _level, _release, _since, _array_since, _required, ignore_above, index, doc_values = row[:11]
    multi_fields, params, allowed_values = row[11:]
    return Field(
        name=name,
        type=type_,
        array=array == "yes",
        ignore_above=int(ignore_above) if ignore_above else None,
        index=index == "yes",
        doc_values=doc_values == "yes",
        multi_fields=tuple(_pair(entry) for entry in multi_fields.split(",")) if multi_fields else (),
        params=params,
        allowed_values=tuple(allowed_values.split(",")) if allowed_values else (),
    )


def _pair(entry: str) -> tuple[str, str]:
    name, _, type_ = entry.partition(":")
    return name, type_


def _rows(file_name: str) -> list[list[str]]:
    # Split by hand: the first log call that needs the table waits for it, and the csv module takes four times as long.
    lines = (_FOLDER / file_name).read_text(encoding="utf-8").split("\n")
    return [line.split("\t") for line in lines[1:] if line]
