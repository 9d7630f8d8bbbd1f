"""docs/tables.md, written from the tables' contracts; `python -m pipelines.docs.tables --check` compares."""

from __future__ import annotations

import sys

from features.contract import ROW_CLOCKS, Column, Table
from features.tables import TABLES
from features.training_set import FAMILIES
from pipelines.docs.page import DocsPage

_KINDS = {
    "text": "text",
    "currency": "currency (ISO 4217)",
    "integer": "whole number",
    "number": "number",
    "money": "money",
    "boolean": "true or false",
    "timestamp": "date or moment",
}
_HEAD = """\
# Tables

Written from the contracts in `features/tables/` by `python -m pipelines.docs.tables`; do not edit it by hand.

What lands is one of these tables, whatever the source is called. `orders` or `order_lines` is needed, or
`subscriptions` where customers are bound by contract; every other table adds indicators. A row that breaks its contract
is set aside in `rejected/` with the reason, and counted.

- **needed**: a row without the value is set aside. Where it says *made*, a source without the column gets values of its
  own, so that each row has one.
- **known from**: a value counts from that moment on; before it, it is empty. Where nothing stands there, it is known as
  soon as its row is. *the export* marks a value that stands as of the export, not as of when the row happened.
- A source of any table may have two more columns:
"""


def render() -> str:
    """The whole page."""
    clocks = [f"  - `{clock.name}`: {clock.meaning}." for clock in ROW_CLOCKS]
    overview = ["| table | one row is | indicators made of it, with others |", "| --- | --- | --- |"]
    overview += [
        f"| [`{table.name}`](#{table.name}) | {table.grain} | {_families(table)} |" for table in TABLES.values()
    ]
    return "\n".join([_HEAD + "\n".join(clocks), "", *overview, "", *map(_section, TABLES.values())])


def _families(table: Table) -> str:
    """The families with a group of indicators that needs the table, or takes it where it is there."""
    found = [
        family.name
        for family in FAMILIES
        if any(table.name in need.split("|") for group in family.groups for need in group.needs)
    ]
    return ", ".join(found) or "what is said of customers"


def _section(table: Table) -> str:
    key = ", ".join(f"`{name}`" for name in table.key)
    named = f"Key: {key}; of two rows with one key the later known holds." if key else (
        "No key: two equal rows are two events."
    )  # fmt: skip
    lines = [
        f"## {table.name}",
        "",
        f"{table.grain[:1].upper()}{table.grain[1:]}. {named} It happened at `{table.happened_at}`.",
        "",
        "| column | what | kind | needed | known from | empty means |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    return "\n".join([*lines, *map(_row, table.columns), ""])


def _row(column: Column) -> str:
    kind = _KINDS[column.kind] + (f", in {column.unit}" if column.unit and column.unit != "currency" else "")
    if column.choices:
        kind = "one of " + ", ".join(f"`{choice}`" for choice in column.choices)
    if column.at_least is not None:
        kind += f", at least {column.at_least}"
    if column.at_most is not None:
        kind += f", at most {column.at_most}"
    needed = "made" if column.made_when_absent else "needed" if column.required else ""
    known = f"`{column.known_at}`" if column.known_at else "the export" if column.state else ""
    cells = [f"`{column.name}`", column.meaning, kind, needed, known, column.null or ""]
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


PAGE = DocsPage("tables.md", "the contracts of the tables", "pipelines.docs.tables", render)

if __name__ == "__main__":
    sys.exit(PAGE.main(sys.argv[1:]))
