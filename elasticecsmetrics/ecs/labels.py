"""``labels``: where everything goes that has no place of its own, as text, so that nothing is lost and nothing refused.

ECS wants labels flat, with values that are keywords; in their names ``.``, ``*`` and ``\\`` become ``_``
(https://www.elastic.co/guide/en/ecs/current/ecs-base.html). A value becomes text: JSON for an object or a list of them, a list
of texts for a list of scalars. Two values for one label are both kept: the second is called ``name_2``, and so on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from elasticecsmetrics.ecs.clean import Aside, Path
from elasticecsmetrics.ecs.text import json_text

_NAME_TABLE = str.maketrans(".*\\", "___")


def label_name(path: Path) -> str:
    """The label that stands for the field at ``path``: its names joined by ``_``, without a leading ``labels``."""
    parts = path[1:] if len(path) > 1 and path[0] == "labels" else path
    return "_".join(parts).translate(_NAME_TABLE)


def label_value(plain: Any) -> str | list[str] | None:
    """The text of a plain value, a list of texts for a list of scalars; None for None."""
    if plain is None or isinstance(plain, str):
        return plain
    if isinstance(plain, list) and plain and not any(isinstance(element, (list, dict)) for element in plain):
        return [element if isinstance(element, str) else json_text(element) for element in plain if element is not None]
    return json_text(plain)


def flatten(tree: dict[str, Any], base: Path = ()) -> Iterator[Aside]:
    """The leaves of a plain tree with their paths; an empty object is a leaf."""
    for name, value in tree.items():
        path = (*base, name)
        if isinstance(value, dict) and value:
            yield from flatten(value, path)
        else:
            yield Aside(path, value)


def with_labels(labels: Any, given: Iterable[Aside], moved: Iterable[Aside]) -> dict[str, Any]:
    """``labels`` with more of them, as a new dict.

    Args:
        labels: what is there already; replaced by what is given under the same name. What is no object becomes a label.
        given: labels that the user named as such; they have the first right to their names.
        moved: what lost its own place; it never replaces anything.
    """
    result: dict[str, Any] = dict(labels) if isinstance(labels, dict) else {}
    fresh: dict[str, Any] = {}
    if not isinstance(labels, dict):
        _add(fresh, "labels", labels)
    for path, value in given:
        _add(fresh, label_name(path), value)
    result.update(fresh)
    for path, value in moved:
        _add(result, label_name(path), value)
    return result


def _add(labels: dict[str, Any], name: str, value: Any) -> None:
    text = label_value(value)
    if text is None:
        return
    free, number = name, 1
    while free in labels and labels[free] != text:
        number += 1
        free = f"{name}_{number}"
    labels[free] = text
