"""The options that several commands share: the failure folder, the store, and the login.

What is not given comes from the environment. No secret has to stand on the command line, where other users can see it.
"""

from __future__ import annotations

import argparse
import getpass
import stat
import sys
from pathlib import Path
from typing import Any, Protocol

from elasticecsmetrics import environment, wiring
from elasticecsmetrics.config import AuthType
from elasticecsmetrics.errors import ConfigurationError
from elasticecsmetrics.model.store import Store

FOLDER_VARIABLE = f"{environment.PREFIX}FLUSH_FAILURE_FOLDER"


class Commands(Protocol):
    """What a command adds itself to; argparse has no public name for it."""

    def add_parser(self, name: str, /, *, help: str) -> argparse.ArgumentParser:
        """Adds a command of this name."""


def add_store(parser: argparse.ArgumentParser) -> None:
    """Adds the options that say where documents go and who we are there."""
    where = parser.add_argument_group("where to").add_mutually_exclusive_group()
    where.add_argument("--hosts", metavar="URL", help="the cluster: one URL, or several with commas between them")
    where.add_argument("--store", metavar="URL", help="any store by its URL, such as sqlite:///metrics.db")
    login = parser.add_argument_group("login")
    login.add_argument("--auth-type", metavar="NAME", help=f"one of {', '.join(AuthType.__members__).lower()}")
    login.add_argument("--user", metavar="NAME", help="asks for the password on the terminal, unless a file holds it")
    login.add_argument("--password-file", metavar="FILE", help="the password of --user")
    key = login.add_mutually_exclusive_group()
    key.add_argument("--api-key", metavar="KEY", help="visible to other users of this machine; better is a file")
    key.add_argument("--api-key-file", metavar="FILE", help="an API key, as the cluster gave it")
    connection = parser.add_argument_group("connection")
    connection.add_argument("--use-ssl", action="store_const", const=True, help="TLS for hosts given without a scheme")
    connection.add_argument("--ca-certs", metavar="FILE", help="certificates in PEM of the authority to trust")
    connection.add_argument("--no-verify", action="store_const", const=False, dest="verify_ssl", help="trust anybody")
    connection.add_argument("--request-timeout", metavar="SECONDS", type=float, help="for one request (default: 10)")


def open_store(arguments: argparse.Namespace) -> Store:
    """The store that the options, or the environment, name.

    Raises:
        ConfigurationError: values that cannot work; the message names them.
        MissingExtraError: the store's client library is not installed.
    """
    return wiring.open_store(
        store=arguments.store,
        hosts=arguments.hosts,
        use_ssl=arguments.use_ssl,
        verify_ssl=arguments.verify_ssl,
        ca_certs=arguments.ca_certs,
        request_timeout=arguments.request_timeout,
        **_login(arguments),
    )


def _login(arguments: argparse.Namespace) -> dict[str, Any]:
    api_key = _secret(arguments.api_key_file, "--api-key-file") if arguments.api_key_file else arguments.api_key
    login: dict[str, Any] = {"auth_type": arguments.auth_type, "api_key": api_key}
    if api_key and arguments.auth_type is None:
        login["auth_type"] = AuthType.API_KEY
    if arguments.password_file and not arguments.user:
        raise ConfigurationError("--password-file needs --user")
    if arguments.user:
        login["auth_type"] = arguments.auth_type or AuthType.BASIC_AUTH
        login["auth_details"] = (arguments.user, _password(arguments))
    return login


def _password(arguments: argparse.Namespace) -> str:
    if arguments.password_file:
        return _secret(arguments.password_file, "--password-file")
    if sys.stdin.isatty():
        return getpass.getpass(f"Password of {arguments.user}: ")
    raise ConfigurationError("--user needs --password-file where no terminal can ask for the password")


def _secret(path: str, option: str) -> str:
    try:
        # Only what an editor puts at the end: blanks may belong to a password.
        return Path(path).read_text(encoding="utf-8").removesuffix("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{option}={path!r}: cannot be read: {error}") from None


def add_folder(parser: argparse.ArgumentParser) -> None:
    """Adds the failure folder."""
    parser.add_argument("folder", metavar="FOLDER", nargs="?", help=f"the failure folder (default: {FOLDER_VARIABLE})")


def folder(given: str | None) -> Path:
    """The failure folder that was given or that the environment names.

    Raises:
        ConfigurationError: neither names one, or there is no such folder.
    """
    name = given if given is not None else environment.read("flush_failure_folder")
    if not name:
        raise ConfigurationError(f"no failure folder: give FOLDER or set {FOLDER_VARIABLE}")
    path = Path(name)
    found = is_folder(path)
    if not found:
        raise ConfigurationError(f"{path}: {'there is no such folder' if found is None else 'is no folder'}")
    return path


def is_folder(path: Path) -> bool | None:
    """Whether a path is a folder; None when there is nothing.

    Raises:
        ConfigurationError: that cannot be told.
    """
    # Not Path.is_dir, which raises some errors in some versions and takes others for a "no".
    try:
        return stat.S_ISDIR(path.stat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be looked at: {error.strerror}") from None
