"""The public names are sorted, are there, and are all there is."""

from __future__ import annotations

import subprocess
import sys

import elasticecsmetrics


def test_the_list_of_public_names_is_sorted_and_has_no_double() -> None:
    assert list(elasticecsmetrics.__all__) == sorted(set(elasticecsmetrics.__all__))


def test_every_public_name_can_be_imported() -> None:
    missing = [name for name in elasticecsmetrics.__all__ if not hasattr(elasticecsmetrics, name)]
    assert not missing


def test_a_star_import_brings_exactly_the_public_names() -> None:
    code = "before = set(globals()); from elasticecsmetrics import *; print(*sorted(set(globals()) - before - {'before'}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [name for name in elasticecsmetrics.__all__ if name in done.stdout.split()]
    assert set(done.stdout.split()) == set(elasticecsmetrics.__all__)


def test_names_of_elasticecsmetrics_1_are_still_there() -> None:
    assert {"ElasticECSMetricsLogger", "NaiveDatetimeError", "now"} <= set(elasticecsmetrics.__all__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    assert not hasattr(elasticecsmetrics, "no_such_name")
