"""The five fields of a cron line, checked before anything waits for them."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from cronsim import CronSim, CronSimError

_FIELDS = (
    ("minute", 0, 59),
    ("hour", 0, 23),
    ("day of the month", 1, 31),
    ("month", 1, 12),
    ("day of the week", 0, 7),
)
_PART = re.compile(r"(?:\*|(?P<first>\w+)(?:-(?P<last>\w+))?)(?:/\d+)?", re.ASCII)
# A number or a name. cronsim knows more (L, LW, 5L), which not every cron does.
_WORD = re.compile(r"\d+|[a-z]{3}", re.ASCII)
_ANY_DAY = datetime(2000, 1, 1, tzinfo=UTC)
_REMEDY = 'write minute, hour, day of the month, month and day of the week, as in "0 4 * * *" (daily at 04:00)'


def cron_line(text: str) -> str:
    """The line itself, fields parted by one space; "" stands for never.

    >>> cron_line("*/15  6-20 * * mon-fri")
    '*/15 6-20 * * mon-fri'

    Raises: ValueError, in words, where it is none, or names a day that never comes.
    """
    fields = text.split()
    if not fields:
        return ""
    if len(fields) != len(_FIELDS):
        raise ValueError(f"'{text}' has {len(fields)} fields, not 5; {_REMEDY}")
    for place, field in enumerate(fields):
        for part in field.split(","):
            _check(part, place)
    line = " ".join(fields)
    if _read(line) is None:  # though each field by itself is one
        days = _read(_alone(fields[2], 2))
        least = min(days.days) if days else 0
        raise ValueError(f"'{text}' names a day that never comes: no such month has {least} days")
    return line


def _check(part: str, place: int) -> None:
    """Refuse a part of the field at that place by the word of it that is wrong; cronsim names the field alone."""
    name, low, high = _FIELDS[place]
    match = _PART.fullmatch(part.lower())
    if match is None:
        raise ValueError(f"'{part}' is no {name}; {_REMEDY}")
    for word in filter(None, match.groups()):
        if not _WORD.fullmatch(word) or _read(_alone(word, place)) is None:
            raise ValueError(f"'{word}' is no {name}, which goes from {low} to {high}; {_REMEDY}")
    if _read(_alone(part, place)) is None:
        raise ValueError(f"'{part}' is an empty range of the {name}; {_REMEDY}")


def _alone(field: str, place: int) -> str:
    return " ".join(field if each == place else "*" for each in range(len(_FIELDS)))


def _read(line: str) -> CronSim | None:
    try:
        return CronSim(line, _ANY_DAY)
    except CronSimError:
        return None
