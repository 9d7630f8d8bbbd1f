"""The cases of docs/figures.md: retention figures and outcomes are what its table says."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import ibis
import pytest

from features import retention_rates
from features.asof import as_of
from features.cohort import cohort
from features.outcomes import outcomes
from features.subscription_periods import Endings
from features.tables import TABLES
from tests.features.test_revenue import ALL_TABLES, JUNE, MAY, NOW, Question
from tests.features.world_case import PARIS, SUBSCRIBED, at, landed

DOCUMENT = Path(__file__).parents[2] / "docs" / "figures.md"
AMOUNTS = {
    "start": "mrr_start", "new": "mrr_new", "reactivation": "mrr_reactivation", "expansion": "mrr_expansion",
    "contraction": "mrr_contraction", "churned": "mrr_churned", "end": "mrr_end",
}  # fmt: skip
_DAY, _PRICE = r"\d{4}-\d{2}-\d{2}", r"\?|[\d.]+"
_SUBSCRIPTION = re.compile(
    rf"(?P<id>\w): (?P<mrr>{_PRICE}) from (?P<started>{_DAY})(?: trial (?P<trial>{_DAY}))?"
    rf"(?: notice (?P<notice>{_DAY}))?(?: until (?P<ended>{_DAY}))?(?: because (?P<why>[\w ]+))?"
    rf"(?: known (?P<known>{_DAY}))?"
)
_CHANGE = re.compile(
    rf"(?P<id>\w): (?P<kind>[a-z_]+)(?: (?P<before>{_PRICE}) > (?P<after>{_PRICE}))? on (?P<on>{_DAY})"
    rf"(?: known (?P<known>{_DAY}))?"
)
_PAYMENT = re.compile(rf"payment (?P<what>fails|succeeds) (?P<on>{_DAY})")
_CREDIT = re.compile(rf"credit note (?P<amount>{_PRICE}) on (?P<on>{_DAY})")
_COUNTS = re.compile(r"(\d)\+(\d)-(\d)=(\d)(?:, (\d) unpriced)?")


def _table() -> list[dict[str, str]]:
    """The rows of the document's table of cases, by the names of its columns."""
    lines = [line for line in DOCUMENT.read_text(encoding="utf-8").splitlines() if line.startswith("|")]
    start = next(place for place, line in enumerate(lines) if line.startswith("| no | case"))
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[start:]]
    head, _, *rows = cells
    cases = [row for row in rows if row[0].isdigit()]
    return [dict(zip(head, row, strict=True)) for row in cases]


CASES = _table()


def _price(text: str | None) -> Decimal | None:
    """As landing reads it: to four decimals."""
    return None if text in (None, "?") else Decimal(text or "").quantize(Decimal("0.0001"))


def _recorded(case: Mapping[str, str]) -> tuple[dict[str, list[dict[str, Any]]], Endings]:
    """The tables of a case, and how it reads the ends of subscriptions."""
    view: dict[str, list[dict[str, Any]]] = {name: [] for name in ALL_TABLES}
    endings = Endings()
    for part in case["recorded"].strip("`").split("; "):
        if part == "pauses count on":
            endings = Endings(pause_pauses_mrr=False)
        elif found := _SUBSCRIPTION.fullmatch(part):
            days = {
                "started_at": found["started"], "trial_ends_at": found["trial"], "cancel_requested_at": found["notice"],
                "ended_at": found["ended"], "known_at": found["known"],
            }  # fmt: skip
            view["subscriptions"].append(
                {"customer_id": "a", "subscription_id": found["id"], "mrr": _price(found["mrr"]), "plan": "basic"}
                | {"end_reason": found["why"]}
                | {name: at(f"{day} 12:00") for name, day in days.items() if day}
            )
        elif found := _CHANGE.fullmatch(part):
            prices = {"mrr_before": _price(found["before"]), "mrr_after": _price(found["after"])}
            days = {"changed_at": found["on"], "known_at": found["known"]}
            view["subscription_changes"].append(
                {"customer_id": "a", "subscription_id": found["id"], "kind": found["kind"]}
                | prices
                | {name: at(f"{day} 12:00") for name, day in days.items() if day}
            )
        elif found := _PAYMENT.fullmatch(part):
            view["payments"].append(
                {"customer_id": "a", "attempted_at": at(found["on"]), "succeeded": found["what"] == "succeeds"}
            )
        elif found := _CREDIT.fullmatch(part):
            view["invoices"].append(
                {
                    "customer_id": "a",
                    "invoice_id": "n",
                    "issued_at": at(found["on"]),
                    "amount": -Decimal(found["amount"]),
                }
            )
        else:
            raise AssertionError(f"case {case['no']} records what cannot be read: {part}")
    return view, endings


@cache
def _figures(endings: Endings) -> Question:
    return Question(*ALL_TABLES, days=(MAY, JUNE), now=NOW, endings=endings)


@cache
def _outcomes(endings: Endings) -> tuple[str, duckdb.DuckDBPyConnection]:
    """The query of the outcomes of May, of whoever is subscribed as it begins."""
    view = {name: ibis.table(TABLES[name].landed | {"landed_order": "int64"}, name=name) for name in ALL_TABLES}
    found = outcomes(
        view, cohort(as_of(view, MAY, zone=PARIS), SUBSCRIBED), MAY, by_contract=True, lead_days=0, horizon_days=31,
        complete_until=date(2025, 1, 1), zone=PARIS, endings=endings, price_rise_is_expansion=True,
    )  # fmt: skip
    assert found is not None
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    return ibis.to_sql(found, dialect="duckdb"), connection


def _happened(view: Mapping[str, Sequence[Mapping[str, Any]]], endings: Endings) -> list[dict[str, Any]]:
    sql, connection = _outcomes(endings)
    for name in ALL_TABLES:
        connection.register(name, landed(name, view[name]))
    rows: list[dict[str, Any]] = connection.execute(sql).to_arrow_table().to_pylist()
    return rows


def test_there_are_forty_cases_and_more_each_beside_two_other_definitions() -> None:
    assert [case["no"] for case in CASES] == [str(number) for number in range(1, len(CASES) + 1)]
    assert len(CASES) >= 40
    assert all(case["ChartMogul"] and case["Stripe Billing or Baremetrics"] for case in CASES)
    assert len({case["recorded"] for case in CASES}) == len(CASES)


def test_every_source_that_is_named_is_listed_and_every_one_listed_is_named() -> None:
    text, _, sources = DOCUMENT.read_text(encoding="utf-8").partition("## Sources")
    assert set(re.findall(r"\[([CSBX]\d+)\]", text)) == set(re.findall(r"^\| ([CSBX]\d+) \|", sources, re.MULTILINE))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["case"].replace(" ", "_"))
def test_figures_are_what_the_document_says(case: dict[str, str]) -> None:
    view, endings = _recorded(case)
    rows = list(_figures(endings).answer(view).values())
    found = {name: sum(row[name] for row in rows) for name in rows[0]} if rows else {}
    told = _COUNTS.fullmatch(case["customers"])
    assert told is not None, case["customers"]
    counts = ("customers_start", "new", "lost", "customers_end", "customers_unpriced")
    wanted: dict[str, Any] = dict(zip(counts, (int(count or 0) for count in told.groups()), strict=True))
    wanted |= {name: Decimal(case[column] or 0) for column, name in AMOUNTS.items()}
    learned = Decimal(case["learned"] or 0)
    wanted |= {"mrr_became_known": max(learned, Decimal(0)), "mrr_became_unknown": max(-learned, Decimal(0))}
    assert {name: found.get(name, 0) for name in wanted} == wanted
    if found:
        retention_rates.check(found, of=case["case"])


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["case"].replace(" ", "_"))
def test_outcomes_agree_with_the_figures(case: dict[str, str]) -> None:
    view, endings = _recorded(case)
    found = _happened(view, endings)
    was_there = case["customers"].startswith("1")
    assert len(found) == was_there  # who pays nothing as the window begins has no outcome, whatever comes of it
    if was_there:
        unpriced, gone = "unpriced" in case["customers"], "-1=0" in case["customers"]
        assert found[0]["churn"] == gone
        assert found[0]["expansion"] == (None if unpriced else bool(case["expansion"]))
        assert found[0]["contraction"] == (None if unpriced else bool(case["contraction"]))


def test_an_end_that_tells_of_a_failed_payment_is_involuntary_however_it_is_written() -> None:
    case = next(case for case in CASES if "because" in case["recorded"])
    view, endings = _recorded(case)
    (row,) = _figures(endings).answer(view).values()
    assert (row["involuntary_lost"], row["voluntary_lost"]) == (1, 0)
    assert [each["involuntary"] for each in _happened(view, endings)] == [1]
