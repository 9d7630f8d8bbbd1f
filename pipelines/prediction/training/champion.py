"""Champion and challenger: what they are compared on, and whether the challenger takes over."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from features.errors import OutdatedModelError, TrainingError
from models import promotion
from models.promotion import Gates, Judged, Verdict
from models.training import Fitted
from pipelines.data.snapshots.definitions import Definition
from pipelines.data.snapshots.learned import learned_rows
from pipelines.foundation.ledger.model_versions import Version
from pipelines.foundation.settings.settings import Promotion
from pipelines.prediction.training import backtest
from pipelines.prediction.training.task import PredictionTask


def verdict(task: PredictionTask, days: Sequence[date]) -> Verdict:
    """Whether a challenger that learned from the snapshots of these days takes over.

    Compared on matured snapshots that began after everything the champion learned from had ended. For the challenger,
    which learned from these, a stand-in is judged: fitted in the same way on what had matured before the first of them.
    Where nothing has matured since, nothing shows that the challenger is no worse, and the champion stays. A champion
    that cannot answer today's question, or learned from other files of own indicators, is replaced.
    """
    champion = task.versions.aliased("champion")
    if champion is None:
        return Verdict(promote=True, reason="it is the first")
    if told := other_files(champion, task.snapshots.definition):
        return Verdict(promote=True, reason=f"it replaces champion {champion.version}, which is outdated: {told}")
    try:
        fitted = comparable(task, champion)
    except OutdatedModelError as error:
        return Verdict(promote=True, reason=f"it replaces champion {champion.version}, which is outdated: {error}")
    unknown = task.calendar.unknown_to(learned_from(fitted), sorted(days))[-task.promotion.snapshots :]
    if not unknown:
        reason = f"no outcome that began after champion {champion.version} had learned its own is known yet"
        return Verdict(promote=False, reason=reason)
    try:
        stand_in = task.fitter.fit_if_enough(
            learned_rows(task.snapshots, task.calendar.training_days(unknown[0]), memory=task.fitter.memory)
        )
    except TrainingError as error:
        return Verdict(promote=False, reason=f"too little was known before {unknown[0]} to compare it with: {error}")
    return promotion.judge(
        _judged(task, unknown, fitted, stand_in),
        _gates(task.promotion),
        samples=task.backtest.bootstrap_samples,
        seed=task.fitter.plan.seed,
    )


def _gates(plan: Promotion) -> Gates:
    """The margins as the settings have them."""
    return Gates(
        log_loss=plan.max_log_loss_increase,
        pr_auc=plan.max_pr_auc_decrease,
        top_decile_lift=plan.max_lift_decrease,
        calibration=plan.max_calibration_increase,
        segment_log_loss=plan.max_segment_log_loss_increase,
    )


def learned_from(fitted: Fitted) -> list[date]:
    """The snapshots that a model learned from, oldest first."""
    return [date.fromordinal(day) for day in fitted.snapshots]


def answering(task: PredictionTask) -> tuple[Version, Fitted]:
    """The champion, once it is seen to answer what is asked, from the columns that there are.

    Raises: TrainingError without a champion, OutdatedModelError where it answers another question or reads others.
    """
    champion = task.versions.champion()
    fitted = task.versions.load(champion.version)
    difference = task.question.difference(fitted.question)
    if difference:
        raise OutdatedModelError(
            f"champion {champion.version} was trained for another question than the settings ask: {difference} as for "
            "the champion; run `attrition train` for a model that answers it, or set that back"
        )
    columns = task.snapshots.columns
    if fitted.columns != columns:
        other = sorted(set(columns) ^ set(fitted.columns)) or list(columns)
        raise OutdatedModelError(
            f"champion {champion.version} was trained on other columns than the settings and tables give (first: "
            f"'{other[0]}'); run `attrition train` for a model that reads these, or set back what changed them "
            "(lookback_days, age_and_gender, training.start_model, tables, indicators)"
        )
    if told := other_files(champion, task.snapshots.definition):
        raise OutdatedModelError(
            f"champion {champion.version} {told}; run `attrition train` for a model that learned from it as it is"
        )
    return champion, fitted


def other_files(champion: Version, definition: Definition) -> str | None:
    """Which file of own indicators is another than when a model learned: one name may mean something else by now."""
    then = {each["file"]: each["sha256"] for each in champion.record.get("own_indicators", [])}
    now = {file.name: file.sha256 for file in definition.own}
    other = sorted(name for name in then.keys() | now.keys() if then.get(name) != now.get(name))
    return f"learned from another {other[0]} than there is now" if other else None


def comparable(task: PredictionTask, champion: Version) -> Fitted:
    """The champion's model. Raises: OutdatedModelError where it cannot answer what is asked."""
    fitted = task.versions.load(champion.version)
    fitted.refuse_unlike(task.question, task.snapshots.columns)
    return fitted


def _judged(task: PredictionTask, days: Sequence[date], champion: Fitted, challenger: Fitted) -> Judged:
    """Everybody on these days: how many of a day leave is forecast of the whole day."""
    rows = learned_rows(task.snapshots, days)
    if rows is None:
        raise AssertionError(f"nobody's outcome of {days[0]} is known, from which a model has learned")
    return Judged(
        labels=rows.outcomes,
        champion=champion.day_probability(rows),
        challenger=challenger.day_probability(rows),
        customers=rows.customers,
        segments=backtest.segment_values(rows),
    )
