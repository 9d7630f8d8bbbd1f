"""`attrition impact`: what the plays changed, against those whom chance held out, in customers and in money."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from features.asof import as_of
from features.errors import SettingsError
from features.outcomes import OUTCOMES
from models import impact as effects
from models.impact import Enrolled, Impact
from models.question import Question
from pipelines.data.snapshots.snapshot import Snapshots
from pipelines.foundation.ledger.recommendations import Recommended
from pipelines.foundation.settings.plays import Both, Play
from pipelines.foundation.storage import documents
from pipelines.foundation.storage.fingerprint import fingerprint
from pipelines.foundation.storage.store import Store
from pipelines.foundation.workspace.calendar import Calendar
from pipelines.foundation.workspace.holdout import HOLDOUT, TREATMENT
from pipelines.operations.plays import impact_words
from pipelines.prediction.training.task import PredictionTask, main_task

if TYPE_CHECKING:
    from pipelines.foundation.workspace.run_context import RunContext

KIND = "impact"
BY = ("pipelines.operations.plays.impact",)
ENOUGH = 0.5  # share of outcomes that must be known before anything is said


@dataclass(frozen=True, kw_only=True)
class ImpactInputs:
    """rows: the first recommendation of each customer, as CSV. names: of each play, its code and in both languages.

    outcomes: files of the days on which something was recommended. treatments: hashes of what landed of them.
    """

    as_of: date
    question: Question
    currency: str
    rows: str
    names: tuple[tuple[str, Both], ...]
    outcomes: tuple[str, ...]
    treatments: tuple[str, ...]

    @property
    def key(self) -> str:
        return fingerprint(self, by=BY)


def impact(job: RunContext) -> dict[str, Any]:
    """The document of `as_of`, which people get as a table and in sentences.

    Raises: SettingsError where the outcome is not one that plays are to prevent.
    """
    workspace = job.workspace
    with job.console.stage("impact") as step:
        document = measured(main_task(workspace), workspace.plays, workspace.settings.currency, progress=step)
    impact_words.show(job.console, document, language=workspace.settings.language)
    return document


def measured(
    task: PredictionTask,
    chosen: Sequence[Play],
    currency: str,
    *,
    progress: Callable[[str], None] = lambda _: None,
) -> dict[str, Any]:
    """The document, written once for the same recommendations, data, settings and code.

    {"as_of", "currency", "horizon_days", "outcome", "recommended": rows, "repeated": rows left out, "plays": [play],
    "overall": the same of all plays that could be judged, or null}. See `play_figures` for a play.
    """
    if OUTCOMES[task.kind].is_gain:
        raise SettingsError(
            f"plays are to keep customers: impact needs an outcome of loss, not outcome.kind {task.kind}"
        )
    as_of = task.calendar.as_of
    recommended = Recommended(task.store).read()
    recommended = recommended[recommended["recommended_on"] <= str(as_of)]
    rows = first_of_each(recommended)
    inputs = _inputs(task, rows, chosen, currency)
    path = f"impact/{as_of}-{inputs.key}.json"
    found = documents.read(task.store, path)
    if found is None:
        judged = plays(with_actions(task.snapshots, with_outcomes(task.snapshots, rows, progress)))
        names = {code: name.model_dump() for code, name in inputs.names}
        document = {
            "as_of": str(as_of),
            "currency": inputs.currency,
            "horizon_days": inputs.question.horizon_days,
            "outcome": inputs.question.outcome,
            "recommended": len(recommended),
            "repeated": len(recommended) - len(rows),
            **judged,
            "plays": [each | {"name": names.get(each["play"])} for each in judged["plays"]],
        }
        document["said"] = impact_words.said(document)
        found = documents.write(task.store, path, document, kind=KIND)
    return found


def _inputs(task: PredictionTask, rows: pd.DataFrame, chosen: Sequence[Play], currency: str) -> ImpactInputs:
    days = _known_days(task.calendar, rows)
    files = [task.snapshots.at(day).outcome_file for day in days]
    landed = task.snapshots.files
    return ImpactInputs(
        as_of=task.calendar.as_of,
        question=task.question,
        currency=currency,
        rows=rows.drop(columns="run_id").to_csv(index=False),
        names=tuple((play.code, play.name) for play in chosen),
        outcomes=tuple(file.path for file in files if file is not None),
        treatments=tuple(name for each in landed if each.table == "treatments" for name in each.names),
    )


def _known_days(calendar: Calendar, rows: pd.DataFrame) -> list[date]:
    """Days of recommendations whose outcomes are known at `as_of`."""
    return calendar.known_by(calendar.as_of, {date.fromisoformat(str(day)) for day in rows["recommended_on"]})


def recommended_any(store: Store, as_of: date) -> bool:
    """Whether a play was recommended to, or held back from, anybody by a day."""
    return bool((Recommended(store).read()["recommended_on"] <= str(as_of)).any())


def first_of_each(recommended: pd.DataFrame) -> pd.DataFrame:
    """The first row of each customer, of whatever play.

    Later ones say nothing of the play: whom the first one kept is there to be recommended another, who was held out and
    left is not, and who is held out stays so. Nobody counts twice, so rows are independent.
    """
    ordered = recommended.sort_values(["recommended_on", "customer_id"], kind="stable")
    return ordered.drop_duplicates("customer_id", ignore_index=True)


def with_outcomes(
    snapshots: Snapshots, rows: pd.DataFrame, progress: Callable[[str], None] = lambda _: None
) -> pd.DataFrame:
    """`left` (0 or 1; null where the customer has no outcome, or none yet) and `matured`: whether it would be known."""
    known = _known_days(snapshots.calendar, rows)
    left = pd.Series(np.nan, index=rows.index)
    matured = pd.Series(False, index=rows.index)  # noqa: FBT003 - a fill value
    for text, part in rows.groupby("recommended_on"):
        day = date.fromisoformat(str(text))
        outcomes = snapshots.at(day).outcomes() if day in known else None
        if outcomes is not None:
            matured[part.index] = True
            labels = outcomes.set_index("customer_id")[snapshots.question.outcome]
            left[part.index] = labels.reindex(part["customer_id"]).to_numpy(dtype=np.float64)
        progress(f"recommended on {day}")
    return rows.assign(left=left, matured=matured)


def with_actions(snapshots: Snapshots, rows: pd.DataFrame) -> pd.DataFrame:
    """`actions`: how often the play was done from the day until the outcome window's end, by the table of treatments.

    cost: in sum, of those with a cost; without_cost: how many have none. All null where no action was ever read back.
    """
    treatments = snapshots.tables.get("treatments")
    if treatments is None:
        return rows.assign(actions=np.nan, cost=np.nan, without_cost=np.nan)
    today, zone = snapshots.calendar.as_of, snapshots.definition.zone
    known = as_of({"treatments": treatments}, today, zone=zone)["treatments"]
    chosen = known.select("customer_id", "play", "treated_on", cost=known.cost.cast("float64"))
    done: pd.DataFrame = snapshots.engine.to_pyarrow(chosen).to_pandas()
    joined = rows[["customer_id", "play", "recommended_on"]].merge(done, on=["customer_id", "play"], how="inner")
    days = [date.fromisoformat(day) for day in joined["recommended_on"]]
    ends = [snapshots.question.window(day)[1] for day in days]
    on = pd.to_datetime(joined["treated_on"]).dt.date
    counts = [first <= each < end for first, each, end in zip(days, on, ends, strict=True)]
    joined = joined[np.array(counts, dtype=np.bool_)]
    by_customer = joined.groupby("customer_id").agg(
        actions=("play", "size"), cost=("cost", "sum"), without_cost=("cost", lambda cost: cost.isna().sum())
    )
    found = by_customer.reindex(rows["customer_id"]).fillna(0.0).astype(np.float64)
    return rows.assign(**{name: found[name].to_numpy() for name in ("actions", "cost", "without_cost")})


def plays(rows: pd.DataFrame) -> dict[str, Any]:
    """`plays`, by name, and `overall`. rows: with outcomes and actions."""
    parts = {str(name): part for name, part in rows.groupby("play", sort=True)}
    found = {name: _impact([part]) for name, part in parts.items() if _reason(part) is None}
    adjusted = dict(zip(found, effects.holm([each.p_value for each in found.values()]), strict=True))
    figures = [
        {"play": name, **play_figures([part], found.get(name), adjusted.get(name), _reason(part))}
        for name, part in parts.items()
    ]
    judged = [parts[name] for name in found]
    overall = None
    if judged:
        together = next(iter(found.values())) if len(found) == 1 else _impact(judged)
        overall = play_figures(judged, together, together.p_value, None)
    return {"plays": figures, "overall": overall}


def play_figures(
    parts: Sequence[pd.DataFrame], found: Impact | None, adjusted: float | None, reason: str | None
) -> dict[str, Any]:
    """Of one play, or of several together.

    treatment, holdout: customers who count, with their outcome or without. unknown: those of them whose outcome is not
    known yet; without_outcome: who had none, or was erased. All others are judged, and what follows is of them.
    left, judged: who left and who was judged, by group. customers, money: estimate of what was kept, low and high.
    without: how many would have left without the play. p_value_adjusted: among all plays (Holm); of all together it is
    that of their sum. done: share of each group for whom the play was done, null where nothing was read back. actions,
    cost: of what was done for the treatment group, from the day on until the outcome window's end; cost is null where
    nothing was read back or done, or where one action is without its cost. net: money less cost; the cost of customers
    whose value is not known counts, too. Figures are null where `verdict` is a reason why nothing can be told:
    "too_early" where the outcomes of fewer than half are known, or of nobody in one group.
    """
    rows = pd.concat(parts)
    treated, known = rows["treatment_group"] == TREATMENT, rows["left"].notna()
    money = None if found is None or found.money is None else asdict(found.money)
    actions = rows[treated & known]
    cost = _cost(actions)
    net = None if money is None or cost is None else {end: money[end] - cost for end in ("estimate", "low", "high")}
    return {
        "treatment": int(treated.sum()),
        "holdout": int((~treated).sum()),
        "unknown": int((~rows["matured"]).sum()),
        "without_outcome": int((rows["matured"] & ~known).sum()),
        "verdict": reason if found is None or adjusted is None else effects.verdict(found.customers, p_value=adjusted),
        "p_value": None if found is None else found.p_value,
        "p_value_adjusted": adjusted,
        "left": None if found is None else {TREATMENT: found.left_treated, HOLDOUT: found.left_held_out},
        "judged": None if found is None else {TREATMENT: found.treated, HOLDOUT: found.held_out},
        "without": None if found is None else found.without,
        "customers": None if found is None else asdict(found.customers),
        "detectable": None if found is None else found.detectable,
        "money": money,
        "without_value": None if found is None else found.without_value,
        "done": _done(rows[known], treated[known]),
        "actions": None if actions["actions"].isna().any() else int(actions["actions"].sum()),
        "cost": cost,
        "net": net,
    }


def _reason(rows: pd.DataFrame) -> str | None:
    """Why a play cannot be judged, or cannot yet; None where it can."""
    treated, known = rows["treatment_group"] == TREATMENT, rows["left"].notna()
    if treated.all() or not treated.any():
        return "no_holdout" if treated.all() else "no_treatment"
    if rows["matured"].mean() < ENOUGH or not (treated & known).any() or not (~treated & known).any():
        return "too_early"
    return None


def _impact(parts: Sequence[pd.DataFrame]) -> Impact:
    return effects.impact([enrolled(part[part["left"].notna()]) for part in parts])


def enrolled(rows: pd.DataFrame) -> Enrolled:
    """Rows whose outcome is known, as arrays."""
    return Enrolled(
        treated=(rows["treatment_group"] == TREATMENT).to_numpy(),
        left=rows["left"].to_numpy(dtype=np.float64),
        probability=rows["churn_probability"].to_numpy(dtype=np.float64),
        value=rows["value"].to_numpy(dtype=np.float64),
    )


def _done(rows: pd.DataFrame, treated: pd.Series[bool]) -> dict[str, float] | None:
    if rows["actions"].isna().any() or not len(rows):
        return None
    return {
        name: float((rows["actions"][mine] > 0).mean()) for name, mine in ((TREATMENT, treated), (HOLDOUT, ~treated))
    }


def _cost(rows: pd.DataFrame) -> float | None:
    """Null where nothing was read back, nothing was done, or one action's cost is not recorded."""
    known = not rows["actions"].isna().any() and bool(rows["actions"].any()) and not rows["without_cost"].any()
    return float(rows["cost"].sum()) if known else None
