"""The report's sentences, numbers and dates, as English and French write them."""

from __future__ import annotations

import math
import re
import string
import tomllib
from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Literal

Language = Literal["en", "fr"]

THIN = "\u202f"  # the narrow space, never broken at a line's end, that French sets in numbers and before signs
WIDE = "\u00a0"
MINUS = "\u2212"
NOTHING = "\u2013"

_FILE = Path(__file__).with_name("words.toml")
_MONTHS: Mapping[Language, tuple[str, ...]] = {
    "en": (
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
        "December",
    ),
    "fr": (
        "janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre",
        "décembre",
    ),
}  # fmt: skip
_SHORT_MONTHS: Mapping[Language, tuple[str, ...]] = {
    "en": ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
    "fr": ("janv.", "févr.", "mars", "avr.", "mai", "juin", "juil.", "août", "sept.", "oct.", "nov.", "déc."),
}


class Words(string.Formatter):
    """Texts of report_words.toml, filled in.

    A field's format says how its value is written. int: nothing, or "customer|customers" for a word in the singular or
    the plural ("#" stands for the number); float: ".3" for digits, ".1%" for a percentage; date: nothing, or "short".
    """

    def __init__(self, language: Language, *, by_contract: bool = False) -> None:
        """by_contract: leaving means that subscriptions end, not that no order comes."""
        self.language, self.by_contract = language, by_contract

    def say(self, key: str, /, **values: object) -> str:
        """The text of that key, as "section.name"; by contract that of "section.name_contract" where there is one.

        >>> Words("en").say("customers.heading", n=50)
        'The 50 customers most at risk'
        """
        ending = f"{key}_contract"
        chosen = ending if self.by_contract and ending in _texts() else key
        return self.vformat(_texts()[chosen][self.language], (), values)

    def knows(self, key: str) -> bool:
        return key in _texts()

    def format_field(self, value: Any, format_spec: str) -> str:
        match value:
            case int() if "|" in format_spec:
                one, many = format_spec.split("|")
                singular = abs(value) < 2 if self.language == "fr" else value == 1
                return (one if singular else many).replace("#", self.number(value))
            case int():
                return self.number(value)
            case float() if format_spec.endswith("%"):
                return self.percent(value, int(format_spec.strip(".%")))
            case float():
                return self.number(value, int(format_spec.strip(".")))
            case date():
                return self.short_day(value) if format_spec == "short" else self.day(value)
        return str(value)

    def number(self, value: float, digits: int = 0) -> str:
        """Grouped by thousands: 1,234.5 or 1 234,5; a dash for NaN."""
        if not math.isfinite(value):
            return NOTHING
        written = f"{round(value, digits) + 0.0:,.{digits}f}".replace("-", MINUS)
        return written.replace(",", THIN).replace(".", ",") if self.language == "fr" else written

    def percent(self, share: float, digits: int = 0) -> str:
        """A share of 1 as 81.0% or 81,0 %."""
        if not math.isfinite(share):
            return NOTHING
        return self.number(share * 100, digits) + (f"{THIN}%" if self.language == "fr" else "%")

    def day(self, day: date) -> str:
        """1 January 1998 or 1er janvier 1998; the day stays on the line of its month."""
        first = "1er" if self.language == "fr" and day.day == 1 else str(day.day)
        return f"{first}{WIDE}{_MONTHS[self.language][day.month - 1]} {day.year}"

    def short_day(self, day: date) -> str:
        """1 Jan 98 or 1 janv. 98, for axes and narrow columns."""
        return f"{day.day} {_SHORT_MONTHS[self.language][day.month - 1]} {day.year % 100:02}".replace(" ", WIDE)


@cache
def _texts() -> dict[str, dict[Language, str]]:
    sections = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    return {
        f"{section}.{name}": {"en": _set_english(text["en"]), "fr": _set_french(text["fr"])}
        for section, texts in sections.items()
        for name, text in texts.items()
    }


def _set_english(text: str) -> str:
    return text.replace("'", "\u2019")


def _set_french(text: str) -> str:
    """Typed with plain spaces; set with those that French typography wants."""
    text = text.replace("'", "\u2019").replace(" :", f"{WIDE}:")
    return re.sub(r"(?<=«) | (?=[»;?!%])", THIN, text)
