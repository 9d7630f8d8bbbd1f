"""A finished shop of which somebody was recommended plays long enough ago to know who stayed."""

from __future__ import annotations

import shutil
from pathlib import Path

from pipelines.explore import open_workspace
from pipelines.foundation.storage.store import Store
from pipelines.foundation.workspace.init import default_plays
from tests.pipelines.operations.plays.recommend_case import note

DAY = "2025-01-10"


def with_plays(finished: Path, folder: Path) -> Path:
    """A copy whose customers of a day were recommended a play each, every fifth of them held out."""
    root = Path(shutil.copytree(finished, folder / "shop"))
    for name, content in default_plays().items():
        (root / name).write_bytes(content)
    customers = open_workspace(root).snapshot(DAY).index.get_level_values("customer_id")
    groups = [(str(name), "treatment" if place % 5 else "holdout") for place, name in enumerate(customers)]
    note(Store(root), DAY, *((name, "win_back_message", group) for name, group in groups))
    note(Store(root), "2025-05-30", ("C-0001", "personal_call", "treatment"))  # whose outcome is not known yet
    return root
