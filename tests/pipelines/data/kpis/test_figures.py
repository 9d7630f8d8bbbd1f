"""Figures of a month: what is unknown stays unknown, and a pause counts as the settings say."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from pipelines.data.kpis.figures import figures, why_untold
from pipelines.data.kpis.ground import Ground
from pipelines.data.snapshots.workspace_snapshots import snapshots_of
from pipelines.foundation.settings.settings import Cohort, Contracts, Outcome, Settings
from pipelines.foundation.workspace.workspace import Workspace
from pipelines.prediction.training.task import tasks_of, untold
from tests.pipelines.foundation.workspace.test_workspace import NOON, opened, source

COLUMNS = ("subscription_id", "customer_id", "started_at", "ended_at", "mrr")
PLAIN, WITH_REASON = source("subscriptions", *COLUMNS), source("subscriptions", *COLUMNS, "end_reason")
PAYMENTS = source("payments", "payment_id", "customer_id", "attempted_at", "amount", "succeeded")
START = date(2023, 1, 1)
LEFT = [START + timedelta(days=40 + 9 * number) for number in range(50)]


def subscriptions(*, reason: str | None = None) -> list[str]:
    """A customer who stays, and one who leaves every nine days. reason: why; None: there is no such column."""
    end = "" if reason is None else ","
    rows = [f"s0,stays,2023-01-01 12:00,,30{end}"]
    for number, day in enumerate(LEFT):
        rows.append(f"t{number},C{number},2023-01-01 12:00,{day} 12:00,30" + ("" if reason is None else f",{reason}"))
    return rows


def payments(until: date) -> list[str]:
    """One of the customer who stays every day."""
    days = [START + timedelta(days=number) for number in range((until - START).days)]
    return [f"p{number},stays,{day} 12:00,1,true" for number, day in enumerate(days)]


def club(folder: Path, *sources: Any, pause_pauses_mrr: bool = True, **files: Sequence[str]) -> Workspace:
    settings = Settings(
        time_zone="Europe/Paris",
        currency="EUR",
        complete_until=date(2024, 7, 1),
        sources=sources,
        cohort=Cohort(kind="subscribed"),
        outcome=Outcome(kind="churn", also=("voluntary", "involuntary", "expansion"), horizon_days=30),
        contracts=Contracts(pause_pauses_mrr=pause_pauses_mrr),
    )
    return opened(folder, settings, now=NOON, **files)


def months_told(workspace: Workspace) -> dict[str, int | None]:
    months = figures(Ground(workspace))["months"]
    assert all(row["lost"] is not None for row in months)
    assert why_untold(months) == any(row["voluntary_lost"] is None for row in months)
    for row in months:
        assert (row["voluntary_lost"] is None) == (row["involuntary_lost"] is None)
        assert row["voluntary_lost"] is None or row["voluntary_lost"] + row["involuntary_lost"] == row["lost"]
    return {row["month"]: row["involuntary_lost"] for row in months}


@pytest.mark.parametrize("empty", [None, ""])
def test_without_reasons_and_payments_it_is_unknown(tmp_path: Path, empty: str | None) -> None:
    subs = PLAIN if empty is None else WITH_REASON
    workspace = club(tmp_path, subs, subscriptions=subscriptions(reason=empty))
    assert set(months_told(workspace).values()) == {None}
    assert untold(workspace) == ("voluntary", "involuntary")
    assert [task.kind for task in tasks_of(workspace)] == ["churn", "expansion"]
    found = snapshots_of(workspace).at(date(2023, 6, 1)).outcomes()
    assert found is not None
    assert found["churn"].sum() > 0
    assert found[["voluntary", "involuntary"]].isna().all(axis=None)


@pytest.mark.parametrize(("reason", "involuntary"), [("payment_failed", True), ("too expensive", False)])
def test_reasons_tell_it(tmp_path: Path, reason: str, involuntary: bool) -> None:
    workspace = club(tmp_path, WITH_REASON, subscriptions=subscriptions(reason=reason))
    told = months_told(workspace)
    assert told["2023-06"] == (sum(day.month == 6 and day.year == 2023 for day in LEFT) if involuntary else 0)
    assert untold(workspace) == ()


def test_payments_tell_it_for_as_long_as_there_are_any(tmp_path: Path) -> None:
    rows = subscriptions()
    workspace = club(tmp_path, PLAIN, PAYMENTS, subscriptions=rows, payments=payments(date(2023, 9, 15)))
    told = months_told(workspace)
    assert told["2023-08"] == 0
    assert told["2023-09"] is None
    assert untold(workspace) == ()
    snapshots = snapshots_of(workspace)
    for day, known in ((date(2023, 6, 1), True), (date(2023, 9, 1), False)):
        found = snapshots.at(day).outcomes()
        assert found is not None
        assert found["voluntary"].notna().all() == known


@pytest.mark.parametrize(("pause_pauses_mrr", "mrr_end"), [(True, 1500.0), (False, 1530.0)])
def test_a_pause_takes_revenue_out_of_a_month_unless_pauses_count_on(
    tmp_path: Path, pause_pauses_mrr: bool, mrr_end: float
) -> None:
    changes = source("subscription_changes", "subscription_id", "customer_id", "changed_at", "kind")
    workspace = club(
        tmp_path,
        PLAIN,
        changes,
        pause_pauses_mrr=pause_pauses_mrr,
        subscriptions=subscriptions(),
        subscription_changes=["s0,stays,2023-01-20 12:00,pause"],
    )
    january = next(row for row in figures(Ground(workspace))["months"] if row["month"] == "2023-01")
    assert (january["customers_end"], january["mrr_end"]) == (51, mrr_end)


def test_who_was_free_for_a_while_comes_back_and_who_always_was_is_new(tmp_path: Path) -> None:
    """Told by versions of subscriptions alone, without a table of changes."""
    versions = source("subscriptions", *COLUMNS, "known_at")
    a, b, stays = (f"{name},{name},2023-01-02 12:00,," for name in ("a", "b", "stays"))
    rows = [
        f"{a}30,2023-01-02 12:00", f"{a}0,2023-03-10 12:00", f"{a}40,2023-05-10 12:00",
        f"{b}0,2023-01-02 12:00", f"{b}20,2023-05-10 12:00",
        f"{stays}5,2023-01-02 12:00",
    ]  # fmt: skip
    months = {row["month"]: row for row in figures(Ground(club(tmp_path, versions, subscriptions=rows)))["months"]}
    moves = ("mrr_new", "mrr_reactivation", "mrr_churned", "reactivated", "lost")
    assert [months["2023-01"][name] for name in moves] == [35, 0, 0, 0, 0]
    assert [months["2023-03"][name] for name in moves] == [0, 0, 30, 0, 1]
    assert [months["2023-05"][name] for name in moves] == [20, 40, 0, 1, 0]
    newest = figures(Ground(club(tmp_path / "newest", versions, subscriptions=rows)), months=14)["months"]
    assert next(row for row in newest if row["month"] == "2023-05") == months["2023-05"]
