"""What the measurements write into: a row per figure, and whether each promise holds."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.table import Table

WIDTH = 160


class Report:
    """Tables of methods, one of all figures, lines that say where they come from, and whether any bound is missed."""

    def __init__(self) -> None:
        self.missed = False
        self._table = Table("figure", "measured", "promised", "", title="attrition benchmarks")
        self._notes: list[str] = []
        self._figures: list[dict[str, object]] = []
        self._tables: list[tuple[Table, Mapping[str, object]]] = []

    def row(self, name: str, measured: float, bound: float, *, at_least: bool) -> None:
        """A figure that is promised."""
        holds = measured >= bound if at_least else measured <= bound
        self.missed = self.missed or not holds
        sign = "at least" if at_least else "at most"
        self._figures.append({"figure": name, "measured": measured, "bound": f"{sign} {bound:g}", "holds": holds})
        self._table.add_row(name, f"{measured:.4f}", f"{sign} {bound:g}", "holds" if holds else "MISSED")

    def shown(self, name: str, measured: str, beside: str = "") -> None:
        """A figure of which nothing is promised, and what it stands beside."""
        self._figures.append({"figure": name, "measured": measured, "beside": beside})
        self._table.add_row(name, measured, beside, "")

    def table(
        self, title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], document: Mapping[str, object]
    ) -> None:
        """Many figures beside each other. rows: their texts, one for each column. document: the same as numbers."""
        told = Table(*columns, title=title)
        for row in rows:
            told.add_row(*row)
        self._tables.append((told, document))

    def note(self, text: str) -> None:
        self._notes.append(text)

    def print(self, *, as_json: bool = False) -> None:
        """Tables for people, or one JSON document: {"figures": [...], "notes": [...], "tables": [...]}."""
        if as_json:
            tables = [document for _, document in self._tables]
            print(json.dumps({"figures": self._figures, "notes": self._notes, "tables": tables}, indent=1))
            return
        console = Console(width=WIDTH)
        for table, _ in self._tables:
            console.print(table)
        console.print(self._table)
        for text in self._notes:
            console.print(text, markup=False, highlight=False)
