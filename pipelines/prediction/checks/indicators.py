"""`attrition indicators`: the catalog, for people and for programs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rich.markup import escape
from rich.table import Table

from features.training_set import FAMILIES
from pipelines.foundation.own_indicators.own_file import OwnFile
from pipelines.foundation.workspace.console import Console


def indicators(own: Iterable[OwnFile] = (), *, quiet: bool = False) -> dict[str, Any]:
    """Every indicator of the catalog, those about age and gender too, then a workspace's own: {"indicators": [...]}.

    tables: those that it is made of; of orders and order_lines either will do. file: of an own one; None for ours.
    """
    families = [
        *((None, family) for family in FAMILIES),
        *((file.name, each) for file in own for each in file.families),
    ]
    found: list[dict[str, Any]] = [
        {
            "file": file,
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
        for file, family in families
        for group in family.groups
        for indicator in group.indicators
    ]
    table = Table("family", "indicator", "unit", "more risk", "empty means", "from")
    for each in found:
        shown = [escape(str(each[name])) for name in ("family", "name", "unit", "direction", "null")]
        made_of = [*each["tables"], *filter(None, [each["file"]])]
        table.add_row(*shown, escape(", ".join(made_of)))
    Console(quiet=quiet).rich.print(table)
    return {"indicators": found}
