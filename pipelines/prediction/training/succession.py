"""Which models there are, which one is champion, and how a person puts another in its place."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from features.errors import TrainingError
from pipelines.data.privacy.enforce import enforce
from pipelines.foundation.ledger.model_versions import Version
from pipelines.foundation.ledger.score_store import ScoreStore
from pipelines.foundation.workspace.job import Job
from pipelines.foundation.workspace.workspace import Workspace
from pipelines.prediction.training.train import publish


def models(job: Job) -> dict[str, Any]:
    """Every version of every outcome, newest last, with its verdict and the figures behind it."""
    listed = [entry for view in job.workspace.each_outcome for entry in _entries(view)]
    for entry in listed:
        mark = "champion" if entry["champion"] else "        "
        job.people.say(f"{mark}  {entry['version']}  {entry['outcome']}, trained {entry['trained_at'][:16]}")
        job.people.say(f"          {'' if entry['promoted'] else 'not promoted: '}{entry['verdict']}")
        for gate in entry["gates"]:
            job.people.say(f"            {_in_words(gate)}")
    if not listed:
        job.people.say("there is no model yet; run `attrition train`")
    return {"models": listed}


def promote(job: Job, version: str) -> dict[str, Any]:
    """Make a version champion whatever its verdict was; scores change with the next `attrition score`."""
    view = _owner(job.workspace, version)
    before = view.versions.aliased("champion")
    view.versions.load(version)  # damaged or missing, it must not become champion
    if before is None or before.version != version:
        view.versions.promote(version, now=job.now, why="promoted by hand")
    job.people.say(f"{version} is champion of {view.settings.outcome.kind}; `attrition score` scores with it")
    return _done(job, view, before)


def rollback(job: Job, outcome: str | None) -> dict[str, Any]:
    """Go back to the champion before today's, and to the scores that it gave, value for value."""
    view = _view(job.workspace, outcome)
    before, version = view.versions.aliased("champion"), view.versions.begin_roll_back()
    view.versions.load(version)
    enforce(view)  # the scores of then may hold somebody who objected since
    restored = ScoreStore(view.store).restore(version) if view is job.workspace else None
    view.versions.roll_back(version, now=job.now)
    job.people.say(f"{version} is champion of {view.settings.outcome.kind} again")
    if restored is not None:
        job.people.say(f"the scores of {restored.as_of}, run {restored.run_id}, are the current ones again")
    elif view is job.workspace:
        job.people.say("it never scored anybody here; run `attrition score`")
    scores = {"scores_of": None if restored is None else restored.as_of}
    done = _done(job, view, before) | scores
    view.versions.end_roll_back()
    return done


def _entries(view: Workspace) -> list[dict[str, Any]]:
    champion = view.versions.aliased("champion")
    return [
        {
            "outcome": view.settings.outcome.kind,
            "version": each.version,
            "trained_at": each.trained_at,
            "champion": champion is not None and champion.version == each.version,
            "promoted": each.promoted,
            "verdict": each.verdict,
            "gates": each.record.get("promotion", []),
            "champion_since": [
                asdict(period) for period in view.versions.champion_periods() if period.version == each.version
            ],
            "published": each.published,
        }
        for each in view.versions.all()
    ]


def _in_words(gate: dict[str, Any]) -> str:
    where = f" in {gate['segment']}" if gate["segment"] else ""
    return (
        f"{'passed' if gate['passed'] else 'FAILED'}  {gate['gate'].replace('_', ' ')}{where}: "
        f"{_four(gate['challenger'])} against {_four(gate['champion'])}, worse by {_four(gate['worse_by'])} "
        f"({_four(gate['low'])} to {_four(gate['high'])}; {gate['margin']:g} allowed)"
    )


def _four(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.4f}"


def _owner(workspace: Workspace, version: str) -> Workspace:
    known = [each.version for view in workspace.each_outcome for each in view.versions.all()]
    for view in workspace.each_outcome:
        if any(each.version == version for each in view.versions.all()):
            return view
    raise TrainingError(f"there is no model {version}; there are: {', '.join(known) or 'none yet'}")


def _view(workspace: Workspace, outcome: str | None) -> Workspace:
    views = {view.settings.outcome.kind: view for view in workspace.each_outcome}
    if outcome is not None and outcome not in views:
        raise TrainingError(f"the settings have no outcome {outcome}; they have: {', '.join(views)}")
    return workspace if outcome is None else views[outcome]


def _done(job: Job, view: Workspace, before: Version | None) -> dict[str, Any]:
    unpublished = publish(view, view.versions)
    if unpublished:
        job.people.say(f"not yet in MLflow, the next run will try again: {unpublished}")
    return {
        "outcome": view.settings.outcome.kind,
        "champion": view.versions.champion().version,
        "was": None if before is None else before.version,
        "published": unpublished is None,
    }
