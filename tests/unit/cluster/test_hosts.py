"""Everything that the original's client took as ``hosts``, and what is refused with a word."""

from __future__ import annotations

import contextlib
import logging.config
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elasticecsmetrics.cluster.hosts import HostsGiven, parse_hosts
from elasticecsmetrics.config import Host
from elasticecsmetrics.errors import ConfigurationError

FORMS: dict[str, tuple[Any, tuple[Host, ...]]] = {
    "name": ("search", (Host("http", "search", 9200),)),
    "name and port": ("search:9201", (Host("http", "search", 9201),)),
    "upper case": ("SEARCH:9201", (Host("http", "search", 9201),)),
    "address": ("10.0.0.1", (Host("http", "10.0.0.1", 9200),)),
    "http url": ("http://search", (Host("http", "search", 9200),)),
    "https url": ("https://search", (Host("https", "search", 443),)),
    "https url and port": ("https://search:9243", (Host("https", "search", 9243),)),
    "url with path": ("https://search/gate/way/", (Host("https", "search", 443, "/gate/way"),)),
    "url with slash": ("http://search:9200/", (Host("http", "search", 9200),)),
    "ipv6 url": ("http://[::1]:9201", (Host("http", "::1", 9201),)),
    "ipv6 in brackets": ("[fe80::1]:9201", (Host("http", "fe80::1", 9201),)),
    "ipv6 bare": ("::1", (Host("http", "::1", 9200),)),
    "seed's default": ([{"host": "localhost", "port": 9200}], (Host("http", "localhost", 9200),)),
    "dict": ({"host": "search"}, (Host("http", "search", 9200),)),
    "dict without host": ({"port": 9201}, (Host("http", "localhost", 9201),)),
    "dict with port as text": ({"host": "search", "port": "9201"}, (Host("http", "search", 9201),)),
    "dict with scheme": ({"host": "search", "scheme": "https"}, (Host("https", "search", 9200),)),
    "dict with use_ssl": ({"host": "search", "use_ssl": True}, (Host("https", "search", 9200),)),
    "dict with prefix": ({"host": "search", "url_prefix": "gate"}, (Host("http", "search", 9200, "/gate"),)),
    "dict with ipv6": ({"host": "::1"}, (Host("http", "::1", 9200),)),
    "dict with ipv6 in brackets": ({"host": "[fe80::1%eth0]"}, (Host("http", "fe80::1%eth0", 9200),)),
    "at in the path, escaped": ("http://search/a%40b", (Host("http", "search", 9200, "/a%40b"),)),
    "tuple": (("a", "b:1"), (Host("http", "a", 9200), Host("http", "b", 1))),
    "comma list": ("a, b:1,https://c,", (Host("http", "a", 9200), Host("http", "b", 1), Host("https", "c", 443))),
    "comma list in a list": (["a,b"], (Host("http", "a", 9200), Host("http", "b", 9200))),
    "mixed": (["a", {"host": "b", "port": 2}], (Host("http", "a", 9200), Host("http", "b", 2))),
    "twice the same": ("a,http://a:9200,b", (Host("http", "a", 9200), Host("http", "b", 9200))),
}

LOGINS: dict[str, Any] = {
    "url": "https://bob:s%40crt@search",
    "url with an unescaped at": "https://bob:s@crt@search",
    "pair": {"host": "search", "port": 443, "scheme": "https", "http_auth": ("bob", "s@crt")},
    "list": {"host": "search", "port": 443, "scheme": "https", "http_auth": ["bob", "s@crt"]},
    "text": {"host": "search", "port": 443, "scheme": "https", "http_auth": "bob:s@crt"},
    "url in a list, twice": ["https://bob:s%40crt@search", "https://bob:s%40crt@search:443"],
}

REFUSED: dict[str, Any] = {
    "none": None,
    "number": 9200,
    "bytes": b"search",
    "empty": "",
    "only commas": " , ",
    "empty list": [],
    "empty dict key": {"host": ""},
    "list in a list": [["a"]],
    "number in a list": ["a", 5],
    "port is no number": "search:http",
    "port too large": "search:65536",
    "port 0": {"host": "search", "port": 0},
    "port true": {"host": "search", "port": True},
    "port fraction": {"host": "search", "port": 92.5},
    "other scheme": "ftp://search",
    "other scheme in dict": {"host": "search", "scheme": "thrift"},
    "unknown key": {"hostname": "search"},
    "query": "http://search?x=1",
    "fragment": "http://search#x",
    "open bracket": "http://[::1",
    "url as host": {"host": "http://search"},
    "port in the host": {"host": "search:9200"},
    "at in the path": "http://search/a@b",
    "use_ssl as text": {"host": "search", "use_ssl": "no"},
}

SECRETS: dict[str, Any] = {
    "port is no number": "https://bob:s3cret@search:x",
    "slash in the password": "https://bob:s3cret/s3cret@search:9200",
    "slash after digits in the password": "https://bob:1234/s3cret@search:9200",
    "slash after digits in a bare login": "bob:1234/s3cret@search:9200",
    "login without a host": "bob:s3cret",
    "login without a host, in a url": "https://bob:s3cret/x",
    "login as host": {"host": "bob:s3cret"},
    "login in brackets as host": {"host": "[bob:s3cret]"},
    "login as scheme": {"host": "search", "scheme": "bob:s3cret"},
    "login as port": {"host": "search", "port": "bob:s3cret"},
    "hash in the password": "https://bob:s3cret#s3cret@search",
    "url in the password": "https://bob:s3cret://s3cret@search:x",
    "comma in the password": "https://bob:s3cret,s3cret@search",
    "comma in a bare login": "bob:s3cret,s3cret@search",
    "other scheme": "ftp://bob:s3cret@search",
    "number as login": {"host": "search", "http_auth": ("bob", 5, "s3cret")},
    "dict as login": {"host": "search", "http_auth": {"bob": "s3cret"}},
    "login in the host": {"host": "bob:s3cret@search"},
    "two logins": ["https://bob:s3cret@a", "https://eve:s3cret2@b"],
    "two passwords": ["https://bob:s3cret@a", "https://bob:s3cret2@b"],
    "bytes": b"https://bob:s3cret@search",
    "nested": [["https://bob:s3cret@search"]],
}


@pytest.mark.parametrize(("value", "expected"), FORMS.values(), ids=FORMS)
def test_form_of_the_original_is_read(value: Any, expected: tuple[Host, ...]) -> None:
    assert parse_hosts(value) == HostsGiven(expected)


@pytest.mark.parametrize("value", LOGINS.values(), ids=LOGINS)
def test_login_is_taken_from_hosts(value: Any) -> None:
    assert parse_hosts(value) == HostsGiven((Host("https", "search", 443),), "bob", "s@crt")


def test_user_without_password_has_an_empty_one() -> None:
    assert parse_hosts("http://bob@search") == HostsGiven((Host("http", "search", 9200),), "bob", "")


def test_one_login_serves_hosts_that_name_none() -> None:
    given = parse_hosts(["http://bob:pw@a", "http://b"])
    assert (given.user, given.password, len(given.hosts)) == ("bob", "pw", 2)


def test_password_is_left_out_of_the_repr() -> None:
    assert "s@crt" not in repr(parse_hosts("https://bob:s@crt@search"))


def test_use_ssl_speaks_tls_to_all_but_those_that_say_no() -> None:
    given = parse_hosts(["a", "http://b", {"host": "c"}, {"host": "d", "use_ssl": False}], use_ssl=True)
    assert [host.scheme for host in given.hosts] == ["https", "https", "https", "http"]
    assert [host.port for host in given.hosts] == [9200, 9200, 9200, 9200]


@pytest.mark.parametrize("value", REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_hosts_is_refused_by_the_parameters_name(value: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"^hosts"):
        parse_hosts(value)


@pytest.mark.parametrize("value", SECRETS.values(), ids=SECRETS)
def test_message_never_holds_a_password(value: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"^hosts") as caught:
        parse_hosts(value)
    assert "s3cret" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_lists_and_dicts_of_dictconfig_are_read_with_their_references() -> None:
    configured = logging.config.ConvertingList([{"host": "cfg://search", "port": 9201}, "cfg://other"])
    configured.configurator = logging.config.DictConfigurator({"search": "found", "other": "https://other"})
    assert parse_hosts(configured).hosts == (Host("http", "found", 9201), Host("https", "other", 443))


@given(st.text(alphabet="abc:/@,[]%.0129 h", max_size=30) | st.text(max_size=30))
def test_any_text_is_read_or_refused_with_our_own_error(text: str) -> None:
    with contextlib.suppress(ConfigurationError):
        assert parse_hosts(text).hosts


@given(
    scheme=st.sampled_from(["http", "https"]),
    name=st.from_regex(r"[a-z][a-z0-9.-]{0,20}", fullmatch=True),
    port=st.integers(1, 65535),
    prefix=st.sampled_from(["", "/a", "/a/b"]),
)
def test_url_of_a_host_reads_back_as_that_host(scheme: str, name: str, port: int, prefix: str) -> None:
    host = Host(scheme, name, port, prefix)
    assert parse_hosts(host.url).hosts == (host,)
