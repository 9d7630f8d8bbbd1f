"""What the measurements write into: a row per figure, and whether each promise holds."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

WIDTH = 160


class Report:
    """One table for all figures, lines below it that say where they come from, and whether any bound is missed."""

    def __init__(self) -> None:
        self.missed = False
        self._table = Table("figure", "measured", "promised", "", title="attrition benchmarks")
        self._notes: list[str] = []

    def row(self, name: str, measured: float, bound: float, *, at_least: bool) -> None:
        """A figure that is promised."""
        holds = measured >= bound if at_least else measured <= bound
        self.missed = self.missed or not holds
        sign = "at least" if at_least else "at most"
        self._table.add_row(name, f"{measured:.4f}", f"{sign} {bound:g}", "holds" if holds else "MISSED")

    def shown(self, name: str, measured: str, beside: str = "") -> None:
        """A figure of which nothing is promised, and what it stands beside."""
        self._table.add_row(name, measured, beside, "")

    def note(self, text: str) -> None:
        self._notes.append(text)

    def print(self) -> None:
        console = Console(width=WIDTH)
        console.print(self._table)
        for text in self._notes:
            console.print(text, markup=False, highlight=False)
