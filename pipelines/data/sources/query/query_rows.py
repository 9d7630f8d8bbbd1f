"""A source that is a query: what it gives of the files that it names is one delivery of rows."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from features.errors import DataError, SettingsError
from pipelines.data.sources.containers import split, unpacking
from pipelines.data.sources.parquet_rows import parquet_rows
from pipelines.data.sources.query.run import result_columns, write_result
from pipelines.data.sources.query.select import Select
from pipelines.data.sources.query.tables import (
    ENDINGS,
    PLAIN,
    TRACE,
    FileTable,
    InputFile,
    as_table,
    headings,
    under_each_other,
)
from pipelines.data.sources.query_text import query_text
from pipelines.data.sources.raw_rows import RawRows, in_rows
from pipelines.data.sources.select_rows import SelectRows
from pipelines.data.sources.source_rows import found_files, part_sha256, settings_sha256, zone_of
from pipelines.foundation.settings.section import inside
from pipelines.foundation.settings.settings import Settings
from pipelines.foundation.settings.sources import QuerySource
from pipelines.foundation.storage.store import Store
from pipelines.foundation.storage.workspace_paths import FETCHED, is_ours, refuse_outside


@dataclass(frozen=True)
class QueryRows(SelectRows):
    """The rows that a query gives. inputs: each file, or pattern, that it names, and what that stands for now."""

    source: QuerySource
    select: Select
    inputs: tuple[tuple[str, tuple[InputFile, ...]], ...]

    def check(self) -> None:
        self.refuse_unfit()

    def raw(self, folder: Path) -> RawRows:
        self.check()
        folder = folder.absolute()  # a query runs elsewhere
        tables = {name: [as_table(file, self.source.dialect, folder) for file in files] for name, files in self.inputs}
        place = folder / Path(self.name).name  # as messages call it
        spaced = write_result(
            self._views(tables),
            _opened(tables),
            self.select.text,
            place,
            where=self.name,
            minutes=self.source.time_limit_minutes,
            bytes_read=sum(file.path.stat().st_size for _, files in self.inputs for file in files),
        )
        mapped = self.source.model_copy(update={"columns": dict(self.columns)})
        given = parquet_rows(place, mapped, self.contract, spaced=spaced)
        return replace(_with_ragged(given, tables), notes=(*self.unread(beside=TRACE), _counts(tables, given.count)))

    def damage(self) -> DataError | None:
        return None  # what is read last is a file of ours

    def changed(self) -> bool:
        return any(
            part_sha256(file.path, split(file.name)[1]) != file.sha256 for _, files in self.inputs for file in files
        )

    @cached_property
    def given(self) -> list[str]:
        """The columns that it gives, told by the headings of its files."""
        dialect = self.source.dialect
        with unpacking(self.root, *(file.path for _, files in self.inputs for file in files)) as folder:
            tables = {name: [headings(file, dialect, folder) for file in files] for name, files in self.inputs}
            return result_columns(self._views(tables), _opened(tables), self.select.text, where=self.name)

    def _views(self, tables: Mapping[str, list[FileTable]]) -> dict[str, str]:
        columns, stars = self.select.columns, self.select.stars
        return {name: under_each_other(each, named=columns, stars=stars) for name, each in tables.items()}


def query_rows(store: Store, settings: Settings, source: QuerySource) -> Iterator[QueryRows]:
    """The one delivery of a query. Raises: DataError, SettingsError where the query or a file of it cannot be read."""
    select = Select.of(query_text(store, source), where=source.name)
    inputs = tuple((name, tuple(_files(store, source, name))) for name in select.files)
    _refuse_alike([name for name, _ in inputs], source.name)
    hashes = [source.name, *([name, *(file.sha256 for file in files)] for name, files in inputs)]
    yield QueryRows(
        root=store.root.absolute(),
        source=source,
        name=source.name,
        sha256=hashlib.sha256(json.dumps(hashes).encode()).hexdigest(),
        settings_sha256=settings_sha256(settings, source, query=select.text),
        zone=zone_of(settings, source),
        select=select,
        inputs=inputs,
    )


def awaits_fetch(store: Store, source: QuerySource) -> bool:
    """Whether a query reads what an API gave, and that is not here now: it is removed once it has landed."""
    files = Select.of(query_text(store, source), where=source.name).files
    return any(_was_fetched(name) and not (store.root / name).exists() for name in files)


def _files(store: Store, source: QuerySource, name: str) -> Iterator[InputFile]:
    if Path(name).is_absolute() or ".." in Path(name).parts:
        raise SettingsError(
            f"{source.name}: '{name}' lies outside of the workspace; put the file into it, and name it from there"
        )
    if _was_fetched(name) and not (store.root / name).exists():
        raise SettingsError(
            f"{source.name}: '{name}' was not fetched; see whether the [[fetches]] of attrition.toml name the folder "
            f"'{'/'.join(Path(name).parts[1:-1])}', and fetch such a list"
        )
    pattern, part = split(name)
    try:
        _refuse_ours(store.root, store.root / inside(pattern), source.name)
    except ValueError as error:
        raise SettingsError(f"{source.name}: names a file that cannot be: {error}") from None
    if not pattern.lower().endswith(ENDINGS):
        raise SettingsError(
            f"{source.name}: reads {name}, which is no file of {', '.join(ENDINGS)} (a query makes tables of its own "
            "by WITH, to be named where that stands or below it)"
        )
    for path in found_files(store, pattern, table=source.table, beside=()):
        refuse_outside(store.root, path, setting=f"read by {source.name}")
        for place in (path, path.resolve()):
            _refuse_ours(store.root, place, source.name)
        below = path.relative_to(store.root).as_posix()
        name_of_it = f"{below}#{part}" if part else below
        file = InputFile(path.absolute(), name_of_it, part_sha256(path, part))
        if file.inner not in PLAIN:
            raise DataError(f"{file.name} holds a file that is none of {', '.join(PLAIN)}; name another of its files")
        yield file


def _refuse_ours(root: Path, place: Path, where: str) -> None:
    """Raise SettingsError at a file of attrition's own, by whichever name: of a link, or in capitals on a Mac."""
    within = root.resolve() if place.is_relative_to(root.resolve()) else root
    name = place.relative_to(within)
    small = Path(name.as_posix().lower())
    if name.parts[:1] == (FETCHED,):
        return  # what an API gave, to be read by just these queries
    if is_ours(name) or (is_ours(small) and (within / small).exists()):
        raise SettingsError(f"{where}: '{name.as_posix()}' is a file of attrition's own, and no source; name an export")


def _refuse_alike(names: list[str], where: str) -> None:
    """Raise SettingsError where two names of files are one to SQL, which does not look at capitals."""
    seen: dict[str, str] = {}
    for name in names:
        if (other := seen.setdefault(name.casefold(), name)) != name:
            raise SettingsError(f"{where}: SQL cannot tell '{other}' and '{name}' apart; rename one of the files")


def _opened(tables: Mapping[str, list[FileTable]]) -> list[Path]:
    return [table.opened for each in tables.values() for table in each]


def _was_fetched(name: str) -> bool:
    return Path(name).parts[:1] == (FETCHED,)


def _counts(tables: Mapping[str, list[FileTable]], given: int) -> str:
    """What went in and what came out, to be held beside what the query is meant to leave out."""
    # The first line of a fetched list only names its columns.
    counts = {name: sum(each.count for each in files) - _was_fetched(name) for name, files in tables.items()}
    read = [f"{in_rows(count)} of {name}" for name, count in counts.items()]
    return f"reads {' and '.join(read)}, and gives {in_rows(given)}"


def _with_ragged(given: RawRows, tables: Mapping[str, list[FileTable]]) -> RawRows:
    """The rows of a query, and after them the rows of its files that it could not see, each to be rejected."""
    cells, texts, count = [given.cells], [given.texts], given.count
    for table in (table for each in tables.values() for table in each):
        if table.ragged is not None:
            # Numbered on, in the order of their file.
            numbered = f"SELECT *, {count} + row_number() OVER (ORDER BY source_row) AS number FROM ({table.ragged})"  # noqa: S608 - ours
            why = f"concat(ragged, ' (row ', source_row, ' of {_sql(table.name)})')"
            cells.append(f"SELECT {why} AS ragged FROM ({numbered} ORDER BY source_row)")  # noqa: S608 - ours
            texts.append(f"SELECT number AS source_row, whole AS raw_row FROM ({numbered})")  # noqa: S608 - ours
            count += table.lost
    return RawRows(
        count=count,
        cells=" UNION ALL BY NAME ".join(f"({each})" for each in cells),
        texts=" UNION ALL ".join(f"({each})" for each in texts),
        readings=given.readings,
        headings=given.headings,
    )


def _sql(text: str) -> str:
    return text.replace("'", "''")
