"""`attrition audit`: does anything in this workspace know the future? Asked of the user's own data, by trying."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from datetime import date
from typing import Any

import ibis.expr.types as ir
import numpy as np
import pyarrow as pa

from features.other_futures import CHANGES, other_future
from models import leaks
from models.matrix import ENTITY
from pipelines.data.snapshots.features import features
from pipelines.data.snapshots.snapshot import Snapshots
from pipelines.data.snapshots.workspace_snapshots import snapshots_of
from pipelines.foundation.workspace.calendar import Calendar
from pipelines.foundation.workspace.run_context import RunContext
from pipelines.prediction.checks import audit_clocks
from pipelines.prediction.leaks.doubts import doubts_in
from pipelines.prediction.leaks.finding import Finding
from pipelines.prediction.leaks.leak_check import leak_check, strength_far_ahead


def audit(job: RunContext) -> dict[str, Any]:
    """Every check; the document of it: {"as_of", "checked": {...}, "findings", "notes", "untold": [...]}."""
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
        checked, trusted = leak_check(snapshots), workspace.settings.training.trusted_columns
        told = doubts_in(checked, trusted)
        findings += told.findings
        step("values taken from today")
        strong, notes = strong_columns(snapshots)
        findings += [each for each in strong if each.place not in {*trusted, *told.names}]
        notes += [f"note: {each} is trusted by name, though it seems to know the future" for each in told.trusted]
        step("columns that are too strong alone")
    document = {
        "as_of": str(workspace.as_of),
        "checked": {
            "snapshots": [str(day) for day in days],
            "indicators": len(snapshots.definition.columns),
            **{name: checked[name] for name in ("columns", "customers", "departures")},
        },
        "findings": [asdict(finding) | {"remedy": finding.remedy} for finding in findings],
        "notes": notes,
        "untold": checked["untold"],
    }
    for line in in_words(document):
        job.console.say(f"  {line}")
    return document


def in_words(document: Mapping[str, Any]) -> list[str]:
    """Findings with their remedies, or that there are none; then notes, and what could not be told."""
    said = []
    for each in document["findings"]:
        place = f"{each['table']}.{each['column']}" if each["table"] else each["column"]
        said.append(f"{each['check']}: {place}: {each['evidence']}. Remedy: {each['remedy']}")
    return [*(said or [nothing_found(document)]), *document["notes"], *(_untold(each) for each in document["untold"])]


def nothing_found(document: Mapping[str, Any]) -> str:
    """What was looked at in vain; no more is claimed than could be told."""
    checked = document["checked"]
    found = f"nothing found: {checked['indicators']} indicator columns do not move with what comes later"
    if document["untold"]:
        return f"{found}; of values that were written later not everything could be told"
    return (
        f"{found}, and {checked['columns']} columns of tables do not tell who leaves later ({checked['departures']:,} "
        f"departures of {checked['customers']:,} customers)"
    )


def _untold(reason: str) -> str:
    return f"could not be told: {reason}"


def audit_days(calendar: Calendar) -> list[date]:
    """The oldest and the newest training snapshot; without any, the day that scoring looks from."""
    days = calendar.training_days(calendar.as_of)
    return sorted({days[0], days[-1]}) if days else [calendar.as_of]


def time_travel(
    snapshots: Snapshots, days: list[date], *, progress: Callable[[str], None] = lambda _: None
) -> Iterator[Finding]:
    """Columns that move when only what was not known at the snapshot is changed."""
    moved: dict[str, list[str]] = {}
    definition = snapshots.definition

    def look(tables: Mapping[str, ir.Table], day: date) -> pa.Table:
        return pa.concat_tables(features(definition, tables, day, snapshots.engine, compiled=snapshots.compiled))

    for day in days:
        before = look(snapshots.tables, day)
        for change in CHANGES:
            after = look(other_future(snapshots.tables, day, change, zone=definition.zone), day)
            for column in moved_columns(before, after):
                moved.setdefault(column, []).append(f"{change} at {day}")
            progress(f"{day} with later rows and values {change}")
    for column, where in moved.items():
        yield Finding("time_travel", None, column, f"it moves when rows and values known later are {', '.join(where)}")


def moved_columns(before: pa.Table, after: pa.Table) -> list[str]:
    """Columns that differ in any value; the cohort itself where its customers differ."""
    if not before[ENTITY].equals(after[ENTITY]):
        return [ENTITY]
    return [name for name in before.column_names if not _same(before[name], after[name])]


def _same(left: pa.ChunkedArray, right: pa.ChunkedArray) -> bool:
    return bool(left.equals(right) or left.to_pandas().equals(right.to_pandas()))


def strong_columns(snapshots: Snapshots) -> tuple[list[Finding], list[str]]:
    """Indicators that predict the outcome of the newest matured snapshot on their own, and notes on those that fade.

    A failed payment or a long silence may tell of the next weeks all that there is to tell. Such a sign says little of
    who leaves much later: what tells nothing far ahead is noted, and is no finding.
    """
    days = snapshots.calendar.training_days(snapshots.calendar.as_of)
    frame = snapshots.at(days[-1]).labelled_frame() if days else None
    if frame is None or not len(frame):
        return [], []
    labels = frame["happened"].to_numpy(np.float64)
    strong = list(leaks.strong_alone(frame[snapshots.definition.columns], labels))
    far = strength_far_ahead(snapshots, days[0], [each.column for each in strong]) if strong else {}
    findings = [Finding(each.check, None, each.column, each.evidence) for each in strong if each.column not in far]
    notes = [
        f"note: {each.column}: {each.evidence.partition(';')[0]}, but who leaves much later only with "
        f"{far[each.column]:.2f}: it fades, as honest signs do"
        for each in strong
        if each.column in far
    ]
    return findings, notes
