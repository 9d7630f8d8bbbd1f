"""The SELECT of a source, which stands in the settings or in a file of the workspace."""

from __future__ import annotations

from features.errors import SettingsError
from pipelines.foundation.settings.sources import SelectSource
from pipelines.foundation.storage.store import Store
from pipelines.foundation.storage.workspace_paths import refuse_outside

_LONGEST = 1 << 20  # bytes of a file that holds one SELECT


def query_text(store: Store, source: SelectSource) -> str:
    """The SELECT. Raises: SettingsError where its file is not there, or is no text."""
    if source.file is None:
        return source.query
    place = refuse_outside(store.root, store.root / source.file, setting=f"the query of table {source.table}")
    if not place.is_file():
        raise SettingsError(f"{source.file} is not there (the query of table {source.table}); put the file there")
    if place.stat().st_size > _LONGEST:
        raise SettingsError(f"{source.file} is larger than {_LONGEST:,} bytes; put a file there that holds a query")
    try:
        return place.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise SettingsError(f"{source.file} is not UTF-8 text (byte {error.start}); save it as UTF-8") from None
