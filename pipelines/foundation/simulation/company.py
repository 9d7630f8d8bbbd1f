"""The simulated company: its people, its market, what happened so far, and the truth that nobody can know."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

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
    """`ledger` holds what happened in the weeks that were run, `truth` what nobody can know."""

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

    def present(self, week: int) -> Flags:
        """Customers of either kind who are there in a week."""
        return np.asarray(self.state.running | (self.people.shopper & (self.people.signup <= week)))

    def keep_truth(self, week: int, hazard: Floats, rate: Floats) -> None:
        at_risk = np.flatnonzero(self.state.staying() & self.state.converted & (self.state.start_week < week - 2))
        self.truth.append((week, "contract", at_risk, 1 - (1 - hazard[at_risk]) ** HORIZON_WEEKS["contract"]))
        buyers = np.flatnonzero(self.state.last_order > week - 52)
        self.truth.append((week, "shop", buyers, np.exp(-rate[buyers] * HORIZON_WEEKS["shop"])))
