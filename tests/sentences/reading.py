"""A sentence read back: which indicator it tells of, by the catalog's texts, and which figures it says."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from features.catalog import Family, Indicator

Language = Literal["en", "fr"]
LANGUAGES: tuple[Language, ...] = ("en", "fr")
Nouns = tuple[str, str]
Told = Literal["value", "null", "zero"]

FIGURES = {
    "en": re.compile("[+\u2212]?[0-9]{1,3}(?:,[0-9]{3})*(?:\\.[0-9]+)?"),
    "fr": re.compile("[+\u2212]?[0-9]{1,3}(?:\u202f[0-9]{3})*(?:,[0-9]+)?"),
}
WITHIN = {  # by unit, how far the figure that is read may be from the value
    "count": 0.5, "flag": 0, "change": 0.5, "money": 0.005, "money_change": 0.005, "days": 0.5, "hours": 0.05,
    "share": 0.005, "share_change": 0.005, "relative_change": 0.005, "ratio": 0.05, "mark": 0.05, "quantity": 0.05,
}  # fmt: skip
WHOLE_HOURS_FROM = 10  # more of them are told without a decimal
BEFORE_A_SIGN = {"en": re.compile("(?!)"), "fr": re.compile(" (?=[:;?!%])")}  # spaces at which French breaks no line
WAYS = {"more": 1, "fewer": -1, "less": -1, "plus": 1, "moins": -1}
NOTHING_MORE = {"neither more nor less", "le même montant"}
UNIT_WORDS = {
    ("days", "en"): ("day", "days"),
    ("days", "fr"): ("jour", "jours"),
    ("hours", "en"): ("hour", "hours"),
    ("hours", "fr"): ("heure", "heures"),
    ("share_change", "en"): ("percentage point", "percentage points"),
    ("share_change", "fr"): ("point", "points"),
}
_PLACE = re.compile(r"\{(\w+)(?:\|([^|}]*)\|([^|}]*))?\}")


class UnreadableError(ValueError):
    """These words say no such figure."""


@dataclass(frozen=True)
class Reading:
    """What a sentence says, if it is about this column. figures: by column, as read; of a category the text."""

    column: str
    told: Told
    figures: Mapping[str, float | str]


def figure(text: str, language: Language) -> float:
    if not FIGURES[language].fullmatch(text):
        raise UnreadableError(text)
    plain = text.replace("\u2212", "-")
    plain = plain.replace(",", "") if language == "en" else plain.replace("\u202f", "").replace(",", ".")
    return float(plain)


def counted(text: str, nouns: Nouns, language: Language) -> float:
    """A figure and a noun that agrees with it as it is written: 1 order, 1.0 lines; 1,5 ligne."""
    number, _, noun = text.partition(" ")
    value = figure(number, language)
    single = number.lstrip("+\u2212") == "1" if language == "en" else abs(value) < 2
    if noun != nouns[0 if single else 1]:
        raise UnreadableError(text)
    return value


def changed(text: str, nouns: Nouns, language: Language) -> float:
    """3 fewer orders, autant d'incidents."""
    if text in {f"no more and no fewer {nouns[1]}", f"autant de {nouns[1]}", f"autant d'{nouns[1]}"}:
        return 0.0
    form = "(?P<n>[^ ]+) (?P<way>more|fewer) (?P<noun>.+)"
    found = re.fullmatch(form if language == "en" else "(?P<n>[^ ]+) (?P<noun>.+) de (?P<way>plus|moins)", text)
    if not found:
        raise UnreadableError(text)
    return counted(f"{found['n']} {found['noun']}", nouns, language) * WAYS[found["way"]]


def money_changed(text: str, language: Language, currency: str) -> float:
    """12.00 EUR more, 12,00 EUR de moins."""
    if text in NOTHING_MORE:
        return 0.0
    amount, _, way = text.partition(f" {currency} ")
    way = way.removeprefix("de ") if language == "fr" else way
    if way not in WAYS:
        raise UnreadableError(text)
    return figure(amount, language) * WAYS[way]


def read(text: str, unit: str, nouns: Nouns | None, language: Language, currency: str = "EUR") -> float:
    """The value that the words for one figure of a sentence say."""
    nouns = nouns or UNIT_WORDS.get((unit, language))
    if unit == "money_change":
        return money_changed(text, language, currency)
    if nouns is not None:
        value = changed(text, nouns, language) if unit == "change" else counted(text, nouns, language)
    else:
        percent = "%" if language == "en" else "\u202f%"
        sign = {"money": f" {currency}", "share": percent, "relative_change": percent}.get(unit, "")
        if not text.endswith(sign):
            raise UnreadableError(text)
        value = figure(text.removesuffix(sign), language)
    return value / 100 if unit in {"share", "relative_change", "share_change"} else value


def within(unit: str, value: float) -> float:
    """How far from the value the figure may be that is told of it."""
    return 0.5 if unit == "hours" and abs(value) >= WHOLE_HOURS_FROM - 0.05 else WITHIN[unit]


@dataclass(frozen=True)
class Sentence:
    """A text of the catalog as a pattern. places: for each group a column, with the nouns that follow its figure."""

    told: Told
    pattern: re.Pattern[str]
    places: tuple[tuple[str, Nouns | None], ...]


class Reader:
    """Reads what a workspace can say: in one language, with one currency."""

    def __init__(
        self, families: Sequence[Family], *, lookback_days: Sequence[int], language: Language, currency: str
    ) -> None:
        self.language, self.currency = language, currency
        self.by_column: dict[str, tuple[Indicator, int | None]] = {
            column: (indicator, days)
            for family in families
            for indicator in family.indicators
            for column, days in indicator.columns(lookback_days).items()
        }
        self.by_reason: dict[str, list[str]] = {}
        for column, (indicator, _) in self.by_column.items():
            self.by_reason.setdefault(indicator.reason, []).append(column)
        self._sentences = {column: tuple(self._of(column)) for column in self.by_column}

    def unit(self, column: str) -> str:
        return self.by_column[column][0].unit

    def readings(self, text: str, columns: Sequence[str] | None = None) -> list[Reading]:
        """Everything that the text may say, of these columns or of any."""
        return [
            Reading(column, sentence.told, figures)
            for column in (self.by_column if columns is None else columns)
            for sentence in self._sentences[column]
            if (figures := self._figures(text, sentence)) is not None
        ]

    def _figures(self, text: str, sentence: Sentence) -> dict[str, float | str] | None:
        """By column, what the text says if it is this sentence; None where it is not."""
        match = sentence.pattern.fullmatch(text)
        if match is None:
            return None
        found: dict[str, float | str] = {}
        for (column, nouns), words in zip(sentence.places, match.groups(), strict=True):
            unit = self.unit(column)
            try:
                found[column] = words if unit == "category" else read(words, unit, nouns, self.language, self.currency)
            except UnreadableError:
                return None
        return found

    def _of(self, column: str) -> Iterator[Sentence]:
        indicator, days = self.by_column[column]
        endings: tuple[tuple[Told, str], ...] = (("value", ""), ("null", "_null"), ("zero", "_no"))
        for told, ending in endings:
            if template := getattr(indicator, f"{self.language}{ending}"):
                yield _sentence(told, BEFORE_A_SIGN[self.language].sub(_unbroken, template), column, days)


def _unbroken(space: re.Match[str]) -> str:
    return "\u00a0" if space.string[space.end()] == ":" else "\u202f"


def _sentence(told: Told, template: str, column: str, days: int | None) -> Sentence:
    pattern, end = "", 0
    places: list[tuple[str, Nouns | None]] = []
    for place in _PLACE.finditer(template):
        pattern += re.escape(template[end : place.start()])
        end = place.end()
        if place[1] == "days" and days is not None:
            pattern += str(days)
        else:
            pattern += "(.+?)"
            nouns = None if place[2] is None else (place[2], place[3])
            places.append((column if place[1] == "value" else place[1], nouns))
    return Sentence(told, re.compile(pattern + re.escape(template[end:])), tuple(places))
