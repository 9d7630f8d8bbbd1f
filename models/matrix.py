"""Training sets as numbers: float64 only, in one fixed column order that is checked by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.errors import DataError
from models.buy_till_you_die import BuyingHistory, fit

Floats = npt.NDArray[np.float64]

ENTITY = "customer_id"
LABEL = "churned"
ALIVE = "alive_probability"
EXPECTED = "expected_orders"
SUMMARY = ("repeat_order_days", "days_first_to_last_order", "customer_age_days")


@dataclass(frozen=True)
class Matrix:
    """Rows are customers at snapshots, sorted by snapshot and customer.

    customers: (n,) ids; snapshots: (n,) ordinals of the snapshot day; columns: m names; values: (n, m), NaN for null;
    start: (n,) log-odds that the boosting starts from, 0 without a start model; labels: (n,) of 0.0 and 1.0, or None.
    """

    customers: npt.NDArray[np.object_]
    snapshots: npt.NDArray[np.int64]
    columns: tuple[str, ...]
    values: Floats
    start: Floats
    labels: Floats | None

    def __len__(self) -> int:
        return len(self.customers)

    def only(self, rows: npt.NDArray[np.bool_]) -> Matrix:
        labels = None if self.labels is None else self.labels[rows]
        return Matrix(
            self.customers[rows], self.snapshots[rows], self.columns, self.values[rows], self.start[rows], labels
        )

    @property
    def outcomes(self) -> Floats:
        if self.labels is None:
            raise ValueError("this matrix was built without outcomes")
        return self.labels


def matrix(frame: pd.DataFrame, snapshot_on: date, *, columns: Sequence[str], start_horizon_days: int | None) -> Matrix:
    """One snapshot's frame as numbers.

    frame: one row per customer, with customer_id, the indicator columns and perhaps the label. start_horizon_days: fit
    a buy-till-you-die model on this snapshot alone for so many days ahead; None for no start model.
    Raises: DataError where a column is missing or not a number.
    """
    frame = frame.sort_values(ENTITY, kind="stable")
    missing = [name for name in columns if name not in frame.columns]
    if missing:
        raise DataError(f"the snapshot of {snapshot_on} lacks column '{missing[0]}'; rebuild it or retrain the model")
    text = [name for name in columns if not pd.api.types.is_numeric_dtype(frame[name].dtype)]
    if text:
        raise DataError(f"column '{text[0]}' of the snapshot of {snapshot_on} is {frame[text[0]].dtype}, not a number")
    values = frame[list(columns)].to_numpy(dtype=np.float64, na_value=np.nan)
    names, start = tuple(columns), np.zeros(len(frame))
    if start_horizon_days is not None:
        start, rhythm = _rhythm(frame, horizon_days=start_horizon_days)
        values, names = np.column_stack([values, rhythm]), (*names, ALIVE, EXPECTED)
    labels = frame[LABEL].to_numpy(dtype=np.float64) if LABEL in frame.columns else None
    return Matrix(
        customers=frame[ENTITY].to_numpy(dtype=object),
        snapshots=np.full(len(frame), snapshot_on.toordinal(), dtype=np.int64),
        columns=names,
        values=values,
        start=start,
        labels=labels,
    )


def stack(parts: Sequence[Matrix]) -> Matrix:
    """Snapshots under each other, rows sorted by snapshot and customer whatever the order of the parts."""
    columns = parts[0].columns
    for part in parts[1:]:
        if part.columns != columns:
            differing = sorted(set(part.columns) ^ set(columns)) or list(part.columns)
            raise DataError(f"snapshots differ in columns (first: '{differing[0]}'); rebuild them with one definition")
    customers = np.concatenate([part.customers for part in parts])
    snapshots = np.concatenate([part.snapshots for part in parts])
    order = np.lexsort((customers.astype(str), snapshots))
    labels = None if any(part.labels is None for part in parts) else np.concatenate([part.outcomes for part in parts])
    return Matrix(
        customers=customers[order],
        snapshots=snapshots[order],
        columns=columns,
        values=np.concatenate([part.values for part in parts])[order],
        start=np.concatenate([part.start for part in parts])[order],
        labels=None if labels is None else labels[order],
    )


def _rhythm(frame: pd.DataFrame, *, horizon_days: int) -> tuple[Floats, Floats]:
    frequency, recency, age = (frame[name].to_numpy(dtype=np.float64) for name in SUMMARY)
    history = BuyingHistory.from_days(frequency, recency, age)
    model = fit(history)
    silent = np.clip(model.no_order(history, horizon_days=horizon_days), 1e-6, 1 - 1e-6)
    expected = model.expected_orders(history, horizon_days=horizon_days)
    return np.log(silent / (1 - silent)), np.column_stack([model.alive(history), expected])
