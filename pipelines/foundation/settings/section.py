"""What every section of the settings shares: frozen, unknown keys refused; and the types of its values."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Annotated
from zoneinfo import available_timezones

from pydantic import BaseModel, ConfigDict, Field

from features.errors import did_you_mean

FIRST_YEAR, LAST_YEAR = 1900, 2200  # a day outside of them is a mistake, in the data and in the settings alike

# Every number has two ends: without an upper one, arithmetic with days leaves the calendar, and memory the machine.
_CENTURY = 36_500  # days; a span that is longer than any data
Share = Annotated[float, Field(ge=0, le=1)]
Day = Annotated[date, Field(ge=date(FIRST_YEAR, 1, 1), le=date(LAST_YEAR, 12, 31))]
Span = Annotated[int, Field(ge=0, le=_CENTURY)]  # days, perhaps none
PositiveSpan = Annotated[int, Field(ge=1, le=_CENTURY)]
Step = Annotated[int, Field(ge=1, le=3_650)]  # days from one of many to the next
Count = Annotated[int, Field(ge=1, le=1_000_000_000)]  # of customers
Times = Annotated[int, Field(ge=1, le=1_000)]  # how often something is done, or how many of it are held at once
Seed = Annotated[int, Field(ge=0, le=2**31 - 1)]  # what LightGBM takes
Money = Annotated[float, Field(ge=0, le=1e12)]
Margin = Annotated[float, Field(ge=0, le=1_000)]
Seconds = Annotated[float, Field(gt=0, le=86_400)]

CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f]")
_LONGEST_TEXT = 10_000  # characters
_DEEPEST = 30  # folders in each other; looking through patterns takes a call each
_LONGEST_PATH, _LONGEST_NAME = 1_000, 255  # bytes: what every file system takes below a workspace


class Section(BaseModel):
    """A part of the settings: frozen, unknown names and numbers that are none are refused."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=False,
        hide_input_in_errors=True,
        allow_inf_nan=False,
        str_max_length=_LONGEST_TEXT,
    )


def inside(path: str) -> str:
    """A path below the workspace back, or a pattern of paths; ValueError where it leads out, or can name no file."""
    if CONTROLS.search(path):
        raise ValueError("the path holds a control character; write the name of the file as it is")
    place = Path(path)
    if not path or place.is_absolute() or ".." in place.parts:
        raise ValueError(f"path '{path}' leaves the workspace; put the file inside it")
    long = len(path.encode()) > _LONGEST_PATH or any(len(part.encode()) > _LONGEST_NAME for part in place.parts)
    if long or len(place.parts) > _DEEPEST:
        raise ValueError(
            f"the path is too long: at most {_LONGEST_PATH} bytes, {_LONGEST_NAME} in one name, and {_DEEPEST} "
            "folders; put the file less deep, or call it by a shorter name"
        )
    if not place.parts:
        raise ValueError(f"path '{path}' is the workspace itself; name a file in it")
    if any("**" in part and part != "**" for part in place.parts) or place.parts.count("**") > 1:
        raise ValueError(
            f"path '{path}' uses ** otherwise than once, alone between two slashes; write **/*.csv for every CSV file "
            "in any folder, * for any part of a name"
        )
    return path


def known_zone(value: str) -> str:
    """The name of a time zone back; ValueError where there is none of that name."""
    if value not in available_timezones():
        raise ValueError(f"'{value}' is not a time zone.{did_you_mean(value, available_timezones())}")
    return value
