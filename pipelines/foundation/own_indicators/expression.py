"""Whether what an own indicator computes comes from the as-of view alone: looked at in the expression that it returns.

What is in a column came there through the leaves of its expression. Those of the view are cut at the snapshot; any
other table, engine or clock is not.
"""

from __future__ import annotations

from collections.abc import Iterator

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


def foreign(found: ir.Table, view: AsOf, cohort: ir.Table) -> list[str]:
    """What an expression holds that is not of the view, a sentence each with the remedy; empty where nothing is."""
    given = {node for table in (*view.tables.values(), cohort) for node in table.op().find(_ROWS)}
    return list(dict.fromkeys(_told(found, given)))


def _told(found: ir.Table, given: set[ops.Node]) -> Iterator[str]:
    node = found.op()
    for rows in node.find(_ROWS):
        if rows not in given:
            yield (
                "compute takes rows that are not of the as-of view, so nothing cuts them at the snapshot; land them as "
                "a table (sources), and read view[...]"
            )
    if node.find(_SQL):
        yield "compute holds SQL as text, in which nobody sees what is read; write it as an expression"
    if node.find(_CLOCKS):
        yield "compute asks the clock, so a past snapshot would know today; take view.today and view.days_since(...)"
    if node.find(_CHANCE):
        yield "compute draws at random, so a snapshot computed again would differ; leave chance out"
    if node.find(_FUNCTIONS):
        yield "compute calls a function of its own (udf), in which nobody sees what is read; write it as an expression"
