"""What is handed over beside the scores: probabilities of further outcomes, and who has already announced to leave."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from features import cohort
from features.outcomes import BY_REASON, OUTCOMES, Kind
from models import by_reason, economics
from models.matrix import ENTITY, Matrix
from models.training import Fitted
from pipelines.data.privacy.hand_over import hand_over, is_current
from pipelines.data.snapshots.definitions import Definition
from pipelines.data.snapshots.snapshot import Snapshots
from pipelines.foundation.identity.objections import Refusals
from pipelines.foundation.identity.permissions import Permissions
from pipelines.foundation.ledger.model_versions import Version
from pipelines.foundation.storage.fingerprint import fingerprint
from pipelines.foundation.workspace.holdout import Holdout
from pipelines.prediction.scoring.forecast import sizes
from pipelines.prediction.scoring.score import ScorePlan, in_batches
from pipelines.prediction.training.champion import answering, learned_from
from pipelines.prediction.training.task import PredictionTask

Floats = npt.NDArray[np.float64]

BY = ("pipelines.operations.delivery.other_outcomes",)


@dataclass(frozen=True, kw_only=True)
class OtherOutcomesInputs:
    """features: hash of the day's features. outcomes: keys of those that sizes of change are taken from.

    models: champion of each outcome, behind them that of leaving where it is split. refusals: hash of the lists.
    """

    as_of: date
    features: str
    outcomes: tuple[str, ...]
    definition: Definition
    models: tuple[tuple[Kind, str], ...]
    plan: ScorePlan
    refusals: str
    holdout: Holdout

    @property
    def key(self) -> str:
        return fingerprint(self, by=BY)


@dataclass(frozen=True)
class Champion:
    """Of one outcome."""

    task: PredictionTask
    version: Version
    fitted: Fitted

    def rows(self, frame: pd.DataFrame, day: date) -> Matrix:
        """Everybody at risk at a day. frame: their indicators."""
        return self.task.snapshots.at(day).matrix(frame)


def other_outcomes(
    tasks: Sequence[PredictionTask],
    plan: ScorePlan,
    permissions: Permissions,
    holdout: Holdout,
    refusals: Refusals,
    *,
    progress: Callable[[str], None] = lambda _: None,
) -> dict[str, Any]:
    """Score further outcomes, but of the held-out, and list who has given notice, held out or not; both as CSV files.

    {"also": path or null, "too_old": [outcome], "announced": {"customers", "mrr", "csv": path or null}}. The first file
    has a row per customer and outcome: customer_id, outcome, probability, expected_change (of revenue over the horizon,
    in the currency: negative where it is lost; null where it is not known), model_version and the reasons. The second
    has customer_id, requested_on and mrr: they are leaving, and no longer scored. An outcome whose champion is older
    than promotion.max_age_days is left out and named in `too_old`. Where both ways of leaving are there, their
    probabilities add up to that of the score (`models.by_reason`); the reasons are of what each one's own model says.

    tasks: every outcome of the workspace, the main one first.
    """
    champions = [
        Champion(task, *answering(task)) for task in tasks[1:] if task.versions.aliased("champion") is not None
    ]
    ages = {each.task.kind: each.task.calendar.age_days(learned_from(each.fitted)) for each in champions}
    young = [each for each in champions if ages[each.task.kind] <= plan.max_model_age_days]
    return {
        "also": _also(
            tasks[0].snapshots,
            young,
            plan,
            leaving=_leaving(tasks[0], young),
            permissions=permissions,
            holdout=holdout,
            refusals=refusals,
            progress=progress,
        )
        if young
        else None,
        "too_old": [kind for kind, age in ages.items() if age > plan.max_model_age_days],
        "announced": _announced(tasks[0].snapshots, permissions, refusals),
    }


def _also(
    snapshots: Snapshots,
    champions: Sequence[Champion],
    plan: ScorePlan,
    *,
    leaving: Champion | None,
    permissions: Permissions,
    holdout: Holdout,
    refusals: Refusals,
    progress: Callable[[str], None],
) -> str:
    snapshot = snapshots.at(snapshots.calendar.as_of)
    inputs = OtherOutcomesInputs(
        as_of=snapshot.day,
        features=snapshot.file.sha256,
        outcomes=_outcomes_seen(snapshots),
        definition=snapshots.definition,
        models=tuple((each.task.kind, each.version.version) for each in (*champions, *_there(leaving))),
        plan=plan,
        refusals=refusals.fingerprint,
        holdout=holdout,
    )
    path = f"delivery/outcomes-{snapshot.day}-{inputs.key[:8]}.csv"
    if is_current(snapshots.store, path):
        return path
    frame, parts = snapshot.frame(), []
    risks = _risks(champions, leaving, frame, snapshot.day)
    for champion in champions:
        found = _scored(champion, risks[champion.task.kind], plan, frame, snapshot.day)
        parts.append(found.assign(model_version=champion.version.version))
        progress(f"{champion.task.kind} scored")
    found = pd.concat(parts, ignore_index=True)
    hand_over(snapshots.store, permissions, path, found[~holdout.holds(found[ENTITY])])
    return path


def _leaving(main: PredictionTask, champions: Sequence[Champion]) -> Champion | None:
    """The champion of churn, where both ways of leaving have one, too."""
    if main.kind != "churn" or not set(BY_REASON) <= {each.task.kind for each in champions}:
        return None
    return Champion(main, *answering(main))


def _there(leaving: Champion | None) -> list[Champion]:
    return [] if leaving is None else [leaving]


def _risks(
    champions: Sequence[Champion], leaving: Champion | None, frame: pd.DataFrame, day: date
) -> dict[Kind, Floats]:
    """(n,) probabilities of each outcome, in the order of the frame's customers."""
    asked = (*champions, *_there(leaving))
    risks = {each.task.kind: each.fitted.day_probability(each.rows(frame, day)) for each in asked}
    if leaving is not None:
        voluntary, involuntary = BY_REASON
        risks[voluntary], risks[involuntary] = by_reason.split(
            risks[leaving.task.kind], risks[voluntary], risks[involuntary]
        )
    return risks


def _outcomes_seen(snapshots: Snapshots) -> tuple[str, ...]:
    days = snapshots.calendar.training_days(snapshots.calendar.as_of)
    inputs = [snapshots.at(day).outcome_inputs for day in days]
    return tuple(each.key for each in inputs if each is not None)


def _scored(champion: Champion, probability: Floats, plan: ScorePlan, frame: pd.DataFrame, day: date) -> pd.DataFrame:
    task, fitted = champion.task, champion.fitted
    snapshot, rows = task.snapshots.at(day), champion.rows(frame, day)
    value = economics.value(rows, by_contract=True, days=fitted.question.horizon_days)
    change = -value if OUTCOMES[task.kind].revenue == "lost" else value * _size(task.snapshots, task.kind)
    said = in_batches(fitted, rows, frame, plan.wording(snapshot), threads=task.fitter.threads)
    risk = pd.DataFrame({ENTITY: rows.customers.astype(str), "outcome": task.kind, "probability": probability})
    return pd.concat([risk.assign(expected_change=(probability * change).round(2)), said], axis=1)


def _size(snapshots: Snapshots, kind: Kind) -> float:
    """The mean share by which revenue fell (negative) or rose where this outcome happened; null where it never did."""
    found = sizes(snapshots, snapshots.calendar.as_of)
    shares = -found.less if OUTCOMES[kind].revenue == "less" else found.more
    return float(shares.mean()) if len(shares) else float(np.nan)


def _announced(snapshots: Snapshots, permissions: Permissions, refusals: Refusals) -> dict[str, Any]:
    if not snapshots.question.by_contract:
        return {"customers": 0, "mrr": 0.0, "csv": None}
    day = snapshots.calendar.as_of
    view = snapshots.definition.view(snapshots.tables, day)
    leaving = snapshots.engine.to_pyarrow(cohort.announced(view).order_by(ENTITY)).to_pandas()
    leaving["requested_on"] = leaving["requested_on"].astype(str)
    seen = fingerprint(snapshots.at(day).file.sha256, refusals.fingerprint)
    path = f"delivery/announced-{day}-{seen[:8]}.csv"
    if not is_current(snapshots.store, path):
        hand_over(snapshots.store, permissions, path, leaving)
    return {"customers": len(leaving), "mrr": round(float(leaving["mrr"].sum()), 2), "csv": path}
