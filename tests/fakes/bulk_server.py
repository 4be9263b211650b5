"""A real HTTP server in this process that takes every bulk request, for tests of the process around the handler."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


class BulkServer:
    """Keeps each document by index and id, as a cluster does: 201 the first time, 409 when it is created again."""

    def __init__(self, port: int = 0) -> None:
        self._lock = threading.Lock()
        self.contents: dict[tuple[str, str], dict[str, Any]] = {}
        self.repeated = 0
        self._server = _Server(("127.0.0.1", port), _handler(self))
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    @property
    def messages(self) -> list[str]:
        """The messages of the log documents, sorted."""
        with self._lock:
            return sorted(str(body.get("message")) for body in self.contents.values())

    def take(self, body: bytes) -> list[dict[str, Any]]:
        """The items of the answer to a bulk request."""
        lines = body.splitlines()
        items = []
        with self._lock:
            for action, source in zip(lines[::2], lines[1::2], strict=True):
                ((op, meta),) = json.loads(action).items()
                key = (meta["_index"], meta["_id"])
                again = op == "create" and key in self.contents
                self.repeated += again
                if not again:
                    self.contents[key] = json.loads(source)
                items.append({op: {"status": 409 if again else 201}})
        return items


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False


def _handler(owner: BulkServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            items = owner.take(self.rfile.read(int(self.headers.get("Content-Length") or 0)))
            errors = any(next(iter(item.values()))["status"] >= 300 for item in items)
            answer = json.dumps({"errors": errors, "items": items}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: Any) -> None:
            """Silent."""

    return Handler
