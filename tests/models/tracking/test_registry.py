from __future__ import annotations

import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from mlflow import MlflowClient

from models import artifact
from models.tracking.record import Record
from models.tracking.registry import CHALLENGER, CHAMPION, Registry, TrackingError
from models.tracking.runs import VERSION_TAG
from tests.models.mlflow_server import Server, free_port, started
from tests.models.model_case import fitted

FILES = artifact.to_files(fitted()) | {"settings.json": '{"currency": "EUR"}', "plots/lift_curve.svg": "<svg/>"}
FIRST = Record(
    version="aaaaaaaaaaaa",
    at=datetime(2025, 6, 1, 6, tzinfo=UTC),
    files=FILES,
    parameters={"training.seed": 7, "outcome.horizon_days": 90},
    metrics={"roc_auc": 0.81, "n": 1000},
    fold_metrics=[{"roc_auc": 0.79, "log_loss": 0.44}, {"roc_auc": 0.81, "log_loss": 0.42}],
    tags={"code": "0.1.0+abc", "verdict": "it is the first", "promoted": "true"},
)
SECOND = replace(FIRST, version="bbbbbbbbbbbb", parameters={"training.seed": 8})


@pytest.fixture(scope="module", autouse=True)
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """It takes seconds to start, so it starts while the tests that need none are running."""
    with started(tmp_path_factory.mktemp("server"), as_docs_say=True) as found:
        yield found


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Registry:
    """Two versions in an SQLite store, the first published twice."""
    folder = tmp_path_factory.mktemp("tracking")
    found = Registry(uri=f"sqlite:///{folder}/mlflow.sqlite", experiment="attrition", artifacts=folder / "artifacts")
    assert found.aliased(CHAMPION) is None
    assert found.publish(FIRST, aliases=[CHAMPION, CHALLENGER]) == "1"
    assert found.publish(SECOND, aliases=[CHALLENGER]) == "2"
    assert found.publish(FIRST, aliases=[]) == "1"
    return found


@pytest.fixture
def client(registry: Registry) -> MlflowClient:
    return MlflowClient(tracking_uri=registry.uri, registry_uri=registry.uri)


def run_of(client: MlflowClient, version: str) -> str:
    run_id = client.get_model_version("attrition", version).run_id
    assert run_id is not None
    return run_id


def test_a_run_holds_parameters_tags_and_the_figures_of_every_fold(registry: Registry, client: MlflowClient) -> None:
    run = client.get_run(run_of(client, "1"))
    assert run.info.status == "FINISHED"
    assert run.info.run_name == "aaaaaaaaaaaa"
    assert run.data.params == {"training.seed": "7", "outcome.horizon_days": "90"}
    assert run.data.tags.items() >= {VERSION_TAG: "aaaaaaaaaaaa", **FIRST.tags}.items()
    assert (run.data.metrics["roc_auc"], run.data.metrics["n"]) == (0.81, 1000)
    for name in ("roc_auc", "log_loss"):
        steps = client.get_metric_history(run.info.run_id, f"fold_{name}")
        assert [(point.step, point.value) for point in steps] == [
            (step, fold[name]) for step, fold in enumerate(FIRST.fold_metrics)
        ]


def test_artifacts_are_the_texts_that_were_given_and_nothing_else(registry: Registry, client: MlflowClient) -> None:
    assert registry.artifacts is not None
    folder = registry.artifacts / run_of(client, "1") / "artifacts"
    there = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    assert {name: path.read_text(encoding="utf-8") for name, path in there.items()} == FILES
    assert artifact.from_files({name: there[name].read_text() for name in (artifact.BOOSTER, artifact.MODEL)})


def test_nothing_is_pickled(registry: Registry) -> None:
    assert registry.artifacts is not None
    files = [path for path in registry.artifacts.rglob("*") if path.is_file()]
    assert len(files) == 2 * len(FILES)
    for path in files:
        assert path.suffix in {".txt", ".json", ".svg"}, path
        content = path.read_bytes()
        assert not content.startswith(b"\x80"), path  # how every pickle since protocol 2 starts
        content.decode("utf-8")
    assert os.environ["MLFLOW_ALLOW_PICKLE_DESERIALIZATION"] == "false"


def test_a_version_is_registered_once(registry: Registry, client: MlflowClient) -> None:
    versions = client.search_model_versions("name = 'attrition'")
    assert {(str(found.version), found.tags[VERSION_TAG]) for found in versions} == {
        ("1", "aaaaaaaaaaaa"),
        ("2", "bbbbbbbbbbbb"),
    }
    experiment = client.get_experiment_by_name("attrition")
    assert experiment is not None
    assert len(client.search_runs([experiment.experiment_id])) == 2


def test_aliases_point_to_our_versions_and_follow(registry: Registry) -> None:
    assert (registry.aliased(CHAMPION), registry.aliased(CHALLENGER)) == ("aaaaaaaaaaaa", "bbbbbbbbbbbb")
    assert registry.aliased("archived") is None
    registry.publish(SECOND, aliases=[CHAMPION])
    assert registry.aliased(CHAMPION) == "bbbbbbbbbbbb"
    registry.publish(FIRST, aliases=[CHAMPION])
    assert registry.aliased(CHAMPION) == "aaaaaaaaaaaa"


def test_an_experiment_that_does_not_exist_has_no_aliases(registry: Registry) -> None:
    assert replace(registry, experiment="another").aliased(CHAMPION) is None


def test_two_experiments_do_not_share_versions(registry: Registry) -> None:
    other = replace(registry, experiment="second_shop")
    assert other.publish(FIRST, aliases=[CHAMPION]) == "1"
    assert other.aliased(CHALLENGER) is None


def test_a_server_that_is_away_is_told_of_within_seconds() -> None:
    away = Registry(uri=f"http://127.0.0.1:{free_port()}", experiment="attrition")
    started = time.monotonic()
    with pytest.raises(TrackingError, match=rf"^MLflow at {away.uri} cannot be used: "):
        away.publish(FIRST, aliases=[CHAMPION])
    assert time.monotonic() - started < 10


def test_a_damaged_store_is_told_of_in_words(tmp_path: Path) -> None:
    (tmp_path / "mlflow.sqlite").write_bytes(b"this is no database" * 300)
    damaged = Registry(uri=f"sqlite:///{tmp_path}/mlflow.sqlite", experiment="attrition", artifacts=tmp_path / "files")
    with pytest.raises(TrackingError, match=r"^MLflow at sqlite:///.*mlflow.sqlite cannot be used: "):
        damaged.aliased(CHAMPION)


def test_a_real_server_takes_the_same_record(server: Server, capfd: pytest.CaptureFixture[str]) -> None:
    server.wait()
    away = Registry(uri=server.url, experiment="attrition")
    assert away.publish(FIRST, aliases=[CHAMPION]) == "1"
    assert away.publish(FIRST, aliases=[CHALLENGER]) == "1"
    assert (away.aliased(CHAMPION), away.aliased(CHALLENGER)) == ("aaaaaaaaaaaa", "aaaaaaaaaaaa")
    stored = {path.name: path.read_text() for path in server.artifacts.rglob("*") if path.is_file()}
    assert stored == {Path(name).name: text for name, text in FILES.items()}
    assert capfd.readouterr().out == ""  # standard output is for the JSON document of the command line


def test_pickles_are_refused_whatever_the_environment_says() -> None:
    code = (
        "import models.tracking.registry\n"
        "from mlflow.environment_variables import MLFLOW_ALLOW_PICKLE_DESERIALIZATION as allowed\n"
        "print(allowed.get())"
    )
    environment = os.environ | {"MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "true"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_wherever_docs_start_an_mlflow_server_it_answers_to_this_machine_alone() -> None:
    root = Path(__file__).parents[3]
    started = []
    for place in (root / "README.md", root / "CONTRIBUTING.md", root / "Makefile", *(root / "docs").rglob("*.md")):
        text = place.read_text(encoding="utf-8").replace("\\\n", " ")
        started += [line for line in text.splitlines() if re.search(r"\bmlflow (server|ui)\b", line)]
    assert started
    for line in started:
        assert "--host 127.0.0.1" in line
        assert "--allowed-hosts 'localhost:5000,127.0.0.1:5000'" in line


def test_a_server_of_this_machine_refuses_to_answer_to_another_name(server: Server) -> None:
    server.wait()
    asked = urllib.request.Request(f"{server.url}/api/2.0/mlflow/experiments/search?max_results=1")
    with urllib.request.urlopen(asked, timeout=20) as answer:
        assert answer.status == 200
    asked = urllib.request.Request(asked.full_url, headers={"Host": "elsewhere.example"})
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(asked, timeout=20)
    refused.value.close()
    assert refused.value.code == 403


@pytest.mark.parametrize("origin", ["https://elsewhere.example", "null"])
@pytest.mark.parametrize("kind", ["application/json", "text/plain"])
def test_a_page_of_another_origin_changes_nothing_and_reads_nothing(server: Server, origin: str, kind: str) -> None:
    """Started as docs say. JSON takes a browser a question first, and text, which takes none, is not read."""
    server.wait()
    made, listed = (f"{server.url}/api/2.0/mlflow/experiments/{what}" for what in ("create", "search?max_results=50"))
    headers = {"Origin": origin, "Content-Type": kind}
    if kind == "application/json":
        headers |= {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
    body = b'{"name": "planted"}'
    asked = urllib.request.Request(made, body, headers, method="OPTIONS" if kind == "application/json" else "POST")
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(asked, timeout=20)
    refused.value.close()
    assert refused.value.code in {400, 403}
    with urllib.request.urlopen(urllib.request.Request(listed, headers={"Origin": origin}), timeout=20) as answer:
        assert "Access-Control-Allow-Origin" not in answer.headers  # without it a browser keeps the answer to itself
        assert b"planted" not in answer.read()
