"""One HTTP client for every version of Elasticsearch and OpenSearch: plain media types, raw answers, no retries of its own.

It knows hosts, logins, TLS, gzip and time-outs; it does not know what is asked. A request that got no answer is raised, every
answer is returned: whether to try again is decided where it is known what became of the documents.
"""

from __future__ import annotations

import gzip
import logging
import os
import time
from typing import Any, NamedTuple

import urllib3
from elastic_transport import BaseNode, HttpHeaders, TransportError

from elasticecsmetrics.cluster import auth, tls
from elasticecsmetrics.cluster.answer import Answer
from elasticecsmetrics.cluster.failures import explain, never_sent
from elasticecsmetrics.cluster.nodes import node
from elasticecsmetrics.cluster.rotation import Rotation
from elasticecsmetrics.config import ClusterConfig
from elasticecsmetrics.errors import StoreUnreachableError

_logger = logging.getLogger("elasticecsmetrics")

#: The fastest: log documents become six times smaller at level 1, and hardly less at 9, which takes five times as long.
GZIP_LEVEL = 1

#: A gateway that cannot reach its server: another host may be better off.
_GATEWAY_FAILURES = frozenset({502, 503, 504})


class _Built(NamedTuple):
    """What belongs to one process: connections cannot be shared with a forked child."""

    pid: int
    rotation: Rotation[BaseNode]


class ClusterClient:
    """Sends requests to a cluster. Nothing is connected before the first one; several threads may send at once."""

    def __init__(self, config: ClusterConfig) -> None:
        """
        Raises:
            ConfigurationError: the login is not complete, or ``ca_certs`` holds no certificate.
            MissingExtraError: the login needs a package that is not installed.
        """
        self.config = config
        self._context = tls.context(config) if any(host.scheme == "https" for host in config.hosts) else None
        self._built: _Built | None = None
        self._warned = config.verify_certs or self._context is None
        auth.authorization(config.login)
        auth.signer(config.login)

    def request(
        self,
        method: str,
        target: str,
        *,
        body: bytes | None = None,
        content_type: str = "application/json",
        timeout: float | None = None,
    ) -> Answer:
        """Sends one request to one host, and returns what was answered, whatever its status.

        A host that cannot even be connected is passed over for the next, as long as there is time.

        Args:
            method: such as ``GET``.
            target: path and query, encoded, beginning with ``/``.
            body: what is sent, gzipped here when the configuration says so.
            content_type: of the body.
            timeout: seconds until connected, and then without a byte from the server; default: ``request_timeout``.

        Raises:
            StoreUnreachableError: no answer; the message names the host and what happened.
        """
        allowed = self.config.request_timeout if timeout is None else timeout
        headers, sent = self._encoded(body, content_type)
        rotation, began = self._rotation(), time.monotonic()
        places = rotation.order()
        while True:
            place = places.pop(0)
            chosen = rotation.nodes[place]
            # A Timeout, not a number: from a number urllib3 would allow that much for connecting and as much again for reading.
            left: Any = urllib3.Timeout(total=max(0.001, began + allowed - time.monotonic()))
            try:
                meta, raw = chosen.perform_request(method, target, body=sent, headers=headers, request_timeout=left)
            except (TransportError, urllib3.exceptions.HTTPError, OSError, UnicodeError) as error:
                rotation.failed(place)
                if places and never_sent(error) and time.monotonic() - began < allowed:
                    continue
                raise StoreUnreachableError(explain(error, chosen.base_url, allowed)) from error
            (rotation.failed if meta.status in _GATEWAY_FAILURES else rotation.answered)(place)
            named = {name.lower(): value for name, value in meta.headers.items()}
            return Answer(meta.status, named, raw, chosen.base_url)

    def close(self) -> None:
        """Gives up all connections. A later request makes new ones."""
        built, self._built = self._built, None
        if built is not None and built.pid == os.getpid():
            for one in built.rotation.nodes:
                one.close()

    def _rotation(self) -> Rotation[BaseNode]:
        built = self._built
        if built is None or built.pid != os.getpid():
            # No lock: one held by another thread during a fork would stay held in the child. Of two threads that build at
            # once, the first one's nodes serve its one request.
            nodes = [node(host, self.config, self._context) for host in self.config.hosts]
            built = self._built = _Built(os.getpid(), Rotation(nodes))
            self._warn_once()
        return built.rotation

    def _warn_once(self) -> None:
        if not self._warned:
            self._warned = True
            urls = ", ".join(host.url for host in self.config.hosts if host.scheme == "https")
            _logger.warning("The certificate of %s is not checked (verify_certs=False): anybody may answer in its name", urls)

    def _encoded(self, body: bytes | None, content_type: str) -> tuple[HttpHeaders, bytes | None]:
        headers = HttpHeaders({"accept": "application/json"})
        if body is None:
            return headers, None
        headers["content-type"] = content_type
        if not self.config.http_compress:
            return headers, body
        headers["content-encoding"] = "gzip"
        return headers, gzip.compress(body, GZIP_LEVEL, mtime=0)
