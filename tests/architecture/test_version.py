"""One version, written in one place, and a change log that speaks of it."""

from __future__ import annotations

import re
from pathlib import Path

import elasticecsmetrics

ROOT = Path(__file__).resolve().parents[2]


def test_the_version_is_one_that_packaging_tools_take() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+((a|b|rc|\.dev)\d+)?", elasticecsmetrics.__version__)


def test_the_change_log_begins_with_this_version() -> None:
    text = (ROOT / "CHANGELOG.rst").read_text(encoding="utf-8")
    headings = re.findall(r"^(\d+\.\d+\.\d+\S*)(?: \(.*\))?\n-+$", text, re.MULTILINE)
    assert headings, "no version heading in CHANGELOG.rst"
    assert headings[0] == elasticecsmetrics.__version__
