"""`attrition train`: fit on what has matured, judge against the champion, keep, and tell MLflow."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from features.outcomes import Kind
from models import artifact, training
from models.question import Question
from models.registry import CHALLENGER, CHAMPION, Record, Registry, TrackingError, make_database
from models.training import Fitted
from pipelines.data.snapshots.definitions import Definition
from pipelines.data.snapshots.snapshot import learned_keys
from pipelines.foundation.ledger.model_versions import Version, Versions
from pipelines.foundation.settings.settings import Settings
from pipelines.foundation.settings.tracking import Tracking
from pipelines.foundation.storage import documents
from pipelines.foundation.storage.atomic_file import atomic_write
from pipelines.foundation.storage.fingerprint import code_version, fingerprint
from pipelines.foundation.storage.workspace_paths import ARTIFACTS, TRACKING
from pipelines.foundation.wording.words import Words
from pipelines.prediction.charts import quality
from pipelines.prediction.leaks.doubts import Doubts, doubts
from pipelines.prediction.training import backtest, champion, model_card
from pipelines.prediction.training.fit import FitPlan
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
    found = versions.made_from(made_from)
    if found is None or not versions.has_copy(found.version):
        found_rows = task.snapshots.training_matrix(days, progress=progress)
        rows = training.refuse_unfit(found_rows, task.fitter.plan.limits)
        fitted = task.fitter.fit(rows, progress=progress)
        files = artifact.to_files(fitted)
        name = artifact.version(files)
        versions.keep(files, name)
        if found is not None and found.version == name:  # its local copy was gone and is back
            return Trained(found, unchanged=False, unpublished=publish(versions, tracking, root=root), doubts=doubted)
        verdict = doubted.verdict or champion.verdict(task, rows)
        record = {
            "parameters": _parameters(task, settings, fitted),
            "settings": json.loads(settings.model_dump_json()),
            "data": [{"path": file.path, "sha256": file.sha256, **file.detail} for file in task.store.files("landed")],
            "code": code_version(),
            "schema": _schema(task.snapshots.definition, fitted),
            "backtest": {"folds": [], "skipped": []} if tested is None else dict(tested),
            "leaks": doubted.record,
            "own_indicators": [
                {"file": file.name, "sha256": file.sha256, "families": [each.name for each in file.families]}
                for file in task.snapshots.definition.own
            ],
            "promotion": documents.finite([asdict(gate) for gate in verdict.gates]),
        }
        version = Version(name, made_from, now.isoformat(), verdict.promote, verdict.reason, record, published=False)
        versions.keep({model_card.FILE_NAME: model_card.model_card(version, files[artifact.MODEL])}, name)
        versions.add(version)
        return Trained(
            versions.named(name), unchanged=False, unpublished=publish(versions, tracking, root=root), doubts=doubted
        )
    return Trained(found, unchanged=True, unpublished=publish(versions, tracking, root=root), doubts=doubted)


def publish(versions: Versions, tracking: Tracking, *, root: Path) -> str | None:
    """Send every version that MLflow lacks, oldest first, and set the aliases; why it could not be done, or None."""
    waiting = [version for version in versions.all() if not version.published]
    if not waiting:
        return None
    try:
        registry = registry_of(tracking, root)
        for version in waiting:
            aliases = [
                alias
                for alias in (CHAMPION, CHALLENGER)
                if (pointed := versions.aliased(alias)) is not None and pointed.version == version.version
            ]
            registry.publish(_record(versions, version), aliases=aliases)
            versions.mark_published(version.version)
    except TrackingError as error:
        return str(error)
    return None


def settings_of(kind: Kind, settings: Settings) -> Settings:
    """The settings as an outcome's own: a further one has an experiment of its own, and no others beside it."""
    if kind == settings.outcome.kind:
        return settings
    tracking = settings.tracking.model_copy(update={"experiment": f"{settings.tracking.experiment}-{kind}"})
    outcome = settings.outcome.model_copy(update={"kind": kind, "also": ()})
    return settings.model_copy(update={"outcome": outcome, "tracking": tracking})


def registry_of(plan: Tracking, root: Path) -> Registry:
    """MLflow as the settings name it: a server, or a file of this workspace, which is made unless it is there."""
    if plan.uri:
        return Registry(uri=plan.uri, experiment=plan.experiment)
    place = (root / TRACKING).resolve()
    if not place.exists():
        with atomic_write(place) as temporary:
            make_database(temporary)
    return Registry(uri=f"sqlite:///{place}", experiment=plan.experiment, artifacts=root / ARTIFACTS)


def _inputs(task: PredictionTask, days: Sequence[date], doubted: Doubts) -> TrainingInputs:
    keys = learned_keys(task.snapshots, days, planned="a training")
    return TrainingInputs(question=task.question, snapshots=keys, fit=task.fitter.plan, doubted=doubted.names)


def _parameters(task: PredictionTask, settings: Settings, fitted: Fitted) -> dict[str, Any]:
    own = ", ".join(file.sha256 for file in task.snapshots.definition.own)
    return {
        **({"own_indicators": own} if own else {}),
        **{f"training.{name}": value for name, value in settings.training.model_dump().items()},
        **{f"outcome.{name}": value for name, value in settings.outcome.model_dump().items()},
        "as_of": str(task.calendar.as_of),
        "rounds": fitted.rounds,
        "rows": fitted.rows,
        "snapshots": len(fitted.snapshots),
        **{f"calibrator.{name}": value for name, value in asdict(fitted.calibrator).items()},
    }


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


def _record(versions: Versions, version: Version) -> Record:
    files = versions.files(version.version)
    files[model_card.FILE_NAME] = model_card.model_card(version, files[artifact.MODEL])
    for name in ("settings", "data", "schema", "backtest"):
        files[f"{name}.json"] = json.dumps(version.record[name], indent=1, sort_keys=True)
    folds = version.record["backtest"]["folds"]
    numbers = [{k: v for k, v in fold["model"].items() if isinstance(v, int | float)} for fold in folds]
    return Record(
        version=version.version,
        at=datetime.fromisoformat(version.trained_at),
        files=files | _plots(versions, version.record["backtest"]),
        parameters=version.record["parameters"],
        metrics=numbers[-1] if numbers else {},
        fold_metrics=numbers,
        tags={
            "code": version.record["code"],
            "trained_at": version.trained_at,
            "promoted": str(version.promoted).lower(),
            "verdict": version.verdict,
        },
    )


def _plots(versions: Versions, document: dict[str, Any]) -> dict[str, str]:
    """The newest fold's charts as SVG files; none where no fold has both outcomes."""
    predictions = backtest.newest_predictions(versions.store, document) if document["folds"] else None
    if predictions is None or predictions["label"].nunique() < 2:
        return {}
    baselines = list(document["folds"][-1]["baselines"])
    shown, words = predictions[["label", "churn_probability", *baselines]], Words("en")
    charts = [*quality.ranking(shown, words), quality.calibration(shown, words)]
    opening = '<svg xmlns="http://www.w3.org/2000/svg" '
    return {f"plots/{chart.name}.svg": chart.svg.replace("<svg ", opening, 1) for chart in charts}
