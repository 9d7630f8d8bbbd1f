"""A page of the documentation that is written from the code, and compared with it."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"


@dataclass(frozen=True)
class DocsPage:
    """name: of the file in docs/. source: what it is written from, in words. module: whose main writes it."""

    name: str
    source: str
    module: str
    render: Callable[[], str]

    @property
    def place(self) -> Path:
        return DOCS / self.name

    @property
    def remedy(self) -> str:
        return f"write it anew with `python -m {self.module}`"

    def compare(self, page: str | None) -> list[str]:
        """Nothing where the page is in step, otherwise the differences as lines."""
        lines = [] if page is None else page.splitlines()
        return list(difflib.unified_diff(lines, self.render().splitlines(), self.name, self.source, lineterm=""))

    def main(self, arguments: list[str]) -> int:
        """Exit code: 0 in step or written, 1 out of step, 2 for arguments that it does not know."""
        if arguments == ["--check"]:
            differences = self.compare(self.place.read_text(encoding="utf-8") if self.place.exists() else None)
            if differences:
                sys.stderr.write("\n".join([*differences[:40], f"{self.place} is out of step: {self.remedy}", ""]))
            return int(bool(differences))
        if arguments:
            sys.stderr.write(f"usage: python -m {self.module} [--check]\n")
            return 2
        self.place.write_text(self.render(), encoding="utf-8")
        return 0
