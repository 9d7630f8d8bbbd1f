"""What MLflow is told of a workspace's model, and that it answers as `attrition score` does."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import mlflow
import numpy as np
import pytest
from mlflow import MlflowClient

from models.frames import as_frame
from models.tracking.runs import FOLD_TAG
from pipelines.foundation.ledger.score_store import ScoreStore
from pipelines.foundation.settings.tracking import Tracking
from pipelines.foundation.storage.fingerprint import library_version
from pipelines.foundation.workspace.workspace import Workspace, open_workspace
from pipelines.prediction.training import publish
from pipelines.prediction.training.publish import record_of
from pipelines.prediction.training.task import main_task
from tests.pipelines.shop_case import FORMULA

NOW = datetime(2026, 1, 5, tzinfo=UTC)


@pytest.fixture
def moved(finished_workspace: Path, tmp_path: Path) -> Iterator[Workspace]:
    """A finished workspace at another place than where it ran, which MLflow is asked through."""
    before = mlflow.get_tracking_uri()
    copy = shutil.copytree(finished_workspace, tmp_path / "moved here")
    mlflow.set_tracking_uri(f"sqlite:///{copy}/mlflow.sqlite")
    yield open_workspace(copy, now=NOW)
    mlflow.set_tracking_uri(before)


def test_pyfunc_booster_and_the_scores_that_were_handed_over_agree_to_the_last_digit(moved: Workspace) -> None:
    task, uri = main_task(moved), "models:/attrition@champion"
    fitted = task.versions.load(task.versions.champion().version)
    rows = fitted.levelled(task.snapshots.at(moved.as_of).matrix())
    found = mlflow.pyfunc.load_model(uri).predict(as_frame(rows))
    current = ScoreStore(moved.store).current()
    assert current is not None
    run, scores = current
    handed_over = scores.set_index("customer_id").loc[list(rows.customers), "churn_probability"].to_numpy()
    assert run.as_of == str(moved.as_of)
    assert len(rows) > 200
    assert (found == handed_over).all()
    booster = mlflow.lightgbm.load_model(uri)
    assert (replace(fitted, booster=booster).probability(rows) == handed_over).all()
    order = np.random.default_rng(0).permutation(len(rows))[:50]
    assert (mlflow.pyfunc.load_model(uri).predict(as_frame(rows).iloc[order]) == handed_over[order]).all()


def test_tables_of_mlflow_are_made_once_a_machine_and_release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    monkeypatch.setattr(publish, "empty_database", lambda: b"tables")
    (tmp_path / "one").mkdir()
    publish.registry_of(Tracking(), tmp_path / "one")
    monkeypatch.setattr(publish, "empty_database", lambda: b"other tables")
    right = library_version
    for folder, version, tables in (("two", None, b"tables"), ("three", "0", b"other tables")):
        monkeypatch.setattr(publish, "library_version", lambda name, version=version: version or right(name))
        (tmp_path / folder).mkdir()
        publish.registry_of(Tracking(), tmp_path / folder)
        assert (tmp_path / folder / "mlflow.sqlite").read_bytes() == tables


def test_a_run_has_all_parameters_figures_data_words_and_pictures(moved: Workspace) -> None:
    client = MlflowClient()
    version = client.get_model_version_by_alias("attrition", "champion")
    run = client.get_run(version.run_id or "")
    assert {
        "training.seed",
        "outcome.horizon_days",
        "lightgbm.objective",
        "lightgbm.num_leaves",
    } <= run.data.params.keys()
    assert sum(name.startswith("lightgbm.") for name in run.data.params) > 80
    assert run.data.params["lightgbm.learning_rate"] == "0.03"
    assert run.data.tags.items() >= {"outcome": "inactivity", "horizon_days": "60", "cohort": "ordered_within"}.items()
    assert run.inputs is not None
    assert [each.dataset.name for each in run.inputs.dataset_inputs] == ["training rows", "table orders"]
    assert all(re.fullmatch("[0-9a-f]{16,32}", each.dataset.digest) for each in run.inputs.dataset_inputs)
    assert "The chance of placing no order in the 60 days" in (version.description or "")
    assert "ROC AUC 0." in (version.description or "")
    plots = {each.path for each in client.list_artifacts(run.info.run_id, "plots")}
    assert plots >= {f"plots/{name}.svg" for name in ("chart-calibration", "chart-lift", "shap-summary")}
    assert sum(name.startswith("plots/shap-dependence-") for name in plots) >= 3
    folds = client.search_runs(
        [run.info.experiment_id], f"tags.`{FOLD_TAG}` LIKE '{moved.versions.champion().version}/%'"
    )
    document = moved.versions.champion().record["backtest"]["folds"]
    assert {each.data.params["snapshot_on"] for each in folds} == {fold["snapshot_on"] for fold in document}
    losses = {each.data.params["snapshot_on"]: each.data.metrics["log_loss"] for each in folds}
    assert losses == {fold["snapshot_on"]: fold["model"]["log_loss"] for fold in document}
    assert all(each.data.tags["mlflow.parentRunId"] == run.info.run_id for each in folds)
    assert all("logistic_regression_log_loss" in each.data.metrics for each in folds)


def test_mlflow_holds_no_customer_and_no_row_of_one(moved: Workspace) -> None:
    rows = main_task(moved).snapshots.at(moved.as_of).matrix()
    places = [
        moved.root / "mlflow.sqlite",
        *(path for path in (moved.root / "mlflow_artifacts").rglob("*") if path.is_file()),
    ]
    assert len(places) > 20
    column = rows.values[:, rows.columns.index("order_value_90d")]
    values = {f"{value:.2f}" for value in column if value > 100 and not float(value).is_integer()}
    assert len(values) > 50
    for place in places:
        text = place.read_bytes().decode("utf-8", errors="replace")
        assert "C-0" not in text, place
        assert FORMULA not in text, place
        if place.suffix in {".json", ".md"} and place.name != "model.json":
            assert not values & set(re.findall(r"\d+\.\d\d\b", text)), place


def test_a_version_of_before_shap_summaries_were_kept_is_published_without(moved: Workspace) -> None:
    version = moved.versions.champion()
    older = {name: value for name, value in version.record.items() if name != "explained"}
    told = record_of(moved.versions, replace(version, record=older))
    assert not any("shap" in name for name in told.files)
    assert "plots/chart-lift.svg" in told.files
