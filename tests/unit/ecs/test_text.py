from __future__ import annotations

import pytest

from elasticecsmetrics.ecs.text import json_text, safe_repr, safe_str, shortened, well_formed


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
