"""docs/catalog.md, written from the catalog of indicators; `python -m pipelines.docs.catalog --check` compares."""

from __future__ import annotations

import sys

from features.catalog import Family, Group, Indicator
from features.training_set import FAMILIES
from pipelines.docs.page import DocsPage

_HEAD = """\
# Indicators

Written from the catalog in `features/` by `python -m pipelines.docs.catalog`; do not edit it by hand.

The columns of a snapshot, by family. A group of them is computed where the tables that it is made of are there, from
what was known when the day began. `attrition indicators` lists them, too, with those of a workspace's own.

- `{days}` in a name stands for each of `lookback_days` in the [settings](settings.md#at-the-top): a column each.
- **more risk**: which values are expected to mean it. The model is not held to it, but a reason that says the opposite
  is not told.
- **in words**: the reason as people read it where the indicator raises the risk; `{value}` is the own figure.
- **empty means**: a null. What begins with *never: 0* is 0 for customers without a row.
- What is *personal* is computed only where `age_and_gender = true`.
"""


def render() -> str:
    """The whole page."""
    overview = ["| family | indicators | reasons |", "| --- | --- | --- |"]
    overview += [
        f"| [{_title(family)}](#{family.name.replace('_', '-')}) | {len(family.indicators)} | {_labels(family)} |"
        for family in FAMILIES
    ]
    return "\n".join([_HEAD, *overview, "", *map(_family, FAMILIES)])


def _title(family: Family) -> str:
    return family.name.replace("_", " ").capitalize()


def _labels(family: Family) -> str:
    return ", ".join(english for english, _ in family.reasons.values())


def _family(family: Family) -> str:
    return "\n".join([f"## {_title(family)}", "", *(_group(group, family) for group in family.groups)])


def _group(group: Group, family: Family) -> str:
    needs = " and ".join(" or ".join(f"`{name}`" for name in need.split("|")) for need in group.needs)
    lines = [
        f"Made of {needs}:",
        "",
        "| indicator | reason | unit | more risk | in words | empty means |",
        "| --- | --- | --- | --- | --- | --- |",
        *(_row(indicator, family) for indicator in group.indicators),
        "",
    ]
    return "\n".join(lines)


def _row(indicator: Indicator, family: Family) -> str:
    unit = indicator.unit.replace("_", " ") + (", personal" if indicator.personal else "")
    cells = [f"`{indicator.name}`", family.reasons[indicator.reason][0], unit, indicator.direction, indicator.en]
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in [*cells, indicator.null]) + " |"


PAGE = DocsPage("catalog.md", "the catalog of indicators", "pipelines.docs.catalog", render)

if __name__ == "__main__":
    sys.exit(PAGE.main(sys.argv[1:]))
