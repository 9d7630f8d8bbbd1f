"""Which landed files of a table are one source's, and what of them was replaced or taken back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.foundation.storage.sql_text import NO_FOLDERS, quoted

if TYPE_CHECKING:
    from pipelines.foundation.storage.counted_rows import Counted
    from pipelines.foundation.storage.store import Store


@dataclass(frozen=True, kw_only=True)
class LandedSource:
    """The landed files of one source, oldest first.

    numbers: the place of each among the table's files. paths: where they came from. ended: files that say which rows of
    them hold no longer, by position among them.
    """

    numbers: Sequence[int]
    paths: Sequence[str]
    ended: Sequence[Path]

    @property
    def ends(self) -> str:
        """SQL of the rows that hold no longer: place (of the file among the table's), source_row, known_until."""
        files = ", ".join(quoted(place) for place in self.ended)
        return (
            f"SELECT {list(self.numbers)}[position + 1] AS place, source_row, known_until "  # noqa: S608 - numbers and files
            f"FROM read_parquet([{files}], {NO_FOLDERS})"
        )


def landed_sources(store: Store, files: Sequence[Counted], sources: Sequence[Sequence[Counted]]) -> list[LandedSource]:
    """Those of one table. files: all of it, of which a source's are told by their places."""
    place = {id(file): number for number, file in enumerate(files)}
    return [
        LandedSource(
            numbers=[place[id(file)] for file in of],
            paths=[file.landing.path for file in of],
            ended=[store.place(file.ended.path) for file in of if file.ended is not None],
        )
        for of in sources
    ]
