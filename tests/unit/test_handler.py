"""The handler as application code meets it: logging, timers, flush, close, the environment. The store is in memory."""

from __future__ import annotations

import asyncio
import gc
import logging
import logging.config
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from elasticecsmetrics import ConfigurationError, ElasticECSMetricsLogger, now
from elasticecsmetrics.testing import MemoryStore, ScriptedStore, capture_documents

Make = Callable[..., ElasticECSMetricsLogger]


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def make(store: MemoryStore) -> Iterator[Make]:
    made: list[ElasticECSMetricsLogger] = []

    def build(**options: Any) -> ElasticECSMetricsLogger:
        handler = ElasticECSMetricsLogger(**{"store": store, "flush_frequency_in_sec": 60, **options})
        made.append(handler)
        return handler

    yield build
    for handler in made:
        handler.close(1.0)


@pytest.fixture
def logger(request: pytest.FixtureRequest) -> Iterator[logging.Logger]:
    made = logging.getLogger(f"app.{request.node.name}")
    made.setLevel(logging.DEBUG)
    made.propagate = False
    yield made
    for handler in list(made.handlers):
        made.removeHandler(handler)


def only(store: MemoryStore) -> dict[str, Any]:
    (document,) = store.documents
    return document


# ---- log records ----------------------------------------------------------------------------------------------------


def test_a_record_becomes_an_ecs_document(make: Make, store: MemoryStore, logger: logging.Logger) -> None:
    handler = make(service_name="shop")
    logger.addHandler(handler)
    logger.warning("sold %d", 3, extra={"order_id": 17, "http.request.method": "GET"})
    assert handler.flush() is True
    document = only(store)
    assert document["message"] == "sold 3"
    assert document["log"]["level"] == "warning"
    assert document["log"]["logger"] == logger.name
    assert document["log"]["origin"]["function"] == "test_a_record_becomes_an_ecs_document"
    assert document["order_id"] == 17
    assert document["http"]["request"]["method"] == "GET"
    assert document["service"]["name"] == "shop"
    assert document["ecs"]["version"] == "9.4.0"
    assert document["event"]["kind"] == "event"


def test_an_exception_is_in_error(make: Make, store: MemoryStore, logger: logging.Logger) -> None:
    handler = make()
    logger.addHandler(handler)
    try:
        raise KeyError("inner")
    except KeyError as cause:
        try:
            raise ValueError("outer") from cause
        except ValueError:
            logger.exception("it failed")
    handler.flush()
    error = only(store)["error"]
    assert error["type"] == "ValueError"
    assert error["message"] == "outer"
    assert "KeyError: 'inner'" in error["stack_trace"]
    assert "direct cause" in error["stack_trace"]


def test_levels_and_filters_are_honoured(make: Make, store: MemoryStore, logger: logging.Logger) -> None:
    handler = make(level="WARNING")
    handler.addFilter(lambda record: "secret" not in record.getMessage())
    logger.addHandler(handler)
    logger.info("too low")
    logger.error("a secret")
    logger.error("shipped")
    handler.flush()
    assert only(store)["message"] == "shipped"


def test_a_filter_may_replace_the_record(make: Make, store: MemoryStore, logger: logging.Logger) -> None:
    def replace(record: logging.LogRecord) -> Any:
        return logging.makeLogRecord({**record.__dict__, "msg": "replaced", "args": ()})

    handler = make()
    logger.addHandler(handler)
    handler.addFilter(replace)
    logger.error("original")
    handler.flush()
    if hasattr(logging.Filterer, "filter") and isinstance(handler.filter(logging.makeLogRecord({})), logging.LogRecord):
        assert only(store)["message"] == "replaced"  # Python 3.12 and newer
    else:
        assert only(store)["message"] == "original"


def test_arguments_are_formatted_at_the_call(make: Make, store: MemoryStore, logger: logging.Logger) -> None:
    handler = make()
    logger.addHandler(handler)
    basket = ["apple"]
    logger.info("basket %s", basket, extra={"basket": basket})
    basket.append("pear")
    handler.flush()
    document = only(store)
    assert document["message"] == "basket ['apple']"
    assert document["basket"] == ["apple"]


def test_the_users_formatter_makes_the_message(make: Make, store: MemoryStore, logger: logging.Logger) -> None:
    handler = make()
    handler.setFormatter(logging.Formatter("[%(levelname)s] %(message)s"))
    logger.addHandler(handler)
    logger.info("hello")
    handler.flush()
    assert only(store)["message"] == "[INFO] hello"


@pytest.fixture
def reported(monkeypatch: pytest.MonkeyPatch) -> list[logging.LogRecord]:
    records: list[logging.LogRecord] = []
    monkeypatch.setattr(ElasticECSMetricsLogger, "handleError", lambda self, record: records.append(record))
    return records


def test_a_record_that_cannot_be_formatted_is_shipped_with_the_reason(
    make: Make, store: MemoryStore, logger: logging.Logger, reported: list[logging.LogRecord]
) -> None:
    handler = make()
    logger.addHandler(handler)
    logger.info("%d apples", "many")
    handler.flush()
    document = only(store)
    assert document["message"] == "%d apples"
    assert document["error"]["type"] == "TypeError"
    assert len(reported) == 1


def test_a_record_whose_str_raises_is_shipped_with_the_reason(
    make: Make, store: MemoryStore, logger: logging.Logger, reported: list[logging.LogRecord]
) -> None:
    class Hostile:
        def __str__(self) -> str:
            raise RuntimeError("no text of me")

        __repr__ = __str__

    handler = make()
    logger.addHandler(handler)
    logger.info("an %s", Hostile())
    logger.info(Hostile())
    handler.flush()
    first, second = store.documents
    assert first["message"] == "an %s"
    assert first["error"]["message"] == "no text of me"
    assert "Hostile" in second["message"]
    assert second["error"]["type"] == "RuntimeError"
    assert len(reported) == 2


def test_a_raising_formatter_loses_nothing(
    make: Make, store: MemoryStore, logger: logging.Logger, reported: list[logging.LogRecord]
) -> None:
    handler = make()
    handler.setFormatter(logging.Formatter("%(missing)s"))
    logger.addHandler(handler)
    logger.info("still here")
    handler.flush()
    assert only(store)["message"] == "still here"
    assert len(reported) == 1


def test_no_log_call_raises_whatever_the_extra(make: Make, store: MemoryStore, logger: logging.Logger) -> None:
    cycle: dict[Any, Any] = {}
    cycle["self"] = cycle
    handler = make()
    logger.addHandler(handler)
    logger.info(
        "x", extra={"cycle": cycle, "user": "bob", "event": 1, "host": None, "nan": float("nan"), "big": 2**70, "b": b"\xff"}
    )
    handler.flush()
    document = only(store)
    assert document["labels"]["user"] == "bob"
    assert document["event"]["kind"] == "event"


def test_a_record_without_a_name_is_shipped(make: Make, store: MemoryStore) -> None:
    handler = make()
    handler.handle(logging.makeLogRecord({"msg": "from a socket"}))
    handler.flush()
    assert only(store)["message"] == "from a socket"


def test_an_error_of_our_own_is_reported_and_not_raised(
    make: Make, logger: logging.Logger, reported: list[logging.LogRecord], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(document: Any) -> None:
        raise MemoryError

    handler = make()
    logger.addHandler(handler)
    with monkeypatch.context() as patched:
        patched.setattr(handler._pipeline, "submit", broken)
        logger.info("x")
    assert len(reported) == 1


def test_close_is_not_true_for_what_an_earlier_flush_could_not_bring_home() -> None:
    handler = ElasticECSMetricsLogger(store=ScriptedStore(reachable=False))
    handler.log_time_metric("x", now(), 1)
    assert handler.flush(0.3) is False
    assert handler.close(0.3) is False
    assert handler.stats().dropped == {"closed": 1}


@pytest.mark.parametrize("url", ["https://user:sec\u2100ret@host:9200", "http://[::1"])
def test_a_url_that_cannot_be_read_does_not_show_its_password(url: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        ElasticECSMetricsLogger(store=url)
    assert "ret" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_our_own_diagnostics_are_never_shipped(make: Make, store: MemoryStore, logger: logging.Logger) -> None:
    root = logging.getLogger()
    handler = make()
    root.addHandler(handler)
    try:
        logging.getLogger("elasticecsmetrics").warning("about ourselves")
        logging.getLogger("elasticecsmetrics.child").warning("about ourselves")
    finally:
        root.removeHandler(handler)
    handler.flush()
    assert store.documents == []
    assert handler.stats().ignored == 2


def test_a_store_that_logs_does_not_feed_itself(logger: logging.Logger) -> None:
    class Chatty(MemoryStore):
        def write(self, documents: Any, /) -> Any:
            logger.info("POST /_bulk")
            return super().write(documents)

    store = Chatty()
    handler = ElasticECSMetricsLogger(store=store, flush_frequency_in_sec=60)
    logger.addHandler(handler)
    logger.info("once")
    handler.flush()
    handler.flush()
    handler.close()
    assert [d["message"] for d in store.documents] == ["once"]
    assert handler.stats().ignored == 1


def test_an_argument_that_logs_in_its_str_ends(make: Make, store: MemoryStore, logger: logging.Logger) -> None:
    class Talkative:
        def __str__(self) -> str:
            logger.info("somebody asks %s", self)
            return "me"

    handler = make()
    logger.addHandler(handler)
    logger.info("hello %s", Talkative())
    handler.flush()
    messages = [d["message"] for d in store.documents]
    assert messages[-1] == "hello me"
    assert len(messages) == 3
    assert handler.stats().ignored > 0


def test_a_finalizer_that_logs_inside_a_log_call_is_taken(make: Make, store: MemoryStore, logger: logging.Logger) -> None:
    class Dying:
        def __init__(self) -> None:
            self.me = self

        def __del__(self) -> None:
            logger.info("dying")

    class Collecting:
        def __str__(self) -> str:
            gc.collect()
            return "x"

    handler = make()
    logger.addHandler(handler)
    Dying()
    logger.info("collect %s", Collecting())
    handler.flush()
    assert sorted(d["message"] for d in store.documents) == ["collect x", "dying"]


def test_the_handler_has_no_lock_that_shutdown_could_hold(make: Make, store: MemoryStore, logger: logging.Logger) -> None:
    handler = make()
    assert handler.lock is None
    handler.acquire()
    other = threading.Thread(target=logger.info, args=("from another thread",))
    logger.addHandler(handler)
    other.start()
    other.join(10)
    assert not other.is_alive()
    handler.release()
    handler.flush()
    assert only(store)["message"] == "from another thread"


def test_dictconfig_with_plain_values(tmp_path: Path) -> None:
    name = "app.dictconfig"
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "handlers": {
                "ecs": {
                    "class": "elasticecsmetrics.ElasticECSMetricsLogger",
                    "hosts": [{"host": "127.0.0.1", "port": 9}],
                    "auth_type": "basic_auth",
                    "auth_details": ["user", "password"],
                    "index_name_frequency": "monthly",
                    "es_additional_fields": {"labels": {"team": "blue"}},
                    "flush_failure_folder": str(tmp_path),
                    "buffer_size": 10,
                }
            },
            "loggers": {name: {"handlers": ["ecs"], "level": "INFO", "propagate": False}},
        }
    )
    (handler,) = logging.getLogger(name).handlers
    assert isinstance(handler, ElasticECSMetricsLogger)
    assert handler.auth_type is ElasticECSMetricsLogger.AuthType.BASIC_AUTH
    assert handler.index_name_frequency is ElasticECSMetricsLogger.IndexNameFrequency.MONTHLY
    logging.getLogger(name).info("kept")
    assert handler.flush(3.0) is False
    handler.close(1.0)
    (path,) = tmp_path.glob("*.json")
    assert '"team":"blue"' in path.read_text()
    logging.getLogger(name).removeHandler(handler)


# ---- metrics --------------------------------------------------------------------------------------------------------


def test_a_measured_time_becomes_a_metric_document(make: Make, store: MemoryStore) -> None:
    handler = make(es_additional_fields={"event": {"category": ["process"]}, "metrics": {"unit": "us"}})
    start = datetime(2026, 1, 2, 3, 4, 5, 123456, tzinfo=timezone(timedelta(hours=-5)))
    handler.log_time_metric("import", start, 1500.5)
    handler.flush()
    document = only(store)
    assert document["@timestamp"] == "2026-01-02T08:04:05.123456Z" == document["event"]["start"]
    assert document["event"]["duration"] == 1_500_500
    assert document["event"]["end"] == "2026-01-02T08:04:05.124956500Z"
    assert document["event"]["category"] == ["process"]
    assert document["event"]["kind"] == "metric"
    assert document["metrics"]["name"] == "import"
    assert document["metrics"]["duration"]["us"] == 1500
    assert document["metrics"]["unit"] == "us"
    ((index, _),) = store.contents
    assert index == "python_metrics-2026.01.02"


def test_a_naive_start_counts_as_local_time(make: Make, store: MemoryStore) -> None:
    handler = make()
    naive = datetime(2026, 7, 1, 12, 0, 0)
    handler.log_time_metric("x", naive, 1)
    handler.flush()
    expected = naive.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    assert only(store)["@timestamp"] == expected


@pytest.mark.parametrize("time_us", [-1, -0.5, float("nan"), float("inf"), 10**400, -(10**400), 1e300])
def test_an_impossible_duration_is_told_at_once(make: Make, time_us: float) -> None:
    with pytest.raises(ValueError, match="time_us"):
        make().log_time_metric("x", now(), time_us)


@pytest.mark.parametrize(("start", "time_us"), [("2026", 1), (None, 1), (datetime.now(), "1"), (datetime.now(), True)])
def test_a_wrong_type_is_told_at_once(make: Make, start: Any, time_us: Any) -> None:
    with pytest.raises(TypeError):
        make().log_time_metric("x", start, time_us)


def test_the_timer_records_its_block_and_the_fields_filled_inside(make: Make, store: MemoryStore) -> None:
    handler = make()
    with handler.log_time_metric_timer("block", fields={"labels": {"a": "1"}}) as timer:
        timer.fields["rows"] = 7
    handler.flush()
    document = only(store)
    assert document["metrics"]["name"] == "block"
    assert document["event"]["outcome"] == "success"
    assert document["event"]["duration"] >= 0
    assert document["rows"] == 7
    assert document["labels"]["a"] == "1"


def test_the_timer_records_when_the_block_raises_and_the_exception_goes_on(make: Make, store: MemoryStore) -> None:
    handler = make()
    with pytest.raises(LookupError), handler.log_time_metric_timer("block"):
        raise LookupError("gone")
    handler.flush()
    document = only(store)
    assert document["event"]["outcome"] == "failure"
    assert document["error"]["type"] == "LookupError"
    assert document["error"]["message"] == "gone"


def test_timers_nest_and_decorate(make: Make, store: MemoryStore) -> None:
    handler = make()

    @handler.log_time_metric_timer("decorated")
    def work(depth: int) -> int:
        return work(depth - 1) + 1 if depth else 0

    with handler.log_time_metric_timer("outer"), handler.log_time_metric_timer("inner"):
        assert work(2) == 2
    handler.flush()
    names = [d["metrics"]["name"] for d in store.documents]
    assert names == ["decorated"] * 3 + ["inner", "outer"]


def test_the_timer_in_asyncio_tasks_and_aflush(make: Make, store: MemoryStore) -> None:
    handler = make()

    async def task(n: int) -> None:
        with handler.log_time_metric_timer(f"task{n}"):
            await asyncio.sleep(0)

    async def main() -> bool:
        await asyncio.gather(*(task(n) for n in range(5)))
        return await handler.aflush()

    assert asyncio.run(main()) is True
    assert sorted(d["metrics"]["name"] for d in store.documents) == [f"task{n}" for n in range(5)]


# ---- construction, end ----------------------------------------------------------------------------------------------


def test_the_fifteen_parameters_keep_their_positions(store: MemoryStore, tmp_path: Path) -> None:
    handler = ElasticECSMetricsLogger(
        "http://localhost:9200", ("u", "p"), "ak", "sk", "eu-west-1", "NO_AUTH", False, True, 10, 0.5, "idx", "WEEKLY",
        {"labels": {"a": "b"}}, {"labels": {"c": "HOME"}}, str(tmp_path),
    )  # fmt: skip
    assert handler.auth_details == ("u", "p")
    assert (handler.aws_access_key, handler.aws_secret_key, handler.aws_region) == ("ak", "sk", "eu-west-1")
    assert (handler.use_ssl, handler.verify_certs, handler.buffer_size) == (False, True, 10)
    assert (handler.flush_frequency_in_sec, handler.es_index_name) == (0.5, "idx")
    assert handler.index_name_frequency is ElasticECSMetricsLogger.IndexNameFrequency.WEEKLY
    assert handler.flush_failure_folder == str(tmp_path)
    handler.close()


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"auth_type": "magic"}, "auth_type"),
        ({"index_name_frequency": "hourly"}, "index_name_frequency"),
        ({"buffer_size": 0}, "buffer_size"),
        ({"flush_frequency_in_sec": 0}, "flush_frequency_in_sec"),
        ({"es_index_name": "Upper"}, "es_index_name"),
        ({"durability": "eternal"}, "durability"),
        ({"store": "gopher://x"}, "store"),
        ({"store": object()}, "store"),
        ({"auth_type": "BASIC_AUTH", "hosts": "http://localhost:9200"}, "auth_details"),
        ({"auth_type": "API_KEY", "hosts": "http://localhost:9200"}, "api_key"),
        ({"api_key": "x", "auth_type": "BASIC_AUTH", "auth_details": ("u", "p"), "hosts": "http://localhost"}, "api_key"),
        ({"ca_certs": "/no/such/file.pem", "hosts": "https://localhost"}, "ca_certs"),
        ({"auth_type": "AWS_SIGNED_AUTH", "hosts": "http://localhost:9200"}, "aws_region"),
        ({"hosts": "http://localhost:9200", "store": "sqlite://"}, "hosts and store"),
        ({"use_ssl": "perhaps"}, "use_ssl"),
        ({"verify_ssl": None}, "verify_ssl"),
        ({"auth_details": ElasticECSMetricsLogger.AuthType.BASIC_AUTH}, "auth_details"),
        ({"aws_access_key": ("u", "p")}, "aws_access_key"),
        ({"es_additional_fields": "x"}, "es_additional_fields"),
        ({"es_additional_fields_in_env": [1]}, "es_additional_fields_in_env"),
        ({"flush_failure_folder": ""}, "flush_failure_folder"),
        ({"flush_failure_folder": 5}, "flush_failure_folder"),
        ({"flush_frequency_in_sec": None}, "flush_frequency_in_sec"),
        ({"request_timeout": "5"}, "request_timeout"),
        ({"request_timeout": float("inf")}, "request_timeout"),
        ({"flush_failure_folder": "x", "spool_max_age": "1d"}, "spool_max_age"),
    ],
)
def test_a_wrong_parameter_is_a_value_error_that_names_it(options: dict[str, Any], named: str) -> None:
    with pytest.raises(ConfigurationError, match=named):
        ElasticECSMetricsLogger(**options)


def test_a_handler_that_could_not_be_made_is_unknown_to_logging() -> None:
    before = len(logging._handlerList)  # type: ignore[attr-defined]
    with pytest.raises(ConfigurationError) as caught:
        ElasticECSMetricsLogger(buffer_size=0)
    assert caught.traceback  # which keeps the half-made handler alive
    assert len(logging._handlerList) == before  # type: ignore[attr-defined]


def test_a_text_for_a_boolean_means_what_it_says(store: MemoryStore) -> None:
    handler = ElasticECSMetricsLogger(store=store, use_ssl="false", verify_ssl="True")  # type: ignore[arg-type]
    assert (handler.use_ssl, handler.verify_certs) == (False, True)
    handler.close()


def test_an_empty_variable_counts_as_not_set(store: MemoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOSTS", "BUFFER_SIZE", "USE_SSL", "FLUSH_FAILURE_FOLDER"):
        monkeypatch.setenv(f"ELASTICECSMETRICS_{name}", "")
    handler = ElasticECSMetricsLogger(store=store)
    assert (handler.buffer_size, handler.use_ssl, handler.flush_failure_folder) == (1000, False, None)
    handler.close()


def test_an_outage_is_said_also_where_an_earlier_one_left_files(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for _ in range(2):
        handler = ElasticECSMetricsLogger(store=ScriptedStore(reachable=False), flush_failure_folder=tmp_path)
        handler.log_time_metric("x", now(), 1)
        handler.flush(2.0)
        handler.close(1.0)
        assert "they wait in the failure folder" in capfd.readouterr().err


def test_what_cannot_go_to_the_folder_is_not_said_to_be_there(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("in the way")
    handler = ElasticECSMetricsLogger(store=ScriptedStore(reachable=False), flush_failure_folder=tmp_path / "file")
    handler.log_time_metric("x", now(), 1)
    handler.close(1.0)
    said = capfd.readouterr().err
    assert "they wait in memory" in said
    assert "they wait in the failure folder" not in said
    assert "documents are lost" in said


def test_the_environment_gives_what_the_caller_does_not(store: MemoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ELASTICECSMETRICS_BUFFER_SIZE", "7")
    monkeypatch.setenv("ELASTICECSMETRICS_ES_INDEX_NAME", "from_environment")
    monkeypatch.setenv("ELASTICECSMETRICS_ES_ADDITIONAL_FIELDS", '{"labels": {"a": "b"}}')
    handler = ElasticECSMetricsLogger(store=store, es_index_name="argument")
    assert (handler.buffer_size, handler.es_index_name) == (7, "argument")
    assert handler.es_additional_fields == {"labels": {"a": "b"}}
    handler.close()


def test_an_argument_equal_to_the_default_still_beats_the_environment(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ELASTICECSMETRICS_BUFFER_SIZE", "7")
    handler = ElasticECSMetricsLogger(store=store, buffer_size=1000)
    assert handler.buffer_size == 1000
    handler.close()


def test_a_secret_comes_from_a_mounted_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = tmp_path / "key"
    secret.write_text("aWQ6a2V5\n")
    monkeypatch.setenv("ELASTICECSMETRICS_API_KEY_FILE", str(secret))
    monkeypatch.setenv("ELASTICECSMETRICS_AUTH_TYPE", "api_key")
    handler = ElasticECSMetricsLogger()
    assert handler.auth_type is ElasticECSMetricsLogger.AuthType.API_KEY
    assert "aWQ6a2V5" not in repr(handler)
    handler.close()


def test_a_wrong_value_in_the_environment_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ELASTICECSMETRICS_BUFFER_SIZE", "many")
    with pytest.raises(ConfigurationError, match="ELASTICECSMETRICS_BUFFER_SIZE='many'"):
        ElasticECSMetricsLogger()


def test_a_secret_in_the_environment_is_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ELASTICECSMETRICS_AUTH_DETAILS", '["user", "hunter2"')
    with pytest.raises(ConfigurationError) as caught:
        ElasticECSMetricsLogger()
    assert "hunter2" not in str(caught.value)


def test_a_folder_that_cannot_be_made_is_said_and_the_program_runs_on(
    store: MemoryStore, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("in the way")
    handler = ElasticECSMetricsLogger(store=store, flush_failure_folder=tmp_path / "file")
    handler.log_time_metric("x", now(), 1)
    assert handler.flush() is True
    handler.close()
    assert "failure folder" in capfd.readouterr().err


def test_hosts_of_none_beside_a_store_are_no_contradiction(store: MemoryStore) -> None:
    handler = ElasticECSMetricsLogger(hosts=None, store=store)
    handler.log_time_metric("x", now(), 1)
    assert handler.flush() is True
    handler.close()
    assert only(store)["metrics"]["name"] == "x"


def test_a_subclass_of_ours_alone_does_not_hear_the_diagnostics(capfd: pytest.CaptureFixture[str]) -> None:
    class Mine(ElasticECSMetricsLogger):
        pass

    handler = Mine(store=ScriptedStore(reachable=False))
    logging.getLogger().addHandler(handler)
    try:
        handler.log_time_metric("x", now(), 1)
        handler.flush(0.3)
    finally:
        logging.getLogger().removeHandler(handler)
        handler.close(0.3)
    assert "the store does not take documents now" in capfd.readouterr().err


def test_es_source_tells_whether_the_store_answers(store: MemoryStore) -> None:
    alive = ElasticECSMetricsLogger(store=store)
    dead = ElasticECSMetricsLogger(hosts="http://127.0.0.1:9", request_timeout=2)
    assert alive.test_es_source() is True
    assert dead.test_es_source() is False
    alive.close()
    dead.close()


def test_a_dropped_logger_loses_nothing(store: MemoryStore) -> None:
    handler = ElasticECSMetricsLogger(store=store, flush_frequency_in_sec=60)
    handler.log_time_metric("x", now(), 1)
    thread = handler._pipeline._thread
    assert thread is not None
    del handler
    gc.collect()
    thread.join(10)
    assert only(store)["metrics"]["name"] == "x"


def test_the_context_is_copied_at_construction(make: Make, store: MemoryStore) -> None:
    fields: dict[str, Any] = {"labels": {"team": "blue"}}
    handler = make(es_additional_fields=fields)
    fields["labels"]["team"] = "red"
    handler.log_time_metric("x", now(), 1)
    handler.flush()
    assert only(store)["labels"]["team"] == "blue"


def test_fields_from_the_environment_are_read_at_each_document(
    make: Make, store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    handler = make(
        es_additional_fields={"labels": {"build": "none"}}, es_additional_fields_in_env={"labels": {"build": "BUILD_ID"}}
    )
    for value in (None, "17", ""):
        if value is None:
            monkeypatch.delenv("BUILD_ID", raising=False)
        else:
            monkeypatch.setenv("BUILD_ID", value)
        handler.log_time_metric("x", now(), 1)
    handler.flush()
    assert [d["labels"]["build"] for d in store.documents] == ["none", "17", ""]


def test_stats_add_up_and_flush_tells_the_truth(tmp_path: Path) -> None:
    store = ScriptedStore(reachable=False)
    handler = ElasticECSMetricsLogger(store=store, flush_failure_folder=tmp_path, drain=False)
    handler.log_time_metric("x", now(), 1)
    assert handler.flush() is False
    stats = handler.stats()
    assert (stats.accepted, stats.spooled, stats.buffered) == (1, 1, 0)
    assert handler.flush() is True
    handler.close()


def test_capture_documents_needs_no_server() -> None:
    with capture_documents("app.captured") as captured:
        logging.getLogger("app.captured").info("hello", extra={"n": 1})
        with captured.handler.log_time_metric_timer("t"):
            pass
        first, second = captured.documents
    assert (first["message"], first["n"]) == ("hello", 1)
    assert second["metrics"]["name"] == "t"
