"""`attrition indicators`: the catalog, for people and for programs."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from itertools import groupby
from typing import Any

from rich.markup import escape
from rich.table import Table

from features.training_set import FAMILIES
from pipelines.foundation.own_indicators.own_file import OwnFile
from pipelines.foundation.workspace.console import Console


def indicators(own: Iterable[OwnFile] = (), *, own_alone: bool = False, quiet: bool = False) -> dict[str, Any]:
    """Every indicator of the catalog, those about age and gender too, then a workspace's own: {"indicators": [...]}.

    tables: those that it is made of; of orders and order_lines either will do. file: of an own one; None for ours.
    own_alone: people are shown a workspace's own, without the catalog.
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
    _show([each for each in found if each["file"] or not own_alone], Console(quiet=quiet))
    return {"indicators": found}


def _show(found: Collection[dict[str, Any]], console: Console) -> None:
    """Under a line for each family and what it is made of; names are never cut, for settings and code ask for them."""
    widest = max((len(each["name"]) for each in found), default=0)
    for (family, file, tables), group in groupby(found, lambda each: (each["family"], each["file"], each["tables"])):
        # Columns of its own: Rich keeps the cells in them, so those of another table would be shown here.
        table = Table(box=None, padding=(0, 0, 0, 2))
        table.add_column("indicator", min_width=widest, no_wrap=True)
        table.add_column("unit", min_width=8)
        table.add_column("more risk", no_wrap=True)
        table.add_column("empty means")
        for each in group:
            table.add_row(*(escape(str(each[name])) for name in ("name", "unit", "direction", "null")))
        made_of = [", ".join(tables), *filter(None, [file])]
        console.say(f"{family} ({'; '.join(made_of)})")
        console.rich.print(table)
