"""What one query counts of a landed table, so that odd things in it are seen: no value of a row comes out of it."""

# ruff: noqa: S608 - names are those of contracts

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from features.contract import Table, local_day
from pipelines.foundation.storage.sql_text import NO_FOLDERS, identifier, quoted
from pipelines.prediction.checks.odd_sources import LandedSource

if TYPE_CHECKING:
    import duckdb

    from pipelines.foundation.identity.objections import Refusals

MOST_COMPARED = 5_000_000  # rows: telling all of more apart takes longer than anybody waits for a look
EMPTY_DAYS = ("1970-01-01", "1900-01-01")  # what systems make of an empty date
CENTS_ENDINGS = (0, 50, 90, 95, 99)
AMOUNTS = ("amount", "mrr")

_BIRTH = "born_at"  # may well lie on one of those days
_SCIENTIFIC = r"\d([.,]\d+)?[eE]\+\d+"
_MARKED = r"\d{1,3}([.,' \x{00A0}\x{202F}]\d{3})+"


@dataclass(frozen=True, kw_only=True)
class LandedRows:
    """What landed of one table and counts. keyed: whether its rows have a key of their own; rows: how many.

    sources: which of the places are one source's; empty where that is not asked for, and no row was replaced.
    """

    contract: Table
    places: Sequence[Path]
    keyed: bool
    rows: int
    sources: Sequence[LandedSource] = ()

    @property
    def ids(self) -> list[str]:
        return [each.name for each in self.contract.columns if each.kind == "text" and each.name.endswith("_id")]

    @property
    def clocks(self) -> list[str]:
        return [each.name for each in self.contract.columns if each.kind == "timestamp" and each.name != _BIRTH]

    @property
    def followed(self) -> list[str]:
        """Clocks of what follows upon a row, and cannot come before it; an invoice may be paid before it is sent."""
        clocks = [each.name for each in self.contract.columns if each.known_at == each.name]
        return [name for name in clocks if name != "paid_at"]

    @property
    def amounts(self) -> list[str]:
        return [each.name for each in self.contract.columns if each.kind == "money" and each.name in AMOUNTS]

    @property
    def compared(self) -> list[str]:
        """The columns by which rows are told apart; none where a key tells them apart, or they are too many."""
        if self.keyed or self.rows > MOST_COMPARED:
            return []
        return [each.name for each in self.contract.columns if not each.made_when_absent]

    @property
    def sql(self) -> str:
        """All its rows that ever held, with the name of the file of each: none that was put right or taken back."""
        files = ", ".join(quoted(str(place)) for place in self.places)
        every = f"read_parquet([{files}], union_by_name = true, filename = true, {NO_FOLDERS})"
        ends = [each.ends for each in self.sources if each.ended]
        if not ends:
            return every
        # As `landed_tables` leaves them out.
        return f"""(
            SELECT landed.* FROM {every} AS landed ANTI JOIN ({" UNION ALL ".join(ends)}) AS gone
            ON gone.place = landed.file_index AND gone.source_row = landed.source_row
                AND gone.known_until <= landed.known_at
        )"""

    def has(self, *names: str) -> bool:
        return {column.name for column in self.contract.columns} >= set(names)


def measured(
    connection: duckdb.DuckDBPyConnection, table: LandedRows, *, refusals: Refusals | None, today: date
) -> dict[str, Any]:
    """Each measure by name, `rows` among them. refusals: who may not be processed, and is not counted; None: nobody."""
    measures = {"rows": "count(*)", **dict(_measures(table, f"DATE '{today}'"))}
    names = ", ".join(f"{expression} AS {identifier(name)}" for name, expression in measures.items())
    query = f"""
        WITH landed AS (FROM {table.sql} WHERE {allowed(table, refusals)})
        SELECT {names} FROM landed
    """
    found = connection.execute(query).fetchone()
    return dict(zip(measures, found or (), strict=True))


def allowed(table: LandedRows, refusals: Refusals | None) -> str:
    """The lists stand in the query: DuckDB loads pandas for values that are handed over beside it."""
    if not refusals or not table.has("customer_id"):
        return "true"
    where = f"customer_id NOT IN {_listed(refusals.objected)}"
    return where if refusals.consented is None else f"{where} AND customer_id IN {_listed(refusals.consented)}"


def _listed(customers: Collection[str]) -> str:
    return f"(SELECT unnest([{', '.join(map(quoted, sorted(customers)))}]::VARCHAR[]))"


def _measures(table: LandedRows, today: str) -> Iterator[tuple[str, str]]:
    if table.contract.name in ("orders", "order_lines"):
        yield "largest", "(SELECT max(n) FROM (SELECT count(*) AS n FROM landed GROUP BY customer_id))"
    for name in table.ids:
        column = identifier(name)
        yield f"scientific {name}", _times(f"regexp_full_match({column}, {quoted(_SCIENTIFIC)})")
        yield f"marked {name}", _times(f"regexp_full_match({column}, {quoted(_MARKED)})")
    days = ", ".join(f"DATE '{day}'" for day in EMPTY_DAYS)
    for name in table.clocks:
        yield (
            f"empty {name}",
            _times(f"{identifier(local_day(name))} IN ({days}) OR {identifier(name)}::DATE IN ({days})"),
        )
    for name in table.followed:
        yield f"backwards {name}", _times(f"{identifier(name)} < {identifier(table.contract.happened_at)}")
    if table.contract.name == "surveys":
        yield "out of scale", _times("kind = 'csat' AND score NOT BETWEEN 1 AND 5")
    happens = [identifier(local_day(name)) for name in table.contract.clocks]
    yield "ahead", _times(" OR ".join(f"{day} > {today}" for day in happens))
    firsts = ", ".join(f"min({day}) FILTER (WHERE {day} > {today})" for day in happens)
    yield "first ahead", f"least({firsts})::VARCHAR"
    for name in table.amounts:
        yield from _of_amounts(name)
    if table.has("currency"):
        yield "currencies", "count(DISTINCT currency)"
    if table.compared:
        columns = ", ".join(map(identifier, table.compared))
        yield "different", f"count(DISTINCT hash({columns}, filename))"


def _of_amounts(name: str) -> Iterator[tuple[str, str]]:
    column = identifier(name)
    told, endings = f"{column} <> 0", ", ".join(map(str, CENTS_ENDINGS))
    yield f"amounts {name}", f"count({column})"
    yield f"zero {name}", _times(f"{column} = 0")
    yield f"whole {name}", _times(f"{told} AND {column} = trunc({column})")
    yield (
        f"round {name}",
        _times(f"{told} AND {column} = trunc({column}) AND abs({column})::HUGEINT % 100 IN ({endings})"),
    )
    yield f"median {name}", f"quantile_disc(abs({column}), 0.5) FILTER (WHERE {told})"


def _times(condition: str) -> str:
    return f"count(*) FILTER (WHERE {condition})"
