"""The documentation is true: it parses, its code runs, and its tables say what the code says."""

from __future__ import annotations

import ast
import enum
import functools
import inspect
import io
import logging
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import docutils.core
import docutils.nodes
import pytest

from elasticecsmetrics import ElasticECSMetricsLogger
from elasticecsmetrics.testing import MemoryStore

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for folder in (ROOT, ROOT / "docs", ROOT / "mappings")
    for path in (folder.glob("*.rst") if folder == ROOT else folder.rglob("*.rst"))
)
COMMANDS = ["replay", "ping", "setup", "spool", "spool ls", "spool cat"]


@functools.cache
def _tree(page: str) -> tuple[docutils.nodes.document, str]:
    """The page as docutils reads it, and its complaints."""
    complaints = io.StringIO()
    settings = {"report_level": 2, "halt_level": 5, "warning_stream": complaints, "syntax_highlight": "none"}
    text = (ROOT / page).read_text(encoding="utf-8")
    return docutils.core.publish_doctree(text, source_path=page, settings_overrides=settings), complaints.getvalue()


def _blocks(*classes: str) -> Iterator[tuple[str, docutils.nodes.literal_block]]:
    """Every code block that has all of the classes (its language is one), with the page it is on."""
    for page in PAGES:
        for block in _tree(page)[0].findall(docutils.nodes.literal_block):
            if set(classes) <= set(block["classes"]):
                yield page, block


def _named(block: tuple[str, docutils.nodes.literal_block]) -> object:
    page, node = block
    return pytest.param(page, node, id=f"{page}:{node.line or node.astext().splitlines()[0][:40]}")


def _environment() -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if not key.startswith("ELASTICECSMETRICS_")}


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_valid_restructuredtext(page: str) -> None:
    assert _tree(page)[1] == ""


@pytest.mark.parametrize("page", PAGES)
def test_every_link_to_a_file_leads_to_one(page: str) -> None:
    links = {node["refuri"] for node in _tree(page)[0].findall(docutils.nodes.reference) if "refuri" in node}
    local = {link.partition("#")[0] for link in links if "://" not in link and not link.startswith("mailto:")}
    assert not {link for link in local if link and not ((ROOT / page).parent / link).exists()}


def test_every_page_of_docs_can_be_reached_from_the_readme() -> None:
    reached, waiting = set(), ["README.rst"]
    while waiting:
        page = waiting.pop()
        reached.add(page)
        for node in _tree(page)[0].findall(docutils.nodes.reference):
            target = ((ROOT / page).parent / node.get("refuri", "").partition("#")[0]).resolve()
            if target.suffix == ".rst" and target.exists() and target.relative_to(ROOT).as_posix() not in reached:
                waiting.append(target.relative_to(ROOT).as_posix())
    assert not {page for page in PAGES if page.startswith("docs/")} - reached


@pytest.mark.parametrize(("page", "block"), [_named(block) for block in _blocks("code", "python")])
def test_a_python_block_compiles(page: str, block: docutils.nodes.literal_block) -> None:
    compile(block.astext(), page, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


@pytest.mark.parametrize(("page", "block"), [_named(block) for block in _blocks("code", "python", "runnable")])
def test_a_runnable_block_runs_and_prints_what_stands_below_it(
    page: str, block: docutils.nodes.literal_block, tmp_path: Path
) -> None:
    command = [sys.executable, "-W", "error", "-c", block.astext()]
    done = subprocess.run(command, cwd=tmp_path, env=_environment(), capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    below = block.next_node(docutils.nodes.literal_block, descend=False, siblings=True)
    if below is not None and "output" in below["classes"]:
        assert done.stdout.strip() == below.astext().strip()


def test_the_readme_has_a_runnable_dictconfig_example() -> None:
    assert any(page == "README.rst" and "dictConfig(" in block.astext() for page, block in _blocks("python", "runnable"))


def _options() -> dict[str, tuple[str, str]]:
    """The table of options in the README: name -> (default, meaning)."""
    rows = {}
    for table in _tree("README.rst")[0].findall(docutils.nodes.table):
        cells = [[cell.astext() for cell in row.findall(docutils.nodes.entry)] for row in table.findall(docutils.nodes.row)]
        if cells[0][:2] == ["option", "default"]:
            rows.update({row[0]: (row[1], row[2]) for row in cells[1:]})
    return rows


def _parameters() -> dict[str, inspect.Parameter]:
    return dict(inspect.signature(ElasticECSMetricsLogger).parameters)


def test_the_options_table_names_every_parameter_in_the_order_of_the_constructor() -> None:
    assert list(_options()) == list(_parameters())


@pytest.mark.parametrize("name", list(_parameters()))
def test_the_options_table_gives_the_real_default(name: str) -> None:
    default = _parameters()[name].default
    written = _options()[name][0]
    if isinstance(default, enum.Enum):
        assert written == default.name
    elif name == "level":
        assert written == "NOTSET"
    else:
        assert _literal(written) == default


def _literal(text: str) -> object:
    """The value of a literal, or of a product of numbers such as ``5 * 1024 * 1024``."""
    product = 1
    factors = text.split(" * ")
    if len(factors) == 1:
        return ast.literal_eval(text)
    for factor in factors:
        product *= ast.literal_eval(factor)
    return product


@pytest.mark.parametrize("name", list(_parameters()))
def test_the_options_table_says_what_it_means(name: str) -> None:
    assert len(_options()[name][1]) > 10


def _leaves(tree: Mapping[str, Any], above: str = "") -> Iterator[str]:
    for name, value in tree.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{above}{name}.")
        else:
            yield above + name


def _fields_of_real_documents() -> set[str]:
    """Every field of a log document with an exception, a stack and a trace, and of the metric of a failed block."""
    store = MemoryStore()
    service = {"service_name": "s", "service_version": "1", "service_environment": "test", "service_node_name": "n"}
    metrics = ElasticECSMetricsLogger(store=store, **service)
    logger = logging.Logger("docs")
    logger.addHandler(metrics)
    try:
        with metrics.log_time_metric_timer("block"):
            raise ValueError("for error.*")
    except ValueError:
        apm = {"elasticapm_trace_id": "a" * 32, "elasticapm_span_id": "b" * 16, "elasticapm_transaction_id": "c" * 16}
        logger.exception("failed", stack_info=True, extra=apm)
    metrics.close()
    assert len(store.documents) == 2
    return {leaf for document in store.documents for leaf in _leaves(document)}


def test_the_page_of_documents_names_exactly_the_fields_that_documents_have() -> None:
    named: set[str] = set()
    for table in _tree("docs/documents.rst")[0].findall(docutils.nodes.table):
        rows = list(table.findall(docutils.nodes.row))
        if rows[0].astext().startswith("field"):
            named.update(name.astext() for row in rows[1:] for name in row[0].findall(docutils.nodes.literal))
    known_on_linux_only = {"host.ip", "host.os.platform", "host.os.name", "host.os.version"}
    assert named - known_on_linux_only == _fields_of_real_documents() - known_on_linux_only


def _help(command: str) -> str:
    arguments = [sys.executable, "-m", "elasticecsmetrics", *command.split(), "--help"]
    environment = {**_environment(), "COLUMNS": "200"}
    return subprocess.run(arguments, env=environment, capture_output=True, text=True, check=True).stdout


def _documented(command: str) -> str:
    """The section of docs/commands.rst that has the command as its heading."""
    for section in _tree("docs/commands.rst")[0].findall(docutils.nodes.section):
        if section[0].astext() == command:
            return section.astext()
    pytest.fail(f"docs/commands.rst has no section {command!r}")


def _long_options(text: str) -> set[str]:
    return set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", text)) - {"--help"}


def _subcommands(command: str) -> list[str]:
    return re.findall(r"^    ([a-z]+) {2,}\S", _help(command), re.MULTILINE)


def test_every_command_is_documented() -> None:
    assert [*_subcommands(""), *(f"spool {name}" for name in _subcommands("spool"))] == COMMANDS


@pytest.mark.parametrize("command", COMMANDS)
def test_the_page_of_commands_names_every_option_of_a_command_and_no_other(command: str) -> None:
    shared = _long_options(_documented("Options of the store"))
    real = _long_options(_help(command))
    documented = _long_options(_documented(command))
    assert documented <= real
    assert real <= documented | shared


def test_every_promise_names_a_test_that_is_there() -> None:
    page = _tree("docs/guarantees.rst")[0]
    named = [node.astext() for node in page.findall(docutils.nodes.literal) if node.astext().startswith("tests/")]
    assert len(named) > 10
    missing = []
    for name in named:
        file, _, test = name.partition("::")
        source = (ROOT / file).read_text(encoding="utf-8") if (ROOT / file).is_file() else ""
        if not re.search(rf"def {re.escape(test.rpartition('::')[2])}\(", source):
            missing.append(name)
    assert not missing


def test_every_promise_has_its_test() -> None:
    page = _tree("docs/guarantees.rst")[0]
    sections = [node for node in page.findall(docutils.nodes.section) if node[0].astext() != "What is not promised"]
    promises = [item.astext() for section in sections for item in section.findall(docutils.nodes.list_item)]
    assert promises
    assert not [promise for promise in promises if "tests/" not in promise]
