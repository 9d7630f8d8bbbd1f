"""An MLflow server that fails at any request: what was not sent is sent later, and nothing is there twice."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import pytest
from mlflow import MlflowClient

from models.tracking.record import DataSet, Fold, Record
from models.tracking.registry import CHALLENGER, CHAMPION, Registry, TrackingError
from models.tracking.runs import FOLD_TAG, VERSION_TAG
from tests.models.mlflow_server import Server, started

FAULTS = ("hangs up", "answers too late", "fails", "refuses", "loses the answer")
# One file, because each is a request. Nothing is fitted here: threads of a fit would be missing in forked processes.
SMALL = Record(
    version="aaaaaaaaaaaa",
    at=datetime(2025, 6, 1, 6, tzinfo=UTC),
    files={"settings.json": "{}"},
    parameters={"training.seed": 7, "outcome.horizon_days": 90},
    metrics={"roc_auc": 0.81, "n": 1000},
    fold_metrics=[{"roc_auc": 0.79, "log_loss": 0.44}, {"roc_auc": 0.81, "log_loss": 0.42}],
    tags={"verdict": "it is the first"},
    folds=[
        Fold(
            day="2025-01-01",
            parameters={"rows": 500},
            metrics={"roc_auc": 0.81},
            data=[DataSet(name="customers", digest="5fd2", context="testing", about={}, rows=500)],
        )
    ],
    description="The chance of placing no order.",
    about="Probabilities of one outcome.",
)
SECONDS = 1  # that the client waits for an answer here


class Between(ThreadingHTTPServer):
    """A server ahead of MLflow's: from the nth request on it fails, in one of several ways."""

    daemon_threads = True

    def __init__(self, behind: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.behind, self.fault, self.first, self.requests = urlsplit(behind).netloc, "", 0, 0
        self.counting = threading.Lock()

    def fail(self, fault: str, *, first: int) -> None:
        """From now on the `first` request (from 1) and all after it meet the fault; "" is none."""
        self.fault, self.first, self.requests = fault, first, 0

    def meets(self) -> str:
        with self.counting:
            self.requests += 1
            return self.fault if self.fault and self.requests >= self.first else ""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Between

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except ConnectionError:
            self.close_connection = True  # the client had enough of waiting

    def _pass(self) -> None:
        body, fault = self.rfile.read(int(self.headers.get("Content-Length") or 0)), self.server.meets()
        if fault in ("fails", "refuses"):
            self._answer(500 if fault == "fails" else 403, b'{"error_code": "INTERNAL_ERROR", "message": "no"}', {})
            return
        if fault == "answers too late":
            time.sleep(SECONDS * 1.5)
        if fault in ("hangs up", "answers too late"):
            self.close_connection = True
            return
        behind = http.client.HTTPConnection(self.server.behind, timeout=30)
        try:
            behind.request(self.command, self.path, body, dict(self.headers))
            answer = behind.getresponse()
            content = answer.read()
        finally:
            behind.close()
        if fault == "loses the answer":
            self.close_connection = True
            return
        self._answer(answer.status, content, {"Content-Type": answer.headers.get("Content-Type", "application/json")})

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _pass

    def _answer(self, status: int, content: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in (headers | {"Content-Length": str(len(content))}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the library's
        pass


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with started(tmp_path_factory.mktemp("server")) as found:
        found.wait()
        yield found


@contextmanager
def between(server: Server) -> Iterator[tuple[Between, str]]:
    with Between(server.url) as found:
        thread = threading.Thread(target=found.serve_forever)
        thread.start()
        try:
            yield found, f"http://127.0.0.1:{found.server_address[1]}"
        finally:
            found.shutdown()
            thread.join()


@pytest.mark.parametrize("fault", FAULTS)
def test_a_version_is_there_once_however_often_the_server_failed_on_the_way(
    fault: str, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", str(SECONDS))
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR", "0")
    with between(server) as (proxy, url):
        registry, said = Registry(uri=url, experiment=f"attrition {fault}"), list[str]()
        for request in range(1, 200):
            proxy.fail(fault, first=request)
            try:
                registry.publish(SMALL, aliases=[CHAMPION, CHALLENGER])
                break
            except TrackingError as error:
                said.append(str(error))
        # However many requests it takes, each was the first to fail once.
        assert len(said) > 3
        assert all(each.startswith(f"MLflow at {url} cannot be used: ") for each in said)
        proxy.fail("", first=0)
        registry.publish(SMALL, aliases=[CHAMPION, CHALLENGER])
    is_there_once(Registry(uri=server.url, experiment=registry.experiment), SMALL)


def is_there_once(registry: Registry, record: Record) -> None:
    client = MlflowClient(tracking_uri=registry.uri, registry_uri=registry.uri)
    experiment = client.get_experiment_by_name(registry.experiment)
    assert experiment is not None
    runs = client.search_runs([experiment.experiment_id])
    (run,) = (each for each in runs if VERSION_TAG in each.data.tags)
    folds = [each for each in runs if each is not run]
    assert [each.data.tags[FOLD_TAG] for each in folds] == [f"{record.version}/{fold.day}" for fold in record.folds]
    assert {each.data.tags["mlflow.parentRunId"] for each in folds} == {run.info.run_id}
    assert {each.info.status for each in runs} == {"FINISHED"}
    assert [len(each.inputs.dataset_inputs) for each in folds if each.inputs] == [1] * len(record.folds)
    assert run.data.params == {name: str(value) for name, value in record.parameters.items()}
    (version,) = client.search_model_versions(f"name = '{registry.experiment}'")
    assert version.tags[VERSION_TAG] == record.version
    assert version.run_id == run.info.run_id
    assert [registry.aliased(alias) for alias in (CHAMPION, CHALLENGER)] == [record.version] * 2
    for step, fold in enumerate(record.fold_metrics):
        for name, value in fold.items():
            logged = client.get_metric_history(run.info.run_id, f"fold_{name}")
            assert [each.value for each in logged if each.step == step] == [value]
