"""Any Python object as text, without ever raising: exact strings, reprs of bounded length, JSON."""

from __future__ import annotations

import functools
from types import ModuleType
from typing import Any

#: Characters, above which a repr is cut: what the templates still index of a keyword.
MAX_REPR = 1024

_CLASS_NAME = type.__dict__["__name__"].__get__


@functools.cache
def json_library() -> ModuleType:
    """orjson, imported on the first document: importing this package loads nothing of others."""
    import orjson

    return orjson


def exact(text: str) -> str:
    """The same characters as a plain ``str``: a subclass may answer anything when it is asked to be one."""
    return text if type(text) is str else str.__str__(text)


def well_formed(text: str) -> str:
    """``text`` with each lone surrogate written out as ``\\ud800``.

    UTF-8 cannot hold one, so it would cost the document; the six characters say what was there in every store.
    """
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode("utf-8")


def shortened(text: str, limit: int = MAX_REPR) -> str:
    """``text``, or its beginning with ``…``, in ``limit`` characters at most."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def safe_repr(value: object) -> str:
    """``repr(value)`` in :data:`MAX_REPR` characters at most; where it raises, the type's name and what it raised."""
    try:
        return shortened(exact(repr(value)))
    except Exception as error:  # noqa: BLE001 - whatever a user's __repr__ raises, the document goes on
        return f"<{class_name(type(value))}: its repr raised {class_name(type(error))}>"


def class_name(kind: type) -> str:
    """``kind.__name__``, also where a metaclass has an attribute of that name, which may raise or be no text."""
    return str(_CLASS_NAME(kind))


def safe_str(value: object) -> str:
    """``str(value)`` as a plain string; where it raises, :func:`safe_repr`."""
    try:
        return exact(str(value))
    except Exception:  # noqa: BLE001 - as above
        return safe_repr(value)


def json_text(plain: Any) -> str:
    """A plain tree (see :mod:`elasticecsmetrics.ecs.clean`) as compact JSON."""
    return json_bytes(plain).decode()


def json_bytes(plain: Any) -> bytes:
    """A plain tree as compact JSON in UTF-8; a lone surrogate in it is written out as :func:`well_formed` does."""
    try:
        encoded: bytes = json_library().dumps(plain)
    except TypeError:
        encoded = json_library().dumps(_well_formed_tree(plain))
    # orjson's own result keeps the whole buffer that it was written into: 4 KiB and more for 700 bytes, as long as it lives.
    return memoryview(encoded).tobytes()


def _well_formed_tree(plain: Any) -> Any:
    if isinstance(plain, str):
        return well_formed(plain)
    if isinstance(plain, dict):
        return {well_formed(name): _well_formed_tree(value) for name, value in plain.items()}
    return [_well_formed_tree(element) for element in plain] if isinstance(plain, list) else plain
