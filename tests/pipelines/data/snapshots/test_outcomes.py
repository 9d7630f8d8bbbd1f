"""What is observed after a day: named by all that it is made of, and the same however its query is run."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from features.cohort import Cohort
from features.subscription_periods import Endings
from pipelines.data.snapshots.features import BY as OF_FEATURES
from pipelines.data.snapshots.outcomes import BY, Observed, OutcomeInputs, outcomes
from pipelines.foundation.storage import fingerprint
from pipelines.foundation.storage.engine import open_engine
from pipelines.foundation.workspace import compiled_queries
from pipelines.foundation.workspace.compiled_queries import CompiledQueries
from tests.features.world_case import PARIS, at, order, subscription
from tests.pipelines.data.snapshots.snapshot_case import CLUB, ENDINGS, SHOP, tables_of

INPUTS = OutcomeInputs(day=date(2024, 7, 1), observed=CLUB, landed=("a", "b"), refusals="")

# Names

PARTS: dict[str, list[Any]] = {
    "cohort": [Cohort(kind="ever_ordered"), Cohort(kind="subscribed", active_days=30)],
    "lead_days": [8],
    "horizon_days": [61],
    "endings": [None, Endings(grace_days=4), replace(ENDINGS, involuntary_reasons=("unpaid",))],
    "price_rise_is_expansion": [True],
    "time_zone": ["UTC"],
    "tables": [("payments", "subscriptions")],
}


def test_every_part_of_what_is_observed_is_tried() -> None:
    assert set(PARTS) == {field.name for field in fields(Observed)}
    assert {field.name for field in fields(OutcomeInputs)} == {"day", "observed", "landed", "refusals", "why_known"}


def test_another_day_is_another_name_though_the_same_files_are_known() -> None:
    """A model of later snapshots of the same data would otherwise pass for the one of before."""
    assert replace(INPUTS, day=date(2024, 7, 2)).key != INPUTS.key


@pytest.mark.parametrize(("part", "other"), [(part, other) for part, others in PARTS.items() for other in others])
def test_observing_anything_else_is_another_name(part: str, other: Any) -> None:
    changed: dict[str, Any] = {part: other}
    assert replace(INPUTS, observed=replace(CLUB, **changed)).key != INPUTS.key


def test_other_files_or_refusals_are_another_name_and_equal_inputs_are_the_same() -> None:
    others = [replace(INPUTS, landed=("a",)), replace(INPUTS, landed=("b", "a")), replace(INPUTS, refusals="x")]
    assert len({each.key for each in (INPUTS, *others)}) == 4
    assert (
        OutcomeInputs(
            day=date(2024, 7, 1), observed=replace(CLUB, endings=replace(ENDINGS)), landed=("a", "b"), refusals=""
        ).key
        == INPUTS.key
    )


def test_other_code_is_another_name(monkeypatch: pytest.MonkeyPatch) -> None:
    before = INPUTS.key
    monkeypatch.setattr(fingerprint, "code_version", lambda *makers: f"another of {makers}")
    assert INPUTS.key != before
    assert "features.outcomes" in BY
    assert "features.outcomes" not in OF_FEATURES


# Days


def test_the_window_opens_after_the_lead_ends_with_the_horizon_and_is_known_after_grace() -> None:
    assert SHOP.offsets == (0, 60, 60)
    assert CLUB.offsets == (7, 67, 70)
    assert replace(CLUB, lead_days=0, endings=Endings(grace_days=0)).offsets == (0, 60, 60)


# Rows


def compared(observed: Observed, day: date, **rows: Any) -> list[dict[str, Any]]:
    """What came of a day, once it is seen to be the same with compiled queries."""
    compiled = CompiledQueries(open_engine("duckdb"), PARIS)
    tables = tables_of(compiled, **rows)
    plain = pa.concat_tables(outcomes(observed, tables, day, compiled.engine))
    list(outcomes(observed, tables, date(2023, 1, 1), compiled.engine, compiled=compiled))  # translated for another day
    filled = pa.concat_tables(outcomes(observed, tables, day, compiled.engine, compiled=compiled))
    assert filled.equals(plain)
    return plain.to_pylist()


def test_of_a_shop_who_orders_within_the_window_is_not_inactive() -> None:
    """60 days from the midnight of 1 March on: 30 April is the first day after them."""
    found = compared(
        SHOP,
        date(2024, 3, 1),
        orders=[
            *(order(customer, "2024-02-01 12:00") for customer in "DCBA"),
            order("A", "2024-03-01 00:00"),
            order("B", "2024-04-29 23:59"),
            order("C", "2024-04-30 00:00"),
            order("E", "2024-03-01 12:00"),  # was nobody's customer yet
        ],
    )
    assert [(row["customer_id"], row["inactivity"]) for row in found] == [("A", 0), ("B", 0), ("C", 1), ("D", 1)]
    assert [row["treated"] for row in found] == [0, 0, 0, 0]


@pytest.mark.parametrize(("reasons", "kept"), [(Endings().involuntary_reasons, 1), (("Mrs Lovelace",), 0)])
def test_a_machine_keeps_no_reason_that_a_company_named(
    reasons: tuple[str, ...], kept: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(compiled_queries, "TRANSLATED", {})
    observed = replace(CLUB, endings=Endings(grace_days=3, involuntary_reasons=reasons))
    compared(observed, date(2024, 3, 1), subscriptions=[subscription("A")])
    assert len(list(tmp_path.rglob("queries/*"))) == kept


@pytest.mark.parametrize("day", [date(2024, 3, 1), date(2024, 3, 31), date(2023, 12, 29)])
def test_with_and_without_compiled_queries_on_any_day(day: date) -> None:
    """31 March begins in winter and ends in summer time."""
    orders = [
        order(customer, f"2024-0{month}-15 12:00") for customer, month in zip("ABCDE", (1, 2, 3, 4, 5), strict=True)
    ]
    compared(SHOP, day, orders=[*orders, order("A", "2023-12-01 12:00")])
    ended = {"ended_at": at("2024-04-10"), "known_at": at("2024-04-10")}
    compared(CLUB, day, subscriptions=[subscription("A"), subscription("B") | ended])


def test_of_contracts_who_is_gone_at_the_windows_end_and_not_back_within_grace_has_left() -> None:
    """The window of 1 March is 8 March to 6 May; it is known on 10 May."""
    found = compared(
        CLUB,
        date(2024, 3, 1),
        subscriptions=[
            subscription("A"),
            subscription("B", ended_at=at("2024-04-10 12:00")),
            subscription("C", "first", ended_at=at("2024-04-10 12:00")),
            subscription("C", "again", started_at=at("2024-04-13 12:00")),
            subscription("D", "first", ended_at=at("2024-04-10 12:00")),
            subscription("D", "again", started_at=at("2024-06-14 12:00")),
            subscription("E", ended_at=at("2024-05-20 12:00")),
        ],
    )
    assert {row["customer_id"]: row["churn"] for row in found} == {"A": 0, "B": 1, "C": 0, "D": 1, "E": 0}


def test_a_higher_price_counts_as_more_revenue_only_where_it_is_observed_so() -> None:
    rows = {
        "subscriptions": [
            subscription("A", mrr=30),
            subscription("A", mrr=40, known_at=at("2024-04-01")),
        ],
        "subscription_changes": [
            {
                "customer_id": "A",
                "subscription_id": "A ",
                "changed_at": at("2024-04-01"),
                "kind": "price",
                "mrr_before": 30,
                "mrr_after": 40,
            }
        ],
    }
    (plain,) = compared(CLUB, date(2024, 3, 1), **rows)
    (rise,) = compared(replace(CLUB, price_rise_is_expansion=True), date(2024, 3, 1), **rows)
    assert (plain["mrr_before"], plain["mrr_after"]) == (30, 40)
    assert (plain["expansion"], rise["expansion"]) == (0, 1)
