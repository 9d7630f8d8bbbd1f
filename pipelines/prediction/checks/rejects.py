"""Why rows were rejected, counted: the words of each fault, never a value of a row."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from features.contract import ROW_CLOCKS, Table
from pipelines.data.landing.typed_rows import GUEST
from pipelines.foundation.identity.erased_customers import ERASED
from pipelines.foundation.storage.sql_text import parquet, quoted

if TYPE_CHECKING:
    import duckdb

# A reason is `column 'value' words`, one after the other. A value may hold anything, so nothing between the first and
# the last apostrophe that could end one is believed: only words behind the last, and names that a contract has.
_WORDS = r"(?s)^.*' ((?:is|has|lies|holds) .*)$"
_UNKNOWN = "another fault"
LOST = "for reasons whose file is gone (`attrition ingest` makes it again)"
_MOST_CHARACTERS = 60
_OF_WHOM = {ERASED: "of erased customers", GUEST: "of guests"}


def reject_reasons(connection: duckdb.DuckDBPyConnection, places: Iterable[Path], contract: Table) -> dict[str, int]:
    """Each fault of the rows in some rejected files with how many rows have it, the most frequent first.

    A row with several faults counts under one of them. What settings say stands in brackets, and is left out.
    """
    counts: Counter[str] = Counter()
    for place in places:
        for said, times in connection.execute(_sql(contract, place)).fetchall():
            counts[_in_short(said)] += times
    return dict(sorted(counts.items(), key=lambda each: (-each[1], each[0])))


def _sql(contract: Table, place: Path) -> str:
    names = "|".join(re.escape(column.name) for column in (*contract.columns, *ROW_CLOCKS))
    last = quoted(f"(?s)^.*(?:^|; )({names}) '[^']*' (?:is|has|lies|holds) ")
    first = quoted(f"^({names}) ")
    words = f"regexp_extract(reason, {quoted(_WORDS)}, 1)"
    name = f"coalesce(nullif(regexp_extract(reason, {last}, 1), ''), regexp_extract(reason, {first}, 1))"
    whole = "regexp_extract(reason, '^[^'']*')"  # without an apostrophe there is no value in it
    said = f"CASE WHEN {words} = '' THEN {whole} ELSE concat({name}, ' ', {words}) END"
    return f"SELECT {said} AS said, count(*) FROM {parquet(place)} GROUP BY said"  # noqa: S608 - quoted


def _in_short(said: str) -> str:
    said = _OF_WHOM.get(said, said)
    text = re.sub(r"^repeats row \d+$", "repeats an earlier row", re.split(r" \(| written as ", said)[0].strip())
    text = re.sub(r"^has \d+ values where the header names \d+ columns$", "has too few or too many values", text)
    if len(text) > _MOST_CHARACTERS:
        text = f"{text[:_MOST_CHARACTERS].rstrip()}…"
    return text or _UNKNOWN
