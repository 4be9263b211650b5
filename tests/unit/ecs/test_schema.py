from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path

import pytest

from elasticecsmetrics.ecs import schema

REMOVED = Path(__file__).parent / "data" / "removed.tsv"


def test_the_names_in_code_are_those_of_the_tables():
    assert {name for name, info in schema.objects().items() if info.top_level} == schema.TOP_LEVEL_OBJECTS
    assert {name for name in schema.fields() if "." not in name} - schema.TOP_LEVEL_OBJECTS == schema.TOP_LEVEL_LEAVES


def test_the_whole_of_ecs_is_there():
    assert len(schema.fields()) == 2605
    assert len(schema.objects()) == 809


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("message", schema.Field("message", "match_only_text", False, None, True, True, (), "", ())),
        ("event.duration", schema.Field("event.duration", "long", False, None, True, True, (), "input_format=nanoseconds", ())),
        (
            "event.outcome",
            schema.Field("event.outcome", "keyword", False, 1024, True, True, (), "", ("failure", "success", "unknown")),
        ),
        ("event.original", schema.Field("event.original", "keyword", False, None, False, False, (), "", ())),
        ("tags", schema.Field("tags", "keyword", True, 1024, True, True, (), "synthetic_source_keep=none", ())),
    ],
)
def test_a_field_has_what_its_row_says(name, expected):
    assert schema.fields()[name] == expected


def test_multi_fields_are_pairs_of_name_and_type():
    assert schema.fields()["process.name"].multi_fields == (("text", "match_only_text"),)


def test_every_leaf_stands_below_objects_only():
    for name in schema.fields():
        parts = name.split(".")
        for length in range(1, len(parts)):
            assert ".".join(parts[:length]) in schema.objects()


def test_what_left_ecs_is_not_taken_for_ecs():
    with REMOVED.open(encoding="utf-8", newline="") as lines:
        removed = [row["field"] for row in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)]
    assert len(removed) == 153
    assert not set(removed) & set(schema.fields())


def test_the_tables_cannot_be_changed_by_their_readers():
    with pytest.raises(TypeError):
        schema.fields()["message"] = schema.fields()["tags"]  # type: ignore[index]


def test_a_log_call_without_ecs_names_never_reads_the_tables():
    program = """
import logging
from elasticecsmetrics.config import DocumentConfig
from elasticecsmetrics.ecs import schema
from elasticecsmetrics.ecs.builder import DocumentBuilder
builder = DocumentBuilder(DocumentConfig(service_name="shop"), name_index=lambda ns: "x")
record = logging.LogRecord("app", 20, "a.py", 1, "hello", (), None)
record.__dict__.update(order=42, note="x", nested={"a.b": 1})
builder.log(record)
builder.metric("m", 0, 1, fields={"order": 1})
print(schema.fields.cache_info().misses, schema.objects.cache_info().misses)
record.user = "bob"
builder.log(record)
builder.log(record)
print(schema.fields.cache_info().misses, schema.objects.cache_info().misses)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["0", "0", "1", "1"]
