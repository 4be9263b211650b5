"""The one repair of a refused document: the field whose value does not fit the index's mapping goes to ``labels`` as text."""

from __future__ import annotations

from typing import Any, Final

from elasticecsmetrics.ecs import schema
from elasticecsmetrics.ecs.clean import Aside
from elasticecsmetrics.ecs.labels import label_value
from elasticecsmetrics.ecs.merge import OWN_FIELDS, OWN_OBJECTS, add_labels
from elasticecsmetrics.ecs.text import json_library

_MISSING: Final = object()


def to_label(body: bytes, field: str) -> bytes | None:
    """Moves the value of ``field`` of an encoded document to ``labels``.

    The field is found as nested objects, as a literal dotted name, or as any mixture of both; in a list of objects, in each of
    them. Objects that are left empty go too, but for the elements of a list. An object becomes JSON text there, a list of
    scalars a list of texts.

    Args:
        body: the source: one JSON object.
        field: its dotted name, as the server gave it.

    Returns:
        The changed source; None when the field is not there, holds nothing, is a label already, or is one that ECS or this
        package defines, whose loss would make the document meaningless.
    """
    if _is_fixed(field):
        return None
    library = json_library()
    tree = library.loads(body)
    if not isinstance(tree, dict) or not isinstance(tree.get("labels", {}), dict):
        return None
    taken = _taken(tree, field)
    if taken is _MISSING or label_value(taken) is None:
        return None
    add_labels(tree, [Aside(tuple(field.split(".")), taken)])
    changed: bytes = library.dumps(tree)
    return changed


def _is_fixed(field: str) -> bool:
    if field == "labels" or field.startswith("labels."):
        return True
    return field in OWN_FIELDS or field in OWN_OBJECTS or field in schema.fields() or field in schema.objects()


def _taken(tree: dict[str, Any], field: str) -> Any:
    """Takes the value out of ``tree``; several from a list of objects come as a list."""
    if field in tree:
        return tree.pop(field)
    parts = field.split(".")
    for cut in range(len(parts) - 1, 0, -1):
        name = ".".join(parts[:cut])
        below = tree.get(name)
        found = _taken_below(below, ".".join(parts[cut:]))
        if found is not _MISSING:
            if not below:
                del tree[name]
            return found
    return _MISSING


def _taken_below(below: Any, field: str) -> Any:
    if isinstance(below, dict):
        return _taken(below, field)
    if not isinstance(below, list):
        return _MISSING
    several = [found for element in below if (found := _taken_below(element, field)) is not _MISSING]
    return several or _MISSING
