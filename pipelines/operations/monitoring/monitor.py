"""`attrition monitor`: is today like what the champion learned from, did data arrive, and what came of past scores."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import pandas as pd

from models.question import Question
from pipelines.data.snapshots.definitions import Definition
from pipelines.foundation.ledger.recommendations import Recommended
from pipelines.foundation.ledger.score_store import ScoreStore
from pipelines.foundation.settings.settings import Settings
from pipelines.foundation.storage import documents
from pipelines.foundation.storage.fingerprint import fingerprint
from pipelines.foundation.storage.store import Store
from pipelines.foundation.wording.words import Words
from pipelines.foundation.workspace.calendar import Calendar
from pipelines.foundation.workspace.console import Console
from pipelines.foundation.workspace.workspace import Workspace
from pipelines.operations.monitoring import arrivals, cohorts, drifting, webhook
from pipelines.operations.monitoring import matured as maturing
from pipelines.operations.monitoring.alerts import Alert, alerts, retrain
from pipelines.operations.monitoring.arrivals import Arrivals
from pipelines.operations.monitoring.matured import MaturedPlan
from pipelines.operations.monitoring.profiles import Profiles
from pipelines.prediction.training.champion import answering, learned_from
from pipelines.prediction.training.task import PredictionTask, main_task

if TYPE_CHECKING:
    from pipelines.foundation.workspace.run_context import RunContext

KIND = "monitoring"
BY = ("pipelines.operations.monitoring.monitor",)


@dataclass(frozen=True, kw_only=True)
class MonitorInputs:
    """landed: hashes of all landed files. runs: of the contents of score runs until the day. recommended: as CSV."""

    calendar: Calendar
    landed: tuple[str, ...]
    definition: Definition
    question: Question
    champion: str
    runs: tuple[str, ...]
    recommended: str
    plan: MaturedPlan

    @property
    def key(self) -> str:
        return fingerprint(self, by=BY)


def monitor(job: RunContext) -> dict[str, Any]:
    """The document of `as_of`; the same data, scores, settings and code have the same one, which is written once.

    Raises: TrainingError where there is no champion.
    """
    workspace = job.workspace
    with job.console.stage("monitor") as step:
        task, recommended = main_task(workspace), Recommended(workspace.store).read()
        inputs = _inputs(workspace, task, recommended)
        path = f"monitoring/{workspace.as_of}-{inputs.key}.json"
        document = documents.read(workspace.store, path)
        if document is None:
            arrived = Arrivals(
                engine=workspace.engine,
                tables=workspace.tables,
                as_of=workspace.as_of,
                zone=workspace.settings.zone,
                span_days=workspace.settings.snapshots.every_days,
                level=workspace.settings.monitoring.level,
            )
            looked = _look(inputs, task, arrived, recommended, step)
            document = documents.write(workspace.store, path, looked, kind=KIND)
    _tell(job.console, document)
    failed = webhook.post(workspace.store, path, document)
    if failed is not None:
        job.console.say(f"  {failed}")
    return document


def _tell(console: Console, document: dict[str, Any]) -> None:
    """What was found, a line each."""
    drift = document["drift"]
    if drift["reason"] is not None:
        console.say(f"  drift unknown: {drift['reason']}")
    elif not document["alerts"]:
        console.say(
            f"  nothing unusual: what moved most did so by {drift['statistic']:.0%} of what would be news "
            f"(p = {drift['p_value']:.2f})"
        )
    for each in document["alerts"]:
        console.say(Alert(**each).line())
    for reason in document["retrain"]:
        console.say(f"  time to train again: {reason}")


def newest(store: Store, as_of: date) -> dict[str, Any] | None:
    """The document of the newest monitored day that is not after `as_of`; None where there is none."""
    found = monitored(store, as_of, at_most=1)
    return found[-1] if found else None


def monitored(store: Store, as_of: date, *, at_most: int) -> list[dict[str, Any]]:
    """The newest document of each of the newest monitored days up to `as_of`, oldest day first."""
    newest_of: dict[str, str] = {}
    for file in store.files(KIND):
        day = PurePosixPath(file.path).name[: len("2026-04-01")]
        if day <= str(as_of):
            newest_of[day] = file.path
    read = (documents.read(store, newest_of[day]) for day in sorted(newest_of)[-at_most:])
    return [document for document in read if document is not None]


def matured_plan(settings: Settings) -> MaturedPlan:
    """How figures of scored days are made and judged, as the settings have it."""
    return MaturedPlan(
        monitoring=settings.monitoring,
        bootstrap_samples=settings.backtest.bootstrap_samples,
        seed=settings.training.seed,
    )


def _inputs(workspace: Workspace, task: PredictionTask, recommended: pd.DataFrame) -> MonitorInputs:
    settings, runs = workspace.settings, ScoreStore(workspace.store).newest_runs()
    told = recommended[["customer_id", "recommended_on", "treatment_group"]]
    return MonitorInputs(
        calendar=task.calendar,
        landed=tuple(name for each in workspace.landed for name in each.names),
        definition=task.snapshots.definition,
        question=task.question,
        champion=task.versions.champion().version,
        runs=tuple(run.content_sha256 for run in runs if run.as_of <= str(workspace.as_of)),
        recommended=told.to_csv(index=False),
        plan=matured_plan(settings),
    )


def _look(
    inputs: MonitorInputs,
    task: PredictionTask,
    arrived: Arrivals,
    recommended: pd.DataFrame,
    progress: Callable[[str], None],
) -> dict[str, Any]:
    plan, as_of = inputs.plan.monitoring, inputs.calendar.as_of
    run = ScoreStore(task.store).run(str(as_of))
    _, fitted = answering(task)
    stored = Profiles(task.snapshots, fitted, champion=inputs.champion)
    found = cohorts.compared(stored, as_of, progress=progress)
    volume = arrived.volumes()
    if found is not None:
        volume.insert(0, arrivals.cohort(list(found.sizes), found.plan.overlap, plan.level))
    runs = maturing.matured(task, inputs.plan, recommended, progress=progress)
    age = inputs.calendar.age_days(learned_from(fitted))
    document = {
        "as_of": str(as_of),
        "run_id": None if run is None else run.run_id,
        "model_version": inputs.champion,
        "champion": {
            "learned_until": str(as_of - timedelta(days=age)),
            "age_days": age,
            "retrain_after_days": plan.retrain_after_days,
        },
        "drift": drifting.described(found, fitted=fitted, definition=inputs.definition, as_of=as_of, level=plan.level),
        "volume": volume,
        "freshness": arrived.freshness(),
        "matured": runs,
        "calibration": maturing.pooled(runs),
    }
    words = Words("en")
    return document | {
        "alerts": [asdict(alert) for alert in alerts(document, words)],
        "retrain": retrain(document, words),
    }
