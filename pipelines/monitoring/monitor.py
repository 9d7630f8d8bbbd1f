"""`attrition monitor`: is today like what the champion learned from, did data arrive, and what came of past scores."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from pipelines import documents
from pipelines.crm.score_store import ScoreStore
from pipelines.monitoring.alerts import Alert, tell
from pipelines.workspace import Workspace, code_version, fingerprint

if TYPE_CHECKING:
    from pipelines.run import Job

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
            step("looking")
            document = documents.write(workspace.store, path, _look(workspace), kind=KIND)
    alerts = [Alert(**each) for each in document["alerts"]]
    tell(job.people, alerts)
    if not alerts:
        job.people.say("  nothing to tell of")
    return document


def newest(workspace: Workspace) -> dict[str, Any] | None:
    """The document of the newest monitored day that is not after `as_of`; None where there is none."""
    found = monitored(workspace)
    return found[-1] if found else None


def monitored(workspace: Workspace) -> list[dict[str, Any]]:
    """The newest document of each monitored day up to `as_of`, oldest day first."""
    newest_of: dict[str, str] = {}
    for file in workspace.store.files(KIND):
        day = PurePosixPath(file.path).name[: len("2026-04-01")]
        if day <= str(workspace.as_of):
            newest_of[day] = file.path
    read = (documents.read(workspace.store, newest_of[day]) for day in sorted(newest_of))
    return [document for document in read if document is not None]


def _key(workspace: Workspace) -> str:
    """What a document depends on: landed data, the champion, every score run until now, settings and code."""
    runs = [run.content_sha256 for run in ScoreStore(workspace.store).runs() if run.as_of <= str(workspace.as_of)]
    return fingerprint(
        {
            "as_of": workspace.as_of,
            "landed": [file.sha256 for file in workspace.landed],
            "champion": workspace.versions.champion().version,
            "runs": runs,
            "settings": workspace.settings.model_dump(mode="json", exclude=UNSAID),
            "code": code_version(),
        }
    )


def _look(workspace: Workspace) -> dict[str, Any]:
    run = ScoreStore(workspace.store).run(str(workspace.as_of))
    return {
        "as_of": str(workspace.as_of),
        "run_id": None if run is None else run.run_id,
        "model_version": workspace.versions.champion().version,
        "alerts": [],
        "retrain": [],
        "drift": {
            "p_value": "unknown",
            "reason": "not compared yet",
            "threshold": None,
            "indicators": [],
            "scores": {},
        },
        "volume": [],
        "freshness": [],
        "matured": [],
    }
