"""Whether values that were known early foretell who leaves much later, as only values of today do; stored by data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.subscription_periods import Endings
from models import far_ahead, leaks
from models.far_ahead import FAR_DAYS, Examined, Followed
from models.matrix import ENTITY
from pipelines.data.snapshots.definitions import Definition
from pipelines.data.snapshots.snapshot import Snapshots
from pipelines.foundation.storage import documents
from pipelines.foundation.storage.fingerprint import fingerprint
from pipelines.prediction.leaks.departures import departures, followed
from pipelines.prediction.leaks.finding import Finding
from pipelines.prediction.leaks.first_values import ROW, FirstValues, examined, first_values, judged_alone
from pipelines.prediction.leaks.own_code import own_findings

Floats = npt.NDArray[np.float64]

BY = ("pipelines.prediction.leaks.leak_check",)
MOST_CUSTOMERS = 10_000  # looked at, evenly spread over their ids: more tell no more, and take longer


@dataclass(frozen=True, kw_only=True)
class LeakInputs:
    """What the check depends on: every file of which something was known by the end of the data.

    oldest: the oldest training snapshot and its features, whose indicators are looked at; None where there is none.
    """

    definition: Definition
    by_contract: bool
    endings: Endings | None
    horizon_days: int
    covered_until: date
    landed: tuple[str, ...]
    refusals: str
    oldest: tuple[date, str] | None

    @property
    def key(self) -> str:
        return fingerprint(self, by=BY)


def leak_check(snapshots: Snapshots) -> dict[str, Any]:
    """The document: {"customers", "departures", "columns", "findings": [...], "untold": [text]}.

    customers, departures: who was followed, and who of them left. findings: as of `Finding`. untold: what could not be
    told, and why. Computed once per data and code; the same for each outcome of a workspace.
    """
    inputs = _inputs(snapshots)
    path = f"results/leaks-{inputs.key}.json"
    found = documents.read(snapshots.store, path)
    if found is not None:
        return found
    return documents.write(snapshots.store, path, look(inputs, snapshots), kind="leaks")


def findings_of(document: Mapping[str, Any]) -> list[Finding]:
    """The findings of a document."""
    return [Finding(each["check"], each["table"], each["column"], each["evidence"]) for each in document["findings"]]


def _inputs(snapshots: Snapshots) -> LeakInputs:
    calendar, question = snapshots.calendar, snapshots.question
    days = calendar.training_days(calendar.as_of)
    return LeakInputs(
        definition=snapshots.definition,
        by_contract=question.by_contract,
        endings=question.endings,
        horizon_days=question.horizon_days,
        covered_until=calendar.covered_until,
        landed=snapshots.known_by(calendar.covered_until),
        refusals=snapshots.refusals,
        oldest=(days[0], snapshots.at(days[0]).inputs.key) if days else None,
    )


def look(inputs: LeakInputs, snapshots: Snapshots) -> dict[str, Any]:
    """The document, computed."""
    everybody = departures(snapshots)
    left = everybody[:: -(-len(everybody) // MOST_CUSTOMERS) or 1]
    tables = [values for name in snapshots.tables if (values := first_values(snapshots, name, left)) is not None]
    findings, untold = judged(tables)
    if inputs.oldest is not None:
        findings += indicators_far_ahead(snapshots, inputs.oldest[0], left)
    if inputs.definition.own:
        oldest = inputs.oldest[0] if inputs.oldest is not None else inputs.covered_until
        findings += own_findings(snapshots, oldest)
    here = followed(left)
    return {
        "customers": int(here.still_here.sum()),
        "departures": int((here.left & here.still_here).sum()),
        "columns": sum(len(values.first.columns) for values in tables),
        "findings": [asdict(each) for each in findings],
        "untold": untold_of_all(here, inputs) or untold,
    }


def judged(tables: list[FirstValues]) -> tuple[list[Finding], list[str]]:
    """What is found in tables together, and of which of them nothing could have been."""
    by_table = {values.table: examined(values) for values in tables}
    every: list[tuple[str, Examined]] = [(name, each) for name, found in by_table.items() for each in found]
    doubted = {id(each) for each in far_ahead.doubted([each for _, each in every])}
    findings = [_finding(name, each) for name, each in every if id(each) in doubted]
    known = {(finding.table, finding.column) for finding in findings}
    for values in tables:
        for each in judged_alone(values):
            if (values.table, each.column) not in known:
                findings.append(Finding(each.check, values.table, each.column, each.evidence))
                known.add((values.table, each.column))
    groups = sum(each.groups for _, each in every)
    return findings, list(_untold_of_tables(tables, groups))


def _finding(table: str, each: Examined) -> Finding:
    told = each.suspicion
    if each.column == ROW:
        (left, rows), (others_left, others) = each.outside, each.inside
        evidence = (
            f"of {rows:,} customers without a row {left:,} had left when the data end, of {others:,} with one "
            f"{others_left:,}: rows seem to have been deleted when customers left"
        )
        return Finding("rows_deleted", table, ENTITY, evidence)
    return Finding(told.check, table, told.column, told.evidence)


def _untold_of_tables(tables: list[FirstValues], groups: int) -> Iterator[str]:
    for values in tables:
        there = ~np.isnan(values.known)
        later = values.followed.only(there).known_from(values.known[there])
        if not far_ahead.could_be_seen(later, groups):
            here = later.still_here
            yield (
                f"{values.table}: {int(here.sum()):,} customers were still there {FAR_DAYS} days after its first row, "
                f"{int((later.left & here).sum()):,} of them left; that is too few to tell"
            )


def untold_of_all(here: Followed, inputs: LeakInputs) -> list[str]:
    """Why nothing could have been found in any table; empty where something could."""
    if far_ahead.could_be_seen(here, groups=1):
        return []
    customers, gone = int(here.still_here.sum()), int((here.left & here.still_here).sum())
    reason = (
        f"of {len(here.left):,} customers {customers:,} were still there {FAR_DAYS} days after they began, and "
        f"{gone:,} of these had left by {inputs.covered_until}: "
        "too few customers or departures, or the data end too soon, to tell values of today from values of their time"
    )
    return [reason]


def indicators_far_ahead(snapshots: Snapshots, day: date, left: pd.DataFrame) -> list[Finding]:
    """Indicators of an early snapshot that tell nearly all who leave much later from who stays."""
    frame, gone = _far_ahead(snapshots, day, left)
    return [Finding(each.check, None, each.column, each.evidence) for each in leaks.far_alone(frame, gone)]


def strength_far_ahead(snapshots: Snapshots, day: date, columns: list[str]) -> dict[str, float]:
    """Indicators of an early snapshot that tell little of who leaves much later, with their ROC AUC."""
    frame, gone = _far_ahead(snapshots, day, departures(snapshots))
    return dict(leaks.faded(frame[columns], gone))


def _far_ahead(snapshots: Snapshots, day: date, left: pd.DataFrame) -> tuple[pd.DataFrame, Floats]:
    """Rows of a snapshot of customers who were still there long after it, and whether they had left at the end."""
    frame = snapshots.at(day).frame().set_index(ENTITY)
    frame = frame.loc[frame.index.intersection(left.index)]
    mine = followed(left.loc[frame.index]).known_from(np.full(len(frame), float(day.toordinal())))
    return frame[mine.still_here], mine.left[mine.still_here].astype(np.float64)
