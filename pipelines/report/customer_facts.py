"""What the page tells of customers beside their scores: how the risk went, its parts, what happened, plays."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from features.asof import AsOf
from features.orders import placed
from features.segments import COLUMNS
from models import explanation
from models.matrix import Matrix
from models.training import Fitted
from pipelines.foundation.ledger.score_store import ScoreRun, ScoreStore
from pipelines.foundation.storage.as_arrow import as_arrow
from pipelines.foundation.storage.store import Store
from pipelines.operations.delivery.policy import trend
from pipelines.operations.plays.recommend import PlayPlan, shown_of_week
from pipelines.prediction.scoring.runs import history, history_before
from pipelines.report.data import CustomerFacts

MOST_DAYS = 12  # scored days of which the page keeps everybody's probability
WEEKS = 52
# What the page counts by week beside orders, and which of a table's days it goes by.
EVENTS = {"invoices": "issued", "support_contacts": "opened", "messages": "sent", "treatments": "treated"}
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
        play_names={play.code: (play.name.of(plan.language), play.advice.of(plan.language)) for play in plan.plays},
        segments=_segments(now, engine),
        past=_past(store, run),
        events=_events(now, engine),
    )


def parts(
    rows: Matrix, fitted: Fitted, codes: Mapping[str, str], labels: Mapping[str, str], customers: pd.Series[str]
) -> tuple[pd.DataFrame, float]:
    """Of some customers, a row each: what each reason code adds to the log-odds, by its label; and the average.

    rows: of everybody scored. codes: reason code of each column. labels: by reason code.
    """
    names = rows.customers.astype(str)
    chosen = np.isin(names, customers.to_numpy(dtype=str))
    if not chosen.any():
        return pd.DataFrame(), 0.0
    found = explanation.contributions(fitted, rows.only(chosen), codes)
    columns = [labels[code] for code in found.codes]
    return pd.DataFrame(found.values, index=names[chosen], columns=columns), found.average


def _past(store: Store, run: ScoreRun) -> pd.DataFrame:
    """The newest scored days until a run's, with as long a horizon: others cannot be compared."""
    runs = [each for each in ScoreStore(store).newest_runs() if each.as_of <= run.as_of]
    alike = [each for each in runs if each.detail["horizon_days"] == run.detail["horizon_days"]][-MOST_DAYS:]
    return pd.DataFrame(
        {each.as_of: history(store, each).set_index("customer_id")["churn_probability"] for each in alike}
    )


def _events(now: AsOf, engine: Any) -> pd.DataFrame:
    """How often each thing happened to each customer, by week before the day, as known on it."""
    tables = {name: (now[name], f"{day}_on") for name, day in EVENTS.items() if name in now}
    if {"orders", "order_lines"} & set(now.tables):
        tables = {"orders": (placed(now), "ordered_on"), **tables}
    found = []
    for name, (table, day) in tables.items():
        age = now.days_since(table[day])
        dated = table.select("customer_id", week=((age - 1) / 7).floor().cast("int64"))
        dated = dated.filter(dated.week.between(0, WEEKS - 1))
        counted = dated.group_by("customer_id", "week").agg(events=dated.count())
        found.append(as_arrow(engine, counted).to_pandas().assign(table=name))
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame()


def _segments(now: AsOf, engine: Any) -> dict[str, Mapping[str, str]]:
    """By kind, the segment of each customer who has one."""
    if "customers" not in now:
        return {}
    known = as_arrow(engine, now["customers"].select("customer_id", *COLUMNS.values()))
    names, found = known["customer_id"].to_pylist(), dict[str, Mapping[str, str]]()
    for kind, column in COLUMNS.items():
        of = {name: value for name, value in zip(names, known[column].to_pylist(), strict=True) if value}
        if len(set(of.values())) <= MOST_SEGMENTS:
            found[kind] = of
    return found
