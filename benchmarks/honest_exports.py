"""Honest exports of companies that do not exist, some with signs as strong as honest signs come."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmarks.exports import NEVER, Company, company, either, moments, size_of, subscriptions

Floats = npt.NDArray[np.float64]
Changes = list[tuple[npt.NDArray[np.bool_], Floats, dict[str, Any]]]
Make = Callable[[np.random.Generator], Company]


def honest(seed: int) -> tuple[Company, str]:
    """A company, and what is honest about its signs: each kind in turn."""
    name = list(KINDS)[seed % len(KINDS)]
    return KINDS[name](np.random.default_rng([2, seed])), name


def _any(chance: np.random.Generator, *, by_contract: bool, **given: Any) -> Company:
    return company(
        by_contract=by_contract,
        customers=size_of(chance),
        months=float(chance.uniform(16, 36)),
        monthly=float(chance.uniform(0.02, 0.06)),
        chance=chance,
        **given,
    )


def _versions(made: Company, table: str, changes: list[tuple[npt.NDArray[np.bool_], Floats, dict[str, Any]]]) -> None:
    """Rows of a table as they were at first, and a version for each change: whose, on which day, to what."""
    first = made.frames[table]
    begun = "started_at" if table == "subscriptions" else "added_at" if table == "payment_methods" else "signed_up_at"
    parts = [first.assign(known_at=first[begun])]
    for whose, days, values in changes:
        then = whose & (days < made.days) & (days > made.start)
        later = first[then].assign(**{n: (v[then] if isinstance(v, np.ndarray) else v) for n, v in values.items()})
        parts.append(later.assign(known_at=moments(days[then]).to_numpy()))
    made.frames[table] = pd.concat(parts, ignore_index=True)


def tier_versions(chance: np.random.Generator, *, by_contract: bool) -> Company:
    """A class that is set to lost when customers leave, with the day of it."""
    made = _any(chance, by_contract=by_contract)
    written = made.death + chance.exponential(15, made.size)
    _versions(made, "customers", [(made.some(0.95), written, {"value_tier": "lost"})])
    return made


def renewal_switched_off(chance: np.random.Generator) -> Company:
    """Four of five who leave switch renewal off one to four months before; a few who stay do so, too."""
    made = _any(chance, by_contract=True)
    asked = made.death - chance.uniform(30, 120, made.size)
    for_good, passing = made.some(0.8), made.some(0.1)
    at = chance.uniform(made.start, made.days)
    _versions(
        made, "subscriptions",
        [
            (passing, at, {"auto_renew": False}),
            (passing, at + chance.uniform(5, 60, made.size), {"auto_renew": True}),
            (for_good, asked, {"auto_renew": False}),
        ],
    )  # fmt: skip
    return made


def notice(chance: np.random.Generator) -> Company:
    """Everybody who leaves gives notice, up to three months before."""
    made = _any(chance, by_contract=True)
    asked = np.maximum(made.death - chance.uniform(10, 90, made.size), made.start + 0.5)
    made.frames["subscriptions"]["cancel_requested_at"] = moments(np.where(asked < made.days, asked, NEVER))
    return made


def failed_payments(chance: np.random.Generator) -> Company:
    """Monthly payments; of seven in ten who leave the last ones fail, of the others one in fifty."""
    made = _any(chance, by_contract=True)
    failing = np.where(made.some(0.7), made.death - 45, NEVER)
    rows, ids = [], made.ids
    for who in range(made.size):
        for day in np.arange(made.start[who] + 1, min(made.death[who], made.days), 30.0):
            failed = day >= failing[who] or chance.random() < 0.02
            rows.append((ids[who], day, not failed, "card_declined" if failed else None))
    frame = pd.DataFrame(rows, columns=["customer_id", "attempted_at", "succeeded", "failure_code"])
    made.frames["payments"] = frame.assign(attempted_at=moments(frame["attempted_at"]))
    return made


def silence(chance: np.random.Generator) -> Company:
    """Weekly use that ends one to four months before the contract does."""
    made = _any(chance, by_contract=True)
    last = np.minimum(made.death - chance.uniform(30, 120, made.size), made.days)
    weeks = np.maximum(last - made.start, 0) / 7
    who = np.repeat(np.arange(made.size), np.maximum(weeks.astype(int), 1))
    who = who[chance.random(len(who)) < 20_000 / max(len(who), 20_000)]
    days = np.minimum(chance.uniform(made.start[who], np.maximum(last[who], made.start[who] + 7)), made.days - 0.1)
    made.frames["usage"] = pd.DataFrame(
        {"customer_id": made.ids[who], "used_at": moments(days), "feature": chance.choice(("a", "b"), len(who))}
    )
    return made


def complaints(chance: np.random.Generator, *, by_contract: bool) -> Company:
    """Nearly all who leave complain in the two months before, in the topic and by their mark; few others do."""
    made = _any(chance, by_contract=by_contract)
    day = np.maximum(made.death - chance.uniform(3, 60, made.size), made.start + 0.1)
    who = np.flatnonzero((day < made.days) & made.some(0.9))
    rows = pd.DataFrame(
        {
            "customer_id": made.ids[who], "opened_at": moments(day[who]), "channel": "phone", "topic": "cancellation",
            "severity": 3, "complaint": True,
        }
    )  # fmt: skip
    made.frames["support_contacts"] = pd.concat([made.frames["support_contacts"], rows], ignore_index=True)
    return made


def channel_matters(chance: np.random.Generator, *, by_contract: bool) -> Company:
    """Customers won by advertisement leave two to three and a half times likelier, for ever."""
    factor_of, size = float(chance.uniform(2, 3.5)), size_of(chance)
    ads = chance.random(size) < chance.uniform(0.1, 0.5)
    made = company(
        by_contract=by_contract, customers=size, months=float(chance.uniform(16, 36)),
        monthly=float(chance.uniform(0.02, 0.05)), chance=chance, factor=np.where(ads, factor_of, 1.0),
    )  # fmt: skip
    customers = made.frames["customers"]
    customers["acquisition_channel"] = np.where(ads, "ads", chance.choice(("shop", "friend", "fair"), size))
    customers["country"] = either(chance.random(size) < 0.1, None, customers["country"])
    return made


def new_customers_leave(chance: np.random.Generator, *, by_contract: bool) -> Company:
    """A third leave within weeks, four times likelier than the others; plans and prices change over the years."""
    size = size_of(chance)
    made = company(
        by_contract=by_contract, customers=size, months=float(chance.uniform(16, 36)), monthly=0.02, chance=chance,
        factor=np.where(chance.random(size) < 0.33, 4.0, 1.0),
    )  # fmt: skip
    late = made.start > made.days / 2
    made.frames["customers"]["acquisition_channel"] = np.where(late & made.some(0.6), "video", "fair")
    if by_contract:
        made.frames["subscriptions"]["plan"] = np.where(late, "2024", "2023")
        made.frames["subscriptions"]["mrr"] *= np.where(late, 1.4, 1.0)
    return made


def _hasty(
    chance: np.random.Generator, *, by_contract: bool, share: tuple[float, float], monthly: float, factor: float
) -> tuple[Company, npt.NDArray[np.bool_]]:
    """A company of which a share leaves so many times likelier than the rest, and who those are."""
    size = size_of(chance)
    hasty = chance.random(size) < chance.uniform(*share)
    made = company(
        by_contract=by_contract, customers=size, months=float(chance.uniform(16, 36)), monthly=monthly, chance=chance,
        factor=np.where(hasty, factor, 1.0),
    )  # fmt: skip
    return made, hasty


def month_to_month(chance: np.random.Generator) -> Company:
    """Whoever can end the contract each month leaves ten times likelier than who is bound for years."""
    made, monthly = _hasty(chance, by_contract=True, share=(0.3, 0.6), monthly=0.005, factor=10.0)
    made.frames["subscriptions"]["plan"] = np.where(monthly, "monthly", "two years")
    return made


def bargain_hunters(chance: np.random.Generator) -> Company:
    """Customers of a shop won by a discount leave six times likelier."""
    made, hunting = _hasty(chance, by_contract=False, share=(0.2, 0.6), monthly=0.01, factor=6.0)
    made.frames["customers"]["acquisition_channel"] = np.where(hunting, "discount", "other")
    return made


def yearly_terms(chance: np.random.Generator) -> Company:
    """Contracts that end at the end of a year alone; renewal is switched off up to two months before."""
    made = _any(chance, by_contract=True, yearly=True)
    whose = [(made.death > made.start + 365 * n, made.start + 365 * n) for n in (1, 2)]
    changes: Changes = [(who, days, {"renews_at": moments(days + 365).to_numpy()}) for who, days in whose]
    off = np.maximum(made.death - chance.uniform(5, 60, made.size), made.start + 1)
    _versions(made, "subscriptions", [*changes, (made.some(0.9), off, {"auto_renew": False})])
    return made


def weekly_box(chance: np.random.Generator) -> Company:
    """A shop in which everybody orders each week until they stop: days since the last order tell all."""
    made = _any(chance, by_contract=False)
    rows, ids = [], made.ids
    for who in range(made.size):
        days = np.arange(made.start[who], min(made.death[who], made.days), 7.0)
        rows += [(ids[who], day + chance.uniform(0, 0.9)) for day in days]
    frame = pd.DataFrame(rows, columns=["customer_id", "ordered_at"])
    frame = frame[frame["ordered_at"] < made.days].reset_index(drop=True)
    made.frames["orders"] = frame.assign(ordered_at=moments(frame["ordered_at"]), amount=20.0)
    return made


def cards_expire(chance: np.random.Generator) -> Company:
    """Half of those whose card expires leave on that day, which was known when the card was stored."""
    made = _any(chance, by_contract=True)
    expiry = made.start + chance.uniform(100, 1400, made.size)
    made.death = np.where(made.some(0.5), np.minimum(made.death, expiry), made.death)
    made.frames["subscriptions"] = subscriptions(made, yearly=False)
    made.frames["payment_methods"]["expires_at"] = moments(expiry)
    return made


def nothing(chance: np.random.Generator, *, by_contract: bool) -> Company:
    """Nothing tells anything; every column is filled for some alone."""
    made = _any(chance, by_contract=by_contract)
    for frame in made.frames.values():
        for name in ("country", "value_tier", "plan", "topic", "kind"):
            if name in frame and chance.random() < 0.5:
                frame[name] = frame[name].where(chance.random(len(frame)) < chance.uniform(0.02, 0.98), None)
    return made


def _of(make: Callable[..., Company], *, by_contract: bool) -> Make:
    return lambda chance: make(chance, by_contract=by_contract)


KINDS: dict[str, Make] = {
    "tier versions, contracts": _of(tier_versions, by_contract=True),
    "tier versions, shop": _of(tier_versions, by_contract=False),
    "renewal switched off": renewal_switched_off,
    "notice": notice,
    "failed payments": failed_payments,
    "silence": silence,
    "complaints, contracts": _of(complaints, by_contract=True),
    "complaints, shop": _of(complaints, by_contract=False),
    "channel matters, contracts": _of(channel_matters, by_contract=True),
    "channel matters, shop": _of(channel_matters, by_contract=False),
    "new customers leave, contracts": _of(new_customers_leave, by_contract=True),
    "new customers leave, shop": _of(new_customers_leave, by_contract=False),
    "month to month": month_to_month,
    "bargain hunters": bargain_hunters,
    "yearly terms": yearly_terms,
    "weekly box": weekly_box,
    "cards expire": cards_expire,
    "nothing, contracts": _of(nothing, by_contract=True),
    "nothing, shop": _of(nothing, by_contract=False),
}

# What honestly tells who will leave, so that no export of the kind is without it.
SIGNS: dict[str, tuple[str, ...]] = {
    "tier versions": ("customers.value_tier",),
    "renewal switched off": ("subscriptions.auto_renew",),
    "notice": ("subscriptions.cancel_requested_at",),
    "failed payments": ("payments.failure_code",),
    "silence": ("usage.feature",),
    "complaints": ("support_contacts.topic", "support_contacts.complaint"),
    "channel matters": ("customers.acquisition_channel",),
    "new customers leave": ("customers.acquisition_channel", "subscriptions.plan", "subscriptions.mrr"),
    "month to month": ("subscriptions.plan",),
    "bargain hunters": ("customers.acquisition_channel",),
    "yearly terms": ("subscriptions.auto_renew", "subscriptions.renews_at"),
    "weekly box": (),
    "cards expire": ("payment_methods.expires_at",),
    "nothing": (),
}
