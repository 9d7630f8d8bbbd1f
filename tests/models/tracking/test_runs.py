"""What MLflow shows of a version: folds under it, the rows that it read, words; each once."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import mlflow
import pytest
from mlflow import MlflowClient

from models import artifact
from models.frames import as_frame
from models.tracking.record import DataSet, Fold, Record
from models.tracking.registry import CHAMPION, LAYOUT_TAG, Registry, empty_database
from models.tracking.runs import FOLD_TAG, VERSION_TAG
from tests.models.model_case import fitted, unseen_rows

FILES = artifact.to_files(fitted())
ROWS = DataSet(
    name="training rows", digest="5fd2", context="training", about={"of": "a shop"}, rows=3000, columns={"a": "double"}
)
RECORD = Record(
    version=artifact.version(FILES),
    at=datetime(2025, 6, 1, 6, tzinfo=UTC),
    files={"model_card.md": "# Model", "plots/lift.svg": "<svg/>"},
    parameters={"training.seed": 7, **{f"lightgbm.p{number}": number for number in range(150)}},
    metrics={"roc_auc": 0.81},
    fold_metrics=[{"roc_auc": 0.79}, {"roc_auc": 0.81}],
    tags={"outcome": "inactivity"},
    model=FILES,
    fitted=artifact.from_files(FILES),
    folds=[
        Fold(
            day=day,
            parameters={"rows": 500},
            metrics={"roc_auc": roc_auc, "recency_roc_auc": 0.7},
            data=[DataSet(name=f"customers at risk on {day}", digest=day, context="testing", about={}, rows=500)],
        )
        for day, roc_auc in (("2025-01-01", 0.79), ("2025-02-01", 0.81))
    ],
    data=[ROWS],
    description="The chance of placing no order.",
    about="Probabilities of one outcome.",
)


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    (tmp_path / "mlflow.sqlite").write_bytes(empty_database())
    return Registry(uri=f"sqlite:///{tmp_path}/mlflow.sqlite", experiment="attrition", artifacts=tmp_path / "files")


def client_of(registry: Registry) -> MlflowClient:
    return MlflowClient(tracking_uri=registry.uri, registry_uri=registry.uri)


def test_a_version_is_laid_out_as_mlflows_users_expect_however_often_it_is_published(registry: Registry) -> None:
    registry.publish(RECORD, aliases=[CHAMPION])
    client = client_of(registry)
    (first,) = client.search_runs(["1"], f"tags.`{FOLD_TAG}` = '{RECORD.version}/2025-01-01'")
    client.set_tag(first.info.run_id, "mlflow.parentRunId", "a run that was there twice")
    client.delete_model_version_tag("attrition", "1", LAYOUT_TAG)  # as if broken off at the very end
    registry.publish(
        replace(RECORD, parameters={**RECORD.parameters, "training.seed": 8, "more": 1}), aliases=[CHAMPION]
    )

    experiment = client.get_experiment_by_name("attrition")
    assert experiment is not None
    assert experiment.artifact_location == "attrition:/files"
    assert experiment.tags["mlflow.experimentKind"] == "custom_model_development"
    runs = {run.info.run_name: run for run in client.search_runs([experiment.experiment_id])}
    assert set(runs) == {RECORD.version, "fold of 2025-01-01", "fold of 2025-02-01"}
    parent = runs[RECORD.version]
    assert parent.data.params == {name: str(value) for name, value in RECORD.parameters.items()} | {"more": "1"}
    assert parent.data.tags["mlflow.note.content"] == RECORD.description
    assert parent.inputs is not None
    (told,) = parent.inputs.dataset_inputs
    assert (told.dataset.name, told.dataset.digest, told.tags[0].value) == ("training rows", "5fd2", "training")
    assert json.loads(told.dataset.profile or "") == {"num_rows": 3000, "num_columns": 1}
    assert json.loads(parent.data.tags["mlflow.log-model.history"])[0]["artifact_path"] == "model"

    for fold in RECORD.folds:
        run = runs[f"fold of {fold.day}"]
        assert run.data.tags["mlflow.parentRunId"] == parent.info.run_id
        assert run.data.metrics == fold.metrics
        assert run.data.params == {"rows": "500"}
        assert run.inputs is not None
        assert run.inputs.dataset_inputs[0].dataset.digest == fold.day
        assert {run.info.status, parent.info.status} == {"FINISHED"}

    (version,) = client.search_model_versions("name = 'attrition'")
    assert version.tags == {VERSION_TAG: RECORD.version, LAYOUT_TAG: "2", **RECORD.tags}
    assert version.description == RECORD.description
    assert client.get_registered_model("attrition").description == RECORD.about


def test_the_champion_is_loaded_by_its_alias_also_once_the_folder_was_moved(registry: Registry, tmp_path: Path) -> None:
    registry.publish(RECORD, aliases=[CHAMPION])
    moved = tmp_path.rename(tmp_path.with_name(f"{tmp_path.name}-moved"))
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(f"sqlite:///{moved}/mlflow.sqlite")
    try:
        loaded = mlflow.pyfunc.load_model("models:/attrition@champion")
        booster = mlflow.lightgbm.load_model("models:/attrition@champion")
    finally:
        mlflow.set_tracking_uri(before)
        moved.rename(tmp_path)
    rows = fitted().levelled(unseen_rows())
    expected = fitted().probability(rows)
    assert (loaded.predict(as_frame(rows)) == expected).all()
    assert (replace(fitted(), booster=booster).probability(rows) == expected).all()


def test_words_that_a_person_wrote_are_kept(registry: Registry) -> None:
    registry.publish(RECORD, aliases=[])
    client_of(registry).update_registered_model("attrition", "ours, since 2024")
    registry.publish(replace(RECORD, version="bbbbbbbbbbbb", fitted=None), aliases=[])
    assert client_of(registry).get_registered_model("attrition").description == "ours, since 2024"


def test_a_run_of_an_earlier_release_gets_what_it_lacks_and_a_place_that_moves_along(
    registry: Registry, tmp_path: Path
) -> None:
    """As it was published before: an absolute place, texts in the model's folder, no more."""
    client = client_of(registry)
    experiment = client.create_experiment("attrition", artifact_location=(tmp_path / "files").as_uri())
    run = client.create_run(experiment, run_name=RECORD.version, tags={VERSION_TAG: RECORD.version})
    client.log_param(run.info.run_id, "training.seed", 5)
    client.log_text(run.info.run_id, FILES["model.json"], "model/model.json")
    client.create_registered_model("attrition")
    source = f"runs:/{run.info.run_id}/model"
    client.create_model_version("attrition", source, run.info.run_id, tags={VERSION_TAG: RECORD.version})
    assert registry.publish(RECORD, aliases=[CHAMPION]) == "1"
    found = client.get_run(run.info.run_id)
    assert found.data.params["training.seed"] == "5"
    assert found.data.params["lightgbm.p3"] == "3"
    assert found.info.artifact_uri == f"attrition:/files/{run.info.run_id}/artifacts"
    assert {each.path for each in client.list_artifacts(run.info.run_id, "model")} >= {
        "model/MLmodel",
        "model/model.json",
    }
    assert len(client.search_runs([experiment], f"tags.`{FOLD_TAG}` LIKE '%'")) == 2
    with sqlite3.connect(tmp_path / "mlflow.sqlite") as database:
        assert database.execute("SELECT count(*) FROM runs WHERE artifact_uri LIKE 'file:%'").fetchone() == (0,)
    database.close()
