"""Rows as frames and back: what `ChurnClassifier`, and the model in MLflow, read."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from models import boosting
from models.matrix import ALIVE, Matrix
from models.question import Question
from models.training import Fitted

SNAPSHOT = "snapshot_on"
# Columns of a frame that are none of the model's own: what the trees start from, and what the model that is asked adds
# to everybody's log-odds of a day.
START, LEVEL = "start_log_odds", "level_log_odds"


def as_frame(rows: Matrix) -> pd.DataFrame:
    """The rows of a matrix as `ChurnClassifier`, and the model in MLflow, read them; ids and days stay behind.

    A model that is there already reads rows that it has levelled (`Fitted.levelled`); to learn from, rows need not be.

    >>> ids, days, values = np.array(["A", "B"]), np.array([1, 1]), np.array([[2.0], [0.0]])
    >>> rows = Matrix(None, ids, days, ("orders_90d",), values, np.zeros(2), None)
    >>> as_frame(rows)["orders_90d"].tolist()
    [2.0, 0.0]
    """
    frame = pd.DataFrame(rows.values, columns=list(rows.columns))
    for name, texts in rows.categories.items():
        frame[name] = pd.Series(texts, dtype="str")
    beside = ({START: rows.start} if starts_from(rows.columns) else {}) | (
        {} if rows.level is None else {LEVEL: rows.level}
    )
    return frame.assign(**beside)


def starts_from(columns: tuple[str, ...]) -> bool:
    """Whether a model over these columns starts from a start model's log-odds: wide tables do not."""
    return ALIVE in columns and len(columns) <= boosting.WIDE


def columns_of(fitted: Fitted) -> list[str]:
    """The columns of the rows that a model reads; one of before there were levels reads none."""
    beside = {START: starts_from(fitted.columns), LEVEL: fitted.level.moves}
    return [*fitted.columns, *(name for name, there in beside.items() if there)]


def as_matrix(table: pd.DataFrame, names: tuple[str, ...], texts: Collection[str], *, question: Question) -> Matrix:
    """The rows of a frame as a model reads them, of nobody and no day.

    names: the model's columns; texts: those of text. Raises: ValueError where another one is no number.
    """
    count = len(table)
    categories = {name: _texts(table[name]) for name in names if name in texts}
    numbers = table[list(names)].assign(**dict.fromkeys(categories, np.nan))
    wrong = [name for name in names if not pd.api.types.is_numeric_dtype(numbers[name].dtype)]
    if wrong:
        raise ValueError(f"column '{wrong[0]}' is {table[wrong[0]].dtype}, where the model reads a number")
    start, level = (table[name].to_numpy(np.float64) if name in table.columns else None for name in (START, LEVEL))
    return Matrix(
        question=question,
        customers=np.arange(count).astype(object),
        snapshots=np.zeros(count, dtype=np.int64),
        columns=names,
        values=np.ascontiguousarray(numbers.to_numpy(dtype=np.float64, na_value=np.nan)),
        start=np.zeros(count) if start is None else start,
        labels=None,
        categories=categories,
        level=level,
    )


def is_text(column: pd.Series[Any]) -> bool:
    """Whether a column is a category."""
    return bool(pd.api.types.is_string_dtype(column.dtype) and not pd.api.types.is_numeric_dtype(column.dtype))


def _texts(column: pd.Series[Any]) -> npt.NDArray[np.object_]:
    return np.asarray(column.astype("str").fillna("").where(column.notna(), ""), dtype=object)
