"""What is gathered of customers beside their scores, of a workspace that was scored literally."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import ibis
import pandas as pd

from features.asof import AsOf
from pipelines.foundation.ledger.recommendations import Recommended
from pipelines.foundation.workspace.workspace import Workspace
from pipelines.operations.plays.recommend import done_before, plan_of
from pipelines.prediction.scoring.runs import history
from pipelines.report.customer_facts import MOST_SEGMENTS, WEEKS, customer_facts
from pipelines.report.data import CustomerFacts
from tests.features.world_case import subscription, tables
from tests.pipelines.operations.plays.recommend_case import (
    DAY,
    HELD_OUT,
    TREATED,
    done,
    note,
    on,
    play,
    scored,
    workspace,
)

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.foundation.ledger.score_store import ScoreRun

ONE, OTHER, NEW = TREATED[:3]
BEFORE = DAY - timedelta(days=7)


def facts(found: Workspace, run: ScoreRun, **tables: pd.DataFrame) -> CustomerFacts:
    return customer_facts(
        AsOf(ibis.literal(found.as_of), {name: ibis.memtable(rows) for name, rows in tables.items()}),
        found.engine,
        found.store,
        plan=plan_of(found),
        recommended=Recommended(found.store).read(),
        done=done_before(found.tables, found.as_of, found.engine, found.settings.zone),
        run=run,
        scores=history(found.store, run),
    )


def test_the_trend_is_that_since_the_scored_day_before(tmp_path: Path) -> None:
    found = workspace(tmp_path)
    at_risk: dict[str, float | None] = {ONE: 1.0, OTHER: 1.0}
    scored(on(found, BEFORE), at_risk, churn_probability=[0.5, 0.2])
    run = scored(found, at_risk | {NEW: 1.0}, churn_probability=[0.44, 0.24, 0.9])
    trends = facts(found, run).trends
    assert [trends[name] or "" for name in (ONE, OTHER, NEW)] == ["falling", "steady", ""]


def test_plays_are_those_of_the_week_that_are_still_to_be_done(tmp_path: Path) -> None:
    found = workspace(tmp_path, play("call"), play("message"))
    run = scored(found, dict.fromkeys((ONE, OTHER, NEW, HELD_OUT[0]), 1.0))
    note(found.store, str(DAY - timedelta(days=6)), (ONE, "call", "treatment"), (OTHER, "call", "treatment"))
    note(found.store, str(DAY - timedelta(days=7)), (NEW, "message", "treatment"))
    note(found.store, str(DAY), (HELD_OUT[0], "call", "holdout"), (HELD_OUT[1], "call", "treatment"))
    done(found, (OTHER, "call", DAY - timedelta(days=2)))
    told = facts(found, run)
    assert told.plays == {ONE: "call"}


def test_segments_are_what_is_known_of_customers(tmp_path: Path) -> None:
    found = workspace(tmp_path)
    run = scored(found, {ONE: 1.0})
    names = [f"C-{number}" for number in range(MOST_SEGMENTS + 1)]
    rows = pd.DataFrame({"customer_id": names, "country": "FR", "acquisition_channel": names, "value_tier": "gold"})
    rows.loc[0, "value_tier"] = None
    told = facts(found, run, customers=rows).segments
    assert set(told) == {"country", "value_tier"}  # as many channels as customers are no segments
    assert "C-0" not in told["value_tier"]
    assert told["value_tier"]["C-1"] == "gold"
    assert facts(found, run).segments == {}


def test_who_subscribes_has_a_plan_beside(tmp_path: Path) -> None:
    found = workspace(tmp_path)
    run = scored(found, {ONE: 1.0})
    view = tables(subscriptions=[subscription(ONE, plan="team"), subscription(OTHER, plan=None)])
    told = facts(found, run, **{name: table.execute() for name, table in view.items()})
    assert told.segments == {"plan": {ONE: "team"}}


def test_the_past_is_that_of_the_same_horizon_until_the_day(tmp_path: Path) -> None:
    found = workspace(tmp_path)
    scored(on(found, BEFORE), {ONE: 1.0, OTHER: 1.0}, churn_probability=[0.3, 0.2])
    run = scored(found, {ONE: 1.0, NEW: 1.0}, churn_probability=[0.6, 0.9])
    scored(on(found, DAY + timedelta(days=7)), {ONE: 1.0}, churn_probability=[0.7])
    past = facts(found, run).past
    assert list(past) == [str(BEFORE), str(DAY)]
    assert past.T[ONE].tolist() == [0.3, 0.6]
    assert past.T[NEW].isna().tolist() == [True, False]


def test_events_are_counted_by_week_before_the_day(tmp_path: Path) -> None:
    found = workspace(tmp_path)
    run = scored(found, {ONE: 1.0})
    days = [1, 7, 8, 7 * WEEKS, 7 * WEEKS + 1]
    rows = pd.DataFrame({"customer_id": ONE, "sent_on": [DAY - timedelta(days=days) for days in days]})
    told = facts(found, run, messages=rows).events.sort_values("week")
    assert list(zip(told["week"], told["events"], told["table"], strict=True)) == [
        (0, 2, "messages"),
        (1, 1, "messages"),
        (WEEKS - 1, 1, "messages"),
    ]
