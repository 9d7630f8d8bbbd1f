"""How raw rows are typed and judged: SQL of a table with a row for each, its values, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping

from features.contract import ROW_CLOCKS, Table, local_day
from pipelines.data.sources.raw_rows import RawRows
from pipelines.data.sources.value_sql import Reading
from pipelines.foundation.settings.sources import Source
from pipelines.foundation.storage.sql_text import identifier, quoted

SHARED_IDS = ("customer_id", "product_id")  # they name the same whoever exports them

_CLOCKS = {clock.name for clock in ROW_CLOCKS}
_SHOWN_CHARACTERS = 60


def typing_sql(raw: RawRows, contract: Table, source: Source) -> str:
    """SQL of `typed`: one row per raw row, typed values; where the contract is broken why, and fault without a value.

    Rows are numbered by where they stand in the table, `judged`: to number them as they are read keeps all cores but
    one from reading. DuckDB inserts rows in the order of what it reads, as `workbench` has it do.
    """
    readings = raw.readings
    values = [f"{_named(reading.value, name, source)} AS {identifier(name)}" for name, reading in readings.items()]
    # Each in a SELECT of its own: the functions of clocks want names of columns.
    moments = [
        f"{each.clock}_to_utc({identifier(name)}) AS {identifier(name)}"
        for name, each in readings.items()
        if each.clock
    ]
    in_utc = f"* REPLACE ({', '.join(moments)})" if moments else "*"
    columns = [part for name in readings for part in _columns(name, contract)]
    why, fault = (_reasons(readings, contract, quote=quote) for quote in (True, False))
    return f"""
        CREATE TABLE judged AS SELECT {", ".join(columns)}, {why} AS why, {fault} AS fault
        FROM (SELECT {in_utc} FROM (SELECT *, {", ".join(values)} FROM ({raw.cells})));
        CREATE VIEW typed AS SELECT *, rowid + 1 AS source_row FROM judged
    """  # noqa: S608 - quoted


def _named(value: str, name: str, source: Source) -> str:
    """A value as it is called here: in small letters, or with a mark before a key that others use, too."""
    value = f"lower({value})" if name in source.lower_case else value
    ours = name.endswith("_id") and name not in SHARED_IDS  # ids of customers and products are the company's own
    return f"{quoted(source.key_prefix)} || ({value})" if source.key_prefix and ours else value


def _columns(name: str, contract: Table) -> list[str]:
    """What is kept of a value: it and, of a timestamp that lands, its local day."""
    found = identifier(name)
    if name == "known_at":
        return [f"greatest({found}, {identifier(contract.happened_at)}) AS {found}"]
    if name in _CLOCKS or contract.column(name).kind != "timestamp":
        return [found]
    return [found, f"local_day({found}) AS {identifier(local_day(name))}"]


def _reasons(readings: Mapping[str, Reading], contract: Table, *, quote: bool) -> str:
    """SQL of what is wrong with a row, in words; null where nothing is."""
    # Nearly always nothing is: no words are made then.
    fine = " AND ".join(_fine(name, reading, contract) for name, reading in readings.items())
    words = ", ".join(_reason(name, reading, contract, quote=quote) for name, reading in readings.items())
    return (
        f"CASE WHEN ragged IS NOT NULL THEN ragged WHEN {fine} THEN NULL ELSE nullif(concat_ws('; ', {words}), '') END"
    )


def _fine(name: str, reading: Reading, contract: Table) -> str:
    there = f"{identifier(name)} IS NOT NULL"
    return f"(NOT ({reading.empty}) AND {there})" if _required(name, contract) else f"({reading.empty} OR {there})"


def _required(name: str, contract: Table) -> bool:
    return name in _CLOCKS or contract.column(name).required


def _reason(name: str, reading: Reading, contract: Table, *, quote: bool) -> str:
    """SQL of what is wrong with a value, in words; null where nothing is."""
    more = f"CASE WHEN length({reading.shown}) > {_SHOWN_CHARACTERS} THEN '…' END"
    shown = f"'''', left({reading.shown}, {_SHOWN_CHARACTERS}), {more}, ''' '"
    start = f"{quoted(name + ' ')}, {shown}" if quote else quoted(name + " ")
    faults = " ".join(f"WHEN {condition} THEN concat({start}, {quoted(words)})" for condition, words in reading.faults)
    empty = quoted(f"{name} is empty") if _required(name, contract) else "NULL"
    return (
        f"CASE WHEN {reading.empty} THEN {empty} WHEN {identifier(name)} IS NOT NULL THEN NULL "
        f"{faults or 'WHEN false THEN NULL'} END"
    )
