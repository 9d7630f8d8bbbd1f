"""`attrition score`: everybody at risk at a date gets a probability, a band and reasons, from the champion."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.errors import DataError, StaleError
from models import economics, explanation
from models.matrix import ENTITY, Matrix
from models.training import Fitted
from pipelines.data.privacy.enforce import enforce, permitted
from pipelines.data.snapshots.features import as_matrix, families_here, feature_file, feature_frame
from pipelines.foundation.ledger.score_store import ScoreRun, ScoreStore
from pipelines.foundation.settings.settings import Bands
from pipelines.foundation.storage.fingerprint import code_version, fingerprint
from pipelines.foundation.workspace.workspace import Workspace
from pipelines.prediction.scoring import reasons as reason_words
from pipelines.prediction.scoring.reasons import Wording, reasons
from pipelines.prediction.training.champion import age_days

BATCH = 100_000


@dataclass(frozen=True)
class Scored:
    """unchanged: these scores were there already."""

    run: ScoreRun
    unchanged: bool


def score(workspace: Workspace, *, now: datetime, progress: Callable[[str], None] = lambda _: None) -> Scored:
    """Score the cohort of `as_of` and replace that date's scores, whole.

    Reads the champion's verified local copy only: no tracking server is needed. Where model, data and settings are
    those of the scores that are there, nothing is written.
    """
    versions, store = workspace.versions, ScoreStore(workspace.store)
    champion = versions.champion()
    refuse_stale(workspace)
    enforce(workspace)  # scores that are there already may hold somebody who objected since
    settings = workspace.settings
    made_from = fingerprint(
        {
            "features": feature_file(workspace, workspace.as_of).sha256,
            "model": champion.version,
            "code": code_version(),
            "said": [settings.language, settings.currency, settings.bands.model_dump(), settings.delivery.model_dump()],
        }
    )
    run_id = f"{workspace.as_of:%Y%m%d}-{made_from[:8]}"
    found = store.run(str(workspace.as_of))
    unchanged = found is not None and found.made_from == made_from
    if not unchanged:
        fitted, rows, frame = score_rows(workspace)
        scores = scored(
            fitted,
            rows,
            frame,
            wording(workspace),
            settings.bands,
            threads=settings.training.threads,
            progress=progress,
        )
        stamps: dict[str, Any] = {
            "currency": settings.currency,
            "horizon_days": settings.outcome.horizon_days,
            "model_version": champion.version,
            "scored_at": now.isoformat(timespec="seconds"),
            "data_as_of": str(workspace.data_as_of),
            "valid_until": str(workspace.as_of + timedelta(days=settings.delivery.valid_days)),
            "run_id": run_id,
        }
        store.replace(
            permitted(workspace, with_money(scores, rows, workspace)).assign(**stamps),
            as_of=str(workspace.as_of),
            run_id=run_id,
            made_from=made_from,
            detail=stamps,
        )
    return Scored(store.require(str(workspace.as_of)), unchanged)


def refuse_stale(workspace: Workspace) -> None:
    """Raise StaleError where data or champion are so old that their scores would mislead whoever acts on them."""
    settings, today = workspace.settings, workspace.as_of
    data_age = (today - timedelta(days=1) - workspace.data_as_of).days
    if data_age > settings.delivery.max_data_age_days:
        raise StaleError(
            f"the data end on {workspace.data_as_of}, {data_age} days before {today}, and nobody is scored from data "
            f"older than {settings.delivery.max_data_age_days} days; ingest newer files, score an earlier day with "
            "--as-of, or raise delivery.max_data_age_days"
        )
    age = age_days(workspace)
    if age > settings.promotion.max_age_days:
        raise StaleError(
            f"champion {workspace.versions.champion().version} learned from outcomes until "
            f"{today - timedelta(days=age)}, {age} days before {today}, and nobody is scored with one older than "
            f"{settings.promotion.max_age_days} days; run `attrition train`, or raise promotion.max_age_days"
        )


def score_rows(workspace: Workspace) -> tuple[Fitted, Matrix, pd.DataFrame]:
    """The champion, the cohort of `as_of` as its matrix, and the same rows with their indicators.

    Raises: TrainingError without a champion, DataError where nobody is at risk.
    """
    versions = workspace.versions
    fitted = versions.load(versions.champion().version)
    frame = feature_frame(workspace, workspace.as_of)
    if not len(frame):
        had = "a running subscription" if workspace.by_contract else "an order that counts"
        raise DataError(f"nobody is at risk at {workspace.as_of}: no customer had {had} by then")
    return fitted, as_matrix(workspace, frame, workspace.as_of), frame


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
    probabilities = fitted.probability(rows)
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
    many.
    """

    def explained(start: int) -> pd.DataFrame:
        chosen = np.zeros(len(rows), dtype=np.bool_)
        chosen[start : start + BATCH] = True
        part, batch = rows.only(chosen), frame.iloc[start : start + BATCH]
        found = explanation.contributions(fitted, part, words.codes())
        return reasons(found, batch, part.columns, words)

    parts = []
    with ThreadPoolExecutor(threads) as pool:
        for part in pool.map(explained, range(0, len(rows), BATCH)):
            parts.append(part)
            progress(f"{min(len(parts) * BATCH, len(rows)):,} of {len(rows):,} customers explained")
    names = [f"reason_{rank + 1}{suffix}" for rank in range(reason_words.COUNT) for suffix in ("", "_code")]
    return pd.concat(parts, ignore_index=True)[names]


def with_money(scores: pd.DataFrame, rows: Matrix, workspace: Workspace) -> pd.DataFrame:
    """The scores of `rows` with value_at_risk (over the horizon, null where it is not known) and priority.

    Priority 1 is the first to care for: most money at risk, and where that is the same or not known the highest risk.
    """
    value = economics.value(rows, by_contract=workspace.by_contract, days=workspace.settings.outcome.horizon_days)
    probabilities = scores["churn_probability"].to_numpy(dtype=np.float64)
    at_risk = economics.value_at_risk(probabilities, value)
    return scores.assign(value_at_risk=at_risk.round(2), priority=economics.ranking(at_risk, probabilities))


def band(probabilities: npt.NDArray[np.float64], bands: Bands) -> npt.NDArray[np.object_]:
    """(n,) high, medium or low."""
    levels = np.select([probabilities >= bands.high, probabilities >= bands.medium], ["high", "medium"], "low")
    return levels.astype(object)


def wording(workspace: Workspace) -> Wording:
    """The sentences that this workspace can say."""
    settings = workspace.settings
    return Wording(
        families_here(workspace),
        lookback_days=settings.lookback_days,
        language=settings.language,
        currency=settings.currency,
    )


def history(workspace: Workspace, run: ScoreRun) -> pd.DataFrame:
    """The scores of a run, by priority."""
    stored = workspace.store.find(run.history)
    if stored is None:
        raise DataError(f"the history file of run {run.run_id} is not in the ledger; score {run.as_of} again")
    return pd.read_parquet(workspace.store.verified(stored)).sort_values("priority", kind="stable", ignore_index=True)
