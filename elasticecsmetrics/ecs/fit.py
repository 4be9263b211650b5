"""Whether a plain value fits a leaf of ECS, and the exact conversions that make it fit: type by type, as servers read them.

A conversion is exact when nothing is guessed and nothing rounded: ``5`` for a keyword is ``"5"``, ``"5"`` for a long is ``5``,
``5.0`` too; ``1.7`` or ``"fast"`` for a long fit nowhere. Numbers at a date do not fit: a server would take seconds for
milliseconds without a word. Where ECS wants an array, one value becomes an array of one; where it wants one value, an array of
one becomes that value, and a longer one does not fit.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from ipaddress import ip_address
from typing import Any, Final, NamedTuple

from elasticecsmetrics.ecs import timestamp
from elasticecsmetrics.ecs.schema import Field
from elasticecsmetrics.ecs.text import json_text


class _Nothing:
    def __repr__(self) -> str:
        return "NOTHING"


#: No value: unlike None, which documents hold as null.
NOTHING: Final = _Nothing()


#: Bytes of UTF-8 in one term, at the most (Lucene's ``IndexWriter.MAX_TERM_LENGTH``).
MAX_TERM_BYTES = 32_766


class Fitted(NamedTuple):
    """What of a value fits its leaf, and what does not; each may be :data:`NOTHING`."""

    kept: Any
    left: Any


def fit(field: Field, value: Any) -> Fitted:
    """Divides the plain ``value`` into what can stand at ``field``, converted, and what has to go elsewhere."""
    if value is None:
        return Fitted(None, NOTHING)
    convert = _CONVERSIONS.get(field.type, _refused)
    if field.type == "geo_point" or not isinstance(value, list):
        kept = convert(value)
        if kept is NOTHING:
            return Fitted(NOTHING, value)
        return Fitted([kept] if field.array else kept, NOTHING)
    return _fit_list(field, value, convert)


def fits_a_term(field: str, path: tuple[str, ...], value: Any) -> bool:
    """Whether a scalar below a field of type ``flattened`` can be indexed: no other type refuses a document for its length.

    A server makes one term of a leaf's name and its value: Elasticsearch of the name below the field, NUL and the value,
    OpenSearch (``flat_object``) of the field, a dot, the name from the root, ``=`` and the value. The longer one counts.

    Args:
        field: dotted name of the field.
        path: of the scalar, from the root.
        value: plain.
    """
    name = ".".join(path)
    if "\0" in name:
        return False
    text = value if isinstance(value, str) else json_text(value)
    return len(f"{field}.{name}={text}".encode("utf-8", "backslashreplace")) <= MAX_TERM_BYTES


def _fit_list(field: Field, value: list[Any], convert: Callable[[Any], Any]) -> Fitted:
    elements = list(_flat(value))
    pairs = [(element, convert(element)) for element in elements]
    kept = [converted for _, converted in pairs if converted is not NOTHING]
    left = [element for element, converted in pairs if converted is NOTHING]
    if not field.array:
        if len(elements) > 1:
            return Fitted(NOTHING, value)
        return Fitted(kept[0] if kept else NOTHING, left[0] if left else NOTHING)
    return Fitted(kept if kept or not left else NOTHING, left or NOTHING)


def _flat(value: list[Any]) -> Iterator[Any]:
    # To a server a list in a list is one list; None in it is no value.
    for element in value:
        if isinstance(element, list):
            yield from _flat(element)
        elif element is not None:
            yield element


def _refused(_value: Any) -> Any:
    return NOTHING


def _keyword(value: Any) -> Any:
    if isinstance(value, str):
        return value
    return json_text(value) if isinstance(value, (bool, int, float)) else NOTHING


_WHOLE_NUMBER = re.compile(r"[+-]?\d{1,19}", re.ASCII)
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_PLACE = re.compile(r"\s*([^,\s]+)\s*,\s*([^,\s]+)\s*")


def _whole(bits: int) -> Callable[[Any], Any]:
    limit = 1 << (bits - 1)

    def convert(value: Any) -> Any:
        if (isinstance(value, str) and _WHOLE_NUMBER.fullmatch(value)) or (isinstance(value, float) and value.is_integer()):
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            return NOTHING
        return value if -limit <= value < limit else NOTHING

    return convert


def _decimal(largest: float) -> Callable[[Any], Any]:
    def convert(value: Any) -> Any:
        if isinstance(value, str) and _NUMBER.fullmatch(value):
            value = float(value)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return NOTHING
        return value if -largest <= value <= largest else NOTHING

    return convert


def _boolean(value: Any) -> Any:
    if isinstance(value, bool):
        return value
    return {"true": True, "false": False}.get(value, NOTHING) if isinstance(value, str) else NOTHING


def _date(value: Any) -> Any:
    try:
        return timestamp.render(timestamp.parse(value)) if isinstance(value, str) else NOTHING
    except ValueError:
        return NOTHING


def _ip(value: Any) -> Any:
    try:
        return str(ip_address(value)) if isinstance(value, str) else NOTHING
    except ValueError:
        return NOTHING


def _geo_point(value: Any) -> Any:
    """``{"lat", "lon"}``, ``"lat,lon"`` or ``[lon, lat]``, in degrees."""
    lat: Any = None
    lon: Any = None
    if isinstance(value, Mapping) and set(value) == {"lat", "lon"}:
        lat, lon = value["lat"], value["lon"]
    elif isinstance(value, str) and (match := _PLACE.fullmatch(value)):
        lat, lon = match.groups()
    elif isinstance(value, list) and len(value) == 2:
        lon, lat = value
    lat, lon = _latitude(lat), _longitude(lon)
    return NOTHING if lat is NOTHING or lon is NOTHING else {"lat": lat, "lon": lon}


_latitude = _decimal(90.0)
_longitude = _decimal(180.0)

#: The largest value of IEEE 754's single precision, which the type ``float`` is.
_FLOAT_MAX = (2 - 2**-23) * 2.0**127
_DOUBLE_MAX = (2 - 2**-52) * 2.0**1023

_CONVERSIONS: dict[str, Callable[[Any], Any]] = {
    "keyword": _keyword,
    "constant_keyword": _keyword,
    "wildcard": _keyword,
    "text": _keyword,
    "match_only_text": _keyword,
    "long": _whole(64),
    "integer": _whole(32),
    "float": _decimal(_FLOAT_MAX),
    "double": _decimal(_DOUBLE_MAX),
    # Kept as a long of thousandths.
    "scaled_float": _decimal(2.0**53),
    "boolean": _boolean,
    "date": _date,
    "ip": _ip,
    "geo_point": _geo_point,
}
