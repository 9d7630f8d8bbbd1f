"""`attrition train`: fit on what has matured, judge against the champion, keep, and tell MLflow."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from features.outcomes import Kind
from models import artifact, boosting, shap_summary, training
from models.matrix import Matrix
from models.question import Question
from models.training import Fitted
from pipelines.data.snapshots.definitions import Definition
from pipelines.data.snapshots.learned import learned_keys, learned_rows
from pipelines.foundation.ledger.model_versions import Version
from pipelines.foundation.settings.settings import Settings
from pipelines.foundation.storage import documents
from pipelines.foundation.storage.fingerprint import code_version, fingerprint
from pipelines.foundation.storage.landings import current
from pipelines.prediction.leaks.doubts import Doubts, doubts
from pipelines.prediction.training import champion, model_card
from pipelines.prediction.training.fit import FitPlan
from pipelines.prediction.training.publish import publish
from pipelines.prediction.training.task import PredictionTask

BY = ("features", "models")


@dataclass(frozen=True, kw_only=True)
class TrainingInputs:
    """snapshots: keys of features and outcomes of every training day. doubted: columns that forbid promotion."""

    question: Question
    snapshots: tuple[tuple[str, str], ...]
    fit: FitPlan
    doubted: tuple[str, ...]

    @property
    def key(self) -> str:
        return fingerprint(self, by=BY)


@dataclass(frozen=True)
class Trained:
    """unchanged: data, settings and code were those of this version. unpublished: why MLflow lacks it, or None.

    doubts: what the columns of today's data are suspected of, whatever the version's verdict was.
    """

    version: Version
    unchanged: bool
    unpublished: str | None
    doubts: Doubts


def train(
    task: PredictionTask,
    settings: Settings,
    *,
    root: Path,
    now: datetime,
    tested: Mapping[str, Any] | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> Trained:
    """Train a challenger on the snapshots matured by `as_of`, decide on promotion, and publish it.

    settings: of this outcome (`settings_of`), recorded beside the model. tested: document of the backtest.

    A tracking server that is away does not stop training: the version is published by the next run that finds it there.
    """
    versions, tracking = task.versions, settings.tracking
    days = task.calendar.training_days(task.calendar.as_of)
    doubted = doubts(task.snapshots, task.trusted)
    progress("columns that may know the future")
    made_from = _inputs(task, days, doubted).key
    own = tuple((file.name, file.sha256) for file in task.snapshots.definition.own)
    found = versions.made_from(made_from)
    if found is None or not versions.has_copy(found.version):
        fitted, known = _fitted(task, days, progress)
        fitted = replace(fitted, defined_in=own)
        files = artifact.to_files(fitted)
        name = artifact.version(files)
        versions.keep(files, name)
        if found is not None and found.version == name:  # its local copy was gone and is back
            return Trained(found, unchanged=False, unpublished=publish(versions, tracking, root=root), doubts=doubted)
        verdict = doubted.verdict or champion.verdict(task, days)
        record = {
            "parameters": _parameters(task, settings, fitted, known),
            "settings": json.loads(settings.model_dump_json()),
            "data": [{"path": file.path, "sha256": file.sha256, **file.detail} for file in current(task.store)],
            "code": code_version(),
            "schema": _schema(task.snapshots.definition, fitted),
            "backtest": {"folds": [], "skipped": []} if tested is None else dict(tested),
            "leaks": doubted.record,
            "own_indicators": [
                {"file": file.name, "sha256": file.sha256, "families": [each.name for each in file.families]}
                for file in task.snapshots.definition.own
            ],
            "promotion": documents.finite([asdict(gate) for gate in verdict.gates]),
            "explained": documents.finite(
                [asdict(each) for each in shap_summary.summary(fitted, _newest(task, fitted))]
            ),
        }
        version = Version(name, made_from, now.isoformat(), verdict.promote, verdict.reason, record, published=False)
        card = model_card.model_card(versions.as_recorded(version), files[artifact.MODEL])
        versions.keep({model_card.FILE_NAME: card}, name)
        versions.add(version)
        return Trained(
            versions.named(name), unchanged=False, unpublished=publish(versions, tracking, root=root), doubts=doubted
        )
    return Trained(found, unchanged=True, unpublished=publish(versions, tracking, root=root), doubts=doubted)


def settings_of(kind: Kind, settings: Settings) -> Settings:
    """The settings as an outcome's own: a further one has an experiment of its own, and no others beside it."""
    if kind == settings.outcome.kind:
        return settings
    tracking = settings.tracking.model_copy(update={"experiment": f"{settings.tracking.experiment}-{kind}"})
    outcome = settings.outcome.model_copy(update={"kind": kind, "also": ()})
    return settings.model_copy(update={"outcome": outcome, "tracking": tracking})


def _inputs(task: PredictionTask, days: Sequence[date], doubted: Doubts) -> TrainingInputs:
    keys = learned_keys(task.snapshots, days, planned="a training")
    return TrainingInputs(question=task.question, snapshots=keys, fit=task.fitter.plan, doubted=doubted.names)


def _parameters(task: PredictionTask, settings: Settings, fitted: Fitted, known: int) -> dict[str, Any]:
    own = ", ".join(file.sha256 for file in task.snapshots.definition.own)
    return {
        **({"own_indicators": own} if own else {}),
        **{f"training.{name}": value for name, value in settings.training.model_dump().items()},
        **{f"outcome.{name}": value for name, value in settings.outcome.model_dump().items()},
        "as_of": str(task.calendar.as_of),
        "rounds": fitted.rounds,
        "rows": fitted.rows,
        "rows_known": known,
        "snapshots": len(fitted.snapshots),
        **{f"calibrator.{name}": value for name, value in asdict(fitted.calibrator).items()},
        **{f"lightgbm.{name}": value for name, value in boosting.parameters_of(fitted.booster).items()},
    }


def _fitted(task: PredictionTask, days: Sequence[date], progress: Callable[[str], None]) -> tuple[Fitted, int]:
    """The model, and of how many rows the outcome is known. The rows themselves, which take the memory, are let go."""
    found = learned_rows(task.snapshots, days, memory=task.fitter.memory, progress=progress)
    rows = training.refuse_unfit(found, task.fitter.plan.limits)
    return task.fitter.fit(rows, progress=progress), round(rows.counts.sum())


def _newest(task: PredictionTask, fitted: Fitted) -> Matrix:
    """Everybody at the newest snapshot that was learned from, a customer a row."""
    rows = learned_rows(task.snapshots, [date.fromordinal(fitted.snapshots[-1])])
    if rows is None:
        raise AssertionError("a model has learned from a snapshot without rows")
    return rows


def _schema(definition: Definition, fitted: Fitted) -> list[dict[str, Any]]:
    """One entry per model column: its type, unit, and what null means; columns of the start model have no unit."""
    known = {
        column: {
            "family": family.name,
            "unit": indicator.unit,
            "null": indicator.null,
            "direction": indicator.direction,
        }
        for family in definition.families
        for indicator in family.indicators
        for column in indicator.columns(definition.lookbacks.lookback_days)
    }
    return [{"name": name, "type": "float64", **known.get(name, {"family": "start_model"})} for name in fitted.columns]
