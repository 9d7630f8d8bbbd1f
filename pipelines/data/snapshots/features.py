"""The features of a snapshot: computed from frozen inputs, and named by their hash."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cache, partial
from typing import Any

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from features.asof import AsOf
from features.catalog import Group
from features.cohort import cohort
from features.training_set import part
from pipelines.data.snapshots.definitions import Definition
from pipelines.data.snapshots.measured import MeasuredTables
from pipelines.data.snapshots.own import file_of, refuse_repeated, words_of_own
from pipelines.data.snapshots.stopped import arrivals, may_stop, silent
from pipelines.data.snapshots.told import told, untold
from pipelines.foundation.storage.fingerprint import fingerprint
from pipelines.foundation.storage.parts import Parts, by_workers, in_step
from pipelines.foundation.workspace.compiled_queries import CompiledQueries

BY = (
    "features.training_set",
    "features.asof",
    "features.cohort",
    "pipelines.data.snapshots.measured",
    "pipelines.data.snapshots.stopped",
    "pipelines.data.snapshots.told",
)
STOPPED = "attrition_stopped"
UNTOLD = "attrition_untold"
COHORT = "attrition_cohort"
MEASURED = "attrition_measured"


@dataclass(frozen=True, kw_only=True)
class FeatureInputs:
    """landed: hashes of the files of which something was known by the day, in the order of landing.

    refusals: hash of the lists of those who may not be processed; empty where there are none. stopped: tables that
    are not covered until then, as their sources say.
    """

    day: date
    definition: Definition
    landed: tuple[str, ...]
    refusals: str
    stopped: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        return fingerprint(self, by=BY)


def features(
    definition: Definition,
    tables: Mapping[str, ir.Table],
    day: date,
    engine: Any,
    *,
    stopped: Collection[str] = (),
    compiled: CompiledQueries | None = None,
    measured: MeasuredTables | None = None,
) -> Iterator[pa.Table]:
    """Every indicator of a day's cohort as `training_set.snapshot` defines it, run group by group.

    One table of everybody or, where workers compute, one after the other, of some customers each; sorted by customer.

    stopped: tables that are said to end before that day. What rests on them, or on others that had stopped or not begun
    by then, or on columns in which nothing had been told, is null, and not 0; the schema's metadata names the tables
    (`STOPPED`) and the columns (`UNTOLD`).

    compiled: where queries of such tables were translated already, or will be. measured: where measures of large ones
    are computed beforehand; it needs `compiled`.
    """
    from models.matrix import ENTITY

    if compiled is not None:
        tables = compiled.over(tables)
    view_of = cache(partial(definition.view, tables))  # to make it takes longer than to make a query of it

    def here(
        name: Sequence[Hashable],
        make: Callable[[date], ir.Table],
        day: date,
        *,
        needs_day: bool = True,
        ours: bool = True,
    ) -> pa.Table:
        if compiled is None:
            return engine.to_pyarrow(make(day))
        return compiled.run((definition, *name), make, day, needs_day=needs_day, kept_by=(__name__,) if ours else ())

    gone = set(stopped)
    if may_stop(definition.tables):
        came = here([STOPPED], lambda day: arrivals(view_of(day)), day)
        gone |= set(silent(came, day, definition.tables, by_contract=definition.cohort.kind == "subscribed"))
    empty: list[str] = []
    if definition.told_by:
        empty = untold(here([UNTOLD], lambda day: told(view_of(day), definition.told_by), day))
    metadata = {STOPPED: ",".join(sorted(gone)), UNTOLD: ",".join(empty)}
    unknown = definition.unknown_columns(gone, empty)
    groups = [(family, group) for family in definition.families for group in family.groups]
    with by_workers(engine, here) as run:
        at_risk = run([COHORT], lambda day: cohort(view_of(day), definition.cohort).order_by(ENTITY), day)
        customers = _table(at_risk, compiled)
        computed = _computed(day, at_risk, compiled, measured)
        found = []
        for family, group in groups:
            with words_of_own(definition.own, family, day):
                given = computed if group.windows is not None and group.windows.table in computed else {}
                make = partial(_part, group, definition, partial(_with, given, view_of), customers)
                name = family.name, group.indicators[0].name, tuple(given)  # that indicator is in no other group
                ours = file_of(definition.own, family) is None
                found.append(run(name, make, day, needs_day=not given, ours=ours))
        for rows, *parts in in_step([at_risk, *found]):
            named = [rows]
            for (family, _), part_of in zip(groups, parts, strict=True):
                columns = _in_order(part_of, rows[ENTITY])
                if not columns[ENTITY].equals(rows[ENTITY]):
                    refuse_repeated(definition.own, family, day, columns[ENTITY])
                    raise AssertionError(f"{family.name} lost customers at {day}")
                named.append(columns.drop_columns([ENTITY]))
            yield _beside(named, unknown).replace_schema_metadata(metadata)


def _table(at_risk: pa.Table | Parts, compiled: CompiledQueries | None) -> ir.Table:
    """Those at risk, for queries of what is known of them."""
    if isinstance(at_risk, Parts):
        return at_risk.table()
    return ibis.memtable(at_risk) if compiled is None else compiled.rows_of(COHORT, at_risk)


def _beside(tables: Iterable[pa.Table], unknown: Collection[str]) -> pa.Table:
    """Tables of the same rows as one; columns of which nothing is known are null."""
    columns = {name: table[name] for table in tables for name in table.column_names}
    return pa.table(
        {name: pa.nulls(len(each), each.type) if name in unknown else each for name, each in columns.items()}
    )


def _in_order(columns: pa.Table, customers: pa.ChunkedArray) -> pa.Table:
    """Sorted by customer: what was computed beforehand is, unless a group joined more to it."""
    name = columns.column_names[0]
    return columns if columns[name].equals(customers) else columns.sort_by(name)


def _computed(
    day: date, at_risk: pa.Table | Parts, compiled: CompiledQueries | None, measured: MeasuredTables | None
) -> dict[str, ir.Table]:
    """The measures of large tables, under names that stay."""
    if compiled is None or measured is None or isinstance(at_risk, Parts):
        return {}
    taken = measured.take(day, at_risk[0])
    return {name: compiled.rows_of(f"{MEASURED}_{name}", rows, copied=False) for name, rows in taken.items()}


def _with(computed: Mapping[str, ir.Table], view_of: Callable[[date], AsOf], day: date) -> AsOf:
    return replace(view_of(day), computed=computed)


def _part(
    group: Group, definition: Definition, view_of: Callable[[date], AsOf], customers: ir.Table, day: date
) -> ir.Table:
    return part(group, view_of(day), customers, definition.lookbacks)
