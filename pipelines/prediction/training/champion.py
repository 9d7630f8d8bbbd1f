"""Champion and challenger: what they are compared on, and whether the challenger takes over."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import numpy as np

from features.errors import OutdatedModelError, TrainingError
from models import promotion, training
from models.matrix import Matrix
from models.promotion import Gates, Judged, Verdict
from models.training import Fitted
from pipelines.data.snapshots.features import training_matrix
from pipelines.foundation.ledger.model_versions import Version
from pipelines.foundation.workspace.workspace import Workspace
from pipelines.prediction.training import backtest


def verdict(workspace: Workspace, rows: Matrix) -> Verdict:
    """Whether a challenger that learns from `rows` takes over.

    Compared on matured snapshots that began after everything the champion learned from had ended. For the challenger,
    which learned from these, a stand-in is judged: fitted in the same way on what had matured before the first of them.
    Where nothing has matured since, nothing shows that the challenger is no worse, and the champion stays. A champion
    that cannot answer today's question is replaced.
    """
    champion = workspace.versions.aliased("champion")
    if champion is None:
        return Verdict(promote=True, reason="there is no champion yet")
    try:
        fitted = _comparable(workspace, champion, rows)
    except OutdatedModelError as error:
        return Verdict(promote=True, reason=f"champion {champion.version} is outdated: {error}")
    days = _unknown_to(workspace, fitted, rows)
    if not days:
        reason = f"no outcome that began after champion {champion.version} had learned its own is known yet"
        return Verdict(promote=False, reason=reason)
    before = training_matrix(workspace, workspace.training_days(days[0]))
    try:
        stand_in = backtest.fit(workspace, training.refuse_unfit(before, backtest.limits(workspace)))
    except TrainingError as error:
        return Verdict(promote=False, reason=f"too little was known before {days[0]} to compare it with: {error}")
    return promotion.judge(
        _judged(rows, days, fitted, stand_in),
        _gates(workspace),
        samples=workspace.settings.backtest.bootstrap_samples,
        seed=workspace.settings.training.seed,
    )


def _gates(workspace: Workspace) -> Gates:
    """The margins as the settings have them."""
    plan = workspace.settings.promotion
    return Gates(
        log_loss=plan.max_log_loss_increase,
        pr_auc=plan.max_pr_auc_decrease,
        top_decile_lift=plan.max_lift_decrease,
        calibration=plan.max_calibration_increase,
        segment_log_loss=plan.max_segment_log_loss_increase,
    )


def learned_until(workspace: Workspace, snapshots: tuple[int, ...]) -> date:
    """The day by which everything had ended that a model of these snapshots (ordinals) learned from."""
    return date.fromordinal(max(snapshots) + workspace.settings.maturity_days)


def age_days(workspace: Workspace) -> int:
    """Days from the end of everything that the champion learned from to the day of scoring."""
    fitted = workspace.versions.load(workspace.versions.champion().version)
    return (workspace.as_of - learned_until(workspace, fitted.snapshots)).days


def _comparable(workspace: Workspace, champion: Version, rows: Matrix) -> Fitted:
    """The champion's model. Raises: OutdatedModelError where it cannot answer what is asked today."""
    if _asked(champion.record["settings"]) != _asked(workspace.settings.model_dump(mode="json")):
        raise OutdatedModelError("it predicts another outcome, or of others, than the settings ask for")
    fitted = workspace.versions.load(champion.version)
    if fitted.columns != rows.columns:
        raise OutdatedModelError("it reads other columns than today's definitions")
    return fitted


def _asked(settings: Mapping[str, Any]) -> object:
    """What makes two probabilities comparable: the outcome, its window, and who is at risk of it."""
    return [settings["outcome"][name] for name in ("kind", "lead_days", "horizon_days")], settings["cohort"]


def _unknown_to(workspace: Workspace, champion: Fitted, rows: Matrix) -> list[date]:
    """The newest snapshots among the rows that began after the champion had learned, oldest first."""
    since = learned_until(workspace, champion.snapshots).toordinal()
    days = [date.fromordinal(day) for day in np.unique(rows.snapshots).tolist() if day >= since]
    return days[-workspace.settings.promotion.snapshots :]


def _judged(rows: Matrix, days: list[date], champion: Fitted, challenger: Fitted) -> Judged:
    judged = rows.only(np.isin(rows.snapshots, [day.toordinal() for day in days]))
    return Judged(
        labels=judged.outcomes,
        champion=champion.probability(judged),
        challenger=challenger.probability(judged),
        customers=judged.customers,
        segments=backtest.segment_values(judged),
    )
