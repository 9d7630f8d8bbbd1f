"""`attrition.toml`: everything a workspace decides, frozen and checked before anything runs."""

from __future__ import annotations

import re
import tomllib
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from features.errors import SettingsError, did_you_mean
from features.tables import TABLES
from pipelines.date_format import date_pattern

FILE_NAME = "attrition.toml"

PositiveInt = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(ge=0, le=1)]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=False, hide_input_in_errors=True)


class Dialect(_Section):
    """How a text file writes its values. Parquet files use only `time_zone` (and `date_format` for text dates)."""

    delimiter: Annotated[str, Field(min_length=1, max_length=1)] = ","
    quote: Annotated[str, Field(min_length=1, max_length=1)] = '"'
    decimal: Literal[".", ","] = "."
    thousands: Literal["", ".", ",", "'", " "] = ""  # " " stands for every kind of space, U+00A0 and U+202F too
    encoding: str = "utf-8"
    date_format: str = "%Y-%m-%d"
    time_zone: str | None = None  # None: the workspace's

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, value: str) -> str:
        try:
            "".encode(value)
        except LookupError:
            raise ValueError(f"'{value}' is not an encoding; use for example utf-8, cp1252 or utf-16") from None
        return value

    @field_validator("time_zone")
    @classmethod
    def _zone(cls, value: str | None) -> str | None:
        return value if value is None else _known_zone(value)

    @field_validator("date_format")
    @classmethod
    def _one_meaning(cls, value: str) -> str:
        date_pattern(value)
        return value

    @model_validator(mode="after")
    def _marks_differ(self) -> Dialect:
        if {self.delimiter, self.quote} & {"\r", "\n", "\0"}:
            raise ValueError("delimiter and quote are marks within a line, not line ends")
        if self.decimal == self.thousands:
            raise ValueError(f"decimal and thousands are both '{self.decimal}'")
        if self.quote == self.delimiter:
            raise ValueError(f"quote and delimiter are both '{self.quote}'")
        return self


class Source(_Section):
    """Where rows of one table come from. `columns` says which source column fills which contract column."""

    table: str
    path: Annotated[str, Field(min_length=1)]
    format: Literal["csv", "parquet"] | None = None  # None: by the file's ending
    columns: dict[str, str]
    max_rejected_share: Share = 0.05
    dialect: Dialect = Dialect()

    @model_validator(mode="after")
    def _names(self) -> Source:
        if self.table not in TABLES:
            raise ValueError(f"there is no table '{self.table}'.{did_you_mean(self.table, TABLES)}")
        contract = TABLES[self.table]
        names = [column.name for column in contract.columns] + ["known_at"]
        for name in self.columns:
            if name not in names:
                raise ValueError(f"table {self.table} has no column '{name}'.{did_you_mean(name, names)}")
        for column in contract.columns:
            if column.required and not column.made_when_absent and column.name not in self.columns:
                raise ValueError(f"table {self.table} needs '{column.name}': say which source column holds it")
        if Path(self.path).is_absolute() or ".." in Path(self.path).parts:
            raise ValueError(f"path '{self.path}' leaves the workspace; put or link the file inside it")
        return self


class Cohort(_Section):
    """Who is at risk: `ever_ordered`, or `ordered_within` the last `active_days`."""

    kind: Literal["ever_ordered", "ordered_within"] = "ordered_within"
    active_days: PositiveInt = 365


class Outcome(_Section):
    """What counts as churn: no order in [snapshot + lead_days, snapshot + lead_days + horizon_days)."""

    lead_days: Annotated[int, Field(ge=0)] = 0
    horizon_days: PositiveInt = 90


class Snapshots(_Section):
    """Training snapshots lie on a fixed grid, so that each is computed once whatever the day of the run."""

    every_days: PositiveInt = 7
    anchor: date = date(2001, 1, 1)
    min_history_days: Annotated[int, Field(ge=0)] = 30
    at_most: PositiveInt = 52


class Training(_Section):
    """How the model is fitted."""

    seed: int = 7
    threads: PositiveInt = 2
    tuning_trials: Annotated[int, Field(ge=0)] = 0
    start_model: bool = True
    min_customers: PositiveInt = 100
    min_positives: PositiveInt = 20


class Backtest(_Section):
    """Walk-forward folds: each tests a snapshot on models trained only on outcomes known before it."""

    folds: PositiveInt = 4
    every_days: PositiveInt = 30
    embargo_days: Annotated[int, Field(ge=0)] = 0
    bootstrap_samples: PositiveInt = 200


class Promotion(_Section):
    """A challenger replaces the champion only if it is not worse by more than these margins."""

    max_log_loss_increase: Annotated[float, Field(ge=0)] = 0.002
    max_roc_auc_decrease: Annotated[float, Field(ge=0)] = 0.005


class Bands(_Section):
    """Risk bands by churn_probability: high from `high` on, medium from `medium` on, low below."""

    high: Share = 0.7
    medium: Share = 0.4

    @model_validator(mode="after")
    def _ordered(self) -> Bands:
        if self.medium > self.high:
            raise ValueError(f"medium ({self.medium}) is above high ({self.high})")
        return self


class Delivery(_Section):
    """Where scores go and how long they hold."""

    valid_days: PositiveInt = 30
    csv: bool = True


class Tracking(_Section):
    """MLflow. No uri: an SQLite file in the workspace."""

    uri: str | None = None
    experiment: str = "attrition"

    @field_validator("uri")
    @classmethod
    def _no_password(cls, value: str | None) -> str | None:
        if value and urlsplit(value).password:
            raise ValueError("uri holds a password; set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD instead")
        return value


class Reference(_Section):
    """Figures that others reached on the same data, shown beside ours."""

    name: str
    roc_auc: float
    log_loss: float
    source: str


class Settings(_Section):
    """The whole file."""

    time_zone: str = "UTC"
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    language: Literal["en", "fr"] = "en"
    complete_until: date | None = None
    as_of: date | None = None  # pins the day that scoring looks from; None: the day of the run
    lookback_days: tuple[PositiveInt, ...] = (7, 30, 90, 365)
    sources: tuple[Source, ...]
    cohort: Cohort = Cohort()
    outcome: Outcome = Outcome()
    snapshots: Snapshots = Snapshots()
    training: Training = Training()
    backtest: Backtest = Backtest()
    promotion: Promotion = Promotion()
    bands: Bands = Bands()
    delivery: Delivery = Delivery()
    tracking: Tracking = Tracking()
    references: tuple[Reference, ...] = ()

    @field_validator("time_zone")
    @classmethod
    def _zone(cls, value: str) -> str:
        return _known_zone(value)

    @field_validator("lookback_days")
    @classmethod
    def _rising(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if not value or list(value) != sorted(set(value)):
            raise ValueError(f"must rise and not repeat, got {list(value)}")
        return value

    @field_validator("sources")
    @classmethod
    def _some_source(cls, value: tuple[Source, ...]) -> tuple[Source, ...]:
        if not any(source.table in ("orders", "order_lines") for source in value):
            raise ValueError('nothing provides orders; add a source with table = "orders" or "order_lines"')
        return value

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)


def _known_zone(value: str) -> str:
    if value not in available_timezones():
        raise ValueError(f"'{value}' is not a time zone.{did_you_mean(value, available_timezones())}")
    return value


def load(path: Path) -> Settings:
    """Read and check a settings file; SettingsError names each mistake, its place and the remedy."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (FileNotFoundError, IsADirectoryError):
        raise SettingsError(f"{path} does not exist; make a workspace with `attrition init {path.parent}`") from None
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path} is not UTF-8 text (byte {error.start}); save it as UTF-8") from None
    try:
        return Settings.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path} is not valid TOML: {error}") from None
    except ValidationError as error:
        lines = [f"  {_explain(detail)}" for detail in error.errors(include_url=False)]
        raise SettingsError("\n".join([f"{path}:", *lines])) from None


def _explain(detail: Any) -> str:
    place = ".".join(str(part) for part in detail["loc"])
    if detail["type"] == "extra_forbidden":
        *section, key = detail["loc"]
        return f"{place}: there is no such setting.{did_you_mean(str(key), _known_keys(section))}"
    if detail["type"] == "missing":
        return f"{place}: is missing"
    return f"{place}: {re.sub('^Value error, ', '', detail['msg'])}"


def _known_keys(section: list[Any]) -> list[str]:
    model: Any = Settings
    for part in section:
        if isinstance(part, int):
            continue
        annotation = model.model_fields[part].annotation
        model = next((a for a in getattr(annotation, "__args__", ()) if isinstance(a, type)), annotation)
    return list(model.model_fields)
