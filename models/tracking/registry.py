"""Trained models in MLflow: published once, with aliases. It is only ever given text: trees, JSON, Markdown, SVG."""

from __future__ import annotations

import logging
import os
import sqlite3
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from features.errors import AttritionError
from models.tracking import runs
from models.tracking.places import bring_home, home
from models.tracking.record import Record
from models.tracking.runs import VERSION_TAG

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ["MLFLOW_ALLOW_PICKLE_DESERIALIZATION"] = "false"  # whatever the environment says: a pickle runs code
# A scheduled run must learn within seconds that the server is away, not after five retries of two minutes.
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "10")
# Standard output belongs to the one JSON document of --json.
os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

CHAMPION, CHALLENGER = "champion", "challenger"
SQLITE = "sqlite:///"
LAYOUT_TAG, LAYOUT = "attrition.layout", "2"  # how a version's run is laid out; one of before is brought up to it
_SHOWN = "workflowType=machine_learning"  # by which the page has the menu for models from the first moment
_KIND_TAG, _KIND = "mlflow.experimentKind", "custom_model_development"  # MLflow's page for models, not that for agents


class TrackingError(AttritionError):
    """The tracking server cannot be reached or refuses."""


@dataclass(frozen=True, kw_only=True)
class Registry:
    """uri: of the tracking server, or sqlite:///FILE. artifacts: where files go when the store is a file; else None."""

    uri: str
    experiment: str
    artifacts: Path | None = None

    def publish(self, record: Record, *, aliases: Sequence[str]) -> str:
        """Log the run, register the version and point the aliases to it; MLflow's version number back.

        A version that is registered already is not registered twice; where an earlier release published it, what its
        run lacks is added. Raises: TrackingError where MLflow is away.
        """
        with _in_words(self.uri):
            client = self._client()
            found = self._found(client, record)
            if not found or LAYOUT_TAG not in found[0].tags:
                self._register(client, record)
            number, *twice = [int(each.version) for each in self._found(client, record)]
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

    def page(self) -> str:
        """The part of an address on MLflow's page where the runs are. Raises: TrackingError where MLflow is away."""
        with _in_words(self.uri):
            found = self._existing(self._client())
        return "#/experiments" if found is None else f"#/experiments/{found}/runs?{_SHOWN}"

    def _client(self) -> MlflowClient:
        from mlflow import MlflowClient

        _quieten()
        return MlflowClient(tracking_uri=self.uri, registry_uri=self.uri)

    def _found(self, client: MlflowClient, record: Record) -> list[ModelVersion]:
        """MLflow's versions of our version, lowest number first."""
        found = client.search_model_versions(f"name = '{self.experiment}'")
        return sorted(
            (each for each in found if each.tags.get(VERSION_TAG) == record.version), key=lambda each: int(each.version)
        )

    def _register(self, client: MlflowClient, record: Record) -> None:
        from mlflow.exceptions import MlflowException

        run_id = runs.log(client, self._experiment(client), record)
        try:
            client.create_registered_model(self.experiment)
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
        if record.about and not client.get_registered_model(self.experiment).description:  # whoever wrote one, keeps it
            client.update_registered_model(self.experiment, record.about)
        tags = {VERSION_TAG: record.version, **record.tags}
        if not self._found(client, record):
            source = f"runs:/{run_id}/{runs.FOLDER}"
            client.create_model_version(
                self.experiment, source=source, run_id=run_id, tags=tags, description=record.description or None
            )
        number = self._found(client, record)[0].version
        if record.description:
            client.update_model_version(self.experiment, number, record.description)
        for name, value in {**tags, LAYOUT_TAG: LAYOUT}.items():  # the layout last: all else is there then
            client.set_model_version_tag(self.experiment, number, name, value)

    def _experiment(self, client: MlflowClient) -> str:
        found = self._existing(client)
        if found is not None:
            return found
        place = home(self.artifacts.name) if self.artifacts else None
        return str(client.create_experiment(self.experiment, artifact_location=place, tags={_KIND_TAG: _KIND}))

    def _existing(self, client: MlflowClient) -> str | None:
        """The experiment's id, if there is one: as this release has them, whichever made it."""
        if self.artifacts is not None:
            bring_home(Path(self.uri.removeprefix(SQLITE)), self.artifacts.name)
        experiment = client.get_experiment_by_name(self.experiment)
        if experiment is None:
            return None
        if _KIND_TAG not in experiment.tags:
            client.set_experiment_tag(experiment.experiment_id, _KIND_TAG, _KIND)
        return str(experiment.experiment_id)


@cache
def empty_database() -> bytes:
    """An SQLite file with MLflow's tables: to make them, it goes through every release that it had, for seconds.

    A part of it is not to be used: MLflow would never make the other tables.
    """
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

        if isinstance(error, (MlflowException, OSError, SQLAlchemyError, sqlite3.Error)):
            raise TrackingError(f"MLflow at {self.uri} cannot be used: {_said(error)}") from None


def _said(error: Exception) -> str:
    """What is wrong, by codes alone: MLflow's words, and a database's, hold whatever they were sent."""
    code = getattr(error, "error_code", None)
    if code is not None and code != "INTERNAL_ERROR":
        return f"it refuses ({code}); look at tracking.uri and tracking.experiment, and at who may write there"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return "it does not answer, or answers what is none of MLflow's; look at tracking.uri, and whether the server runs"
