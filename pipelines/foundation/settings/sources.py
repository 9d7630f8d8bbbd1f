"""The part of `attrition.toml` that says where rows come from, and how a file writes its values."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from features.contract import ROW_CLOCKS
from features.errors import did_you_mean
from features.tables import TABLES
from pipelines.foundation.settings.character_sets import character_set
from pipelines.foundation.settings.date_format import date_pattern
from pipelines.foundation.settings.section import Day, Section, Share, inside, known_zone


class Dialect(Section):
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
        return character_set(value)

    @field_validator("time_zone")
    @classmethod
    def _zone(cls, value: str | None) -> str | None:
        return value if value is None else known_zone(value)

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


class Source(Section):
    """Where rows of one table come from. `columns` says which source column fills which contract column.

    new_file: what a further file is: "rows" beside those of earlier files, a new state of its "period" (the days that
    its rows lie in), or the whole "state" of the table at its export. max_gone_share: how much fewer rows a whole state
    may have than the one before it, as what it lacks ends. exported_on: how the day of the export is written
    in each file's name; None: a file is as old as its landing. corrects_past: values that changed, rows that came late
    and rows that are gone were always so. key_prefix: put before the keys of this source, where two count alike.
    complete_until: the first day of which this source does not have everything; None: judged by how its rows arrive.
    silence: whether a long pause within the rows is a time in which nothing happened, or whose rows are missing.
    guests: what stands for customers where nobody is known; "" is an empty value.
    """

    table: str
    path: Annotated[str, Field(min_length=1)]
    format: Literal["csv", "parquet"] | None = None  # None: by the file's ending
    columns: dict[str, str]
    max_rejected_share: Share = 0.05
    new_file: Literal["rows", "period", "state"] = "rows"
    max_gone_share: Share = 0.5
    exported_on: str | None = None
    corrects_past: bool = False
    key_prefix: str = ""
    complete_until: Day | None = None
    silence: Literal["missing", "closed"] = "missing"
    guests: tuple[str, ...] = ()
    dialect: Dialect = Dialect()

    @field_validator("exported_on")
    @classmethod
    def _one_day(cls, value: str | None) -> str | None:
        if value is not None:
            date_pattern(value)
        return value

    @model_validator(mode="after")
    def _names(self) -> Source:
        if self.table not in TABLES:
            raise ValueError(f"there is no table '{self.table}'.{did_you_mean(self.table, TABLES)}")
        contract = TABLES[self.table]
        names = [column.name for column in (*contract.columns, *ROW_CLOCKS)]
        for name in self.columns:
            if name not in names:
                raise ValueError(f"table {self.table} has no column '{name}'.{did_you_mean(name, names)}")
        for column in contract.columns:
            if column.required and not column.made_when_absent and column.name not in self.columns:
                raise ValueError(f"table {self.table} needs '{column.name}': say which source column holds it")
        for column in contract.columns:
            if column.name in self.columns and column.known_at and column.known_at not in self.columns:
                raise ValueError(
                    f"table {self.table}: '{column.name}' counts from '{column.known_at}' on, so map that, too, or "
                    f"leave '{column.name}' out: without the moment it would never count"
                )
        inside(self.path)
        return self
