from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from pipelines.foundation.wording.numbers import NOTHING, Language
from pipelines.foundation.wording.words import Words
from pipelines.report.data import ReportData
from pipelines.report.listing import STATIC, customers, document, listed, money, segments, shown_columns
from tests.pipelines.report.page_case import CALL, MAIL, with_facts
from tests.pipelines.report.test_page import report

EN = Words("en")


def scored(*rows: tuple[str, float, float | None, int]) -> ReportData:
    """Customers: id, probability, value at risk, priority."""
    frame = pd.DataFrame(rows, columns=["customer_id", "churn_probability", "value_at_risk", "priority"])
    frame = frame.assign(risk_band="high", reason_1="orders worth 0.00 EUR in the last 90 days")
    return replace(report(customers=1), scores=frame)


def test_who_has_nothing_at_risk_does_not_stand_above_who_has() -> None:
    data = scored(
        ("sure-but-worth-0", 0.99, 0.0, 3), ("unknown", 0.98, None, 4), ("a", 0.4, 900.0, 1), ("b", 0.9, 8.5, 2)
    )
    rows = listed(data)
    assert rows["customer_id"].tolist() == ["a", "b", "sure-but-worth-0", "unknown"]
    assert [each.value_at_risk for each in customers(data, rows, EN)] == ["900", "8.50", "0", NOTHING]
    assert document(data, rows, EN)["value"] == [900, 8.5, 0, None]


def test_nobody_held_out_or_opted_out_is_listed() -> None:
    data = replace(with_facts(), opted_out=frozenset({"C-00009"}))
    gone = {"C-00000", "C-00001", "C-00009"}
    assert set(data.scores["customer_id"]) - set(listed(data)["customer_id"]) == gone
    assert not any(name in str(document(data, listed(data), EN)) for name in gone)


def test_everybody_else_is_in_the_document_and_the_first_in_the_table() -> None:
    data = with_facts()
    rows = listed(data)
    found = document(data, rows, EN)
    assert len(customers(data, rows, EN)) == STATIC
    for name in ("id", "share", "value", "band", "trend", "play"):
        assert len(found[name]) == len(rows) == 228, name
    for place, row in enumerate(rows.to_dict("records")):
        assert found["id"][place] == row["customer_id"]
        assert abs(found["share"][place] / 1000 - row["churn_probability"]) <= 0.00051
        assert ("low", "medium", "high")[int(found["band"][place])] == row["risk_band"]
        assert [found["texts"][why[place]] for why in found["why"] if why[place] >= 0] == [row["reason_1"]]
        play = found["plays"][found["play"][place]] if found["play"][place] >= 0 else ""
        assert play == {"call": CALL[0], "mail": MAIL[0], "": ""}[row["play"]]


def test_nobody_is_certain_to_leave() -> None:
    data = scored(("a", 0.99951, 1.0, 1), ("b", 0.9994, 1.0, 2))
    assert [each.probability for each in customers(data, listed(data), EN)] == ["over 99.9%", "99.9%"]
    assert document(data, listed(data), EN)["share"] == [1000, 999]


def test_columns_and_segments_of_which_nothing_is_known_are_left_out() -> None:
    data = report(customers=3)
    bare = replace(data, scores=data.scores.assign(value_at_risk=None))
    assert shown_columns(bare, listed(bare)) == ["rank", "customer", "probability", "band", "reasons"]
    assert len(shown_columns(with_facts(), listed(with_facts()))) == 8
    facts = with_facts()
    assert [(kind, values) for kind, _, values in segments(facts, listed(facts))] == [
        ("country", ["France", "Österreich"])
    ]
    assert facts.customers is not None
    one = replace(facts.customers, segments={"country": {"C-00005": "France"}})
    assert segments(replace(facts, customers=one), listed(facts)) == []


@pytest.mark.parametrize(
    ("value", "language", "written"),
    [(1234.5, "en", "1,234"), (99.996, "en", "100"), (12.345, "fr", "12,35"), (5.0, "en", "5.00"), (0.0, "en", "0")],
)
def test_small_amounts_have_decimals(value: float, language: Language, written: str) -> None:
    assert money(value, Words(language)) == written
