"""Runs in MLflow: each thing once, however often a run was broken off and gone on with."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models.tracking.record import DataSet, Fold, Record

if TYPE_CHECKING:
    from mlflow import MlflowClient

VERSION_TAG = "attrition.version"
FOLD_TAG = "attrition.fold"
FOLDER = "model"
NOTE = "mlflow.note.content"
_PARENT = "mlflow.parentRunId"
_MODELS = "mlflow.log-model.history"  # by which MLflow's page knows that a folder is a model
_AT_ONCE = 100  # parameters that MLflow takes in one call


def log(client: MlflowClient, experiment_id: str, record: Record) -> str:
    """The run of a version, with everything in it, and one under it per fold.

    One that was broken off is gone on with, so that there is never a second.
    """
    tags = {VERSION_TAG: record.version, NOTE: record.description, **record.tags}
    at = _milliseconds(record)
    run_id = _only(client, experiment_id, VERSION_TAG, tags, name=record.version, at=at)
    points = [
        (f"fold_{name}", value, step) for step, fold in enumerate(record.fold_metrics) for name, value in fold.items()
    ]
    _figures(client, run_id, record.parameters, [*((*each, 0) for each in record.metrics.items()), *points], at)
    _inputs(client, run_id, record.data)
    for fold in record.folds:
        _fold(client, experiment_id, record, fold, parent=run_id)
    with tempfile.TemporaryDirectory() as folder:
        for name, text in record.files.items():
            file = Path(folder) / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        if record.fitted is not None:
            from models.tracking import mlflow_model

            place = Path(folder) / FOLDER
            noted = mlflow_model.write(place, record.model, record.fitted, version=record.version)
            noted |= {"run_id": run_id, "artifact_path": FOLDER}
            client.set_tag(run_id, _MODELS, json.dumps([noted]))
        client.log_artifacts(run_id, folder)
    for name, value in tags.items():
        client.set_tag(run_id, name, value)
    client.set_terminated(run_id)
    return run_id


def _fold(client: MlflowClient, experiment_id: str, record: Record, fold: Fold, *, parent: str) -> None:
    name = f"{record.version}/{fold.day}"
    tags = {FOLD_TAG: name, _PARENT: parent}
    run_id = _only(client, experiment_id, FOLD_TAG, tags, name=f"fold of {fold.day}", at=_milliseconds(record))
    client.set_tag(run_id, _PARENT, parent)
    _figures(client, run_id, fold.parameters, [(*each, 0) for each in fold.metrics.items()], _milliseconds(record))
    _inputs(client, run_id, fold.data)
    client.set_terminated(run_id)


def _only(client: MlflowClient, experiment_id: str, tag: str, tags: Mapping[str, str], *, name: str, at: int) -> str:
    """The one run that a tag names, made unless it is there."""
    asked = f"tags.`{tag}` = '{tags[tag]}'"
    if not client.search_runs([experiment_id], asked):
        client.create_run(experiment_id, start_time=at, run_name=name, tags=dict(tags))
    # An answer that was lost on its way makes MLflow's client ask again, and the server do it again.
    run_id, *twice = sorted(each.info.run_id for each in client.search_runs([experiment_id], asked))
    for other in twice:
        client.delete_run(other)
    return str(run_id)


def _figures(
    client: MlflowClient,
    run_id: str,
    parameters: Mapping[str, Any],
    points: Sequence[tuple[str, float, int]],
    at: int,
) -> None:
    """Parameters that the run has already stay as they are: MLflow takes none twice with another value."""
    from mlflow.entities import Metric, Param

    there = client.get_run(run_id).data.params
    params = [Param(name, str(value)) for name, value in parameters.items() if name not in there]
    # The same values at the same time are taken for the same, however often they are logged.
    metrics = [Metric(name, value, at, step) for name, value, step in points]
    for first in range(0, max(len(metrics), len(params)), _AT_ONCE):
        batch = slice(first, first + _AT_ONCE)
        client.log_batch(run_id, metrics=metrics[batch], params=params[batch])


def _inputs(client: MlflowClient, run_id: str, data: Sequence[DataSet]) -> None:
    from mlflow.entities import Dataset, DatasetInput, InputTag

    inputs = [
        DatasetInput(
            Dataset(
                each.name,
                each.digest,
                "code",
                json.dumps({"tags": dict(each.about)}),
                schema=each.schema,
                profile=each.profile,
            ),
            [InputTag("mlflow.data.context", each.context)],
        )
        for each in data
    ]
    if inputs:
        client.log_inputs(run_id, inputs)


def _milliseconds(record: Record) -> int:
    return int(record.at.timestamp() * 1000)
