"""Whether what an own indicator computes comes from the as-of view alone: looked at in the expression that it returns.

What is in a column came there through its expression. Followed down from what compute returns, every way must end at a
table of this day's view: whatever lies below these, beside them, or in the view of another day, is not cut at the
snapshot.
"""

from __future__ import annotations

import ibis.expr.operations as ops
import ibis.expr.types as ir

from features.asof import AsOf

_ROWS = (ops.PhysicalTable, ops.DummyTable)
_SQL = (ops.SQLStringView, ops.SQLQueryResult)
_CLOCKS = (ops.TimestampNow, ops.DateNow)
_CHANCE = (ops.RandomScalar, ops.RandomUUID)
_FUNCTIONS = (
    ops.ScalarUDF,
    ops.AggUDF,
    ops.ElementWiseVectorizedUDF,
    ops.AnalyticVectorizedUDF,
    ops.ReductionVectorizedUDF,
)
_FOREIGN = (
    (
        _ROWS,
        "compute takes rows that are not of this day's as-of view, so nothing cuts them; land them as a table",
    ),
    (_SQL, "compute holds SQL as text, in which nobody sees what is read; write it as an expression"),
    (
        _CLOCKS,
        "compute asks the clock, so a past snapshot would know today; take view.today and view.days_since(...)",
    ),
    (_CHANCE, "compute draws at random, so a snapshot computed again would differ; leave chance out"),
    (
        _FUNCTIONS,
        "compute calls a function of its own (udf), in which nobody sees what is read; write it as an expression",
    ),
)


def foreign(found: ir.Table, view: AsOf, cohort: ir.Table) -> list[str]:
    """What an expression holds that is not of the view, a sentence each with the remedy; empty where nothing is."""
    return [told for kinds, told in _FOREIGN if own_nodes(found, view, cohort, kinds)]


def own_nodes(found: ir.Table, view: AsOf, cohort: ir.Table, kinds: tuple[type[ops.Node], ...]) -> list[ops.Node]:
    """The nodes of some kinds that compute has added to the tables of the view and the cohort."""
    given = {table.op() for table in (*view.tables.values(), cohort)}
    return [node for node in found.op().find(kinds, filter=lambda each: each not in given) if node not in given]
