"""Trusting a server: which certificates are taken, and how not to be reminded at every request that none is checked."""

from __future__ import annotations

import ssl
from pathlib import Path

import certifi
from urllib3 import HTTPSConnectionPool
from urllib3.connection import HTTPSConnection

from elasticecsmetrics.config import ClusterConfig
from elasticecsmetrics.errors import ConfigurationError


def trusted(config: ClusterConfig) -> str:
    """The file or folder with the certificates of the CAs that are trusted: ``ca_certs``, or those that certifi ships."""
    return config.ca_certs or certifi.where()


def context(config: ClusterConfig) -> ssl.SSLContext:
    """How TLS is spoken: with the CAs of ``ca_certs`` alone, or with nothing checked; from version 1.2 on, as Python does.

    Raises:
        ConfigurationError: ``ca_certs`` holds no certificate.
    """
    if not config.verify_certs:
        unchecked = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        unchecked.check_hostname = False
        unchecked.verify_mode = ssl.CERT_NONE
        return unchecked
    path = trusted(config)
    file, folder = (None, path) if Path(path).is_dir() else (path, None)
    try:
        # Given one of them, the system's own CAs stay out: who names a CA means that one.
        return ssl.create_default_context(cafile=file, capath=folder)
    except (ssl.SSLError, OSError) as error:
        raise ConfigurationError(f"ca_certs={path!r}: no certificates in PEM can be read there ({error})") from error


class UncheckedConnection(HTTPSConnection):
    """A connection to a server whose certificate nobody asked to be checked.

    urllib3 would warn at every request, and turning that off turns it off for the whole program. That nothing is checked is
    said once, by us.
    """

    def connect(self) -> None:
        """Connects, and counts as checked."""
        super().connect()
        self.is_verified = True


class UncheckedPool(HTTPSConnectionPool):
    """A pool of :class:`UncheckedConnection`."""

    ConnectionCls = UncheckedConnection
