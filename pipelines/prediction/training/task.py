"""Each outcome that a workspace predicts: what is asked, of which snapshots, by which days, and with which models."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from features.outcomes import BY_REASON, Kind
from models.question import Question
from pipelines.data.snapshots.snapshot import Snapshots
from pipelines.data.snapshots.workspace_snapshots import snapshots_of
from pipelines.foundation.ledger.model_versions import Versions
from pipelines.foundation.settings.retention import Retention
from pipelines.foundation.settings.settings import Backtest, Promotion
from pipelines.foundation.storage.store import Store
from pipelines.foundation.workspace.calendar import Calendar
from pipelines.foundation.workspace.workspace import Workspace
from pipelines.prediction.training.fit import FitPlan, Fitter

WHY_UNKNOWN = (
    "nothing tells why customers left: no end_reason is recorded in subscriptions, and there are no payments; map "
    "end_reason, or add a source of payments"
)


@dataclass(frozen=True, kw_only=True)
class PredictionTask:
    """One outcome to predict.

    main: whether it is the outcome whose scores go to the CRM. trusted: columns that are never doubted.
    """

    main: bool
    snapshots: Snapshots
    versions: Versions
    fitter: Fitter
    backtest: Backtest
    promotion: Promotion
    retention: Retention
    trusted: tuple[str, ...]

    @property
    def question(self) -> Question:
        return self.snapshots.question

    @property
    def kind(self) -> Kind:
        return self.question.outcome

    @property
    def calendar(self) -> Calendar:
        return self.snapshots.calendar

    @property
    def store(self) -> Store:
        return self.snapshots.store


def tasks_of(workspace: Workspace) -> tuple[PredictionTask, ...]:
    """The outcome whose scores go to the CRM, then the further ones of the settings; snapshots are shared.

    Without those that tell why customers leave, where nothing tells it (`untold`).

    Raises: DataError where nothing has landed.
    """
    settings, snapshots = workspace.settings, snapshots_of(workspace)
    kinds = [kind for kind in (settings.outcome.kind, *settings.outcome.also) if kind not in untold(workspace)]
    plan = FitPlan(
        **settings.training.model_dump(exclude={"threads", "trusted_columns"}), memory_gib=settings.memory_gib or 0.0
    )
    return tuple(
        PredictionTask(
            main=kind == settings.outcome.kind,
            snapshots=snapshots.of(settings.question_of(kind)),
            versions=Versions(workspace.store, kind),
            fitter=Fitter(plan=plan, threads=settings.training.threads, memory=settings.memory, fits=workspace.fits),
            backtest=settings.backtest,
            promotion=settings.promotion,
            retention=settings.retention,
            trusted=settings.training.trusted_columns,
        )
        for kind in kinds
    )


def untold(workspace: Workspace) -> tuple[Kind, ...]:
    """Further outcomes of the settings of which nobody's is known: neither reasons nor payments tell why they left."""
    asked = [kind for kind in workspace.settings.outcome.also if kind in BY_REASON]
    return tuple(asked) if asked and workspace.why_left_until == date.min else ()


def main_task(workspace: Workspace) -> PredictionTask:
    """The outcome whose scores go to the CRM."""
    return tasks_of(workspace)[0]
