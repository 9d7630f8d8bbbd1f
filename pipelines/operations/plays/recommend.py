"""What is recommended today, and for whom: plays by expected profit, within their capacity, the holdout left alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from itertools import compress
from typing import Any, Literal
from zoneinfo import ZoneInfo

import ibis.expr.types as ir
import numpy as np
import numpy.typing as npt
import pandas as pd

from features.asof import as_of
from models import economics
from models.assignment import NOTHING, Floats, Ints, assign
from pipelines.foundation.ledger.recommendations import COLUMNS, Recommended
from pipelines.foundation.ledger.score_store import ScoreRun
from pipelines.foundation.settings.plays import Play
from pipelines.foundation.storage.store import Store
from pipelines.foundation.workspace.holdout import HOLDOUT, TREATMENT, Flags, Holdout
from pipelines.foundation.workspace.workspace import Workspace
from pipelines.prediction.scoring.reasons import COUNT

_DONE = ("customer_id", "play", "done_on", "age")
DAYS = 7  # for which a recommendation is shown, keeps its customer from another, and fills its play's capacity


@dataclass(frozen=True, kw_only=True)
class PlayPlan:
    """What may be recommended, and who is held out. kept_months: for how long a kept customer goes on paying."""

    plays: tuple[Play, ...]
    holdout: Holdout
    kept_months: float
    language: Literal["en", "fr"]


def plan_of(workspace: Workspace) -> PlayPlan:
    """As plays.toml and the settings have it."""
    settings = workspace.settings
    return PlayPlan(
        plays=workspace.plays_by_code,
        holdout=workspace.holdout,
        kept_months=settings.retention.kept_months,
        language=settings.language,
    )


def recommend(
    plan: PlayPlan,
    store: Store,
    run: ScoreRun,
    scores: pd.DataFrame,
    done: pd.DataFrame,
    *,
    indicators: pd.DataFrame | None = None,
    note: bool = True,
) -> pd.DataFrame:
    """One row per customer of a run of whom something may be handed over, by priority: the group, and the play to show.

    scores: of the run, of those customers, by priority. done: which plays were done when (`done_before`). indicators:
    one row per customer, as of the run's day, for what plays need; None: nothing is known.

    Columns customer_id (as in the scores), treatment_group ("treatment", "holdout", or "" where there are no plays),
    recommended_play_code and recommended_play (in the workspace's language; both "" for none, and for the held-out).

    A play comes into question where one of the three reasons calls for it, band and value at risk allow it, the
    indicators are known to be what the play needs for its words to be true, and the customer neither had it recommended
    nor got it within its cool-down. All three reasons count alike, and the money decides; of plays that are expected to
    bring the same, it is the one for the stronger reason. Where the value of a customer is not known, neither is what a
    play would bring, and nothing is recommended.

    What is recommended is noted for both groups, and shown for a week from then on: not to the held-out, nor once the
    play was done or is no longer in the file; the customer gets no other in that week even so. The same day again gives
    the same. A day that later ones followed keeps what it recommended; one that recommended nothing before leaves later
    days as they are, their capacity and cool-down included. Without `note` nothing is written.
    """
    found = nothing(plan, scores["customer_id"])
    if not plan.plays:
        return found
    day, recommended = date.fromisoformat(run.as_of), Recommended(store)
    past = Past.of(recommended.read(), day)
    if past.followed:
        today = past.today
    else:
        today = _recommended_anew(plan, scores, past, done, indicators).assign(run_id=run.run_id)
        if note:
            recommended.replace(run.as_of, today)
    words = {play.code: play.words(plan.language) for play in plan.plays}
    shown = _shown(pd.concat([past.running, today]), done)
    treated = found["treatment_group"] == TREATMENT
    codes = [
        shown.get(name, "") if open_to else "" for name, open_to in zip(found["customer_id"], treated, strict=True)
    ]
    return found.assign(
        recommended_play_code=[code if code in words else "" for code in codes],
        recommended_play=[words.get(code, "") for code in codes],
    )


def nothing(plan: PlayPlan, customers: pd.Series[str]) -> pd.DataFrame:
    """The same columns with the groups of customers alone."""
    frame = pd.DataFrame({"customer_id": customers, "treatment_group": plan.holdout.groups(customers)})
    return frame.assign(recommended_play_code="", recommended_play="")


@dataclass(frozen=True)
class Past:
    """What was recommended, as a day sees it. others: on other days, with `age`, the days since then, or below 0."""

    day: date
    today: pd.DataFrame
    others: pd.DataFrame

    @classmethod
    def of(cls, rows: pd.DataFrame, day: date) -> Past:
        age = np.array([(day - date.fromisoformat(each)).days for each in rows["recommended_on"]], dtype=np.int64)
        return cls(day, rows[age == 0], rows.assign(age=age)[age != 0])

    @property
    def followed(self) -> bool:
        """Whether this day recommended something, and later ones did."""
        return len(self.today) > 0 and bool((self.others["age"] < 0).any())

    @property
    def running(self) -> pd.DataFrame:
        """What was recommended in the six days before."""
        return self.others[self.others["age"].between(1, DAYS - 1)]

    def near(self, play: str | None, *, days: int) -> pd.Series[str]:
        """Who had a play (None: any) recommended fewer than so many days before or after."""
        near = self.others["age"].abs() < days
        return self.others["customer_id"][near if play is None else near & (self.others["play"] == play)]

    def room(self, play: Play) -> float:
        """Customers for whom it may still be recommended, so that no 7 days that hold this day have too many."""
        if play.capacity_per_week is None:
            return np.inf
        taken = (self.others["play"] == play.code) & (self.others["treatment_group"] == TREATMENT)
        age = self.others["age"][taken]
        most = max(int(age.between(-ahead, DAYS - 1 - ahead).sum()) for ahead in range(DAYS))
        return max(0.0, float(play.capacity_per_week - most))


def shown_of_week(plan: PlayPlan, recommended: pd.DataFrame, day: date, done: pd.DataFrame) -> dict[str, str]:
    """Code of the play by customer, of those recommended in the seven days that end with a day and not done since.

    recommended: all that ever was. Nobody held out is among them, and no play that is no longer in the file.
    """
    past, known = Past.of(recommended, day), {play.code for play in plan.plays}
    shown = _shown(pd.concat([past.running, past.today]), done)
    held = set(compress(shown, plan.holdout.holds(shown)))
    return {customer: code for customer, code in shown.items() if code in known and customer not in held}


def _recommended_anew(
    plan: PlayPlan, scores: pd.DataFrame, past: Past, done: pd.DataFrame, indicators: pd.DataFrame | None
) -> pd.DataFrame:
    """One row per customer who gets a play today, or would if not held out: as in the table, but without run_id."""
    scores = scores[~scores["customer_id"].isin(past.near(None, days=DAYS))].sort_values("customer_id")
    customers = scores["customer_id"]
    probability, value = scores["churn_probability"].to_numpy(dtype=np.float64), _value(scores)
    profits, rank = _profits(plan, scores, probability, value)
    known = _known(indicators, customers)
    for place, play in enumerate(plan.plays):
        lately = done["customer_id"][(done["play"] == play.code) & (done["age"] < play.cool_down_days)]
        cooling = customers.isin(past.near(play.code, days=play.cool_down_days)) | customers.isin(lately)
        profits[cooling.to_numpy() | ~_has_what_it_needs(known, play), place] = np.nan
    held = plan.holdout.holds(customers)
    given = assign(profits, room=np.array([past.room(play) for play in plan.plays]), held_out=held, rank=rank)
    gets = given != NOTHING
    rows = pd.DataFrame(
        {
            "customer_id": customers[gets],
            "play": [plan.plays[place].code for place in given[gets]],
            "recommended_on": str(past.day),
            "treatment_group": np.where(held, HOLDOUT, TREATMENT)[gets],
            "churn_probability": probability[gets],
            "value": value[gets],
            "expected_profit": profits[gets, given[gets]],
        }
    )
    return rows[[name for name in COLUMNS if name in rows]]


def _profits(plan: PlayPlan, scores: pd.DataFrame, probability: Floats, value: Floats) -> tuple[Floats, Ints]:
    """(n, k) what each play would bring, null where it does not come into question; and the first reason that calls."""
    kept = value * plan.kept_months * economics.DAYS_PER_MONTH / scores["horizon_days"].to_numpy()
    reasons = [scores[f"reason_{number + 1}_code"] for number in range(COUNT)]
    profits = np.full((len(scores), len(plan.plays)), np.nan)
    rank = np.zeros(profits.shape, dtype=np.int64)
    for place, play in enumerate(plan.plays):
        called = np.column_stack([reason.isin(play.codes) for reason in reasons])
        open_to = called.any(axis=1) & _eligible(scores, play)
        profits[open_to, place] = economics.profit(probability, kept, play.economics)[open_to]
        rank[:, place] = called.argmax(axis=1)
    return profits, rank


def _eligible(scores: pd.DataFrame, play: Play) -> Flags:
    fits: Flags = scores["churn_risk_band"].isin(play.bands).to_numpy()
    if play.min_value_at_risk is not None:
        fits = fits & (scores["value_at_risk"] >= play.min_value_at_risk).to_numpy()
    return fits


def _known(indicators: pd.DataFrame | None, customers: pd.Series[str]) -> pd.DataFrame:
    """A row per customer, in their order; empty where nothing is known of one."""
    if indicators is None:
        return pd.DataFrame(index=customers)
    return indicators.set_index(indicators["customer_id"].astype(str)).reindex(customers)


def _has_what_it_needs(known: pd.DataFrame, play: Play) -> Flags:
    """(n,) whether every value that the play needs is known, and at least so much."""
    enough = np.ones(len(known), dtype=np.bool_)
    for names, least in play.needs.items():
        of_one = np.zeros(len(known), dtype=np.bool_)
        for name in names.split("|"):
            if name in known:
                of_one |= known[name].to_numpy(dtype=np.float64, na_value=np.nan) >= least
        enough &= of_one
    return enough


def _value(scores: pd.DataFrame) -> npt.NDArray[np.float64]:
    """(n,) revenue over the horizon if the customer stays, taken back out of the value at risk.

    That is rounded to cents, so that the value of whom hardly anything is at risk with is rough; what a play brings
    depends on the product of the two alone.
    """
    probability = scores["churn_probability"].to_numpy(dtype=np.float64)
    at_risk = scores["value_at_risk"].to_numpy(dtype=np.float64)
    return np.asarray(np.divide(at_risk, probability, out=np.full(len(scores), np.nan), where=probability > 0))


def _shown(rows: pd.DataFrame, done: pd.DataFrame) -> dict[str, str]:
    """Code of the play by customer, of those recommended to the treated and not done since."""
    last = {(customer, play): day for customer, play, day in zip(*(done[name] for name in _DONE[:3]), strict=True)}
    rows = rows[rows["treatment_group"] == TREATMENT]
    told = zip(rows["customer_id"], rows["play"], rows["recommended_on"], strict=True)
    return {customer: play for customer, play, day in told if last.get((customer, play), "") < day}


def done_before(tables: Mapping[str, ir.Table], day: date, engine: Any, zone: ZoneInfo) -> pd.DataFrame:
    """One row per customer and play done before a day, as known by then: done_on (the last, as text) and its `age`."""
    treatments = tables.get("treatments")
    if treatments is None:
        return pd.DataFrame([], columns=list(_DONE))
    known = as_of({"treatments": treatments}, day, zone=zone)["treatments"]
    last = known.group_by("customer_id", "play").agg(done_on=known.treated_on.max())
    rows = engine.to_pyarrow(last.order_by("customer_id", "play")).to_pylist()
    told = [(row["customer_id"], row["play"], str(row["done_on"]), (day - row["done_on"]).days) for row in rows]
    return pd.DataFrame(told, columns=list(_DONE))
