"""Which landed files of a table are one source's, and what of them was replaced or taken back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import takewhile
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

    numbers: list[int] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    ended: list[Path] = field(default_factory=list)

    @property
    def ends(self) -> str:
        """SQL of the rows that hold no longer: place (of the file among the table's), source_row, known_until."""
        files = ", ".join(quoted(place) for place in self.ended)
        return (
            f"SELECT {self.numbers}[position + 1] AS place, source_row, known_until "  # noqa: S608 - numbers and files
            f"FROM read_parquet([{files}], {NO_FOLDERS})"
        )


def landed_sources(store: Store, files: Sequence[Counted]) -> list[LandedSource]:
    """The files of one table by source. files: in the order of arrival.

    A file does not say which source it is of. Its position among its source's files does in nearly every case: that of
    position 2 goes on with a source of two files. A path is always of one source; where several sources have as many
    files, the one with paths most like it is taken.
    """
    found: list[LandedSource] = []
    for number, file in enumerate(files):
        path = file.landing.path
        fitting = [each for each in found if len(each.numbers) == file.position]
        if file.position and fitting:
            source = max(fitting, key=lambda each: (path in each.paths, _alike(path, each.paths[-1])))
        else:
            source = LandedSource()
            found.append(source)
        source.numbers.append(number)
        source.paths.append(path)
        if file.ended is not None:
            source.ended.append(store.place(file.ended.path))
    return found


def _alike(path: str, other: str) -> int:
    """How many letters two paths begin with alike."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(path, other, strict=False)))
