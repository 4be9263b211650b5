"""``ElasticECSMetricsLogger``: the ``logging.Handler`` that is also the logger of time metrics.

It owns the way from a log record or a measured time to a document in the pipeline, and nothing beyond. The first fifteen
parameters, the methods and the two enums are those of ElasticECSMetrics.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from elasticecsmetrics import config, environment, wiring
from elasticecsmetrics.config import MIB
from elasticecsmetrics.delivery.diagnostics import LOGGER_NAME, Diagnostics
from elasticecsmetrics.delivery.inside import inside
from elasticecsmetrics.delivery.pipeline import Pipeline
from elasticecsmetrics.delivery.spool import Spool
from elasticecsmetrics.delivery.stats import Stats
from elasticecsmetrics.ecs import timestamp
from elasticecsmetrics.ecs.builder import DocumentBuilder
from elasticecsmetrics.errors import ConfigurationError, SpoolError, StoreError
from elasticecsmetrics.indexing.naming import index_namer, validate_index_name
from elasticecsmetrics.model.store import Store
from elasticecsmetrics.timer import TimedBlock

#: A record whose making logs again (a ``__str__`` that logs) is taken this deep, a deeper one is ignored.
MAX_DEPTH = 3

#: Microseconds, above which nanoseconds do not fit the 64 bits of ``event.duration``.
LONGEST_TIME_US = 9_223_372_036_854_775

_NO_FIELDS: Mapping[str, Any] = {}


class ElasticECSMetricsLogger(logging.Handler):
    """Sends log records and time metrics as ECS documents to Elasticsearch, OpenSearch or an SQL database.

    The log call builds the document and puts it into a bounded buffer; it never waits for the network and never raises.
    Every parameter may also come from the environment (``ELASTICECSMETRICS_`` and its name in capitals).
    """

    AuthType = config.AuthType
    IndexNameFrequency = config.IndexNameFrequency

    @environment.fills_in
    def __init__(
        self,
        hosts: Any = wiring.DEFAULT_HOSTS,
        auth_details: Sequence[str] | str = ("", ""),
        aws_access_key: str = "",
        aws_secret_key: str = "",
        aws_region: str = "",
        auth_type: config.AuthType | str = config.AuthType.NO_AUTH,
        use_ssl: bool = False,
        verify_ssl: bool = True,
        buffer_size: int = 1000,
        flush_frequency_in_sec: float = 1,
        es_index_name: str = "python_metrics",
        index_name_frequency: config.IndexNameFrequency | str = config.IndexNameFrequency.DAILY,
        es_additional_fields: Mapping[str, Any] = _NO_FIELDS,
        es_additional_fields_in_env: Mapping[str, Any] = _NO_FIELDS,
        flush_failure_folder: str | Path | None = None,
        *,
        level: int | str = logging.NOTSET,
        store: str | Store | None = None,
        api_key: str = "",
        ca_certs: str | None = None,
        request_timeout: float = 10.0,
        http_compress: bool = False,
        batch_bytes: int = 5 * MIB,
        max_buffered: int = 100_000,
        max_buffered_bytes: int = 64 * MIB,
        max_in_flight: int = 1,
        flush_timeout: float = 10.0,
        close_timeout: float = 5.0,
        durability: str = "memory",
        spool_max_bytes: int | None = None,
        spool_max_age: float | None = None,
        spool_min_free_bytes: int = 100 * MIB,
        drain: bool = True,
        service_name: str | None = None,
        service_version: str | None = None,
        service_environment: str | None = None,
        service_node_name: str | None = None,
        event_dataset: str | None = None,
    ) -> None:
        """
        Args:
            hosts: where the cluster is: a URL, a list of URLs, a comma list, or dicts with ``host`` and ``port``.
            auth_details: user and password, for BASIC_AUTH.
            aws_access_key: for AWS_SIGNED_AUTH.
            aws_secret_key: for AWS_SIGNED_AUTH.
            aws_region: for AWS_SIGNED_AUTH.
            auth_type: a member of :class:`AuthType`, or its name in any case.
            use_ssl: https for hosts that name no scheme.
            verify_ssl: whether the server's certificate is verified.
            buffer_size: documents that make a batch due.
            flush_frequency_in_sec: seconds after which a document waits no longer.
            es_index_name: the index's name without its date.
            index_name_frequency: a member of :class:`IndexNameFrequency`, or its name in any case.
            es_additional_fields: nested fields for every document.
            es_additional_fields_in_env: the same nesting, with names of variables for values, read at each document.
            flush_failure_folder: where documents wait that the store does not take; None: nowhere.
            level: as of every handler.
            store: a store's URL (``sqlite:///metrics.db``) or a store, instead of ``hosts``.
            api_key: encoded, as Elasticsearch answers it, or ``id:key``.
            ca_certs: path of the CA's certificates in PEM.
            request_timeout: seconds for one request.
            http_compress: whether requests are gzipped.
            batch_bytes: bytes that make a batch due.
            max_buffered: documents held in memory at the most.
            max_buffered_bytes: bytes held in memory at the most.
            max_in_flight: requests under way at once.
            flush_timeout: seconds that ``flush()`` takes at the most.
            close_timeout: seconds that ``close()`` and the interpreter's exit take at the most.
            durability: ``"memory"``: what is not yet sent or spooled is lost when the process is killed.
            spool_max_bytes: bytes in the failure folder, above which its oldest files go.
            spool_max_age: seconds after which a file of the failure folder goes.
            spool_min_free_bytes: bytes of the folder's disk that are left free.
            drain: whether the failure folder is brought to the store once it answers again.
            service_name: ``service.name``; the other three likewise.
            service_version: see there.
            service_environment: see there.
            service_node_name: see there.
            event_dataset: ``event.dataset``; None: the service's name.

        Raises:
            ConfigurationError: (a ValueError) a value that cannot work; names the parameter and the remedy.
            MissingExtraError: (an ImportError) an optional package is needed; names the extra.
        """
        use_ssl, verify_ssl, http_compress, drain = (
            config.boolean(value, name)
            for value, name in (
                (use_ssl, "use_ssl"), (verify_ssl, "verify_ssl"), (http_compress, "http_compress"), (drain, "drain")
            )
        )  # fmt: skip
        _check_shapes(locals())
        if durability != "memory":
            raise ConfigurationError(f"durability={durability!r}: expected 'memory'")
        if hosts is not wiring.DEFAULT_HOSTS and hosts is not None and store is not None:
            raise ConfigurationError("hosts and store are both given: each names where documents go, so give one of them")
        self._keep_attributes(locals())
        index_config = config.IndexConfig(name=es_index_name, frequency=self.index_name_frequency)
        validate_index_name(es_index_name)
        delivery_config = config.DeliveryConfig(
            buffer_size=buffer_size,
            batch_bytes=batch_bytes,
            flush_frequency=flush_frequency_in_sec,
            max_buffered=max_buffered,
            max_buffered_bytes=max_buffered_bytes,
            max_in_flight=max_in_flight,
            flush_timeout=flush_timeout,
            close_timeout=close_timeout,
        )
        document_config = config.DocumentConfig(
            service_name=service_name,
            service_version=service_version,
            service_environment=service_environment,
            service_node_name=service_node_name,
            dataset=event_dataset,
            additional_fields=es_additional_fields,
            additional_fields_in_env=es_additional_fields_in_env,
        )
        self._builder = DocumentBuilder(document_config, name_index=index_namer(index_config), host_ips=wiring.host_addresses())
        self._store = wiring.open_store(
            store=store,
            hosts=None if store is not None else wiring.DEFAULT_HOSTS if hosts is None else hosts,
            auth_type=auth_type,
            auth_details=auth_details,
            api_key=api_key,
            aws_access_key=aws_access_key,
            aws_secret_key=aws_secret_key,
            aws_region=aws_region,
            use_ssl=use_ssl,
            verify_ssl=verify_ssl,
            ca_certs=ca_certs,
            request_timeout=request_timeout,
            http_compress=http_compress,
            connections=max_in_flight,
        )
        diagnostics = Diagnostics()
        spool = None
        if flush_failure_folder is not None:
            spool = Spool(
                config.SpoolConfig(
                    folder=Path(flush_failure_folder),
                    max_bytes=spool_max_bytes,
                    max_age=spool_max_age,
                    min_free_bytes=spool_min_free_bytes,
                )
            )
            _prepare(spool, diagnostics)
        self._ignored = 0
        self._pipeline = Pipeline(self._store, config=delivery_config, spool=spool, drain=drain, diagnostics=diagnostics)
        # Last: it makes the handler known to logging.shutdown, which must not find one that is not complete.
        super().__init__(level)

    def _keep_attributes(self, given: Mapping[str, Any]) -> None:
        """The attributes of ElasticECSMetrics: its parameters' names, but ``verify_certs`` for ``verify_ssl``."""
        self.hosts = given["hosts"]
        self.auth_details = given["auth_details"]
        self.aws_access_key = given["aws_access_key"]
        self.aws_secret_key = given["aws_secret_key"]
        self.aws_region = given["aws_region"]
        self.auth_type = config.member(config.AuthType, given["auth_type"], "auth_type")
        self.use_ssl = given["use_ssl"]
        self.verify_certs = given["verify_ssl"]
        self.buffer_size = given["buffer_size"]
        self.flush_frequency_in_sec = given["flush_frequency_in_sec"]
        self.es_index_name = given["es_index_name"]
        frequency = given["index_name_frequency"]
        self.index_name_frequency = config.member(config.IndexNameFrequency, frequency, "index_name_frequency")
        self.es_additional_fields = given["es_additional_fields"]
        self.es_additional_fields_in_env = given["es_additional_fields_in_env"]
        self.flush_failure_folder = given["flush_failure_folder"]

    # ---- logging ----------------------------------------------------------------------------------------------------

    def createLock(self) -> None:  # noqa: N802  the standard library's name
        """No lock: ``logging.shutdown`` would hold it while it flushes, and other threads' log calls would wait for it."""
        self.lock = None

    def handle(self, record: logging.LogRecord) -> bool | logging.LogRecord:  # type: ignore[override]  # bool until 3.11
        """As of every handler, without a lock: filters, then :meth:`emit`."""
        passed = self.filter(record)
        if isinstance(passed, logging.LogRecord):
            record = passed
        if passed:
            self.emit(record)
        return passed

    def emit(self, record: logging.LogRecord) -> None:
        """Makes the record's document, here and now, and hands it to the pipeline. Raises nothing, waits for nothing.

        A record that cannot be formatted is shipped with the reason; then ``handleError`` is called, once.
        """
        if inside.ours or inside.depth >= MAX_DEPTH or _is_our_own(record.name):
            self._ignored += 1
            return
        inside.depth += 1
        try:
            self._ship(record)
        except Exception:  # noqa: BLE001  whatever it is (a MemoryError, ...), a log call does not raise
            self.handleError(record)
        finally:
            inside.depth -= 1

    def _ship(self, record: logging.LogRecord) -> None:
        message, failure = None, None
        if self.formatter is not None:
            try:
                message = self.formatter.format(record)
            except Exception as error:  # noqa: BLE001  whatever a formatter or a __str__ raises: the record must not be lost
                failure = error
        built = self._builder.log(record, message)
        self._pipeline.submit(built.document)
        failure = failure or built.failure
        if failure is not None:
            raise failure  # for emit, which reports it where logging reports such errors

    # ---- metrics ----------------------------------------------------------------------------------------------------

    def log_time_metric(self, metric_name: str, start_datetime: datetime, time_us: float) -> None:
        """Records a time that was measured elsewhere.

        Args:
            metric_name: ``metrics.name``.
            start_datetime: when it began; without a zone it counts as local time.
            time_us: microseconds.

        Raises:
            TypeError: ``start_datetime`` is no datetime, or ``time_us`` no number.
            ValueError: ``time_us`` is negative, not finite, or longer than three centuries.
        """
        if not isinstance(start_datetime, datetime):
            raise TypeError(f"start_datetime={start_datetime!r}: expected a datetime")
        if isinstance(time_us, bool) or not isinstance(time_us, int | float):
            raise TypeError(f"time_us={time_us!r}: expected a number of microseconds")
        if not 0 <= time_us <= LONGEST_TIME_US:
            raise ValueError(f"time_us={time_us!r:.40}: expected a number of microseconds from 0 to {LONGEST_TIME_US}")
        start = timestamp.from_datetime(start_datetime)
        self._pipeline.submit(self._builder.metric(metric_name, start, int(time_us * 1000)))

    def log_time_metric_timer(self, metric_name: str, *, fields: Mapping[str, Any] | None = None) -> TimedBlock:
        """A context manager (and decorator) that records how long its block took, also when the block raises.

        Args:
            metric_name: ``metrics.name``.
            fields: more fields for the document; the object that ``with`` yields takes more in its ``fields``.
        """
        return TimedBlock(metric_name, self._record_block, fields)

    def _record_block(
        self, name: str, start_ns: int, duration_ns: int, error: BaseException | None, fields: Mapping[str, Any]
    ) -> None:
        outcome = "success" if error is None else "failure"
        self._pipeline.submit(self._builder.metric(name, start_ns, duration_ns, outcome=outcome, error=error, fields=fields))

    # ---- delivery ---------------------------------------------------------------------------------------------------

    def test_es_source(self) -> bool:
        """Whether the store answers and lets us in, asked now. Never raises for a store that does not."""
        was, inside.ours = inside.ours, True
        try:
            self._store.ping()
        except StoreError:
            return False
        else:
            return True
        finally:
            inside.ours = was

    def flush(self, timeout: float | None = None) -> bool:  # type: ignore[override]  # the base returns None
        """Waits until all that was accepted before has come to rest.

        Args:
            timeout: seconds at the most; None: ``flush_timeout``. What is unacknowledged near the end goes to the folder.

        Returns:
            True only when all that was accepted since the last flush was acknowledged by the store.
        """
        return self._pipeline.flush(timeout)

    async def aflush(self, timeout: float | None = None) -> bool:  # noqa: ASYNC109  the same parameter as flush has
        """:meth:`flush` for asyncio: the event loop goes on meanwhile."""
        import asyncio  # loads as much as all of this package; who awaits this has it already

        return await asyncio.get_running_loop().run_in_executor(None, self.flush, timeout)

    def close(self, timeout: float | None = None) -> bool:  # type: ignore[override]  # the base returns None
        """Flushes, and ends. A log call after it goes to the failure folder, else it is dropped and counted as ``closed``.

        Args:
            timeout: seconds at the most; None: ``close_timeout``.

        Returns:
            As :meth:`flush`. Calling it twice is harmless.
        """
        done = self._pipeline.close(timeout)
        super().close()
        return done

    def stats(self) -> Stats:
        """Where every accepted document came to rest, at this instant."""
        return replace(self._pipeline.stats(), ignored=self._ignored)

    def __del__(self) -> None:
        """A logger that is dropped loses nothing: the pipeline brings its documents to rest in the background."""
        pipeline = getattr(self, "_pipeline", None)
        if pipeline is not None:
            pipeline.release()


def _check_shapes(given: Mapping[str, Any]) -> None:
    """Refuses what would be taken for something else, or be ignored, such as arguments in another order."""
    details = given["auth_details"]
    pair = isinstance(details, Sequence) and (isinstance(details, str) or all(isinstance(part, str) for part in details))
    if not pair:
        raise ConfigurationError("auth_details: expected ('user', 'password'); auth_type is the sixth parameter")
    for name in ("aws_access_key", "aws_secret_key", "aws_region", "api_key"):
        if not isinstance(given[name], str):
            raise ConfigurationError(f"{name}: expected a text, not a {type(given[name]).__name__}")
    for name in ("es_additional_fields", "es_additional_fields_in_env"):
        if not isinstance(given[name], Mapping):
            raise ConfigurationError(f"{name}={given[name]!r:.60}: expected a dict of fields")
    folder = given["flush_failure_folder"]
    if folder is not None and (not isinstance(folder, str | Path) or not str(folder)):
        raise ConfigurationError(f"flush_failure_folder={folder!r:.60}: expected the path of a folder, or None")


def _is_our_own(logger_name: object) -> bool:  # a record made by makeLogRecord may have None
    return isinstance(logger_name, str) and (logger_name == LOGGER_NAME or logger_name.startswith(LOGGER_NAME + "."))


def _prepare(spool: Spool, diagnostics: Diagnostics) -> None:
    try:
        spool.prepare()
    except SpoolError as error:
        diagnostics.say("spool", f"the failure folder cannot be used now: {error}")
