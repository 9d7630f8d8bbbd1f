"""`attrition.toml`: everything a workspace decides, frozen and checked before anything runs."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, field_validator, model_validator

from features import outcomes
from features.catalog import Lookbacks
from features.cohort import Cohort as AtRisk
from features.errors import SettingsError
from features.subscription_periods import Endings
from models.question import Question
from pipelines.foundation.settings import toml_file
from pipelines.foundation.settings.destinations import Delivery, Destination
from pipelines.foundation.settings.engine import Engine
from pipelines.foundation.settings.fetches import Fetches
from pipelines.foundation.settings.memory import allowed
from pipelines.foundation.settings.monitoring import Monitoring
from pipelines.foundation.settings.own_files import own_file, refuse_twice
from pipelines.foundation.settings.privacy import Privacy
from pipelines.foundation.settings.retention import Retention
from pipelines.foundation.settings.schedule import Schedule
from pipelines.foundation.settings.section import (
    Count,
    Day,
    Margin,
    PositiveSpan,
    Section,
    Seed,
    Share,
    Span,
    Step,
    Times,
    known_zone,
)
from pipelines.foundation.settings.sources import Sources
from pipelines.foundation.settings.tracking import Tracking
from pipelines.foundation.settings.trusted_columns import refuse_unknown

FILE_NAME = "attrition.toml"


class Cohort(Section):
    """Who is at risk: `ever_ordered`, `ordered_within` the last `active_days`, or `subscribed` and paying."""

    kind: Literal["ever_ordered", "ordered_within", "subscribed"] = "ordered_within"
    active_days: PositiveSpan = 365


class Outcome(Section):
    """What counts as leaving in [snapshot + lead_days, snapshot + lead_days + horizon_days).

    `inactivity`: no order in it. `churn`: no subscription runs any more at its end. also: further outcomes, each with a
    model of its own; scores in the CRM are of `kind`.
    """

    kind: outcomes.Kind = "inactivity"
    also: tuple[outcomes.Kind, ...] = ()
    lead_days: Span = 0
    horizon_days: PositiveSpan = 90


class Contracts(Section):
    """How the end of a subscription is read, by outcomes and retention figures alike."""

    grace_days: Span = 14
    involuntary_reasons: tuple[str, ...] = Endings().involuntary_reasons
    price_rise_is_expansion: bool = False
    pause_pauses_mrr: bool = True


class Snapshots(Section):
    """Training snapshots lie on a fixed grid, so that each is computed once whatever the day of the run."""

    every_days: Step = 7
    anchor: Day = date(2001, 1, 1)
    min_history_days: Span = 30
    at_most: Times = 52


class Training(Section):
    """How the model is fitted. trusted_columns: promoted though these look as if they knew the future."""

    seed: Seed = 7
    threads: Times = 2
    tuning_trials: Annotated[Times, Field(ge=0)] = 0
    start_model: bool = True
    min_customers: Count = 100
    min_positives: Count = 20
    trusted_columns: tuple[str, ...] = ()


class Backtest(Section):
    """Walk-forward folds: each tests a snapshot on models trained only on outcomes known before it."""

    folds: Annotated[int, Field(ge=1, le=100)] = 4
    every_days: Step = 30
    embargo_days: Span = 0
    bootstrap_samples: Annotated[int, Field(ge=1, le=10_000)] = 200


class Promotion(Section):
    """A challenger replaces the champion only if it is not worse by more than these margins.

    max_age_days: nothing is scored with a champion whose newest outcomes are older. snapshots: how many of the newest
    that neither learned from the two are compared on, at most.
    """

    max_age_days: PositiveSpan = 180
    snapshots: Times = 3
    max_log_loss_increase: Margin = 0.002
    max_pr_auc_decrease: Margin = 0.02
    max_lift_decrease: Margin = 0.2
    max_calibration_increase: Margin = 0.1
    max_segment_log_loss_increase: Margin = 0.01


class Bands(Section):
    """Risk bands by churn_probability: high from `high` on, medium from `medium` on, low below."""

    high: Share = 0.7
    medium: Share = 0.4

    @model_validator(mode="after")
    def _ordered(self) -> Bands:
        if self.medium > self.high:
            raise ValueError(f"medium ({self.medium}) is above high ({self.high})")
        return self


class Reference(Section):
    """Figures that others reached on the same data, shown beside ours."""

    name: str
    roc_auc: float
    log_loss: float
    source: str


class Settings(Section):
    """The whole file."""

    time_zone: str = "UTC"
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    language: Literal["en", "fr"] = "en"
    complete_until: Day | None = None
    memory_gib: Annotated[float, Field(ge=2, le=65_536)] | None = None  # of a command; None: half of the machine's
    simulated: bool = False  # nobody in these data exists, and everything shown of them says so
    age_and_gender: bool = False  # who somebody is, not what somebody did: only if this says so
    as_of: Day | None = None  # pins the day that scoring looks from; None: the day of the run
    lookback_days: tuple[PositiveSpan, ...] = (7, 30, 90, 365)
    indicators: Annotated[tuple[Annotated[str, AfterValidator(own_file)], ...], AfterValidator(refuse_twice)] = ()
    fetches: Fetches = ()
    sources: Sources
    cohort: Cohort = Cohort()
    outcome: Outcome = Outcome()
    contracts: Contracts = Contracts()
    snapshots: Snapshots = Snapshots()
    training: Training = Training()
    backtest: Backtest = Backtest()
    promotion: Promotion = Promotion()
    monitoring: Monitoring = Monitoring()
    bands: Bands = Bands()
    delivery: Delivery = Delivery()
    destinations: tuple[Destination, ...] = ()
    retention: Retention = Retention()
    privacy: Privacy = Privacy()
    engine: Engine = Engine()
    tracking: Tracking = Tracking()
    schedule: Schedule = Schedule()
    references: tuple[Reference, ...] = ()

    @field_validator("time_zone")
    @classmethod
    def _zone(cls, value: str) -> str:
        return known_zone(value)

    @field_validator("lookback_days")
    @classmethod
    def _rising(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if not value or list(value) != sorted(set(value)):
            raise ValueError(f"must rise and not repeat, got {list(value)}")
        return value

    @model_validator(mode="after")
    def _can_be_answered(self) -> Settings:
        by_contract = self.cohort.kind == "subscribed"
        chosen = outcomes.OUTCOMES[self.outcome.kind]
        if not chosen.main or by_contract != chosen.of_contracts:
            raise ValueError(
                f'outcome.kind "{self.outcome.kind}" does not fit cohort.kind "{self.cohort.kind}": take "churn" with '
                '"subscribed", and "inactivity" with "ever_ordered" or "ordered_within"'
            )
        tables = {source.table for source in self.sources}
        if by_contract and "subscriptions" not in tables:
            raise ValueError('nothing provides subscriptions; add a source with table = "subscriptions"')
        if not by_contract and not tables & {"orders", "order_lines"}:
            raise ValueError('nothing provides orders; add a source with table = "orders" or "order_lines"')
        return self

    @model_validator(mode="after")
    def _known_to_be_trusted(self) -> Settings:
        if not self.indicators:  # otherwise a name may be one of theirs: judged once they are loaded
            refuse_unknown(self.training.trusted_columns, self.lookback_days)
        return self

    @model_validator(mode="after")
    def _further_outcomes(self) -> Settings:
        unfit = [kind for kind in self.outcome.also if kind not in outcomes.OF_CONTRACTS]
        if unfit or (self.outcome.also and self.cohort.kind != "subscribed"):
            raise ValueError(
                f'outcome.also may hold {", ".join(outcomes.FURTHER)}, and needs cohort.kind "subscribed"; '
                f'got {list(self.outcome.also)} with "{self.cohort.kind}"'
            )
        if len({self.outcome.kind, *self.outcome.also}) <= len(self.outcome.also):
            raise ValueError(f"outcome.also repeats an outcome: {[self.outcome.kind, *self.outcome.also]}")
        return self

    @field_validator("destinations")
    @classmethod
    def _named_once(cls, value: tuple[Destination, ...]) -> tuple[Destination, ...]:
        names = [destination.name for destination in value]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"two destinations are called '{twice[0]}'; give each a name of its own")
        return value

    @property
    def memory(self) -> int:
        """Bytes that a command may take."""
        return allowed(self.memory_gib)

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    @property
    def lookbacks(self) -> Lookbacks:
        horizon = self.outcome.lead_days + self.outcome.horizon_days
        return Lookbacks(lookback_days=self.lookback_days, horizon_days=horizon)

    @property
    def question(self) -> Question:
        """What the model whose scores go to the CRM is asked."""
        return self.question_of(self.outcome.kind)

    def question_of(self, kind: outcomes.Kind) -> Question:
        """The same of a further outcome."""
        return Question.of(
            kind,
            lead_days=self.outcome.lead_days,
            horizon_days=self.outcome.horizon_days,
            cohort=self.at_risk,
            endings=self.endings,
            price_rise_is_expansion=self.contracts.price_rise_is_expansion,
        )

    @property
    def endings(self) -> Endings:
        return Endings(
            grace_days=self.contracts.grace_days,
            involuntary_reasons=self.contracts.involuntary_reasons,
            pause_pauses_mrr=self.contracts.pause_pauses_mrr,
        )

    @property
    def at_risk(self) -> AtRisk:
        return AtRisk(kind=self.cohort.kind, active_days=self.cohort.active_days)


def load(path: Path) -> Settings:
    """Read and check a settings file; SettingsError names each mistake, its place and the remedy."""
    try:
        return toml_file.read(path, Settings)
    except FileNotFoundError:
        raise SettingsError(f"{path} does not exist; make a workspace with `attrition init {path.parent}`") from None
