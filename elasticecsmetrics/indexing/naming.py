"""Index names: which index a document belongs to, from its own time in UTC, and back from a name to its period.

The forms are ElasticECSMetrics' own: ``name-2026.11.22``, for a week the date of its Monday in the same form,
``name-2026.11``, ``name-2026``, and ``name`` alone. That program took the local time of the flush; a name taken from the
document's own time makes a replay write to the same index again, where the same ``_id`` cannot double.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import MAXYEAR, date, timedelta

from elasticecsmetrics.config import IndexConfig, IndexNameFrequency
from elasticecsmetrics.errors import ConfigurationError

NS_PER_DAY = 86_400 * 10**9

_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
_LAST_ORDINAL = date.max.toordinal()

#: A server refuses a name of more bytes than this, date included; 11 of them are kept free for ``-2026.11.22``.
MAX_NAME_BYTES = 255
_MAX_PREFIX_BYTES = MAX_NAME_BYTES - len("-2026.11.22")

_FORBIDDEN = frozenset('\\/*?"<>| ,#:')
_DATE = re.compile(r"([0-9]{4})(?:\.([0-9]{2})(?:\.([0-9]{2}))?)?")

_Period = Callable[[date], tuple[int, int, str]]
"""From a day to the first day of its period, the first day after it (both as ordinals), and the text of its date."""


def index_namer(config: IndexConfig) -> Callable[[int], str]:
    """The function from nanoseconds since 1970-01-01T00:00:00Z to the index of a document of that time.

    It remembers the period of the last answer, so that it costs a comparison on most calls. A time outside the years 1 to
    9999, which has no date, gets the index of the nearest day that has one: naming never raises.

    Raises:
        ConfigurationError: no index can have this name (:func:`validate_index_name`).
    """
    prefix = validate_index_name(config.name)
    if config.frequency is IndexNameFrequency.NEVER:
        return lambda _time_ns: prefix
    period = _PERIODS[config.frequency]
    cached = (0, 0, prefix)

    def name_index(time_ns: int) -> str:
        # One tuple, read once and replaced whole: threads may race for it, but none sees the halves of two periods.
        nonlocal cached
        start_ns, end_ns, name = cached
        if start_ns <= time_ns < end_ns:
            return name
        first, after, text = period(_day(time_ns))
        name = f"{prefix}-{text}"
        cached = (_ns(first), _ns(after), name)
        return name

    return name_index


def index_patterns(name: str) -> tuple[str, str]:
    """The patterns of a template that has to match every index of this name: without a date and with one."""
    return name, f"{name}-*"


def parse_index_name(index: str, config: IndexConfig) -> tuple[int, int] | None:
    """The period of an index of ours: its first nanosecond since 1970 UTC, and the first one after it.

    The form of the date tells how long the period is, whatever ``config.frequency`` says now, because it may have been
    changed. Only a day is ambiguous: a Monday counts as its week (an index is never thought to end too early) unless the
    frequency is DAILY.

    Returns:
        None when the index has another name or no date.
    """
    prefix, _, text = index.rpartition("-")
    found = _DATE.fullmatch(text) if prefix == config.name else None
    if found is None:
        return None
    year, month, day = found.groups()
    try:
        start = date(int(year), int(month or 1), int(day or 1))
    except ValueError:
        return None
    first, after, _text = _period_of_form(start, month is not None, day is not None, config.frequency)(start)
    return _ns(first), _ns(after)


def validate_index_name(name: str) -> str:
    """``name``, if a server takes it as the name of an index, with and without a date after it.

    The rules are those of Elasticsearch's create-index call, which OpenSearch shares. Characters that cannot be printed are
    refused beside them: some of them a server would take, but then nobody finds the index again.

    Raises:
        ConfigurationError: it breaks a rule; the message names the rule and proposes a name.
    """
    broken = _broken_rule(name)
    if broken is None:
        return name
    raise ConfigurationError(f"es_index_name={name!r}: an index name {broken}; for example {_proposal(name)!r}")


def _day(time_ns: int) -> date:
    ordinal = _EPOCH_ORDINAL + time_ns // NS_PER_DAY
    return date.fromordinal(min(max(ordinal, 1), _LAST_ORDINAL))


def _ns(ordinal: int) -> int:
    return (ordinal - _EPOCH_ORDINAL) * NS_PER_DAY


def _daily(day: date) -> tuple[int, int, str]:
    first = day.toordinal()
    return first, first + 1, f"{day.year:04}.{day.month:02}.{day.day:02}"


def _weekly(day: date) -> tuple[int, int, str]:
    first, _, text = _daily(day - timedelta(days=day.weekday()))
    return first, first + 7, text


def _monthly(day: date) -> tuple[int, int, str]:
    first = day.replace(day=1)
    # No month has more than 31 days, so this lands in the next one; ordinals go on where dates end, after December 9999.
    after = first.toordinal() + 31
    if after <= _LAST_ORDINAL:
        after = date.fromordinal(after).replace(day=1).toordinal()
    return first.toordinal(), after, f"{day.year:04}.{day.month:02}"


def _yearly(day: date) -> tuple[int, int, str]:
    first = date(day.year, 1, 1).toordinal()
    after = date(day.year + 1, 1, 1).toordinal() if day.year < MAXYEAR else _LAST_ORDINAL + 1
    return first, after, f"{day.year:04}"


_PERIODS: dict[IndexNameFrequency, _Period] = {
    IndexNameFrequency.DAILY: _daily,
    IndexNameFrequency.WEEKLY: _weekly,
    IndexNameFrequency.MONTHLY: _monthly,
    IndexNameFrequency.YEARLY: _yearly,
}


def _period_of_form(start: date, has_month: bool, has_day: bool, frequency: IndexNameFrequency) -> _Period:
    if not has_month:
        return _yearly
    if not has_day:
        return _monthly
    if start.weekday() == 0 and frequency is not IndexNameFrequency.DAILY:
        return _weekly
    return _daily


def _broken_rule(name: str) -> str | None:
    if not isinstance(name, str):
        return "is a string"
    if not name or name in {".", ".."}:
        return "is not empty, '.' or '..'"
    if name[0] in "-_+":
        return "does not start with '-', '_' or '+'"
    bad = [character for character in name if character in _FORBIDDEN or not character.isprintable()]
    if bad:
        return f"holds no {bad[0]!r} (nor any of {' '.join(sorted(_FORBIDDEN - {' '}))}, space, unprintable characters)"
    if name != name.lower():
        return "is in lower case"
    if len(name.encode()) > _MAX_PREFIX_BYTES:
        return f"has at most {MAX_NAME_BYTES} bytes with its date, so {_MAX_PREFIX_BYTES} without"
    return None


def _proposal(name: object) -> str:
    """The nearest name that breaks no rule."""
    kept = "".join("_" if c in _FORBIDDEN or not c.isprintable() else c for c in str(name).lower()).lstrip("-_+")
    kept = kept.encode()[:_MAX_PREFIX_BYTES].decode(errors="ignore")
    return kept if _broken_rule(kept) is None else IndexConfig().name
