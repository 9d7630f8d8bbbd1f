"""What the page tells of customers beside their scores: where the risk is going, what is recommended, who they are."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import pandas as pd

from features.asof import AsOf
from features.segments import COLUMNS
from pipelines.foundation.ledger.score_store import ScoreRun
from pipelines.foundation.storage.as_arrow import as_arrow
from pipelines.foundation.storage.store import Store
from pipelines.operations.delivery.policy import trend
from pipelines.operations.plays.recommend import PlayPlan, shown_of_week
from pipelines.prediction.scoring.runs import history_before
from pipelines.report.data import CustomerFacts

MOST_SEGMENTS = 100  # of a kind: more are no parts of the customers, but nearly as many as there are customers


def customer_facts(
    now: AsOf,
    engine: Any,
    store: Store,
    *,
    plan: PlayPlan,
    recommended: pd.DataFrame,
    done: pd.DataFrame,
    run: ScoreRun,
    scores: pd.DataFrame,
) -> CustomerFacts:
    """By the workspace's customer_id. now: the tables as they were known on the run's day; scores: of the run.

    recommended: all that ever was; done: which plays were done when. It may hold customers who are not to be named:
    the page looks up those whom it lists.
    """
    _, trends = trend(scores, history_before(store, run))
    return CustomerFacts(
        trends=dict(zip(scores["customer_id"], trends, strict=True)),
        plays=shown_of_week(plan, recommended, date.fromisoformat(run.as_of), done),
        play_names={
            play.code: (getattr(play.name, plan.language), getattr(play.advice, plan.language)) for play in plan.plays
        },
        segments=_segments(now, engine),
    )


def _segments(now: AsOf, engine: Any) -> dict[str, Mapping[str, str]]:
    """By kind, the segment of each customer who has one."""
    if "customers" not in now:
        return {}
    known = as_arrow(engine, now["customers"].select("customer_id", *COLUMNS.values()))
    names, found = known["customer_id"].to_pylist(), {}
    for kind, column in COLUMNS.items():
        of = {name: value for name, value in zip(names, known[column].to_pylist(), strict=True) if value}
        if len(set(of.values())) <= MOST_SEGMENTS:
            found[kind] = of
    return found
