"""The simulated company week by week: what customers do, and how likely that makes them to leave.

Every hazard is a function of facts that stand in the tables at the start of the week. Families draw from sources of
chance of their own, so that a family without effect says nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from pipelines.foundation.simulation import contract_life, touchpoints
from pipelines.foundation.simulation.hazards import Hazards
from pipelines.foundation.simulation.ledger import Ledger
from pipelines.foundation.simulation.people import (
    FAMILIES,
    RISE,
    Flags,
    Floats,
    Ints,
    Market,
    People,
    episodes,
    market,
    people,
    streams,
)
from pipelines.foundation.simulation.state import State

RISE_SHARE = 0.6  # of the time, after which everything gets dearer and people get less patient
HORIZON_WEEKS = {"contract": 30 / 7, "shop": 90 / 7}


class Company:
    """Runs the weeks; `ledger` then holds what happened, `truth` what nobody can know."""

    def __init__(self, *, customers: int, weeks: int, seed: int, effects: Mapping[str, float]) -> None:
        self.weeks, self.effects = weeks, dict.fromkeys(FAMILIES, 1.0) | dict(effects)
        self.chance = streams(seed, "people", "market", "leaving", "shop", "treatments", "late", *FAMILIES)
        self.people: People = people(self.chance["people"], customers=customers, weeks=weeks)
        self.rise_at = int(RISE_SHARE * weeks)
        self.market: Market = market(self.chance["market"], weeks=weeks, rise_at=self.rise_at, rise=RISE)
        self.ledger, self.state = Ledger(customers), State(customers)
        self.trouble = {
            name: episodes(self.chance[name], weeks=weeks, n=customers, begin=begin, end=end)
            for name, (begin, end) in {
                "support": (0.02, 0.12), "usage": (0.015, 0.08), "engagement": (0.012, 0.05), "messages": (0.02, 0.08),
                "billing": (0.012, 0.15), "payment": (0.015, 0.2), "satisfaction": (0.015, 0.06),
            }.items()
        }  # fmt: skip
        self.hazards = Hazards(
            self.people, self.market, self.ledger, self.state, effects=self.effects, rise_at=self.rise_at
        )
        self.truth: list[tuple[int, str, Ints, Floats]] = []
        self.end_second = np.full(customers, np.iinfo(np.int64).max)

    def run(self, progress: Callable[[str], None]) -> None:
        """Every week in turn."""
        for week in range(self.weeks):
            self.ledger.clear(week)
            contract_life.begin(self, week)
            hazard, rate = self.hazards.contract(week), self.hazards.order_rate(week)
            self._keep_truth(week, hazard, rate)
            contract_life.treat(self, week, hazard)
            touchpoints.order(self, week, rate)
            for act in ACTS:
                act(self, week)
            contract_life.leave(self, week, hazard)
            if week % 13 == 12:
                progress(f"week {week + 1} of {self.weeks}")

    def present(self, week: int) -> Flags:
        """Customers of either kind who are there in a week."""
        return np.asarray(self.state.running | (self.people.shopper & (self.people.signup <= week)))

    def _keep_truth(self, week: int, hazard: Floats, rate: Floats) -> None:
        at_risk = np.flatnonzero(self.state.staying() & self.state.converted & (self.state.start_week < week - 2))
        self.truth.append((week, "contract", at_risk, 1 - (1 - hazard[at_risk]) ** HORIZON_WEEKS["contract"]))
        buyers = np.flatnonzero(self.state.last_order > week - 52)
        self.truth.append((week, "shop", buyers, np.exp(-rate[buyers] * HORIZON_WEEKS["shop"])))


ACTS: tuple[Callable[[Company, int], None], ...] = (
    touchpoints.engage,
    touchpoints.ask_support,
    contract_life.use,
    contract_life.bill,
    contract_life.pay,
    touchpoints.survey,
    touchpoints.write,
    touchpoints.loyalty,
    contract_life.change,
)
