"""Parameters from the environment."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from elasticecsmetrics import ConfigurationError, ElasticECSMetricsLogger
from elasticecsmetrics.environment import PARAMETERS, SECRETS, read


@pytest.mark.parametrize(
    ("parameter", "text", "value"),
    [
        ("hosts", "http://a:9200,http://b:9200", "http://a:9200,http://b:9200"),
        ("hosts", '[{"host": "a", "port": 1}]', [{"host": "a", "port": 1}]),
        ("auth_details", "user:pass:word", "user:pass:word"),
        ("auth_details", '["user", "password"]', ["user", "password"]),
        ("level", "info", "INFO"),
        ("level", "10", 10),
        ("use_ssl", "Yes", True),
        ("verify_ssl", "0", False),
        ("buffer_size", "12", 12),
        ("flush_frequency_in_sec", "0.5", 0.5),
        ("flush_frequency_in_sec", "2", 2),
        ("es_additional_fields", '{"labels": {"a": "b"}}', {"labels": {"a": "b"}}),
    ],
)
def test_each_kind_is_read_as_its_own_type(parameter: str, text: str, value: object) -> None:
    found = read(parameter, {f"ELASTICECSMETRICS_{parameter.upper()}": text})
    assert found == value
    assert type(found) is type(value)


def test_what_is_not_set_is_none() -> None:
    assert read("hosts", {}) is None


def test_every_parameter_of_the_constructor_can_come_from_the_environment() -> None:
    parameters = set(inspect.signature(ElasticECSMetricsLogger.__init__).parameters) - {"self"}
    assert parameters == set(PARAMETERS)


@pytest.mark.parametrize("parameter", sorted(SECRETS))
def test_a_secret_may_stand_in_a_file(parameter: str, tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("value\n")
    assert read(parameter, {f"ELASTICECSMETRICS_{parameter.upper()}_FILE": str(path)}) == "value"


def test_the_variable_goes_before_the_file(tmp_path: Path) -> None:
    environ = {"ELASTICECSMETRICS_API_KEY": "direct", "ELASTICECSMETRICS_API_KEY_FILE": str(tmp_path / "missing")}
    assert read("api_key", environ) == "direct"


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"ELASTICECSMETRICS_API_KEY_FILE='.*missing'"):
        read("api_key", {"ELASTICECSMETRICS_API_KEY_FILE": str(tmp_path / "missing")})


@pytest.mark.parametrize(
    ("parameter", "text"), [("use_ssl", "perhaps"), ("level", "loud"), ("buffer_size", "1.5"), ("es_additional_fields", "{")]
)
def test_a_value_of_the_wrong_kind_is_named(parameter: str, text: str) -> None:
    with pytest.raises(ConfigurationError, match=f"ELASTICECSMETRICS_{parameter.upper()}="):
        read(parameter, {f"ELASTICECSMETRICS_{parameter.upper()}": text})
