"""MLflow: the one file that talks to it. It is only ever given text: trees, JSON, CSV, SVG."""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
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


class TrackingError(AttritionError):
    """The tracking server cannot be reached or refuses."""


@dataclass(frozen=True, kw_only=True)
class Record:
    """What is kept of one trained model.

    version: our own name of it, a hash of its files. files: artifact path to text. fold_metrics: per fold, name to
    value.
    """

    version: str
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
            known = {
                found.tags.get(VERSION_TAG): str(found.version)
                for found in client.search_model_versions(f"name = '{self.experiment}'")
            }
            number = known.get(record.version) or self._register(client, record)
            for alias in aliases:
                client.set_registered_model_alias(self.experiment, alias, number)
            return number

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

        # Importing it sets the level that these are at; what they tell of making tables is nothing to a user.
        for name in ("alembic", "mlflow"):
            logging.getLogger(name).setLevel(logging.WARNING)
        return MlflowClient(tracking_uri=self.uri, registry_uri=self.uri)

    def _register(self, client: MlflowClient, record: Record) -> str:
        from mlflow.exceptions import MlflowException

        run_id = self._run(client, record)
        try:
            client.create_registered_model(self.experiment)
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
        registered = client.create_model_version(
            self.experiment, source=f"runs:/{run_id}/{FOLDER}", run_id=run_id, tags={VERSION_TAG: record.version}
        )
        return str(registered.version)

    def _run(self, client: MlflowClient, record: Record) -> str:
        experiment = client.get_experiment_by_name(self.experiment)
        if experiment is None:
            place = self.artifacts.resolve().as_uri() if self.artifacts else None
            experiment_id = client.create_experiment(self.experiment, artifact_location=place)
        else:
            experiment_id = experiment.experiment_id
        run_id = client.create_run(
            experiment_id, run_name=record.version, tags={VERSION_TAG: record.version, **record.tags}
        ).info.run_id
        for name, parameter in record.parameters.items():
            client.log_param(run_id, name, parameter)
        for name, value in record.metrics.items():
            client.log_metric(run_id, name, value)
        for step, fold in enumerate(record.fold_metrics):
            for name, value in fold.items():
                client.log_metric(run_id, f"fold_{name}", value, step=step)
        with tempfile.TemporaryDirectory() as folder:
            for name, text in record.files.items():
                file = Path(folder) / name
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text, encoding="utf-8")
            client.log_artifacts(run_id, folder, FOLDER)
        client.set_terminated(run_id)
        return str(run_id)


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
            lines = str(error).splitlines() or [type(error).__name__]
            raise TrackingError(f"MLflow at {self.uri} cannot be used: {lines[0][:300]}") from error
