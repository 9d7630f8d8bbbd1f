"""The rows that were landed, as tables: what counts of each file, and until when."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC
from itertools import chain
from typing import Any
from zoneinfo import ZoneInfo

import ibis
import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.parquet as pq

from features.contract import local_day
from features.errors import IntegrityError
from features.tables import TABLES
from pipelines.foundation.settings.settings import Settings
from pipelines.foundation.storage.counted_rows import Counted, counted
from pipelines.foundation.storage.engine import parquet_table
from pipelines.foundation.storage.landings import source_landings
from pipelines.foundation.storage.store import Store

_WHICH = ("ended_order", "ended_row")  # name the row that ended
_LAST_DAY = "known_until_on"


def counted_sources(store: Store, settings: Settings | None) -> list[list[Counted]]:
    """By source: what counts of each of its landings, oldest first; without settings, of every file that ever landed.

    Raises: IntegrityError where a landed file is missing, altered, or of an earlier contract.
    """
    zone = ZoneInfo("UTC") if settings is None else settings.zone
    found = []
    for of in source_landings(store, settings):
        for landing in of.landings:
            if landing.file.detail["columns"] != TABLES[of.table].landed:
                raise IntegrityError(
                    f"{landing.file.path} was landed under an earlier contract of {of.table}; put its source "
                    f"{landing.file.detail['source']} back and run `attrition ingest`"
                )
        found.append(list(counted(store, of, zone=zone)))
    return found


def counted_files(store: Store, settings: Settings | None) -> list[Counted]:
    """The same of all sources together, in the order of arrival."""
    return by_arrival(counted_sources(store, settings))


def by_arrival(sources: Iterable[Sequence[Counted]]) -> list[Counted]:
    """What counts of several sources, in the order of arrival."""
    return sorted(chain.from_iterable(sources), key=lambda each: each.landing.order)


def landed_tables(store: Store, connection: Any, *, settings: Settings | None = None) -> dict[str, ir.Table]:
    """One table per contract table that has landed files: its landed columns and `landed_order`.

    landed_order (int64): the position of the row's file in the order of arrival; of two versions known at the same
    moment the later one holds. Where rows ended, `known_until`: the moment from which a row holds no longer (null: it
    does); of what goes on until it ends the row stays, and says that it ended then. What was put right, and so was
    never so, is not there. Where a table has values of the day of its export,
    `state_from`: the moment from which they are known (null: as the row). With `settings`, files that none of its
    sources names any longer are left out.

    Raises: IntegrityError where a landed file is missing, altered, or of an earlier contract.
    """
    sources: dict[str, list[list[Counted]]] = {}
    for of in counted_sources(store, settings):
        sources.setdefault(of[0].table, []).append(of)
    zone = ZoneInfo("UTC") if settings is None else settings.zone
    return {name: _table(store, connection, name, found, zone) for name, found in sources.items()}


def _table(store: Store, connection: Any, name: str, sources: list[list[Counted]], zone: ZoneInfo) -> ir.Table:
    """Files of several sources, in the order of arrival over all of them."""
    files = by_arrival(sources)
    table = parquet_table(
        connection,
        [store.verified(each.rows) for each in files],
        list(TABLES[name].landed),
        state_from=[each.state_from for each in files] if any(each.state_from for each in files) else None,
    )
    if all(each.ended is None for each in files):
        return table
    ends = _ends(store, sources, {id(each): number for number, each in enumerate(files)}, zone)
    if not ends.num_rows:
        return table
    ended = ibis.memtable(ends)
    joined = table.left_join(ended, (table.landed_order == ended.ended_order) & (table.source_row == ended.ended_row))
    joined = joined.filter(joined.known_until.isnull() | (joined.known_until > joined.known_at)).drop(*_WHICH)
    column = TABLES[name].ends
    return joined.drop(_LAST_DAY) if column is None else _ended(joined, column).select(table.columns)


def _ended(rows: ir.Table, column: str) -> ir.Table:
    """Rows that end, at the latest, when they were no longer told of. column: of the moment at which they do."""
    sooner = rows.known_until.notnull() & (rows[column].isnull() | (rows.known_until < rows[column]))
    day = local_day(column)
    return rows.mutate(
        **{column: sooner.ifelse(rows.known_until, rows[column]), day: sooner.ifelse(rows[_LAST_DAY], rows[day])}
    )


def _ends(store: Store, sources: list[list[Counted]], order: dict[int, int], zone: ZoneInfo) -> pa.Table:
    """ended_order, ended_row, known_until and its local day: of each row that ended, once.

    order: of each file, by its id().
    """
    parts = []
    for of in sources:
        for each in of:
            if each.ended is not None:
                table = pq.read_table(store.verified(each.ended))
                orders = [order[id(of[position])] for position in table["position"].to_pylist()]
                parts.append(table.set_column(0, "position", pa.array(orders, pa.int64())))
    found = pa.concat_tables(parts).rename_columns([*_WHICH, "known_until"])
    days = {end: end.replace(tzinfo=UTC).astimezone(zone).date() for end in found["known_until"].unique().to_pylist()}
    last = [days[end] for end in found["known_until"].to_pylist()]
    return found.append_column(_LAST_DAY, pa.array(last, pa.date32()))
