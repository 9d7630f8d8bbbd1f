"""Who the simulated customers are, what the simulated company sells, and what its competitors ask."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

FAMILIES = (
    "purchases", "engagement", "support", "billing", "payment", "satisfaction", "usage", "messages", "market",
    "quality", "loyalty", "subscription", "profile",
)  # fmt: skip
COUNTRIES, CHANNELS, TIERS = (
    ("FR", "BE", "CH", "ES", "IT"),
    ("search", "friend", "fair", "ads", "partner"),
    ("A", "B", "C"),
)
PLANS, SEAT_PRICE = ("basic", "pro", "team"), np.array([19.0, 39.0, 69.0])
FEATURES = ("import", "report", "share", "alert", "export", "search")
TOPICS = ("delivery", "invoice", "login", "quality", "how-to")
PRODUCTS = 24
CATEGORIES = ("coffee", "tea", "cups", "machines")
RISE = 0.08  # of all own prices, late in the simulated time
COMPETITORS = ("Alpha", "Borealis", "Cumulus")
ITEMS = len(PLANS) + PRODUCTS  # plans first, then products


def streams(seed: int, *names: str) -> dict[str, np.random.Generator]:
    """A source of chance for each name, independent of the others: what one family draws changes no other."""
    return {name: np.random.default_rng([seed, place]) for place, name in enumerate(names)}


@dataclass(frozen=True)
class People:
    """(n,) arrays, one place per customer. Weeks count from the start of the simulation, below zero before it."""

    signup: Ints
    subscriber: Flags
    shopper: Flags
    country: Ints
    channel: Ints
    tier: Ints
    born_year: Ints
    gender: Ints
    plan: Ints
    seats: Ints
    yearly: Flags
    trial: Flags
    usual_use: Floats
    usual_content: Floats
    usual_messages: Floats
    order_rate: Floats
    favourites: Ints
    joins_loyalty: Flags
    contentment: Floats

    def __len__(self) -> int:
        return len(self.signup)

    def leaning(self) -> Floats:
        """Log-odds of leaving that come with the profile alone."""
        return np.asarray(
            np.array([-0.35, 0.0, 0.1, 0.45, 0.3])[self.country]
            + np.array([0.0, -0.5, 0.1, 0.5, 0.0])[self.channel]
            + np.array([-0.45, 0.0, 0.35])[self.tier]
        )


def people(chance: np.random.Generator, *, customers: int, weeks: int) -> People:
    """Customers who sign up over time, a good part of them in the year before."""
    n = customers
    kind = chance.random(n)
    plan = chance.choice(3, n, p=[0.5, 0.35, 0.15])
    tier = chance.choice(3, n, p=[0.25, 0.5, 0.25])
    return People(
        signup=chance.integers(-60, max(1, int(0.85 * weeks)), n),
        subscriber=kind < 0.6,
        shopper=kind > 0.4,
        country=chance.choice(5, n, p=[0.4, 0.2, 0.1, 0.2, 0.1]),
        channel=chance.choice(5, n, p=[0.3, 0.2, 0.1, 0.3, 0.1]),
        tier=tier,
        born_year=chance.integers(1950, 2005, n),
        gender=chance.integers(0, 3, n),
        plan=plan,
        seats=1 + np.where(plan == 0, 0, chance.poisson(np.where(plan == 1, 2, 8), n)),
        yearly=chance.random(n) < 0.25,
        trial=chance.random(n) < 0.3,
        usual_use=chance.gamma(6.0, 0.25, n),
        usual_content=chance.gamma(4.0, 0.12, n),
        usual_messages=chance.gamma(6.0, 0.15, n),
        order_rate=np.log(np.array([0.20, 0.13, 0.08])[tier]) + chance.normal(0, 0.12, n),
        favourites=chance.integers(0, PRODUCTS, (n, 3)),
        joins_loyalty=chance.random(n) < 0.4,
        contentment=chance.normal(7.5, 1.2, n),
    )


@dataclass(frozen=True)
class Market:
    """own, cheapest: (weeks, ITEMS) prices; seen: rows of (week, competitor, item, price); new: items added late.

    bad: (weeks, ITEMS) whether a plan or product goes through a bad spell.
    """

    own: Floats
    cheapest: Floats
    seen: list[tuple[int, int, int, float, bool]]
    bad: Flags


def market(chance: np.random.Generator, *, weeks: int, rise_at: int, rise: float) -> Market:
    """Own prices rise once; competitors wander, cut now and then, and bring out something new."""
    start = np.concatenate([SEAT_PRICE, chance.uniform(5, 60, PRODUCTS).round(2)])
    own = np.repeat(start[None, :], weeks, axis=0)
    own[rise_at:] *= 1 + rise
    cheapest = np.full((weeks, ITEMS), np.inf)
    seen: list[tuple[int, int, int, float, bool]] = []
    for competitor in range(len(COMPETITORS)):
        for item in range(ITEMS):
            if chance.random() < 0.3:
                continue
            price, new_at = (
                start[item] * chance.uniform(0.85, 1.25),
                chance.integers(8, weeks) if chance.random() < 0.1 else 0,
            )
            for week in range(weeks):
                if week < new_at or week % 4:
                    if week >= new_at:
                        cheapest[week, item] = min(cheapest[week, item], price)
                    continue
                price *= 1 + chance.normal(0.002, 0.012)
                if chance.random() < 0.05:
                    price *= chance.uniform(0.75, 0.92)
                elif price < 0.7 * start[item]:
                    price = start[item] * chance.uniform(0.95, 1.1)
                price = round(price, 2)
                seen.append((week, competitor, item, float(price), bool(new_at > 0)))
                cheapest[week, item] = min(cheapest[week, item], price)
    return Market(own, cheapest, seen, episodes(chance, weeks=weeks, n=ITEMS, begin=0.025, end=0.15))


def episodes(chance: np.random.Generator, *, weeks: int, n: int, begin: float, end: float) -> Flags:
    """(weeks, n) spells that begin and end by chance, each week anew."""
    found = np.zeros((weeks, n), dtype=np.bool_)
    now = chance.random(n) < begin / (begin + end)
    for week in range(weeks):
        draw = chance.random(n)
        now = np.where(now, draw >= end, draw < begin)
        found[week] = now
    return found
