"""Asking a server which field types it knows, by letting it check templates without storing them.

The call is ``POST /_index_template/_simulate``: measured on Elasticsearch 7.17.28, 8.19.0 and 9.1.0 and OpenSearch 2.19.1 and
3.1.0, it answers 400 to a template with an unknown type, parameter or setting, 200 to any other, and leaves nothing behind. It
needs the privilege that installing a template needs. Versions alone do not tell: modules may be missing from a build.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from elasticecsmetrics.errors import StoreRefusedError
from elasticecsmetrics.indexing.fieldtypes import IGNORE_BEYOND_LIMIT, OPTIONAL_TYPES

SIMULATE = "/_index_template/_simulate"

Ask = Callable[[str, str, bytes], int]
"""Sends one request (method, target, JSON body) and returns the HTTP status of the answer; raises what it wants for none."""

# A server refuses a simulated template, too, when one of the same priority and with overlapping patterns is installed. Nobody
# has this pattern, nor for "*" this priority (the largest are 500 and a few above).
_PATTERN = "elasticecsmetrics-probe-*"
_PRIORITY = 1_073_741_823

_REQUIRED_PARAMETERS: Mapping[str, Mapping[str, Any]] = {"scaled_float": {"scaling_factor": 1000}}


def supported_types(ask: Ask) -> frozenset[str]:
    """What :func:`~elasticecsmetrics.indexing.fieldtypes.choose_types` needs to know of this server.

    One request for each optional type and setting, and two before them: a type that every server knows and one that none
    does, so that yes and no are known to mean something.

    Raises:
        StoreRefusedError: the server does not judge templates for us: no right, no such call, or an answer that tells nothing.
    """
    if not _takes(ask, _mapped("keyword")):
        raise StoreRefusedError(f"POST {SIMULATE} refuses a template with nothing but a keyword", status=400)
    if _takes(ask, _mapped("no_such_type")):
        raise StoreRefusedError(f"POST {SIMULATE} takes a template with a type that does not exist: it checks nothing")
    types = {type_ for type_ in sorted(OPTIONAL_TYPES) if _takes(ask, _mapped(type_))}
    limit = {"settings": {"index": {"mapping": {"total_fields": {IGNORE_BEYOND_LIMIT: True}}}}}
    return frozenset(types | ({IGNORE_BEYOND_LIMIT} if _takes(ask, limit) else set()))


def _mapped(type_: str) -> dict[str, Any]:
    return {"mappings": {"properties": {"field": {"type": type_, **_REQUIRED_PARAMETERS.get(type_, {})}}}}


def _takes(ask: Ask, template: Mapping[str, Any]) -> bool:
    body = {"index_patterns": [_PATTERN], "priority": _PRIORITY, "template": template}
    status = ask("POST", SIMULATE, json.dumps(body).encode())
    if status not in {200, 400}:
        raise StoreRefusedError(
            f"POST {SIMULATE} answered {status}: cannot tell which field types the server knows "
            "(the login needs the privilege to manage index templates)",
            status=status,
        )
    return status == 200
