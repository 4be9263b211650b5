"""The real servers: started when the first test asks for one, one engine at a time, and stopped by their process ids.

A test that names ``cluster`` (or ``cluster_url``) runs on all five engines, one that names ``secure_cluster`` on Elasticsearch
8.19 with TLS and logins; both are marked ``live``. Where what a server needs is missing, these tests are skipped, and the end
of the run says so; with ``CI=true`` or ``ELASTICECSMETRICS_REQUIRE_LIVE=1`` they fail.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hypothesis
import pytest

sys.path.insert(0, str(Path(__file__).parent))  # for `fakes`, whatever way pytest imports

from fakes.scripted_server import ScriptedServer

from elasticecsmetrics.cluster.hosts import parse_hosts
from elasticecsmetrics.config import ClusterConfig

# How long an example takes says how busy the machine is.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")

SERVERS = Path(__file__).parent / "servers"
UNAVAILABLE = 3
"""The status of ``servers/start`` when what it needs is missing."""

#: Name and version of each engine, by the name that its tests carry.
ENGINES = {
    "elasticsearch-7.17": ("elasticsearch", "7.17.28"),
    "elasticsearch-8.19": ("elasticsearch", "8.19.0"),
    "elasticsearch-9.1": ("elasticsearch", "9.1.0"),
    "opensearch-2.19": ("opensearch", "2.19.1"),
    "opensearch-3.1": ("opensearch", "3.1.0"),
}

_not_tested = pytest.StashKey[dict[str, str]]()


@dataclass(frozen=True)
class Cluster:
    """A running server."""

    name: str
    engine: str
    version: str
    url: str
    info: Mapping[str, Any]

    def config(self, **changes: Any) -> ClusterConfig:
        """How to reach it, without a login; patient, since the machine may be busy."""
        return ClusterConfig(**{"hosts": parse_hosts(self.url).hosts, "request_timeout": 60.0, **changes})


@pytest.fixture(scope="session", params=[pytest.param(name, id=name, marks=pytest.mark.live) for name in ENGINES])
def cluster(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """Each of the five engines in turn, without security."""
    yield from _running(request.config, request.param)


@pytest.fixture
def cluster_url(cluster: Cluster) -> str:
    """Where each of the five engines answers."""
    return cluster.url


@pytest.fixture(scope="session", params=[pytest.param("elasticsearch-8.19", id="secure", marks=pytest.mark.live)])
def secure_cluster(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """Elasticsearch 8.19 with TLS, users and API keys; it takes no body above 2 MiB."""
    yield from _running(request.config, request.param, "--secure", "--set", "http.max_content_length: 2mb")


@pytest.fixture
def index() -> str:
    """The name of an index that no other test uses."""
    return f"test-{uuid.uuid4().hex[:16]}"


@pytest.fixture
def scripted_server() -> Iterator[Callable[..., ScriptedServer]]:
    """Starts servers that answer from a script; stops them after the test."""
    servers: list[ScriptedServer] = []

    def start(*script: Any, **options: Any) -> ScriptedServer:
        server = ScriptedServer(script, **options).__enter__()
        servers.append(server)
        return server

    yield start
    for server in servers:
        server.stop()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Says which engines were not tested, and why."""
    for name, reason in terminalreporter.config.stash.get(_not_tested, {}).items():
        terminalreporter.write_line(f"NOT TESTED ON {name}: {reason}", red=True, bold=True)


def _running(config: pytest.Config, name: str, *options: str) -> Iterator[Cluster]:
    engine, version = ENGINES[name]
    # Not pytest's own folder: only root may look into it, and the servers do not run as root.
    folder = Path(tempfile.mkdtemp(prefix=f"elasticecsmetrics-{name}-"))
    try:
        command = [sys.executable, SERVERS / "start", engine, "--version", version, "--dir", folder, *options]
        started = subprocess.run(command, capture_output=True, text=True, check=False)
        if started.returncode != 0:
            _give_up(config, name, started)
        info = json.loads((folder / "info.json").read_text())
        yield Cluster(name, engine, version, info["url"], info)
    finally:
        if (folder / "pid").exists():
            subprocess.run([sys.executable, SERVERS / "stop", folder], check=True)
        shutil.rmtree(folder, ignore_errors=True)


def _give_up(config: pytest.Config, name: str, started: subprocess.CompletedProcess[str]) -> None:
    reason = started.stderr.strip()
    required = os.environ.get("CI", "").lower() in {"true", "1"} or os.environ.get("ELASTICECSMETRICS_REQUIRE_LIVE") == "1"
    if started.returncode != UNAVAILABLE or required:
        pytest.fail(f"{name} did not start: {reason}", pytrace=False)
    config.stash.setdefault(_not_tested, {})[name] = reason
    pytest.skip(f"{name}: {reason}")


@pytest.fixture
def give_up(request: pytest.FixtureRequest) -> Callable[[str, subprocess.CompletedProcess[str]], None]:
    """For a test that starts a server by itself: skips it, or fails, when the server did not start."""
    return lambda name, started: _give_up(request.config, name, started)
