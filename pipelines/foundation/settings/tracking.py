"""The part of `attrition.toml` that says where models are published."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from pipelines.foundation.settings.section import CONTROLS, Section


class Tracking(Section):
    """MLflow. No uri: an SQLite file in the workspace. A further outcome's experiment is `experiment`-`kind`.

    What MLflow could not take apart is refused before anything is trained: it asks for models by a text in quotes.
    """

    uri: str | None = None
    experiment: Annotated[str, Field(pattern=r"""^[^'"/:.%\\`]{1,200}$""")] = "attrition"

    @field_validator("uri")
    @classmethod
    def _no_password(cls, value: str | None) -> str | None:
        if value and urlsplit(value).password:
            raise ValueError("uri holds a password; set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD instead")
        return value

    @field_validator("uri", "experiment")
    @classmethod
    def _one_line(cls, value: str | None) -> str | None:
        if value is not None and (not value.strip() or CONTROLS.search(value)):
            raise ValueError("is empty, or holds a control character; write it as one line of text")
        return value
