from __future__ import annotations

import pytest

from elasticecsmetrics.ecs.text import class_name, json_text, safe_repr, safe_str, shortened, well_formed


class Nasty:
    def __str__(self) -> str:
        raise KeyboardInterrupt if self.stop else ValueError("no")

    __repr__ = __str__
    stop = False


def test_a_lone_surrogate_is_written_out_and_everything_else_kept():
    assert well_formed("a\ud800b\udcffé😀\0") == "a\\ud800b\\udcffé😀\0"


def test_what_cannot_be_printed_says_so():
    assert safe_repr(Nasty()) == "<Nasty: its repr raised ValueError>"
    assert safe_str(Nasty()) == "<Nasty: its repr raised ValueError>"


class NamelessMeta(type):
    @property
    def __name__(cls) -> str:
        raise ValueError("no name")


class Nameless(metaclass=NamelessMeta):
    def __repr__(self) -> str:
        raise NamelessError


class NamelessError(Exception, metaclass=NamelessMeta):
    pass


def test_a_metaclass_that_hides_the_name_hides_nothing():
    assert class_name(Nameless) == "Nameless"
    assert safe_repr(Nameless()) == "<Nameless: its repr raised NamelessError>"


def test_the_users_interrupt_is_not_swallowed():
    nasty = Nasty()
    nasty.stop = True
    with pytest.raises(KeyboardInterrupt):
        safe_repr(nasty)


def test_shortening_keeps_to_the_limit():
    assert shortened("abc", 3) == "abc"
    assert shortened("abcd", 3) == "ab…"


def test_json_text_is_compact_and_takes_surrogates():
    assert json_text({"a": [1, None, True, "é"]}) == '{"a":[1,null,true,"é"]}'
    assert json_text({"a\ud800": "\udfff"}) == r'{"a\\ud800":"\\udfff"}'
