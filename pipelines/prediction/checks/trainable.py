"""Whether there is enough to train on, and from when there will be: by what is counted already; nothing is computed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.foundation.storage.sql_text import identifier, parquet
from pipelines.foundation.workspace.calendar import Calendar

if TYPE_CHECKING:
    import duckdb

    from pipelines.data.snapshots.snapshot import Snapshots
    from pipelines.prediction.training.fit import FitPlan


@dataclass(frozen=True, kw_only=True)
class Matured:
    """Outcomes of the training snapshots that are computed by now.

    snapshot_on: the newest of these. happened, not_happened: how many outcomes of that one; all_happened,
    all_not_happened: of all together, whose customers are `customers`. complete: whether no training snapshot is left
    to compute.
    """

    snapshot_on: str
    happened: int
    not_happened: int
    all_happened: int
    all_not_happened: int
    customers: int
    complete: bool

    def document(self) -> dict[str, Any]:
        return asdict(self)

    def enough(self, plan: FitPlan) -> bool | None:
        """Whether a model can be trained; None where that cannot be told before the rest is computed."""
        fewest = min(self.all_happened, self.all_not_happened)
        if self.customers >= plan.min_customers and fewest >= plan.min_positives:
            return True
        return False if self.complete else None


def matured(connection: duckdb.DuckDBPyConnection, snapshots: Snapshots, days: Sequence[date]) -> Matured | None:
    """What has matured of some snapshots; None where nothing of it is computed yet."""
    there = [(day, place) for day in days if (place := _outcomes_of(snapshots, day)) is not None]
    if not there:
        return None
    kind = identifier(snapshots.question.outcome)
    parts = " UNION ALL ".join(
        f"SELECT DATE '{day}' AS day, customer_id, {kind}::BIGINT AS happened FROM {parquet(place)}"  # noqa: S608 - quoted
        for day, place in there
    )
    newest = there[-1][0]
    counts = connection.execute(
        f"""
        SELECT coalesce(sum(happened) FILTER (WHERE day = DATE '{newest}'), 0),
            coalesce(sum(1 - happened) FILTER (WHERE day = DATE '{newest}'), 0),
            coalesce(sum(happened), 0), coalesce(sum(1 - happened), 0), count(DISTINCT customer_id)
        FROM ({parts}) WHERE happened IS NOT NULL
        """  # noqa: S608 - quoted
    ).fetchone()
    return Matured(
        snapshot_on=str(newest),
        **dict(
            zip(
                ("happened", "not_happened", "all_happened", "all_not_happened", "customers"),
                map(int, counts or ()),
                strict=True,
            )
        ),
        complete=len(there) == len(days),
    )


def _outcomes_of(snapshots: Snapshots, day: date) -> Path | None:
    stored = snapshots.at(day).stored_outcomes
    return None if stored is None else snapshots.store.verified(stored)


def first_snapshot(calendar: Calendar) -> date:
    """The first day of the grid that has history enough before it, whether data reach it or not."""
    first = calendar.first_snapshot
    return calendar.grid.days(first, first + timedelta(days=calendar.grid.every_days - 1))[0]


def next_matured(calendar: Calendar, days: Sequence[date]) -> tuple[date, date]:
    """The next snapshot to learn from beside some, and the day from which it can be."""
    snapshot = days[-1] + timedelta(days=calendar.grid.every_days) if days else first_snapshot(calendar)
    while any(start < calendar.known_on(snapshot) and snapshot < end for start, end in calendar.pauses):
        snapshot += timedelta(days=calendar.grid.every_days)
    return snapshot, calendar.known_on(snapshot)
