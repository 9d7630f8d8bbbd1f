"""`attrition check`: what a workspace can do as it stands, and what it lacks, before anything long runs."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from features.asof import as_of
from features.catalog import Family
from features.errors import DataError, OutdatedModelError
from features.training_set import FAMILIES
from pipelines.data.landing.landed_already import landed_already
from pipelines.data.snapshots.snapshot import Snapshots
from pipelines.data.sources.all_sources import all_sources
from pipelines.foundation.ledger.outbox import waiting
from pipelines.foundation.ledger.score_store import ScoreStore
from pipelines.foundation.own_indicators.own_file import families_of
from pipelines.foundation.storage.as_arrow import as_arrow
from pipelines.foundation.storage.landed_tables import landed_tables
from pipelines.foundation.storage.landings import source_landings
from pipelines.foundation.storage.spilling import spilling
from pipelines.foundation.wording.visible import visible
from pipelines.foundation.workspace.calendar import Calendar
from pipelines.foundation.workspace.run_context import RunContext
from pipelines.foundation.workspace.workspace import Workspace
from pipelines.prediction.checks import screen
from pipelines.prediction.checks.next_command import NEED_NEWS, State, command, next_stage
from pipelines.prediction.checks.own import own_document, without_own
from pipelines.prediction.checks.own import waiting as waiting_own
from pipelines.prediction.checks.reach import reach_notes, silent, told_otherwise
from pipelines.prediction.checks.seen_tables import SeenTables
from pipelines.prediction.checks.trainable import first_snapshot, matured, next_matured
from pipelines.prediction.training.task import WHY_UNKNOWN, PredictionTask, tasks_of, untold

if TYPE_CHECKING:
    import duckdb
    import ibis.expr.types as ir

_END_OF_TIME = date(9999, 1, 1)
MOST_FILES = 5  # that a note names
OF_RHYTHM = 2  # columns that the start model adds to those of the indicators


def check(job: RunContext) -> dict[str, Any]:
    """Look at settings, sources, landed tables, planned snapshots and folds, champion and scores; the document of it.

    Nothing long is computed. Raises: SettingsError, DataError or IntegrityError for the first thing that would stop a
    run.
    """
    own = own_document(job.workspace)
    workspace = without_own(job.workspace) if waiting_own(own) else job.workspace
    sources = all_sources(workspace.store, workspace.settings, fetched=False)
    for file in sources:
        file.check()
    later = sorted({fetch.folder for fetch in workspace.settings.fetches})
    if later:
        job.console.say(
            f"`attrition ingest` fetches what the sources of {' and '.join(later)} read, and looks at it then"
        )
    outside = [file.name for file in sources if file.sha256 and not landed_already(workspace.store, file)]
    document: dict[str, Any] = {
        "as_of": str(workspace.as_of),
        "tables": _rows(workspace),
        "own_indicators": own,
        "notes": [],
    }
    if not document["tables"]:
        note = "nothing has landed yet: run `attrition ingest`"
        document |= {"seen": {}, "odd": [], "notes": [note], "next": _command(workspace, "ingest")}
        document |= _confirm_first(workspace, own)
        screen.show(job.console.say, document, sources=len(sources), hidden=[note])
        return document
    with closing(spilling()) as connection:
        document |= _tables_document(workspace, connection, document["tables"])
        document |= _training_document(workspace, connection, whole=not waiting_own(own))
    document["notes"] = [*_not_landed(outside), *document["notes"]]
    document |= _next(workspace, document, landed=not outside and _all_landed(workspace))
    document |= _confirm_first(workspace, own)
    screen.show(job.console.say, document, sources=len(sources), hidden=told_otherwise(workspace))
    return document


def _confirm_first(workspace: Workspace, own: Collection[Mapping[str, Any]]) -> dict[str, Any]:
    """What comes before any other command where own indicators are not confirmed: every other would refuse them."""
    if not waiting_own(own):
        return {}
    from pipelines.foundation.own_indicators.trust import command as confirm

    return {"next": confirm(workspace.root)}


def _all_landed(workspace: Workspace) -> bool:
    """Whether something of every source has landed; what a database or an API has now is not asked."""
    there = [of.source for of in source_landings(workspace.store, workspace.settings)]
    return all(source in there for source in workspace.settings.sources)


def _not_landed(outside: Sequence[str]) -> Iterator[str]:
    if outside:
        what = "1 file has" if len(outside) == 1 else f"{len(outside):,} files have"
        them = "it" if len(outside) == 1 else "them"
        names = ", ".join(map(visible, outside[:MOST_FILES]))
        more = f" and {len(outside) - MOST_FILES:,} more" if len(outside) > MOST_FILES else ""
        yield f"{what} not landed, and nothing here counts {them}: {names}{more}"


def _tables_document(
    workspace: Workspace, connection: duckdb.DuckDBPyConnection, rows: dict[str, int]
) -> dict[str, Any]:
    seen = SeenTables(
        store=workspace.store,
        connection=connection,
        sources=workspace.landed_sources,
        rows=rows,
        coverages=workspace.coverages,
        of_outcomes=workspace.outcome_coverages,
        closed=workspace.closed,
        refusals=workspace.refusals or None,
        looked_from=workspace.as_of,
        today=workspace.today,
        currency=workspace.settings.currency,
    )
    return {"seen": seen.documents(), "odd": [each.document() for each in seen.odd()]}


def _training_document(workspace: Workspace, connection: duckdb.DuckDBPyConnection, *, whole: bool) -> dict[str, Any]:
    """What the document says of snapshots, outcomes, champion and scores, and its notes.

    whole: with all indicators; without them nothing can be said of whether the champion answers.
    """
    tasks = tasks_of(workspace)
    task, calendar = tasks[0], workspace.calendar
    days, folds = calendar.training_days(workspace.as_of), calendar.fold_days()
    found = matured(connection, task.snapshots, days)
    enough = None if found is None else found.enough(task.fitter.plan)
    champion, scores = task.versions.aliased("champion"), ScoreStore(workspace.store).current_run()
    other_questions = {each.kind: other_question(each) if whole else "" for each in tasks}
    notes = [
        "" if days else _nothing_matured(calendar),
        "" if folds else "no fold can be tested: that takes a matured day with matured training snapshots before",
        *(f"to confirm: {guess}" for source in workspace.settings.sources for guess in source.guessed),
        *reach_notes(workspace),
        *(f"the outcome {kind} is left out: {WHY_UNKNOWN}" for kind in untold(workspace)),
        *other_questions.values(),
    ]
    return {
        "indicators": len(task.snapshots.definition.columns),
        "absent": absent(workspace.tables, own=families_of(workspace.own_files)),
        "untold": untold_columns(task.snapshots, workspace.as_of),
        "complete_until": str(calendar.covered_until),
        "first_snapshot": str(first_snapshot(calendar)),
        "training_snapshots": [str(day) for day in days],
        "folds": [str(fold.test) for fold in folds],
        "outcome": task.kind,
        "matured": None if found is None else found.document(),
        "least": {"customers": task.fitter.plan.min_customers, "positives": task.fitter.plan.min_positives},
        "enough": enough if days else False,
        "more_from": _more(calendar, days),
        "guessed": any(source.guessed for source in workspace.settings.sources),
        "champion": None if champion is None else champion.version,
        "answers": champion is not None and not other_questions[task.kind],
        "scored": None if scores is None else scores.as_of,
        "notes": [note for note in notes if note],
    }


def _more(calendar: Calendar, days: Sequence[date]) -> dict[str, str]:
    snapshot, known_on = next_matured(calendar, days)
    return {"day": str(known_on), "snapshot_on": str(snapshot)}


def _next(workspace: Workspace, document: dict[str, Any], *, landed: bool) -> dict[str, Any]:
    scored = document["scored"]
    state = State(
        landed=landed,
        guessed=document["guessed"],
        trainable=bool(document["training_snapshots"]) and document["enough"] is not False,
        answered=document["answers"],
        scored=None if scored is None else date.fromisoformat(scored),
        as_of=workspace.as_of,
        waiting=bool(waiting(workspace.store, [each.name for each in workspace.settings.destinations])),
    )
    calendar, stage = workspace.calendar, next_stage(state)
    fresh = calendar.data_age_days <= workspace.settings.delivery.max_data_age_days and not any(silent(workspace))
    if stage not in NEED_NEWS or fresh:
        return {"next": _command(workspace, stage)}
    if scored:
        return {"next": _command(workspace, "ingest")}
    # An export of some time ago: it can be looked at as of its end.
    return {"next": command("run", workspace.root, as_of=calendar.data_as_of + timedelta(days=1))}


def _command(workspace: Workspace, stage: str) -> str:
    usual = workspace.settings.as_of or workspace.today
    return command(stage, workspace.root, as_of=None if workspace.as_of == usual else workspace.as_of)


def other_question(task: PredictionTask) -> str:
    """What to do about a champion that answers another question than is asked; empty where it answers this one."""
    champion = task.versions.aliased("champion")
    if champion is None or _surely_answers(task, champion.version):
        return ""
    from pipelines.prediction.training.champion import answering

    try:
        answering(task)
    except OutdatedModelError as error:
        return str(error)
    return ""


def _surely_answers(task: PredictionTask, version: str) -> bool:
    """Whether a model's own text says so; to load a model takes seconds, and is left to where it does not."""
    told = task.versions.answers(version)
    if told is None or task.question.difference(told[0]):
        return False
    own, columns = task.snapshots.definition.columns, told[1]
    more = OF_RHYTHM if task.snapshots.start_model and not task.question.by_contract else 0
    return columns[: len(own)] == tuple(own) and len(columns) == len(own) + more


def _rows(workspace: Workspace) -> dict[str, int]:
    """How many rows hold, by table: of several versions of a row the last one, and none that was taken back."""
    try:
        tables: Mapping[str, ir.Table] = workspace.tables
    except DataError:
        tables = landed_tables(workspace.store, workspace.engine, settings=workspace.settings)
    held = as_of(tables, _END_OF_TIME, zone=workspace.settings.zone).tables
    return {name: _count(workspace, table) for name, table in held.items()}


def _count(workspace: Workspace, table: ir.Table) -> int:
    return int(as_arrow(workspace.engine, table.aggregate(rows=table.count()))["rows"][0].as_py())


def absent(tables: Collection[str], *, own: Sequence[Family] = ()) -> list[dict[str, Any]]:
    """Per group of indicators that lacks tables: family, indicators (how many), for_want_of ("a|b" is either).

    own: families of the workspace's own.
    """
    return [
        {"family": family.name, "indicators": len(group.indicators), "for_want_of": group.lacks(tables)}
        for family in (*FAMILIES, *own)
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
