"""The product's sentences in English and French, filled in with numbers and dates as each writes them."""

from __future__ import annotations

import math
import re
import string
import tomllib
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from pipelines.foundation.wording.numbers import THIN, WIDE, Language, Numbers

_FILE = Path(__file__).with_name("words.toml")


class Words(Numbers, string.Formatter):
    """Texts of words.toml, filled in.

    A field's format says how its value is written. int: nothing, or "customer|customers" for a word in the singular or
    the plural ("#" stands for the number); float: ".3" for digits, ".1%" for a percentage, ".0|# customer|# customers"
    for a number and words that agree with it as it is written; date: nothing, or "short".
    """

    def __init__(self, language: Language, *, by_contract: bool = False) -> None:
        """by_contract: leaving means that subscriptions end, not that no order comes."""
        super().__init__(language)
        self.by_contract = by_contract

    def say(self, key: str, /, **values: object) -> str:
        """The text of that key, as "section.name"; by contract that of "section.name_contract" where there is one.

        >>> Words("en").say("customers.heading", n=50)
        '50 customers by priority'
        """
        ending = f"{key}_contract"
        chosen = ending if self.by_contract and ending in _texts() else key
        return self.vformat(_texts()[chosen][self.language], (), values)

    def knows(self, key: str) -> bool:
        return key in _texts()

    def format_field(self, value: Any, format_spec: str) -> str:
        match value:
            case int() | float() if "|" in format_spec:
                return self._agreeing(value, format_spec)
            case int():
                return self.number(value)
            case float() if format_spec.endswith("%"):
                return self.percent(value, int(format_spec.strip(".%")))
            case float():
                return self.number(value, int(format_spec.strip(".")))
            case date():
                return self.short_day(value) if format_spec == "short" else self.day(value)
        return str(value)

    def _agreeing(self, value: float, format_spec: str) -> str:
        *digits, one, many = format_spec.split("|")
        decimals = int(digits[0].strip(".")) if digits else 0
        text = self.number(value, decimals)
        singular = math.isfinite(value) and self.is_singular(Decimal(f"{value:.{decimals}f}"))
        return (one if singular else many).replace("#", text)


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
    return set_spaces(text.replace("'", "\u2019"), "fr")


def set_spaces(text: str, language: Language) -> str:
    r"""A text typed with plain spaces, as catalogs are; set with those that French typography wants.

    >>> set_spaces("pays : France", "fr"), set_spaces("country: France", "en")
    ('pays\xa0: France', 'country: France')
    """
    if language == "en":
        return text
    return re.sub(r"(?<=«) | (?=[»;?!%])", THIN, text.replace(" :", f"{WIDE}:"))
