"""Whether what a source gives now has landed, as it is read now."""

from __future__ import annotations

from pipelines.data.sources.source_rows import SourceRows
from pipelines.foundation.storage.landings import LANDED, landing
from pipelines.foundation.storage.store import Store, StoredFile


def landed_already(store: Store, file: SourceRows) -> StoredFile | None:
    """The landed file of what a source gives; None where it is new, or is read otherwise than before."""
    return landing(
        store,
        file.place(LANDED),
        table=file.source.table,
        source=file.name,
        copies_count=file.source.new_file != "rows",
    )
