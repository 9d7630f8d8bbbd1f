"""MLflow: the one file that talks to it. It is only ever given text: trees, JSON, CSV, SVG."""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from features.errors import AttritionError

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ["MLFLOW_ALLOW_PICKLE_DESERIALIZATION"] = "false"  # whatever the environment says: a pickle runs code
# A scheduled run must learn within seconds that the server is away, not after five retries of two minutes.
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "10")
# Standard output belongs to the one JSON document of --json.
os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")

if TYPE_CHECKING:
    from mlflow import MlflowClient

CHAMPION, CHALLENGER = "champion", "challenger"
VERSION_TAG = "attrition.version"
FOLDER = "model"
_AT_ONCE = 100  # parameters that MLflow takes in one call


class TrackingError(AttritionError):
    """The tracking server cannot be reached or refuses."""


@dataclass(frozen=True, kw_only=True)
class Record:
    """What is kept of one trained model.

    version: our own name of it, a hash of its files. files: artifact path to text. fold_metrics: per fold, name to
    value. at: when it was trained.
    """

    version: str
    at: datetime
    files: Mapping[str, str]
    parameters: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    fold_metrics: Sequence[Mapping[str, float]] = ()
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Registry:
    """uri: of the tracking server, or sqlite:///FILE. artifacts: where files go when the store is a file; else None."""

    uri: str
    experiment: str
    artifacts: Path | None = None

    def publish(self, record: Record, *, aliases: Sequence[str]) -> str:
        """Log the run, register the version and point the aliases to it; MLflow's version number back.

        A version that is registered already is not registered twice. Raises: TrackingError where MLflow is away.
        """
        with _in_words(self.uri):
            client = self._client()
            if not self._numbers(client, record):
                self._register(client, record)
            number, *twice = self._numbers(client, record)
            # An answer that was lost on its way makes MLflow's client ask again, and the server do it again.
            for other in twice:
                client.delete_model_version(self.experiment, str(other))
            for alias in aliases:
                client.set_registered_model_alias(self.experiment, alias, str(number))
            return str(number)

    def aliased(self, alias: str) -> str | None:
        """Our version that an alias points to; None where it points nowhere."""
        from mlflow.exceptions import MlflowException

        with _in_words(self.uri):
            try:
                found = self._client().get_model_version_by_alias(self.experiment, alias)
            except MlflowException as error:
                if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
                    return None
                raise
            return found.tags.get(VERSION_TAG)

    def _client(self) -> MlflowClient:
        from mlflow import MlflowClient

        _quieten()
        return MlflowClient(tracking_uri=self.uri, registry_uri=self.uri)

    def _numbers(self, client: MlflowClient, record: Record) -> list[int]:
        """MLflow's numbers of our version, lowest first."""
        found = client.search_model_versions(f"name = '{self.experiment}'")
        return sorted(int(each.version) for each in found if each.tags.get(VERSION_TAG) == record.version)

    def _register(self, client: MlflowClient, record: Record) -> None:
        from mlflow.exceptions import MlflowException

        run_id = self._run(client, record)
        try:
            client.create_registered_model(self.experiment)
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
        client.create_model_version(
            self.experiment, source=f"runs:/{run_id}/{FOLDER}", run_id=run_id, tags={VERSION_TAG: record.version}
        )

    def _run(self, client: MlflowClient, record: Record) -> str:
        """The run of a version. One that was broken off is gone on with, so that there is never a second."""
        from mlflow.entities import Metric, Param

        experiment_id, at = self._experiment(client), int(record.at.timestamp() * 1000)
        if not self._runs(client, experiment_id, record):
            tags = {VERSION_TAG: record.version, **record.tags}
            client.create_run(experiment_id, start_time=at, run_name=record.version, tags=tags)
        run_id, *twice = self._runs(client, experiment_id, record)
        for other in twice:
            client.delete_run(other)
        # The same values at the same time are taken for the same, however often they are logged.
        metrics = [Metric(name, value, at, 0) for name, value in record.metrics.items()]
        for step, fold in enumerate(record.fold_metrics):
            metrics += [Metric(f"fold_{name}", value, at, step) for name, value in fold.items()]
        parameters = [Param(name, str(value)) for name, value in record.parameters.items()]
        for first in range(0, max(len(metrics), len(parameters)), _AT_ONCE):
            batch = slice(first, first + _AT_ONCE)
            client.log_batch(run_id, metrics=metrics[batch], params=parameters[batch])
        with tempfile.TemporaryDirectory() as folder:
            for name, text in record.files.items():
                file = Path(folder) / name
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text, encoding="utf-8")
            client.log_artifacts(run_id, folder, FOLDER)
        client.set_terminated(run_id)
        return run_id

    def _runs(self, client: MlflowClient, experiment_id: str, record: Record) -> list[str]:
        """The runs of our version, in an order that stays."""
        found = client.search_runs([experiment_id], f"tags.`{VERSION_TAG}` = '{record.version}'")
        return sorted(each.info.run_id for each in found)

    def _experiment(self, client: MlflowClient) -> str:
        experiment = client.get_experiment_by_name(self.experiment)
        if experiment is not None:
            return str(experiment.experiment_id)
        place = self.artifacts.resolve().as_uri() if self.artifacts else None
        return str(client.create_experiment(self.experiment, artifact_location=place))


def make_database(place: Path) -> None:
    """An SQLite file with MLflow's tables. Broken off, it is not to be used: MLflow would never make the others."""
    place.write_bytes(_empty_database())


@cache
def _empty_database() -> bytes:
    """To make the tables, MLflow goes through every release that it had, which takes seconds."""
    from mlflow import MlflowClient

    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "mlflow.sqlite"
        uri = f"sqlite:///{place}"
        with _in_words(uri):
            _quieten()
            MlflowClient(tracking_uri=uri).search_experiments(max_results=1)
        return place.read_bytes()


def _quieten() -> None:
    # Importing it sets the level that these are at. What fails is raised, and told in words of ours.
    for name in ("alembic", "mlflow"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


class _in_words:  # noqa: N801 - reads as a phrase where it is used
    """Turn MLflow's and the network's exceptions into one that a user can act on."""

    def __init__(self, uri: str) -> None:
        self.uri = uri

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if error is None or not isinstance(error, Exception):
            return
        from mlflow.exceptions import MlflowException
        from sqlalchemy.exc import SQLAlchemyError

        if isinstance(error, (MlflowException, OSError, SQLAlchemyError)):
            raise TrackingError(f"MLflow at {self.uri} cannot be used: {_said(error)}") from None


def _said(error: Exception) -> str:
    """What is wrong, by codes alone: MLflow's words, and a database's, hold whatever they were sent."""
    code = getattr(error, "error_code", None)
    if code is not None and code != "INTERNAL_ERROR":
        return f"it refuses ({code}); look at tracking.uri and tracking.experiment, and at who may write there"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return "it does not answer, or answers what is none of MLflow's; look at tracking.uri, and whether the server runs"
