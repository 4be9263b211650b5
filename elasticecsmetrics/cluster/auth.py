"""Logging in: the ``Authorization`` header of a login, or the object that signs each request.

Basic (RFC 7617) and API key are one fixed header. Kerberos and AWS compute theirs from each request, so they take part in
sending it: they are auth objects of ``requests``, whose packages are optional.
"""

from __future__ import annotations

import base64
import importlib
from types import ModuleType
from typing import Any

from elasticecsmetrics.config import AuthType, LoginConfig
from elasticecsmetrics.errors import ConfigurationError, MissingExtraError

#: What AWS calls its OpenSearch and Elasticsearch domains in a signature.
AWS_SERVICE = "es"


def authorization(login: LoginConfig) -> str | None:
    """The value of the ``Authorization`` header; None when there is none, or when each request has its own.

    Raises:
        ConfigurationError: something is missing from the login, or cannot stand in a header. The message holds no secret.
    """
    if login.auth_type is AuthType.BASIC_AUTH:
        if not login.user or ":" in login.user:
            raise ConfigurationError(f"auth_details: user {login.user!r}: expected a name without a colon for BASIC_AUTH")
        return f"Basic {_base64(f'{login.user}:{login.password}')}"
    if login.auth_type is AuthType.API_KEY:
        key = login.api_key.strip()  # a key from a file ends in a line break
        encoded = _base64(key) if ":" in key else key
        if not encoded or not encoded.isascii() or not encoded.isprintable() or " " in encoded:
            raise ConfigurationError("api_key: expected the encoded key that the server gave, or 'id:key', for API_KEY")
        return f"ApiKey {encoded}"
    return None


def signs_requests(login: LoginConfig) -> bool:
    """True for the logins that take part in every request: :func:`signer` makes what does it."""
    return login.auth_type in {AuthType.KERBEROS_AUTH, AuthType.AWS_SIGNED_AUTH}


def signer(login: LoginConfig) -> Any:
    """A new auth object of ``requests`` for a login that signs; its state belongs to one session of one process.

    Kerberos does not ask the server to prove itself in turn, as ElasticECSMetrics did not.

    Raises:
        MissingExtraError: the package is not installed.
        ConfigurationError: the AWS keys or the region are missing.
    """
    if login.auth_type is AuthType.KERBEROS_AUTH:
        kerberos = _module("requests_kerberos", extra="kerberos", needed_for="KERBEROS_AUTH")
        return kerberos.HTTPKerberosAuth(mutual_authentication=kerberos.DISABLED)
    if login.auth_type is AuthType.AWS_SIGNED_AUTH:
        for name in ("aws_access_key", "aws_secret_key", "aws_region"):
            if not getattr(login, name):
                raise ConfigurationError(f"{name}: needed for AWS_SIGNED_AUTH")
        aws = _module("requests_aws4auth", extra="aws", needed_for="AWS_SIGNED_AUTH")
        return aws.AWS4Auth(login.aws_access_key, login.aws_secret_key, login.aws_region, AWS_SERVICE)
    return None


def _module(name: str, *, extra: str, needed_for: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise MissingExtraError(name, extra=extra, needed_for=needed_for) from error


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
