"""Parameters from the environment: ``ELASTICECSMETRICS_`` and the parameter's name in capitals.

Lists and dicts are JSON. A secret may also stand in a file that ``ELASTICECSMETRICS_<NAME>_FILE`` names, as container
platforms mount them. A variable that is empty counts as not set. An argument goes before the environment, the environment
before the default.
"""

from __future__ import annotations

import functools
import inspect
import json
import logging
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar, cast

from elasticecsmetrics.config import boolean
from elasticecsmetrics.errors import ConfigurationError

PREFIX = "ELASTICECSMETRICS_"

_Constructor = TypeVar("_Constructor", bound=Callable[..., None])


def _boolean(text: str) -> bool:
    try:
        return boolean(text, "")
    except ConfigurationError:
        raise ValueError("expected true or false") from None


def _json(text: str) -> Any:
    return json.loads(text)


def _json_or_text(text: str) -> Any:
    return json.loads(text) if text.lstrip().startswith(("[", "{")) else text


def _pair(text: str) -> Any:
    return json.loads(text) if text.lstrip().startswith("[") else text


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ValueError("expected a whole number") from None


def _number(text: str) -> float:
    return int(text) if text.strip().lstrip("+-").isdigit() else float(text)


def _level(text: str) -> int | str:
    level: int | str = int(text) if text.strip().isdigit() else text.strip().upper()
    if isinstance(level, str) and level not in logging.getLevelNamesMapping():
        raise ValueError(f"expected a number or one of {', '.join(logging.getLevelNamesMapping())}")
    return level


#: How each parameter is read. What is not named here cannot come from the environment.
PARAMETERS: Mapping[str, Callable[[str], Any]] = {
    "hosts": _json_or_text,
    "auth_details": _pair,
    "aws_access_key": str,
    "aws_secret_key": str,
    "aws_region": str,
    "auth_type": str,
    "use_ssl": _boolean,
    "verify_ssl": _boolean,
    "buffer_size": _whole,
    "flush_frequency_in_sec": _number,
    "es_index_name": str,
    "index_name_frequency": str,
    "es_additional_fields": _json,
    "es_additional_fields_in_env": _json,
    "flush_failure_folder": str,
    "level": _level,
    "store": str,
    "api_key": str,
    "ca_certs": str,
    "request_timeout": _number,
    "http_compress": _boolean,
    "batch_bytes": _whole,
    "max_buffered": _whole,
    "max_buffered_bytes": _whole,
    "max_in_flight": _whole,
    "flush_timeout": _number,
    "close_timeout": _number,
    "durability": str,
    "spool_max_bytes": _whole,
    "spool_max_age": _number,
    "spool_min_free_bytes": _whole,
    "drain": _boolean,
    "service_name": str,
    "service_version": str,
    "service_environment": str,
    "service_node_name": str,
    "event_dataset": str,
}

#: What may also come from a mounted file.
SECRETS = frozenset({"auth_details", "aws_access_key", "aws_secret_key", "api_key", "hosts", "store"})


def read(parameter: str, environ: Mapping[str, str] | None = None) -> Any:
    """The parameter's value in the environment, or None where it is not set.

    Raises:
        ConfigurationError: the value cannot be read as the parameter's type, or the named file cannot be read. A secret is
            not shown.
    """
    environ = os.environ if environ is None else environ
    variable = PREFIX + parameter.upper()
    text = environ.get(variable) or None  # set but empty is how many tools write "not set"
    if text is None and parameter in SECRETS and (path := environ.get(variable + "_FILE")) is not None:
        text = _from_file(variable + "_FILE", path)
    if text is None:
        return None
    try:
        return PARAMETERS[parameter](text)
    except ValueError as error:
        shown = "(not shown)" if parameter in SECRETS else repr(text)
        raise ConfigurationError(f"{variable}={shown}: {error}") from None


def _from_file(variable: str, path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{variable}={path!r}: cannot be read: {error}") from None


def fills_in(constructor: _Constructor) -> _Constructor:
    """Decorates a constructor: what the caller did not give comes from the environment, where it is set.

    A parameter that excludes another one (``hosts`` and ``store``) is not taken from the environment beside it.
    """
    names = tuple(inspect.signature(constructor).parameters)[1:]
    readable = tuple(name for name in names if name in PARAMETERS)

    @functools.wraps(constructor)
    def wrapper(self: Any, *args: Any, **kwargs: Any) -> None:
        given = {*names[: len(args)], *kwargs}
        if given & {"hosts", "store"}:
            given |= {"hosts", "store"}
        found = {name: value for name in readable if name not in given and (value := read(name)) is not None}
        constructor(self, *args, **kwargs, **found)

    return cast("_Constructor", wrapper)
