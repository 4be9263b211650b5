"""Our rules for index names against those of real servers."""

from __future__ import annotations

import urllib.error
import urllib.request
import uuid
from urllib.parse import quote

import pytest

from elasticecsmetrics.config import IndexConfig
from elasticecsmetrics.errors import ConfigurationError
from elasticecsmetrics.indexing.naming import MAX_NAME_BYTES, index_namer, validate_index_name

pytestmark = pytest.mark.live

NOVEMBER = 1_795_305_600 * 10**9


def request(cluster_url: str, method: str, index: str) -> int:
    """The status of the answer."""
    wanted = urllib.request.Request(f"{cluster_url.rstrip('/')}/{quote(index, safe='')}", method=method)
    try:
        with urllib.request.urlopen(wanted, timeout=60) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


@pytest.mark.parametrize("start", ["a-b_c+d", "é", "ß", "1", "a.", "a%b", "a$b", "a&b", "{a}", "a=b;c'd@e", "漢字"])
def test_name_that_we_take_a_server_takes_with_its_date(cluster_url: str, start: str) -> None:
    index = index_namer(IndexConfig(name=start + uuid.uuid4().hex))(NOVEMBER)
    try:
        assert request(cluster_url, "PUT", index) == 200
    finally:
        request(cluster_url, "DELETE", index)


@pytest.mark.parametrize("letter", ["x", "é", "漢"])
def test_longest_name_that_we_take_a_server_takes_with_its_date(cluster_url: str, letter: str) -> None:
    unique = uuid.uuid4().hex
    name = unique + letter * ((MAX_NAME_BYTES - len("-2026.11.22") - len(unique)) // len(letter.encode()))
    index = index_namer(IndexConfig(name=name))(NOVEMBER)
    try:
        assert request(cluster_url, "PUT", index) == 200
    finally:
        request(cluster_url, "DELETE", index)
    with pytest.raises(ConfigurationError):
        validate_index_name(name + letter)
    assert request(cluster_url, "PUT", "x" * (MAX_NAME_BYTES + 1)) == 400


@pytest.mark.parametrize(
    "name",
    ["A", "É", "-a", "_a", "+a", *(f"a{character}b" for character in '\\/*?"<>| ,#:')],
)
def test_name_that_we_refuse_a_server_refuses(cluster_url: str, name: str) -> None:
    with pytest.raises(ConfigurationError):
        validate_index_name(name)
    assert request(cluster_url, "PUT", name) == 400
