"""What the report is told: nothing is looked up, so that the same data make the same page."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pandas as pd

from models.economics import Play
from models.evaluation import Metrics
from pipelines.foundation.wording.numbers import Language


@dataclass(frozen=True, kw_only=True)
class Fold:
    """One test snapshot of the walk-forward backtest, and the snapshots trained on. intervals: 95%, by metric name."""

    snapshot_on: date
    rows: int
    train_rows: int
    train_first: date
    train_last: date
    model: Metrics
    intervals: Mapping[str, tuple[float, float]]
    baselines: Mapping[str, Metrics]

    @property
    def one_class(self) -> bool:
        """Everybody left, or nobody: ranking cannot be judged."""
        return not 0 < self.model.positives < self.model.n

    def baselines_in_order(self) -> dict[str, Metrics]:
        """From the simplest to the most demanding, then those that nobody here knows."""
        known = [name for name in ("recency", "logistic_regression", "bg_nbd") if name in self.baselines]
        return {name: self.baselines[name] for name in [*known, *sorted(set(self.baselines) - set(known))]}

    def interval(self, metric: str) -> tuple[float, float]:
        return self.intervals.get(metric, (math.nan, math.nan))


@dataclass(frozen=True, kw_only=True)
class Published:
    """Figures that others reported for the same question; NaN where they did not."""

    name: str
    roc_auc: float
    log_loss: float
    source: str


@dataclass(frozen=True, kw_only=True)
class Retention:
    """Rows of `attrition kpis`, all segments in one, and terms with what they mean, in the page's language.

    until: the first day that is not covered, hence in no month.

    again, active: of a shop, where nobody leaves before so many days without an order, in the place of `cohorts`: who
    had ordered again by then, and who within `active_days` before; empty where customers have contracts.
    """

    months: Sequence[Mapping[str, Any]]
    cohorts: Sequence[Mapping[str, Any]]
    until: date
    terms: Sequence[tuple[str, str]] = ()
    again: Sequence[Mapping[str, Any]] = ()
    active: Sequence[Mapping[str, Any]] = ()
    active_days: int = 0


@dataclass(frozen=True, kw_only=True)
class Modelled:
    """One outcome's model. newest: the newest fold as in the backtest's document, None without any.

    worse: segments of that document that it serves clearly worse. leading: the families that move it most, first first.
    """

    kind: str
    newest: Mapping[str, Any] | None
    worse: Sequence[Mapping[str, Any]]
    leading: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class Money:
    """outlook: document of `outlook`. kept: what a kept customer is worth, over the value of one horizon."""

    play: Play
    kept: float
    outlook: Mapping[str, Any]
    modelled: Sequence[Modelled]
    announced_customers: int
    announced_mrr: float


@dataclass(frozen=True, kw_only=True)
class PlayOfWeek:
    """A play, its name in the page's language, and for how many it was recommended in seven days.

    held_out: for how many more it would have been; capacity: None where there is no limit; profit: expected of those
    for whom it was recommended, in the currency.
    """

    code: str
    name: str
    customers: int
    held_out: int
    capacity: int | None
    profit: float


@dataclass(frozen=True, kw_only=True)
class Plays:
    """held_out: ids of those of the scored customers who are held out, and named nowhere on the page."""

    held_out: frozenset[str]
    of_week: Sequence[PlayOfWeek]


@dataclass(frozen=True, kw_only=True)
class CustomerFacts:
    """What is known of customers beside their scores, by customer_id; of whoever is missing, nothing is.

    trends: falling, steady or rising since the scored day before. plays: code of the play that is recommended;
    play_names: by code its name and what to do, in the page's language. segments: by kind ("country").

    past: a row per customer, a column per scored day of the newest ones (ISO), oldest first; the probability then,
    null where somebody was not scored. parts: a row for each of the first by priority, a column per reason code, named
    in the page's language: what it adds to the log-odds; with `average` they sum to those of the prediction before
    calibration. events: customer_id, table, week (0: the seven days before the page's day), events.
    """

    trends: Mapping[str, str]
    plays: Mapping[str, str]
    segments: Mapping[str, Mapping[str, str]]
    play_names: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    past: pd.DataFrame = field(default_factory=pd.DataFrame)
    parts: pd.DataFrame = field(default_factory=pd.DataFrame)
    average: float = 0.0
    events: pd.DataFrame = field(default_factory=pd.DataFrame)


@dataclass(frozen=True, kw_only=True)
class ReportData:
    """Everything on the page.

    as_of: the local day that scoring looks from; data_as_of: the last day with data before it.
    cohort_words: who is scored, in `language`, such as "customers who ever ordered".
    verdict: the decision on promotion with its reason.
    by_contract: customers leave by ending subscriptions, not by ordering no more.
    simulated: made-up data, which the page says at its top.
    folds: oldest first, may be empty.
    predictions: customers of the newest fold: label (0 or 1), churn_probability, a column of probabilities per baseline
        of that fold, and perhaps value (revenue over the horizon); other columns are not looked at.
    importance: code, label (in `language`), family, mean_contribution (mean absolute log-odds), share (0 to 1), sorted.
    spread: a sample of code, rank (0 to 1 of the indicator's value among customers, NaN for null), contribution
        (log-odds).
    scores: customer_id, churn_probability, risk_band (high, medium, low), value_at_risk (null where it is not known),
        priority (1 is the first to care for), reason_1 to reason_3 (sentences in `language`, or empty). Where the page
        is in two languages, also reason_1_other to reason_3_other, in the other one.
    opted_out: ids of those of the scored customers of whom nothing is handed over; they are named nowhere on the page.
    bands: where medium and high start.
    retention: None where there is no full month with a customer. money: None leaves that section out.
    plays: None leaves that section out. customers: None where nothing is known of anybody beside the scores.
    monitoring: documents of `attrition monitor`, one per monitored day, oldest first; none leaves that section out.
    impact: the document of `attrition impact`; None, or one without plays, leaves that section out.
    """

    name: str
    language: Language
    currency: str
    as_of: date
    data_as_of: date | None
    lead_days: int
    horizon_days: int
    cohort_words: str
    model_version: str
    model_rows: int
    model_snapshots: tuple[date, ...]
    model_rounds: int
    verdict: str
    by_contract: bool
    simulated: bool
    folds: Sequence[Fold]
    predictions: pd.DataFrame
    published: Sequence[Published]
    importance: pd.DataFrame
    spread: pd.DataFrame
    scores: pd.DataFrame
    bands: tuple[float, float]
    opted_out: frozenset[str] = frozenset()
    retention: Retention | None = None
    money: Money | None = None
    plays: Plays | None = None
    customers: CustomerFacts | None = None
    monitoring: Sequence[Mapping[str, Any]] = ()
    impact: Mapping[str, Any] | None = None

    @property
    def newest(self) -> Fold | None:
        return self.folds[-1] if self.folds else None
