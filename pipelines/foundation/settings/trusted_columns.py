"""Names of columns that may be trusted though they look as if they knew the future."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from features.catalog import Family
from features.errors import did_you_mean
from features.tables import TABLES
from features.training_set import FAMILIES


def refuse_unknown(names: Collection[str], lookback_days: tuple[int, ...]) -> None:
    """Raise ValueError for a name that is neither a table's column ("customers.country") nor an indicator."""
    if told := unknown(names, lookback_days):
        raise ValueError(told)


def unknown(names: Collection[str], lookback_days: tuple[int, ...], *, own: Sequence[Family] = ()) -> str:
    """What to say of the first such name; empty where there is none. own: families of the workspace's own."""
    known = {f"{table.name}.{column.name}" for table in TABLES.values() for column in table.columns}
    known |= {name for family in (*FAMILIES, *own) for name in family.columns(lookback_days)}
    for name in names:
        if name not in known:
            return (
                f"training.trusted_columns names '{name}', which is neither a column of a table, as in "
                f'"customers.country", nor an indicator (`attrition indicators`).{did_you_mean(name, known)}'
            )
    return ""
