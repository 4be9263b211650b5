"""Configuring logging a second time: ``dictConfig`` holds logging's own lock while it closes our handler.

Whatever a thread of ours does then that takes that lock (``getLogger``, ``isEnabledFor`` of a level not cached) waits for
the thread that waits for ours.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SERVER = """
import json, threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

class Cluster(BaseHTTPRequestHandler):
    def do_POST(self):
        lines = self.rfile.read(int(self.headers["Content-Length"])).count(b"\\n")
        answer = json.dumps({"errors": False, "items": [{"create": {"status": 201}}] * (lines // 2)}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *arguments):
        pass

server = ThreadingHTTPServer(("127.0.0.1", 0), Cluster)
threading.Thread(target=server.serve_forever, daemon=True).start()
target = {"hosts": f"http://127.0.0.1:{server.server_port}"}
"""
TARGETS = {"cluster": SERVER, "sqlite": "target = {'store': 'sqlite:///metrics.db'}"}
PROGRAM = """
import logging.config
handler = {"class": "elasticecsmetrics.ElasticECSMetricsLogger", "flush_timeout": 60, "close_timeout": 60, **target}
root = {"level": "INFO", "handlers": ["ecs"]}
logging.config.dictConfig({"version": 1, "disable_existing_loggers": False, "handlers": {"ecs": handler}, "root": root})
(metrics,) = logging.getLogger().handlers
for flushed in (False, True)[:rounds]:
    logging.info("before")
    if flushed:
        metrics.flush()
logging.config.dictConfig({"version": 1})
print(metrics.stats().accepted, metrics.stats().delivered)
"""


@pytest.mark.parametrize("rounds", [1, 2], ids=["nothing sent before", "sent before"])
@pytest.mark.parametrize("target", TARGETS)
def test_a_second_dictconfig_closes_the_handler_at_once_and_loses_nothing(target: str, rounds: int, tmp_path: Path) -> None:
    code = f"rounds = {rounds}\n{TARGETS[target]}\n{PROGRAM}"
    # The handler's own time-outs are above this one: a thread that waits for the lock waits to their end.
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=40, check=False)
    assert done.stdout.split() == [str(rounds)] * 2, done.stderr
