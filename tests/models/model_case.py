"""A simulated shop, seen at several snapshots: customers buy at their own rate until they silently leave."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from functools import cache

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.cohort import Cohort
from features.subscription_periods import Endings
from models import linear, training
from models.linear import Linear
from models.matrix import Matrix, matrix, stack
from models.question import Question
from models.training import Fitted

FIRST = date(2024, 1, 1)
HORIZON_DAYS = 60
QUESTION = Question.of(
    "inactivity",
    lead_days=0,
    horizon_days=HORIZON_DAYS,
    cohort=Cohort(kind="ever_ordered"),
    endings=Endings(),
    price_rise_is_expansion=False,
)
INDICATORS = (
    "days_since_last_order",
    "days_since_last_order_over_usual",
    "median_days_between_orders",
    "customer_age_days",
    "repeat_order_days",
    "orders_90d",
    "order_value_90d",
)
REASON_OF = {
    "days_since_last_order": "buying_rhythm",
    "days_since_last_order_over_usual": "buying_rhythm",
    "median_days_between_orders": "buying_rhythm",
    "customer_age_days": "tenure",
    "repeat_order_days": "order_count",
    "orders_90d": "order_count",
    "order_value_90d": "order_value",
}


@cache
def order_days(customers: int = 500, seed: int = 11) -> tuple[npt.NDArray[np.int64], ...]:
    """The distinct order days of each customer, counted from FIRST; BG/NBD with r 0.9, alpha 3 weeks, a 0.9, b 3."""
    random = np.random.default_rng(seed)
    found = []
    for _ in range(customers):
        rate, leaving = random.gamma(0.9) / 21, random.beta(0.9, 3.0)
        day = float(random.integers(0, 150))
        days = [int(day)]
        while (day := day + random.exponential(1 / rate)) < 450:
            days.append(int(day))
            if random.random() < leaving:
                break
        found.append(np.unique(days))
    return tuple(found)


def fit_linear(rows: Matrix) -> Linear:
    """The linear member of all of these rows."""
    return linear.fit(linear.design(rows), rows.outcomes, rows.counts)


def unmoved(rows: Matrix) -> Matrix:
    """The rows as a model reads them that forecasts nothing of their days."""
    return replace(rows, level=np.zeros(len(rows)))


@cache
def snapshot_frame(day: int, *, customers: int = 500, labelled: bool = True) -> pd.DataFrame:
    """Indicators of everybody who ordered before `day`, and whether no order follows within the horizon."""
    rows = []
    for number, days in enumerate(order_days(customers)):
        known, value = days[days < day], 10.0 + number % 7
        if not len(known):
            continue
        between = float(np.median(np.diff(known))) if len(known) > 1 else np.nan
        recent = int((known >= day - 90).sum())
        rows.append(
            {
                "customer_id": f"C-{number:04d}",
                "days_since_last_order": int(day - known[-1]),
                "days_since_last_order_over_usual": (day - known[-1]) / between,
                "median_days_between_orders": between,
                "days_first_to_last_order": int(known[-1] - known[0]),
                "customer_age_days": int(day - known[0]),
                "repeat_order_days": len(known) - 1,
                "orders_90d": recent,
                "order_value_90d": recent * value,
                "happened": float(not ((days >= day) & (days < day + HORIZON_DAYS)).any()),
            }
        )
    frame = pd.DataFrame(rows)
    return frame if labelled else frame.drop(columns="happened")


def snapshot_matrix(day: int, frame: pd.DataFrame, *, start: bool = True) -> Matrix:
    return matrix(frame, FIRST + timedelta(days=day), question=QUESTION, columns=INDICATORS, start_model=start)


SNAPSHOTS = (180, 210, 240, 270, 300, 330)


@cache
def train_rows(*, start: bool = True) -> Matrix:
    """Six snapshots, a month apart."""
    return stack([snapshot_matrix(day, snapshot_frame(day), start=start) for day in SNAPSHOTS])


@cache
def unseen_rows(*, start: bool = True) -> Matrix:
    """A later snapshot, without outcomes."""
    return snapshot_matrix(390, snapshot_frame(390, labelled=False), start=start)


def widened(rows: Matrix) -> Matrix:
    """With so many further columns that say nothing that the table is wide (`models.boosting.WIDE`)."""
    noise = np.random.default_rng(3).normal(size=(len(rows), 100))
    names = tuple(f"nothing_{number}" for number in range(100))
    return replace(rows, columns=(*rows.columns, *names), values=np.column_stack([rows.values, noise]))


def many_rows() -> Matrix:
    """Enough rows that LightGBM deals them out to its threads."""
    random, once = np.random.default_rng(5), train_rows()
    places = np.sort(random.integers(0, len(once), 30_000))
    rows = Matrix(
        once.question,
        once.customers[places],
        once.snapshots[places],
        once.columns,
        once.values[places],
        once.start[places],
        once.outcomes[places],
    )
    return replace(rows, values=rows.values + random.normal(scale=0.3, size=rows.values.shape))


@cache
def fitted(*, start: bool = True) -> Fitted:
    return training.fit(train_rows(start=start), seed=7, threads=1)
