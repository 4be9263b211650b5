"""One host as elastic-transport sees it: a node that sends a request and gives back whatever was answered, as bytes.

The nodes are used by themselves, without elastic-transport's ``Transport``: that one reads each body as JSON, so a proxy's
page raises and its status is lost; it retries without telling what became of the documents; and it logs a line for each
request. What is left of it here is the part that has seen the world: connections, time-outs, gzip, TLS, errors.

Three things are done otherwise than in its own nodes, each for a reason that was met:

- connections are not waited for. At the exit of the interpreter urllib3 empties its pools, and a request that waits for a
  connection then waits for ever;
- the TLS context is ours, so that ``ca_certs`` means these CAs alone, and no warning of the program's is turned off;
- the signing node asks for its own CAs in each request, since ``REQUESTS_CA_BUNDLE`` and ``CURL_CA_BUNDLE`` beat those of a
  session, and does not follow redirects: these would take the signature elsewhere, or turn a POST into a GET.
"""

from __future__ import annotations

import ssl
from typing import Any

import requests
import urllib3
from elastic_transport import BaseNode, NodeConfig, RequestsHttpNode, Urllib3HttpNode
from requests.adapters import HTTPAdapter

from elasticecsmetrics._version import __version__
from elasticecsmetrics.cluster import auth, tls
from elasticecsmetrics.config import ClusterConfig, Host

USER_AGENT = f"elasticecsmetrics/{__version__}"


class PooledNode(Urllib3HttpNode):
    """A host spoken to through urllib3: every login that is a fixed header."""

    def __init__(self, config: NodeConfig, context: ssl.SSLContext | None) -> None:
        BaseNode.__init__(self, config)
        options: dict[str, Any] = {
            "port": config.port,
            "timeout": urllib3.Timeout(total=config.request_timeout),
            "maxsize": config.connections_per_node,
            "block": False,
        }
        if context is None:
            self.pool = urllib3.HTTPConnectionPool(config.host, **options)
            return
        pool = urllib3.HTTPSConnectionPool if context.verify_mode is ssl.CERT_REQUIRED else tls.UncheckedPool
        self.pool = pool(config.host, ssl_context=context, **options)


class SigningNode(RequestsHttpNode):
    """A host spoken to through requests, whose auth objects sign each request: Kerberos and AWS."""

    def __init__(self, config: NodeConfig, *, signature: Any, verify: str | bool) -> None:
        BaseNode.__init__(self, config)
        self.session = _OwnSession(verify, config.connections_per_node)
        self.session.auth = signature


class _OwnSession(requests.Session):
    def __init__(self, verify: str | bool, connections: int) -> None:
        super().__init__()
        self.headers.clear()
        self.verify = verify
        adapter = HTTPAdapter(pool_connections=connections, pool_maxsize=connections, pool_block=False)
        if not verify:
            pools = adapter.poolmanager.pool_classes_by_scheme
            adapter.poolmanager.pool_classes_by_scheme = {**pools, "https": tls.UncheckedPool}
        self.mount("http://", adapter)
        self.mount("https://", adapter)

    def merge_environment_settings(self, url: Any, proxies: Any, stream: Any, verify: Any, cert: Any) -> Any:
        merged = super().merge_environment_settings(url, proxies, stream, self.verify if verify is None else verify, cert)
        return {**merged, "allow_redirects": False}


def node(host: Host, config: ClusterConfig, context: ssl.SSLContext | None) -> BaseNode:
    """A new node for this host; nothing is connected yet.

    Args:
        context: how TLS is spoken, of :func:`elasticecsmetrics.cluster.tls.context`.

    Raises:
        MissingExtraError: the login needs a package that is not installed.
        ConfigurationError: the login is not complete.
    """
    headers = {"user-agent": USER_AGENT}
    header = auth.authorization(config.login)
    if header is not None:
        headers["authorization"] = header
    if config.http_compress:
        headers["accept-encoding"] = "gzip"
    # Made afresh each time: elastic-transport's nodes take things out of what they are given.
    settings = NodeConfig(
        scheme=host.scheme,
        host=host.host,
        port=host.port,
        path_prefix=host.path_prefix,
        headers=headers,
        connections_per_node=config.connections,
        request_timeout=config.request_timeout,
    )
    if auth.signs_requests(config.login):
        verify = tls.trusted(config) if config.verify_certs else False
        return SigningNode(settings, signature=auth.signer(config.login), verify=verify)
    return PooledNode(settings, context if host.scheme == "https" else None)
