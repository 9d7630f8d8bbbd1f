"""What a sentence says is what happened: each is read back, and its figures held against plain-Python definitions."""

from __future__ import annotations

import random
import re
from typing import Any, Literal

import pyarrow as pa
import pytest

from features.catalog import Family, Indicator
from features.training_set import families
from pipelines.prediction.scoring.reasons import Wording
from tests.features.histories import random_world
from tests.features.oracles.known import known_world
from tests.features.test_no_look_ahead import tables_of
from tests.features.test_oracle import CUSTOMERS, FAMILIES, ORACLES
from tests.features.world_case import LOOKBACKS, Engine, landed

Language = Literal["en", "fr"]

SEEDS = (1, 2)
FIGURE = "[+\u2212]?[0-9][0-9.,\u202f]*"
WITHIN = {  # by unit, how far the figure that is read may be from the value
    "count": 0.5, "flag": 0, "change": 0.5, "money": 0.005, "money_change": 0.005, "days": 0.5, "hours": 0.5,
    "share": 0.005, "share_change": 0.005, "relative_change": 0.005, "ratio": 0.05, "mark": 0.05, "quantity": 0.05,
}  # fmt: skip
WAYS = {"more": 1, "fewer": -1, "less": -1, "plus": 1, "moins": -1}
UNIT_WORDS = {
    ("days", "en"): ("day", "days"),
    ("days", "fr"): ("jour", "jours"),
    ("hours", "en"): ("hour", "hours"),
    ("hours", "fr"): ("heure", "heures"),
    ("share_change", "en"): ("percentage point", "percentage points"),
    ("share_change", "fr"): ("point", "points"),
}


def figure(text: str, language: Language) -> float:
    plain = text.replace("\u2212", "-")
    plain = plain.replace(",", "") if language == "en" else plain.replace("\u202f", "").replace(",", ".")
    return float(plain)


def counted(text: str, nouns: tuple[str, str], language: Language) -> float:
    """A figure and a noun that agrees with it as it is written: 1 order, 1.0 lines; 1,5 ligne."""
    found = re.fullmatch(f"({FIGURE}) (.+)", text)
    assert found, text
    value = figure(found[1], language)
    single = found[1].lstrip("+\u2212") == "1" if language == "en" else abs(value) < 2
    assert found[2] == nouns[0 if single else 1], text
    return value


def changed(text: str, nouns: tuple[str, str], language: Language) -> float:
    """3 fewer orders, autant d'incidents."""
    if text in {f"no more and no fewer {nouns[1]}", f"autant de {nouns[1]}", f"autant d'{nouns[1]}"}:
        return 0.0
    form = f"(?P<n>{FIGURE}) (?P<way>more|fewer) (?P<noun>.+)"
    found = re.fullmatch(form if language == "en" else f"(?P<n>{FIGURE}) (?P<noun>.+) de (?P<way>plus|moins)", text)
    assert found, text
    return counted(f"{found['n']} {found['noun']}", nouns, language) * WAYS[found["way"]]


def money_changed(text: str, language: Language) -> float:
    """12.00 EUR more, 12,00 EUR de moins."""
    amount, _, way = text.partition(" EUR ")
    return (
        figure(amount, language) * WAYS[way.removeprefix("de ")]
        if way
        else {"neither more nor less": 0.0, "autant": 0.0}[text]
    )


def read(text: str, unit: str, nouns: tuple[str, str] | None, language: Language) -> float:
    """The value that the words for one figure of a sentence say."""
    nouns = nouns or UNIT_WORDS.get((unit, language))
    if unit == "money_change":
        return money_changed(text, language)
    if nouns is not None:
        value = changed(text, nouns, language) if unit == "change" else counted(text, nouns, language)
    else:
        sign = {"money": " EUR", "share": "%", "relative_change": "%"}.get(unit, "")
        assert text.endswith(sign), text
        value = figure(text.removesuffix(sign).rstrip("\u202f"), language)
    return value / 100 if unit in {"share", "relative_change", "share_change"} else value


def said(template: str, text: str, days: int | None) -> list[tuple[str, tuple[str, str] | None, str]]:
    """Name, nouns and words of every figure of a sentence."""
    pattern, places, end = "", [], 0
    for place in re.finditer(r"\{(\w+)(?:\|([^|}]*)\|([^|}]*))?\}", template):
        pattern += re.escape(template[end : place.start()])
        end = place.end()
        if place[1] == "days" and days is not None:
            pattern += str(days)
        else:
            pattern += "(.+?)"
            places.append((place[1], None if place[2] is None else (place[2], place[3])))
    found = re.fullmatch(pattern + re.escape(template[end:]), text)
    assert found, (template, text)
    return [(name, nouns, words) for (name, nouns), words in zip(places, found.groups(), strict=True)]


def check(
    text: str,
    column: str,
    indicator: Indicator,
    *,
    days: int | None,
    truth: dict[str, Any],
    units: dict[str, str],
    language: Language,
) -> None:
    value = truth[column]
    plain, of_null, of_zero = (getattr(indicator, f"{language}{ending}") for ending in ("", "_null", "_no"))
    template = of_null if value is None else of_zero if of_zero and value == 0 else plain
    for name, nouns, words in said(template, text, days):
        which = column if name == "value" else name
        if units[which] == "category":
            assert words == truth[which]
        else:
            found = read(words, units[which], nouns, language)
            assert abs(found - truth[which]) <= WITHIN[units[which]] + 1e-9, (column, text, truth[which])


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_each_sentence_says_what_its_definition_comes_to(family: Family, language: Language) -> None:
    names = tables_of(family)
    here = next(each for each in families(names, personal=True) if each.name == family.name)
    engine = Engine(*names, families=[here], customers=True)
    words = Wording([here], lookback_days=LOOKBACKS, language=language, currency="EUR")
    declared = [(column, each, days) for each in here.indicators for column, days in each.columns(LOOKBACKS).items()]
    units: dict[str, str] = {column: each.unit for column, each, _ in declared}
    for seed in SEEDS:
        world = random_world(random.Random(seed), names, CUSTOMERS)
        tables = {name: landed(name, rows) for name, rows in world.items()}
        frame = engine.run(everybody=pa.table({"customer_id": CUSTOMERS}), **tables).to_pandas()
        truth = ORACLES[family.name](known_world(world), CUSTOMERS)
        for column, indicator, days in declared:
            for customer, text in zip(frame["customer_id"], words.sentences(column, frame), strict=True):
                check(text, column, indicator, days=days, truth=truth[customer], units=units, language=language)


@pytest.mark.parametrize(
    ("text", "unit", "nouns", "language", "value"),
    [
        ("1,234 orders", "count", ("order", "orders"), "en", 1234),
        ("2 fewer orders", "change", ("order", "orders"), "en", -2),
        ("1 commande de plus", "change", ("commande", "commandes"), "fr", 1),
        ("1\u202f234,50 EUR", "money", None, "fr", 1234.5),
        ("26\u202f%", "share", None, "fr", 0.26),
        ("\u22125 percentage points", "share_change", None, "en", -0.05),
    ],
)
def test_figures_are_read_as_they_are_written(
    text: str, unit: str, nouns: tuple[str, str] | None, language: Language, value: float
) -> None:
    assert read(text, unit, nouns, language) == pytest.approx(value)


def test_a_sentence_that_says_something_else_is_found() -> None:
    indicator = next(each for family in FAMILIES for each in family.indicators if each.name == "orders_{days}d")

    def checked(text: str) -> None:
        truth, units = {"orders_30d": 2}, {"orders_30d": "count"}
        check(text, "orders_30d", indicator, days=30, truth=truth, units=units, language="en")

    for text in ("3 orders in the last 30 days", "2 order in the last 30 days", "2 orders in the last 31 days"):
        with pytest.raises(AssertionError):
            checked(text)
    checked("2 orders in the last 30 days")
