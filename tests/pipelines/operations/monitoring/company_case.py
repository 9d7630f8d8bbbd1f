"""A small simulated company whose champion was trained in the past and scored several days since."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

from pipelines import run as stages
from pipelines.foundation.settings.settings import FILE_NAME, load
from pipelines.foundation.settings.template import render
from pipelines.foundation.simulation.simulate import simulate
from pipelines.foundation.workspace.console import Console
from pipelines.foundation.workspace.run_context import RunContext
from pipelines.foundation.workspace.workspace import open_workspace

NOW = datetime(2030, 1, 1, tzinfo=UTC)
TRAINED, SCORED, TODAY = date(2024, 4, 29), (date(2024, 4, 29), date(2024, 5, 27)), date(2024, 8, 5)
FEW = ("customers", "subscriptions", "subscription_changes", "payments", "orders", "support_contacts", "treatments")


def make_company(folder: Path) -> Path:
    """Landed, trained at TRAINED and scored at SCORED: what comes of those scores is known at TODAY."""
    simulate(folder, customers=1_500, months=20, seed=6)
    settings = load(folder / FILE_NAME)
    changed = {
        "as_of": None,
        "sources": tuple(source for source in settings.sources if source.table in FEW),
        "lookback_days": (30,),
        "outcome": settings.outcome.model_copy(update={"also": ()}),
        "snapshots": settings.snapshots.model_copy(update={"min_history_days": 150, "at_most": 9}),
        "training": settings.training.model_copy(update={"min_positives": 5}),
        "backtest": settings.backtest.model_copy(update={"folds": 1, "bootstrap_samples": 40}),
    }
    (folder / FILE_NAME).write_text(render(settings.model_copy(update=changed)), encoding="utf-8")
    stages.ingest(job_of(folder, TRAINED))
    stages.train_(job_of(folder, TRAINED))
    for day in SCORED:
        stages.scores(job_of(folder, day))
    return folder


def job_of(folder: Path, day: date) -> RunContext:
    return RunContext(open_workspace(folder, now=NOW, as_of=day), Console(quiet=True), NOW)
