"""How likely customers are to leave or to order, from facts that stand in the tables at the start of the week."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from pipelines.foundation.simulation.ledger import Ledger
from pipelines.foundation.simulation.people import PLANS, Floats, Market, People
from pipelines.foundation.simulation.state import State

CONTRACT_BASE = -6.05
TREATMENT_FACTOR = 0.5


class Hazards:
    """effects: strength of each family's effect; rise_at: the week in which everything gets dearer."""

    def __init__(
        self,
        people: People,
        market: Market,
        ledger: Ledger,
        state: State,
        *,
        effects: Mapping[str, float],
        rise_at: int,
    ) -> None:
        self.people, self.market, self.ledger, self.state = people, market, ledger, state
        self.effects, self.rise_at = effects, rise_at

    def signs(self, week: int) -> dict[str, Floats]:
        """Log-odds by family, the same signs for those bound by contract and those who order."""
        recent, state, people = self.ledger.recent, self.state, self.people
        soft = np.tanh
        seen = recent("content", week, weeks=12) + recent("visit", week, weeks=12)
        plan_ratio = self.market.own[week, state.plan] / self.market.cheapest[week, state.plan]
        bought_ratio = self._bought(self.market.own[week] / self.market.cheapest[week])
        ratio = np.where(state.running, plan_ratio, bought_ratio)
        incidents = np.where(state.running, recent("incident_plan", week, weeks=13), 0.0)
        returns = recent("returned", week, weeks=26)
        return {
            "engagement": 1.1 * (soft((0.6 - recent("content", week, weeks=4)) * 1.2)) - 0.25 * soft(seen / 4)
            + 0.3 * soft(recent("basket_left", week, weeks=8)),
            "support": 1.3 * soft(recent("contact", week, weeks=4) / 2) + 0.9 * soft(state.open_contacts)
            + 0.7 * soft(recent("complaint", week, weeks=13)),
            "usage": np.where(state.running, 2.2 * self._fallen(week) - 0.5, 0.0),
            "billing": 1.2 * soft(recent("extraordinary", week, weeks=13)) + 6.0 * np.minimum(state.rise, 0.2)
            + 0.8 * (state.overdue_since < week - 1) * state.running,
            "satisfaction": -0.28 * np.clip(np.nan_to_num(state.nps, nan=7.5) - 7.5, -6, 3)
            - 0.3 * (np.nan_to_num(state.csat, nan=3.8) - 3.8),
            "messages": 1.1 * soft(np.maximum(recent("message", week, weeks=4) - 6, 0) / 3)
            + 0.6 * soft(recent("prospect", week, weeks=13) / 4) + 0.6 * state.unsubscribed,
            "market": 4.0 * np.clip(np.where(np.isfinite(ratio), ratio, 1.0) - 1.0, -0.25, 0.35),
            "quality": 1.1 * soft(incidents / 1.5) + 0.9 * soft(returns),
            "loyalty": -0.7 * state.member - 0.4 * soft(state.points / 300) * state.member,
            "profile": people.leaning(),
        }  # fmt: skip

    def _use(self, week: int) -> Floats:
        """(n,) uses of the last four weeks over the usual."""
        usual = np.maximum(self.ledger.recent("use", week, weeks=26, skip=4) / 26 * 4, 0.5)
        return np.asarray(self.ledger.recent("use", week, weeks=4) / usual)

    def _fallen(self, week: int) -> Floats:
        """(n,) by how much of the usual use is less, 0 where it is not."""
        return np.asarray(np.clip(1 - self._use(week), 0, 1))

    def growth(self, week: int) -> Floats:
        """(n,) chance to take more seats within this week: who is content and uses the product more than usual."""
        content = np.clip(np.nan_to_num(self.state.nps, nan=7.5) - 7.5, -6, 3)
        more = np.clip(self._use(week) - 1, -1, 1.5)
        return np.asarray(
            0.003 * np.exp(0.35 * self.effects["satisfaction"] * content + 0.8 * self.effects["usage"] * more)
        )

    def decline(self, week: int) -> Floats:
        """(n,) chance to give up seats within this week: who uses the product less than usual."""
        return np.asarray(0.004 * np.exp(1.5 * self.effects["usage"] * self._fallen(week)))

    def _bought(self, per_item: Floats) -> Floats:
        products = per_item[len(PLANS) :]
        return np.asarray(products[self.people.favourites[:, 0]])

    def _total(self, signs: Mapping[str, Floats]) -> Floats:
        return np.asarray(sum(self.effects[name] * value for name, value in signs.items()))

    def _shift(self, week: int) -> float:
        return float(0.25 * np.sin(2 * np.pi * week / 52)) + (0.3 if week >= self.rise_at else 0.0)

    def contract(self, week: int) -> Floats:
        """(n, ) chance to leave within this week, by will or because a payment failed."""
        state, people = self.state, self.people
        to_term = np.where(people.yearly, state.term_start + 52 - week, 0)
        bound = np.where(people.yearly, np.where(to_term <= 5, 1.0, -1.2), 0.2)
        terms = (
            bound + 1.1 * ~state.auto_renew - 0.35 * np.log1p((week - state.start_week).clip(0) / 26)
            + 0.7 * np.tanh(self.ledger.recent("downgrade", week, weeks=13)) + 0.9 * (state.paused_until >= week)
        )  # fmt: skip
        ordered = self.ledger.recent("order", week, weeks=13)
        signs = self.signs(week) | {"subscription": terms, "purchases": -1.3 * np.tanh(ordered / 2)}
        odds = CONTRACT_BASE + self._total(signs) + self._shift(week)
        voluntary = 1 / (1 + np.exp(-odds))
        voluntary = np.where(state.treated_until >= week, voluntary * TREATMENT_FACTOR, voluntary)
        failing = np.where(state.hard, 0.25, 0.1) * np.minimum(state.streak, 3) / 1.5
        failing = np.where(state.backup, 0.3 * failing, failing) * self.effects["payment"]
        return np.asarray(1 - (1 - voluntary) * (1 - np.clip(failing, 0, 0.9)))

    def order_rate(self, week: int) -> Floats:
        """(n,) expected orders of a week."""
        state = self.state
        signs = self.signs(week)
        signs.pop("usage")
        signs["purchases"] = -0.9 * np.tanh(self.ledger.recent("order", week, weeks=26) / 3)
        season = 0.25 * np.sin(2 * np.pi * (week - 13) / 52)
        log_rate = self.people.order_rate - 0.6 * self._total(signs) + season
        log_rate = np.where(state.treated_until >= week, log_rate + 0.4, log_rate)
        there = self.people.shopper & (self.people.signup <= week)
        return np.where(there, np.exp(np.clip(log_rate, -8, 0.5)), 0.0)
