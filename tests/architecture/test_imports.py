"""Imports point down only, and the inner parts reach neither threads nor the network: the contracts of ``.importlinter``.

What import-linter does not see (imports by name, and who owns a package outside the contracts) is read from the source here.
"""

from __future__ import annotations

import ast
import configparser
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "elasticecsmetrics"
#: Parts that compute: no thread, no queue, no network, no client library, at any depth of their own imports.
PURE = ["model", "ecs", "indexing", "delivery/retry.py"]
IMPURE = {"_thread", "threading", "queue", "socket", "ssl", "select", "selectors", "asyncio", "concurrent", "multiprocessing"}
IMPURE |= {"http", "subprocess"}
CLIENTS = {"elastic_transport", "elasticsearch", "opensearchpy", "requests", "sqlalchemy", "urllib3"}
CLIENTS |= {"requests_aws4auth", "requests_kerberos"}
#: Who alone may import what.
OWNERS = {
    "elastic_transport": "cluster",
    "elasticsearch": "cluster",
    "opensearchpy": "cluster",
    "requests": "cluster",
    "requests_aws4auth": "cluster",
    "requests_kerberos": "cluster",
    "sqlalchemy": "stores/sql",
}


def _modules(part: str) -> list[Path]:
    path = PACKAGE / part
    found = [path] if path.suffix else sorted(path.rglob("*.py"))
    assert found, f"there is no {part} any more"
    return found


def _imports(module: Path) -> set[str]:
    """Top-level names of all that a module imports, inside functions too."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        match node:
            case ast.Import():
                names.update(alias.name for alias in node.names)
            case ast.ImportFrom(module=str(name), level=0):
                names.add(name)
            case ast.Call(args=[ast.Constant(value=str(name)), *_]) if ast.unparse(node.func).endswith("import_module"):
                names.add(name)
    return {name.partition(".")[0] for name in names}


def test_every_contract_of_import_linter_is_kept() -> None:
    command = [Path(sys.executable).with_name("lint-imports"), "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert " 0 broken" in done.stdout


def test_a_broken_contract_is_noticed(tmp_path: Path) -> None:
    """The tool sees imports inside functions and of the standard library: a contract that must break does."""
    settings = configparser.ConfigParser()
    settings.read_dict(
        {
            "importlinter": {"root_package": "elasticecsmetrics", "include_external_packages": "True"},
            "importlinter:contract:1": {"name": "x", "type": "forbidden", "source_modules": "elasticecsmetrics.delivery"}
            | {"forbidden_modules": "threading"},
        }
    )
    with (tmp_path / "contracts").open("w") as file:
        settings.write(file)
    command = [Path(sys.executable).with_name("lint-imports"), "--no-cache", "--config", tmp_path / "contracts"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "1 broken" in done.stdout


@pytest.mark.parametrize("part", PURE)
def test_a_pure_part_imports_neither_threads_nor_network_nor_clients(part: str) -> None:
    found = {module.name: bad for module in _modules(part) if (bad := _imports(module) & (IMPURE | CLIENTS))}
    assert not found


@pytest.mark.parametrize(("package", "owner"), OWNERS.items())
def test_a_client_library_has_one_owner(package: str, owner: str) -> None:
    elsewhere = [
        module.relative_to(PACKAGE).as_posix()
        for module in PACKAGE.rglob("*.py")
        if package in _imports(module) and not module.relative_to(PACKAGE).as_posix().startswith(owner + "/")
    ]
    assert not elsewhere


def test_every_third_party_import_is_declared() -> None:
    declared = (ROOT / "pyproject.toml").read_text(encoding="utf-8").replace("-", "_").lower()
    named_otherwise = {"dateutil": "python_dateutil", "opentelemetry": "opentelemetry", "pytest": "pytest"}
    imported = set().union(*(_imports(module) for module in PACKAGE.rglob("*.py"))) - sys.stdlib_module_names
    imported -= {"elasticecsmetrics", "elasticapm", "requests_gssapi", "__future__"}
    assert not {name for name in imported if f'"{named_otherwise.get(name, name)}' not in declared}


def test_no_relative_import() -> None:
    found = [
        f"{module.relative_to(ROOT)}:{node.lineno}"
        for module in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.level
    ]
    assert not found


def test_every_module_says_what_it_owns_and_is_not_long() -> None:
    problems = []
    for module in PACKAGE.rglob("*.py"):
        text = module.read_text(encoding="utf-8")
        name = module.relative_to(ROOT).as_posix()
        if text.strip() and not ast.get_docstring(ast.parse(text)):
            problems.append(f"{name}: no docstring")
        if text.count("\n") > 450:
            problems.append(f"{name}: {text.count(chr(10))} lines")
        if module.stem in {"utils", "util", "helpers", "helper", "common", "misc", "manager"}:
            problems.append(f"{name}: a name that says nothing")
    assert not problems
