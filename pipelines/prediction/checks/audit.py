"""`attrition audit`: does anything in this workspace know the future? Asked of the user's own data, by trying."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from datetime import date
from typing import Any

import ibis.expr.types as ir
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from features import outcomes
from features.asof import AsOf, as_of
from features.cohort import cohort
from features.other_futures import CHANGES, other_future
from features.subscription_periods import Endings
from models import leaks
from models.matrix import ENTITY
from pipelines.data.snapshots.features import features
from pipelines.data.snapshots.snapshot import Snapshots, snapshots_of
from pipelines.foundation.workspace.calendar import Calendar
from pipelines.foundation.workspace.compiled_queries import CompiledQueries
from pipelines.foundation.workspace.run_context import RunContext
from pipelines.prediction.checks import audit_clocks
from pipelines.prediction.checks.audit_columns import known_columns
from pipelines.prediction.checks.finding import Finding

Floats = npt.NDArray[np.float64]

ENDS = 8  # days in the outcome's future at which it is asked who has left


def audit(job: RunContext) -> dict[str, Any]:
    """Every check; the document of it: {"as_of", "checked": {...}, "findings": [...]}."""
    workspace, snapshots = job.workspace, snapshots_of(job.workspace)
    days = audit_days(snapshots.calendar)
    with job.console.stage("audit", steps=len(CHANGES) * len(days) + 3) as step:
        findings = list(time_travel(snapshots, days, progress=step))
        findings += audit_clocks.impossible(
            workspace.tables,
            workspace.engine,
            coverages=workspace.coverages,
            of_outcomes=workspace.outcome_coverages,
            today=workspace.today,
        )
        step("clocks of one row, and of rows that belong together")
        findings += as_of_today(snapshots)
        step("values taken from today")
        findings += strong_columns(snapshots)
        step("columns that are too strong alone")
    for finding in findings:
        place = f"{finding.table}.{finding.column}" if finding.table else finding.column
        job.console.say(f"  {finding.check}: {place}: {finding.evidence}. Remedy: {finding.remedy}")
    if not findings:
        job.console.say(f"  nothing found: {len(snapshots.definition.columns)} indicator columns cannot see the future")
    return {
        "as_of": str(workspace.as_of),
        "checked": {"snapshots": [str(day) for day in days], "indicators": len(snapshots.definition.columns)},
        "findings": [asdict(finding) | {"remedy": finding.remedy} for finding in findings],
    }


def audit_days(calendar: Calendar) -> list[date]:
    """The oldest and the newest training snapshot; without any, the day that scoring looks from."""
    days = calendar.training_days(calendar.as_of)
    return sorted({days[0], days[-1]}) if days else [calendar.as_of]


def time_travel(
    snapshots: Snapshots, days: list[date], *, progress: Callable[[str], None] = lambda _: None
) -> Iterator[Finding]:
    """Columns that move when only what was not known at the snapshot is changed."""
    moved: dict[str, list[str]] = {}
    look, zone = _looking(snapshots), snapshots.definition.zone
    for day in days:
        before = look(snapshots.tables, day)
        for change in CHANGES:
            after = look(other_future(snapshots.tables, day, change, zone=zone), day)
            for column in moved_columns(before, after):
                moved.setdefault(column, []).append(f"{change} at {day}")
            progress(f"{day} with later rows and values {change}")
    for column, where in moved.items():
        yield Finding("time_travel", None, column, f"it moves when rows and values known later are {', '.join(where)}")


def _looking(snapshots: Snapshots) -> Callable[[Mapping[str, ir.Table], date], pa.Table]:
    """Snapshots over other tables of the same columns; DuckDB's queries are translated for the first of them alone."""
    definition, engine = snapshots.definition, snapshots.engine
    if snapshots.compiled is None:
        return lambda tables, day: features(definition, tables, day, engine)
    compiled = CompiledQueries(engine, definition.zone)  # of its own: these tables are others under names that stay

    def look(tables: Mapping[str, ir.Table], day: date) -> pa.Table:
        return features(definition, compiled.reread(tables), day, engine, compiled=compiled)

    return look


def moved_columns(before: pa.Table, after: pa.Table) -> list[str]:
    """Columns that differ in any value; the cohort itself where its customers differ."""
    if not before[ENTITY].equals(after[ENTITY]):
        return [ENTITY]
    return [name for name in before.column_names if not _same(before[name], after[name])]


def _same(left: pa.ChunkedArray, right: pa.ChunkedArray) -> bool:
    return bool(left.equals(right) or left.to_pandas().equals(right.to_pandas()))


def as_of_today(snapshots: Snapshots) -> Iterator[Finding]:
    """Values that behave as if they had been read today, at the oldest training snapshot."""
    days = snapshots.calendar.training_days(snapshots.calendar.as_of)
    left = departures(snapshots, days[0]) if days else None
    if left is not None:
        for name in snapshots.tables:
            yield from table_of_today(snapshots, name, days[0], days[-1], left)


def table_of_today(snapshots: Snapshots, name: str, first: date, last: date, left: pd.DataFrame) -> Iterator[Finding]:
    """The same for one table. left: as from `departures` for `first`; last: a later snapshot to compare values with."""
    customers = list(left.index)
    now = known_columns(snapshots, name, first, customers)
    later = known_columns(snapshots, name, last, customers)
    if now is None or later is None:
        return
    after, tenure = (left[column].to_numpy(np.float64) for column in ("days", "tenure"))
    found = list(leaks.as_of_today(now, (~np.isnan(after)).astype(np.float64)))
    shared = [column for column in now.columns if column in later.columns]
    found += leaks.counters(now[shared], later[shared], after, tenure)
    for suspicion in found:
        yield Finding(suspicion.check, name, suspicion.column, suspicion.evidence)


def strong_columns(snapshots: Snapshots) -> Iterator[Finding]:
    """Indicators that predict the outcome of the newest matured snapshot on their own."""
    days = snapshots.calendar.training_days(snapshots.calendar.as_of)
    frame = snapshots.at(days[-1]).labelled_frame() if days else None
    if frame is None or not len(frame):
        return
    labels = frame["happened"].to_numpy(np.float64)
    for suspicion in leaks.strong_alone(frame[snapshots.definition.columns], labels):
        yield Finding(suspicion.check, None, suspicion.column, suspicion.evidence)


def departures(snapshots: Snapshots, day: date) -> pd.DataFrame | None:
    """By customer of a day's cohort: days until they had left (NaN: not by the end of the data), and tenure in days.

    None where the data end too soon after the day.
    """
    horizon, definition = snapshots.question.horizon_days, snapshots.definition
    span = (snapshots.calendar.covered_until - day).days - horizon
    if span < horizon:
        return None
    view = as_of(snapshots.tables, day, zone=definition.zone)
    customers = cohort(view, definition.cohort)
    found: pd.DataFrame | None = None
    for number in reversed(range(ENDS)):
        lead = span * number // (ENDS - 1)
        gone = _gone(snapshots, customers, day, lead_days=lead, horizon_days=horizon)
        # From the last end backwards: who had left by an end and stayed away is counted from the first such end.
        days = pd.Series(np.where(gone, float(lead + horizon), np.nan), index=gone.index)
        if found is None:
            found = pd.DataFrame({"days": days})
        else:
            found["days"] = days.where(days.notna() & found["days"].notna(), found["days"])
    if found is None:
        return None
    return found.assign(tenure=_tenure(snapshots, view, found.index))


def _gone(snapshots: Snapshots, customers: ir.Table, day: date, *, lead_days: int, horizon_days: int) -> pd.Series:
    question = snapshots.question
    if question.by_contract:  # who has no subscription at the end has left, whenever that was
        lead_days, horizon_days = 0, lead_days + horizon_days
    table = outcomes.outcomes(
        snapshots.tables,
        customers,
        day,
        by_contract=question.by_contract,
        lead_days=lead_days,
        horizon_days=horizon_days,
        complete_until=date.max,  # the last days are looked at as far as they are known
        zone=snapshots.definition.zone,
        endings=question.endings or Endings(),
    )
    if table is None:
        raise AssertionError("a window within the data cannot be censored")
    frame = snapshots.engine.to_pyarrow(table.order_by(ENTITY)).to_pandas().set_index(ENTITY)
    return pd.Series(frame[question.outcome] == 1)


def _tenure(snapshots: Snapshots, view: AsOf, customers: pd.Index) -> npt.NDArray[np.float64]:
    table, day = ("subscriptions", "started_on") if snapshots.question.by_contract else ("orders", "ordered_on")
    if table not in view:
        table = "order_lines"
    first = view[table].group_by(ENTITY).agg(tenure=view.days_since(view[table][day]).max())
    frame = snapshots.engine.to_pyarrow(first).to_pandas().set_index(ENTITY)
    return np.asarray(frame["tenure"].reindex(customers), dtype=np.float64)
