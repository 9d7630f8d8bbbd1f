"""Files of a run lie beside the SQLite file that is asked, and nowhere else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import mlflow
import pytest
from mlflow import MlflowClient
from mlflow.artifacts import download_artifacts
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

from models.tracking.artifacts import WorkspaceArtifacts, place
from models.tracking.places import home
from models.tracking.registry import empty_database


def uri(folder: Path) -> str:
    return f"sqlite:///{folder}/mlflow.sqlite"


def test_mlflow_knows_the_scheme_in_every_process() -> None:
    found = get_artifact_repository("attrition:/files/run/artifacts", tracking_uri="sqlite:////srv/shop/mlflow.sqlite")
    assert isinstance(found, WorkspaceArtifacts)
    assert Path(found.artifact_dir) == Path("/srv/shop/files/run/artifacts")


def test_a_run_finds_its_files_after_the_folder_was_moved(tmp_path: Path) -> None:
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "mlflow.sqlite").write_bytes(empty_database())
    client = MlflowClient(uri(folder))
    run = client.create_run(client.create_experiment("attrition", artifact_location=home("files")))
    client.log_text(run.info.run_id, "hello", "deep/words.txt")
    assert (folder / "files" / run.info.run_id / "artifacts/deep/words.txt").read_text() == "hello"
    moved = folder.rename(tmp_path / "elsewhere with a blank")
    found = download_artifacts(run_id=run.info.run_id, artifact_path="deep/words.txt", tracking_uri=uri(moved))
    assert Path(found).read_text() == "hello"


def test_a_server_looks_beside_the_file_that_it_was_started_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_MLFLOW_SERVER_FILE_STORE", "sqlite:////srv/shop/mlflow.sqlite")
    assert place("attrition:/files/run", None) == Path("/srv/shop/files/run")


def test_what_leads_out_is_refused(tmp_path: Path) -> None:
    (tmp_path / "shop/files").mkdir(parents=True)
    (tmp_path / "shop/files/link").symlink_to(tmp_path)
    for wrong in ("../x", "files/../../x", "..", "", "files/link/x", "files/.."):
        with pytest.raises(mlflow.MlflowException, match="leads out of its workspace"):
            place(f"attrition:/{wrong}", uri(tmp_path / "shop"))


def test_asked_through_a_server_it_says_how_to_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("_MLFLOW_SERVER_FILE_STORE", raising=False)
    monkeypatch.setattr(mlflow, "get_tracking_uri", lambda: "http://127.0.0.1:5000")
    with pytest.raises(mlflow.MlflowException, match=r"set MLFLOW_TRACKING_URI to its file, sqlite:"):
        place("attrition:/files/run", "http://127.0.0.1:5000")


def test_mlflow_finds_the_class_whatever_of_ours_is_imported_first() -> None:
    code = (
        "import models.tracking.artifacts, models.tracking.page, models.tracking.registry\n"
        "from mlflow.store.artifact.artifact_repository_registry import get_registered_artifact_repositories as known\n"
        "print('attrition' in known())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True"
