"""A source that is a database: what its query gives now is one delivery of rows, fetched when they are to land."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pyarrow.types as pt

from features.errors import DataError, IntegrityError, SettingsError
from pipelines.data.sources.database.columns import TEXT, WHOLE
from pipelines.data.sources.database.described import Described
from pipelines.data.sources.database.fetch import ROW_NUMBER, Answer, columns_of, fetch
from pipelines.data.sources.database.statement import Statement
from pipelines.data.sources.parquet_rows import parquet_rows
from pipelines.data.sources.query_text import query_text
from pipelines.data.sources.raw_rows import RawRows
from pipelines.data.sources.select_rows import SelectRows
from pipelines.data.sources.source_rows import settings_sha256, zone_of
from pipelines.foundation.settings.database_url import database_url
from pipelines.foundation.settings.settings import Settings
from pipelines.foundation.settings.sources import SINCE, DatabaseSource
from pipelines.foundation.storage.atomic_file import scratch
from pipelines.foundation.storage.landings import LANDED, Landing, source_landings
from pipelines.foundation.storage.store import Store

_BEFORE_ALL = datetime(1900, 1, 1)  # noqa: DTZ001 - of whatever zone the cursor is


@dataclass(frozen=True)
class DatabaseRows(SelectRows):
    """The rows that a database gives. since: what `:since` stands for. answer: None where they are not fetched yet.

    store, before: where, and as what, the landings of this source lie that count.
    """

    source: DatabaseSource
    statement: Statement
    since: datetime
    store: Store
    before: tuple[Landing, ...]
    answer: Answer | None = None

    @property
    def noted(self) -> Mapping[str, str | None]:
        newest = self.answer.newest if self.answer else None
        return {"cursor": newest.isoformat()} if newest else {}

    def fetch(self, folder: Path) -> DatabaseRows:
        self.check()
        answer = fetch(self.root, self.source, self.statement, since=self.since, folder=folder, flags=self._flags)
        self._refuse_lost(answer.sha256)
        return replace(self, sha256=answer.sha256, answer=answer)

    def check(self) -> None:
        """Raise SettingsError, DataError where a column is missing, or of another type; of what is asked for yet."""
        if self.answer is not None:
            return
        self.refuse_unfit()
        if self.source.cursor and self.given.count(self.source.cursor) != 1:
            raise SettingsError(
                f"{self.name}: the answer needs one column '{self.source.cursor}', as cursor of its source says; have "
                "the query give it"
            )
        schema = pa.schema([(column.name, _told(column, self._flags)) for column in self._described])
        with scratch(self.root / LANDED, "reading") as folder:
            place = folder / Path(self.source.name).name
            pq.write_table(schema.empty_table(), place)
            self._read(place)

    def raw(self, folder: Path) -> RawRows:  # noqa: ARG002 - they were fetched
        if self.answer is None:
            raise AssertionError("rows are fetched before they are read")
        return replace(self._read(self.answer.place), notes=tuple(self.unread(beside=[self.source.cursor, ROW_NUMBER])))

    def damage(self) -> DataError | None:
        return None  # what is read last is a file of ours

    def changed(self) -> bool:
        return False  # the answer is what it was at one moment

    @cached_property
    def given(self) -> tuple[str, ...]:
        return self.answer.columns if self.answer else tuple(column.name for column in self._described)

    @cached_property
    def _described(self) -> list[Described]:
        return columns_of(self.root, self.source, self.statement, self.since)

    @cached_property
    def _flags(self) -> set[str]:
        """The columns that are to be true or false."""
        kinds = {column.name: column.kind for column in self.contract.columns}
        return {theirs for ours, theirs in self.columns.items() if kinds.get(ours) == "boolean"}

    def _read(self, place: Path) -> RawRows:
        return parquet_rows(place, self.source.model_copy(update={"columns": dict(self.columns)}), self.contract)

    def _refuse_lost(self, sha256: str) -> None:
        """What landed and is gone is not made again by asking, unless the answer is the same."""
        for each in self.before:
            if each.file.detail["source_sha256"] != sha256 and not self.store.place(each.file.path).exists():
                raise IntegrityError(
                    f"{each.file.path} is missing, and what a database gave once it cannot be asked for again; restore "
                    f"the file from a backup. Without one, put the query of table {self.source.table} into a file of "
                    'another name (query = "orders_2.sql"): what landed before is left out then, and all rows are '
                    "fetched anew"
                )


def database_rows(store: Store, settings: Settings, source: DatabaseSource) -> Iterator[DatabaseRows]:
    """The one delivery of a database, which is not asked yet. Raises: SettingsError where the query is no SELECT."""
    url = database_url(source.url)
    text = query_text(store, source)
    statement = Statement.of(text, system=url.system, where=source.name)
    _refuse_half(source, statement)
    # Another database has other rows: what was seen of the first says nothing of it.
    where = {"database": url.place} if source.cursor else {}
    reading = settings_sha256(settings, source, query=text, **where)
    before = next((of.landings for of in source_landings(store, settings) if of.source == source), ())
    since = _since(source, before, reading)
    yield DatabaseRows(
        root=store.root,
        source=source,
        name=source.name if since == _BEFORE_ALL else f"{source.name}{SINCE}{since.isoformat(timespec='seconds')}",
        sha256="",
        settings_sha256=reading,
        zone=zone_of(settings, source),
        statement=statement,
        since=since,
        store=store,
        before=before,
    )


def _refuse_half(source: DatabaseSource, statement: Statement) -> None:
    if source.cursor and not statement.sinces:
        raise SettingsError(
            f"{source.name}: cursor is '{source.cursor}', and the query does not say :since; add "
            f"WHERE {source.cursor} >= :since, or leave cursor out"
        )
    if statement.sinces and not source.cursor:
        raise SettingsError(
            f'{source.name}: the query says :since, and no cursor says of which column; add cursor = "updated_at"'
        )


def _since(source: DatabaseSource, before: tuple[Landing, ...], reading: str) -> datetime:
    """The newest value seen under these settings, less the overlap; under other settings, everything is read anew."""
    if source.cursor is None or not before or not before[-1].reading.startswith(reading[:8]):
        return _BEFORE_ALL
    seen = [each.file.detail["cursor"] for each in before if each.file.detail.get("cursor")]
    if not seen:
        return _BEFORE_ALL
    return (max(map(datetime.fromisoformat, seen)) - timedelta(days=source.overlap_days)).replace(microsecond=0)


def _told(column: Described, flags: set[str]) -> pa.DataType:
    if pt.is_null(column.type) or (column.type == WHOLE and column.name in flags):
        return TEXT
    return column.type
