"""A user's fields merged into a document of ours: never overwriting what is ours, never colliding with ECS, losing nothing.

The rules, in this order:

1. What the handler owns (:data:`LOG_OWNED`, :data:`METRIC_OWNED`) stays; the user's value goes to ``labels``.
2. Dotted names are expanded, and the whole is merged deeply into what is there; the user's leaf wins.
3. A plain value where ECS has an object goes to ``labels``: ``user="bob"`` becomes ``labels.user``, because no leaf of ``user``
   can be guessed. So does an object where ECS has a leaf, as JSON.
4. A value of the wrong type at an ECS leaf is converted when that is exact, else it goes to ``labels``. So does what no server
   takes inside an ECS field of type ``flattened``: a text that is too long for one term, a name with NUL in it.
5. All other names stay where they are, with their own type.
6. ``labels`` themselves are flat and their values text; see :mod:`elasticecsmetrics.ecs.labels`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from elasticecsmetrics.ecs import schema
from elasticecsmetrics.ecs.clean import Aside, Cleaned, Path, clean
from elasticecsmetrics.ecs.fit import NOTHING, fit, fits_a_term
from elasticecsmetrics.ecs.labels import flatten, with_labels

#: Leaves of a log document that no field of the user's replaces.
LOG_OWNED: Final = frozenset(("@timestamp", "ecs.version", "log.level", "message"))

#: Leaves of a metric document that no field of the user's replaces.
METRIC_OWNED: Final = frozenset(
    ("@timestamp", "ecs.version", "event.start", "event.end", "event.duration", "metrics.name", "metrics.duration.us")
)

#: What an exception fills; nothing replaces it in a document that has one.
ERROR_OWNED: Final = frozenset(("error.type", "error.message", "error.stack_trace"))


def _own(name: str, type_: str) -> schema.Field:
    return schema.Field(name, type_, False, 1024 if type_ == "keyword" else None, True, True, (), "", ())


#: Our own object beside those of ECS, which every document of a metric has.
OWN_FIELDS: Final[Mapping[str, schema.Field]] = {
    "metrics.name": _own("metrics.name", "keyword"),
    "metrics.duration.us": _own("metrics.duration.us", "long"),
}
OWN_OBJECTS: Final = frozenset(("metrics", "metrics.duration"))

_JUDGED = schema.TOP_LEVEL_NAMES | {"metrics"}


def merge(document: dict[str, Any], user: Mapping[Any, Any], *, protect: frozenset[str] = LOG_OWNED | METRIC_OWNED) -> None:
    """Merges ``user``, of any content whatever, into ``document`` by the rules above.

    Args:
        document: the nested tree that the handler made. Its objects are replaced, never changed: documents may share them.
        user: is not changed.
        protect: dotted names of the leaves that stay as they are, present or not.
    """
    merge_cleaned(document, clean(user), protect=protect)


def merge_cleaned(document: dict[str, Any], user: Cleaned, *, protect: frozenset[str]) -> None:
    """The same for fields that :func:`~elasticecsmetrics.ecs.clean.clean` has gone over already."""
    given: list[Aside] = []
    moved = list(user.aside)
    judge = _Judge(document, protect, moved)
    for name, value in user.tree.items():
        if name == "labels":
            given.extend(flatten(value) if isinstance(value, dict) else (Aside((name,), value),))
            continue
        kept = judge.value(value, (name,)) if name in _JUDGED else value
        if name not in document and kept is not NOTHING:
            document[name] = kept
        elif kept is not NOTHING:
            _put(document, name, kept, (), moved)
    add_labels(document, moved, given=given)


def add_labels(document: dict[str, Any], moved: Sequence[Aside], *, given: Sequence[Aside] = ()) -> None:
    """Puts into ``labels`` what lost its place, and what the user ``given`` named a label."""
    if (moved or given) and (labels := with_labels(document.get("labels"), given, moved)):
        document["labels"] = labels


def united(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Both trees as a new one; where both have a leaf, that of ``over``."""
    result = dict(under)
    for name, value in over.items():
        there = result.get(name)
        result[name] = united(there, value) if isinstance(there, dict) and isinstance(value, dict) else value
    return result


def _put(tree: dict[str, Any], name: str, value: Any, base: Path, moved: list[Aside]) -> None:
    there = tree.get(name)
    if there is None:
        tree[name] = value
    elif isinstance(there, dict) and isinstance(value, dict):
        tree[name] = below = dict(there)
        for key, leaf in value.items():
            _put(below, key, leaf, (*base, name), moved)
    elif isinstance(there, dict):
        # An object and a plain value of one name: mappings know objects only, so the plain value goes.
        moved.append(Aside((*base, name), value))
    else:
        if isinstance(value, dict):
            moved.append(Aside((*base, name), there))
        if value is not None:
            tree[name] = value


class _Judge(NamedTuple):
    """Rules 1, 3 and 4, for one document."""

    document: Mapping[str, Any]
    protect: frozenset[str]
    moved: list[Aside]

    def value(self, value: Any, path: Path) -> Any:
        """What of ``value`` may stand at ``path``, which begins with a name of ECS or ours; the rest is moved."""
        dotted = ".".join(path)
        if dotted in self.protect:
            return self._protected(value, path)
        field = OWN_FIELDS.get(dotted) or schema.fields().get(dotted)
        if field is not None and field.type not in schema.OBJECT_TYPES:
            fitted = fit(field, value)
            if fitted.left is not NOTHING:
                self.moved.append(Aside(path, fitted.left))
            return fitted.kept
        if field is None and dotted not in OWN_OBJECTS and dotted not in schema.objects():
            return value
        flattened = field is not None and field.type == "flattened"
        members = functools.partial(self._terms, field=dotted) if flattened else self._members
        return self._object(value, path, members, several=field is not None, array=field is not None and field.array)

    def _protected(self, value: Any, path: Path) -> Any:
        there: Any = self.document
        for name in path:
            there = there.get(name) if isinstance(there, dict) else None
        if value != there:
            self.moved.append(Aside(path, value))
        return NOTHING

    def _object(
        self, value: Any, path: Path, members: Callable[[dict[str, Any], Path], Any], *, several: bool, array: bool
    ) -> Any:
        """An object where ECS has one; a list of objects where ECS itself keeps several; anything else is moved."""
        if isinstance(value, dict):
            kept = members(value, path)
            return [kept] if array and kept is not NOTHING else kept
        if value is None or value == []:
            return NOTHING
        if several and isinstance(value, list) and all(isinstance(element, dict) for element in value):
            judged = [members(element, path) for element in value]
            return [element for element in judged if element is not NOTHING] or NOTHING
        self.moved.append(Aside(path, value))
        return NOTHING

    def _members(self, value: dict[str, Any], path: Path) -> Any:
        kept = {}
        for name, below in value.items():
            judged = self.value(below, (*path, name))
            if judged is not NOTHING:
                kept[name] = judged
        return kept if kept or not value else NOTHING

    def _terms(self, value: Any, path: Path, field: str) -> Any:
        """What of an object in a ``flattened`` field, or of a list or leaf below it, a server can make terms of."""
        if isinstance(value, dict):
            judged = {name: self._terms(below, (*path, name), field) for name, below in value.items()}
            kept = {name: below for name, below in judged.items() if below is not NOTHING}
            return kept if kept or not value else NOTHING
        if isinstance(value, list):
            elements = [below for each in value if (below := self._terms(each, path, field)) is not NOTHING]
            return elements if elements or not value else NOTHING
        if fits_a_term(field, path, value):
            return value
        self.moved.append(Aside(path, value))
        return NOTHING
