"""How the commands speak: counts in words; how far a command is, as a bar on a terminal, else a line for each file."""

from __future__ import annotations

from typing import Self, TextIO

BAR_WIDTH = 30
_CLEAR = "\r\x1b[K"


def counted(number: int, noun: str) -> str:
    """``1 file``, ``2 files``."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def shown(text: str) -> str:
    """The text with what is no printable character escaped: names of files may hold orders to the terminal."""
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)


class Progress:
    """Writes to one stream. A context manager: leaving it clears the bar."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._terminal = stream.isatty()

    def step(self, position: int, total: int, line: str) -> None:
        """One more is done: ``position`` of ``total``, as ``line`` says."""
        if not self._terminal:
            print(shown(line), file=self._stream, flush=True)
            return
        full = BAR_WIDTH * position // total if total else BAR_WIDTH
        bar = "#" * full + "-" * (BAR_WIDTH - full)
        print(f"{_CLEAR}[{bar}] {position}/{total}", end="", file=self._stream, flush=True)

    def say(self, line: str) -> None:
        """A line that stays."""
        print(f"{_CLEAR if self._terminal else ''}{shown(line)}", file=self._stream, flush=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        if self._terminal:
            print(_CLEAR, end="", file=self._stream, flush=True)
