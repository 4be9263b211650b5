"""Field types: which of the types that ECS asks for a server knows, and what stands in for those it does not.

One unknown type makes a server refuse a whole template, so the types are chosen before a template is built: for the files in
``mappings/`` by what the stock distributions have, at run time by asking the server (:mod:`~elasticecsmetrics.indexing.probe`).
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

#: Characters of a keyword of the user's own that are indexed: as ECS has it for nearly all of its own.
KEYWORD_LIMIT = 1024

#: Characters of a keyword in the place of a wildcard, which is there for long values: Lucene refuses a term, and with it the
#: document, above 32,766 bytes, and a character has at most 4 (Elasticsearch's manual, "ignore_above").
LONG_KEYWORD_LIMIT = 8191

#: The setting by which a server keeps a document whose new names no longer fit under the limit of fields, leaving those names
#: unindexed; without it the document is refused.
IGNORE_BEYOND_LIMIT = "ignore_dynamic_beyond_limit"

#: For each ECS type that some server lacks: what maps it, the best first. The last one every server knows.
_ALTERNATIVES: Mapping[str, tuple[Mapping[str, Any], ...]] = MappingProxyType(
    {
        "wildcard": ({"type": "wildcard"}, {"type": "keyword", "ignore_above": LONG_KEYWORD_LIMIT}),
        "match_only_text": ({"type": "match_only_text"}, {"type": "text", "norms": False}),
        "constant_keyword": ({"type": "constant_keyword"}, {"type": "keyword", "ignore_above": KEYWORD_LIMIT}),
        "flattened": ({"type": "flattened"}, {"type": "flat_object"}, {"type": "object", "enabled": False}),
        "scaled_float": ({"type": "scaled_float"}, {"type": "double"}),
    }
)

#: The types that have to be asked for: every alternative but the last of each.
OPTIONAL_TYPES: frozenset[str] = frozenset(
    alternative["type"] for alternatives in _ALTERNATIVES.values() for alternative in alternatives[:-1]
)


@dataclass(frozen=True, slots=True)
class FieldTypes:
    """What one kind of server is told in the place of each ECS type."""

    supported: frozenset[str]
    """Those of :data:`OPTIONAL_TYPES` that it knows, and :data:`IGNORE_BEYOND_LIMIT` if it knows that."""

    def mapping(self, ecs_type: str) -> dict[str, Any]:
        """The mapping parameters for a field of this ECS type, ``type`` among them. The caller may add to them."""
        alternatives = _ALTERNATIVES.get(ecs_type)
        if alternatives is None:
            return {"type": ecs_type}
        known = (alternative for alternative in alternatives[:-1] if alternative["type"] in self.supported)
        return dict(next(known, alternatives[-1]))


def choose_types(supported: AbstractSet[str]) -> FieldTypes:
    """The types for a server that knows these of :data:`OPTIONAL_TYPES`; other names are left out of account."""
    return FieldTypes(frozenset(supported) & (OPTIONAL_TYPES | {IGNORE_BEYOND_LIMIT}))


#: The default distribution of Elasticsearch, 7.14 (``match_only_text``) and newer. The setting is left out: it came with 8.14.
ELASTICSEARCH = choose_types({"wildcard", "match_only_text", "constant_keyword", "flattened", "scaled_float"})

#: The default distribution of OpenSearch, 2.15 (``wildcard``) and newer. Its ``constant_keyword`` wants the value in the
#: mapping, which no template can know, so a keyword stands in for it.
OPENSEARCH = choose_types({"wildcard", "match_only_text", "flat_object", "scaled_float"})
