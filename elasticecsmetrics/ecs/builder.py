"""Documents made: from a log record or a timed block to the finished bytes, whatever the record holds.

A document is put together in layers, each merged over the one before by the rules of :mod:`elasticecsmetrics.ecs.merge`:

1. what the record or the block itself says;
2. the constant part with the user's additional fields (:mod:`elasticecsmetrics.ecs.context`);
3. the extras of the call, or the fields of the timer;
4. the fields from the environment.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from elasticecsmetrics._version import __version__
from elasticecsmetrics.clock import SYSTEM_CLOCK, Clock
from elasticecsmetrics.config import DocumentConfig
from elasticecsmetrics.ecs import error as errors
from elasticecsmetrics.ecs import identity, timestamp
from elasticecsmetrics.ecs.clean import Aside, clean
from elasticecsmetrics.ecs.context import AGENT_TYPE, EnvironmentFields, static_fields
from elasticecsmetrics.ecs.encode import encode, encode_plain
from elasticecsmetrics.ecs.logrecord import extras, level_text, log_tree, raw_message
from elasticecsmetrics.ecs.merge import ERROR_OWNED, LOG_OWNED, METRIC_OWNED, add_labels, merge_cleaned, united
from elasticecsmetrics.ecs.metric import metric_tree
from elasticecsmetrics.ecs.schema import ECS_VERSION
from elasticecsmetrics.ecs.text import class_name, json_bytes, safe_repr, safe_str
from elasticecsmetrics.model.document import CREATE, Document


class BuiltLog(NamedTuple):
    """A log record's document, and what went wrong on the way to it."""

    document: Document
    failure: Exception | None
    """Why the message could not be formatted, or the document not be built as it should be; None when all went well."""


class _Constant(NamedTuple):
    """The constant parts of one process's documents."""

    ephemeral_id: str
    log: dict[str, Any]
    metric: dict[str, Any]


class DocumentBuilder:
    """Makes documents for one handler. Any number of threads may use it at once; it needs no lock.

    Its state does not change after construction, but for the constant part, which is made anew in a forked child.
    """

    def __init__(
        self,
        config: DocumentConfig,
        *,
        name_index: Callable[[int], str],
        host_ips: tuple[str, ...] = (),
        clock: Clock = SYSTEM_CLOCK,
        new_id: Callable[[], str] = identity.new_id,
    ) -> None:
        """Prepares the constant parts.

        Args:
            config: the user's part of the documents; later changes of its mappings have no effect.
            name_index: from a document's time, in nanoseconds since 1970, to the name of its index.
            host_ips: ``host.ip``.
            clock: gives ``event.created``.
            new_id: gives each document's ``_id``.
        """
        self._config = config
        self._name_index = name_index
        self._host_ips = host_ips
        self._clock = clock
        self._new_id = new_id
        # Cleaning copies, which keeps the user's later changes out.
        self._additional = clean(config.additional_fields)
        self._environment = EnvironmentFields(config.additional_fields_in_env)
        self._constant = self._make_constant()

    def log(self, record: logging.LogRecord, message: str | None = None) -> BuiltLog:
        """The document of a log record. Never raises for anything that the record holds.

        Args:
            record: is not changed.
            message: the text that the handler's formatter made of it; None: the record's own message.
        """
        try:
            taken = self._clock.wall_ns()
            time, tree, moved, failure = log_tree(record, taken, message)
            protect = _LOG_WITH_ERROR if "error" in tree else LOG_OWNED
            tree = _layered(tree, self._current().log)
            body = self._finished(tree, extras(record), protect, moved)
            return BuiltLog(self._document(time, body), failure)
        except Exception as unforeseen:  # noqa: BLE001 - a record is never lost to a fault of ours or of a user's type
            try:
                return BuiltLog(self._remains(raw_message(record), _level(record), record.__dict__, unforeseen), unforeseen)
            except Exception:  # noqa: BLE001 - at the end of the stack, or where the reason itself cannot be told
                return BuiltLog(self._bare(record.__dict__.get("msg"), record.__dict__.get("levelname")), unforeseen)

    def metric(
        self,
        name: str,
        start_ns: int,
        duration_ns: int,
        *,
        outcome: str | None = None,
        error: BaseException | None = None,
        fields: Mapping[str, Any] | None = None,
    ) -> Document:
        """The document of a timed block. Never raises for anything that its fields hold.

        Args:
            name: ``metrics.name``.
            start_ns: when it began, in nanoseconds since 1970.
            duration_ns: how long it took, in nanoseconds, not negative.
            outcome: ``success``, ``failure`` or ``unknown``; None: ``failure`` when there is an error, else not said.
            error: what the block raised.
            fields: the user's fields; not changed.
        """
        given: Mapping[str, Any] = {} if fields is None else fields
        try:
            tree, moved = metric_tree(
                name, start_ns, duration_ns, taken_ns=self._clock.wall_ns(), outcome=outcome, error=error, fields=given
            )
            tree = _layered(tree, self._current().metric)
            body = self._finished(tree, given, METRIC_OWNED if error is None else _METRIC_WITH_ERROR, moved)
            return self._document(start_ns, body)
        except Exception as unforeseen:  # noqa: BLE001 - as above
            facts = {"name": name, "start_ns": start_ns, "duration_ns": duration_ns, "outcome": outcome, "fields": given}
            try:
                return self._remains(safe_str(name), "error", facts, unforeseen)
            except Exception:  # noqa: BLE001 - as above
                return self._bare(name, "error")

    def _finished(self, tree: dict[str, Any], given: Mapping[str, Any], protect: frozenset[str], moved: list[Aside]) -> bytes:
        if given:
            merge_cleaned(tree, clean(given), protect=protect)
        from_environment = self._environment.read()
        if from_environment:
            merge_cleaned(tree, clean(from_environment), protect=protect)
        if moved:
            add_labels(tree, moved)
        return encode_plain(tree)

    def _document(self, time: int, body: bytes) -> Document:
        return Document(self._new_id(), time, self._name_index(time), CREATE, body)

    def _current(self) -> _Constant:
        constant = self._constant
        if constant.ephemeral_id is not identity.ephemeral_id():
            # Several threads may do this at once after a fork; each result is the same.
            self._constant = constant = self._make_constant()
        return constant

    def _make_constant(self) -> _Constant:
        def constant(owned: frozenset[str]) -> dict[str, Any]:
            return static_fields(
                self._config,
                agent_type=AGENT_TYPE,
                agent_version=__version__,
                host_ips=self._host_ips,
                additional=self._additional,
                owned=owned,
            )

        return _Constant(identity.ephemeral_id(), constant(LOG_OWNED), constant(METRIC_OWNED))

    def _remains(self, message: str, level: str, facts: Mapping[str, Any], reason: Exception) -> Document:
        """What can still be said when building the document failed: the message, the reprs of the facts, and the reason."""
        time = self._clock.wall_ns()
        tree = {
            "@timestamp": timestamp.render(time),
            "log": {"level": level},
            "message": message,
            "ecs": {"version": ECS_VERSION},
            "event": {"kind": "event", "created": timestamp.render(time)},
            "error": errors.from_exception(reason),
            "labels": {safe_str(name): safe_repr(value) for name, value in facts.items() if value is not None},
        }
        return self._document(time, encode(tree))

    def _bare(self, message: object, level: object) -> Document:
        """The least that is a document: message, level and time. Calls as little as can be: the stack may be all but full."""
        time = self._clock.wall_ns()
        text = message if type(message) is str else f"<{class_name(type(message))}>"
        tree = {
            "@timestamp": timestamp.render(time),
            "log": {"level": level.lower() if type(level) is str else "notset"},
            "message": text,
            "ecs": {"version": ECS_VERSION},
        }
        return Document(self._new_id(), time, self._name_index(time), CREATE, json_bytes(tree))


_LOG_WITH_ERROR: Final = LOG_OWNED | ERROR_OWNED
_METRIC_WITH_ERROR: Final = METRIC_OWNED | ERROR_OWNED


def _layered(tree: dict[str, Any], constant: Mapping[str, Any]) -> dict[str, Any]:
    # The objects of the constant part are shared by all documents: merging replaces what it changes.
    for name, part in constant.items():
        own = tree.get(name)
        if own is None:
            tree[name] = part
        else:
            # An exception outdoes a constant text about errors; otherwise the user's constant leaf wins.
            tree[name] = united(part, own) if name == "error" else united(own, part)
    return tree


def _level(record: logging.LogRecord) -> str:
    attributes = record.__dict__
    return level_text(attributes.get("levelname"), attributes.get("levelno"))
