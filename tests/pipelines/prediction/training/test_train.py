"""What is deleted and can be made again is made again, and is the same."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from features.errors import IntegrityError, TrainingError
from models import sampling
from pipelines.foundation.workspace.workspace import Workspace, open_workspace
from pipelines.prediction.training.model_card import FILE_NAME
from pipelines.prediction.training.publish import record_of
from tests.pipelines.shop_case import FORMULA
from tests.pipelines.stage_case import registry_of, score, train

NOW = datetime(2026, 1, 5, tzinfo=UTC)


@pytest.fixture
def workspace(finished_workspace: Path, tmp_path: Path) -> Workspace:
    copy = tmp_path / "shop"
    shutil.copytree(finished_workspace, copy)
    return open_workspace(copy, now=NOW)


def test_a_deleted_local_copy_comes_back_byte_for_byte(workspace: Workspace) -> None:
    champion = workspace.versions.champion()
    place = workspace.root / "models" / champion.version / "booster.txt"
    before = place.read_bytes()
    place.unlink()
    with pytest.raises(TrainingError, match="run `attrition train` again"):
        workspace.versions.load(champion.version)
    assert train(workspace, now=NOW).version.version == champion.version
    assert place.read_bytes() == before


def test_an_altered_local_copy_is_refused_by_name_even_so(workspace: Workspace) -> None:
    champion = workspace.versions.champion()
    place = workspace.root / "models" / champion.version / "booster.txt"
    place.write_bytes(place.read_bytes()[:-1])
    with pytest.raises(IntegrityError, match=r"booster\.txt"):
        workspace.versions.load(champion.version)


def test_a_deleted_snapshot_is_computed_again_byte_for_byte(workspace: Workspace) -> None:
    (place,) = (workspace.root / "snapshots").glob(f"{workspace.as_of}-*.parquet")
    before = place.read_bytes()
    place.unlink()
    assert score(workspace, now=NOW).unchanged
    assert place.read_bytes() == before


def test_with_little_memory_it_learns_from_fewer_rows_and_the_model_card_says_so(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    everything = workspace.versions.champion().record["parameters"]
    assert everything["rows_known"] == everything["rows"]
    monkeypatch.setattr(sampling, "FEWEST", 1_500)
    monkeypatch.setattr(sampling, "LEAST", 20)
    little = Workspace(
        workspace.root, workspace.settings.model_copy(update={"memory_gib": 0.1}), workspace.as_of, workspace.today
    )
    trained = train(little, now=NOW)
    assert not trained.unchanged  # a bound that the settings have names a training
    told = trained.version.record["parameters"]
    assert told["rows_known"] == everything["rows"]
    assert 1_500 <= told["rows"] < 1_500 + 40 * told["snapshots"]
    said = f"- {told['rows']:,} rows, drawn from {told['rows_known']:,} to fit into memory"
    assert said in card_of(workspace, trained.version.version)
    assert "drawn from" not in card_of(workspace, workspace.versions.champion().version)


def card_of(workspace: Workspace, version: str) -> str:
    return (workspace.root / "models" / version / FILE_NAME).read_text(encoding="utf-8")


def test_without_a_server_mlflow_is_a_file_of_the_workspace(workspace: Workspace) -> None:
    registry = registry_of(workspace)
    assert registry.uri == f"sqlite:///{workspace.root.resolve()}/mlflow.sqlite"
    assert registry.artifacts == workspace.root / "mlflow_artifacts"


def test_what_mlflow_gets_holds_no_secret_and_no_customer(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    secrets = {
        "MLFLOW_TRACKING_USERNAME": "SECRET-user",
        "MLFLOW_TRACKING_PASSWORD": "SECRET-password",
        "ATTRITION_PSEUDONYM_KEY": "SECRET-key-of-pseudonyms",
    }
    for name, secret in secrets.items():
        monkeypatch.setenv(name, secret)
    version = workspace.versions.champion()
    told = record_of(workspace.versions, version)
    assert told.version == version.version  # the name of the run
    assert {*told.files, *told.model} >= {"settings.json", "data.json", "model_card.md", "model.json", "booster.txt"}
    everything = repr(told)
    assert "SECRET" not in everything
    assert "C-0" not in everything
    assert FORMULA not in everything
