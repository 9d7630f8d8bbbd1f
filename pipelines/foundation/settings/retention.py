"""The part of `attrition.toml` that says what keeping a customer costs and brings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from pipelines.foundation.settings.section import Money, Section

if TYPE_CHECKING:
    from models.economics import Play


class Retention(Section):
    """What an attempt to keep a customer costs and brings, in `currency`; what the report weighs contacts by.

    offer_cost: of what is offered, to whoever takes it up. success_rate: share of those about to leave who are won
    over. kept_months: for how long a customer who was kept goes on paying. holdout_share: of customers for whom nothing
    is recommended, so that what plays achieve can be measured; holdout_seed: chooses who they are. Both only matter
    where there are plays.
    """

    contact_cost: Money = 1.0
    offer_cost: Money = 10.0
    success_rate: Annotated[float, Field(gt=0, lt=1)] = 0.3
    kept_months: Annotated[float, Field(gt=0, le=1_200)] = 12.0
    holdout_share: Annotated[float, Field(ge=0, lt=1)] = 0.1
    holdout_seed: Annotated[int, Field(ge=-(2**63), le=2**63 - 1)] = 7

    @property
    def play(self) -> Play:
        from models.economics import Play

        return Play(contact_cost=self.contact_cost, offer_cost=self.offer_cost, success_rate=self.success_rate)
