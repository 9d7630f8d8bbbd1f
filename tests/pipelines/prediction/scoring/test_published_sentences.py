"""What was handed over is true and bad news, recomputed from the exports; and what is not would be found."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from features.training_set import FAMILIES
from tests.features.oracles.known import Row
from tests.features.oracles.vantage import Vantage
from tests.features.world_case import PARIS, SNAPSHOT, at, order
from tests.pipelines.shop_case import FORMULA
from tests.sentences.exports import exported, known_rows
from tests.sentences.judging import Fault, Judge, Judged, Reason, Truth, against, counts
from tests.sentences.published import HandedOver, judged, published, refuse_another_report, reported, truth_of
from tests.sentences.reading import LANGUAGES, Reader
from tests.sentences.workspaces import scored

CUSTOMERS = 60
SPANS = (30, 90)
BY_NAME = {indicator.name: indicator for family in FAMILIES for indicator in family.indicators}
FAMILY_OF = {column: family.name for family in FAMILIES for column in family.columns(SPANS)}
HERE = Vantage(SNAPSHOT, PARIS, SPANS, 60)


# A shop as it was handed over


def test_every_reason_of_a_shop_is_true_and_bad_news_in_both_languages(
    finished_workspace: Path, tmp_path: Path
) -> None:
    shop: Path = shutil.copytree(finished_workspace, tmp_path / "shop")
    truth = truth_of(shop)
    for language in LANGUAGES:
        found = judged(scored(shop, language), CUSTOMERS, truth)
        assert [each for each in found if each.fault] == []
        assert len(found) > CUSTOMERS


def test_a_report_is_held_against_what_was_handed_over(finished_workspace: Path, tmp_path: Path) -> None:
    shop: Path = shutil.copytree(finished_workspace, tmp_path / "shop")
    assert refuse_another_report(shop)
    page, told = shop / "report.html", next(texts for _, texts in reported(shop) if texts)[0]
    text = page.read_text(encoding="utf-8")
    page.write_text(text.replace(f"<li>{told}</li>", "<li>last order 1 day ago</li>", 1), encoding="utf-8")
    with pytest.raises(AssertionError, match="report and ledger differ"):
        refuse_another_report(shop)


def test_fewer_customers_than_were_asked_for_are_no_success(finished_workspace: Path) -> None:
    (place,) = finished_workspace.glob("delivery/scores-*.csv")
    with pytest.raises(AssertionError, match="100000 were asked for"):
        published(HandedOver(finished_workspace, place, None), 100_000)


def test_a_file_that_says_something_else_than_the_ledger_is_found(finished_workspace: Path, tmp_path: Path) -> None:
    (place,) = finished_workspace.glob("delivery/scores-*.csv")
    other = tmp_path / "scores.csv"
    other.write_text(place.read_text(encoding="utf-8").replace("order_count", "order_value"), encoding="utf-8")
    with pytest.raises(AssertionError, match="the ledger differ"):
        published(HandedOver(finished_workspace, other, None), CUSTOMERS)


# Exports


def test_an_export_is_read_with_its_own_decimals_dates_and_clock(tmp_path: Path) -> None:
    place = tmp_path / "commandes.csv"
    place.write_text("client;date;montant\nC-1;31/01/2025;1\u00a0249,90\nC-2;01/07/2025;-38,00\n", encoding="cp1252")
    source = {
        "table": "orders",
        "columns": {"customer_id": "client", "ordered_at": "date", "amount": "montant"},
        "dialect": {
            "delimiter": ";",
            "decimal": ",",
            "thousands": " ",
            "encoding": "cp1252",
            "date_format": "%d/%m/%Y",
        },
    }
    found = [{**row} for row in exported(place, source, ZoneInfo("Europe/Paris"))]
    names = ("order_id", "customer_id", "ordered_at", "amount")
    assert [tuple(row[name] for name in names) for row in found] == [
        ("row 1", "C-1", datetime(2025, 1, 30, 23), Decimal("1249.90")),
        ("row 2", "C-2", datetime(2025, 6, 30, 22), Decimal("-38.00")),
    ]


def test_what_happened_on_the_day_of_the_score_or_later_is_not_known(finished_workspace: Path) -> None:
    (rows,) = known_rows(finished_workspace).values()
    assert rows
    assert max(row["ordered_at"] for row in rows) < datetime(2025, 5, 31, 22)
    assert FORMULA in {row["customer_id"] for row in rows}


# Verdicts


def verdict(text: str, code: str, *, rows: Mapping[str, list[Row]], language: str = "en", risk: bool = True) -> Judged:
    """On a reason that customer A-17 was given, of everybody in the rows."""
    reader = Reader(FAMILIES, lookback_days=SPANS, language="fr" if language == "fr" else "en", currency="EUR")
    everybody = sorted({row["customer_id"] for table in rows.values() for row in table})
    truth = Truth(rows, everybody, HERE)
    return Judge(reader, truth, FAMILY_OF).judge(Reason("A-17", code, text, risk=risk))


def orders() -> dict[str, list[Row]]:
    """A-17 ordered twice, 40 days and 10 days ago; three others ordered yesterday, often and for more."""
    rows = [order("A-17", "2024-04-22"), order("A-17", "2024-05-22", 12.5)]
    rows += [order(other, f"2024-05-{day}", 80) for other in "bcd" for day in (11, 21, 31)]
    blank = {"cancelled_at": None, "refunded_at": None, "refunded_amount": None, "landed_order": 0}
    return {"orders": [row | blank | {"known_at": row["ordered_at"], "source_row": n} for n, row in enumerate(rows)]}


@pytest.mark.parametrize(
    ("text", "code", "language", "fault"),
    [
        ("last order 10 days ago", "buying_rhythm", "en", None),
        ("dernière commande il y a 10 jours", "buying_rhythm", "fr", None),
        ("1 order in the last 30 days", "order_count", "en", None),
        ("orders worth 12.50 EUR in the last 30 days", "order_value", "en", None),
        ("last order 11 days ago", "buying_rhythm", "en", "false"),
        ("no order so far", "buying_rhythm", "en", "false"),
        ("2 orders in the last 30 days", "order_count", "en", "false"),
        ("1 order in the last 90 days", "order_count", "en", "false"),
        ("orders worth 12.49 EUR in the last 30 days", "order_value", "en", "false"),
        ("1 orders in the last 30 days", "order_count", "en", "unparsed"),
        ("1 order in the last 31 days", "order_count", "en", "unparsed"),
        ("orders worth 12.50 in the last 30 days", "order_value", "en", "unparsed"),
        ("orders worth 12.50 USD in the last 30 days", "order_value", "en", "unparsed"),
        ("1 order in the last 30 days", "tenure", "en", "unparsed"),
        ("1 order in the last 30 days", "order_count", "fr", "unparsed"),
        ("2.50 EUR more than before", "order_value", "en", "unparsed"),
        ("", "order_count", "en", "unparsed"),
        ("2.50 EUR an order in the last 30 days", "order_value", "en", "false"),
        (
            "no more and no fewer orders than in the 30 days before",
            "order_count_trend",
            "en",
            "against direction",
        ),
        (
            "orders worth 2.50 EUR more than in the 30 days before",
            "order_value_trend",
            "en",
            "against direction",
        ),
    ],
)
def test_a_reason_is_held_against_rows_and_catalog(text: str, code: str, language: str, fault: Fault | None) -> None:
    assert verdict(text, code, rows=orders(), language=language).fault == fault


def test_good_news_is_found_by_what_is_usual_among_all_who_were_scored() -> None:
    text, rows = "1 order in the last 30 days", orders()
    fewer = [row for row in rows["orders"] if row["customer_id"] == "A-17" or row["ordered_at"] < at("2024-05-12")]
    assert verdict(text, "order_count", rows=rows).fault is None
    assert verdict(text, "order_count", rows={"orders": fewer}).fault == "against direction"
    assert verdict(text, "order_count", rows={"orders": fewer}, risk=False).fault is None


@pytest.mark.parametrize(("customer", "named"), [("order", True), ("A-17", False), ("10", False)])
def test_a_sentence_that_names_the_customer_is_found(customer: str, named: bool) -> None:
    reader = Reader(FAMILIES, lookback_days=SPANS, language="en", currency="EUR")
    rows = {"orders": [row | {"customer_id": customer} for row in orders()["orders"] if row["customer_id"] == "A-17"]}
    rows["orders"] += [row for row in orders()["orders"] if row["customer_id"] == "b"] * 2
    judge = Judge(reader, Truth(rows, [customer, "b", "b2"], HERE), FAMILY_OF)
    found = judge.judge(Reason(customer, "order_count", "1 order in the last 30 days"))
    assert (found.why == "it names the customer") is named


@pytest.mark.parametrize(
    ("name", "value", "usual", "bad"),
    [
        ("orders_{days}d", 1.0, 2.0, True),
        ("orders_{days}d", 2.0, 2.0, False),
        ("orders_{days}d", 0.0, 0.0, True),
        ("support_contacts_{days}d", 1.0, 0.0, True),
        ("support_contacts_{days}d", 0.0, 0.0, False),
        ("support_contacts_over_usual_{days}d", 1.04, 0.0, False),
        ("emails_{days}d", 1.0, 0.0, False),
        ("incidents_change_{days}d", -3.0, -5.0, False),
        ("price_increase_since_renewal", 0.004, 0.0, False),
        ("card_expired", 0.0, 0.0, False),
        ("backup_payment_method", 0.0, 0.0, True),
        ("last_nps", 7.0, 9.0, False),
        ("points_expiring", 0.0, 5.0, False),
        ("mrr", 0.0, 5.0, True),
    ],
)
def test_what_is_bad_news_by_the_catalog(name: str, value: float, usual: float, bad: bool) -> None:
    assert (against(BY_NAME[name], value, usual) == "") is bad


def test_the_last_line_counts_faults_by_kind() -> None:
    reason = Reason("a", "tenure", "customer for 1 day")
    faults: tuple[Fault | None, ...] = (None, "false", "unparsed", "against direction")
    assert (
        counts(Judged(reason, fault) for fault in faults)
        == "sentences 4, true 2, false 1, against direction 1, unparsed 1"
    )
