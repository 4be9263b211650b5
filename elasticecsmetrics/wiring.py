"""Configuration or a URL in, a store or a started pipeline out: the one place that knows which class serves which name.

The table of stores is the whole plug-in system, and the one lazy place: a store's client library is imported when such a
store is asked for, and where it is missing the error names the extra to install.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from elasticecsmetrics import environment
from elasticecsmetrics.config import AuthType, ClusterConfig, LoginConfig, member
from elasticecsmetrics.delivery.retry import RetryPolicy
from elasticecsmetrics.delivery.sender import Sender
from elasticecsmetrics.errors import ConfigurationError
from elasticecsmetrics.model.store import Store

CLUSTER_STORE = "elasticecsmetrics.stores.cluster:ClusterStore"
SQL_STORE = "elasticecsmetrics.stores.sql.store:SQLStore"

#: The scheme of a store's URL (without a ``+driver``), and what serves it.
STORES: Mapping[str, str] = {
    "http": CLUSTER_STORE,
    "https": CLUSTER_STORE,
    "mariadb": SQL_STORE,
    "mysql": SQL_STORE,
    "postgresql": SQL_STORE,
    "sqlite": SQL_STORE,
}

DEFAULT_HOSTS: list[dict[str, Any]] = [{"host": "localhost", "port": 9200}]


def open_store(  # one parameter for each way in
    *,
    store: str | Store | None = None,
    hosts: Any = None,
    auth_type: AuthType | str | None = None,
    auth_details: Sequence[str] | str | None = None,
    api_key: str | None = None,
    aws_access_key: str | None = None,
    aws_secret_key: str | None = None,
    aws_region: str | None = None,
    use_ssl: bool | None = None,
    verify_ssl: bool | None = None,
    ca_certs: str | None = None,
    request_timeout: float | None = None,
    http_compress: bool | None = None,
    connections: int = 1,
) -> Store:
    """The store that these parameters name. None means not given: the environment decides, then the default.

    Nothing is connected yet: a dead cluster or a name that does not resolve is no error here.

    Raises:
        ConfigurationError: values that cannot work, alone or together; the message names the parameter and the remedy.
        MissingExtraError: the store's client library is not installed.
    """
    given: dict[str, Any] = {
        "store": store,
        "hosts": hosts,
        "auth_type": auth_type,
        "auth_details": auth_details,
        "api_key": api_key,
        "aws_access_key": aws_access_key,
        "aws_secret_key": aws_secret_key,
        "aws_region": aws_region,
        "use_ssl": use_ssl,
        "verify_ssl": verify_ssl,
        "ca_certs": ca_certs,
        "request_timeout": request_timeout,
        "http_compress": http_compress,
    }
    if store is not None and hosts is not None:
        raise ConfigurationError("hosts and store are both given: each names where documents go, so give one of them")
    skip = {"store", "hosts"} if store is not None or hosts is not None else set[str]()
    options = {name: environment.read(name) if value is None and name not in skip else value for name, value in given.items()}
    if options["store"] is not None and options["hosts"] is not None:
        raise ConfigurationError("ELASTICECSMETRICS_HOSTS and ELASTICECSMETRICS_STORE are both set: unset one of them")
    return _open(options, connections)


def _open(options: Mapping[str, Any], connections: int) -> Store:
    store = options["store"]
    if store is not None and not isinstance(store, str):
        return _checked(store)
    if store is None:
        return _open_cluster(options, options["hosts"] if options["hosts"] is not None else DEFAULT_HOSTS, connections)
    try:
        scheme = urlsplit(store).scheme.partition("+")[0]
    except ValueError:
        # From None, and without the value: the text of the error holds the URL, and the URL may hold a password.
        raise ConfigurationError("store: no URL that can be read (it is not shown, since it may hold a password)") from None
    target = STORES.get(scheme)
    if target is None:
        raise ConfigurationError(
            f"store: a URL of the scheme {scheme!r} is not known; expected one of {', '.join(sorted(STORES))}, "
            "as in sqlite:///metrics.db or https://host:9200"
        )
    if target == CLUSTER_STORE:
        return _open_cluster(options, store, connections)
    made: Store = load(target)(store)
    return made


def _checked(store: Any) -> Store:
    missing = [name for name in ("write", "ping", "close") if not callable(getattr(store, name, None))]
    if missing:
        raise ConfigurationError(
            f"store={type(store).__name__}: a store needs the methods write, ping and close; {', '.join(missing)} missing"
        )
    checked: Store = store
    return checked


def load(target: str) -> Any:
    """What ``"module:Name"`` names."""
    module, _, name = target.partition(":")
    return getattr(importlib.import_module(module), name)


def _open_cluster(options: Mapping[str, Any], hosts: Any, connections: int) -> Store:
    # Not at the top: the modules below reach for the client library, which `import elasticecsmetrics` must not load.
    from elasticecsmetrics.cluster.hosts import parse_hosts

    given = parse_hosts(hosts, use_ssl=bool(options["use_ssl"]))
    optional = {
        "verify_certs": options["verify_ssl"],
        "ca_certs": options["ca_certs"],
        "request_timeout": options["request_timeout"],
        "http_compress": options["http_compress"],
    }
    config = ClusterConfig(
        hosts=given.hosts,
        login=login(options, user=given.user, password=given.password),
        connections=connections,
        **{name: value for name, value in optional.items() if value is not None},
    )
    made: Store = load(CLUSTER_STORE)(config)
    return made


def login(options: Mapping[str, Any], *, user: str = "", password: str = "") -> LoginConfig:
    """Who we are, from the parameters and from what a URL held.

    Raises:
        ConfigurationError: a login that lacks a part, or two at once.
    """
    auth_type = member(AuthType, options["auth_type"] or AuthType.NO_AUTH, "auth_type")
    api_key = options["api_key"] or ""
    if auth_type is AuthType.NO_AUTH:
        auth_type = AuthType.API_KEY if api_key else AuthType.BASIC_AUTH if user else auth_type
    if auth_type is AuthType.BASIC_AUTH:
        user, password = _user_and_password(options["auth_details"], user, password)
    if auth_type is AuthType.API_KEY and not api_key:
        raise ConfigurationError("auth_type=API_KEY needs api_key (or ELASTICECSMETRICS_API_KEY, or its _FILE)")
    if api_key and auth_type is not AuthType.API_KEY:
        raise ConfigurationError(f"api_key is given beside auth_type={auth_type.name}: give one login only")
    aws = {name: options[name] or "" for name in ("aws_access_key", "aws_secret_key", "aws_region")}
    if auth_type is AuthType.AWS_SIGNED_AUTH and (absent := [name for name, value in aws.items() if not value]):
        raise ConfigurationError(f"auth_type=AWS_SIGNED_AUTH needs {', '.join(absent)}")
    return LoginConfig(auth_type=auth_type, user=user, password=password, api_key=api_key, **aws)


def _user_and_password(details: Any, user: str, password: str) -> tuple[str, str]:
    if isinstance(details, str):
        user, _, password = details.partition(":")
    elif details is not None and len(details) == 2 and any(details):
        user, password = map(str, details)
    elif details is not None and len(details) != 2:
        raise ConfigurationError("auth_details: expected a user and a password, as in ('user', 'password')")
    if not user:
        raise ConfigurationError("auth_type=BASIC_AUTH needs auth_details=('user', 'password'), or user:password@ in the URL")
    return user, password


def replay_sender(store: Store) -> Sender:
    """A sender for the calling thread, as the replay command uses it: it has the time to see a short restart through."""
    patient = RetryPolicy(base=0.2, cap=2.0, give_up_after=3.0)
    return Sender(store, request_policy=patient, item_policy=patient)


def host_addresses() -> tuple[str, ...]:
    """The IPv4 addresses of this machine's interfaces but loopback's, without asking a name server. Linux; else none."""
    if sys.platform != "linux":
        return ()
    import fcntl
    import socket
    import struct

    get_address = 0x8915  # SIOCGIFADDR, netdevice(7)
    found = []
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            for _, name in socket.if_nameindex():
                request = struct.pack("256s", name.encode()[:15])
                try:
                    answer = fcntl.ioctl(probe.fileno(), get_address, request)
                except OSError:  # an interface without an IPv4 address
                    continue
                found.append(socket.inet_ntoa(answer[20:24]))
    except OSError:
        return ()
    return tuple(address for address in found if not address.startswith("127."))
