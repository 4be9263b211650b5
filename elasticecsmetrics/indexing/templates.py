"""Index templates: how a cluster maps the documents, built from the ECS table and our own ``metrics`` fields.

``minimal`` maps the names that this library writes, ``full`` every field of ECS. In both a name of the user's own is mapped
when it is first seen, so that later values fit too wherever that can be had: text to keywords, numbers to doubles (a first 1
would otherwise make a ``long``, which cuts a later 1.5), whatever stands in ``labels`` to keywords.

They are composable templates (``PUT _index_template/NAME``): Elasticsearch 7.17 to 9, OpenSearch 2 and 3 take them all.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from elasticecsmetrics._version import __version__
from elasticecsmetrics.ecs import schema
from elasticecsmetrics.indexing.fieldtypes import IGNORE_BEYOND_LIMIT, KEYWORD_LIMIT, FieldTypes
from elasticecsmetrics.indexing.written import WRITTEN_FIELDS

Kind = Literal["minimal", "full"]

#: The server's own templates for ``logs-*-*`` and ``metrics-*-*`` have 100, those of Elastic's integrations 200; 501 is the
#: number that Elastic's documentation gives to be above them all. For names like ``python_metrics-*`` any number would do.
PRIORITY = 501

#: Names of the user's own that have room beside the mapped ones: the server's default limit for a whole index. It is the guard
#: against a mapping that grows with every document.
OWN_NAMES = 1000

_OWN_FIELDS: Mapping[str, Mapping[str, Any]] = {
    "metrics.duration.us": {"type": "long"},
    "metrics.name": {"type": "keyword", "ignore_above": KEYWORD_LIMIT},
}

_KEYWORD: Mapping[str, Any] = {"type": "keyword", "ignore_above": KEYWORD_LIMIT}
_DOUBLE: Mapping[str, Any] = {"type": "double"}
_NUMBERS = ("long", "double")

# Only types that take any text: a search in an ip or a number fails for a word, unless it is told to be lenient.
_SEARCHED_TYPES = frozenset(("constant_keyword", "keyword", "match_only_text", "wildcard"))


def template(kind: Kind, *, index_patterns: Sequence[str], types: FieldTypes) -> dict[str, Any]:
    """The body of ``PUT _index_template/NAME``: the same arguments always give the same body, in the same order.

    Args:
        kind: ``minimal`` (the names this library writes) or ``full`` (all of ECS).
        index_patterns: the indexes that it is for, such as :func:`~elasticecsmetrics.indexing.naming.index_patterns` names.
        types: what the server knows: a stock choice of :mod:`~elasticecsmetrics.indexing.fieldtypes`, or the answer of a probe.

    Returns:
        A new dict; ``_meta`` holds the versions and a hash of everything else, by which a changed template can be told.
    """
    fields = _ecs_fields(kind)
    properties = _properties(fields, types)
    body: dict[str, Any] = {
        "index_patterns": list(index_patterns),
        "priority": PRIORITY,
        "template": {
            "mappings": {
                "date_detection": False,
                "dynamic_templates": _dynamic_templates(fields),
                "numeric_detection": False,
                "properties": properties,
            },
            "settings": {"index": _settings(kind, properties, types)},
        },
    }
    return {"_meta": _meta(kind, body), **body}


def content_hash(body: Mapping[str, Any]) -> str:
    """The SHA-256 in hexadecimal of a template without its ``_meta``: versions may change without the content changing."""
    content = {name: part for name, part in body.items() if name != "_meta"}
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def field_count(properties: Mapping[str, Any]) -> int:
    """The number of names in a mapping, counted as ``index.mapping.total_fields.limit`` does: objects and multi-fields too."""
    return sum(
        1 + field_count(mapping.get("properties", {})) + len(mapping.get("fields", {})) for mapping in properties.values()
    )


def _meta(kind: Kind, body: Mapping[str, Any]) -> dict[str, str]:
    return {
        "content_hash": content_hash(body),
        "ecs_version": schema.ECS_VERSION,
        "kind": kind,
        "managed_by": "elasticecsmetrics",
        "version": __version__,
    }


def _ecs_fields(kind: Kind) -> list[schema.Field]:
    table = schema.fields()
    return [table[name] for name in (WRITTEN_FIELDS if kind == "minimal" else sorted(table))]


def _settings(kind: Kind, properties: Mapping[str, Any], types: FieldTypes) -> dict[str, Any]:
    total_fields: dict[str, Any] = {"limit": field_count(properties) + OWN_NAMES}
    if IGNORE_BEYOND_LIMIT in types.supported:
        total_fields[IGNORE_BEYOND_LIMIT] = True
    settings: dict[str, Any] = {"codec": "best_compression", "mapping": {"total_fields": total_fields}}
    if kind == "full":
        settings["query"] = {"default_field": _searched_fields()}
    return settings


def _searched_fields() -> list[str]:
    """Where a search that names no field looks, when all of ECS is mapped: at the texts that this library writes.

    By itself a server looks everywhere, and refuses to when that is more than 1024 fields (measured on Elasticsearch 7.17.28).
    """
    table = schema.fields()
    ours = [name for name in WRITTEN_FIELDS if table[name].type in _SEARCHED_TYPES and table[name].index]
    return sorted([*ours, "labels.*", "metrics.name"])


def _dynamic_templates(fields: Iterable[schema.Field]) -> list[dict[str, Any]]:
    """The rules for names that are not mapped, in order: a server takes the first that matches.

    A rule for each kind of value, not one for all: that one would match objects, too, and refuse ``labels: {"a": {"b": 1}}``.
    """
    rules: list[dict[str, Any]] = []
    for field in fields:
        if _parameters(field).get("object_type") == "keyword":
            rules += _rules(field.name, ("string", "boolean", *_NUMBERS), _KEYWORD, path=f"{field.name}.*")
    rules += _rules("metrics", _NUMBERS, _DOUBLE, path="metrics.*")
    rules += _rules("own", ("string",), _KEYWORD)
    rules += _rules("own", _NUMBERS, _DOUBLE)
    return rules


def _rules(name: str, kinds: Iterable[str], mapping: Mapping[str, Any], path: str | None = None) -> list[dict[str, Any]]:
    match = {} if path is None else {"path_match": path}
    return [{f"{name}_{kind}": {"mapping": dict(mapping), "match_mapping_type": kind, **match}} for kind in kinds]


def _properties(fields: Iterable[schema.Field], types: FieldTypes) -> dict[str, Any]:
    leaves = {field.name: _mapping(field, types) for field in fields}
    leaves |= {name: dict(mapping) for name, mapping in _OWN_FIELDS.items()}
    root: dict[str, Any] = {}
    # Sorted, a name comes before those below it: an object that ECS declares (nested, say) is there before its fields.
    for name in sorted(leaves):
        *parents, last = name.split(".")
        level = root
        for parent in parents:
            level = level.setdefault(parent, {}).setdefault("properties", {})
        level[last] = leaves[name]
    return root


def _mapping(field: schema.Field, types: FieldTypes) -> dict[str, Any]:
    mapping = types.mapping(field.type)
    if field.ignore_above is not None:
        mapping["ignore_above"] = field.ignore_above
    if not field.index:
        mapping["index"] = False
    if not field.doc_values:
        mapping["doc_values"] = False
    if mapping["type"] == "scaled_float":
        mapping["scaling_factor"] = int(_parameters(field)["scaling_factor"])
    if field.multi_fields:
        mapping["fields"] = {name: types.mapping(type_) for name, type_ in field.multi_fields}
    return mapping


def _parameters(field: schema.Field) -> dict[str, str]:
    """The further parameters of the table.

    Two of them are not sent: ``input_format`` is Kibana's, and ``synthetic_source_keep`` says how a source is rebuilt, while
    ours is stored (and only Elasticsearch 8.15 and newer know it).
    """
    return dict(parameter.split("=", 1) for parameter in field.params.split(",")) if field.params else {}
