"""`attrition train`: fit on what has matured, judge against the champion, keep, and tell MLflow."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from models import artifact, training
from models.registry import CHALLENGER, CHAMPION, Record, Registry, TrackingError, make_database
from models.training import Fitted
from pipelines.data.snapshots.features import families_here, outcome_file, training_matrix
from pipelines.foundation.ledger.model_versions import Version, Versions
from pipelines.foundation.storage import documents
from pipelines.foundation.storage.atomic_file import atomic_write
from pipelines.foundation.storage.fingerprint import code_version, fingerprint
from pipelines.foundation.wording.words import Words
from pipelines.foundation.workspace.workspace import Workspace
from pipelines.prediction.charts import quality as charts_of_quality
from pipelines.prediction.training import backtest, champion, model_card
from pipelines.prediction.training.backtest import fit, limits


@dataclass(frozen=True)
class Trained:
    """unchanged: data, settings and code were those of this version. unpublished: why MLflow lacks it, or None."""

    version: Version
    unchanged: bool
    unpublished: str | None


def train(
    workspace: Workspace,
    *,
    now: datetime,
    tested: Mapping[str, Any] | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> Trained:
    """Train a challenger on the snapshots matured by `as_of`, decide on promotion, and publish it.

    A tracking server that is away does not stop training: the version is published by the next run that finds it there.
    """
    versions = workspace.versions
    days = workspace.training_days(workspace.as_of)
    made_from = _made_from(workspace, days)
    found = versions.made_from(made_from)
    if found is None or not versions.has_copy(found.version):
        rows = training.refuse_unfit(training_matrix(workspace, days, progress=progress), limits(workspace))
        fitted = fit(workspace, rows, progress=progress)
        files = artifact.to_files(fitted)
        name = artifact.version(files)
        versions.keep(files, name)
        if found is not None and found.version == name:  # its local copy was gone and is back
            return Trained(found, unchanged=False, unpublished=publish(workspace, versions))
        verdict = champion.verdict(workspace, rows)
        record = {
            "parameters": _parameters(workspace, fitted),
            "settings": json.loads(workspace.settings.model_dump_json()),
            "data": [
                {"path": file.path, "sha256": file.sha256, **file.detail} for file in workspace.store.files("landed")
            ],
            "code": code_version(),
            "schema": _schema(workspace, fitted),
            "backtest": {"folds": [], "skipped": []} if tested is None else dict(tested),
            "promotion": documents.finite([asdict(gate) for gate in verdict.gates]),
        }
        version = Version(name, made_from, now.isoformat(), verdict.promote, verdict.reason, record, published=False)
        versions.keep({model_card.FILE_NAME: model_card.model_card(version, files[artifact.MODEL])}, name)
        versions.add(version)
        return Trained(versions.named(name), unchanged=False, unpublished=publish(workspace, versions))
    return Trained(found, unchanged=True, unpublished=publish(workspace, versions))


def publish(workspace: Workspace, versions: Versions) -> str | None:
    """Send every version that MLflow lacks, oldest first, and set the aliases; why it could not be done, or None."""
    waiting = [version for version in versions.all() if not version.published]
    if not waiting:
        return None
    try:
        registry = registry_of(workspace)
        for version in waiting:
            aliases = [
                alias
                for alias in (CHAMPION, CHALLENGER)
                if (pointed := versions.aliased(alias)) is not None and pointed.version == version.version
            ]
            registry.publish(_record(workspace, version), aliases=aliases)
            versions.mark_published(version.version)
    except TrackingError as error:
        return str(error)
    return None


def registry_of(workspace: Workspace) -> Registry:
    """MLflow as the settings name it: a server, or a file of this workspace, which is made unless it is there."""
    plan = workspace.settings.tracking
    if plan.uri:
        return Registry(uri=plan.uri, experiment=plan.experiment)
    place = (workspace.root / "mlflow.sqlite").resolve()
    if not place.exists():
        with atomic_write(place) as temporary:
            make_database(temporary)
    return Registry(uri=f"sqlite:///{place}", experiment=plan.experiment, artifacts=workspace.root / "mlflow_artifacts")


def _made_from(workspace: Workspace, days: list[date]) -> str:
    stored = [outcome_file(workspace, day) for day in days]
    settings = workspace.settings
    parts = {
        "kind": settings.outcome.kind,
        "outcomes": [file.path for file in stored if file],
        "training": settings.training.model_dump(exclude={"threads"}),
        "code": code_version("features", "models"),
    }
    return fingerprint(parts)


def _parameters(workspace: Workspace, fitted: Fitted) -> dict[str, Any]:
    return {
        **{f"training.{name}": value for name, value in workspace.settings.training.model_dump().items()},
        **{f"outcome.{name}": value for name, value in workspace.settings.outcome.model_dump().items()},
        "as_of": str(workspace.as_of),
        "rounds": fitted.rounds,
        "rows": fitted.rows,
        "snapshots": len(fitted.snapshots),
        **{f"calibrator.{name}": value for name, value in asdict(fitted.calibrator).items()},
    }


def _schema(workspace: Workspace, fitted: Fitted) -> list[dict[str, Any]]:
    """One entry per model column: its type, unit, and what null means; columns of the start model have no unit."""
    known = {
        column: {
            "family": family.name,
            "unit": indicator.unit,
            "null": indicator.null,
            "direction": indicator.direction,
        }
        for family in families_here(workspace)
        for indicator in family.indicators
        for column in indicator.columns(workspace.settings.lookback_days)
    }
    return [{"name": name, "type": "float64", **known.get(name, {"family": "start_model"})} for name in fitted.columns]


def _record(workspace: Workspace, version: Version) -> Record:
    files = workspace.versions.files(version.version)
    files[model_card.FILE_NAME] = model_card.model_card(version, files[artifact.MODEL])
    for name in ("settings", "data", "schema", "backtest"):
        files[f"{name}.json"] = json.dumps(version.record[name], indent=1, sort_keys=True)
    folds = version.record["backtest"]["folds"]
    numbers = [{k: v for k, v in fold["model"].items() if isinstance(v, int | float)} for fold in folds]
    return Record(
        version=version.version,
        at=datetime.fromisoformat(version.trained_at),
        files=files | _plots(workspace, version.record["backtest"]),
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


def _plots(workspace: Workspace, document: dict[str, Any]) -> dict[str, str]:
    """The newest fold's charts as SVG files; none where no fold has both outcomes."""
    predictions = backtest.newest_predictions(workspace, document) if document["folds"] else None
    if predictions is None or predictions["label"].nunique() < 2:
        return {}
    baselines = list(document["folds"][-1]["baselines"])
    shown, words = predictions[["label", "churn_probability", *baselines]], Words("en")
    charts = [*charts_of_quality.ranking(shown, words), charts_of_quality.calibration(shown, words)]
    opening = '<svg xmlns="http://www.w3.org/2000/svg" '
    return {f"plots/{chart.name}.svg": chart.svg.replace("<svg ", opening, 1) for chart in charts}
