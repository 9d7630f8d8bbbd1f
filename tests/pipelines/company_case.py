"""The simulated company, bound by contract and of all tables, so small that it is run whole within a minute."""

from __future__ import annotations

from pathlib import Path

from pipelines.foundation.settings.settings import FILE_NAME, load
from pipelines.foundation.settings.template import render
from pipelines.foundation.simulation.simulate import simulate
from pipelines.foundation.workspace.init import default_plays

SMALLER = {
    "outcome": {"also": ()},
    "snapshots": {"every_days": 28, "at_most": 6},
    "backtest": {"folds": 2, "bootstrap_samples": 20},
    "training": {"threads": 1},
}


def make_company(folder: Path) -> Path:
    """As `attrition init --example company` makes it, of fewer customers, months, snapshots and outcomes."""
    simulate(folder, customers=500, months=18, seed=5)
    settings = load(folder / FILE_NAME)
    sections = {name: getattr(settings, name).model_copy(update=changes) for name, changes in SMALLER.items()}
    (folder / FILE_NAME).write_text(render(settings.model_copy(update=sections)), encoding="utf-8")
    for name, content in default_plays().items():
        (folder / name).write_bytes(content)
    return folder
