"""The product's sentences in English and French, filled in with numbers and dates as each writes them."""

from __future__ import annotations

import re
import string
import tomllib
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from pipelines.foundation.wording.numbers import THIN, WIDE, Language, Numbers

_FILE = Path(__file__).with_name("words.toml")


class Words(Numbers, string.Formatter):
    """Texts of words.toml, filled in.

    A field's format says how its value is written. int: nothing, or "customer|customers" for a word in the singular or
    the plural ("#" stands for the number); float: ".3" for digits, ".1%" for a percentage; date: nothing, or "short".
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
            case int() if "|" in format_spec:
                one, many = format_spec.split("|")
                return (one if self.is_singular(value) else many).replace("#", self.number(value))
            case int():
                return self.number(value)
            case float() if format_spec.endswith("%"):
                return self.percent(value, int(format_spec.strip(".%")))
            case float():
                return self.number(value, int(format_spec.strip(".")))
            case date():
                return self.short_day(value) if format_spec == "short" else self.day(value)
        return str(value)


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
