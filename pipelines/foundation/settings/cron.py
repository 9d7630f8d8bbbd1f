"""The five fields of a cron line, checked before anything waits for them."""

from __future__ import annotations

import re
from collections.abc import Sequence

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_LONGEST = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_FIELDS: tuple[tuple[str, int, int, Sequence[str]], ...] = (
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day of the month", 1, 31, ()),
    ("month", 1, 12, _MONTHS),
    ("day of the week", 0, 7, _WEEKDAYS),
)
_PART = re.compile(r"(?:\*|(?P<first>\w+)(?:-(?P<last>\w+))?)(?:/(?P<step>\d+))?")
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
    _, _, days, months, _ = (_values(field, *known) for field, known in zip(fields, _FIELDS, strict=True))
    if fields[4].startswith("*") and all(min(days) > _LONGEST[month - 1] for month in months):
        raise ValueError(f"'{text}' names a day that never comes: no such month has {min(days)} days")
    return " ".join(fields)


def _values(field: str, name: str, low: int, high: int, words: Sequence[str]) -> set[int]:
    found: set[int] = set()
    for part in field.split(","):
        match = _PART.fullmatch(part.lower())
        if match is None:
            raise ValueError(f"'{part}' is no {name}; {_REMEDY}")
        step = int(match["step"] or 1)
        first = low if match["first"] is None else _number(match["first"], name, low, high, words)
        if match["last"] is not None:
            last = _number(match["last"], name, low, high, words)
        else:
            last = high if match["first"] is None or match["step"] else first
        if step < 1 or last < first:
            raise ValueError(f"'{part}' is an empty range of the {name}; {_REMEDY}")
        found |= set(range(first, last + 1, step))
    return found


def _number(word: str, name: str, low: int, high: int, words: Sequence[str]) -> int:
    if word in words:
        return low + words.index(word)
    if not word.isdecimal() or not low <= int(word) <= high:
        raise ValueError(f"'{word}' is no {name}, which goes from {low} to {high}; {_REMEDY}")
    return int(word)
