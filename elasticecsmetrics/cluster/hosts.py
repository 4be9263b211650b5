"""Reading the ``hosts`` parameter: everything that the 7.x client of Elasticsearch took, and comma lists.

The default ports are that client's (elasticsearch-py 7.17, ``_normalize_hosts`` and ``Connection``): 443 for a URL with
``https``, 9200 for everything else.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv6Address
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from elasticecsmetrics.config import Host
from elasticecsmetrics.errors import ConfigurationError

DEFAULT_PORT = 9200
HTTPS_URL_PORT = 443

_KEYS = frozenset({"host", "port", "scheme", "use_ssl", "url_prefix", "http_auth"})
#: After a colon, what is no number.
_NO_PORT = re.compile(r":(?!//)[^/:\]]*[^/:\]\d][^/:\]]*")

_FORMS = "expected a URL, 'host:port', a dict with 'host' and 'port', or a list of these"


@dataclass(frozen=True, slots=True)
class HostsGiven:
    """What the ``hosts`` parameter says: where, and perhaps as whom."""

    hosts: tuple[Host, ...]
    user: str = ""
    """Empty when ``hosts`` names nobody."""
    password: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class _Entry:
    host: Host
    login: tuple[str, str] | None = field(default=None, repr=False)


def parse_hosts(value: object, *, use_ssl: bool = False) -> HostsGiven:
    """Reads ``hosts`` in any of its forms.

    Args:
        value: a URL (with ``user:password@`` and a path, if need be), ``"host"``, ``"host:port"``, a dict with some of
            ``host``, ``port``, ``scheme``, ``use_ssl``, ``url_prefix`` and ``http_auth``; a list or tuple of these; or a
            comma list in a string.
        use_ssl: speaks TLS to every host that does not say ``use_ssl`` itself.

    Raises:
        ConfigurationError: the value is none of these, or names more than one login. The message never holds a password.
    """
    given = _entries(value)
    if not given:
        raise ConfigurationError(f"hosts={_shown(value)}: names no host; {_FORMS}")
    entries = [_entry(one, use_ssl=use_ssl) for one in given]
    logins = list(dict.fromkeys(entry.login for entry in entries if entry.login))
    if len(logins) > 1:
        users = ", ".join(repr(user) for user, _ in logins)
        raise ConfigurationError(f"hosts: names several logins (of {users}); one handler logs in as one user everywhere")
    user, password = logins[0] if logins else ("", "")
    # A host that is named twice would be asked twice as often.
    return HostsGiven(tuple(dict.fromkeys(entry.host for entry in entries)), user, password)


def _entries(value: object) -> list[object]:
    if isinstance(value, str):
        return _comma_list(value)
    if isinstance(value, Mapping):
        return [value]
    if isinstance(value, Sequence) and not isinstance(value, (bytes, bytearray)):
        # Item by item: a ConvertingList of logging.config converts what it holds as it is asked for.
        return [entry for i in range(len(value)) for entry in _flat(value[i])]
    raise ConfigurationError(f"hosts={_shown(value)}: {_FORMS}")


def _comma_list(text: str) -> list[object]:
    parts: list[object] = [part for part in (part.strip() for part in text.split(",")) if part]
    if len(parts) > 1 and any("@" in str(part) and "://" not in str(part) for part in parts):
        # It may be the rest of a password with a comma in it; nothing of it may be read as a host, or shown.
        raise ConfigurationError(
            "hosts: in a comma list a login needs a whole URL (https://user:password@host), "
            "and a comma in a password is written %2C"
        )
    return parts


def _flat(value: object) -> list[object]:
    if isinstance(value, (str, Mapping)):
        return _entries(value)
    raise ConfigurationError(f"hosts: {_shown(value)} is no host; {_FORMS}")


def _entry(value: object, *, use_ssl: bool) -> _Entry:
    if isinstance(value, Mapping):
        return _from_mapping(value, use_ssl=use_ssl)
    return _from_text(str(value), use_ssl=use_ssl)


def _from_text(text: str, *, use_ssl: bool) -> _Entry:
    bare = "://" not in text
    try:
        parts = urlsplit(f"//{_bracketed(text)}" if bare else text)
        name, port = parts.hostname, parts.port
    except ValueError:  # its text may quote a password
        raise ConfigurationError(f"hosts: {_shown(text)} is no host, or has no number as its port; {_FORMS}") from None
    if "@" in parts.path:
        # A password with a slash in it: its beginning stands where a port is expected, and its rest in the path.
        raise ConfigurationError(
            "hosts: a URL has an '@' after a '/' (it is not shown): in a password '/' is written %2F, in a path '@' is %40"
        )
    if not name or parts.query or parts.fragment:
        raise ConfigurationError(f"hosts: {_shown(text)} is no host; {_FORMS}")
    scheme = "http" if bare else _scheme(parts.scheme, text)
    if port is None:
        port = HTTPS_URL_PORT if scheme == "https" else DEFAULT_PORT
    scheme = "https" if use_ssl else scheme
    return _Entry(Host(scheme, name, _port(port, text), _prefix(parts.path)), _login_of(parts))


def _bracketed(text: str) -> str:
    try:
        return f"[{IPv6Address(text)}]"
    except ValueError:
        return text


def _from_mapping(given: Mapping[Any, Any], *, use_ssl: bool) -> _Entry:
    unknown = [key for key in given if key not in _KEYS]
    if unknown:
        raise ConfigurationError(f"hosts: unknown key {unknown[0]!r}; a host has some of {', '.join(sorted(_KEYS))}")
    name = given.get("host", "localhost")
    if not isinstance(name, str) or not name or any(letter in name for letter in "/@ "):
        raise ConfigurationError(f"hosts: host={_shown(name)}: expected the name or the address of a host; {_FORMS}")
    if ":" in name and not _is_ipv6(name):
        raise ConfigurationError(
            "hosts: the 'host' of a dict has a colon, but is no IPv6 address (it is not shown): "
            "the port belongs into 'port', a login into 'http_auth'"
        )
    tls, port = given.get("use_ssl", use_ssl), given.get("port")
    if not isinstance(tls, bool):
        raise ConfigurationError(f"hosts: use_ssl={_shown(tls)} of {_shown(name)}: expected true or false")
    host = Host(
        "https" if tls else _scheme(given.get("scheme") or "http", name),
        _unbracketed(name),
        DEFAULT_PORT if port is None else _port(port, name),
        _prefix(given.get("url_prefix") or ""),
    )
    return _Entry(host, _login(given.get("http_auth")))


def _is_ipv6(name: str) -> bool:
    try:
        IPv6Address(_unbracketed(name))
    except ValueError:
        return False
    return True


def _unbracketed(name: str) -> str:
    return name[1:-1] if name.startswith("[") and name.endswith("]") else name


def _scheme(scheme: object, where: str) -> str:
    if isinstance(scheme, str) and scheme.lower() in {"http", "https"}:
        return scheme.lower()
    raise ConfigurationError(f"hosts: scheme {_shown(scheme)} of {_shown(where)}: expected http or https")


def _port(port: object, where: str) -> int:
    number = int(port) if isinstance(port, str) and port.isascii() and port.isdigit() else port
    if isinstance(number, int) and not isinstance(number, bool) and 0 < number < 65536:
        return number
    raise ConfigurationError(f"hosts: port {_shown(port)} of {_shown(where)}: expected a number from 1 to 65535")


def _prefix(path: object) -> str:
    stripped = str(path).strip("/")
    return f"/{stripped}" if stripped else ""


def _login_of(parts: SplitResult) -> tuple[str, str] | None:
    if not parts.username:
        return None
    return unquote(parts.username), unquote(parts.password or "")


def _login(given: object) -> tuple[str, str] | None:
    if not given:
        return None
    if isinstance(given, str):
        user, _, password = given.partition(":")
        return user, password
    if isinstance(given, Sequence) and len(given) == 2 and all(isinstance(part, str) for part in given):
        return given[0], given[1]
    raise ConfigurationError("hosts: http_auth: expected 'user:password' or a pair of these (its value is not shown)")


def _shown(value: object) -> str:
    """A value for a message: a string without what may be a login, of anything else the type only."""
    return repr(_without_login(value)) if isinstance(value, (str, int, float)) else f"a value of type {type(value).__name__}"


def _without_login(value: object) -> object:
    if not isinstance(value, str):
        return value
    if "@" not in value:
        # Before a host was named, "user:password" looks like "host:port".
        return _NO_PORT.sub(":***", value)
    scheme, separator, _ = value.partition("://")
    return f"{scheme}{separator}***@{value.rpartition('@')[2]}" if separator else f"***@{value.rpartition('@')[2]}"
