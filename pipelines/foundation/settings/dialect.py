"""The part of `attrition.toml` that says how a file writes its values."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from pipelines.foundation.settings.character_sets import character_set
from pipelines.foundation.settings.date_format import date_pattern
from pipelines.foundation.settings.section import Section, known_zone

EPOCHS = {"epoch_s": 1_000_000, "epoch_ms": 1_000}  # microseconds


class Dialect(Section):
    """How texts write their values; of a Parquet file those columns that are text, and `time_zone`.

    currency_sign: what may stand before or after an amount, as in "€ 12.50" or "12.50 EUR". round_numbers: more than
    four decimals are rounded, not refused. booleans: words of this source for true and false. date_format: as of
    strptime; "epoch_s" or "epoch_ms" for seconds, or thousandths of them, since 1970-01-01 UTC.
    """

    delimiter: Annotated[str, Field(min_length=1, max_length=1)] = ","
    quote: Annotated[str, Field(min_length=1, max_length=1)] = '"'
    decimal: Literal[".", ","] = "."
    thousands: Literal["", ".", ",", "'", " "] = ""  # " " stands for every kind of space, U+00A0 and U+202F too
    currency_sign: Annotated[str, Field(max_length=10, pattern=r"^[^\d\s.,'+()-]*$")] = ""
    round_numbers: bool = False
    booleans: dict[str, bool] = Field(default_factory=dict)
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
        if value not in EPOCHS:
            date_pattern(value)
        return value

    @field_validator("booleans")
    @classmethod
    def _words(cls, value: dict[str, bool]) -> dict[str, bool]:
        words = {word.strip().lower(): meant for word, meant in value.items()}
        if len(words) < len(value) or "" in words:
            raise ValueError("each word for true or false stands once, whatever its capitals, and is not empty")
        return words

    @model_validator(mode="after")
    def _marks_differ(self) -> Dialect:
        if {self.delimiter, self.quote} & {"\r", "\n", "\0"}:
            raise ValueError("delimiter and quote are marks within a line, not line ends")
        if self.decimal == self.thousands:
            raise ValueError(f"decimal and thousands are both '{self.decimal}'")
        if self.quote == self.delimiter:
            raise ValueError(f"quote and delimiter are both '{self.quote}'")
        return self
