"""The part of `attrition.toml` that says where rows come from, and how a file writes its values."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Discriminator, Field, Tag, field_validator, model_validator

from features.contract import ROW_CLOCKS, Table
from features.errors import did_you_mean
from features.tables import TABLES
from pipelines.foundation.settings.character_sets import character_set
from pipelines.foundation.settings.date_format import date_pattern
from pipelines.foundation.settings.section import Day, Section, Share, Times, inside, known_zone

EPOCHS = {"epoch_s": 1_000_000, "epoch_ms": 1_000}  # microseconds

_GLOB = {"**/": "(.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}


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


class Source(Section):
    """What every kind of source says: which table its rows belong to, and what a further delivery of them is.

    columns: which source column fills which contract column. new_file: what a further file, or answer, is: "rows"
    beside those of earlier ones, a new state of its "period" (the days that its rows lie in), or the whole "state" of
    the table at its export. max_gone_share: how much fewer rows a whole state may have than the one before it, as what
    it lacks ends. corrects_past: values that changed, rows that came late and rows that are gone were always so.
    key_prefix: put before the keys of this source, where two count alike. complete_until: the first day of which this
    source does not have everything; None: judged by how its rows arrive. silence: whether a long pause within the rows
    is a time in which nothing happened, or whose rows are missing. guests: what stands for customers where nobody is
    known; "" is an empty value. lower_case: columns whose texts are written in small letters, as ids that are e-mail
    addresses.
    """

    table: str
    columns: dict[str, str]
    max_rejected_share: Share = 0.05
    new_file: Literal["rows", "period", "state"] = "rows"
    max_gone_share: Share = 0.5
    corrects_past: bool = False
    key_prefix: str = ""
    complete_until: Day | None = None
    silence: Literal["missing", "closed"] = "missing"
    guests: tuple[str, ...] = ()
    lower_case: tuple[str, ...] = ()
    dialect: Dialect = Dialect()

    @model_validator(mode="after")
    def _names(self) -> Source:
        if self.table not in TABLES:
            raise ValueError(f"there is no table '{self.table}'.{did_you_mean(self.table, TABLES)}")
        contract = TABLES[self.table]
        names = [column.name for column in (*contract.columns, *ROW_CLOCKS)]
        for name in self.columns:
            if name not in names:
                raise ValueError(f"table {self.table} has no column '{name}'.{did_you_mean(name, names)}")
        texts = [column.name for column in contract.columns if column.kind == "text"]
        for name in self.lower_case:
            if name not in texts:
                raise ValueError(f"lower_case: table {self.table} has no text '{name}'.{did_you_mean(name, texts)}")
        if self.columns and (lacks := lacking(contract, self.columns)):
            raise ValueError(lacks)
        return self

    @property
    def contract(self) -> Table:
        return TABLES[self.table]

    def gave(self, path: str) -> bool:
        """Whether what landed under this name, which may be gone by now, came from this source."""
        raise NotImplementedError


class FileSource(Source):
    """Files of the workspace, a row of the table in each of their rows.

    path: a file, or a pattern that names several. exported_on: how the day of the export is written in each file's
    name; None: a file is as old as its landing.
    """

    kind: Literal["file"] = "file"
    path: Annotated[str, Field(min_length=1)]
    format: Literal["csv", "parquet"] | None = None  # None: by the file's ending
    exported_on: str | None = None

    @field_validator("exported_on")
    @classmethod
    def _one_day(cls, value: str | None) -> str | None:
        if value is not None:
            date_pattern(value)
        return value

    @model_validator(mode="after")
    def _mapped(self) -> FileSource:
        if not self.columns:
            raise ValueError(lacking(self.contract, ()))
        inside(self.path)
        return self

    def gave(self, path: str) -> bool:
        return _matches(path, self.path)


class QuerySource(Source):
    """What one SELECT of DuckDB gives of files of the workspace, which it names in FROM, in quotes.

    query: the SELECT, or the name of a file of the workspace that holds it and ends in .sql. columns: where it is
    empty, the query names its columns as the table does. time_limit_minutes: how long it may take.
    """

    kind: Literal["query"] = "query"
    query: Annotated[str, Field(min_length=1, max_length=100_000)]
    columns: dict[str, str] = Field(default_factory=dict)
    time_limit_minutes: Times = 60

    @property
    def file(self) -> str | None:
        """The file that holds the query; None where it stands in the settings."""
        return self.query if self.query.endswith(".sql") else None

    @property
    def name(self) -> str:
        """What its rows land under."""
        return self.file or f"query of {self.table}"

    @model_validator(mode="after")
    def _inside(self) -> QuerySource:
        if self.file is not None:
            inside(self.file)
        return self

    def gave(self, path: str) -> bool:
        return path == self.name


def _kind(value: Any) -> str:
    """Which kind of source this is: by its kind or, without one, by what it names."""
    found = value.get("kind") if isinstance(value, dict) else value.kind
    return str(found or ("query" if "query" in value else "file"))


AnySource = Annotated[
    Annotated[FileSource, Tag("file")] | Annotated[QuerySource, Tag("query")],
    Discriminator(_kind, custom_error_type="kind", custom_error_message="kind is none of 'file', 'query'"),
]


def _told_apart(sources: tuple[AnySource, ...]) -> tuple[AnySource, ...]:
    """The sources back; ValueError, in words, where what two queries give would land under one name."""
    names = [source.name for source in sources if isinstance(source, QuerySource)]
    for source in sources:
        if isinstance(source, QuerySource) and names.count(source.name) > 1:
            raise ValueError(
                f"two sources are the same query file {source.file}; give each table a file of its own"
                if source.file
                else f"two queries of table {source.table} stand here; put each into a file of the workspace that ends "
                'in .sql, and name that: query = "orders.sql"'
            )
    return sources


Sources = Annotated[tuple[AnySource, ...], AfterValidator(_told_apart)]


def lacking(contract: Table, columns: Collection[str]) -> str | None:
    """In words, what a contract needs and mapped columns leave out; None where they hold all of it."""
    for column in contract.columns:
        if column.required and not column.made_when_absent and column.name not in columns:
            return f"table {contract.name} needs '{column.name}': say which source column holds it"
    for column in contract.columns:
        if column.name in columns and column.known_at and column.known_at not in columns:
            return (
                f"table {contract.name}: '{column.name}' counts from '{column.known_at}' on, so map that, too, or "
                f"leave '{column.name}' out: without the moment it would never count"
            )
    return None


def _matches(path: str, glob: str) -> bool:
    """Whether a path that may be gone by now is one that `Path.glob` would have found."""
    parts = re.split(r"(\*\*/|\*\*|\*|\?|\[[^]]+])", glob)
    pattern = "".join(
        _GLOB.get(part, part.replace("[!", "[^") if part[:1] == "[" else re.escape(part)) for part in parts
    )
    return path == glob or re.fullmatch(pattern, path) is not None
