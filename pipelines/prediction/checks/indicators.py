"""`attrition indicators`: the catalog, for people and for programs."""

from __future__ import annotations

from typing import Any

from rich.table import Table

from features.training_set import FAMILIES
from pipelines.foundation.workspace.console import Console


def indicators(*, quiet: bool = False) -> dict[str, Any]:
    """Every indicator of the catalog, those about age and gender too: {"indicators": [...]}.

    tables: those that it is made of; of orders and order_lines either will do.
    """
    found = [
        {
            "name": indicator.name,
            "family": family.name,
            "unit": indicator.unit,
            "direction": indicator.direction,
            "null": indicator.null,
            "told_by": list(indicator.told_by),
            "en": indicator.en,
            "fr": indicator.fr,
            "tables": [name for need in group.needs for name in need.split("|")],
        }
        for family in FAMILIES
        for group in family.groups
        for indicator in group.indicators
    ]
    table = Table("family", "indicator", "unit", "more risk", "empty means", "from")
    for each in found:
        shown = [str(each[name]) for name in ("family", "name", "unit", "direction", "null")]
        table.add_row(*shown, ", ".join(each["tables"]))
    Console(quiet=quiet).rich.print(table)
    return {"indicators": found}
