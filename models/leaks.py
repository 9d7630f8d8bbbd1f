"""Columns that know too much: judged by how they behave, near and far from the snapshot, not by their names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import rankdata

Floats = npt.NDArray[np.float64]
Check = Literal[
    "foretells", "only_the_departed", "only_the_stayers", "stops_at_departure", "strong_alone", "rows_deleted"
]

# A sign of trouble fades: what was known a year ago tells little of who is gone today. A value from today does not.
FORETELLS = 0.9  # ROC AUC against who had left by the end of the data
STRONG = 0.95  # ROC AUC of one column against the outcome itself; the best honest column seen reached 0.85
DEPARTED_SHARE = 0.99
STAYED_SHARE = 0.05  # of the departures that such a group would have had if it were like the others
EXPECTED_DEPARTURES = 20
COUNTER = 0.4  # rank correlation with the time of departure, tenure held fixed
SURELY = 4.0  # standard errors of Fisher's z that such a correlation is above 0: of 40 columns one in 800 by chance
FEWEST = 30
FEWEST_DEPARTED = 8
FEWEST_RANKED = 10
TOO_COMMON = 0.9  # where nearly everybody leaves, a group in which all do is no wonder


@dataclass(frozen=True)
class Suspicion:
    """A column of a frame, what is wrong with it, and the figures that say so in words."""

    check: Check
    column: str
    evidence: str


def as_of_today(frame: pd.DataFrame, departed: Floats) -> Iterator[Suspicion]:
    """Columns that tell who will have left by the end of the data, long before they do.

    frame: a row per customer of an early snapshot, with values as they were known then; numbers or text. departed: (n,)
    1.0 for those who had left when the data end.
    """
    for name in frame.columns:
        column = frame[name]
        strength = separation(column, departed)
        if strength >= FORETELLS:
            yield Suspicion(
                "foretells",
                name,
                f"it tells who had left when the data end from who had not with ROC AUC {strength:.2f}, though it was "
                "read long before",
            )
            continue
        yield from _pure_groups(column, departed)


def counters(
    now: pd.DataFrame, later: pd.DataFrame, departed_after: Floats, tenure_days: Floats
) -> Iterator[Suspicion]:
    """Numbers that never change between two snapshots and yet grow with the time that a customer will stay.

    now, later: the same columns at two snapshots, rows aligned by customer (missing in `later` where gone).
    departed_after: (n,) days from the first snapshot until the customer had left, NaN for those who had not.

    Few departures take a stronger correlation: it must be beyond chance.
    """
    left = ~np.isnan(departed_after)
    if left.sum() < FEWEST_DEPARTED:
        return
    for name in now.columns:
        column = now[name]
        if not pd.api.types.is_numeric_dtype(column.dtype) or not _fixed(column, later[name]):
            continue
        found = _partial_rank_correlation(column.to_numpy(np.float64)[left], departed_after[left], tenure_days[left])
        if found >= COUNTER and _beyond_chance(found, int((left & column.notna().to_numpy()).sum())):
            yield Suspicion(
                "stops_at_departure",
                name,
                f"it never changes, and among those who left it is the higher the later they did (rank correlation "
                f"{found:.2f} at equal tenure): it seems counted up to the end",
            )


def strong_alone(frame: pd.DataFrame, labels: Floats) -> Iterator[Suspicion]:
    """Single columns that leave nothing to predict. labels: (n,) the outcome."""
    for name in frame.columns:
        strength = separation(frame[name], labels)
        if strength >= STRONG:
            yield Suspicion(
                "strong_alone", name, f"alone it predicts the outcome with ROC AUC {strength:.2f}; no honest sign does"
            )


def far_alone(frame: pd.DataFrame, departed: Floats) -> Iterator[Suspicion]:
    """Single columns of an early snapshot that rank nearly all who left much later before who stayed.

    departed: (n,) 1.0 for those who had left when the data end, of customers who were still there long after it.
    """
    ones, zeros = int(departed.sum()), int((departed == 0).sum())
    if min(ones, zeros) < FEWEST_RANKED:
        return
    for name in frame.columns:
        strength = separation(frame[name], departed)
        if strength - SURELY * _standard_error(strength, ones, zeros) >= FORETELLS:
            yield Suspicion(
                "foretells",
                name,
                f"it tells who had left when the data end from who had not with ROC AUC {strength:.2f}, though it was "
                "read long before",
            )


def faded(frame: pd.DataFrame, departed: Floats) -> Iterator[tuple[str, float]]:
    """Columns of an early snapshot that surely do not rank nearly all who left much later, each with its ROC AUC.

    departed: as in `far_alone`.
    """
    ones, zeros = int(departed.sum()), int((departed == 0).sum())
    if min(ones, zeros) < FEWEST_RANKED:
        return
    for name in frame.columns:
        strength = separation(frame[name], departed)
        if strength + 2 * _standard_error(strength, ones, zeros) < FORETELLS:
            yield str(name), strength


def separation(column: pd.Series, labels: Floats) -> float:
    """How well a column alone ranks the labels, in either direction: ROC AUC from 0.5 to 1. Nulls rank at either end.

    Text ranks by the share of label 1 of its value, counted on the other half of the rows.
    """
    if labels.min() == labels.max():
        return 0.5
    if pd.api.types.is_numeric_dtype(column.dtype):
        values = column.to_numpy(np.float64, na_value=np.nan)
        low, high = (np.where(np.isnan(values), end, values) for end in (-np.inf, np.inf))
        return max(_either_way(_roc_auc(each, labels)) for each in (low, high))
    texts = column.fillna("").astype(str).to_numpy()
    half = np.arange(len(texts)) % 2 == 0
    ranks = np.empty(len(texts))
    for mine in (half, ~half):
        shares = pd.Series(labels[~mine]).groupby(texts[~mine]).mean()
        ranks[mine] = pd.Series(texts[mine]).map(shares).fillna(labels.mean()).to_numpy()
    return max(0.5, min(_roc_auc(ranks[mine], labels[mine]) for mine in (half, ~half)))


def _pure_groups(column: pd.Series, departed: Floats) -> Iterator[Suspicion]:
    """At most one suspicion: a value, or being filled at all, that only the departed have, or none of them."""
    base = departed.mean()
    for said, group in _groups(column):
        rows = int(group.sum())
        if rows < FEWEST or rows == len(group):
            continue
        left, others = int(departed[group].sum()), departed[~group].mean()
        if left >= DEPARTED_SHARE * rows and others < TOO_COMMON and base < TOO_COMMON:
            yield Suspicion(
                "only_the_departed",
                str(column.name),
                _share_in_words(left, rows, said, others),
            )
            return
        expected = others * rows
        if expected >= EXPECTED_DEPARTURES and left <= STAYED_SHARE * expected:
            yield Suspicion(
                "only_the_stayers",
                str(column.name),
                _share_in_words(left, rows, said, others),
            )
            return


def _share_in_words(left: int, rows: int, said: str, others: float) -> str:
    return (
        f"{left} of {rows} customers where it is {said} had left when the data end, against {others:.0%} of the others"
    )


def _groups(column: pd.Series) -> Iterator[tuple[str, npt.NDArray[np.bool_]]]:
    filled = column.notna().to_numpy()
    yield "filled", filled
    yield "empty", ~filled
    if not pd.api.types.is_numeric_dtype(column.dtype) or column.nunique() <= FEWEST:
        for value, rows in column.value_counts().items():
            if rows >= FEWEST:
                yield f"'{value}'", (column == value).fillna(value=False).to_numpy(dtype=np.bool_)


def _fixed(now: pd.Series, later: pd.Series) -> bool:
    both = (now.notna() & later.notna()).to_numpy()
    return bool(both.sum() >= FEWEST and (now[both] == later[both]).all() and now.min() < now.max())


def _partial_rank_correlation(values: Floats, times: Floats, held: Floats) -> float:
    kept = ~np.isnan(values)
    if kept.sum() < FEWEST_DEPARTED:
        return 0.0
    x, y, z = (rankdata(each[kept]) for each in (values, times, held))
    design = np.column_stack([np.ones(len(z)), z])
    x, y = (each - design @ np.linalg.lstsq(design, each, rcond=None)[0] for each in (x, y))
    spread = float(np.sqrt((x @ x) * (y @ y)))
    return float(x @ y) / spread if spread > 0 else 0.0


def _beyond_chance(correlation: float, rows: int) -> bool:
    """Whether a correlation of ranks, one variable held fixed, is surely above 0."""
    return bool(np.arctanh(min(correlation, 0.9999)) * np.sqrt(max(rows - 4, 0)) >= SURELY)


def _roc_auc(values: Floats, labels: Floats) -> float:
    positive = labels == 1
    ones, zeros = int(positive.sum()), int((~positive).sum())
    if not ones or not zeros:
        return 0.5
    return float((rankdata(values)[positive].sum() - ones * (ones + 1) / 2) / (ones * zeros))


def _standard_error(auc: float, ones: int, zeros: int) -> float:
    """Of a ROC AUC, after Hanley and McNeil; as of 0.99 where it is above, so that few rows are never sure."""
    auc = min(auc, 0.99)
    first, second = auc / (2 - auc), 2 * auc * auc / (1 + auc)
    spread = auc * (1 - auc) + (ones - 1) * (first - auc * auc) + (zeros - 1) * (second - auc * auc)
    return float(np.sqrt(spread / (ones * zeros)))


def _either_way(auc: float) -> float:
    return max(auc, 1 - auc)
