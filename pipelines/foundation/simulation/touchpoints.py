"""Where the simulated customers and the company meet: orders, content, support, questionnaires, messages, points."""

from __future__ import annotations

import numpy as np

from pipelines.foundation.simulation.company import Company
from pipelines.foundation.simulation.ledger import DAY, WEEK, moments, several
from pipelines.foundation.simulation.people import PLANS, PRODUCTS, TOPICS, Floats


def order(company: Company, week: int, rate: Floats) -> None:
    """Orders, their lines, what comes back, and the points they earn."""
    chance, people, state = company.chance["shop"], company.people, company.state
    orders = chance.poisson(rate)
    first = people.shopper & (people.signup == max(week, -60)) & (week >= 0)
    if week == 0:
        first |= people.shopper & (people.signup < 0)
    who = np.repeat(np.arange(len(people)), orders + first)
    if not len(who):
        return
    at, ids = moments(chance, week, len(who)), company.ledger.ids("orders", len(who))
    lines = 1 + chance.poisson(0.8, len(who))
    line_of = np.repeat(np.arange(len(who)), lines)
    favourite = people.favourites[who[line_of], chance.integers(0, 3, len(line_of))]
    product = np.where(chance.random(len(line_of)) < 0.75, favourite, chance.integers(0, PRODUCTS, len(line_of)))
    quantity = 1 + chance.poisson(0.6, len(line_of))
    reduced = np.where(chance.random(len(line_of)) < 0.2, 0.15, 0.0)
    full = company.market.own[week, len(PLANS) + product]
    price = (full * (1 - reduced)).round(2)
    bad = company.market.bad[week, len(PLANS) + product]
    returned = company.chance["quality"].random(len(line_of)) < np.where(bad, 0.4, 0.03)
    delay = company.chance["quality"].integers(3 * DAY, 12 * DAY, len(line_of))
    amount = np.bincount(line_of, weights=quantity * price, minlength=len(who)).round(2)
    company.ledger.add("orders", order_id=ids, customer=who, ordered_at=at, amount=amount)
    company.ledger.add(
        "order_lines", order_id=ids[line_of], customer=who[line_of], ordered_at=at[line_of], product=product,
        quantity=quantity, unit_price=price, discount=(full * reduced * quantity).round(2),
        returned_at=np.where(returned, at[line_of] + delay, -1),
    )  # fmt: skip
    company.ledger.count("order", week, who)
    company.ledger.count("returned", week, who[line_of][returned])
    state.last_order[who] = week
    earned = who[state.member[who]]
    points = amount[state.member[who]].round()
    company.ledger.add(
        "loyalty", customer=earned, moved_at=at[state.member[who]] + 60, kind="earned", points=points,
        expires_at=at[state.member[who]] + 52 * WEEK,
    )  # fmt: skip
    np.add.at(state.points, earned, points)


def engage(company: Company, week: int) -> None:
    """Looks at the brand's content and the shop."""
    chance, there = company.chance["engagement"], np.flatnonzero(company.present(week))
    fading = company.trouble["engagement"][week, there]
    rate = company.people.usual_content[there] * np.where(fading, 0.08, 1.6)
    for kind, factor in (("content", 1.0), ("visit", 0.9), ("basket_left", 0.12), ("wish_list", 0.1)):
        who = several(chance, there, rate * factor)
        at = moments(chance, week, len(who))
        company.ledger.add("content_views", customer=who, viewed_at=at, kind=kind)
        company.ledger.count(kind, week, who)


def ask_support(company: Company, week: int) -> None:
    """Contacts with customer service."""
    chance, state, there = company.chance["support"], company.state, np.flatnonzero(company.present(week))
    troubled = company.trouble["support"][week, there]
    who = several(chance, there, np.where(troubled, 0.55, 0.025))
    count = len(who)
    at, bad = moments(chance, week, count), company.trouble["support"][week, who]
    solved = chance.random(count) < np.where(bad, 0.75, 0.98)
    resolved = at + (chance.exponential(np.where(bad, 60, 14), count) * 3600).astype(np.int64) + 1800
    reopened = solved & (chance.random(count) < np.where(bad, 0.25, 0.03))
    complaint = chance.random(count) < np.where(bad, 0.35, 0.06)
    marked = solved & (chance.random(count) < 0.3)
    late = chance.integers(3600, 4 * DAY, count)
    mood = np.where(bad, 2.4, 4.2) + chance.normal(0, 0.8, count)
    company.ledger.add(
        "support_contacts", contact_id=company.ledger.ids("support", count), customer=who, opened_at=at,
        channel=np.array(["phone", "mail", "chat", "social", "form"])[chance.integers(0, 5, count)],
        topic=np.array(TOPICS)[chance.integers(0, np.where(bad, 2, len(TOPICS)))],
        severity=1 + chance.integers(0, np.where(bad, 4, 2)), complaint=complaint,
        first_response_at=at + (chance.exponential(np.where(bad, 20, 4), count) * 3600).astype(np.int64) + 300,
        resolved_at=np.where(solved, resolved, -1), reopened_at=np.where(reopened, resolved + late, -1),
        followed_up_at=np.where(solved & (chance.random(count) < 0.4), resolved + 2 * late, -1),
        csat_at=np.where(marked, resolved + late, -1),
        csat=np.where(marked, np.clip(np.round(mood), 1, 5), np.nan),
    )  # fmt: skip
    company.ledger.count("contact", week, who)
    company.ledger.count("complaint", week, who[complaint])
    company.ledger.count("unsolved", week, who[~solved])
    company.state.open_contacts = company.ledger.recent("unsolved", week + 1, weeks=52)
    del state


def survey(company: Company, week: int) -> None:
    """Questionnaires and answers."""
    chance, state, there = company.chance["satisfaction"], company.state, np.flatnonzero(company.present(week))
    for kind, share, top in (("nps", 0.035, 10), ("csat", 0.02, 5)):
        who = there[chance.random(len(there)) < share]
        at, answered = moments(chance, week, len(who)), chance.random(len(who)) < 0.75
        mood = (
            company.people.contentment[who]
            - 4.5 * company.trouble["satisfaction"][week, who]
            + chance.normal(0, 1, len(who))
        )
        score = np.clip(np.round(mood * top / 10), 0 if kind == "nps" else 1, top)
        company.ledger.add(
            "surveys", survey_id=company.ledger.ids("surveys", len(who)), customer=who, kind=kind, asked_at=at,
            answered_at=np.where(answered, at + chance.integers(600, DAY, len(who)), -1),
            score=np.where(answered, score, np.nan),
            reason=np.where(answered & (score <= 0.6 * top), "too expensive", ""),
        )  # fmt: skip
        (state.nps if kind == "nps" else state.csat)[who[answered]] = score[answered]


def write(company: Company, week: int) -> None:
    """Messages sent, opened, clicked."""
    chance, state = company.chance["messages"], company.state
    there = np.flatnonzero(company.present(week))
    heavy = company.trouble["messages"][week, there]
    rate = company.people.usual_messages[there] * np.where(heavy, 3.0, 0.8) * ~state.unsubscribed[there]
    who = several(chance, there, rate)
    at, bad = moments(chance, week, len(who)), company.trouble["messages"][week, who]
    opened = chance.random(len(who)) < np.where(bad, 0.15, 0.4)
    clicked = opened & (chance.random(len(who)) < 0.25)
    gone = opened & (chance.random(len(who)) < np.where(bad, 0.02, 0.002))
    prospects = chance.random(len(who)) < np.where(bad, 0.5, 0.1)
    company.ledger.add(
        "messages", message_id=company.ledger.ids("messages", len(who)), customer=who, sent_at=at,
        channel=np.array(["email", "sms", "push"])[chance.choice(3, len(who), p=[0.7, 0.1, 0.2])],
        campaign=[f"k{week:03d}"] * len(who),
        template=np.char.add("t", chance.integers(0, np.where(bad, 3, 12)).astype(str)),
        kind=np.array(["newsletter", "reminder", "transactional"])[
            np.where(chance.random(len(who)) < np.where(bad, 0.6, 0.2), 1, chance.choice([0, 2], len(who)))
        ],
        also_sent_to_prospects=prospects, opened_at=np.where(opened, at + 1800, -1),
        clicked_at=np.where(clicked, at + 2400, -1), unsubscribed_at=np.where(gone, at + 3000, -1),
    )  # fmt: skip
    company.ledger.count("message", week, who)
    company.ledger.count("prospect", week, who[prospects])
    state.unsubscribed[who[gone]] = True


def loyalty(company: Company, week: int) -> None:
    """Points spent and given."""
    state, chance = company.state, company.chance["loyalty"]
    spends = np.flatnonzero(state.member & (state.points > 250) & (chance.random(len(state.points)) < 0.05))
    at = moments(chance, week, len(spends))
    company.ledger.add("loyalty", customer=spends, moved_at=at, kind="spent", points=200.0, expires_at=-1)
    company.ledger.add("loyalty", customer=spends, moved_at=at + 60, kind="reward", points=0.0, expires_at=-1)
    state.points[spends] -= 200
    bonus = np.flatnonzero(state.member & company.present(week) & (chance.random(len(state.points)) < 0.03))
    company.ledger.add(
        "loyalty", customer=bonus, moved_at=moments(chance, week, len(bonus)), kind="earned", points=50.0,
        expires_at=(week + 52) * WEEK,
    )  # fmt: skip
    state.points[bonus] += 50
