"""Workspaces whose reasons are judged: the simulated company, and shops of which there is nothing but orders."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from pipelines import run as stages
from pipelines.foundation.settings.settings import FILE_NAME, Settings, load
from pipelines.foundation.settings.template import render
from pipelines.foundation.simulation.simulate import simulate
from pipelines.foundation.workspace.console import Console
from pipelines.foundation.workspace.init import init
from pipelines.foundation.workspace.run_context import RunContext
from pipelines.foundation.workspace.workspace import open_workspace
from tests.sentences.published import HandedOver
from tests.sentences.reading import Language

SIMULATED_PER_LISTED = 9  # of those simulated, many have left, or never subscribed
LEAST_SIMULATED = 400  # fewer hold too few who leave to learn from


def company(folder: Path, *, customers: int, settings: dict[str, object] | None = None) -> Path:
    """A simulated company that lists so many customers: every table, and a model of each outcome.

    settings: what is otherwise than the example has it.
    """
    if not folder.exists():
        simulate(folder, customers=max(SIMULATED_PER_LISTED * customers, LEAST_SIMULATED), months=24, seed=7)
        found = load(folder / FILE_NAME)
        quick = {
            "snapshots": found.snapshots.model_copy(update={"at_most": 8}),
            "backtest": found.backtest.model_copy(update={"folds": 1, "bootstrap_samples": 20}),
        }
        _write(folder, found.model_copy(update=quick | (settings or {})))
    return folder


def cdnow(folder: Path) -> Path:
    """The orders of a real shop, with the example's settings."""
    if not folder.exists():
        init(folder, example="cdnow")
    return folder


def trained(folder: Path) -> Path:
    job = _job(folder)
    stages.ingest(job)
    stages.train_(job)
    return folder


def scored(folder: Path, language: Language, *, report: bool = False) -> HandedOver:
    """Scored and handed over in a language, by the model that is there."""
    _write(folder, load(folder / FILE_NAME).model_copy(update={"language": language}))
    job = _job(folder)
    document = stages.score_(job)
    if report:
        stages.report(job)
    also = document["also"]
    return HandedOver(folder, folder / document["csv"], None if also is None else folder / also)


def _write(folder: Path, settings: Settings) -> None:
    (folder / FILE_NAME).write_text(render(settings), encoding="utf-8")


def _job(folder: Path) -> RunContext:
    settings = load(folder / FILE_NAME)
    assert settings.as_of is not None, "a day in the settings, by which the exports can be read as of it"
    now = datetime(settings.as_of.year, settings.as_of.month, settings.as_of.day, 6, tzinfo=UTC)
    return RunContext(open_workspace(folder, now=now), Console(quiet=True), now)
