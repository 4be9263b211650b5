from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elasticecsmetrics.ecs import schema
from elasticecsmetrics.indexing.fieldtypes import (
    ELASTICSEARCH,
    IGNORE_BEYOND_LIMIT,
    OPENSEARCH,
    OPTIONAL_TYPES,
    choose_types,
)

#: Types that every server at hand knows (measured on Elasticsearch 7.17, 8.19, 9.1 and OpenSearch 2.19, 3.1).
EVERYWHERE = {
    "boolean", "date", "date_nanos", "double", "float", "geo_point", "half_float", "integer", "ip", "keyword", "long",
    "nested", "object", "text",
}  # fmt: skip

FALLBACKS: dict[str, dict[str, Any]] = {
    "wildcard": {"type": "keyword", "ignore_above": 8191},
    "match_only_text": {"type": "text", "norms": False},
    "constant_keyword": {"type": "keyword", "ignore_above": 1024},
    "flattened": {"type": "object", "enabled": False},
    "scaled_float": {"type": "double"},
}


def ecs_types() -> set[str]:
    return {field.type for field in schema.fields().values()} | {
        type_ for field in schema.fields().values() for _, type_ in field.multi_fields
    }


@pytest.mark.parametrize("ecs_type", FALLBACKS)
def test_unknown_type_falls_back(ecs_type: str) -> None:
    assert choose_types(frozenset()).mapping(ecs_type) == FALLBACKS[ecs_type]


@pytest.mark.parametrize("ecs_type", FALLBACKS)
def test_known_type_is_kept(ecs_type: str) -> None:
    assert choose_types({ecs_type}).mapping(ecs_type) == {"type": ecs_type}


def test_flattened_is_flat_object_where_only_that_is_known() -> None:
    assert choose_types({"flat_object"}).mapping("flattened") == {"type": "flat_object"}
    assert choose_types({"flat_object", "flattened"}).mapping("flattened") == {"type": "flattened"}


@given(st.sets(st.sampled_from(sorted(OPTIONAL_TYPES | {IGNORE_BEYOND_LIMIT, "no_such_type"}))))
def test_every_ecs_type_becomes_one_that_the_server_knows(supported: set[str]) -> None:
    types = choose_types(supported)
    for ecs_type in ecs_types():
        assert types.mapping(ecs_type)["type"] in EVERYWHERE | supported


def test_names_that_mean_nothing_make_no_difference() -> None:
    known = {"wildcard", IGNORE_BEYOND_LIMIT}
    assert choose_types(known | {"no_such_type", "keyword"}) == choose_types(known)
    assert choose_types(known).supported == known


def test_nothing_has_to_be_asked_for_that_is_everywhere() -> None:
    assert not OPTIONAL_TYPES & EVERYWHERE
    assert ecs_types() - EVERYWHERE <= OPTIONAL_TYPES


def test_mapping_is_the_callers_own() -> None:
    ELASTICSEARCH.mapping("wildcard")["index"] = False
    assert ELASTICSEARCH.mapping("wildcard") == {"type": "wildcard"}


def test_stock_elasticsearch_has_every_type_of_ecs() -> None:
    assert {ecs_type: ELASTICSEARCH.mapping(ecs_type) for ecs_type in ecs_types()} == {
        ecs_type: {"type": ecs_type} for ecs_type in ecs_types()
    }


def test_stock_opensearch_lacks_flattened_and_a_constant_without_value() -> None:
    differing = {ecs_type for ecs_type in ecs_types() if OPENSEARCH.mapping(ecs_type) != {"type": ecs_type}}
    assert differing == {"flattened", "constant_keyword"}
    assert OPENSEARCH.mapping("flattened") == {"type": "flat_object"}
    assert OPENSEARCH.mapping("constant_keyword") == {"type": "keyword", "ignore_above": 1024}


def test_long_keyword_fits_into_a_term_of_lucene() -> None:
    assert len(("\U0001f600" * FALLBACKS["wildcard"]["ignore_above"]).encode()) <= 32766
