"""A table's values as they were known first, beside what became of the customers."""

from __future__ import annotations

from dataclasses import dataclass, replace

import ibis
import numpy as np
import numpy.typing as npt
import pandas as pd

from features.asof import instant
from features.contract import Table
from features.first_known import LAST, examined_columns, first_known
from features.tables import TABLES
from models import far_ahead, leaks
from models.far_ahead import Examined, Followed
from models.leaks import Suspicion
from models.matrix import ENTITY
from pipelines.data.snapshots.snapshot import Snapshots
from pipelines.prediction.leaks.departures import followed, ordinals

STATES = ("customers", "payment_methods")  # what every customer has: to have none may be what was left after leaving
PLANNED = ("renews_at", "trial_ends_at", "expires_at", "due_at", "retry_at")  # days that lie ahead when they are known
ROW = "its row"
NUMBERS = 0.95  # of the texts of a column, for it to be one of numbers
MANY = 100  # departures from which on shares and ranks speak for themselves


@dataclass(frozen=True)
class FirstValues:
    """Rows as `followed`. first: as known first; last: of the same rows, as known at the end.

    known: (n,) days as ordinals from which on the first values were known, NaN where there is no row. end: of the data,
    as an ordinal. days: the columns that hold days, as ordinals, too.
    """

    table: str
    first: pd.DataFrame
    last: pd.DataFrame
    known: npt.NDArray[np.float64]
    followed: Followed
    end: float
    days: tuple[str, ...]


def first_values(snapshots: Snapshots, name: str, left: pd.DataFrame) -> FirstValues | None:
    """Of the customers of `departures`, or some of them; None for a table that names no customers."""
    contract, definition = TABLES[name], snapshots.definition
    if ENTITY not in [column.name for column in contract.columns]:
        return None
    end = snapshots.calendar.covered_until
    table = snapshots.tables[name]
    chosen = ibis.memtable(pd.DataFrame({ENTITY: left.index.astype(str)}))
    rows = first_known(table.semi_join(chosen, ENTITY), contract, instant(end, zone=definition.zone))
    frame = snapshots.engine.to_pyarrow(rows).to_pandas().set_index(ENTITY).reindex(left.index)
    columns = examined_columns(contract)
    first = _typed(frame[columns], contract)
    last = _typed(frame[[f"{LAST}{column}" for column in columns]].set_axis(columns, axis=1), contract)
    times = [column.name for column in contract.columns if column.kind == "timestamp"]
    return FirstValues(
        table=name,
        first=first,
        last=last,
        known=ordinals(frame["first_known_at"]),
        followed=followed(left),
        end=float(end.toordinal()),
        days=tuple(column for column in columns if column in times),
    )


def _typed(frame: pd.DataFrame, contract: Table) -> pd.DataFrame:
    """Numbers, flags and days as float64, everything else as it is."""
    kinds = {column.name: column.kind for column in contract.columns}
    typed: dict[str, pd.Series] = {}
    for name in frame.columns:
        if kinds[name] == "timestamp":
            typed[name] = pd.Series(ordinals(frame[name]), index=frame.index)
        elif kinds[name] in ("money", "number", "integer", "boolean"):
            typed[name] = pd.to_numeric(frame[name], errors="coerce").astype("float64")
        else:
            typed[name] = _number_if_it_is_one(frame[name])
    return pd.DataFrame(typed, index=frame.index)


def _number_if_it_is_one(texts: pd.Series) -> pd.Series:
    """A text column whose texts are numbers, as numbers: a count is no less one for being exported as text."""
    numbers = pd.to_numeric(texts, errors="coerce")
    return numbers.astype("float64") if numbers.notna().sum() >= NUMBERS * max(texts.notna().sum(), 1) else texts


def examined(values: FirstValues) -> list[Examined]:
    """The most telling group of each column, of customers with a row; of states, whether there is a row at all."""
    there = ~np.isnan(values.known)
    later = values.followed.only(there).known_from(values.known[there])
    first, end = values.first[there], values.end
    found = far_ahead.examine(first.drop(columns=list(values.days)), later)
    for name in values.days:
        filled = pd.DataFrame({name: first[name].where(first[name].isna(), 1.0)})
        told = [
            *far_ahead.examine(filled, later),
            *far_ahead.examine_days(first[name], later, end=end, planned=name in PLANNED),
        ]
        found += (
            [replace(min(told, key=lambda each: each.log_chance), groups=sum(each.groups for each in told))]
            if told
            else []
        )
    if values.table in STATES:
        early = pd.DataFrame({ROW: np.where(values.known <= values.followed.since, 1.0, np.nan)})
        found += far_ahead.examine(early, values.followed)
    return found


def judged_alone(values: FirstValues) -> list[Suspicion]:
    """What ranks and shares say of many departures by themselves, and numbers that were counted up to the departure."""
    there = ~np.isnan(values.known)
    later = values.followed.only(there).known_from(values.known[there])
    here = later.still_here
    first, last, later = values.first[there][here], values.last[there][here], later.only(here)
    found: list[Suspicion] = []
    if later.left.sum() >= MANY and (~later.left).sum() >= MANY:
        planned = [name for name in values.days if name in PLANNED]  # of a renewal to come nobody leaves before
        found += leaks.as_of_today(first.drop(columns=planned), later.left.astype(np.float64))
    numbers = [name for name in first.columns if name not in values.days]
    known = values.known[there][here]
    days = np.where(later.left, later.until - known, np.nan)
    found += leaks.counters(first[numbers], last[numbers], days, float(known.max(initial=0)) - known)
    return found
