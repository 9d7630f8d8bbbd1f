"""Which models there are, which one is champion, and how a person puts another in its place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from features.errors import TrainingError
from pipelines.foundation.ledger.model_versions import Version, Versions
from pipelines.foundation.ledger.score_store import ScoreStore
from pipelines.foundation.workspace.run_context import RunContext
from pipelines.prediction.training.publish import publish
from pipelines.prediction.training.train import settings_of


def models(job: RunContext) -> dict[str, Any]:
    """Every version of every outcome, newest last, with its verdict and the figures behind it."""
    listed = [entry for versions in versions_of(job) for entry in _entries(versions)]
    for entry in listed:
        mark = "champion" if entry["champion"] else "        "
        job.console.say(f"{mark}  {entry['version']}  {entry['outcome']}, trained {entry['trained_at'][:16]}")
        job.console.say(f"          {'' if entry['promoted'] else 'not promoted: '}{entry['verdict']}")
        for gate in entry["gates"]:
            job.console.say(f"            {_in_words(gate)}")
    if not listed:
        job.console.say("there is no model yet; run `attrition train`")
    return {"models": listed}


def promote(job: RunContext, version: str) -> dict[str, Any]:
    """Make a version champion whatever its verdict was; scores change with the next `attrition score`."""
    versions = _owner(versions_of(job), version)
    before = versions.aliased("champion")
    versions.load(version)  # damaged or missing, it must not become champion
    if before is None or before.version != version:
        versions.promote(version, now=job.now, why="promoted by hand")
    job.console.say(f"{version} is champion of {versions.outcome}; `attrition score` scores with it")
    return _done(job, versions, before)


def rollback(job: RunContext, outcome: str | None) -> dict[str, Any]:
    """Go back to the champion before today's, and to the scores that it gave, value for value."""
    main, *also = versions_of(job)
    versions = main if outcome is None else _of_outcome([main, *also], outcome)
    before, version = versions.aliased("champion"), versions.begin_roll_back()
    versions.load(version)
    restored = ScoreStore(versions.store).restore(version) if versions is main else None
    versions.roll_back(version, now=job.now)
    job.console.say(f"{version} is champion of {versions.outcome} again")
    if restored is not None:
        job.console.say(f"the scores of {restored.as_of}, run {restored.run_id}, are the current ones again")
    elif versions is main:
        job.console.say("it never scored anybody here; run `attrition score`")
    scores = {"scores_of": None if restored is None else restored.as_of}
    done = _done(job, versions, before) | scores
    versions.end_roll_back()
    return done


def versions_of(job: RunContext) -> list[Versions]:
    """The models of each outcome of the settings, first of the one whose scores go to the CRM."""
    outcome = job.workspace.settings.outcome
    return [Versions(job.workspace.store, kind) for kind in (outcome.kind, *outcome.also)]


def _entries(versions: Versions) -> list[dict[str, Any]]:
    champion = versions.aliased("champion")
    return [
        {
            "outcome": versions.outcome,
            "version": each.version,
            "trained_at": each.trained_at,
            "champion": champion is not None and champion.version == each.version,
            "promoted": each.promoted,
            "verdict": each.verdict,
            "gates": each.record.get("promotion", []),
            "champion_since": [
                asdict(period) for period in versions.champion_periods() if period.version == each.version
            ],
            "published": each.published,
        }
        for each in versions.all()
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


def _owner(outcomes: Sequence[Versions], version: str) -> Versions:
    known = [each.version for versions in outcomes for each in versions.all()]
    for versions in outcomes:
        if any(each.version == version for each in versions.all()):
            return versions
    raise TrainingError(f"there is no model {version}; there are: {', '.join(known) or 'none yet'}")


def _of_outcome(outcomes: Sequence[Versions], outcome: str) -> Versions:
    found = {versions.outcome: versions for versions in outcomes}
    if outcome not in found:
        raise TrainingError(f"the settings have no outcome {outcome}; they have: {', '.join(found)}")
    return found[outcome]


def _done(job: RunContext, versions: Versions, before: Version | None) -> dict[str, Any]:
    workspace = job.workspace
    tracking = settings_of(versions.outcome, workspace.settings).tracking
    unpublished = publish(versions, tracking, root=workspace.root)
    if unpublished:
        job.console.say(f"not yet in MLflow, the next run will try again: {unpublished}")
    return {
        "outcome": versions.outcome,
        "champion": versions.champion().version,
        "was": None if before is None else before.version,
        "published": unpublished is None,
    }
