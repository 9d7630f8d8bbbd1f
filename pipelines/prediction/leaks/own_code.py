"""Whether own indicators could know the future otherwise than by their rows: by their text, and by what they compute.

Rows that are not of the as-of view are refused whenever an own indicator is computed. What is left is what stands in
the file itself, or what its code fetched and wrote into the expression: customers by their ids, days to come, figures.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

import ibis.expr.operations as ops
import ibis.expr.types as ir

from features.asof import AsOf
from features.catalog import Group
from features.cohort import cohort
from models.matrix import ENTITY
from pipelines.data.snapshots.snapshot import Snapshots
from pipelines.foundation.own_indicators.expression import own_nodes
from pipelines.foundation.own_indicators.own_file import OwnFile
from pipelines.prediction.leaks.finding import Finding

# From here nothing of the outside comes in; whatever else is imported may open files, ask the clock or the network.
HARMLESS = frozenset(
    {
        "__future__", "calendar", "collections", "dataclasses", "datetime", "decimal", "enum", "features", "functools",
        "ibis", "itertools", "math", "operator", "re", "string", "types", "typing", "zoneinfo",
    }
)  # fmt: skip
CALLS = frozenset({"open", "exec", "eval", "compile", "__import__", "globals", "vars", "breakpoint", "input"})
_CLOCK = re.compile(r"(?:now|today|utcnow|fromtimestamp)")
_ENGINE = re.compile(r"(?:read_\w+|connect|duckdb|sqlite|polars|set_backend|get_backend|memtable|_find_backend\w*)")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_EARLIER = timedelta(days=28)
# To put rows of a customer together, or in an order, reads nothing out of the id.
_HARMLESS_OF_IDS = (ops.Coalesce, ops.Field, ops.Literal, ops.WindowFunction, ops.Analytic)


def own_findings(snapshots: Snapshots, day: date) -> list[Finding]:
    """One finding per family or group of own indicators and kind. day: of the oldest snapshot that is learned from."""
    definition, found = snapshots.definition, list[Finding]()
    days = definition.lookbacks.lookback_days
    for file in definition.own:
        for family in file.families:
            first = family.columns(days)[0]
            found += [Finding("reaches_outside", None, first, told) for told in reaches_outside(file)[:1]]
            for group in family.groups:
                if not group.lacks(definition.tables):
                    found += _of_group(snapshots, file, group, day)
    return found


def reaches_outside(file: OwnFile) -> list[str]:
    """Where a file's text takes something from elsewhere than its arguments, in words."""
    return [f"{file.name}, line {line}: {what}" for line, what in sorted(set(_reached(ast.parse(file.content))))]


def _reached(tree: ast.Module) -> Iterator[tuple[int, str]]:
    handed = {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}  # the view has a `today`, too
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
            for name in names:
                if name.partition(".")[0] not in HARMLESS:
                    yield node.lineno, f"it imports {name}, by which code can read what no snapshot cuts"
        elif isinstance(node, ast.Name) and (node.id in CALLS or node.id == "__builtins__"):
            yield node.lineno, f"it uses {node.id}, by which code can read what no snapshot cuts"
        elif isinstance(node, ast.Attribute) and _CLOCK.fullmatch(node.attr) and ast.unparse(node.value) not in handed:
            yield node.lineno, f"it asks the clock (.{node.attr})"
        elif isinstance(node, ast.Attribute) and (_ENGINE.fullmatch(node.attr) or node.attr.startswith("__")):
            yield node.lineno, f"it uses .{node.attr}, by which code can read what no snapshot cuts"


def _of_group(snapshots: Snapshots, file: OwnFile, group: Group, day: date) -> list[Finding]:
    made, earlier = Made.of(snapshots, group, day), Made.of(snapshots, group, day - _EARLIER)
    again = Made.of(snapshots, group, day)  # after another day, of which nothing may be left
    columns = group.columns(snapshots.definition.lookbacks.lookback_days)
    told: list[tuple[str, str]] = []
    if made.reads_ids():
        told.append(("reads_ids", "it reads something out of the customers' ids, or compares them with what it knows"))
    fixed = sorted(each for each in made.days() & earlier.days() if each >= day)
    if fixed:
        told.append(("fixed_day", f"it names {fixed[-1]} whatever the day of the snapshot, and {day} is before that"))
    if made.found.op() != again.found.op():
        told.append(("changes", "computed again for the same day, it is another expression"))
    named = columns[0] if len(columns) == 1 else f"{columns[0]} and the other columns of its group"
    return [Finding(check, None, columns[0], f"{file.name}, {named}: {evidence}") for check, evidence in told]


class Made:
    """What a group computes of a day; nothing is run."""

    def __init__(self, found: ir.Table, view: AsOf, customers: ir.Table) -> None:
        self.found, self.view, self.customers = found, view, customers

    @classmethod
    def of(cls, snapshots: Snapshots, group: Group, day: date) -> Made:
        definition = snapshots.definition
        view = definition.view(snapshots.tables, day)
        customers = cohort(view, definition.cohort)
        return cls(group.computed(view, customers, definition.lookbacks), view, customers)

    def _nodes(self, *kinds: type[ops.Node]) -> list[Any]:
        return own_nodes(self.found, self.view, self.customers, kinds)

    def reads_ids(self) -> bool:
        """Whether an id is compared, or put together, with anything that is the same for everybody."""
        return any(
            any(map(_holds_id, parts)) and any(map(_constant, parts))
            for node in self._nodes(ops.Value)
            if not isinstance(node, _HARMLESS_OF_IDS)
            and (parts := [part for part in node.__children__ if isinstance(part, ops.Value)])
        )

    def days(self) -> set[date]:
        """Those that are written out in it."""
        written = {day for node in self._nodes(ops.Literal) if (day := _day(node.value)) is not None}
        for node in self._nodes(ops.DateFromYMD, ops.TimestampFromYMDHMS):
            parts = [part.value for part in node.__children__[:3] if isinstance(part, ops.Literal)]
            day = _day("-".join(f"{part:02}" for part in parts))
            written |= set() if day is None else {day}
        return written


def _holds_id(node: ops.Node, *, deepest: int = 100) -> bool:
    """Whether a value is a customer's id, or one thing made of it; renamed and handed on it is still that."""
    for _ in range(deepest):
        if isinstance(node, ops.Field):
            values = getattr(node.rel, "values", None) or {}
            if node.name == ENTITY or node.name not in values:
                return bool(node.name == ENTITY)
            node = values[node.name]
        elif isinstance(node, ops.Unary | ops.Cast | ops.Substring | ops.StrRight):
            node = node.arg
        else:
            return False
    return False


def _constant(node: ops.Node) -> bool:
    """Whether a value is the same for everybody, and not null."""
    if isinstance(node, ops.Literal):
        return node.value is not None
    return bool(node.find(ops.Literal)) and not node.find((ops.Field, ops.Relation))


def _day(value: object) -> date | None:
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    if isinstance(value, str) and _DAY.match(value):
        try:
            return date.fromisoformat(value[:10])
        except ValueError:
            return None
    return None
