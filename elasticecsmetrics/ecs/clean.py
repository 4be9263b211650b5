"""A user's mapping as a tree that every server takes: nested, finite, bounded, and with nothing lost.

What comes out is *plain*: dicts with usable names, lists of one kind, strings, booleans, None, floats that are finite and
integers of 64 bits. What cannot stay where it was is set aside with its path; the caller puts it under ``labels``.

* A dotted name is expanded, and meets what stands beside it: of two values for one place the first stays and the second is set
  aside; of a plain value beside an object the object stays.
* Names: text of what is no string; a part that is empty or blank becomes ``_``; a top-level name that servers keep for
  themselves (``_id``, ``_source``, ...) gets a ``_`` at its end; parts below the 20th level are joined by ``_``. What stands
  under a name longer than 512 characters is set aside, together with that name.
* NaN, infinities and integers that no float holds are set aside as text (None stays in a list, so that the others keep their
  places). Integers beyond 64 bits become text in their place, which a numeric mapping reads.
* A list that mixes numbers, texts, booleans and objects becomes a list of texts: no mapping takes the mixture. So does a list
  of objects of which one has a number where another has a text.
* Objects deeper than 20 names become JSON text; a value that contains itself is ``<cycle>`` there; beyond 100,000 values in
  one mapping a short repr stands for a list or dict.
"""

from __future__ import annotations

import math
import reprlib
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from elasticecsmetrics.ecs.simplify import simplify
from elasticecsmetrics.ecs.text import json_text, safe_repr, safe_str, well_formed

#: Names from the root to a leaf, at the most: ``index.mapping.depth.limit`` is 20 on every server.
MAX_DEPTH = 20
#: Values in one mapping, beyond which lists and dicts are only sketched.
MAX_VALUES = 100_000
#: Characters of one name.
MAX_NAME = 512
#: Levels of lists and dicts inside JSON text.
MAX_TEXT_LEVELS = 100

CYCLE = "<cycle>"

#: Elasticsearch 7 to 9 and OpenSearch 2 and 3 refuse these names at the top level of a document, or take them for their own.
RESERVED_NAMES = frozenset(
    (
        "_all", "_data_stream_timestamp", "_doc_count", "_feature", "_field_names", "_id", "_ignored", "_ignored_source",
        "_index", "_inference_fields", "_nested_path", "_none", "_parent", "_primary_term", "_recovery_source", "_routing",
        "_seq_no", "_size", "_source", "_tier", "_timestamp", "_ts_routing_hash", "_tsid", "_ttl", "_type", "_uid", "_version",
    )
)  # fmt: skip

_MAX_LONG = 2**63 - 1
_MIN_LONG = -(2**63)
#: Longer integers are beyond every float.
_DOUBLE_BITS = 1023
_SCALARS = frozenset((str, int, float, bool, type(None)))

Path = tuple[str, ...]


class Aside(NamedTuple):
    """A value that cannot stay at its place."""

    path: Path
    value: Any
    """Plain."""


class Cleaned(NamedTuple):
    """A plain tree, and what found no place in it."""

    tree: dict[str, Any]
    aside: list[Aside]


def clean(user: Mapping[Any, Any]) -> Cleaned:
    """The plain form of ``user``, which is not changed. Never raises."""
    tree: dict[str, Any] = {}
    walk: _Walk | None = None
    aside: list[Aside] = []
    items = user.copy() if type(user) is dict else simplify(user)
    for name, value in items.items() if type(items) is dict else (("fields", items),):
        if _is_usual(name, value) and name not in tree:
            tree[name] = value
        else:
            walk = walk or _Walk(aside)
            walk.insert(tree, name, value, ())
    return Cleaned(tree, aside)


def _is_usual(name: Any, value: Any) -> bool:
    # The short cut for what nearly every log call gives: an identifier, and a plain scalar.
    if type(name) is not str or len(name) > MAX_NAME or not name.isidentifier() or name in RESERVED_NAMES:
        return False
    kind = type(value)
    if kind is int:
        return bool(_MIN_LONG <= value <= _MAX_LONG)
    return kind is str or kind is bool or value is None or (kind is float and math.isfinite(value))


def name_parts(name: Any) -> list[str]:
    """The dotted ``name`` as names of nested objects, each one usable: text without surrogates, not blank."""
    return [part if part.strip() else "_" for part in name_text(name).split(".")]


def name_text(name: Any) -> str:
    """A key of any type as text: what :func:`~elasticecsmetrics.ecs.simplify.simplify` makes of it, if that is text."""
    text = name if type(name) is str else simplify(name)
    return well_formed(text if type(text) is str else safe_str(name))


class _Walk:
    """One pass over one mapping: what was set aside, what is being looked into, and how many values may still come."""

    def __init__(self, aside: list[Aside]) -> None:
        self._aside = aside
        self._open: set[int] = set()
        self._left = MAX_VALUES

    def insert(self, tree: dict[str, Any], name: Any, value: object, base: Path) -> None:
        """Puts the plain form of ``value`` at the dotted ``name`` below ``tree``, which itself stands at ``base``."""
        parts = name_parts(name)
        if any(len(part) > MAX_NAME for part in parts):
            self._aside.append(Aside((*base, "_"), {name_text(name): self._literal(value, 0)}))
            return
        if not base and parts[0] in RESERVED_NAMES:
            parts[0] += "_"
        room = MAX_DEPTH - len(base)
        if len(parts) > room:
            parts[room - 1 :] = ["_".join(parts[room - 1 :])]
        plain = self._plain(value, (*base, *parts))
        for part in reversed(parts[1:]):
            plain = {part: plain}
        self._place(tree, parts[0], plain, base)

    def _place(self, tree: dict[str, Any], name: str, plain: Any, base: Path) -> None:
        path = (*base, name)
        there = tree.get(name)
        if there is None:
            tree[name] = plain
        elif isinstance(there, dict) and isinstance(plain, dict):
            for below, value in plain.items():
                self._place(there, below, value, path)
        elif isinstance(plain, dict):
            self._aside.append(Aside(path, there))
            tree[name] = plain
        elif plain is not None and (plain != there or type(plain) is not type(there)):
            self._aside.append(Aside(path, plain))

    def _plain(self, value: object, path: Path) -> Any:
        self._left -= 1
        if type(value) not in _SCALARS:
            return self._container(value, path)
        if isinstance(value, (int, float)):
            return self._number(value, path)
        return well_formed(value) if isinstance(value, str) else value

    def _number(self, value: float, path: Path) -> Any:
        if isinstance(value, int):
            if _MIN_LONG <= value <= _MAX_LONG:
                return value
            if value.bit_length() <= _DOUBLE_BITS:
                return str(value)
            self._aside.append(Aside(path, hex(value)))
            return None
        if math.isfinite(value):
            return value
        self._aside.append(Aside(path, non_finite(value)))
        return None

    def _container(self, value: object, path: Path) -> Any:
        if id(value) in self._open:
            return CYCLE
        simple = simplify(value)
        if type(simple) in _SCALARS:
            return self._plain(simple, path)
        if self._is_spent(simple):
            return sketch(simple)
        self._open.add(id(value))
        try:
            if len(self._open) > MAX_DEPTH or (len(path) >= MAX_DEPTH and not _holds_scalars(simple)):
                return json_text(self._literal(simple, 0))
            if type(simple) is dict:
                return self._dict(simple, path)
            return self._list(simple, path) if type(simple) is list else self._container(simple, path)
        except Exception:  # noqa: BLE001 - too deep for the caller's stack: the repr remains
            return sketch(simple)
        finally:
            self._open.discard(id(value))

    def _is_spent(self, simple: Any) -> bool:
        return self._left < 0 or (type(simple) in (dict, list) and len(simple) > self._left)

    def _dict(self, value: dict[Any, Any], path: Path) -> dict[str, Any]:
        tree: dict[str, Any] = {}
        for name, below in value.items():
            self.insert(tree, name, below, path)
        return tree

    def _list(self, value: list[Any], path: Path) -> list[Any]:
        set_aside = len(self._aside)
        plain = [self._plain(element, path) for element in value]
        kinds = set(_kinds(plain))
        if len(self._aside) > set_aside and kinds <= {"number"}:
            # One text of the whole list says where in it the number stood.
            self._aside[set_aside:] = [Aside(path, json_text(self._literal(value, 0)))]
        if len(kinds) > 1 or ("object" in kinds and _disagree(plain, (), {})):
            return _texts(plain)
        return plain

    def _literal(self, value: object, level: int) -> Any:
        """``value`` as JSON can hold it, with its own names: for text, which no mapping looks into."""
        self._left -= 1
        simple = value if type(value) in _SCALARS else simplify(value)
        if type(simple) is str:
            return well_formed(simple)
        if type(simple) is int:
            if _MIN_LONG <= simple <= _MAX_LONG:
                return simple
            return str(simple) if simple.bit_length() <= _DOUBLE_BITS else hex(simple)
        if type(simple) is float:
            return simple if math.isfinite(simple) else non_finite(simple)
        if simple is None or type(simple) is bool:
            return simple
        return self._literal_container(value, simple, level)

    def _literal_container(self, value: object, simple: Any, level: int) -> Any:
        # `value` may be open already when it is the very list or dict that is being made into text: level 0.
        if level and id(value) in self._open:
            return CYCLE
        if level >= MAX_TEXT_LEVELS or self._is_spent(simple):
            return sketch(simple)
        opened = id(value) not in self._open
        self._open.add(id(value))
        try:
            if type(simple) is dict:
                members: dict[str, Any] = {}
                for name, below in simple.items():
                    members[_free(name_text(name), members)] = self._literal(below, level + 1)
                return members
            if type(simple) is list:
                return [self._literal(element, level + 1) for element in simple]
            return self._literal(simple, level + 1)
        finally:
            if opened:
                self._open.discard(id(value))


def _free(name: str, members: Mapping[str, Any]) -> str:
    # Keys that differ, such as 1 and "1", may have one text.
    free, number = name, 1
    while free in members:
        number += 1
        free = f"{name}_{number}"
    return free


def non_finite(value: float) -> str:
    """``NaN``, ``Infinity`` or ``-Infinity``."""
    return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"  # noqa: PLR0124 - the definition of NaN


def sketch(value: object) -> str:
    """A list or dict in short: its first elements, a few levels deep."""
    try:
        return well_formed(reprlib.repr(value))
    except Exception:  # noqa: BLE001 - an element's own repr may raise
        return well_formed(safe_repr(type(value)))


def _holds_scalars(simple: Any) -> bool:
    return type(simple) is list and all(type(element) in _SCALARS for element in simple)


def _kinds(plain: list[Any]) -> Iterable[str]:
    """The kinds of mapping that the elements of a list ask for; lists inside it count as their elements do."""
    for element in plain:
        if isinstance(element, list):
            yield from _kinds(element)
        elif element is not None:
            yield _KINDS[type(element)]


_KINDS = {str: "text", bool: "boolean", int: "number", float: "number", dict: "object"}


def _disagree(plain: Any, path: Path, seen: dict[Path, str]) -> bool:
    """Whether a list's objects hold values of different kinds under one name; ``seen`` has the kinds found before."""
    if isinstance(plain, list):
        return any(_disagree(element, path, seen) for element in plain)
    if plain is None:
        return False
    kind = _KINDS[type(plain)]
    if seen.setdefault(path, kind) != kind:
        return True
    return isinstance(plain, dict) and any(_disagree(below, (*path, name), seen) for name, below in plain.items())


def _texts(plain: list[Any]) -> list[Any]:
    return [_texts(element) if isinstance(element, list) else _text(element) for element in plain]


def _text(element: Any) -> str | None:
    return element if element is None or isinstance(element, str) else json_text(element)
