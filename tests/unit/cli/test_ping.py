"""ping, and the options that say which store and who we are."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest

from elasticecsmetrics import __version__, wiring
from elasticecsmetrics.cli import main
from elasticecsmetrics.config import AuthType
from elasticecsmetrics.errors import MissingExtraError, StoreRefusedError
from elasticecsmetrics.testing import MemoryStore

HOST = "http://127.0.0.1:1"


def test_it_says_what_answered(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ping", "--store", f"sqlite:///{tmp_path / 'store.db'}"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("sqlite 3.")
    assert f" at sqlite:///{tmp_path / 'store.db'}" in out


def test_it_says_what_is_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ping", "--hosts", HOST]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert HOST in said.err
    assert "refused" in said.err


class Asked(MemoryStore):
    """Remembers with what it was opened."""

    options: dict[str, Any]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    store = Asked()

    def open_store(**options: Any) -> Asked:
        store.options = {name: value for name, value in options.items() if value is not None}
        return store

    monkeypatch.setattr(wiring, "open_store", open_store)
    return store


def test_what_is_not_given_is_left_to_the_environment(asked: Asked) -> None:
    assert main(["ping"]) == 0
    assert asked.options == {}


def test_the_options_reach_the_store(asked: Asked, tmp_path: Path) -> None:
    password = tmp_path / "password"
    password.write_text(" secret \n")
    options = ["--hosts", "a:1,b:2", "--use-ssl", "--no-verify", "--ca-certs", "ca.pem", "--request-timeout", "3.5"]
    assert main(["ping", *options, "--user", "bob", "--password-file", str(password)]) == 0
    assert asked.options == {
        "hosts": "a:1,b:2",
        "use_ssl": True,
        "verify_ssl": False,
        "ca_certs": "ca.pem",
        "request_timeout": 3.5,
        "auth_type": AuthType.BASIC_AUTH,
        "auth_details": ("bob", " secret "),
    }


def test_an_api_key_from_a_file_logs_in(asked: Asked, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("a2V5\n")
    assert main(["ping", "--api-key-file", str(tmp_path / "key")]) == 0
    assert asked.options == {"api_key": "a2V5", "auth_type": AuthType.API_KEY}


def test_the_auth_type_that_is_given_holds(asked: Asked) -> None:
    assert main(["ping", "--auth-type", "aws_signed_auth"]) == 0
    assert asked.options == {"auth_type": "aws_signed_auth"}


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--user", "bob"], "--user needs --password-file"),
        (["--password-file", "x"], "--password-file needs --user"),
        (["--user", "bob", "--password-file", "/no/file"], "--password-file='/no/file': cannot be read"),
        (["--api-key-file", "/no/file"], "--api-key-file='/no/file': cannot be read"),
    ],
)
def test_a_login_that_lacks_something_is_exit_2(
    asked: Asked, arguments: list[str], problem: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO())
    assert main(["ping", *arguments]) == 2
    assert problem in capsys.readouterr().err


def test_a_missing_client_library_is_exit_2_with_the_extra_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def missing(**_options: Any) -> None:
        raise MissingExtraError("sqlalchemy", extra="sql", needed_for="sqlite:///x")

    monkeypatch.setattr(wiring, "open_store", missing)
    assert main(["ping", "--store", "sqlite:///x"]) == 2
    assert "pip install 'elasticecsmetrics[sql]'" in capsys.readouterr().err


def test_a_refused_login_is_exit_1_in_the_stores_own_words(asked: Asked, capsys: pytest.CaptureFixture[str]) -> None:
    def refuse() -> None:
        raise StoreRefusedError("401: unable to authenticate user [bob]", status=401)

    asked.ping = refuse  # type: ignore[method-assign, assignment]
    assert main(["ping"]) == 1
    assert "unable to authenticate user [bob]" in capsys.readouterr().err


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["--version"])
    assert left.value.code == 0
    assert capsys.readouterr().out == f"elasticecsmetrics {__version__}\n"
