"""Training sets as numbers, categories aside: float64 in one fixed column order that is checked by name."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.errors import DataError
from models.buy_till_you_die import BgNbd, BuyingHistory, fit
from models.question import Question

Floats = npt.NDArray[np.float64]

ENTITY = "customer_id"
LABEL = "happened"
ALIVE = "alive_probability"
EXPECTED = "expected_orders"
SUMMARY = ("repeat_order_days", "days_first_to_last_order", "customer_age_days")


def ordinals(days: Any) -> npt.NDArray[np.int64]:
    """Snapshot days as a matrix has them. days: (n,) dates, datetime64, or ordinals already.

    >>> ordinals(np.array(["1970-01-02"], dtype="datetime64[s]")).tolist() == [date(1970, 1, 2).toordinal()]
    True
    """
    given = np.asarray(days)
    if given.dtype.kind == "M":
        return given.astype("datetime64[D]").astype(np.int64) + date(1970, 1, 1).toordinal()
    if given.dtype == object:
        return np.array([day.toordinal() for day in given.tolist()], dtype=np.int64)
    return given.astype(np.int64)


@dataclass(frozen=True)
class Matrix:
    """Rows are customers at snapshots, sorted by snapshot and customer.

    question: what labels say, or what is asked about the rows where there are none.
    customers: (n,) ids; snapshots: (n,) ordinals of the snapshot day; columns: m names; values: (n, m), NaN for null;
    start: (n,) log-odds that the boosting starts from, 0 without a start model; labels: (n,) of 0.0 and 1.0, or None.
    categories: (n,) texts of each category column, "" for null; its values are NaN until an encoder fills them in.
    level: (n,) log-odds that a model adds to everybody's of a day, None before it was asked (`Fitted.levelled`).
    weights: (n,) for how many rows each one counts; None where all are there, and each counts once.
    """

    question: Question
    customers: npt.NDArray[np.object_]
    snapshots: npt.NDArray[np.int64]
    columns: tuple[str, ...]
    values: Floats
    start: Floats
    labels: Floats | None
    categories: Mapping[str, npt.NDArray[np.object_]] = field(default_factory=dict)
    level: Floats | None = None
    weights: Floats | None = None

    def __len__(self) -> int:
        return len(self.customers)

    def only(self, rows: npt.NDArray[np.bool_] | npt.NDArray[np.int64]) -> Matrix:
        """Some of the rows: (n,) flags, or places in the order that they are to have."""
        labels = None if self.labels is None else self.labels[rows]
        return Matrix(
            self.question,
            self.customers[rows],
            self.snapshots[rows],
            self.columns,
            self.values[rows],
            self.start[rows],
            labels,
            {name: texts[rows] for name, texts in self.categories.items()},
            None if self.level is None else self.level[rows],
            None if self.weights is None else self.weights[rows],
        )

    @property
    def outcomes(self) -> Floats:
        if self.labels is None:
            raise ValueError("this matrix was built without outcomes")
        return self.labels

    @property
    def counts(self) -> Floats:
        """(n,) for how many rows each one counts."""
        return np.ones(len(self)) if self.weights is None else self.weights

    @property
    def levels(self) -> Floats:
        if self.level is None:
            raise ValueError("the level of these rows is not known: let the model have whole days first, by levelled()")
        return self.level


def matrix(
    frame: pd.DataFrame,
    snapshot_on: date,
    *,
    question: Question,
    columns: Sequence[str],
    categories: Collection[str] = (),
    start_model: bool,
    buying: BgNbd | None = None,
) -> Matrix:
    """One snapshot's frame as numbers.

    frame: one row per customer, with customer_id, the indicator columns and perhaps the label. categories: those of
    `columns` that are text. start_model: start from a buy-till-you-die model of this snapshot alone, for the question's
    horizon; without effect where customers are bound by contract, of whom a buying rhythm says nothing. buying: that
    model; None: fitted on these rows, which then are everybody's.
    Raises: DataError where a column is missing, or is not of its kind.
    """
    frame = frame.sort_values(ENTITY, kind="stable")
    missing = [name for name in columns if name not in frame.columns]
    if missing:
        raise DataError(f"the snapshot of {snapshot_on} lacks column '{missing[0]}'; rebuild it or retrain the model")
    texts = {name: _texts(frame[name], snapshot_on) for name in columns if name in categories}
    numbers = frame[list(columns)].assign(**dict.fromkeys(texts, np.nan))
    wrong = [name for name in columns if not pd.api.types.is_numeric_dtype(numbers[name].dtype)]
    if wrong:
        raise DataError(
            f"column '{wrong[0]}' of the snapshot of {snapshot_on} is {frame[wrong[0]].dtype}, not a number"
        )
    values = numbers.to_numpy(dtype=np.float64, na_value=np.nan)
    names, start = model_columns(columns, question, start_model=start_model), np.zeros(len(frame))
    if ALIVE in names:
        start, rhythm = _rhythm(frame, buying or buying_model(frame), horizon_days=question.horizon_days)
        values = np.column_stack([values, rhythm])
    labels = frame[LABEL].to_numpy(dtype=np.float64) if LABEL in frame.columns else None
    return Matrix(
        question=question,
        customers=frame[ENTITY].to_numpy(dtype=object),
        snapshots=np.full(len(frame), snapshot_on.toordinal(), dtype=np.int64),
        columns=names,
        values=values,
        start=start,
        labels=labels,
        categories=texts,
    )


def model_columns(columns: Sequence[str], question: Question, *, start_model: bool) -> tuple[str, ...]:
    """The columns of a matrix of these indicators: what the start model tells stands behind them."""
    return (*columns, ALIVE, EXPECTED) if start_model and not question.by_contract else tuple(columns)


def stack(parts: Iterable[Matrix], *, rows: int | None = None) -> Matrix:
    """Snapshots under each other, rows sorted by snapshot and customer whatever the order of the parts.

    rows: how many there are in all, or more, where parts are made one by one and are not all to be held beside the
    result.
    """
    waiting = iter(parts)
    first = next(waiting)
    if rows is None:
        others = list(waiting)
        waiting, rows = iter(others), len(first) + sum(map(len, others))
    found = _room_for(first, rows)
    place = 0
    for part in chain([first], waiting):
        _refuse_other(part, first)
        here = slice(place, place + len(part))
        found.customers[here], found.snapshots[here] = part.customers, part.snapshots
        found.values[here], found.start[here] = part.values, part.start
        for name, texts in part.categories.items():
            found.categories[name][here] = texts
        if found.weights is not None:
            found.weights[here] = part.counts
        if found.labels is not None and part.labels is not None:
            found.labels[here] = part.labels
        else:
            found = replace(found, labels=None)
        place += len(part)
    order = np.lexsort((found.customers[:place].astype(str), found.snapshots[:place]))
    as_they_are = place == rows and bool((order[1:] > order[:-1]).all())
    return found if as_they_are else found.only(order)


def _refuse_other(part: Matrix, first: Matrix) -> None:
    if part.question != first.question:
        raise ValueError(f"snapshots of two questions: {part.question.difference(first.question)}")
    if part.columns != first.columns:
        differing = sorted(set(part.columns) ^ set(first.columns)) or list(part.columns)
        raise DataError(f"snapshots differ in columns (first: '{differing[0]}'); rebuild them with one definition")


def _room_for(part: Matrix, rows: int) -> Matrix:
    """A matrix like a part, of so many rows that are still to be filled in."""

    def room(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return np.empty((rows, *values.shape[1:]), dtype=values.dtype)

    return replace(
        part,
        customers=room(part.customers),
        snapshots=room(part.snapshots),
        values=room(part.values),
        start=room(part.start),
        labels=None if part.labels is None else room(part.labels),
        categories={name: room(texts) for name, texts in part.categories.items()},
        weights=None if part.weights is None else room(part.weights),
    )


def _texts(column: pd.Series, snapshot_on: date) -> npt.NDArray[np.object_]:
    if not (pd.api.types.is_string_dtype(column.dtype) or column.isna().all()):
        raise DataError(
            f"column '{column.name}' of the snapshot of {snapshot_on} is {column.dtype}, not numbers or text"
        )
    return column.astype("str").fillna("").where(column.notna(), "").to_numpy(dtype=object)


def buying_model(frame: pd.DataFrame) -> BgNbd:
    """The buy-till-you-die model of a snapshot. frame: the columns of SUMMARY, of everybody."""
    return fit(_history(frame))


def _history(frame: pd.DataFrame) -> BuyingHistory:
    frequency, recency, age = (frame[name].to_numpy(dtype=np.float64) for name in SUMMARY)
    return BuyingHistory.from_days(frequency, recency, age)


def _rhythm(frame: pd.DataFrame, model: BgNbd, *, horizon_days: int) -> tuple[Floats, Floats]:
    history = _history(frame)
    silent = np.clip(model.no_order(history, horizon_days=horizon_days), 1e-6, 1 - 1e-6)
    expected = model.expected_orders(history, horizon_days=horizon_days)
    return np.log(silent / (1 - silent)), np.column_stack([model.alive(history), expected])
