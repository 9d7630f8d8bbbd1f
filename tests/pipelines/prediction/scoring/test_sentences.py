"""What a sentence says is what happened: each is read back, and its figures held against plain-Python definitions."""

from __future__ import annotations

import random
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from features.catalog import Family
from features.training_set import families
from pipelines.prediction.scoring.reasons import Wording
from tests.features.histories import random_world
from tests.features.oracles.known import known_world
from tests.features.test_no_look_ahead import tables_of
from tests.features.test_oracle import CUSTOMERS, FAMILIES, ORACLES
from tests.features.world_case import LOOKBACKS, Engine, landed
from tests.sentences.reading import Language, Reader, UnreadableError, read, within

SEEDS = (1, 2)


def check(text: str, column: str, reader: Reader, truth: dict[str, Any]) -> None:
    """The text is one sentence about the column, in the words for its value, and every figure in it is right."""
    (said,) = reader.readings(text, [column])
    assert said.told == told(column, truth[column], reader), (column, text, truth[column])
    for name, found in said.figures.items():
        if reader.unit(name) == "category":
            assert found == truth[name]
        else:
            assert abs(float(found) - truth[name]) <= within(reader.unit(name), truth[name]) + 1e-9, (
                column,
                text,
                truth[name],
            )


def told(column: str, value: Any, reader: Reader) -> str:
    indicator = reader.by_column[column][0]
    return "null" if value is None else "zero" if indicator.en_no and value == 0 else "value"


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_each_sentence_says_what_its_definition_comes_to(family: Family, language: Language) -> None:
    names = tables_of(family)
    here = next(each for each in families(names, personal=True) if each.name == family.name)
    engine = Engine(*names, families=[here], customers=True)
    words = Wording([here], lookback_days=LOOKBACKS, language=language, currency="EUR")
    reader = Reader([here], lookback_days=LOOKBACKS, language=language, currency="EUR")
    for seed in SEEDS:
        world = random_world(random.Random(seed), names, CUSTOMERS)
        tables = {name: landed(name, rows) for name, rows in world.items()}
        frame = engine.run(everybody=pa.table({"customer_id": CUSTOMERS}), **tables).to_pandas()
        truth = ORACLES[family.name](known_world(world), CUSTOMERS)
        for column in reader.by_column:
            for customer, text in zip(frame["customer_id"], words.sentences(column, frame), strict=True):
                check(text, column, reader, truth[customer])


@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_sentence_with_a_figure_is_about_one_indicator_alone(language: Language) -> None:
    words = Wording(FAMILIES, lookback_days=(30,), language=language, currency="EUR")
    reader = Reader(FAMILIES, lookback_days=(30,), language=language, currency="EUR")
    values = {column: "FR" if reader.unit(column) == "category" else 21.0 for column in reader.by_column}
    frame = pd.DataFrame({column: [value] for column, value in values.items()})
    for column in reader.by_column:
        (text,) = words.sentences(column, frame)
        assert {each.column for each in reader.readings(text)} == {column}, text


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


@pytest.mark.parametrize(
    ("text", "unit", "nouns", "language"),
    [
        ("1 orders", "count", ("order", "orders"), "en"),
        ("1234 orders", "count", ("order", "orders"), "en"),
        ("0 commandes", "count", ("commande", "commandes"), "fr"),
        ("-2 orders", "change", ("order", "orders"), "en"),
        ("12.00", "money", None, "en"),
        ("12.00 USD", "money", None, "en"),
        ("26%", "share", None, "fr"),
        ("nan", "ratio", None, "en"),
        ("12.00 EUR de plus", "money_change", None, "en"),
    ],
)
def test_figures_that_are_written_otherwise_are_not_read(
    text: str, unit: str, nouns: tuple[str, str] | None, language: Language
) -> None:
    with pytest.raises(UnreadableError):
        read(text, unit, nouns, language)


def test_a_sentence_that_says_something_else_is_found() -> None:
    reader = Reader(FAMILIES, lookback_days=(30,), language="en", currency="EUR")
    for text in ("3 orders in the last 30 days", "2 order in the last 30 days", "2 orders in the last 31 days"):
        with pytest.raises((AssertionError, ValueError)):
            check(text, "orders_30d", reader, {"orders_30d": 2})
    check("2 orders in the last 30 days", "orders_30d", reader, {"orders_30d": 2})
