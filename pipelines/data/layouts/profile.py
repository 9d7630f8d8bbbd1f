"""What a column of an unknown export looks like: numbers, dates, ids, and how they are written."""

from __future__ import annotations

import re
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property

from pipelines.foundation.settings.date_format import date_pattern
from pipelines.foundation.settings.dialect import EPOCHS

_TIMES = ("", " %H:%M", " %H:%M:%S", "T%H:%M:%S", "T%H:%M:%S%z", " %H:%M:%S %z", " %H:%M:%S%z")
_DAYS = ("%Y-%m-%d", "%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%Y/%m/%d", "%d-%m-%Y", "%Y%m%d", "%d/%m/%y", "%m/%d/%y")
FORMATS = tuple(day + time for day in _DAYS for time in _TIMES)
_SIGNS = ("€", "$", "£", "EUR", "USD", "GBP", "CHF")
_NUMBER = {
    (".", ""): re.compile(r"[+-]?\d+(\.\d+)?"),
    (",", ""): re.compile(r"[+-]?\d+(,\d+)?"),
    (".", ","): re.compile(r"[+-]?\d{1,3}(,\d{3})*(\.\d+)?"),
    (",", "."): re.compile(r"[+-]?\d{1,3}(\.\d{3})*(,\d+)?"),
    (",", " "): re.compile(r"[+-]?\d{1,3}([ \xa0\u202f\u2009]\d{3})*(,\d+)?"),
    (".", "'"): re.compile(r"[+-]?\d{1,3}('\d{3})*(\.\d+)?"),
}
_SECONDS = re.compile(r"1\d{9}(\.\d+)?")  # from 2001 to 2033
_THOUSANDTHS = re.compile(r"1\d{12}")


@dataclass(frozen=True)
class Column:
    """One column of a sample. values: its texts, without empty ones; rows: how many rows the sample has."""

    name: str
    values: tuple[str, ...]
    rows: int

    @property
    def filled(self) -> float:
        return len(self.values) / self.rows if self.rows else 0.0

    @cached_property
    def distinct(self) -> int:
        return len(set(self.values))

    @property
    def unique(self) -> bool:
        return self.distinct == len(self.values) == self.rows

    @cached_property
    def dates(self) -> tuple[str, ...]:
        """Every format in which all of its values are dates; none where it holds no dates."""
        if not self.values:
            return ()
        found = [
            each
            for each in FORMATS
            if _all(re.compile(date_pattern(each)), self.values) and _days_fit(each, self.values)
        ]
        for name, pattern in zip(EPOCHS, (_SECONDS, _THOUSANDTHS), strict=True):
            if _all(pattern, self.values):
                found.append(name)
        return tuple(found)

    @cached_property
    def sign(self) -> str:
        """The currency sign that stands beside its numbers; empty where none does."""
        return next((sign for sign in _SIGNS if self.values and any(sign in value for value in self.values)), "")

    @cached_property
    def marks(self) -> tuple[tuple[str, str], ...]:
        """Every pair of decimal mark and thousands mark with which all of its values are numbers."""
        bare = [value.replace(self.sign, "").strip() for value in self.values] if self.sign else list(self.values)
        return tuple(marks for marks, pattern in _NUMBER.items() if bare and _all(pattern, bare))

    def numbers(self, marks: tuple[str, str]) -> list[float]:
        decimal, thousands = marks
        found = []
        for value in self.values:
            text = value.replace(self.sign, "") if self.sign else value
            text = re.sub(r"[\s\xa0\u202f\u2009]", "", text)
            if thousands.strip():
                text = text.replace(thousands, "")
            found.append(float(text.replace(decimal, ".")))
        return found

    @property
    def looks_like_cents(self) -> bool:
        """Whole amounts alone, the middle one of some hundred: likely a hundredth of the unit each."""
        if (".", "") not in self.marks or any("." in value for value in self.values):
            return False
        return statistics.median(map(abs, self.numbers((".", "")))) >= 500


@cache
def _pattern(written: str) -> re.Pattern[str]:
    return re.compile(date_pattern(written))


def _all(pattern: re.Pattern[str], values: Sequence[str]) -> bool:
    return all(map(pattern.fullmatch, values))


def _days_fit(written: str, values: Sequence[str]) -> bool:
    """Whether every month and day is one: a pattern takes 13 for a month as well."""
    if "%m" not in written:
        return True
    order = sorted(("%Y", "%y", "%m", "%d"), key=lambda part: written.find(part) if part in written else 99)[:3]
    for value in values:
        parts = re.findall(r"\d+", value) if "%Y%m%d" not in written else [value[:4], value[4:6], value[6:8]]
        told = dict(zip(order, map(int, parts[:3]), strict=False))
        if not (1 <= told.get("%m", 0) <= 12 and 1 <= told.get("%d", 0) <= 31):
            return False
    return True
