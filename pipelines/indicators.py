"""`attrition indicators`: the catalog, for people and for programs."""

from __future__ import annotations

from typing import Any

from rich.table import Table

from features.training_set import FAMILIES
from pipelines.console import People


def indicators(*, quiet: bool = False) -> dict[str, Any]:
    """Every indicator of the catalog, those about age and gender too: {"indicators": [...]}.

    tables: all that it needs; "a|b" is either.
    """
    found = [
        {
            "name": indicator.name,
            "family": family.name,
            "unit": indicator.unit,
            "direction": indicator.direction,
            "null": indicator.null,
            "en": indicator.en,
            "fr": indicator.fr,
            "tables": list(group.needs),
        }
        for family in FAMILIES
        for group in family.groups
        for indicator in group.indicators
    ]
    table = Table("family", "indicator", "unit", "more risk", "empty means", "from")
    for each in found:
        needs = " and ".join(need.replace("|", " or ") for need in each["tables"])
        table.add_row(each["family"], each["name"], each["unit"], each["direction"], each["null"], needs)
    People(quiet=quiet).console.print(table)
    return {"indicators": found}
