from __future__ import annotations

import ast
import re
import string
import tomllib
from datetime import date
from pathlib import Path

import pytest

from pipelines.foundation.wording import words as report_words
from pipelines.foundation.wording.words import MINUS, NOTHING, THIN, Words

ROOM = Path(report_words.__file__).parent
PIPELINES = ROOM.parents[1]
TEXTS = {
    f"{section}.{name}": text
    for section, texts in tomllib.loads((ROOM / "words.toml").read_text(encoding="utf-8")).items()
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
    asked = set(
        re.findall(r'"([a-z_]+\.[a-z_]*)"', (PIPELINES / "report" / "report.html.jinja").read_text(encoding="utf-8"))
    )
    for path in PIPELINES.rglob("*.py"):
        nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        asked |= {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    beginnings = tuple(part for part in asked if re.fullmatch(r"[a-z_]+\.", part))  # f"metric.{name}"
    endings = tuple(part for part in asked if re.fullmatch(r"\.[a-z_]+", part))  # f"{name}.title"
    keys = {key.removesuffix("_contract") for key in TEXTS}  # which is never asked for by name: see `Words.say`
    left = [key for key in keys if key not in asked and not key.startswith(beginnings) and not key.endswith(endings)]
    assert left == []
