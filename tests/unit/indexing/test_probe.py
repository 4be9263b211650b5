from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elasticecsmetrics.errors import StoreRefusedError
from elasticecsmetrics.indexing.fieldtypes import IGNORE_BEYOND_LIMIT, OPTIONAL_TYPES
from elasticecsmetrics.indexing.probe import supported_types


def server(known: set[str]) -> tuple[Callable[[str, str, bytes], int], list[tuple[str, str, dict[str, Any]]]]:
    """Answers as the real ones do, and keeps what it was asked."""
    asked: list[tuple[str, str, dict[str, Any]]] = []

    def ask(method: str, target: str, body: bytes) -> int:
        request = json.loads(body)
        asked.append((method, target, request))
        template = request["template"]
        if IGNORE_BEYOND_LIMIT in json.dumps(template):
            return 200 if IGNORE_BEYOND_LIMIT in known else 400
        mapping = template["mappings"]["properties"]["field"]
        if mapping["type"] == "scaled_float" and "scaling_factor" not in mapping:
            return 400
        return 200 if mapping["type"] in known | {"keyword"} else 400

    return ask, asked


@given(st.sets(st.sampled_from(sorted(OPTIONAL_TYPES | {IGNORE_BEYOND_LIMIT}))))
def test_what_the_server_knows_is_found(known: set[str]) -> None:
    ask, _ = server(known)
    assert supported_types(ask) == known


def test_nothing_but_simulations_is_asked_for_and_each_once() -> None:
    ask, asked = server(set())
    supported_types(ask)
    assert {(method, target) for method, target, _ in asked} == {("POST", "/_index_template/_simulate")}
    bodies = [json.dumps(body, sort_keys=True) for _, _, body in asked]
    assert len(bodies) == len(set(bodies)) == len(OPTIONAL_TYPES) + 3


def test_server_that_takes_nothing_is_not_mistaken_for_one_without_types() -> None:
    with pytest.raises(StoreRefusedError, match="nothing but a keyword"):
        supported_types(lambda method, target, body: 400)


def test_server_that_takes_everything_is_not_mistaken_for_one_with_all_types() -> None:
    with pytest.raises(StoreRefusedError, match="does not exist"):
        supported_types(lambda method, target, body: 200)


@pytest.mark.parametrize("status", [301, 401, 403, 404, 405, 429, 500, 503])
def test_answer_that_tells_nothing_is_raised_with_its_status(status: int) -> None:
    with pytest.raises(StoreRefusedError, match=f"answered {status}") as raised:
        supported_types(lambda method, target, body: status)
    assert raised.value.status == status


def test_failure_in_the_middle_is_not_taken_for_a_no() -> None:
    ask, asked = server({"wildcard"})
    with pytest.raises(StoreRefusedError, match="answered 503"):
        supported_types(lambda method, target, body: ask(method, target, body) if len(asked) < 4 else 503)


def test_what_the_caller_raises_comes_through() -> None:
    def unreachable(method: str, target: str, body: bytes) -> int:
        raise ConnectionError(target)

    with pytest.raises(ConnectionError):
        supported_types(unreachable)
