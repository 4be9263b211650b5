"""Logins and certificates, on a real Elasticsearch with TLS and security."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trustme

from elasticecsmetrics.config import AuthType, LoginConfig
from elasticecsmetrics.errors import StoreRefusedError, StoreUnreachableError
from elasticecsmetrics.model.document import CREATE, Document
from elasticecsmetrics.model.outcome import Outcome, Verdict
from elasticecsmetrics.stores.cluster import ClusterStore

Open = Callable[..., ClusterStore]

SHIPPER = LoginConfig(auth_type=AuthType.BASIC_AUTH, user="shipper", password="shipper-pass")
WRONG = LoginConfig(auth_type=AuthType.BASIC_AUTH, user="shipper", password="no-s3cret")
AWS = LoginConfig(auth_type=AuthType.AWS_SIGNED_AUTH, aws_access_key="AK", aws_secret_key="sk", aws_region="r")


@pytest.fixture
def open_store(secure_cluster: Any) -> Any:
    """Makes stores that trust the server's CA, unless they say otherwise."""
    stores: list[ClusterStore] = []

    def make(login: LoginConfig = SHIPPER, **changes: Any) -> ClusterStore:
        stores.append(ClusterStore(secure_cluster.config(login=login, **{"ca_certs": secure_cluster.info["ca"], **changes})))
        return stores[-1]

    yield make
    for store in stores:
        store.close()


@pytest.fixture
def write(index: str) -> Callable[..., Outcome]:
    def one(store: ClusterStore) -> Outcome:
        return store.write([Document("1", 0, index, CREATE, b'{"message":"hello"}')])[0]

    return one


def new_key(store: ClusterStore, **limits: Any) -> Any:
    answer = store.client.request("POST", "/_security/api_key", body=json.dumps({"name": "test", **limits}).encode())
    assert answer.status == 200, answer.body
    return answer.json()


def test_basic_login_writes_and_pings(open_store: Open, write: Any, secure_cluster: Any) -> None:
    store = open_store()
    assert write(store).verdict is Verdict.DELIVERED
    assert (store.ping().engine, store.ping().version) == ("elasticsearch", "8.19.0")
    assert store.ping().url == secure_cluster.url


def test_api_key_is_taken_encoded_and_as_id_and_key(open_store: Open, write: Any) -> None:
    key = new_key(open_store())
    for given in (key["encoded"], f"{key['id']}:{key['api_key']}"):
        store = open_store(LoginConfig(auth_type=AuthType.API_KEY, api_key=given))
        assert write(store).verdict is Verdict.DELIVERED
        assert store.ping().engine == "elasticsearch"


@pytest.mark.parametrize(
    "login",
    [WRONG, LoginConfig(auth_type=AuthType.API_KEY, api_key=base64.b64encode(b"no:s3cret").decode()), LoginConfig(), AWS],
    ids=["password", "api key", "none", "aws"],
)
def test_wrong_login_is_put_off_with_a_clear_reason_and_refused_by_ping(
    open_store: Open, write: Any, login: LoginConfig
) -> None:
    store = open_store(login)
    outcome = write(store)
    assert (outcome.verdict, outcome.status, outcome.whole_request) == (Verdict.RETRYABLE, 401, True)
    assert outcome.type == "security_exception"
    assert "authenticat" in outcome.reason
    assert "s3cret" not in outcome.reason
    with pytest.raises(StoreRefusedError, match=r"does not accept this login \(401\)") as caught:
        store.ping()
    assert caught.value.status == 401
    assert "s3cret" not in str(caught.value)


def test_login_without_the_right_to_write_is_put_off(open_store: Open, write: Any) -> None:
    reader = {"reader": {"cluster": ["monitor"], "index": [{"names": ["*"], "privileges": ["read"]}]}}
    store = open_store(
        LoginConfig(auth_type=AuthType.API_KEY, api_key=new_key(open_store(), role_descriptors=reader)["encoded"])
    )
    outcome = write(store)
    assert (outcome.verdict, outcome.status) == (Verdict.RETRYABLE, 403)
    assert "unauthorized" in outcome.reason
    assert store.ping().engine == "elasticsearch"


def test_without_the_ca_the_certificate_is_what_is_wrong(open_store: Open, write: Any) -> None:
    store = open_store(ca_certs=None)
    outcome = write(store)
    assert (outcome.verdict, outcome.status, outcome.type) == (Verdict.RETRYABLE, None, "StoreUnreachableError")
    assert "certificate is not trusted" in outcome.reason
    with pytest.raises(StoreUnreachableError, match="certificate is not trusted"):
        store.ping()


def test_another_ca_is_not_enough(open_store: Open, write: Any, tmp_path: Path) -> None:
    trustme.CA().cert_pem.write_to_path(tmp_path / "other.pem")
    assert "certificate is not trusted" in write(open_store(ca_certs=str(tmp_path / "other.pem"))).reason


def test_server_is_taken_unseen_when_nothing_is_to_be_checked(open_store: Open, write: Any) -> None:
    assert write(open_store(ca_certs=None, verify_certs=False)).verdict is Verdict.DELIVERED


def test_environments_ca_does_not_beat_ours_for_a_signing_login(
    open_store: Open, write: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    trustme.CA().cert_pem.write_to_path(tmp_path / "other.pem")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "other.pem"))
    monkeypatch.setenv("CURL_CA_BUNDLE", str(tmp_path / "other.pem"))
    assert write(open_store(AWS)).status == 401  # which is an answer: TLS was fine


def test_no_tls_to_a_server_with_it_is_explained(secure_cluster: Any, write: Any) -> None:
    from elasticecsmetrics.cluster.hosts import parse_hosts

    plain = parse_hosts(secure_cluster.url.replace("https", "http")).hosts
    assert "is it https" in write(ClusterStore(secure_cluster.config(hosts=plain))).reason


def test_too_large_a_request_comes_back_whole_and_too_large_a_document_is_rejected(open_store: Open, index: str) -> None:
    """The server's bound is 2 MiB here; it answers and closes while the body is still on its way."""
    store = open_store()
    half = Document("1", 0, index, CREATE, b'{"m":"' + b"x" * 1_500_000 + b'"}')
    outcomes = store.write([half, half._replace(id="2")])
    assert [(one.verdict, one.status, one.whole_request) for one in outcomes] == [(Verdict.RETRYABLE, 413, True)] * 2
    assert store.write([half])[0].verdict is Verdict.DELIVERED
    (outcome,) = store.write([half._replace(body=b'{"m":"' + b"x" * 3_000_000 + b'"}')])
    assert (outcome.verdict, outcome.status, outcome.whole_request) == (Verdict.REJECTED, 413, False)
