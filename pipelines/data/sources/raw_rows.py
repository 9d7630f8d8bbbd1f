"""The rows of a source file before they are typed, whatever the file's format."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from features.contract import ROW_CLOCKS, Column, Table
from features.errors import DataError, did_you_mean
from pipelines.data.sources.value_sql import Reading
from pipelines.foundation.settings.sources import Source
from pipelines.foundation.settings.text_values import SPACES

_NAMES_SHOWN = 20
_MOST_COLUMNS = 2_000  # up to here the time grows as the columns do


@dataclass(frozen=True)
class RawRows:
    """Where the rows of one file are, as SQL, and how to read them.

    count: data rows. cells: a query with the rows in their order, ragged (words where a row has too few or too many
    values) and the columns that `readings` read. texts: a query with source_row and raw_row, the whole row as JSON.
    notes: what people are to know of how they came about. headings: every column that is there, read or not.
    """

    count: int
    cells: str
    texts: str
    readings: Mapping[str, Reading]
    notes: tuple[str, ...] = ()
    headings: tuple[str, ...] = ()


def wanted_columns(source: Source, contract: Table) -> dict[str, Column]:
    """The contract columns that a source maps, and the clocks of the row itself."""
    return {column.name: column for column in (*contract.columns, *ROW_CLOCKS) if column.name in source.columns}


def positions(path: Path, names: Sequence[str], source: Source) -> dict[str, int]:
    """Where each mapped contract column stands in the file.

    Raises: DataError where a column is missing, or its name stands twice, or there are more columns than are read.
    """
    if len(names) > _MOST_COLUMNS:
        raise DataError(
            f"{path.name} has {len(names):,} columns, and files of more than {_MOST_COLUMNS:,} are not read; export "
            "those that its source maps"
        )
    found = [name.strip(SPACES) for name in names]
    _refuse_no_heading(path, found, source)
    return {ours: _position(path, found, ours, theirs.strip(SPACES)) for ours, theirs in source.columns.items()}


def in_rows(count: int) -> str:
    """1 row, 2 rows."""
    return f"{count:,} row{'s' * (count != 1)}"


def _refuse_no_heading(path: Path, found: list[str], source: Source) -> None:
    """Where few mapped names are there, the first line may be a customer's: it is not repeated in a message.

    One name may stand in a row by chance: "plan" is a value of subscription_changes, and the name of a column.
    """
    known = {name.casefold() for name in found}
    wanted = [theirs.strip(SPACES) for theirs in source.columns.values()]
    there = [theirs for theirs in wanted if theirs.casefold() in known]
    if there and 2 * len(there) < len(wanted):
        raise DataError(
            f"only {len(there)} of the {len(wanted)} columns that this source maps are in {path.name}: "
            f"{', '.join(map(repr, there))}; does its first line hold the headings? Correct `columns` of this source "
            "in attrition.toml, or the file"
        )
    if not there:
        raise DataError(
            f"none of the {len(found)} columns of {path.name} is called {' or '.join(map(repr, wanted))}; does its "
            "first line hold the headings? Correct `columns` of this source in attrition.toml, or the file"
        )


def _position(path: Path, found: list[str], ours: str, theirs: str) -> int:
    if found.count(theirs) == 1:
        return found.index(theirs)
    if found.count(theirs) > 1:
        raise DataError(
            f"{path.name} has {found.count(theirs)} columns named '{theirs}', so which one holds {ours} cannot be "
            "told; rename or remove all but one"
        )
    alike = [name for name in found if name.casefold() == theirs.casefold()]
    hint = f" Did you mean '{alike[0]}'?" if alike else did_you_mean(theirs, found)
    more = f" and {len(found) - _NAMES_SHOWN} more" if len(found) > _NAMES_SHOWN else ""
    raise DataError(
        f"column '{theirs}' (for {ours}) is not in {path.name}; it has: {', '.join(found[:_NAMES_SHOWN])}{more}.{hint} "
        "Correct `columns` of this source in attrition.toml"
    )
