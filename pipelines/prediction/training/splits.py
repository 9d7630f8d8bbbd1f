"""The backtest's folds as a scikit-learn splitter: whatever is tried by it learns from no outcome too early."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.model_selection import BaseCrossValidator

from models.matrix import ordinals
from pipelines.foundation.workspace.calendar import Calendar, FoldDays
from pipelines.prediction.training.backtest import days_of

Places = npt.NDArray[np.intp]


class SnapshotSplit(BaseCrossValidator):  # type: ignore[misc]  # scikit-learn ships no types
    """Folds by snapshot day, those of `attrition`'s own backtest: a test day, and what was known at its start.

    A fold learns from the snapshots whose outcome windows (lead, horizon and grace period after the snapshot) had
    ended, the embargo included, when its test day began, and of them from no more than the settings allow.

    Parameters
    ----------
    calendar : Calendar
        Of a task: `main_task(workspace).calendar`. Other folds than the settings' are those of another calendar:
        `dataclasses.replace(calendar, folds=8)`.

    Examples
    --------
    >>> from pipelines.foundation.workspace.calendar import Grid
    >>> calendar = Calendar(
    ...     as_of=date(2025, 6, 1), data_from=date(2024, 12, 1), data_to=date(2025, 5, 31),
    ...     covered_until=date(2025, 6, 1), maturity_days=30, folds=1, fold_every_days=30, embargo_days=0,
    ...     grid=Grid(every_days=30, anchor=date(2025, 1, 1), min_history_days=31, at_most=12),
    ... )
    >>> days = [date(2025, 1, 1), date(2025, 1, 31), date(2025, 3, 2), date(2025, 5, 2)]
    >>> [(train.tolist(), test.tolist()) for train, test in SnapshotSplit(calendar).split(days, groups=days)]
    [([0, 1, 2], [3])]
    """

    __metadata_request__split = {"groups": True}  # noqa: RUF012 - as scikit-learn's own splitters say it

    def __init__(self, calendar: Calendar) -> None:
        self.calendar = calendar

    def split(self, X: Any, y: Any = None, groups: Any = None) -> Iterator[tuple[Places, Places]]:  # noqa: N803
        """Places of the rows to learn from, and of those to test on, a fold at a time, oldest first.

        Parameters
        ----------
        X
            Not looked at.
        y
            Not looked at.
        groups
            (n,) the snapshot day of each row: dates, or their ordinals as a matrix has them.

        Raises
        ------
        ValueError
            Without groups, or where the rows lack a fold's test day, or all days that it learns from.
        """
        del X, y
        if groups is None:
            raise ValueError("the snapshot day of each row is asked for as `groups`")
        days = ordinals(groups)
        there = set(days.tolist())
        for fold in self.folds():
            if fold.test.toordinal() not in there:
                raise ValueError(
                    f"no row is of {fold.test}, the test day of a fold; the days of which rows are needed are the "
                    "splitter's `days`"
                )
            train = np.flatnonzero(np.isin(days, [day.toordinal() for day in fold.train]))
            if not len(train):
                raise ValueError(f"no row is of a day that the fold of {fold.test} learns from")
            yield train, np.flatnonzero(days == fold.test.toordinal())

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:  # noqa: N803
        """How many folds there are. X, y, groups: not looked at."""
        del X, y, groups
        return len(self.folds())

    @property
    def days(self) -> list[date]:
        """Every day that some fold tests on or learns from: the rows of these days can be split."""
        return days_of(self.folds())

    def folds(self) -> list[FoldDays]:
        """The days of each fold, oldest first."""
        return self.calendar.fold_days()
