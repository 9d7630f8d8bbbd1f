"""What a model answers: which outcome, in which window, of whom, and how the ends of contracts are read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any

from features.cohort import Cohort
from features.outcomes import Kind, window
from features.subscription_periods import Endings


@dataclass(frozen=True, kw_only=True)
class Question:
    """Whether `outcome` happens in [snapshot + lead_days, snapshot + lead_days + horizon_days), to customers at risk.

    Probabilities of two questions are never compared, and one is never given out as the answer to the other: training
    sets, models and scores carry theirs.

    cohort: who is at risk at the snapshot. endings: how the end of a subscription is read; None where nobody is bound
    by contract. price_rise_is_expansion: whether more revenue through a higher price alone is an expansion.

    What a cohort or an outcome does not look at is left out (`of`), so that equal questions are equal objects.
    """

    outcome: Kind
    lead_days: int
    horizon_days: int
    cohort: Cohort
    endings: Endings | None
    price_rise_is_expansion: bool

    @classmethod
    def of(
        cls,
        outcome: Kind,
        *,
        lead_days: int,
        horizon_days: int,
        cohort: Cohort,
        endings: Endings,
        price_rise_is_expansion: bool,
    ) -> Question:
        """The question without what it does not depend on."""
        by_contract = cohort.kind == "subscribed"
        looks_back = cohort.kind == "ordered_within"
        return cls(
            outcome=outcome,
            lead_days=lead_days,
            horizon_days=horizon_days,
            cohort=cohort if looks_back else Cohort(kind=cohort.kind),
            endings=endings if by_contract else None,
            price_rise_is_expansion=price_rise_is_expansion and outcome == "expansion",
        )

    @property
    def by_contract(self) -> bool:
        """Whether customers are at risk because of a subscription, not because of orders."""
        return self.cohort.kind == "subscribed"

    @property
    def maturity_days(self) -> int:
        """From a snapshot to the day on which its outcome is known: lead, horizon, and grace period of contracts."""
        return self.lead_days + self.horizon_days + (0 if self.endings is None else self.endings.grace_days)

    def window(self, snapshot_on: date) -> tuple[date, date]:
        """First day of a snapshot's outcome window, and the first day after it."""
        return window(snapshot_on, lead_days=self.lead_days, horizon_days=self.horizon_days)

    def known_on(self, snapshot_on: date) -> date:
        """The day at whose start the outcome of a snapshot is known."""
        return snapshot_on + timedelta(days=self.maturity_days)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Question:
        """Back from `to_json`, also once it was written and read. Raises KeyError, TypeError for another text."""
        endings = fields["endings"]
        return cls(
            **{
                **fields,
                "cohort": Cohort(**fields["cohort"]),
                "endings": None
                if endings is None
                else Endings(**{**endings, "involuntary_reasons": tuple(endings["involuntary_reasons"])}),
            }
        )

    def difference(self, other: Question) -> str:
        """What another asks differently, in the settings' own names; empty where nothing differs.

        >>> from dataclasses import replace
        >>> asked = Question.of(
        ...     "inactivity", lead_days=0, horizon_days=181, cohort=Cohort(kind="ever_ordered"), endings=Endings(),
        ...     price_rise_is_expansion=False,
        ... )
        >>> asked.difference(replace(asked, horizon_days=30))
        'outcome.horizon_days is 181, not 30'
        """
        mine, others = _settings(self), _settings(other)
        return "; ".join(f"{name} is {mine[name]}, not {others[name]}" for name in mine if mine[name] != others[name])


def _settings(question: Question) -> dict[str, object]:
    endings = question.endings or Endings()
    return {
        "outcome.kind": question.outcome,
        "outcome.lead_days": question.lead_days,
        "outcome.horizon_days": question.horizon_days,
        "cohort.kind": question.cohort.kind,
        "cohort.active_days": question.cohort.active_days,
        "contracts.grace_days": endings.grace_days,
        "contracts.involuntary_reasons": list(endings.involuntary_reasons),
        "contracts.pause_pauses_mrr": endings.pause_pauses_mrr,
        "contracts.price_rise_is_expansion": question.price_rise_is_expansion,
    }
