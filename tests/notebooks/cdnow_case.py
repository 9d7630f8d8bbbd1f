"""The shop of the first example, real orders of CDNOW, of so few customers that it is run whole in half a minute."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from pipelines.foundation.settings.settings import FILE_NAME, load
from pipelines.foundation.settings.template import render
from pipelines.foundation.workspace.init import init

SMALLER = {
    "snapshots": {"every_days": 28, "at_most": 6},
    "backtest": {"folds": 2, "bootstrap_samples": 20},
    "training": {"threads": 1},
}
ONE_IN = 12  # customers


def make_cdnow(folder: Path) -> Path:
    """As `attrition init --example cdnow` makes it, of every twelfth customer and fewer snapshots."""
    init(folder, example="cdnow")
    orders = pd.read_csv(folder / "orders.csv")
    orders[orders["customer_id"] % ONE_IN == 0].to_csv(folder / "orders.csv", index=False)
    settings = load(folder / FILE_NAME)
    sections = {name: getattr(settings, name).model_copy(update=changes) for name, changes in SMALLER.items()}
    (folder / FILE_NAME).write_text(render(settings.model_copy(update=sections)), encoding="utf-8")
    return folder
