"""The rows that were landed, as tables: what counts of each file, and until when."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

import ibis
import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.parquet as pq

from features.errors import IntegrityError
from features.tables import TABLES
from pipelines.foundation.settings.settings import Settings
from pipelines.foundation.storage.counted_rows import Counted, counted
from pipelines.foundation.storage.engine import parquet_table
from pipelines.foundation.storage.landings import source_landings
from pipelines.foundation.storage.row_fates import ENDS_SCHEMA
from pipelines.foundation.storage.store import Store


def counted_files(store: Store, settings: Settings | None) -> dict[str, list[Counted]]:
    """By table: what counts of each landing, by source; without settings, of every file that ever landed.

    Raises: IntegrityError where a landed file is missing, altered, or of an earlier contract.
    """
    zone = ZoneInfo("UTC") if settings is None else settings.zone
    found: dict[str, list[Counted]] = {}
    for of in source_landings(store, settings):
        for landing in of.landings:
            if landing.file.detail["columns"] != TABLES[of.table].landed:
                raise IntegrityError(
                    f"{landing.file.path} was landed under an earlier contract of {of.table}; put its source "
                    f"{landing.file.detail['source']} back and run `attrition ingest`"
                )
        found.setdefault(of.table, []).extend(counted(store, of, zone=zone))
    return found


def landed_tables(store: Store, connection: Any, *, settings: Settings | None = None) -> dict[str, ir.Table]:
    """One table per contract table that has landed files: its landed columns and `landed_order`.

    landed_order (int64): the position of the row's file in the order of arrival; of two versions known at the same
    moment the later one holds. Where rows ended, `known_until`: the moment from which a row holds no longer (null: it
    does). Where a table has values of the day of its export, `state_from`: the moment from which they are known (null:
    as the row). With `settings`, files that none of its sources names any longer are left out.

    Raises: IntegrityError where a landed file is missing, altered, or of an earlier contract.
    """
    return {name: _table(store, connection, name, files) for name, files in counted_files(store, settings).items()}


def _table(store: Store, connection: Any, name: str, files: list[Counted]) -> ir.Table:
    """Files of several sources, in the order of arrival over all of them."""
    order = {id(each): number for number, each in enumerate(sorted(files, key=_arrival))}
    contract = TABLES[name]
    with_state = any(each.state_from for each in files)
    ordered = sorted(files, key=_arrival)
    places = [store.verified(each.rows) for each in ordered]
    table = parquet_table(
        connection,
        places,
        list(contract.landed),
        state_from=[each.state_from for each in ordered] if with_state else None,
    )
    ends = _ends(store, files, order)
    if not ends.num_rows:
        return table
    ended = ibis.memtable(ends)
    joined = table.left_join(ended, (table.landed_order == ended.ended_order) & (table.source_row == ended.ended_row))
    return joined.drop("ended_order", "ended_row")


def _arrival(each: Counted) -> tuple[Any, ...]:
    return each.landing.order


def _ends(store: Store, files: Sequence[Counted], order: dict[int, int]) -> pa.Table:
    """ended_order, ended_row, known_until: of each row that ended, once."""
    parts = [pa.Table.from_pylist([], ENDS_SCHEMA)]
    own = list[Counted]()
    for each in files:
        own = [*own, each] if each.position else [each]
        if each.ended is not None:
            table = pq.read_table(store.verified(each.ended))
            orders = [order[id(own[position])] for position in table["position"].to_pylist()]
            parts.append(table.set_column(0, "position", pa.array(orders, pa.int64())))
    return pa.concat_tables(parts).rename_columns(["ended_order", "ended_row", "known_until"])
