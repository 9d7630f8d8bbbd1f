"""`attrition monitor`: is today like what the champion learned from, did data arrive, and what came of past scores."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from pipelines.foundation.ledger.score_store import ScoreStore
from pipelines.foundation.storage import documents
from pipelines.foundation.storage.fingerprint import code_version, fingerprint
from pipelines.foundation.wording.words import Words
from pipelines.foundation.workspace.console import People
from pipelines.foundation.workspace.workspace import Workspace
from pipelines.operations.monitoring import arrivals, cohorts, drifting, webhook
from pipelines.operations.monitoring import holdout_figures as held_out
from pipelines.operations.monitoring import matured as maturing
from pipelines.operations.monitoring.alerts import Alert, alerts, retrain
from pipelines.prediction.training.champion import learned_until

if TYPE_CHECKING:
    from pipelines.foundation.workspace.job import Job

KIND = "monitoring"
UNSAID = {"language", "tracking", "references"}  # settings that no figure here depends on


def monitor(job: Job) -> dict[str, Any]:
    """The document of `as_of`; the same data, scores, settings and code have the same one, which is written once.

    Raises: TrainingError where there is no champion.
    """
    workspace = job.workspace
    with job.people.stage("monitor") as step:
        path = f"monitoring/{workspace.as_of}-{_key(workspace)}.json"
        document = documents.read(workspace.store, path)
        if document is None:
            document = documents.write(workspace.store, path, _look(workspace, step), kind=KIND)
    _tell(job.people, document)
    failed = webhook.post(workspace.store, path, document)
    if failed is not None:
        job.people.say(f"  {failed}")
    return document


def _tell(people: People, document: dict[str, Any]) -> None:
    """What was found, a line each."""
    drift = document["drift"]
    if drift["reason"] is not None:
        people.say(f"  drift unknown: {drift['reason']}")
    elif not document["alerts"]:
        people.say(
            f"  nothing unusual: what moved most did so by {drift['statistic']:.0%} of what would be news "
            f"(p = {drift['p_value']:.2f})"
        )
    for each in document["alerts"]:
        people.say(Alert(**each).line())
    for reason in document["retrain"]:
        people.say(f"  time to train again: {reason}")


def newest(workspace: Workspace) -> dict[str, Any] | None:
    """The document of the newest monitored day that is not after `as_of`; None where there is none."""
    found = monitored(workspace, at_most=1)
    return found[-1] if found else None


def monitored(workspace: Workspace, *, at_most: int) -> list[dict[str, Any]]:
    """The newest document of each of the newest monitored days up to `as_of`, oldest day first."""
    newest_of: dict[str, str] = {}
    for file in workspace.store.files(KIND):
        day = PurePosixPath(file.path).name[: len("2026-04-01")]
        if day <= str(workspace.as_of):
            newest_of[day] = file.path
    read = (documents.read(workspace.store, newest_of[day]) for day in sorted(newest_of)[-at_most:])
    return [document for document in read if document is not None]


def _key(workspace: Workspace) -> str:
    """What a document depends on: landed data, champion, score runs until now, recommendations, settings, code."""
    runs = [
        run.content_sha256 for run in ScoreStore(workspace.store).newest_runs() if run.as_of <= str(workspace.as_of)
    ]
    return fingerprint(
        {
            "as_of": workspace.as_of,
            "landed": [file.sha256 for file in workspace.landed],
            "champion": workspace.versions.champion().version,
            "runs": runs,
            "recommended": held_out.key(workspace),
            "settings": workspace.settings.model_dump(mode="json", exclude=UNSAID),
            "code": code_version(),
        }
    )


def _look(workspace: Workspace, progress: Callable[[str], None]) -> dict[str, Any]:
    run = ScoreStore(workspace.store).run(str(workspace.as_of))
    champion = workspace.versions.champion()
    fitted = workspace.versions.load(champion.version)
    found = cohorts.compared(workspace, fitted, progress=progress)
    volume = arrivals.volumes(workspace)
    if found is not None:
        volume.insert(0, arrivals.cohort(list(found.sizes), found.plan.overlap, workspace.settings.monitoring.level))
    runs = maturing.matured(workspace, progress=progress)
    until = learned_until(workspace, fitted.snapshots)
    document = {
        "as_of": str(workspace.as_of),
        "run_id": None if run is None else run.run_id,
        "model_version": champion.version,
        "champion": {
            "learned_until": str(until),
            "age_days": (workspace.as_of - until).days,
            "retrain_after_days": workspace.settings.monitoring.retrain_after_days,
        },
        "drift": drifting.described(workspace, found, fitted=fitted),
        "volume": volume,
        "freshness": arrivals.freshness(workspace),
        "matured": runs,
        "calibration": maturing.pooled(runs),
    }
    words = Words("en")
    return document | {
        "alerts": [asdict(alert) for alert in alerts(document, words)],
        "retrain": retrain(document, words),
    }
