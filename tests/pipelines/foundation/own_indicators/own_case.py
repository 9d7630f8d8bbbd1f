"""A workspace with an indicator of its own: the file that docs/own-indicators.md shows, in the simulated shop."""

from __future__ import annotations

import hashlib
import re
from datetime import date
from pathlib import Path

import pytest

from pipelines.foundation.own_indicators.trust import VARIABLE
from pipelines.foundation.settings.settings import Settings
from pipelines.foundation.workspace.workspace import Workspace
from tests.pipelines.shop_case import AS_OF, SETTINGS

PAGE = Path(__file__).parents[4] / "docs" / "own-indicators.md"
NAME = "my_indicators.py"
TODAY = date(2026, 1, 5)


def example() -> str:
    """The file as the page shows it."""
    blocks = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    return max(blocks, key=len)


def with_own(settings: Settings = SETTINGS, *names: str) -> Settings:
    return settings.model_copy(update={"indicators": names or (NAME,)})


def confirm(monkeypatch: pytest.MonkeyPatch, *contents: str | bytes) -> None:
    """As a scheduler does it, by the variable."""
    bodies = [each.encode() if isinstance(each, str) else each for each in contents]
    monkeypatch.setenv(VARIABLE, ",".join(hashlib.sha256(body).hexdigest() for body in bodies))


def own_workspace(
    root: Path, text: str, monkeypatch: pytest.MonkeyPatch, *, settings: Settings = SETTINGS, confirmed: bool = True
) -> Workspace:
    """A workspace whose one file of indicators holds a text."""
    root.mkdir(parents=True, exist_ok=True)
    (root / NAME).write_text(text, encoding="utf-8")
    if confirmed:
        confirm(monkeypatch, text)
    return Workspace(root, with_own(settings), AS_OF, TODAY)
