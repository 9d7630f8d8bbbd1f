"""Subscriptions of the simulated company, from the first day to the last: use, invoices, payments, changes, the end."""

from __future__ import annotations

import numpy as np

from pipelines.foundation.simulation.company import Company
from pipelines.foundation.simulation.ledger import DAY, WEEK, moments, several
from pipelines.foundation.simulation.people import FEATURES, PLANS, RISE, SEAT_PRICE, Flags, Floats
from pipelines.foundation.simulation.state import NEVER

TREATMENT_WEEKS = 8
NOTICE_SHARE = 0.35  # of those who leave by will; the others are gone within two days


def begin(company: Company, week: int) -> None:
    """Subscriptions that start or renew, and new members of the loyalty programme."""
    people, state = company.people, company.state
    starts = people.subscriber & (people.signup <= week) & (state.start_week == NEVER)
    who = np.flatnonzero(starts)
    state.running[who], state.start_week[who] = True, np.maximum(people.signup[who], -52)
    state.plan[who], state.seats[who] = people.plan[who], people.seats[who]
    state.price[who] = SEAT_PRICE[state.plan[who]]
    chance = company.chance["subscription"]
    state.discount[who] = np.where(chance.random(len(who)) < 0.2, 0.2, 0.0)
    state.auto_renew[who] = chance.random(len(who)) < 0.85
    state.term_start[who] = state.start_week[who]
    pay = company.chance["payment"]
    state.card_until[who] = week + pay.integers(4, 160, len(who))
    state.backup[who] = pay.random(len(who)) < 0.3
    state.member |= people.joins_loyalty & (people.signup == week)
    if week == 0:
        state.member |= people.joins_loyalty & (people.signup <= 0)
    company.ledger.add(
        "starts", customer=who, started_at=np.maximum(state.start_week[who], -52) * WEEK + 10 * 3600,
        plan=state.plan[who], seats=state.seats[who], mrr=company.state.mrr()[who], auto_renew=state.auto_renew[who],
        card_until=state.card_until[who], backup=state.backup[who],
    )  # fmt: skip
    renewed = state.staying() & people.yearly & (week - state.term_start >= 52)
    state.term_start[renewed] = week
    state.rise[renewed] = 0.0
    company.ledger.add("renewals", customer=np.flatnonzero(renewed), renewed_at=week * WEEK + 60)


def treat(company: Company, week: int, hazard: Floats) -> None:
    """Once a month some of those at high risk are called, and some held out."""
    if week % 4:
        return
    chance, state = company.chance["treatments"], company.state
    staying = np.flatnonzero(state.staying())
    if not len(staying):
        return
    worst = staying[hazard[staying] >= np.quantile(hazard[staying], 0.8)]
    drawn = worst[chance.random(len(worst)) < 0.1]
    treated = drawn[chance.random(len(drawn)) < 0.5]
    state.treated_until[treated] = week + TREATMENT_WEEKS
    company.ledger.add(
        "treatments", customer=treated, treated_at=moments(chance, week, len(treated)) * 0 + week * WEEK + 9 * 3600,
        play="call", cost=12.0,
    )  # fmt: skip
    holdout = np.setdiff1d(drawn, treated)
    for group, who in (("treated", treated), ("holdout", holdout)):
        company.ledger.add("truth_treatments", customer=who, week=week, group=group)


def use(company: Company, week: int) -> None:
    """Use of the product, and incidents that befall plans."""
    chance, state = company.chance["usage"], company.state
    there = np.flatnonzero(state.running & (state.paused_until < week))
    low = company.trouble["usage"][week, there]
    who = several(chance, there, company.people.usual_use[there] * np.where(low, 0.12, 1.0))
    company.ledger.add(
        "usage", customer=who, used_at=moments(chance, week, len(who)),
        feature=np.array(FEATURES)[(chance.beta(1, 2, len(who)) * len(FEATURES)).astype(int)],
        seat=chance.integers(0, state.seats[who]) if len(who) else who, quantity=1 + chance.poisson(3, len(who)),
        errors=chance.poisson(0.05, len(who)),
    )  # fmt: skip
    company.ledger.count("use", week, who)
    touched = company.market.bad[week, : len(PLANS)] & (company.chance["quality"].random(len(PLANS)) < 0.5)
    plans = np.flatnonzero(touched)
    at = np.array([moments(company.chance["quality"], week, 1)[0] for _ in plans], dtype=np.int64)
    company.ledger.add("incidents", item=plans, started_at=at, ended_at=at + 3600 * 7, severity=np.full(len(plans), 2))
    for plan in plans:
        company.ledger.count("incident_plan", week, np.flatnonzero(state.running & (state.plan == plan)))


def bill(company: Company, week: int) -> None:
    """Regular and extraordinary invoices, and credit notes."""
    state, chance = company.state, company.chance["billing"]
    age = week - state.start_week
    regular = state.running & state.converted & (age >= np.where(company.people.trial, 2, 0)) & (age % 4 == 2)
    odd = state.running & (chance.random(len(regular)) < np.where(company.trouble["billing"][week], 0.12, 0.008))
    for extraordinary, billed in ((False, regular), (True, odd)):
        who = np.flatnonzero(billed)
        amount = chance.uniform(15, 120, len(who)).round(2) if extraordinary else company.state.mrr()[who]
        at = np.full(len(who), week * WEEK + 8 * 3600) + (DAY if extraordinary else 0)
        ids = company.ledger.ids("invoices", len(who))
        paid = at + chance.integers(DAY, 6 * DAY, len(who))
        if not extraordinary:
            state.unpaid_invoice[who] = np.array([int(name[4:]) for name in ids], dtype=np.int64)
        company.ledger.add(
            "invoices", invoice_id=ids, customer=who, issued_at=at, amount=amount, extraordinary=extraordinary,
            due_at=at + 7 * DAY, paid_at=np.where(extraordinary, paid, -1),
        )  # fmt: skip
        company.ledger.count("extraordinary", week, who if extraordinary else who[:0])
    credit = np.flatnonzero(state.running & (chance.random(len(regular)) < 0.003))
    company.ledger.add(
        "invoices", invoice_id=company.ledger.ids("invoices", len(credit)), customer=credit,
        issued_at=moments(chance, week, len(credit)), amount=-company.state.mrr()[credit] / 4, extraordinary=False,
        due_at=-1, paid_at=-1,
    )  # fmt: skip


def pay(company: Company, week: int) -> None:
    """Whoever owes is charged this week; what fails is tried again the week after."""
    state, chance = company.state, company.chance["payment"]
    owing = np.flatnonzero(state.running & (state.unpaid_invoice >= 0))
    expired = state.card_until[owing] < week
    soft = chance.random(len(owing)) < np.where(company.trouble["payment"][week, owing], 0.6, 0.015)
    renewed = expired & (state.streak[owing] > 0) & (chance.random(len(owing)) < 0.3)
    state.card_until[owing[renewed]] = week + 150
    failed = (expired & ~renewed) | soft
    hard = expired & ~renewed
    at = week * WEEK + 2 * DAY + 6 * 3600 + chance.integers(0, 3600, len(owing))
    company.ledger.add(
        "payments", payment_id=company.ledger.ids("payments", len(owing)), customer=owing, attempted_at=at,
        invoice=state.unpaid_invoice[owing], amount=company.state.mrr()[owing], succeeded=~failed, hard=hard,
        retry_at=np.where(failed, at + 7 * DAY, -1),
    )  # fmt: skip
    company.ledger.add("paid", invoice=state.unpaid_invoice[owing[~failed]], paid_at=at[~failed] + 60)
    company.ledger.add("new_cards", customer=owing[renewed], added_at=at[renewed] - 3600, until=week + 150)
    state.unpaid_invoice[owing[~failed]] = -1
    state.streak[owing] = np.where(failed, state.streak[owing] + 1, 0)
    state.hard[owing] = hard
    state.overdue_since[owing] = np.where(failed, np.minimum(state.overdue_since[owing], week), NEVER)


def change(company: Company, week: int) -> None:
    """Plans, seats, prices, pauses and discounts of running subscriptions."""
    state, chance = company.state, company.chance["subscription"]
    draw, staying = chance.random(len(state.plan)), state.staying() & (state.start_week < week - 3)
    at = week * WEEK + 3 * DAY + 10 * 3600
    cases: list[tuple[str, Flags]] = [
        ("price", staying & (week == company.rise_at)),
        ("upgrade", staying & (draw < company.hazards.growth(week))),
        ("downgrade", staying & (draw > 1 - company.hazards.decline(week)) & (state.seats > 1)),
        ("pause", staying & (draw > 0.5) & (draw < 0.502) & (state.paused_until < week)),
        ("resume", staying & (state.paused_until == week)),
        ("discount_end", staying & (state.discount > 0) & (draw > 0.3) & (draw < 0.32)),
    ]
    for name, mask in cases:
        who = np.flatnonzero(mask)
        before = company.state.mrr()[who]
        kind = {"upgrade": "seats", "downgrade": "seats"}.get(name, name)
        if name == "price":
            state.price[who] = (state.price[who] * (1 + RISE)).round(2)
        elif name == "upgrade":
            state.seats[who] += 1 + state.seats[who] // 4
        elif name == "downgrade":
            state.seats[who] = np.maximum(1, state.seats[who] * 2 // 3)
            company.ledger.count("downgrade", week, who)
        elif name == "pause":
            state.paused_until[who] = week + 4
        elif name == "discount_end":
            state.discount[who] = 0.0
        after = company.state.mrr()[who]
        if name in ("price", "discount_end"):
            state.rise[who] += np.where(name == "price", after / before - 1, 0.0)
        company.ledger.add(
            "subscription_changes", customer=who, changed_at=at, kind=kind, seats=state.seats[who], mrr_before=before,
            mrr_after=after,
        )  # fmt: skip
    flips = np.flatnonzero(staying & (draw > 0.7) & (draw < 0.704))
    state.auto_renew[flips] = ~state.auto_renew[flips]
    company.ledger.add("auto_renew", customer=flips, changed_at=at, auto_renew=state.auto_renew[flips])


def leave(company: Company, week: int, hazard: Floats) -> None:
    """Those who decide this week to leave, those whose payments fail for good, and those whose notice is over.

    Of those who leave by will, a part gives notice one to three weeks ahead.
    """
    state, chance = company.state, company.chance["leaving"]
    draw, trial_over = chance.random(len(hazard)), company.people.trial & (week - state.start_week == 2)
    refuses = state.staying() & trial_over & (chance.random(len(hazard)) < 0.25)
    leaves = state.staying() & (state.start_week < week - 2) & (draw < hazard)
    who = np.flatnonzero(leaves | refuses)
    failing = (state.streak[who] > 0) & (chance.random(len(who)) < 0.7) & ~refuses[who]
    asked = moments(chance, week, len(who))
    soon = np.minimum(asked + chance.integers(3600, 2 * DAY, len(who)), (week + 1) * WEEK - 60)
    gives_notice = ~failing & ~refuses[who] & (chance.random(len(who)) < NOTICE_SHARE)
    notice = np.where(gives_notice, chance.integers(1, 4, len(who)), 0)
    ended = np.where(gives_notice, asked + notice * WEEK, soon)
    company.ledger.add(
        "ends", customer=who, asked_at=np.where(failing, -1, asked), ended_at=ended,
        reason=np.where(refuses[who], "trial", np.where(failing, "payment failed", "cancelled")),
    )  # fmt: skip
    company.end_second[who] = ended
    state.leaves_in[who] = week + notice
    gone = state.running & (state.leaves_in <= week)
    state.running[gone], state.ended[gone] = False, True
    state.unpaid_invoice[gone] = -1
