"""Times as documents write them: ``2026-01-02T03:04:05.123456Z``, from and to whole nanoseconds since 1970.

All arithmetic is on integers: a float of nanoseconds since 1970 would be off by hundreds of them. A fraction always has 6
digits, or 9 when the time is not whole in microseconds, so that ``event.end - event.start`` is exactly ``event.duration``;
servers refuse other spellings, or silently take them for something else.
"""

from __future__ import annotations

import functools
import re
from datetime import UTC, date, datetime, timedelta

_SECOND = 1_000_000_000
_DAY_SECONDS = 86_400
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DAY = date(1970, 1, 1).toordinal()

#: The first and the last nanosecond that four digits of year can write.
FIRST_NS = (date.min.toordinal() - _EPOCH_DAY) * _DAY_SECONDS * _SECOND
LAST_NS = (date.max.toordinal() + 1 - _EPOCH_DAY) * _DAY_SECONDS * _SECOND - 1

_TIMESTAMP = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)"
    r"(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?"
    r"(?:[Zz]|([+-])(\d\d)(?::?(\d\d))?)?)?",
    re.ASCII,
)


def render(ns: int) -> str:
    """The time ``ns`` nanoseconds since 1970-01-01T00:00:00Z, in UTC with ``T`` and ``Z``.

    Six digits of fraction, nine when ``ns`` is not whole in microseconds. Times outside the years 1 to 9999, which no server
    takes, become the first or the last one inside.
    """
    if not FIRST_NS <= ns <= LAST_NS:
        ns = FIRST_NS if ns < FIRST_NS else LAST_NS
    seconds, fraction = divmod(ns, _SECOND)
    if fraction % 1000:
        return f"{_whole_second(seconds)}.{fraction:09d}Z"
    return f"{_whole_second(seconds)}.{fraction // 1000:06d}Z"


@functools.lru_cache(maxsize=64)
def _whole_second(seconds: int) -> str:
    # Cached because the documents of one second share it, and it is most of the work.
    days, rest = divmod(seconds, _DAY_SECONDS)
    minutes, second = divmod(rest, 60)
    hour, minute = divmod(minutes, 60)
    return f"{date.fromordinal(days + _EPOCH_DAY).isoformat()}T{hour:02d}:{minute:02d}:{second:02d}"


def from_datetime(moment: datetime) -> int:
    """Nanoseconds since 1970 of ``moment``, exactly; a naive one counts as local time.

    Where the machine cannot tell the local time (the first and the last day that Python knows), a naive one counts as UTC.
    """
    if moment.utcoffset() is None:
        moment = _local(moment.replace(tzinfo=None))
    return _nanoseconds(moment - _EPOCH)


def _local(naive: datetime) -> datetime:
    try:
        return naive.astimezone()
    except (OverflowError, ValueError, OSError):
        return naive.replace(tzinfo=UTC)


def _nanoseconds(length: timedelta) -> int:
    return (length.days * _DAY_SECONDS + length.seconds) * _SECOND + length.microseconds * 1000


def from_seconds(seconds: float) -> int:
    """Nanoseconds since 1970 of ``seconds`` since 1970, rounded to the microsecond, as ``record.created`` has it.

    Raises:
        ValueError: ``seconds`` is not a number.
        OverflowError: it is infinite.
    """
    whole = int(seconds)
    # Taking the whole seconds off first keeps the difference exact, which seconds * 1e6 would not be.
    return whole * _SECOND + round((seconds - whole) * 1_000_000) * 1000


def parse(text: str) -> int:
    """Nanoseconds since 1970 of a time as documents hold it; without a zone it counts as UTC, as servers read it.

    Takes ``2026-01-02``, ``2026-01-02T03:04``, and with seconds a fraction of up to nine digits after a point or a comma;
    then ``Z``, ``+00:00``, ``-0500`` or ``+01``.

    Raises:
        ValueError: the text is no such time.
    """
    match = _TIMESTAMP.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r}: expected a time like 2026-01-02T03:04:05.123Z")
    year, month, day, hour, minute, second, fraction, sign, offset_hours, offset_minutes = match.groups()
    # datetime checks the ranges of all of them.
    moment = datetime(int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0), tzinfo=UTC)
    ns = _nanoseconds(moment - _EPOCH) + int((fraction or "").ljust(9, "0"))
    if sign is None:
        return ns
    hours, minutes = int(offset_hours), int(offset_minutes or 0)
    if hours > 23 or minutes > 59:
        raise ValueError(f"{text!r}: the offset from UTC must be less than a day")
    offset = (hours * 3600 + minutes * 60) * _SECOND
    return ns - offset if sign == "+" else ns + offset
