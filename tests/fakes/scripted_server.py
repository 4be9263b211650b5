"""A real HTTP server in this process that answers from a script: for the faults that no real cluster shows when asked to."""

from __future__ import annotations

import json
import ssl
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


@dataclass(frozen=True)
class Reply:
    """One answer of the script."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    promised: int | None = None
    """Bytes that Content-Length promises; more than the body has, and the connection is cut in the middle."""
    cut: bool = False
    """Closes the connection without a word."""
    hang: bool = False
    """Never answers."""


@dataclass(frozen=True)
class Received:
    """One request as it came."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


def bulk_reply(*statuses: int, status: int = 200, **item: Any) -> Reply:
    """The answer to a bulk request with an item of each of these statuses."""
    items = [{"create": {"status": one, **item}} for one in statuses]
    answer = {"errors": any(one >= 300 for one in statuses), "items": items}
    return Reply(status, json.dumps(answer).encode(), {"Content-Type": "application/json"})


class ScriptedServer:
    """Answers requests in the script's order, and the last reply from then on. Use it as a context manager."""

    def __init__(self, script: Sequence[Reply] = (), *, tls: ssl.SSLContext | None = None) -> None:
        self.received: list[Received] = []
        self.connections = 0
        self._script = deque(script)
        self._last = Reply()
        self._turn = threading.Condition()
        self._over = threading.Event()
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self.port = self._server.server_address[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Lets go of whoever hangs, and stops listening."""
        self._over.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    def then(self, *replies: Reply) -> None:
        """Adds to the script."""
        self._script.extend(replies)

    def wait_for(self, requests: int, timeout: float = 10.0) -> bool:
        """Waits until so many requests have come in; False when they do not come."""
        with self._turn:
            return self._turn.wait_for(lambda: len(self.received) >= requests, timeout)

    def _next(self, request: Received) -> Reply:
        with self._turn:
            self.received.append(request)
            self._turn.notify_all()
            if self._script:
                self._last = self._script.popleft()
            return self._last


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away, or that does not trust us, is what some tests are about."""


def _handler(owner: ScriptedServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 10

        def setup(self) -> None:
            super().setup()
            owner.connections += 1

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            reply = owner._next(Received(self.command, self.path, headers, body))
            if reply.hang:
                owner._over.wait()
            if reply.hang or reply.cut:
                self.close_connection = True
                return
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(reply.body) if reply.promised is None else reply.promised))
            self.end_headers()
            self.wfile.write(reply.body)
            if reply.promised is not None:
                self.close_connection = True

        do_GET = do_POST = do_PUT = do_HEAD = do_DELETE = _answer

        def log_message(self, format: str, *args: Any) -> None:
            """Silent."""

    return Handler
