"""The simulated company week by week: what customers do, and how likely that makes them to leave.

Every hazard is a function of facts that stand in the tables at the start of the week. Families draw from sources of
chance of their own, so that a family without effect says nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from pipelines.simulation.ledger import DAY, WEEK, Ledger, moments, several
from pipelines.simulation.people import (
    FAMILIES,
    FEATURES,
    PLANS,
    PRODUCTS,
    SEAT_PRICE,
    TOPICS,
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

RISE = 0.08
RISE_SHARE = 0.6  # of the time, after which everything gets dearer and people get less patient
CONTRACT_BASE = -6.15
TREATMENT_FACTOR, TREATMENT_WEEKS = 0.5, 8
HORIZON_WEEKS = {"contract": 30 / 7, "shop": 90 / 7}


@dataclass
class State:
    """What the company's systems hold of every customer at the start of a week."""

    n: int
    running: Flags = field(init=False)
    ended: Flags = field(init=False)

    def __post_init__(self) -> None:
        n = self.n
        self.running, self.ended = np.zeros(n, bool), np.zeros(n, bool)
        self.converted = np.ones(n, bool)
        self.start_week = np.full(n, 10**6)
        self.plan, self.seats = np.zeros(n, int), np.ones(n, int)
        self.discount = np.zeros(n)
        self.price = np.zeros(n)  # of a seat
        self.rise = np.zeros(n)  # since the term began
        self.term_start = np.zeros(n, int)
        self.auto_renew = np.ones(n, bool)
        self.paused_until = np.full(n, -1)
        self.nps, self.csat = np.full(n, np.nan), np.full(n, np.nan)
        self.card_until = np.zeros(n, int)
        self.backup = np.zeros(n, bool)
        self.streak, self.hard = np.zeros(n, int), np.zeros(n, bool)
        self.unpaid_invoice = np.full(n, -1)
        self.overdue_since = np.full(n, 10**6)
        self.member = np.zeros(n, bool)
        self.points = np.zeros(n)
        self.last_order = np.full(n, -(10**4))
        self.treated_until = np.full(n, -1)
        self.unsubscribed = np.zeros(n, bool)
        self.open_contacts = np.zeros(n)


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
        self.truth: list[tuple[int, str, Ints, Floats]] = []
        self.end_second = np.full(customers, np.iinfo(np.int64).max)

    def run(self, progress: Callable[[str], None]) -> None:
        for week in range(self.weeks):
            self.ledger.clear(week)
            self._begin(week)
            hazard = self._contract_hazard(week)
            rate = self._order_rate(week)
            self._keep_truth(week, hazard, rate)
            self._treat(week, hazard)
            self._order(week, rate)
            for act in (
                self._engage, self._ask_support, self._use, self._bill, self._pay, self._survey, self._write,
                self._loyalty, self._change,
            ):  # fmt: skip
                act(week)
            self._leave(week, hazard)
            if week % 13 == 12:
                progress(f"week {week + 1} of {self.weeks}")

    # --- who is there

    def _begin(self, week: int) -> None:
        people, state = self.people, self.state
        starts = people.subscriber & (people.signup <= week) & (state.start_week == 10**6)
        who = np.flatnonzero(starts)
        state.running[who], state.start_week[who] = True, np.maximum(people.signup[who], -52)
        state.plan[who], state.seats[who] = people.plan[who], people.seats[who]
        state.price[who] = SEAT_PRICE[state.plan[who]]
        chance = self.chance["subscription"]
        state.discount[who] = np.where(chance.random(len(who)) < 0.2, 0.2, 0.0)
        state.auto_renew[who] = chance.random(len(who)) < 0.85
        state.term_start[who] = state.start_week[who]
        pay = self.chance["payment"]
        state.card_until[who] = week + pay.integers(4, 160, len(who))
        state.backup[who] = pay.random(len(who)) < 0.3
        state.member |= people.joins_loyalty & (people.signup == week)
        if week == 0:
            state.member |= people.joins_loyalty & (people.signup <= 0)
        self.ledger.add(
            "starts", customer=who, started_at=np.maximum(state.start_week[who], -52) * WEEK + 10 * 3600,
            plan=state.plan[who], seats=state.seats[who], mrr=self.mrr()[who], auto_renew=state.auto_renew[who],
            card_until=state.card_until[who], backup=state.backup[who],
        )  # fmt: skip
        renewed = state.running & people.yearly & (week - state.term_start >= 52)
        state.term_start[renewed] = week
        state.rise[renewed] = 0.0
        self.ledger.add("renewals", customer=np.flatnonzero(renewed), renewed_at=week * WEEK + 60)

    def present(self, week: int) -> Flags:
        """Customers of either kind who are there in a week."""
        return np.asarray(self.state.running | (self.people.shopper & (self.people.signup <= week)))

    def mrr(self) -> Floats:
        state = self.state
        return np.asarray((state.price * state.seats * (1 - state.discount)).round(2))

    # --- what makes customers leave or stay away

    def signs(self, week: int) -> dict[str, Floats]:
        """Log-odds by family, the same signs for those bound by contract and those who order."""
        recent, state, people = self.ledger.recent, self.state, self.people
        soft = np.tanh
        usual_use = np.maximum(recent("use", week, weeks=26, skip=4) / 26 * 4, 0.5)
        fallen = np.clip(1 - recent("use", week, weeks=4) / usual_use, 0, 1)
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
            "usage": np.where(state.running, 2.2 * fallen - 0.5, 0.0),
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

    def _bought(self, per_item: Floats) -> Floats:
        products = per_item[len(PLANS) :]
        return np.asarray(products[self.people.favourites[:, 0]])

    def _total(self, signs: Mapping[str, Floats]) -> Floats:
        return np.asarray(sum(self.effects[name] * value for name, value in signs.items()))

    def _shift(self, week: int) -> float:
        return 0.25 * np.sin(2 * np.pi * week / 52) + (0.3 if week >= self.rise_at else 0.0)

    def _contract_hazard(self, week: int) -> Floats:
        """(n, ) chance to leave within this week, by will or because a payment failed."""
        state, people = self.state, self.people
        to_term = np.where(people.yearly, state.term_start + 52 - week, 0)
        bound = np.where(people.yearly, np.where(to_term <= 5, 1.0, -1.2), 0.2)
        terms = (
            bound + 1.1 * ~state.auto_renew - 0.35 * np.log1p((week - state.start_week).clip(0) / 26)
            + 0.7 * np.tanh(self.ledger.recent("downgrade", week, weeks=13)) + 0.9 * (state.paused_until >= week)
        )  # fmt: skip
        ordered = self.ledger.recent("order", week, weeks=13)
        signs = self.signs(week) | {"subscription": terms, "purchases": -0.5 * np.tanh(ordered / 2)}
        odds = CONTRACT_BASE + self._total(signs) + self._shift(week)
        voluntary = 1 / (1 + np.exp(-odds))
        voluntary = np.where(state.treated_until >= week, voluntary * TREATMENT_FACTOR, voluntary)
        failing = np.where(state.hard, 0.25, 0.1) * np.minimum(state.streak, 3) / 1.5
        failing = np.where(state.backup, 0.3 * failing, failing) * self.effects["payment"]
        return np.asarray(1 - (1 - voluntary) * (1 - np.clip(failing, 0, 0.9)))

    def _order_rate(self, week: int) -> Floats:
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

    def _keep_truth(self, week: int, hazard: Floats, rate: Floats) -> None:
        at_risk = np.flatnonzero(self.state.running & self.state.converted & (self.state.start_week < week - 2))
        self.truth.append((week, "contract", at_risk, 1 - (1 - hazard[at_risk]) ** HORIZON_WEEKS["contract"]))
        buyers = np.flatnonzero(self.state.last_order > week - 52)
        self.truth.append((week, "shop", buyers, np.exp(-rate[buyers] * HORIZON_WEEKS["shop"])))

    # --- what happens

    def _treat(self, week: int, hazard: Floats) -> None:
        if week % 4:
            return
        chance, state = self.chance["treatments"], self.state
        running = np.flatnonzero(state.running)
        if not len(running):
            return
        worst = running[hazard[running] >= np.quantile(hazard[running], 0.8)]
        drawn = worst[chance.random(len(worst)) < 0.1]
        treated = drawn[chance.random(len(drawn)) < 0.5]
        state.treated_until[treated] = week + TREATMENT_WEEKS
        self.ledger.add(
            "treatments", customer=treated, treated_at=moments(chance, week, len(treated)) * 0 + week * WEEK + 9 * 3600,
            play="call", cost=12.0,
        )  # fmt: skip
        holdout = np.setdiff1d(drawn, treated)
        for group, who in (("treated", treated), ("holdout", holdout)):
            self.ledger.add("truth_treatments", customer=who, week=week, group=group)

    def _order(self, week: int, rate: Floats) -> None:
        chance, people, state = self.chance["shop"], self.people, self.state
        orders = chance.poisson(rate)
        first = people.shopper & (people.signup == max(week, -60)) & (week >= 0)
        if week == 0:
            first |= people.shopper & (people.signup < 0)
        who = np.repeat(np.arange(len(people)), orders + first)
        if not len(who):
            return
        at, ids = moments(chance, week, len(who)), self.ledger.ids("orders", len(who))
        lines = 1 + chance.poisson(0.8, len(who))
        line_of = np.repeat(np.arange(len(who)), lines)
        favourite = people.favourites[who[line_of], chance.integers(0, 3, len(line_of))]
        product = np.where(chance.random(len(line_of)) < 0.75, favourite, chance.integers(0, PRODUCTS, len(line_of)))
        quantity = 1 + chance.poisson(0.6, len(line_of))
        reduced = np.where(chance.random(len(line_of)) < 0.2, 0.15, 0.0)
        full = self.market.own[week, len(PLANS) + product]
        price = (full * (1 - reduced)).round(2)
        bad = self.market.bad[week, len(PLANS) + product]
        returned = self.chance["quality"].random(len(line_of)) < np.where(bad, 0.4, 0.03)
        delay = self.chance["quality"].integers(3 * DAY, 12 * DAY, len(line_of))
        amount = np.bincount(line_of, weights=quantity * price, minlength=len(who)).round(2)
        self.ledger.add("orders", order_id=ids, customer=who, ordered_at=at, amount=amount)
        self.ledger.add(
            "order_lines", order_id=ids[line_of], customer=who[line_of], ordered_at=at[line_of], product=product,
            quantity=quantity, unit_price=price, discount=(full * reduced * quantity).round(2),
            returned_at=np.where(returned, at[line_of] + delay, -1),
        )  # fmt: skip
        self.ledger.count("order", week, who)
        self.ledger.count("returned", week, who[line_of][returned])
        state.last_order[who] = week
        earned = who[state.member[who]]
        points = amount[state.member[who]].round()
        self.ledger.add(
            "loyalty", customer=earned, moved_at=at[state.member[who]] + 60, kind="earned", points=points,
            expires_at=at[state.member[who]] + 52 * WEEK,
        )  # fmt: skip
        np.add.at(state.points, earned, points)

    def _engage(self, week: int) -> None:
        chance, there = self.chance["engagement"], np.flatnonzero(self.present(week))
        fading = self.trouble["engagement"][week, there]
        rate = self.people.usual_content[there] * np.where(fading, 0.08, 1.6)
        for kind, factor in (("content", 1.0), ("visit", 0.9), ("basket_left", 0.12), ("wish_list", 0.1)):
            who = several(chance, there, rate * factor)
            at = moments(chance, week, len(who))
            self.ledger.add("content_views", customer=who, viewed_at=at, kind=kind)
            self.ledger.count(kind, week, who)

    def _ask_support(self, week: int) -> None:
        chance, state, there = self.chance["support"], self.state, np.flatnonzero(self.present(week))
        troubled = self.trouble["support"][week, there]
        who = several(chance, there, np.where(troubled, 0.55, 0.025))
        count = len(who)
        at, bad = moments(chance, week, count), self.trouble["support"][week, who]
        solved = chance.random(count) < np.where(bad, 0.75, 0.98)
        resolved = at + (chance.exponential(np.where(bad, 60, 14), count) * 3600).astype(np.int64) + 1800
        reopened = solved & (chance.random(count) < np.where(bad, 0.25, 0.03))
        complaint = chance.random(count) < np.where(bad, 0.35, 0.06)
        marked = solved & (chance.random(count) < 0.3)
        late = chance.integers(3600, 4 * DAY, count)
        self.ledger.add(
            "support_contacts", contact_id=self.ledger.ids("support", count), customer=who, opened_at=at,
            channel=np.array(["phone", "mail", "chat", "social", "form"])[chance.integers(0, 5, count)],
            topic=np.array(TOPICS)[chance.integers(0, np.where(bad, 2, len(TOPICS)))],
            severity=1 + chance.integers(0, np.where(bad, 4, 2)), complaint=complaint,
            first_response_at=at + (chance.exponential(np.where(bad, 20, 4), count) * 3600).astype(np.int64) + 300,
            resolved_at=np.where(solved, resolved, -1), reopened_at=np.where(reopened, resolved + late, -1),
            followed_up_at=np.where(solved & (chance.random(count) < 0.4), resolved + 2 * late, -1),
            csat_at=np.where(marked, resolved + late, -1),
            csat=np.where(marked, np.clip(np.round(np.where(bad, 2.4, 4.2) + chance.normal(0, 0.8, count)), 1, 5), np.nan),
        )  # fmt: skip
        self.ledger.count("contact", week, who)
        self.ledger.count("complaint", week, who[complaint])
        self.ledger.count("unsolved", week, who[~solved])
        self.state.open_contacts = self.ledger.recent("unsolved", week + 1, weeks=52)
        del state

    def _use(self, week: int) -> None:
        chance, state = self.chance["usage"], self.state
        there = np.flatnonzero(state.running & (state.paused_until < week))
        low = self.trouble["usage"][week, there]
        who = several(chance, there, self.people.usual_use[there] * np.where(low, 0.12, 1.0))
        self.ledger.add(
            "usage", customer=who, used_at=moments(chance, week, len(who)),
            feature=np.array(FEATURES)[(chance.beta(1, 2, len(who)) * len(FEATURES)).astype(int)],
            seat=chance.integers(0, state.seats[who]) if len(who) else who, quantity=1 + chance.poisson(3, len(who)),
            errors=chance.poisson(0.05, len(who)),
        )  # fmt: skip
        self.ledger.count("use", week, who)
        touched = self.market.bad[week, : len(PLANS)] & (self.chance["quality"].random(len(PLANS)) < 0.5)
        for plan in np.flatnonzero(touched):
            at = moments(self.chance["quality"], week, 1)
            self.ledger.add("incidents", item=[plan], started_at=at, ended_at=at + 3600 * 7, severity=[2])
            self.ledger.count("incident_plan", week, np.flatnonzero(state.running & (state.plan == plan)))

    def _bill(self, week: int) -> None:
        state, chance = self.state, self.chance["billing"]
        age = week - state.start_week
        regular = state.running & state.converted & (age >= np.where(self.people.trial, 2, 0)) & (age % 4 == 2)
        odd = state.running & (chance.random(len(regular)) < np.where(self.trouble["billing"][week], 0.12, 0.008))
        for extraordinary, billed in ((False, regular), (True, odd)):
            who = np.flatnonzero(billed)
            amount = chance.uniform(15, 120, len(who)).round(2) if extraordinary else self.mrr()[who]
            at = np.full(len(who), week * WEEK + 8 * 3600) + (DAY if extraordinary else 0)
            ids = self.ledger.ids("invoices", len(who))
            paid = at + chance.integers(DAY, 6 * DAY, len(who))
            if not extraordinary:
                state.unpaid_invoice[who] = np.array([int(name[4:]) for name in ids], dtype=np.int64)
            self.ledger.add(
                "invoices", invoice_id=ids, customer=who, issued_at=at, amount=amount, extraordinary=extraordinary,
                due_at=at + 7 * DAY, paid_at=np.where(extraordinary, paid, -1),
            )  # fmt: skip
            self.ledger.count("extraordinary", week, who if extraordinary else who[:0])
        credit = np.flatnonzero(state.running & (chance.random(len(regular)) < 0.003))
        self.ledger.add(
            "invoices", invoice_id=self.ledger.ids("invoices", len(credit)), customer=credit,
            issued_at=moments(chance, week, len(credit)), amount=-self.mrr()[credit] / 4, extraordinary=False, due_at=-1,
            paid_at=-1,
        )  # fmt: skip

    def _pay(self, week: int) -> None:
        """Whoever owes is charged this week; what fails is tried again the week after."""
        state, chance = self.state, self.chance["payment"]
        owing = np.flatnonzero(state.running & (state.unpaid_invoice >= 0))
        expired = state.card_until[owing] < week
        soft = chance.random(len(owing)) < np.where(self.trouble["payment"][week, owing], 0.6, 0.015)
        renewed = expired & (state.streak[owing] > 0) & (chance.random(len(owing)) < 0.3)
        state.card_until[owing[renewed]] = week + 150
        failed = (expired & ~renewed) | soft
        hard = expired & ~renewed
        at = week * WEEK + 2 * DAY + 6 * 3600 + chance.integers(0, 3600, len(owing))
        self.ledger.add(
            "payments", payment_id=self.ledger.ids("payments", len(owing)), customer=owing, attempted_at=at,
            invoice=state.unpaid_invoice[owing], amount=self.mrr()[owing], succeeded=~failed, hard=hard,
            retry_at=np.where(failed, at + 7 * DAY, -1),
        )  # fmt: skip
        self.ledger.add("paid", invoice=state.unpaid_invoice[owing[~failed]], paid_at=at[~failed] + 60)
        self.ledger.add("new_cards", customer=owing[renewed], added_at=at[renewed] - 3600, until=week + 150)
        state.unpaid_invoice[owing[~failed]] = -1
        state.streak[owing] = np.where(failed, state.streak[owing] + 1, 0)
        state.hard[owing] = hard
        state.overdue_since[owing] = np.where(failed, np.minimum(state.overdue_since[owing], week), 10**6)

    def _survey(self, week: int) -> None:
        chance, state, there = self.chance["satisfaction"], self.state, np.flatnonzero(self.present(week))
        for kind, share, top in (("nps", 0.035, 10), ("csat", 0.02, 5)):
            who = there[chance.random(len(there)) < share]
            at, answered = moments(chance, week, len(who)), chance.random(len(who)) < 0.75
            mood = (
                self.people.contentment[who]
                - 4.5 * self.trouble["satisfaction"][week, who]
                + chance.normal(0, 1, len(who))
            )
            score = np.clip(np.round(mood * top / 10), 0 if kind == "nps" else 1, top)
            self.ledger.add(
                "surveys", survey_id=self.ledger.ids("surveys", len(who)), customer=who, kind=kind, asked_at=at,
                answered_at=np.where(answered, at + chance.integers(600, DAY, len(who)), -1),
                score=np.where(answered, score, np.nan),
                reason=np.where(answered & (score <= 0.6 * top), "too expensive", ""),
            )  # fmt: skip
            (state.nps if kind == "nps" else state.csat)[who[answered]] = score[answered]

    def _write(self, week: int) -> None:
        chance, state = self.chance["messages"], self.state
        there = np.flatnonzero(self.present(week))
        heavy = self.trouble["messages"][week, there]
        rate = self.people.usual_messages[there] * np.where(heavy, 3.0, 0.8) * ~state.unsubscribed[there]
        who = several(chance, there, rate)
        at, bad = moments(chance, week, len(who)), self.trouble["messages"][week, who]
        opened = chance.random(len(who)) < np.where(bad, 0.15, 0.4)
        clicked = opened & (chance.random(len(who)) < 0.25)
        gone = opened & (chance.random(len(who)) < np.where(bad, 0.02, 0.002))
        prospects = chance.random(len(who)) < np.where(bad, 0.5, 0.1)
        self.ledger.add(
            "messages", message_id=self.ledger.ids("messages", len(who)), customer=who, sent_at=at,
            channel=np.array(["email", "sms", "push"])[chance.choice(3, len(who), p=[0.7, 0.1, 0.2])],
            campaign=[f"k{week:03d}"] * len(who), template=np.char.add("t", chance.integers(0, np.where(bad, 3, 12)).astype(str)),
            kind=np.array(["newsletter", "reminder", "transactional"])[
                np.where(chance.random(len(who)) < np.where(bad, 0.6, 0.2), 1, chance.choice([0, 2], len(who)))
            ],
            also_sent_to_prospects=prospects, opened_at=np.where(opened, at + 1800, -1),
            clicked_at=np.where(clicked, at + 2400, -1), unsubscribed_at=np.where(gone, at + 3000, -1),
        )  # fmt: skip
        self.ledger.count("message", week, who)
        self.ledger.count("prospect", week, who[prospects])
        state.unsubscribed[who[gone]] = True

    def _loyalty(self, week: int) -> None:
        state, chance = self.state, self.chance["loyalty"]
        spends = np.flatnonzero(state.member & (state.points > 250) & (chance.random(len(state.points)) < 0.05))
        at = moments(chance, week, len(spends))
        self.ledger.add("loyalty", customer=spends, moved_at=at, kind="spent", points=200.0, expires_at=-1)
        self.ledger.add("loyalty", customer=spends, moved_at=at + 60, kind="reward", points=0.0, expires_at=-1)
        state.points[spends] -= 200
        bonus = np.flatnonzero(state.member & self.present(week) & (chance.random(len(state.points)) < 0.03))
        self.ledger.add(
            "loyalty", customer=bonus, moved_at=moments(chance, week, len(bonus)), kind="earned", points=50.0,
            expires_at=(week + 52) * WEEK,
        )  # fmt: skip
        state.points[bonus] += 50

    def _change(self, week: int) -> None:
        """Plans, seats, prices, pauses and discounts of running subscriptions."""
        state, chance = self.state, self.chance["subscription"]
        draw, running = chance.random(len(state.plan)), state.running & (state.start_week < week - 3)
        at = week * WEEK + 3 * DAY + 10 * 3600
        cases: list[tuple[str, Flags]] = [
            ("price", running & (week == self.rise_at)),
            ("upgrade", running & (draw < 0.004)),
            ("downgrade", running & (draw > 0.994) & (state.seats > 1)),
            ("pause", running & (draw > 0.5) & (draw < 0.502) & (state.paused_until < week)),
            ("resume", running & (state.paused_until == week)),
            ("discount_end", running & (state.discount > 0) & (draw > 0.3) & (draw < 0.32)),
        ]
        for name, mask in cases:
            who = np.flatnonzero(mask)
            before = self.mrr()[who]
            kind = {"upgrade": "seats", "downgrade": "seats"}.get(name, name)
            if name == "price":
                state.price[who] = (state.price[who] * (1 + RISE)).round(2)
            elif name == "upgrade":
                state.seats[who] += 1 + state.seats[who] // 4
            elif name == "downgrade":
                state.seats[who] = np.maximum(1, state.seats[who] * 2 // 3)
                self.ledger.count("downgrade", week, who)
            elif name == "pause":
                state.paused_until[who] = week + 4
            elif name == "discount_end":
                state.discount[who] = 0.0
            after = self.mrr()[who]
            if name in ("price", "discount_end"):
                state.rise[who] += np.where(name == "price", after / before - 1, 0.0)
            self.ledger.add(
                "subscription_changes", customer=who, changed_at=at, kind=kind, seats=state.seats[who], mrr_before=before,
                mrr_after=after,
            )  # fmt: skip
        flips = np.flatnonzero(running & (draw > 0.7) & (draw < 0.704))
        state.auto_renew[flips] = ~state.auto_renew[flips]
        self.ledger.add("auto_renew", customer=flips, changed_at=at, auto_renew=state.auto_renew[flips])

    def _leave(self, week: int, hazard: Floats) -> None:
        state, chance = self.state, self.chance["leaving"]
        draw, trial_over = chance.random(len(hazard)), self.people.trial & (week - state.start_week == 2)
        refuses = state.running & trial_over & (chance.random(len(hazard)) < 0.25)
        leaves = state.running & (state.start_week < week - 2) & (draw < hazard)
        who = np.flatnonzero(leaves | refuses)
        failing = (state.streak[who] > 0) & (chance.random(len(who)) < 0.7) & ~refuses[who]
        asked = moments(chance, week, len(who))
        ended = np.minimum(asked + chance.integers(3600, 2 * DAY, len(who)), (week + 1) * WEEK - 60)
        self.ledger.add(
            "ends", customer=who, asked_at=np.where(failing, -1, asked), ended_at=ended,
            reason=np.where(refuses[who], "trial", np.where(failing, "payment failed", "cancelled")),
        )  # fmt: skip
        self.end_second[who] = ended
        state.running[who], state.ended[who] = False, True
        state.unpaid_invoice[who] = -1
