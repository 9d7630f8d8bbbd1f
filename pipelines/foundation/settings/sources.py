"""The part of `attrition.toml` that says where rows come from, and how a file writes its values."""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import lru_cache
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Discriminator, Field, Tag, field_serializer, field_validator, model_validator

from features.contract import ROW_CLOCKS, Table
from features.errors import SettingsError, did_you_mean
from features.tables import TABLES
from pipelines.foundation.settings.database_url import database_url, without_user
from pipelines.foundation.settings.date_format import date_pattern
from pipelines.foundation.settings.dialect import Dialect
from pipelines.foundation.settings.section import Day, PositiveSpan, Section, Share, Times, inside

DEFAULT_PASSWORD_ENV = "ATTRITION_SOURCE_PASSWORD"  # noqa: S105 - the name of a variable
SINCE = " since "  # in the names of what landed by a cursor

_GLOB = {"**/": "(.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}


class Source(Section):
    """What every kind of source says: which table its rows belong to, and what a further delivery of them is.

    columns: which source column fills which contract column. new_file: what a further file, or answer, is: "rows"
    beside those of earlier ones, a new state of its "period" (from its first row to its last day), or the whole "state"
    of the table at its export. max_gone_share: how much fewer rows a whole state may have than the one before it, as
    what it lacks ends. corrects_past: values that changed, rows that came late and rows that are gone were always so.
    key_prefix: put before the keys of this source, where two count alike. complete_until: the first day of which this
    source does not have everything; None: judged by how its rows arrive. silence: whether a long pause within the rows
    is a time in which nothing happened, or whose rows are missing. guests: what stands for customers where nobody is
    known; "" is an empty value. lower_case: columns whose texts are written in small letters, as ids that are e-mail
    addresses. guessed: what `init` was not told and nobody has confirmed; nothing is trained before.
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
    guessed: tuple[str, ...] = ()
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


class SelectSource(Source):
    """What one SELECT gives.

    query: the SELECT, or the name of a file of the workspace that holds it and ends in .sql. columns: where it is
    empty, the query names its columns as the table does. time_limit_minutes: how long it may take.
    """

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
        raise NotImplementedError

    @model_validator(mode="after")
    def _inside(self) -> Self:
        if self.file is not None:
            inside(self.file)
        return self


class QuerySource(SelectSource):
    """What one SELECT of DuckDB gives of files of the workspace, which it names in FROM, in quotes."""

    kind: Literal["query"] = "query"

    @property
    def name(self) -> str:
        return self.file or f"query of {self.table}"

    def gave(self, path: str) -> bool:
        return path == self.name


class DatabaseSource(SelectSource):
    """What one SELECT gives of a database, in the database's own SQL.

    url: where it is; it may name the user, and never the password, which `password_env` names. cursor: the column of
    the answer that grows as rows come or change; the query then holds `:since`, the newest value seen before less
    `overlap_days`, so that only what changed is asked for. None: everything is asked for each time.
    """

    kind: Literal["database"] = "database"
    url: str
    password_env: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,99}$")] = DEFAULT_PASSWORD_ENV
    cursor: Annotated[str, Field(min_length=1)] | None = None
    overlap_days: PositiveSpan = 7

    @field_validator("url")
    @classmethod
    def _address(cls, value: str) -> str:
        database_url(value)
        return value

    @field_serializer("url")
    def _without_user(self, value: str) -> str:
        return without_user(value)

    @model_validator(mode="after")
    def _parts_are_rows(self) -> DatabaseSource:
        if self.cursor is not None and self.new_file != "rows":
            raise ValueError(
                f'cursor: what changed since is a part, and new_file = "{self.new_file}" would end the rows that it '
                'lacks; say new_file = "rows", or leave cursor out'
            )
        return self

    @property
    def name(self) -> str:
        return self.file or f"database of {self.table}"

    def gave(self, path: str) -> bool:
        return path == self.name or path.startswith(f"{self.name}{SINCE}")


def _kind(value: Any) -> str:
    """Which kind of source this is: by its kind or, without one, by what it names."""
    found = value.get("kind") if isinstance(value, dict) else value.kind
    return str(found or ("database" if "url" in value else "query" if "query" in value else "file"))


AnySource = Annotated[
    Annotated[FileSource, Tag("file")]
    | Annotated[QuerySource, Tag("query")]
    | Annotated[DatabaseSource, Tag("database")],
    Discriminator(_kind, custom_error_type="kind", custom_error_message="kind is none of 'file', 'query', 'database'"),
]


def _told_apart(sources: tuple[AnySource, ...]) -> tuple[AnySource, ...]:
    """The sources back; ValueError, in words, where what two queries give would land under one name."""
    names = [source.name for source in sources if isinstance(source, SelectSource)]
    for source in sources:
        if isinstance(source, SelectSource) and names.count(source.name) > 1:
            raise ValueError(
                f"two sources are the same query file {source.file}; give each table a file of its own"
                if source.file
                else f"two queries of table {source.table} stand here; put each into a file of the workspace that ends "
                'in .sql, and name that: query = "orders.sql"'
            )
    return sources


Sources = Annotated[tuple[AnySource, ...], AfterValidator(_told_apart)]


def refuse_guessed(sources: Collection[Source]) -> None:
    """Raise SettingsError while what `init` guessed stands unconfirmed."""
    guesses = [f"  {source.table}: {guess}" for source in sources for guess in source.guessed]
    if guesses:
        raise SettingsError(
            "nothing is trained on a guess that nobody has confirmed; look at what landed, correct the settings, and "
            "set guessed = [] for each source:\n" + "\n".join(guesses)
        )


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
    return path == glob or _found_by(glob).fullmatch(path) is not None


@lru_cache(maxsize=256)  # every file that is landed asks of all that landed before
def _found_by(glob: str) -> re.Pattern[str]:
    parts = re.split(r"(\*\*/|\*\*|\*|\?|\[[^]]+])", glob)
    return re.compile(
        "".join(_GLOB.get(part, part.replace("[!", "[^") if part[:1] == "[" else re.escape(part)) for part in parts)
    )
