"""Trained versions to MLflow: what it is told of each, and the aliases; nothing of any one customer."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from features.outcomes import OUTCOMES
from models import artifact
from models.shap_summary import Explained
from models.tracking.record import DataSet, Fold, Record
from models.tracking.registry import CHALLENGER, CHAMPION, Registry, TrackingError, empty_database
from pipelines.foundation.ledger.model_versions import Version, Versions
from pipelines.foundation.settings.tracking import Tracking
from pipelines.foundation.storage import machine_cache
from pipelines.foundation.storage.atomic_file import atomic_write
from pipelines.foundation.storage.fingerprint import fingerprint, library_version
from pipelines.foundation.storage.workspace_paths import ARTIFACTS, TRACKING
from pipelines.foundation.wording.words import Words
from pipelines.prediction.charts import explained, quality
from pipelines.prediction.charts.sheet import Chart
from pipelines.prediction.training import backtest, model_card

_KEPT = "mlflow"
_MOST = 1 << 20  # bytes of MLflow's tables that a machine keeps, of some releases
_DIGITS = 32  # of a digest: MLflow keeps up to 36 letters
_ABOUT = (
    "Probabilities of one outcome, {outcome}: 0 to 1, calibrated. The alias `champion` is the version that "
    "`attrition score` uses, `challenger` the newest one. The rows that `predict` reads are those of "
    "`models.frames.as_frame`; docs/mlflow.md shows how to get them."
)


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
            registry.publish(record_of(versions, version), aliases=aliases)
            versions.mark_published(version.version)
    except TrackingError as error:
        return str(error)
    return None


def registry_of(plan: Tracking, root: Path) -> Registry:
    """MLflow as the settings name it: a server, or a file of this workspace, which is made unless it is there."""
    if plan.uri:
        return Registry(uri=plan.uri, experiment=plan.experiment)
    place = (root / TRACKING).resolve()
    if not place.exists():
        with atomic_write(place) as temporary:
            temporary.write_bytes(_empty_database())
    return Registry(uri=f"sqlite:///{place}", experiment=plan.experiment, artifacts=root / ARTIFACTS)


def _empty_database() -> bytes:
    """MLflow's tables, made once a machine and release of it."""
    name = f"{_KEPT}/{fingerprint(library_version('alembic'), by=('models.tracking.registry',))}"
    found = machine_cache.read(name)
    if found is None:
        found = empty_database()
        machine_cache.write(name, found)
        machine_cache.bound(_KEPT, _MOST)
    return found


def record_of(versions: Versions, version: Version) -> Record:
    """All that MLflow is told of a version: figures, settings, charts of groups, the model itself in two texts."""
    model = versions.files(version.version)
    record = version.record
    files = {model_card.FILE_NAME: model_card.model_card(version, model[artifact.MODEL])}
    for name in ("settings", "data", "schema", "backtest"):
        files[f"{name}.json"] = json.dumps(record[name], indent=1, sort_keys=True)
    numbers = [_numbers(fold["model"]) for fold in record["backtest"]["folds"]]
    return Record(
        version=version.version,
        at=datetime.fromisoformat(version.trained_at),
        files=files | _plots(versions, record["backtest"]) | _explained(record.get("explained", [])),
        parameters=record["parameters"],
        metrics=numbers[-1] if numbers else {},
        fold_metrics=numbers,
        tags={
            "code": record["code"],
            "trained_at": version.trained_at,
            "promoted": str(version.promoted).lower(),
            "verdict": version.verdict,
            "outcome": record["settings"]["outcome"]["kind"],
            "horizon_days": str(record["settings"]["outcome"]["horizon_days"]),
            "lead_days": str(record["settings"]["outcome"]["lead_days"]),
            "cohort": record["settings"]["cohort"]["kind"],
            "as_of": str(record["parameters"]["as_of"]),
        },
        model=model,
        fitted=versions.load(version.version),
        folds=[_fold(record["backtest"], fold) for fold in record["backtest"]["folds"]],
        data=_data(version),
        description=_description(version),
        about=_ABOUT.format(outcome=OUTCOMES[record["settings"]["outcome"]["kind"]].happens),
    )


def _numbers(figures: Mapping[str, Any], prefix: str = "") -> dict[str, float]:
    return {f"{prefix}{name}": value for name, value in figures.items() if isinstance(value, int | float)}


def _fold(document: Mapping[str, Any], fold: Mapping[str, Any]) -> Fold:
    """Its rows are known by the name of the backtest, which is made of all that it read."""
    day, others = fold["snapshot_on"], dict[str, float]()
    for name, figures in fold["baselines"].items():
        others |= _numbers(figures, f"{name}_")
    return Fold(
        day=day,
        parameters={name: fold[name] for name in ("snapshot_on", "rows", "train_rows", "train_first", "train_last")},
        metrics=_numbers(fold["model"]) | others,
        data=[
            DataSet(
                name=f"customers at risk on {day}",
                digest=_digest(f"{document['predictions']} {day}"),
                context="testing",
                about={"snapshot": day},
                rows=fold["rows"],
            )
        ],
    )


def _data(version: Version) -> list[DataSet]:
    """The rows that it learned from, and the landed tables under them. made_from: of data, settings and code."""
    record = version.record
    learned = DataSet(
        name="training rows",
        digest=version.made_from[:_DIGITS],
        context="training",
        about={"as_of": record["parameters"]["as_of"], "snapshots": record["parameters"]["snapshots"]},
        rows=record["parameters"]["rows"],
        columns={each["name"]: "double" for each in record["schema"]},
    )
    tables: dict[str, list[Mapping[str, Any]]] = {}
    for file in record["data"]:
        tables.setdefault(file["table"], []).append(file)
    return [
        learned,
        *(
            DataSet(
                name=f"table {name}",
                digest=_digest(" ".join(sorted(file["sha256"] for file in files))),
                context="source",
                about={"files": len(files)},
                rows=sum(file["landed"] for file in files),
            )
            for name, files in sorted(tables.items())
        ),
    ]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]


def _description(version: Version) -> str:
    record, outcome = version.record, version.record["settings"]["outcome"]
    learned, cohort = record["parameters"], record["settings"]["cohort"]
    whom = model_card.COHORTS[cohort["kind"]].format(days=cohort["active_days"])
    told = [f"The chance of {OUTCOMES[outcome['kind']].happens} in the {outcome['horizon_days']} days that start "]
    told[0] += f"{outcome['lead_days']} days after the day of the score, for {whom}."
    told.append(
        f"Learned from {learned['rows']:,} rows at {learned['snapshots']} snapshots, seen on {learned['as_of']}."
    )
    if record["backtest"]["folds"]:
        newest = record["backtest"]["folds"][-1]
        figures = ", ".join(
            f"{words} {newest['model'][name]:.4f}"
            for name, words in model_card.METRICS
            if newest["model"].get(name) is not None
        )
        told.append(f"On {newest['snapshot_on']}, by a model that had seen none of it: {figures}.")
    told.append(f"{'Promoted' if version.promoted else 'Not promoted'}: {version.verdict}.")
    return "\n\n".join([*told, f"All of it, with its limits: {model_card.FILE_NAME} among the run's artifacts."])


def _plots(versions: Versions, document: dict[str, Any]) -> dict[str, str]:
    """The newest fold's charts as SVG files; none where no fold has both outcomes."""
    predictions = backtest.newest_predictions(versions.store, document) if document["folds"] else None
    if predictions is None or predictions["label"].nunique() < 2:
        return {}
    baselines = list(document["folds"][-1]["baselines"])
    shown, words = predictions[["label", "churn_probability", *baselines]], Words("en")
    return _files([*quality.ranking(shown, words), quality.calibration(shown, words)])


def _explained(found: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    return _files(explained.charts([Explained.from_json(each) for each in found], Words("en")))


def _files(charts: Sequence[Chart]) -> dict[str, str]:
    opening = '<svg xmlns="http://www.w3.org/2000/svg" '
    return {f"plots/{chart.name}.svg": chart.svg.replace("<svg ", opening, 1) for chart in charts}
