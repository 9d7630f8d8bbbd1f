"""What is learned from: the rows of days whose outcomes are known, and what they are named by."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np

from pipelines.data.snapshots.snapshot import Snapshot, Snapshots

if TYPE_CHECKING:
    import pandas as pd

    from models.matrix import Matrix
    from models.sampling import Shares

Labels = list[tuple[Snapshot, "pd.Series[Any]"]]


def learned_rows(
    snapshots: Snapshots,
    days: Iterable[date],
    *,
    memory: int | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> Matrix | None:
    """Snapshots whose outcomes are known, under each other; None where there is none.

    memory: bytes that a fit of them may take, beyond which some rows are drawn to stand for all (`models.sampling`);
    None: all rows, whatever they take. Snapshots are read one by one, so that only what is learned from is held.
    """
    from models.matrix import stack

    found: Labels = []
    days = list(days)
    snapshots.prepare(days)
    for day in days:
        snapshot = snapshots.at(day)
        snapshot.compute()
        labels = snapshot.labels()
        if labels is not None and len(labels):
            found.append((snapshot, labels))
        progress(f"snapshot of {day}")
    if not found:
        return None
    kept = None if memory is None else _shares(found, memory, columns=len(snapshots.columns))
    if kept is None:
        parts = (snapshot.labelled(labels) for snapshot, labels in found)
        return stack(parts, rows=sum(len(labels) for _, labels in found))
    drawn = [(snapshot, labels, _drawn(snapshot.day, labels, kept)) for snapshot, labels in found]
    parts = (_weighted(*each) for each in drawn)
    return stack(parts, rows=sum(len(counts) for _, _, counts in drawn))


def _shares(found: Labels, memory: int, *, columns: int) -> Shares | None:
    from models import sampling

    rows, happened = [len(labels) for _, labels in found], sum(int(labels.sum()) for _, labels in found)
    most = sampling.most_rows(memory, columns=columns, largest=max(rows))
    return sampling.shares(happened, sum(rows) - happened, most=most)


def _drawn(day: date, labels: pd.Series[Any], kept: Shares) -> pd.Series[Any]:
    """For how many each counts who stands for others, by customer_id."""
    import pandas as pd

    from models import sampling

    chosen, counts = sampling.drawn(labels.index, day.toordinal(), labels.to_numpy(dtype=np.float64), kept)
    return pd.Series(counts[chosen], index=labels.index[chosen])


def _weighted(snapshot: Snapshot, labels: pd.Series[Any], counts: pd.Series[Any]) -> Matrix:
    rows = snapshot.labelled(labels.loc[counts.index])
    return replace(rows, weights=counts.reindex(rows.customers).to_numpy(dtype=np.float64))


def learned_keys(snapshots: Snapshots, days: Iterable[date], *, planned: str) -> tuple[tuple[str, str], ...]:
    """Of each day the names of its features and of its outcomes: all that is learned from these days, or tested on.

    Raises: AssertionError for a day whose outcomes are not known. planned: what such a day was planned for.
    """
    found = []
    for day in days:
        snapshot = snapshots.at(day)
        outcomes = snapshot.outcome_inputs
        if outcomes is None:
            raise AssertionError(f"{planned} was planned with {day}, which has no outcomes")
        found.append((snapshot.inputs.key, outcomes.key))
    return tuple(found)
