"""setup, without a server; with one it is in the contract suite of the clusters."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from fakes.scripted_server import Reply, ScriptedServer

from elasticecsmetrics.cli import main

YES, NO = Reply(200, b"{}"), Reply(400, b'{"error": {"type": "x", "reason": "unknown"}}')


def test_a_store_without_templates_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["setup", "--store", f"sqlite:///{tmp_path}/x.db"]) == 0
    assert capsys.readouterr().out == "this store needs no template\n"


def test_a_dead_cluster_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["setup", "--hosts", "http://127.0.0.1:1"]) == 1
    assert "http://127.0.0.1:1" in capsys.readouterr().err


def test_it_installs_what_the_server_knows(
    scripted_server: Callable[..., ScriptedServer], capsys: pytest.CaptureFixture[str]
) -> None:
    server = scripted_server(YES, NO, YES)
    assert main(["setup", "--hosts", server.url, "--es-index-name", "shop"]) == 0
    assert capsys.readouterr().out == "installed elasticecsmetrics-shop for shop and shop-*\n"
    last = server.received[-1]
    assert (last.method, last.target) == ("PUT", "/_index_template/elasticecsmetrics-shop")
    assert json.loads(last.body)["index_patterns"] == ["shop", "shop-*"]


def test_a_cluster_that_does_not_judge_templates_is_told(
    scripted_server: Callable[..., ScriptedServer], capsys: pytest.CaptureFixture[str]
) -> None:
    server = scripted_server(Reply(403, b"{}"))
    assert main(["setup", "--hosts", server.url]) == 1
    assert "privilege" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["Upper", ""])
def test_a_name_that_no_index_may_have_is_a_usage_error(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["setup", "--hosts", "http://127.0.0.1:1", "--es-index-name", name]) == 2
    assert "es_index_name" in capsys.readouterr().err
