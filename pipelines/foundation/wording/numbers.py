"""Numbers, dates and plurals as a language writes them: Babel's tables, which are those of Unicode's CLDR."""

from __future__ import annotations

import math
from datetime import date
from decimal import Decimal
from functools import cache, lru_cache
from typing import Literal

from babel import Locale
from babel.dates import format_date

Language = Literal["en", "fr"]

THIN = "\u202f"  # the narrow space, never broken at a line's end, that French sets in numbers and before signs
WIDE = "\u00a0"
MINUS = "\u2212"  # CLDR has the hyphen, which is shorter than a plus, and at which a line may break
NOTHING = "\u2013"

# The day first in both languages: CLDR's English is American ("January 1, 1998").
_DAY, _SHORT_DAY = f"d{WIDE}MMMM y", f"d{WIDE}MMM{WIDE}yy"
_FIRST_DAY = {"fr": f"'1er'{WIDE}MMMM y"}  # CLDR has no ordinal for the first of a month
_MONTH, _SHORT_MONTH = "MMMM y", f"MMM{WIDE}yy"


class Numbers:
    """The one writer of a language. Signs are looked up once: reasons have a figure for each of a million customers."""

    def __init__(self, language: Language) -> None:
        self.language: Language = language
        self._locale = Locale(language)
        symbols = self._locale.number_symbols["latn"]
        self._decimal, self._group, self._plus = (symbols[name] for name in ("decimal", "group", "plusSign"))
        # CLDR sets a wide space before the sign; in French typography it is as narrow as those within the number.
        self._percent = self._locale.percent_formats[None].suffix[0].replace(WIDE, THIN)
        self._first_day = _FIRST_DAY.get(language, _DAY)
        self._form = lru_cache(maxsize=10_000)(self._form_of)

    def number(self, value: float, decimals: int = 0) -> str:
        r"""Grouped by thousands; a dash for NaN and what is infinite; what is written as zero has no sign.

        >>> numbers("en").number(-1234.5, 2), numbers("fr").number(1234.5, 1)
        ('−1,234.50', '1\u202f234,5')
        """
        if not math.isfinite(value):
            return NOTHING
        plain = f"{abs(value):_.{decimals}f}"
        text = plain.replace(".", self._decimal).replace("_", self._group)
        return MINUS + text if value < 0 and plain.strip("0.") else text

    def signed(self, value: float, decimals: int = 0) -> str:
        """The same of a change: with a plus where it is one."""
        text = self.number(value, decimals)
        return self._plus + text if value > 0 and text.strip(f"0{self._decimal}{NOTHING}") else text

    def percent(self, share: float, decimals: int = 0) -> str:
        """A share of 1 as 81.0% or 81,0 %."""
        return self._with_sign(self.number(100 * share, decimals))

    def signed_percent(self, share: float, decimals: int = 0) -> str:
        return self._with_sign(self.signed(100 * share, decimals))

    def _with_sign(self, text: str) -> str:
        return text if text == NOTHING else text + self._percent

    def is_singular(self, value: float | Decimal) -> bool:
        """Whether a noun that this many stand before is in the singular: 1 in English, less than 2 in French.

        A decimal counts as it is written: "1.0 lines" in English, "1,0 ligne" in French.
        """
        return self._form(value, str(value) if isinstance(value, Decimal) else "") == "one"

    def _form_of(self, value: float | Decimal, _written: str) -> str:
        """CLDR's plural category. The decimals 1 and 1.0 are equal, but not of one form: _written tells them apart."""
        return str(self._locale.plural_form(value))

    def day(self, day: date) -> str:
        """1 January 1998 or 1er janvier 1998; the day stays on the line of its month."""
        return format_date(day, self._first_day if day.day == 1 else _DAY, locale=self._locale)

    def short_day(self, day: date) -> str:
        """1 Jan 98 or 1 janv. 98, for axes and narrow columns."""
        return format_date(day, _SHORT_DAY, locale=self._locale)

    def month(self, day: date) -> str:
        """January 1998 or janvier 1998."""
        return format_date(day, _MONTH, locale=self._locale)

    def short_month(self, day: date) -> str:
        """Jan 98 or janv. 98."""
        return format_date(day, _SHORT_MONTH, locale=self._locale)


@cache
def numbers(language: Language) -> Numbers:
    """The writer of a language, made once."""
    return Numbers(language)
