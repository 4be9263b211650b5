"""The sentences in which servers name a field that does not fit, each as a server wrote it.

Provoked with the documents that the first column tells of. "ES" is Elasticsearch, "OS" OpenSearch; what a version wrote, the
later ones with the same mark wrote as well: 7 is 7.17.28; 8 is 8.19.0 and 9.1.0; OS is 2.19.1 and 3.1.0.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elasticecsmetrics.cluster.conflicts import conflicting_field

# What was sent, which servers answered so, the type, the reason, the cause, and the field.
SENTENCES = [
    ("text for a number", "ES 7, OS", "mapper_parsing_exception",
     "failed to parse field [a.b] of type [long] in document with id '1'. Preview of field's value: 'abc'",
     'For input string: "abc"', "a.b"),
    ("text for a number", "ES 8", "document_parsing_exception",
     "[1:13] failed to parse field [a.b] of type [long] in document with id '1'. Preview of field's value: 'abc'",
     'For input string: "abc"', "a.b"),
    ("text for a date", "ES 8", "document_parsing_exception",
     "[1:7] failed to parse field [d] of type [date] in document with id '1'. Preview of field's value: 'not a date'",
     "failed to parse date field [not a date] with format [strict_date_optional_time||epoch_millis]", "d"),
    ("object for a keyword", "ES 7, OS", "mapper_parsing_exception",
     "failed to parse field [kw] of type [keyword] in document with id '1'. Preview of field's value: '{x=1}'",
     "Can't get text on a START_OBJECT at 1:8", "kw"),
    ("object for a keyword", "ES 8", "document_parsing_exception",
     "[1:15] failed to parse field [kw] of type [keyword] in document with id '1'. Preview of field's value: '{x=1}'",
     "Expected text at 1:8 but found START_OBJECT", "kw"),
    ("text for an object", "ES 7, OS", "mapper_parsing_exception",
     "object mapping for [host] tried to parse field [host] as object, but found a concrete value", None, "host"),
    ("text for an object", "ES 8", "document_parsing_exception",
     "[1:10] object mapping for [host] tried to parse field [host] as object, but found a concrete value", None, "host"),
    ("text for an inner object", "ES 8", "document_parsing_exception",
     "[1:13] object mapping for [p.q] tried to parse field [q] as object, but found a concrete value", None, "p.q"),
    ("list of texts for an object", "ES 8", "document_parsing_exception",
     "[1:11] object mapping for [host] tried to parse field [null] as object, but found a concrete value", None, "host"),
    ("dotted name below a keyword", "ES 7, OS", "mapper_parsing_exception",
     "Could not dynamically add mapping for field [host.name.first]. Existing mapping for [host.name] must be of type object",
     None, "host.name.first"),
    ("dotted name below a keyword", "ES 8", "document_parsing_exception",
     "[1:21] failed to parse field [host.name] of type [keyword] in document with id '1'. Preview of field's value: '{f=x}'",
     "Can't get text on a START_OBJECT at 1:2", "host.name"),
    ("new list of a number and a text", "ES 7, ES 8, OS", "illegal_argument_exception",
     "mapper [n1] cannot be changed from type [long] to [text]", None, "n1"),
    ("new list of a number and an object", "ES 8", "illegal_argument_exception",
     "mapper [n3] cannot be changed from type [long] to [ObjectMapper]", None, "n3"),
    ("new list of an object and a number", "ES 7, ES 8, OS", "illegal_argument_exception",
     "can't merge a non object mapping [n2] with an object mapping", None, "n2"),
    ("new name both dotted and a number", "ES 7, ES 8, OS", "illegal_argument_exception",
     "can't merge a non object mapping [n6.x] with an object mapping", None, "n6.x"),
    ("unknown field, strict mapping", "ES 7, OS", "strict_dynamic_mapping_exception",
     "mapping set to strict, dynamic introduction of [zzz] within [_doc] is not allowed", None, "zzz"),
    ("unknown inner field, strict mapping", "ES 8", "strict_dynamic_mapping_exception",
     "[1:18] mapping set to strict, dynamic introduction of [yyy] within [user] is not allowed", None, "user.yyy"),
    ("value for an alias", "ES 7, OS", "mapper_parsing_exception",
     "failed to parse", "Cannot write to a field alias [kwo].", "kwo"),
    ("value for an alias", "ES 8", "document_parsing_exception",
     "[1:9] Cannot write to a field alias [kwo].", None, "kwo"),
    ("40,000 letters for a keyword", "ES 7, OS", "illegal_argument_exception",
     'Document contains at least one immense term in field="kw" (whose UTF8 encoding is longer than the max length 32766)',
     "bytes can be at most 32766 in length; got 40000", "kw"),
    ("40,000 letters for a keyword", "ES 8", "document_parsing_exception",
     f"[1:8] failed to parse field [kw] of type [keyword] in document with id '1'. Preview of field's value: '{'x' * 40_000}'",
     'Document contains at least one immense term in field="kw" (whose UTF8 encoding is longer than the max length 32766)',
     "kw"),
    ("number beyond a long", "ES 7", "mapper_parsing_exception",
     "failed to parse field [a.b] of type [long] in document with id '1'. Preview of field's value: '1180591620717411303424'",
     "Numeric value (1180591620717411303424) out of range of long (-9223372036854775808 - 9223372036854775807)", "a.b"),
    ("name of metadata", "ES 7, OS", "mapper_parsing_exception",
     "failed to parse field [_id] of type [_id] in document with id '1'. Preview of field's value: 'x'",
     "Field [_id] is a metadata field and cannot be added inside a document. Use the index API request parameters.", "_id"),
    ("empty name", "ES 7", "mapper_parsing_exception", "failed to parse", "field name cannot be an empty string", None),
    ("too many fields", "ES 8", "document_parsing_exception",
     "[1:385] failed to parse: Limit of total fields [60] has been exceeded while adding new fields [37]", None, None),
    ("too deep", "OS", "mapper_parsing_exception", "failed to parse",
     "The depth of the field has exceeded the allowed limit of [20].", None),
    ("no such pipeline", "ES 7, ES 8, OS", "illegal_argument_exception", "pipeline with id [nope] does not exist", None, None),
    ("op of a data stream", "OS", "illegal_argument_exception",
     "only write ops with an op_type of create are allowed in data streams", None, None),
]  # fmt: skip


@pytest.mark.parametrize(
    ("type_", "reason", "cause", "field"),
    [sentence[2:] for sentence in SENTENCES],
    ids=[f"{what} ({where})" for what, where, *_ in SENTENCES],
)
def test_field_is_read_from_the_servers_sentence(type_: str, reason: str, cause: str | None, field: str | None) -> None:
    error: dict[str, Any] = {"type": type_, "reason": reason}
    if cause is not None:
        error["caused_by"] = {"type": "illegal_argument_exception", "reason": cause}
    assert conflicting_field(error) == field


def test_name_with_brackets_is_read_whole() -> None:
    assert conflicting_field({"reason": "failed to parse field [we]ird[0]] of type [long] in document"}) == "we]ird[0]"


@pytest.mark.parametrize(
    "error", [None, "text", [], {}, {"reason": None}, {"reason": 5}, {"caused_by": "text"}, {"caused_by": {}}]
)
def test_error_of_another_form_names_no_field(error: Any) -> None:
    assert conflicting_field(error) is None


def test_quoted_value_is_not_taken_for_a_sentence_of_the_server() -> None:
    quoted = "failed to parse field [b] of type [long]"
    reason = f"failed to parse field [a] of type [long] in document with id '1'. Preview of field's value: '{quoted}'"
    assert conflicting_field({"reason": reason}) == "a"


@given(st.recursive(st.none() | st.text(), lambda inner: st.dictionaries(st.sampled_from(["reason", "caused_by"]), inner)))
def test_any_error_is_read(error: Any) -> None:
    field = conflicting_field(error)
    assert field is None or field
