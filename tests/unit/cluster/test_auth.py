"""The header of each login, and that no message holds a secret."""

from __future__ import annotations

import base64
import sys

import pytest

from elasticecsmetrics.cluster.auth import authorization, signer, signs_requests
from elasticecsmetrics.config import AuthType, LoginConfig
from elasticecsmetrics.errors import ConfigurationError, MissingExtraError

ENCODED = base64.b64encode(b"VuaCfGcB:ui2lp2ax").decode()
AWS = LoginConfig(auth_type=AuthType.AWS_SIGNED_AUTH, aws_access_key="AK", aws_secret_key="s3cret", aws_region="eu-west-1")


def test_no_login_has_no_header() -> None:
    assert authorization(LoginConfig(user="bob", password="pw")) is None


def test_basic_login_is_encoded_in_utf8() -> None:
    header = authorization(LoginConfig(auth_type=AuthType.BASIC_AUTH, user="bøb", password="p:w☃"))
    assert header is not None
    kind, _, value = header.partition(" ")
    assert (kind, base64.b64decode(value).decode()) == ("Basic", "bøb:p:w☃")


@pytest.mark.parametrize("given", [ENCODED, "VuaCfGcB:ui2lp2ax", f"{ENCODED}\n"], ids=["encoded", "id and key", "from a file"])
def test_api_key_is_taken_encoded_or_as_id_and_key(given: str) -> None:
    assert authorization(LoginConfig(auth_type=AuthType.API_KEY, api_key=given)) == f"ApiKey {ENCODED}"


@pytest.mark.parametrize("user", ["", "a:b"])
def test_basic_login_without_a_usable_user_is_refused(user: str) -> None:
    with pytest.raises(ConfigurationError, match="auth_details") as caught:
        authorization(LoginConfig(auth_type=AuthType.BASIC_AUTH, user=user, password="s3cret"))
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("key", ["", " ", "s3cret\r\nX-Evil: 1", "s3cret☃", "s3cret s3cret"])
def test_api_key_that_cannot_stand_in_a_header_is_refused(key: str) -> None:
    with pytest.raises(ConfigurationError, match="api_key") as caught:
        authorization(LoginConfig(auth_type=AuthType.API_KEY, api_key=key.replace(":", ";")))
    assert "s3cret" not in str(caught.value)


def test_only_kerberos_and_aws_sign_requests() -> None:
    assert {kind for kind in AuthType if signs_requests(LoginConfig(auth_type=kind))} == {
        AuthType.KERBEROS_AUTH,
        AuthType.AWS_SIGNED_AUTH,
    }


def test_aws_signer_is_new_each_time() -> None:
    first, second = signer(AWS), signer(AWS)
    assert first is not second
    assert (first.region, first.service) == ("eu-west-1", "es")
    assert authorization(AWS) is None


@pytest.mark.parametrize("missing", ["aws_access_key", "aws_secret_key", "aws_region"])
def test_aws_login_without_a_part_is_refused_by_its_name(missing: str) -> None:
    parts = {"aws_access_key": "AK", "aws_secret_key": "s3cret", "aws_region": "eu-west-1", missing: ""}
    with pytest.raises(ConfigurationError, match=missing) as caught:
        signer(LoginConfig(auth_type=AuthType.AWS_SIGNED_AUTH, **parts))
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("login", "module", "extra"),
    [(AWS, "requests_aws4auth", "aws"), (LoginConfig(auth_type=AuthType.KERBEROS_AUTH), "requests_kerberos", "kerberos")],
    ids=["aws", "kerberos"],
)
def test_missing_package_names_the_extra(monkeypatch: pytest.MonkeyPatch, login: LoginConfig, module: str, extra: str) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtraError, match=rf"elasticecsmetrics\[{extra}\]") as caught:
        signer(login)
    assert caught.value.extra == extra


def test_secrets_are_left_out_of_the_repr() -> None:
    login = LoginConfig(password="s3cret", api_key="s3cret", aws_access_key="s3cret", aws_secret_key="s3cret")
    assert "s3cret" not in repr(login)
