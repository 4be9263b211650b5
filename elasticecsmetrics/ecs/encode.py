"""A document's tree as the bytes that travel: one JSON object in UTF-8 on one line, which every server takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from elasticecsmetrics.ecs.clean import clean
from elasticecsmetrics.ecs.merge import add_labels
from elasticecsmetrics.ecs.text import json_bytes


def encode(tree: Mapping[Any, Any]) -> bytes:
    """Encodes a tree of any content: names, types, numbers and depth are made fit as :mod:`elasticecsmetrics.ecs.clean` says.

    What has no place of its own goes to ``labels``. Never raises; ``tree`` is not changed.
    """
    cleaned = clean(tree)
    add_labels(cleaned.tree, cleaned.aside)
    return encode_plain(cleaned.tree)


def encode_plain(tree: Mapping[str, Any]) -> bytes:
    """Encodes a tree that is plain already, but for lone surrogates, which are written out as ``\\ud800``."""
    return json_bytes(tree)
