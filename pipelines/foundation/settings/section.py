"""What every section of the settings shares: frozen, unknown keys refused; and the types of its values."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from zoneinfo import available_timezones

from pydantic import BaseModel, ConfigDict, Field

from features.errors import did_you_mean

Share = Annotated[float, Field(ge=0, le=1)]
PositiveInt = Annotated[int, Field(ge=1)]


class Section(BaseModel):
    """A part of the settings: frozen, and unknown names are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False, hide_input_in_errors=True)


def inside(path: str) -> str:
    """A path below the workspace back; ValueError where it leads out of it."""
    if not path or Path(path).is_absolute() or ".." in Path(path).parts:
        raise ValueError(f"path '{path}' leaves the workspace; put the file inside it")
    return path


def known_zone(value: str) -> str:
    """The name of a time zone back; ValueError where there is none of that name."""
    if value not in available_timezones():
        raise ValueError(f"'{value}' is not a time zone.{did_you_mean(value, available_timezones())}")
    return value
