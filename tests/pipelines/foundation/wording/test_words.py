from __future__ import annotations

import ast
import itertools
import re
import string
import tomllib
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

import pipelines
from pipelines.foundation.wording import words
from pipelines.foundation.wording.numbers import MINUS, NOTHING, THIN, Language
from pipelines.foundation.wording.words import Words
from tests.pipelines.foundation.wording.grammar_case import faults

ROOM = Path(pipelines.__file__).parent
TEXTS = {
    f"{section}.{name}": text
    for section, texts in tomllib.loads(Path(words.__file__).with_suffix(".toml").read_text(encoding="utf-8")).items()
    for name, text in texts.items()
}


@pytest.mark.parametrize(
    ("en", "fr", "value", "spec"),
    [
        ("1,234", f"1{THIN}234", 1234, ""),
        ("1,234.5", f"1{THIN}234,5", 1234.5, ".1"),
        (f"{MINUS}0.50", f"{MINUS}0,50", -0.5, ".2"),
        ("0.0", "0,0", -0.01, ".1"),
        ("81.0%", f"81,0{THIN}%", 0.8104, ".1%"),
        (NOTHING, NOTHING, float("nan"), ".1%"),
        ("1\xa0January 1998", "1er\xa0janvier 1998", date(1998, 1, 1), ""),
        ("2\xa0Feb\xa098", "2\xa0févr.\xa098", date(1998, 2, 2), "short"),
        ("customers", "client", 0, "customer|customers"),
        ("text", "text", "text", ""),
        ("1 customer", "1 client", 1.2, ".0|# customer|# customers"),
        ("0 customers", "0 client", 0.0, ".0|# customer|# customers"),
        ("1.5 customers", "1,5 client", 1.5, ".1|# customer|# customers"),
        (f"{NOTHING} customers", f"{NOTHING} clients", float("nan"), ".0|# customer|# customers"),
    ],
)
def test_values_are_written_as_each_language_does(en: str, fr: str, value: object, spec: str) -> None:
    fr_spec = spec.replace("customer", "client")
    assert (Words("en").format_field(value, spec), Words("fr").format_field(value, fr_spec)) == (en, fr)


def test_french_texts_are_set_with_the_spaces_that_french_wants() -> None:
    assert Words("fr").say("page.title", name="x") == "x\xa0: clients à risque"
    assert Words("fr").say("caveats.simulated").count("\u2019") == 1


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def test_both_languages_say_every_text_with_the_same_values() -> None:
    assert [key for key, text in TEXTS.items() if text.keys() != {"en", "fr"}] == []
    assert [key for key, text in TEXTS.items() if fields(text["en"]) != fields(text["fr"])] == []


def test_no_text_is_left_over() -> None:
    templates = [path.read_text(encoding="utf-8") for path in (ROOM / "report").glob("*.jinja")]
    asked = {key for template in templates for key in re.findall(r'"([a-z_]+\.[a-z_]*)"', template)}
    for path in ROOM.rglob("*.py"):
        nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        asked |= {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    beginnings = tuple(part for part in asked if re.fullmatch(r"[a-z_]+\.", part))  # f"metric.{name}"
    endings = tuple(part for part in asked if re.fullmatch(r"\.[a-z_]+", part))  # f"{name}.title"
    keys = {key.removesuffix("_contract") for key in TEXTS}  # which is never asked for by name: see `Words.say`
    left = [key for key in keys if key not in asked and not key.startswith(beginnings) and not key.endswith(endings)]
    assert left == []


# Every message, read

COUNTS = (0, 1, 2, 5)
# What no workspace can make one, or none.
ALWAYS_MANY = {
    "weeks": 52, "explained": 1_000, "kept": 20_000, "customers.static: n": 50, "plays.intro: days": 7,
    "plays.none: days": 7, "over_time.spread: n": 3, "kpi_means.segment: n": 2,
}  # fmt: skip
NO_SENTENCES = {"line.between", "line.colon"}  # what stands between others
ABOUT_A_SLOPE = {"definition.calibration_slope"}  # 1 is no count there
TEXTS_OF = {"customer": "A-17", "currency": "EUR", "mrr": "12,50", "profit": "12,50", "value": "12,50"}
DAYS = {"day", "start", "end", "first", "last", "as_of", "until", "data_as_of", "newest"}
OF_MONTHS = {"retention", "customers_moved", "mrr_moved", "revenue_kept", "expansion"}
# Fields that hold a count wherever they stand, without saying so by a noun.
BARE_COUNTS = {"high", "medium", "low", "n", "found", "happened", "random", "best", "positives", "lost", "involuntary"}
BARE_COUNTS |= {"end", "above", "over", "held", "lead", "limit", "expected", "months", "days", "total", "bins", "top"}


def samples(key: str, text: str) -> Iterator[dict[str, object]]:
    """Values for every field of a message, its counts in every combination."""
    section, specs = key.partition(".")[0], dict[str, list[str]]()
    for _, name, spec, _ in string.Formatter().parse(text):
        if name is not None:
            specs.setdefault(name, []).append(spec or "")
    always = {name: ALWAYS_MANY[each] for name in specs for each in (name, f"{key}: {name}") if each in ALWAYS_MANY}
    counted = [name for name, written in specs.items() if _is_count(name, written) and name not in always]
    plain = {name: _sample(name, written, section) for name, written in specs.items()}
    for counts in itertools.product(COUNTS, repeat=len(counted)):
        yield plain | always | dict(zip(counted, counts, strict=True))


def _is_count(name: str, written: list[str]) -> bool:
    noun = any("|" in spec and not spec.startswith(".") for spec in written)
    return noun or (name in BARE_COUNTS and set(written) == {""} and name != "end")


def _sample(name: str, written: list[str], section: str) -> object:
    if any(spec.startswith(".") for spec in written):
        return 1.0
    if section in OF_MONTHS or name == "cohort":
        return "avril 2024"  # a vowel, at which French elides
    return date(2024, 8, 1) if name in DAYS else TEXTS_OF.get(name, name)


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("key", sorted(TEXTS.keys() - NO_SENTENCES - ABOUT_A_SLOPE))
def test_every_message_reads_right_whatever_its_counts(key: str, language: Language) -> None:
    words = Words(language)
    for values in samples(key, TEXTS[key]["en"] + TEXTS[key]["fr"]):
        assert faults(words.say(key, **values), language) == []


def test_a_singular_that_names_no_number_is_never_said_of_nothing() -> None:
    """French counts 0 in the singular: "un client" would then be said of nobody. Lists that cannot be empty may."""
    hidden = []
    for key, text in TEXTS.items():
        for _, name, spec, _ in string.Formatter().parse(text["fr"]):
            one = (spec or "").removeprefix(".").split("|")[0] if "|" in (spec or "") else ""
            if "#" not in one and re.search(
                r"\bune?\b|\bseule?\b|\ble (?:client|dernier|prochain)", one, re.IGNORECASE
            ):
                hidden.append(f"{key}: {name}")
    assert hidden == [
        "cohort.ordered_within: days", "tile.found: top", "summary.found: top", "outlook.caption: days",
        "alert.volume: days",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "language", "found"),
    [
        ("1 sur un intervalle contenaient ce qui est venu", "fr", "a verb in the plural"),
        ("1 intervalle contenaient la valeur", "fr", "a verb in the plural"),
        ("0 clients sont partis", "fr", "a plural after 0"),
        ("les les clients", "fr", "a word twice"),
        ("le achat de août", "fr", "not elided"),
        ("l'mois", "fr", "elided before"),
        ("de les clients", "fr", "not contracted"),
        ("le mois : 3", "fr", "may break"),
        ("1 customers left", "en", "a plural after 1"),
        ("1 customer were scored", "en", "a verb in the plural"),
        ("so , it is", "en", "should not be there"),
        ("of {n}", "en", "unfilled"),
    ],
)
def test_a_fault_is_found(text: str, language: Language, found: str) -> None:
    assert any(found in fault for fault in faults(text, language))


def test_no_french_text_has_english_words() -> None:
    known = {"the", "of", "and", "with", "was", "were", "is", "are", "customer", "customers", "to", "by", "from", "it"}
    for key, text in TEXTS.items():
        assert known & set(re.findall(r"[a-z]+", re.sub(r"\{\w+", "", text["fr"].lower()))) == set(), key
