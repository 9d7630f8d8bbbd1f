"""`attrition check`: what a workspace can do as it stands, and what it lacks, before anything long runs."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import Any

from features.errors import DataError, OutdatedModelError
from features.training_set import FAMILIES
from pipelines.data.landing.ingest import landed_tables
from pipelines.data.snapshots.snapshot import Snapshots
from pipelines.data.sources.all_sources import all_sources
from pipelines.foundation.ledger.score_store import ScoreStore
from pipelines.foundation.workspace.calendar import Calendar
from pipelines.foundation.workspace.run_context import RunContext
from pipelines.foundation.workspace.workspace import Workspace
from pipelines.prediction.checks.reach import reach_notes
from pipelines.prediction.training.champion import answering
from pipelines.prediction.training.task import WHY_UNKNOWN, PredictionTask, main_task, tasks_of, untold


def check(job: RunContext) -> dict[str, Any]:
    """Look at settings, sources, landed tables, planned snapshots and folds, champion and scores; the document of it.

    Raises: SettingsError, DataError or IntegrityError for the first thing that would stop a run.
    """
    workspace, console = job.workspace, job.console
    sources = all_sources(workspace.store, workspace.settings, fetched=False)
    for file in sources:
        file.check()
    found = f"{len(sources)} source file{'s' * (len(sources) != 1)} found, with the columns that they map"
    console.say(f"settings are in order; {found}")
    later = {fetch.folder for fetch in workspace.settings.fetches}
    if later:
        console.say(f"fetched by `attrition ingest`, and looked at then: {', '.join(sorted(later))}")
    document: dict[str, Any] = {"as_of": str(workspace.as_of), "tables": _rows(workspace), "notes": []}
    if not document["tables"]:
        return _say(job, document | {"notes": ["nothing has landed yet: run `attrition ingest`"]})
    task, calendar = main_task(workspace), workspace.calendar
    days, folds = calendar.training_days(workspace.as_of), calendar.fold_days()
    champion = task.versions.aliased("champion")
    scores = ScoreStore(workspace.store).current()
    document |= {
        "indicators": len(task.snapshots.definition.columns),
        "absent": absent(workspace.tables),
        "untold": untold_columns(task.snapshots, workspace.as_of),
        "complete_until": str(calendar.covered_until),
        "training_snapshots": [str(day) for day in days],
        "folds": [str(fold.test) for fold in folds],
        "champion": None if champion is None else champion.version,
        "scored": None if scores is None else scores[0].as_of,
    }
    if not days:
        document["notes"].append(_nothing_matured(calendar))
    if not folds:
        document["notes"].append(
            "no fold can be tested: that takes a matured day with matured training snapshots before"
        )
    document["notes"] += list(reach_notes(workspace))
    document["notes"] += [f"the outcome {kind} is left out: {WHY_UNKNOWN}" for kind in untold(workspace)]
    document["notes"] += [_other_question(each) for each in tasks_of(workspace)]
    document["notes"] = [note for note in document["notes"] if note]
    return _say(job, document)


def _other_question(task: PredictionTask) -> str:
    """What to do about a champion that answers another question than is asked; empty where it answers this one."""
    if task.versions.aliased("champion") is None:
        return ""
    try:
        answering(task)
    except OutdatedModelError as error:
        return str(error)
    return ""


def _rows(workspace: Workspace) -> dict[str, int]:
    try:
        return {name: int(workspace.engine.to_pyarrow(t.count()).as_py()) for name, t in workspace.tables.items()}
    except DataError:
        return {
            name: int(workspace.engine.to_pyarrow(table.count()).as_py())
            for name, table in landed_tables(workspace.store, workspace.engine, settings=workspace.settings).items()
        }


def absent(tables: Collection[str]) -> list[dict[str, Any]]:
    """Per group of indicators that lacks tables: family, indicators (how many), for_want_of ("a|b" is either)."""
    return [
        {"family": family.name, "indicators": len(group.indicators), "for_want_of": group.lacks(tables)}
        for family in FAMILIES
        for group in family.groups
        if group.lacks(tables)
    ]


def untold_columns(snapshots: Snapshots, day: date) -> list[dict[str, Any]]:
    """Per family with indicators unknown to all for want of columns: family, indicators (how many), for_want_of."""
    untold = snapshots.untold(day)
    found = []
    for family in snapshots.definition.families:
        lacking = [lacks for indicator in family.indicators if (lacks := indicator.lacks(untold))]
        if lacking:
            wanted = sorted({column for lacks in lacking for column in lacks})
            found.append({"family": family.name, "indicators": len(lacking), "for_want_of": wanted})
    return found


def _nothing_matured(calendar: Calendar) -> str:
    return (
        f"nothing can be trained at {calendar.as_of}: a snapshot needs {calendar.grid.min_history_days} days of "
        f"history before and {calendar.maturity_days} days of outcome after it, and data run from "
        f"{calendar.data_from} to {calendar.data_to}"
    )


def _say(job: RunContext, document: dict[str, Any]) -> dict[str, Any]:
    for name, rows in document["tables"].items():
        job.console.say(f"  {name}: {rows:,} rows")
    if "indicators" in document:
        days, folds = document["training_snapshots"], document["folds"]
        job.console.say(f"  {document['indicators']} indicator columns")
        job.console.say(f"  looking from {document['as_of']}; data complete until {document['complete_until']}")
        job.console.say(f"  {len(days)} training snapshots{f', {days[0]} to {days[-1]}' if days else ''}")
        job.console.say(f"  {len(folds)} backtest folds{f', {folds[0]} to {folds[-1]}' if folds else ''}")
        job.console.say(f"  champion: {document['champion'] or 'none yet'}; scored: {document['scored'] or 'not yet'}")
        for absence in document["absent"]:
            needed = " and ".join(need.replace("|", " or ") for need in absence["for_want_of"])
            job.console.say(
                f"  {absence['family']}: {absence['indicators']} indicators are absent for want of {needed}"
            )
        for missing in document["untold"]:
            columns = ", ".join(missing["for_want_of"]).replace("|", " or ").replace("<0", " below 0")
            job.console.say(
                f"  {missing['family']}: {missing['indicators']} indicators are unknown: nothing is told in {columns}"
            )
    for note in document["notes"]:
        job.console.say(f"  note: {note}")
    return document
