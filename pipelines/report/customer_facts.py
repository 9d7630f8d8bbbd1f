"""What the page tells of customers beside their scores: how the risk went, its parts, what happened, plays."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import ibis.expr.types as ir
import numpy as np
import pandas as pd
import pyarrow as pa

from features.asof import AsOf
from features.orders import placed
from features.revenue import plans
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
        segments=_segments(now, engine),
        past=_past(store, run),
        events=_events(now, engine),
    )


def parts(
    rows: Matrix, fitted: Fitted, codes: Mapping[str, str], customers: pd.Series[str]
) -> tuple[pd.DataFrame, float]:
    """Of some customers, a row each: what each reason code adds to the log-odds; and the average.

    rows: of everybody scored. codes: reason code of each column.
    """
    names = rows.customers.astype(str)
    chosen = np.isin(names, customers.to_numpy(dtype=str))
    if not chosen.any():
        return pd.DataFrame(), 0.0
    found = explanation.contributions(fitted, rows.only(chosen), codes)
    return pd.DataFrame(found.values, index=names[chosen], columns=[*found.codes]), found.average


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
    found = dict[str, ir.Table]()
    if "subscriptions" in now:
        found["plan"] = plans(now).select("customer_id", segment="plan")
    if "customers" in now:
        known = now["customers"]
        found |= {kind: known.select("customer_id", segment=column) for kind, column in COLUMNS.items()}
    told = {kind: _told(as_arrow(engine, table)) for kind, table in found.items()}
    return {kind: of for kind, of in told.items() if len(set(of.values())) <= MOST_SEGMENTS}


def _told(rows: pa.Table) -> dict[str, str]:
    pairs = zip(rows["customer_id"].to_pylist(), rows["segment"].to_pylist(), strict=True)
    return {name: value for name, value in pairs if value}
