"""The client against a real HTTP server that misbehaves from a script."""

from __future__ import annotations

import base64
import contextlib
import gzip
import logging
import os
import signal
import socket
import ssl
import subprocess
import sys
import textwrap
import threading
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme
from fakes.scripted_server import Reply, ScriptedServer

from elasticecsmetrics.cluster.client import ClusterClient
from elasticecsmetrics.cluster.failures import explain
from elasticecsmetrics.cluster.hosts import parse_hosts
from elasticecsmetrics.cluster.nodes import USER_AGENT
from elasticecsmetrics.config import AuthType, ClusterConfig, Host, LoginConfig
from elasticecsmetrics.errors import ConfigurationError, MissingExtraError, StoreUnreachableError

Start = Callable[..., ScriptedServer]

OK = Reply(200, b'{"ok":true}', {"Content-Type": "application/json"})
DEAD = Host("http", "127.0.0.1", 1)

AWS = LoginConfig(auth_type=AuthType.AWS_SIGNED_AUTH, aws_access_key="AK", aws_secret_key="sk", aws_region="eu-west-1")
#: One login of each way to send: through urllib3, and through requests.
WAYS = pytest.mark.parametrize("login", [LoginConfig(), AWS], ids=["urllib3", "requests"])


def client(*urls: str, **changes: Any) -> ClusterClient:
    hosts = parse_hosts(list(urls)).hosts if urls else (DEAD,)
    return ClusterClient(ClusterConfig(**{"hosts": hosts, "request_timeout": 5.0, **changes}))


@pytest.fixture
def ca() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def ca_file(ca: trustme.CA, tmp_path: Path) -> str:
    ca.cert_pem.write_to_path(tmp_path / "ca.pem")
    return str(tmp_path / "ca.pem")


@pytest.fixture
def tls(ca: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("127.0.0.1", "localhost").configure_cert(context)
    return context


@pytest.fixture
def said() -> Iterator[list[str]]:
    """What is logged by anybody at WARNING or above."""
    lines: list[str] = []

    class Collecting(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(f"{record.name}: {record.getMessage()}")

    handler = Collecting(logging.WARNING)
    logging.getLogger().addHandler(handler)
    yield lines
    logging.getLogger().removeHandler(handler)


# ---- what is sent


@WAYS
def test_request_is_plain_json_from_us_and_nothing_else(scripted_server: Start, login: LoginConfig) -> None:
    server = scripted_server(OK)
    answer = client(server.url, login=login).request("POST", "/_bulk?a=b", body=b"{}\n", content_type="application/x-ndjson")
    assert (answer.status, answer.json(), answer.url) == (200, {"ok": True}, server.url)
    assert answer.headers["content-type"] == "application/json"
    (request,) = server.received
    assert (request.method, request.target, request.body) == ("POST", "/_bulk?a=b", b"{}\n")
    assert request.headers["content-type"] == "application/x-ndjson"
    assert request.headers["accept"] == "application/json"
    assert request.headers["user-agent"] == USER_AGENT
    assert "x-elastic-client-meta" not in request.headers
    assert "content-encoding" not in request.headers


@pytest.mark.parametrize(
    ("login", "header"),
    [
        (LoginConfig(), None),
        (
            LoginConfig(auth_type=AuthType.BASIC_AUTH, user="bob", password="pw"),
            f"Basic {base64.b64encode(b'bob:pw').decode()}",
        ),
        (LoginConfig(auth_type=AuthType.API_KEY, api_key="a:b"), f"ApiKey {base64.b64encode(b'a:b').decode()}"),
    ],
    ids=["none", "basic", "api key"],
)
def test_login_is_sent_with_every_request(scripted_server: Start, login: LoginConfig, header: str | None) -> None:
    server = scripted_server(OK)
    sender = client(server.url, login=login)
    sender.request("GET", "/")
    sender.close()
    sender.request("GET", "/")
    assert [request.headers.get("authorization") for request in server.received] == [header, header]


def test_every_request_is_signed_also_after_the_connections_were_given_up(scripted_server: Start) -> None:
    server = scripted_server(OK)
    sender = client(server.url, login=AWS)
    for _ in range(2):
        sender.request("GET", "/")
        sender.close()
    assert all(one.headers["authorization"].startswith("AWS4-HMAC-SHA256 Credential=AK/") for one in server.received)
    assert len(server.received) == 2


@WAYS
def test_path_of_a_gateway_is_put_before_the_target(scripted_server: Start, login: LoginConfig) -> None:
    server = scripted_server(OK)
    assert client(f"{server.url}/gate/way", login=login).request("GET", "/_bulk").url == f"{server.url}/gate/way"
    assert server.received[0].target == "/gate/way/_bulk"


@WAYS
def test_compressed_body_unzips_to_what_was_given(scripted_server: Start, login: LoginConfig) -> None:
    zipped = Reply(200, gzip.compress(b'{"zipped":1}'), {"Content-Encoding": "gzip"})
    server = scripted_server(zipped)
    body = b'{"message":"hello"}\n' * 100
    answer = client(server.url, http_compress=True, login=login).request("POST", "/", body=body)
    request = server.received[0]
    assert request.headers["content-encoding"] == "gzip"
    assert len(request.body) < len(body) / 10
    assert gzip.decompress(request.body) == body
    assert answer.json() == {"zipped": 1}


def test_connection_is_kept_for_the_next_request(scripted_server: Start) -> None:
    server = scripted_server(OK)
    sender = client(server.url)
    for _ in range(5):
        sender.request("GET", "/")
    assert server.connections == 1


# ---- answers that are none of ours


@WAYS
@pytest.mark.parametrize(
    "reply",
    [
        Reply(502, b"<html>Bad Gateway</html>", {"Content-Type": "text/html"}),
        Reply(200, b"<html>Log in</html>", {"Content-Type": "text/html"}),
        Reply(200, b'{"truncated":', {"Content-Type": "application/json"}),
        Reply(200, b"\xff\xfe", {"Content-Type": "application/json"}),
        Reply(503, b"", {"Retry-After": "7"}),
        Reply(429, b"{}"),
        Reply(413),
        Reply(302, b"", {"Location": "/login"}),
        Reply(307, b"", {"Location": "/login"}),
    ],
    ids=lambda reply: f"{reply.status} {reply.body[:12]!r}",
)
def test_any_answer_is_returned_as_it_came_and_asked_for_once(scripted_server: Start, login: LoginConfig, reply: Reply) -> None:
    server = scripted_server(reply)
    answer = client(server.url, login=login).request("POST", "/_bulk", body=b"x")
    assert (answer.status, answer.body) == (reply.status, reply.body)
    assert {name.lower(): value for name, value in reply.headers.items()}.items() <= answer.headers.items()
    assert len(server.received) == 1


# ---- no answer


@WAYS
@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (Reply(cut=True), "closed without an answer"),
        (Reply(200, b'{"items":[', promised=1000), "Incomplete|IncompleteRead|broken"),
        (Reply(200, b"no gzip", {"Content-Encoding": "gzip"}), "gzip|decode|header"),
    ],
    ids=["cut", "cut in the middle", "broken gzip"],
)
def test_broken_answer_is_no_answer(scripted_server: Start, login: LoginConfig, reply: Reply, said: str) -> None:
    server = scripted_server(reply)
    with pytest.raises(StoreUnreachableError, match=said) as caught:
        client(server.url, login=login).request("GET", "/")
    assert str(caught.value).startswith(server.url)


@WAYS
def test_hung_server_is_given_up_at_the_time_out(scripted_server: Start, login: LoginConfig) -> None:
    server = scripted_server(Reply(hang=True))
    with pytest.raises(StoreUnreachableError, match=r"no answer within 0\.2 s"):
        client(server.url, login=login).request("GET", "/", timeout=0.2)
    with pytest.raises(StoreUnreachableError, match=r"no answer within 0\.3 s"):
        client(server.url, login=login, request_timeout=0.3).request("GET", "/")


@WAYS
def test_refused_connection_says_so(login: LoginConfig) -> None:
    with pytest.raises(StoreUnreachableError, match=r"^http://127\.0\.0\.1:1: connection refused"):
        client(login=login).request("GET", "/")


@pytest.mark.parametrize("name", ["no-such-host.invalid", "a" * 70 + ".example", "a..b"])
def test_name_that_is_not_known_says_so(name: str) -> None:
    with pytest.raises(StoreUnreachableError, match=r"the name of the host is not known|no name of a host"):
        ClusterClient(ClusterConfig(hosts=(Host("http", name, 9200),))).request("GET", "/")


@WAYS
def test_message_holds_no_login(login: LoginConfig) -> None:
    basic = LoginConfig(auth_type=AuthType.BASIC_AUTH, user="bob", password="s3cret")
    with pytest.raises(StoreUnreachableError) as caught:
        client(login=basic if login.auth_type is AuthType.NO_AUTH else login).request("GET", "/")
    assert "s3cret" not in repr(caught.value)
    assert "bob" not in repr(caught.value)


# ---- several hosts


def test_login_in_the_text_of_an_exception_is_not_repeated() -> None:
    error = ValueError("Failed to parse: http://bob:s3cret@proxy:x")
    assert explain(error, "http://search:9200", 1.0) == "http://search:9200: ValueError: Failed to parse: http://***@proxy:x"


def test_dead_host_among_several_delays_nothing(scripted_server: Start) -> None:
    server = scripted_server(OK)
    sender = client("http://127.0.0.1:1", server.url, "http://127.0.0.1:2")
    for _ in range(4):
        assert sender.request("GET", "/").url == server.url


def test_request_that_may_have_arrived_is_not_sent_to_another_host(scripted_server: Start) -> None:
    first, second = scripted_server(Reply(cut=True), OK), scripted_server(Reply(cut=True), OK)
    sender = client(first.url, second.url)
    with pytest.raises(StoreUnreachableError):
        sender.request("POST", "/", body=b"x")
    assert len(first.received) + len(second.received) == 1


def test_host_behind_a_failing_gateway_rests(scripted_server: Start) -> None:
    bad, good = scripted_server(Reply(503)), scripted_server(OK)
    sender = client(bad.url, good.url)
    assert [sender.request("GET", "/").status for _ in range(5)] == [503, 200, 200, 200, 200]


def test_all_hosts_dead_names_one(scripted_server: Start) -> None:
    with pytest.raises(StoreUnreachableError, match="connection refused"):
        client("http://127.0.0.1:1", "http://127.0.0.1:2").request("GET", "/")


# ---- TLS


@WAYS
def test_server_is_trusted_by_the_file_of_its_ca(scripted_server: Start, tls: Any, ca_file: str, login: LoginConfig) -> None:
    server = scripted_server(OK, tls=tls)
    assert client(server.url, ca_certs=ca_file, login=login).request("GET", "/").status == 200


@WAYS
def test_environments_ca_does_not_beat_ours(
    scripted_server: Start, tls: Any, ca_file: str, login: LoginConfig, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    trustme.CA().cert_pem.write_to_path(tmp_path / "other.pem")
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "other.pem"))
    server = scripted_server(OK, tls=tls)
    assert client(server.url, ca_certs=ca_file, login=login).request("GET", "/").status == 200


@WAYS
def test_ca_of_the_environment_is_no_reason_to_trust(
    scripted_server: Start, tls: Any, ca_file: str, login: LoginConfig, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    trustme.CA().cert_pem.write_to_path(tmp_path / "other.pem")
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.setenv(name, ca_file)
    server = scripted_server(OK, tls=tls)
    with pytest.raises(StoreUnreachableError, match="certificate is not trusted"):
        client(server.url, ca_certs=str(tmp_path / "other.pem"), login=login).request("GET", "/")


@WAYS
def test_untrusted_server_says_certificate_and_ca_certs(scripted_server: Start, tls: Any, login: LoginConfig) -> None:
    server = scripted_server(OK, tls=tls)
    with pytest.raises(StoreUnreachableError, match=r"certificate is not trusted .*ca_certs"):
        client(server.url, login=login).request("GET", "/")
    assert server.received == []


@WAYS
def test_certificate_of_another_host_is_not_trusted(
    scripted_server: Start, ca: trustme.CA, ca_file: str, login: LoginConfig
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("elsewhere.example").configure_cert(context)
    server = scripted_server(OK, tls=context)
    with pytest.raises(StoreUnreachableError, match="certificate is not trusted"):
        client(server.url, ca_certs=ca_file, login=login).request("GET", "/")


@WAYS
def test_unchecked_server_is_said_once_by_us_and_warned_of_by_nobody(
    scripted_server: Start, tls: Any, login: LoginConfig, said: list[str]
) -> None:
    server = scripted_server(OK, tls=tls)
    sender = client(server.url, verify_certs=False, login=login)
    before = list(warnings.filters)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for _ in range(3):
            assert sender.request("GET", "/").status == 200
            sender.close()
    assert caught == []
    assert len(said) == 1
    assert "verify_certs=False" in said[0]
    assert list(warnings.filters) == before


@WAYS
def test_warnings_of_the_program_about_its_own_requests_stay(scripted_server: Start, tls: Any, login: LoginConfig) -> None:
    import requests
    import urllib3.exceptions

    server = scripted_server(OK, tls=tls)
    client(server.url, verify_certs=False, login=login).request("GET", "/")
    with (
        requests.Session() as session,
        pytest.warns(urllib3.exceptions.InsecureRequestWarning),
        session.get(server.url, verify=False, timeout=5) as response,
    ):
        assert response.status_code == 200


@WAYS
def test_tls_to_a_server_without_it_says_so(scripted_server: Start, login: LoginConfig) -> None:
    server = scripted_server(OK)
    with pytest.raises(StoreUnreachableError, match="is it http"):
        client(server.url.replace("http:", "https:"), login=login).request("GET", "/")


def test_file_without_certificates_is_refused_by_the_parameters_name(tmp_path: Path) -> None:
    (tmp_path / "no.pem").write_text("no certificate")
    with pytest.raises(ConfigurationError, match=r"^ca_certs='.*no\.pem'"):
        client("https://search", ca_certs=str(tmp_path / "no.pem"))


def test_folder_of_certificates_is_taken(tmp_path: Path) -> None:
    assert client("https://search", ca_certs=str(tmp_path)).config.ca_certs == str(tmp_path)


# ---- construction, threads, processes, exit


def test_incomplete_login_is_refused_at_construction() -> None:
    with pytest.raises(ConfigurationError, match="api_key"):
        client(login=LoginConfig(auth_type=AuthType.API_KEY))


def test_missing_package_is_told_at_construction(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "requests_kerberos", None)
    with pytest.raises(MissingExtraError, match="kerberos"):
        client(login=LoginConfig(auth_type=AuthType.KERBEROS_AUTH))


def test_construction_connects_to_nothing(scripted_server: Start) -> None:
    server = scripted_server(OK)
    made = client(server.url)
    assert server.connections == 0
    made.request("GET", "/")
    assert server.connections == 1
    made.close()


def test_more_threads_than_connections_do_not_wait_for_one_another(scripted_server: Start) -> None:
    server = scripted_server(Reply(hang=True), OK)
    sender = client(server.url, connections=1)

    def ask_in_vain() -> None:
        with contextlib.suppress(StoreUnreachableError):
            sender.request("GET", "/", timeout=30)

    hung = threading.Thread(target=ask_in_vain)
    hung.start()
    assert server.wait_for(1)
    assert sender.request("GET", "/", timeout=5).status == 200
    assert hung.is_alive()
    server.stop()
    hung.join(10)
    assert not hung.is_alive()


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
@WAYS
def test_forked_child_has_connections_and_a_signature_of_its_own(scripted_server: Start, login: LoginConfig) -> None:
    server = scripted_server(OK)
    sender = client(server.url, login=login)
    sender.request("GET", "/parent")
    child = os.fork()
    if child == 0:
        signal.alarm(30)
        status = 0
        try:
            status = sender.request("GET", "/child").status
        finally:
            os._exit(0 if status == 200 else 1)
    assert os.waitpid(child, 0)[1] == 0
    sender.request("GET", "/parent")
    assert [request.target for request in server.received] == ["/parent", "/child", "/parent"]
    assert server.connections == 2
    if login is AWS:
        assert all("AWS4-HMAC-SHA256" in request.headers["authorization"] for request in server.received)


EXIT = """
    import atexit, sys

    def at_the_end():
        answer = sender.request("POST", "/last", body=b"x")
        print(answer.status)
        sender.close()

    {early}
    from elasticecsmetrics.cluster.client import ClusterClient
    from elasticecsmetrics.cluster.hosts import parse_hosts
    from elasticecsmetrics.config import AuthType, ClusterConfig, LoginConfig

    login = LoginConfig(auth_type=AuthType.AWS_SIGNED_AUTH, aws_access_key="AK", aws_secret_key="sk", aws_region="r")
    login = login if {signs} else LoginConfig()
    sender = ClusterClient(ClusterConfig(hosts=parse_hosts(sys.argv[1]).hosts, login=login, connections=1))
    {use}
    {late}
"""
REGISTER = "atexit.register(at_the_end)"


@pytest.mark.parametrize("signs", [False, True], ids=["urllib3", "requests"])
@pytest.mark.parametrize("used", [False, True], ids=["unused", "used"])
@pytest.mark.parametrize("early", [False, True], ids=["late hook", "early hook"])
def test_request_from_an_exit_hook_is_answered(scripted_server: Start, signs: bool, used: bool, early: bool) -> None:
    """An early hook runs after urllib3 has emptied its pools: a request that waits for a connection would wait for ever."""
    server = scripted_server(OK)
    script = textwrap.dedent(EXIT).format(
        early=REGISTER if early else "",
        late="" if early else REGISTER,
        use="sender.request('GET', '/first')" if used else "",
        signs=signs,
    )
    done = subprocess.run([sys.executable, "-c", script, server.url], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "200\n", "")


@pytest.fixture
def listening_socket() -> Iterator[socket.socket]:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        yield listening


def test_server_that_accepts_and_says_nothing_is_given_up(listening_socket: socket.socket) -> None:
    port = listening_socket.getsockname()[1]
    with pytest.raises(StoreUnreachableError, match=r"no answer within 0\.2 s"):
        client(f"https://127.0.0.1:{port}").request("GET", "/", timeout=0.2)
