"""Which days are learned from, tested and compared: dates in, days out. The only arithmetic of maturity there is."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta


@dataclass(frozen=True, kw_only=True)
class Grid:
    """Days of snapshots: `every_days` apart, counted from `anchor`, so that each is one whatever the day of the run.

    min_history_days: of data before the first. at_most: the newest, to learn from.
    """

    every_days: int
    anchor: date
    min_history_days: int
    at_most: int

    def days(self, first: date, last: date) -> list[date]:
        """Those from `first` to `last`, both included."""
        start = first + timedelta(days=(self.anchor - first).days % self.every_days)
        return [start + timedelta(days=step) for step in range(0, (last - start).days + 1, self.every_days)]


@dataclass(frozen=True, kw_only=True)
class FoldDays:
    """A test snapshot and the training snapshots whose outcomes had ended, embargo included, by then."""

    test: date
    train: tuple[date, ...]


@dataclass(frozen=True, kw_only=True)
class Calendar:
    """A workspace's days, all local.

    as_of: scoring looks from its start. data_from, data_to: days of the oldest and the newest fact. covered_until: the
    first day of which not everything is known: the data end there, or the run is of that day (`covered`). pauses: spans
    before it (first day, first day after) of which outcomes may be missing: none is learned from, or tested on.
    maturity_days: from a snapshot to the day at whose start its outcome is known. folds: test days, fold_every_days
    apart. embargo_days: between the newest outcome that a fold learns from and its test day.
    """

    as_of: date
    data_from: date
    data_to: date
    covered_until: date
    maturity_days: int
    pauses: tuple[tuple[date, date], ...] = ()
    grid: Grid
    folds: int
    fold_every_days: int
    embargo_days: int

    @property
    def data_as_of(self) -> date:
        """The newest day with data that scoring can know of."""
        return min(self.data_to, self.as_of - timedelta(days=1))

    @property
    def data_age_days(self) -> int:
        """Days without data before the day of scoring."""
        return (self.as_of - timedelta(days=1) - self.data_as_of).days

    @property
    def first_snapshot(self) -> date:
        """The first day with enough history before it, and at least one day of it."""
        return self.data_from + timedelta(days=max(1, self.grid.min_history_days))

    def known_on(self, snapshot_on: date) -> date:
        """The day at whose start the outcome of a snapshot is known."""
        return snapshot_on + timedelta(days=self.maturity_days)

    def is_known(self, snapshot_on: date) -> bool:
        """Whether the data cover a snapshot's outcome, whoever asks when."""
        known_on = self.known_on(snapshot_on)
        return known_on <= self.covered_until and not any(
            start < known_on and snapshot_on < end for start, end in self.pauses
        )

    def is_known_by(self, snapshot_on: date, day: date) -> bool:
        """Whether the outcome of a snapshot was known at the start of a day, and is covered by the data."""
        return self.known_on(snapshot_on) <= day and self.is_known(snapshot_on)

    def known_by(self, day: date, snapshots: Collection[date]) -> list[date]:
        """Those of some snapshots whose outcome was known at the start of a day, oldest first."""
        return sorted(each for each in snapshots if self.is_known_by(each, day))

    def training_days(self, day: date) -> list[date]:
        """The newest snapshots of the grid that may be learned from at a day, oldest first; may be empty."""
        newest = min(day, self.covered_until) - timedelta(days=self.maturity_days)
        days = [each for each in self.grid.days(self.first_snapshot, newest) if self.is_known(each)]
        return days[-self.grid.at_most :]

    def snapshot_days(self) -> list[date]:
        """Every day of the grid that has a snapshot, or can have one."""
        return self.grid.days(self.first_snapshot, min(self.as_of, self.data_to + timedelta(days=1)))

    def fold_days(self) -> list[FoldDays]:
        """The folds, oldest first: back from the newest known outcome at or before `as_of`. May be empty."""
        newest = min(self.as_of, self.covered_until - timedelta(days=self.maturity_days))
        tests = [newest - timedelta(days=self.fold_every_days * step) for step in reversed(range(self.folds))]
        embargo = timedelta(days=self.embargo_days)
        found = [FoldDays(test=test, train=tuple(self.training_days(test - embargo))) for test in tests]
        return [fold for fold in found if fold.train and self.is_known(fold.test)]

    def unknown_to(self, learned: Collection[date], snapshots: Collection[date]) -> list[date]:
        """Those of some snapshots that began after every outcome of what was learned from was known, oldest first."""
        since = self.known_on(max(learned))
        return sorted(each for each in snapshots if each >= since)

    def age_days(self, learned: Collection[date]) -> int:
        """Days from the newest outcome that was learned from to the day of scoring."""
        return (self.as_of - self.known_on(max(learned))).days


def covered(complete_until: date, *, today: date) -> date:
    """The first day of which not everything is known: where the data end, and never beyond the day of the run."""
    return min(complete_until, today)


def memory_days(grid: Grid, *, maturity_days: int, lookback_days: Collection[int]) -> int:
    """How far back training looks from the day of the run, longest lookback of its oldest snapshot included."""
    return grid.every_days * grid.at_most + maturity_days + max(lookback_days)
