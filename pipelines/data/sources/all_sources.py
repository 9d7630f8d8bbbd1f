"""Every source of the settings, whatever its kind."""

from __future__ import annotations

from collections.abc import Iterator

from features.errors import DataError
from pipelines.data.sources.file_rows import file_rows
from pipelines.data.sources.source_rows import SourceRows
from pipelines.foundation.settings.settings import Settings
from pipelines.foundation.settings.sources import AnySource, FileSource, QuerySource
from pipelines.foundation.storage.store import Store


def all_sources(store: Store, settings: Settings, *, fetched: bool = True) -> list[SourceRows]:
    """What every source gives now, in the order of the settings.

    fetched: what APIs give has been fetched; otherwise sources that read what is not are left out.

    Raises: DataError where a source names no file, a format cannot be told, or two sources read one file differently.
    """
    there = [source for source in settings.sources if fetched or not _awaits_fetch(store, source)]
    found = [rows for source in there for rows in _of(store, settings, source)]
    seen: dict[tuple[str, str], SourceRows] = {}
    for rows in found:
        if not rows.sha256:  # not fetched yet; what a database gives has its source's name in its hash
            continue
        first = seen.setdefault((rows.source.table, rows.sha256), rows)
        if first.settings_sha256 != rows.settings_sha256:
            raise DataError(
                f"{first.name} and {rows.name} hold the same bytes, but two sources of table {rows.source.table} read "
                "them differently, and only one reading can hold; remove one of the two sources from attrition.toml"
            )
    return found


# Most workspaces have files alone: SQLAlchemy, or the processes of queries, are imported for those that need them.


def _awaits_fetch(store: Store, source: AnySource) -> bool:
    if not isinstance(source, QuerySource):
        return False
    from pipelines.data.sources.query.query_rows import awaits_fetch

    return awaits_fetch(store, source)


def _of(store: Store, settings: Settings, source: AnySource) -> Iterator[SourceRows]:
    if isinstance(source, FileSource):
        return file_rows(store, settings, source)
    if isinstance(source, QuerySource):
        from pipelines.data.sources.query.query_rows import query_rows

        return query_rows(store, settings, source)
    from pipelines.data.sources.database.database_rows import database_rows

    return database_rows(store, settings, source)
