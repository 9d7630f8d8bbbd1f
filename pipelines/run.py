"""The stages of a workspace, in order. The command line and any scheduler call these same functions."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict
from datetime import date
from typing import TYPE_CHECKING, Any

from features.errors import SettingsError, TrainingError
from pipelines.foundation.settings.sources import refuse_guessed
from pipelines.foundation.workspace.run_context import RunContext
from pipelines.operations.delivery import progress_lines as told

if TYPE_CHECKING:
    from pipelines.prediction.training.task import PredictionTask
    from pipelines.prediction.training.train import Trained

# Each stage imports what it needs: to land files takes no model, and whoever waits for it should not wait for one.


def everything(job: RunContext) -> dict[str, Any]:
    """Ingest, backtest, train, score and deliver, monitor, report; the document of each."""
    landed = ingest(job)
    _refuse_old_data(job)
    tested = backtest(job)
    trained = train_(job)
    scored = score_(job)
    watched = monitor(job)
    reported = report(job)
    return {
        "ingest": landed,
        "backtest": tested,
        "train": trained,
        "score": scored,
        "monitor": watched,
        "report": reported,
    }


def _refuse_old_data(job: RunContext) -> None:
    """Raise StaleError where nobody could be scored in the end: whoever waits for a training is told before it."""
    from pipelines.prediction.checks.reach import refuse_silent
    from pipelines.prediction.scoring.score import refuse_old_data

    refuse_guessed(job.workspace.settings.sources)
    refuse_old_data(job.workspace.calendar, max_age_days=job.workspace.settings.delivery.max_data_age_days)
    refuse_silent(job.workspace)


def ingest(job: RunContext) -> dict[str, Any]:
    """Fetch what APIs hold, and land the sources. What was fetched is removed once all of it has landed."""
    from pipelines.data.fetching.fetch import discard
    from pipelines.data.landing.ingest import ingest as land

    _fetch(job)
    with job.console.stage("ingest") as step:
        results = land(job.workspace.store, job.workspace.settings, today=job.workspace.today, progress=step)
    for result in results:
        job.console.say(
            f"  {result.path}: {result.rows_in:,} rows, {result.landed:,} landed, {result.rejected:,} rejected"
            f"{' (was there already)' if result.status == 'unchanged' else ''}"
        )
        for remark in result.remarks:
            job.console.say(f"    note: {remark}")
    discard(job.workspace.store.root)
    return {"files": [asdict(result) for result in results]}


def _fetch(job: RunContext) -> None:
    workspace = job.workspace
    if not workspace.settings.fetches:
        return
    from pipelines.data.fetching.fetch import fetch

    with job.console.stage("fetch") as step:
        found = fetch(workspace.store.root, workspace.settings, today=workspace.today, progress=step)
    for folder, counts in found.items():
        told = ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in counts.items())
        job.console.say(f"  {folder}: fetched {told}")


def snapshots(job: RunContext, first: date | None = None, last: date | None = None) -> dict[str, Any]:
    """Compute the grid's snapshots of some days, features and (where they have matured) outcomes.

    Those that are there already are kept. first, last: None takes that end of the training snapshots.
    Raises: SettingsError where no day of the grid lies between.
    """
    from pipelines.data.snapshots.workspace_snapshots import snapshots_of

    workspace, made = job.workspace, []
    all_of_them, calendar = snapshots_of(workspace), workspace.calendar
    training = calendar.training_days(workspace.as_of) or [workspace.as_of]
    start, end = first or training[0], last or training[-1]
    days = calendar.grid.days(start, end)
    if not days:
        raise SettingsError(
            f"no snapshot lies between {start} and {end}: they are {workspace.settings.snapshots.every_days} days "
            f"apart, counted from {workspace.settings.snapshots.anchor} (settings: snapshots)"
        )
    with job.console.stage("snapshots", steps=len(days)) as step:
        all_of_them.prepare(days)
        for day in days:
            snapshot = all_of_them.at(day)
            seen, followed = snapshot.file, snapshot.outcome_file
            made.append(
                {
                    "snapshot_on": str(day),
                    "customers": seen.detail["rows"],
                    "features": seen.path,
                    "sha256": seen.sha256,
                    "outcomes": None if followed is None else followed.path,
                }
            )
            step(f"snapshot of {day}")
    for each in made:
        job.console.say(
            f"  {each['snapshot_on']}: {each['customers']:,} customers"
            f"{'' if each['outcomes'] else ', outcomes not known yet'}"
        )
    return {"snapshots": made}


def backtest(job: RunContext) -> dict[str, Any]:
    """Walk forward through the past, once for each outcome."""
    from pipelines.prediction.training.task import tasks_of

    refuse_guessed(job.workspace.settings.sources)
    tasks = tasks_of(job.workspace)
    documents = [_backtest(job, task, named=len(tasks) > 1) for task in tasks]
    return documents[0] | {"also": documents[1:]}


def _backtest(job: RunContext, task: PredictionTask, *, named: bool) -> dict[str, Any]:
    from pipelines.prediction.training import backtest as backtests

    folds = task.calendar.fold_days()
    with job.console.stage("backtest", steps=len(backtests.days_of(folds)) + len(folds)) as step:
        document = backtests.backtest(task, progress=step)
    if named:
        job.console.say(f"  {task.kind}")
    for skipped in document["skipped"]:
        job.console.say(f"  {skipped['snapshot_on']} left out: {skipped['reason']}")
    for fold in document["folds"]:
        model = fold["model"]
        job.console.say(
            f"  {fold['snapshot_on']}: ROC AUC {model['roc_auc']:.4f}, log loss {model['log_loss']:.4f} "
            f"on {model['n']:,} customers"
            if model["roc_auc"] is not None
            else f"  {fold['snapshot_on']}: one outcome only among {model['n']:,} customers, nothing to rank"
        )
    if not folds:
        job.console.say("  no past day has both an outcome and matured training snapshots before it")
    return document


def train_(job: RunContext) -> dict[str, Any]:
    """Train a challenger for each outcome and decide on it; a further outcome that is too rare is left out."""
    from pipelines.prediction.training.task import WHY_UNKNOWN, tasks_of, untold

    refuse_guessed(job.workspace.settings.sources)
    main, *others = tasks_of(job.workspace)
    first, also = _train(job, main), []
    for task in others:
        try:
            also.append({"outcome": task.kind, **_train(job, task)})
        except TrainingError as error:
            job.console.say(f"  {task.kind} left out: {error}")
            also.append({"outcome": task.kind, "skipped": str(error)})
    for kind in untold(job.workspace):
        job.console.say(f"  {kind} left out: {WHY_UNKNOWN}")
        also.append({"outcome": kind, "skipped": WHY_UNKNOWN})
    return first | {"also": also}


def _train(job: RunContext, task: PredictionTask) -> dict[str, Any]:
    from models.training import FIT_STEPS
    from pipelines.prediction.training import backtest as backtests
    from pipelines.prediction.training import train

    tested, settings = backtests.backtest(task), train.settings_of(task.kind, job.workspace.settings)
    steps = len(task.calendar.training_days(task.calendar.as_of)) + 1 + FIT_STEPS + task.fitter.plan.tuning_trials
    with job.console.stage("train", steps=steps) as step:
        trained: Trained = train.train(
            task, settings, root=job.workspace.root, now=job.now, tested=tested, progress=step
        )
    version = trained.version
    job.console.say(
        f"  {task.kind} model {version.version} "
        f"{'is there already' if trained.unchanged else 'trained'}; "
        f"{'promoted' if version.promoted else 'not promoted'}: {version.verdict}"
    )
    told = trained.doubts
    if told.findings and version.promoted:  # the same model was promoted before there was a doubt, or by hand
        job.console.say(f"  {told.in_words}")
    if told.trusted:
        job.console.say(f"  trusted by name, though they seem to know the future: {', '.join(told.trusted)}")
    for reason in told.untold:
        job.console.say(f"  whether columns know the future could not be told: {reason}")
    if trained.unpublished:
        job.console.say(f"  not yet in MLflow, the next run will try again: {trained.unpublished}")
    return {
        "version": version.version,
        "promoted": version.promoted,
        "verdict": version.verdict,
        "unchanged": trained.unchanged,
        "published": trained.unpublished is None,
        "doubted": list(told.names),
        "untold": list(told.untold),
    }


def score_(job: RunContext) -> dict[str, Any]:
    """Score `as_of` and deliver."""
    scored, delivered = scores(job), deliver(job)
    files = {name: delivered.pop(name) for name in ("csv", "also", "too_old", "announced")}
    return scored | files | {"delivery": delivered}


def scores(job: RunContext) -> dict[str, Any]:
    """Score `as_of`."""
    from pipelines.prediction.checks.reach import refuse_silent
    from pipelines.prediction.scoring import score
    from pipelines.prediction.training.task import main_task

    with job.console.stage("score") as step:
        workspace = job.workspace
        workspace.versions.champion()  # whoever has none is told that first
        refuse_silent(workspace)
        scored = score.score(
            main_task(workspace),
            score.plan_of(workspace.settings),
            workspace.permissions,
            now=job.now,
            progress=step,
        )
    job.console.say(
        f"  {scored.run.rows:,} customers at {scored.run.as_of}{' (were there already)' if scored.unchanged else ''}"
        f"{'' if scored.run.current else '; a later day was scored, and its scores stay the current ones'}"
    )
    return {
        "as_of": scored.run.as_of,
        "run_id": scored.run.run_id,
        "scored": scored.run.rows,
        "unchanged": scored.unchanged,
        "current": scored.run.current,
        "history": scored.run.history,
        **scored.run.detail,
    }


def deliver(job: RunContext, *, despite: Collection[str] = (), dry_run: bool = False) -> dict[str, Any]:
    """Hand over what was scored; dry_run: only tell what would be."""
    from pipelines.operations.delivery import deliver as delivery

    with job.console.stage("deliver") as step:
        delivered = delivery.deliver(job.workspace, now=job.now, despite=despite, dry_run=dry_run, progress=step)
    told.delivered(job.console.say, delivered, job.workspace.settings.currency)
    return delivered


def monitor(job: RunContext) -> dict[str, Any]:
    """Look for drift, at the arrival of data, and at what came of past scores; alerts are told."""
    from pipelines.operations.monitoring import monitor as monitoring

    return monitoring.monitor(job)


def report(job: RunContext) -> dict[str, Any]:
    """Write the report and the summary."""
    from pipelines.report import summary_json as summary
    from pipelines.report import write as write_report

    with job.console.stage("report") as step:
        path = write_report.write_report(job.workspace, progress=step)
    document = summary.write_summary(job.workspace, report=path)
    job.console.say(f"  {job.workspace.root / path}")
    return document
