from __future__ import annotations

import pytest

from elasticecsmetrics.ecs import schema
from elasticecsmetrics.ecs.fit import NOTHING, Fitted, fit


def field(type_: str, *, array: bool = False) -> schema.Field:
    return schema.Field("x", type_, array, None, True, True, (), "", ())


@pytest.mark.parametrize(
    ("type_", "value", "kept"),
    [
        ("keyword", "a", "a"),
        ("keyword", 5, "5"),
        ("keyword", 1.5, "1.5"),
        ("keyword", True, "true"),
        ("keyword", ["a"], "a"),
        ("match_only_text", 5, "5"),
        ("wildcard", 5, "5"),
        ("constant_keyword", 5, "5"),
        ("long", 5, 5),
        ("long", "5", 5),
        ("long", "-5", -5),
        ("long", 5.0, 5),
        ("long", 2**63 - 1, 2**63 - 1),
        ("integer", 2**31 - 1, 2**31 - 1),
        ("float", 5, 5),
        ("float", "1.5", 1.5),
        ("double", 1e300, 1e300),
        ("scaled_float", "0.25", 0.25),
        ("boolean", True, True),
        ("boolean", "false", False),
        ("date", "2026-01-02T03:04:05.123Z", "2026-01-02T03:04:05.123000Z"),
        ("date", "2026-01-02T03:04:05+01:00", "2026-01-02T02:04:05.000000Z"),
        ("ip", "10.0.0.1", "10.0.0.1"),
        ("ip", "fe80::1%eth0", "fe80::1%eth0"),
        ("geo_point", {"lat": 1, "lon": 2}, {"lat": 1, "lon": 2}),
        ("geo_point", "1.5, 2", {"lat": 1.5, "lon": 2.0}),
        ("geo_point", [2, 1], {"lat": 1, "lon": 2}),
        ("long", None, None),
        ("keyword", [None, "a"], "a"),
    ],
)
def test_what_fits_exactly_is_kept(type_, value, kept):
    fitted = fit(field(type_), value)
    assert fitted == Fitted(kept, NOTHING)
    assert type(fitted.kept) is type(kept)


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        ("keyword", {"a": 1}),
        ("keyword", ["a", "b"]),
        ("keyword", [{"a": 1}]),
        ("long", 1.7),
        ("long", "1.7"),
        ("long", "1ms"),
        ("long", "٣"),
        ("long", True),
        ("long", 2**63),
        ("long", "9223372036854775808"),
        ("integer", 2**31),
        ("float", 1e39),
        ("float", "1_000"),
        ("double", "1e999"),
        ("double", False),
        ("double", "NaN"),
        ("boolean", "True"),
        ("boolean", 1),
        ("date", "yesterday"),
        ("date", 1_767_323_045),
        ("date", 1_767_323_045.5),
        ("ip", ""),
        ("ip", "localhost"),
        ("ip", 1),
        ("geo_point", {"lat": 91, "lon": 0}),
        ("geo_point", {"lat": 1}),
        ("geo_point", "here"),
        ("geo_point", [1, 2, 3]),
    ],
)
def test_what_would_be_guessed_or_refused_is_left(type_, value):
    fitted = fit(field(type_), value)
    assert fitted.kept is NOTHING
    assert fitted.left == (value[0] if isinstance(value, list) and len(value) == 1 else value)


@pytest.mark.parametrize(
    ("value", "fitted"),
    [
        ("a", Fitted(["a"], NOTHING)),
        (["a", 1], Fitted(["a", "1"], NOTHING)),
        ([["a"], "b"], Fitted(["a", "b"], NOTHING)),
        ([], Fitted([], NOTHING)),
        (["a", {"b": 1}], Fitted(["a"], [{"b": 1}])),
        ([{"b": 1}], Fitted(NOTHING, [{"b": 1}])),
        ({"b": 1}, Fitted(NOTHING, {"b": 1})),
    ],
)
def test_where_ecs_wants_an_array_it_gets_one(value, fitted):
    assert fit(field("keyword", array=True), value) == fitted


def test_every_type_of_ecs_is_known_or_an_object():
    for each in schema.fields().values():
        if each.type not in schema.OBJECT_TYPES:
            assert fit(each, None) == Fitted(None, NOTHING)
            assert any(fit(each, value).kept is not NOTHING for value in ("5", "true", "2026-01-02", "10.0.0.1", "1,2")), each
