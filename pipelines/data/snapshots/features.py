"""The features of a snapshot: computed from frozen inputs, and named by their hash."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache, partial
from typing import Any

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from features.asof import AsOf, as_of
from features.catalog import Group
from features.cohort import cohort
from features.training_set import part
from models.matrix import ENTITY
from pipelines.data.snapshots.definitions import Definition
from pipelines.foundation.storage.fingerprint import fingerprint
from pipelines.foundation.workspace.compiled_queries import CompiledQueries

BY = ("features.training_set", "features.asof", "features.cohort")
COHORT = "attrition_cohort"


@dataclass(frozen=True, kw_only=True)
class FeatureInputs:
    """landed: hashes of the files of which something was known by the day, in the order of landing.

    refusals: hash of the lists of those who may not be processed; empty where there are none.
    """

    day: date
    definition: Definition
    landed: tuple[str, ...]
    refusals: str

    @property
    def key(self) -> str:
        return fingerprint(self, by=BY)


def features(
    definition: Definition,
    tables: Mapping[str, ir.Table],
    day: date,
    engine: Any,
    *,
    compiled: CompiledQueries | None = None,
) -> pa.Table:
    """Every indicator of a day's cohort as `training_set.snapshot` defines it, run group by group.

    compiled: where the same tables' queries were translated already, or will be.
    """
    view_of = cache(partial(as_of, tables, zone=definition.zone))  # to make it takes longer than to make a query of it
    view = view_of(day)
    found = at_risk = engine.to_pyarrow(cohort(view, definition.cohort).order_by(ENTITY))
    customers = ibis.memtable(at_risk) if compiled is None else compiled.rows_of(COHORT, at_risk)
    for family in definition.families:
        for group in family.groups:
            if compiled is None:
                columns = engine.to_pyarrow(part(group, view, customers, definition.lookbacks))
            else:
                make = partial(_part, group, definition, view_of, customers)
                columns = compiled.run((definition, group), make, day)
            if not columns[ENTITY].equals(found[ENTITY]):
                raise AssertionError(f"{family.name} lost customers at {day}")
            for name in columns.column_names[1:]:
                found = found.append_column(name, columns[name])
    return found


def _part(
    group: Group, definition: Definition, view_of: Callable[[date], AsOf], customers: ir.Table, day: date
) -> ir.Table:
    return part(group, view_of(day), customers, definition.lookbacks)
