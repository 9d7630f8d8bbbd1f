"""`mlflow models serve` on this machine, as MLflow's users start it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from models.frames import as_frame
from pipelines.foundation.ledger.score_store import ScoreStore
from pipelines.foundation.workspace.workspace import open_workspace
from pipelines.prediction.training.task import main_task
from tests.models.mlflow_server import free_port


@contextmanager
def serving(folder: Path, log: Path) -> Iterator[str]:
    """The champion of a workspace, behind an address; ended after the block."""
    port = free_port()
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"  # as in an activated environment: it asks for uvicorn
    with log.open("wb") as output:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "mlflow", "models", "serve", "--model-uri", "models:/attrition@champion"),
                *("--env-manager", "local", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"),
            ],
            cwd=log.parent,
            env=os.environ | {"MLFLOW_TRACKING_URI": f"sqlite:///{folder}/mlflow.sqlite", "PATH": path},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # it has children; all end together
        )
    url, until = f"http://127.0.0.1:{port}", time.monotonic() + 180
    try:
        while True:
            try:
                urllib.request.urlopen(f"{url}/ping", timeout=5).close()
                break
            except OSError:
                if process.poll() is not None or time.monotonic() > until:
                    pytest.fail(f"mlflow models serve did not start:\n{log.read_text()}")
                time.sleep(0.2)
        yield url
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def ask(url: str, document: dict[str, object]) -> list[float]:
    body = json.dumps(document).encode()
    asked = urllib.request.Request(f"{url}/invocations", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(asked, timeout=60) as answer:
        found: list[float] = json.load(answer)["predictions"]
    return found


def test_it_answers_with_the_scores_that_were_handed_over_to_the_last_digit(
    finished_workspace: Path, tmp_path: Path
) -> None:
    copy = shutil.copytree(finished_workspace, tmp_path / "shop")
    workspace = open_workspace(copy, now=datetime(2026, 1, 5, tzinfo=UTC))
    task = main_task(workspace)
    champion = task.versions.load(task.versions.champion().version)
    rows = champion.levelled(task.snapshots.at(workspace.as_of).matrix())
    current = ScoreStore(workspace.store).current()
    assert current is not None
    scores = current[1].set_index("customer_id").loc[list(rows.customers), "churn_probability"]
    frame = as_frame(rows)
    assert frame.isna().to_numpy().any()
    asked = json.loads(frame.to_json(orient="split", double_precision=15))
    asked["data"] = frame.astype(object).where(frame.notna(), None).to_numpy().tolist()  # all digits; null for NaN
    with serving(copy, tmp_path / "log") as url:
        assert ask(url, {"dataframe_split": {"columns": asked["columns"], "data": asked["data"]}}) == scores.tolist()
        one = {name: [value] for name, value in zip(asked["columns"], asked["data"][3], strict=True)}
        assert ask(url, {"inputs": one}) == [scores.iloc[3]]
        without = [row[1:] for row in asked["data"][:2]]
        with pytest.raises(urllib.error.HTTPError) as refused:
            ask(url, {"dataframe_split": {"columns": asked["columns"][1:], "data": without}})
        assert refused.value.code == 400
        refused.value.close()
