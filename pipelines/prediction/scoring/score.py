"""`attrition score`: everybody at risk at a date gets a probability, a band and reasons, from the champion."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.errors import DataError, StaleError
from models import economics, explanation
from models.matrix import ENTITY, Matrix
from models.question import Question
from models.training import Fitted
from pipelines.data.snapshots.definitions import Definition
from pipelines.data.snapshots.snapshot import Snapshot
from pipelines.foundation.identity.permissions import Permissions
from pipelines.foundation.ledger.score_store import ScoreRun, ScoreStore
from pipelines.foundation.settings.settings import Bands, Settings
from pipelines.foundation.storage.fingerprint import fingerprint
from pipelines.foundation.wording.numbers import Language
from pipelines.foundation.workspace.calendar import Calendar
from pipelines.prediction.scoring import reasons as reason_words
from pipelines.prediction.scoring.reasons import Wording, everything_that_raises, reasons
from pipelines.prediction.training.champion import answering, learned_from
from pipelines.prediction.training.task import PredictionTask

BATCH = 100_000
BY = ("pipelines.prediction.scoring.score",)


@dataclass(frozen=True, kw_only=True)
class ScorePlan:
    """How scores are said and how long they hold, as the settings have it."""

    bands: Bands
    language: Language
    currency: str
    valid_days: int
    max_data_age_days: int
    max_model_age_days: int

    def wording(self, snapshot: Snapshot) -> Wording:
        """The sentences that can be said of a snapshot's indicators."""
        definition = snapshot.snapshots.definition
        return Wording(
            definition.families,
            lookback_days=definition.lookbacks.lookback_days,
            language=self.language,
            currency=self.currency,
            unknown=snapshot.unknown_columns,
        )


@dataclass(frozen=True, kw_only=True)
class ScoreInputs:
    """features: hash of the day's features. model: the champion's version. threads make no difference."""

    as_of: date
    features: str
    definition: Definition
    model: str
    question: Question
    plan: ScorePlan
    data_as_of: date

    @property
    def key(self) -> str:
        return fingerprint(self, by=BY)

    @property
    def run_id(self) -> str:
        return f"{self.as_of:%Y%m%d}-{self.key[:8]}"


@dataclass(frozen=True)
class Scored:
    """unchanged: these scores were there already."""

    run: ScoreRun
    unchanged: bool


def plan_of(settings: Settings) -> ScorePlan:
    """The plan that the settings ask for."""
    return ScorePlan(
        bands=settings.bands,
        language=settings.language,
        currency=settings.currency,
        valid_days=settings.delivery.valid_days,
        max_data_age_days=settings.delivery.max_data_age_days,
        max_model_age_days=settings.promotion.max_age_days,
    )


def score(
    task: PredictionTask,
    plan: ScorePlan,
    permissions: Permissions,
    *,
    now: datetime,
    progress: Callable[[str], None] = lambda _: None,
) -> Scored:
    """Score the cohort of `as_of` and replace that date's scores, whole.

    Reads the champion's verified local copy only: no tracking server is needed. Where model, data and settings are
    those of the scores that are there, nothing is written, but their file, where that is gone: with the stamps it had.

    Raises: OutdatedModelError where the champion answers another question than is asked, StaleError where data or
    champion are too old, DataError where nobody is at risk.
    """
    store, calendar = ScoreStore(task.store), task.calendar
    champion, fitted = answering(task)
    refuse_stale(calendar, fitted, plan, champion=champion.version)
    snapshot = task.snapshots.at(calendar.as_of)
    inputs = ScoreInputs(
        as_of=calendar.as_of,
        features=snapshot.file.sha256,
        definition=task.snapshots.definition,
        model=champion.version,
        question=fitted.question,
        plan=plan,
        data_as_of=calendar.data_as_of,
    )
    found = store.run(str(inputs.as_of))
    same = found if found is not None and found.made_from == inputs.key else None
    if same is None or task.store.present(same.history) is None:
        scores = scores_of(inputs, fitted, snapshot, threads=task.fitter.threads, progress=progress)
        stamps = stamps_of(inputs, now) if same is None else dict(same.detail)
        store.replace(
            permissions.permitted(scores).assign(**stamps),
            as_of=str(inputs.as_of),
            run_id=inputs.run_id,
            made_from=inputs.key,
            detail=stamps,
        )
    return Scored(store.require(str(inputs.as_of)), same is not None)


def stamps_of(inputs: ScoreInputs, now: datetime) -> dict[str, Any]:
    """What every score of a run is stamped with. The horizon is the model's, whatever the settings say by now."""
    return {
        "currency": inputs.plan.currency,
        "horizon_days": inputs.question.horizon_days,
        "model_version": inputs.model,
        "scored_at": now.isoformat(timespec="seconds"),
        "data_as_of": str(inputs.data_as_of),
        "valid_until": str(inputs.as_of + timedelta(days=inputs.plan.valid_days)),
        "run_id": inputs.run_id,
    }


def scores_of(
    inputs: ScoreInputs,
    fitted: Fitted,
    snapshot: Snapshot,
    *,
    threads: int,
    progress: Callable[[str], None] = lambda _: None,
) -> pd.DataFrame:
    """One row per customer of the cohort: what `scored` gives, value_at_risk and priority."""
    rows, frame = rows_at_risk(snapshot)
    words = inputs.plan.wording(snapshot)
    scores = scored(fitted, rows, frame, words, inputs.plan.bands, threads=threads, progress=progress)
    return with_money(scores, rows)


def refuse_stale(calendar: Calendar, fitted: Fitted, plan: ScorePlan, *, champion: str) -> None:
    """Raise StaleError where data or champion are so old that their scores would mislead whoever acts on them."""
    refuse_old_data(calendar, max_age_days=plan.max_data_age_days)
    age = calendar.age_days(learned_from(fitted))
    if age > plan.max_model_age_days:
        raise StaleError(
            f"champion {champion} learned from outcomes until {calendar.as_of - timedelta(days=age)}, {age} days "
            f"before {calendar.as_of}, and nobody is scored with one older than {plan.max_model_age_days} days; run "
            "`attrition train`, or raise promotion.max_age_days"
        )


def refuse_old_data(calendar: Calendar, *, max_age_days: int) -> None:
    """Raise StaleError where the data end so long before the day of scoring that scores would mislead."""
    if calendar.data_age_days > max_age_days:
        raise StaleError(
            f"the data end on {calendar.data_as_of}, {calendar.data_age_days} days before {calendar.as_of}, and nobody "
            f"is scored from data older than {max_age_days} days; ingest newer files, look from the day after the last "
            f"fact with --as-of {calendar.data_as_of + timedelta(days=1)}, or raise delivery.max_data_age_days"
        )


def rows_at_risk(snapshot: Snapshot) -> tuple[Matrix, pd.DataFrame]:
    """The cohort of a day as its matrix, and the same rows with their indicators. Raises: DataError for nobody."""
    frame = snapshot.frame()
    if not len(frame):
        had = "a running subscription" if snapshot.snapshots.question.by_contract else "an order that counts"
        raise DataError(f"nobody is at risk at {snapshot.day}: no customer had {had} by then")
    return snapshot.matrix(frame), frame


def scored(
    fitted: Fitted,
    rows: Matrix,
    frame: pd.DataFrame,
    words: Wording,
    bands: Bands,
    *,
    threads: int,
    progress: Callable[[str], None] = lambda _: None,
) -> pd.DataFrame:
    """Columns customer_id, churn_probability (0 to 1, higher is worse), churn_risk_band and the reasons, a row per row.

    frame: the indicator columns of the same rows in the same order.
    """
    probabilities = fitted.day_probability(rows)
    said = in_batches(fitted, rows, frame, words, threads=threads, progress=progress)
    risk = pd.DataFrame(
        {
            ENTITY: rows.customers.astype(str),
            "churn_probability": probabilities,
            "churn_risk_band": band(probabilities, bands),
        }
    )
    return pd.concat([risk, said], axis=1)


def in_batches(
    fitted: Fitted,
    rows: Matrix,
    frame: pd.DataFrame,
    words: Wording,
    *,
    threads: int,
    progress: Callable[[str], None] = lambda _: None,
) -> pd.DataFrame:
    """reason_1 to reason_3 and their codes, a row per row.

    In batches, so that memory stays bounded, as many at a time as there are threads; the result does not depend on how
    many. What is usual is taken from all rows. Of expansion, which is no risk, whatever raises its probability is told.
    """
    usual = words.usual(frame)

    def explained(start: int) -> pd.DataFrame:
        chosen = np.zeros(len(rows), dtype=np.bool_)
        chosen[start : start + BATCH] = True
        part, batch = rows.only(chosen), frame.iloc[start : start + BATCH]
        found = explanation.contributions(fitted, part, words.codes())
        if fitted.question.outcome == "expansion":
            return everything_that_raises(found, batch, part.columns, words, count=reason_words.COUNT)
        return reasons(found, batch, part.columns, words, usual=usual)

    parts = []
    with ThreadPoolExecutor(threads) as pool:
        for part in pool.map(explained, range(0, len(rows), BATCH)):
            parts.append(part)
            progress(f"{min(len(parts) * BATCH, len(rows)):,} of {len(rows):,} customers explained")
    names = [f"reason_{rank + 1}{suffix}" for rank in range(reason_words.COUNT) for suffix in ("", "_code")]
    return pd.concat(parts, ignore_index=True)[names]


def with_money(scores: pd.DataFrame, rows: Matrix) -> pd.DataFrame:
    """The scores of `rows` with value_at_risk (over the horizon, null where it is not known) and priority.

    Priority 1 is the first to care for: most money at risk, and where that is the same or not known the highest risk.
    """
    value = economics.value(rows, by_contract=rows.question.by_contract, days=rows.question.horizon_days)
    probabilities = scores["churn_probability"].to_numpy(dtype=np.float64)
    at_risk = economics.value_at_risk(probabilities, value)
    return scores.assign(value_at_risk=at_risk.round(2), priority=economics.ranking(at_risk, probabilities))


def band(probabilities: npt.NDArray[np.float64], bands: Bands) -> npt.NDArray[np.object_]:
    """(n,) high, medium or low."""
    levels = np.select([probabilities >= bands.high, probabilities >= bands.medium], ["high", "medium"], "low")
    return levels.astype(object)
