"""Leaking exports of companies that do not exist: values as they are today, of customers who left by chance alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmarks.exports import MONTH, NEVER, Company, company, either, moments, size_of

Leak = Callable[[Company], str]  # changes a column of the export; its name


def leaking(seed: int) -> tuple[Company, list[str], list[str]]:
    """A company, the columns that leak, and of which kind each is; half of the exports have a single such column."""
    chance = np.random.default_rng([1, seed])
    by_contract = seed % 2 == 0
    made = company(
        by_contract=by_contract,
        customers=size_of(chance),
        months=float(chance.uniform(16, 36)),
        monthly=float(chance.uniform(0.02, 0.06)),
        chance=chance,
    )
    kinds = [name for name in LEAKS if not name.startswith("subscription" if not by_contract else "shop")]
    chosen = list(chance.choice(kinds, size=1 if seed // 2 % 2 == 0 else int(chance.integers(2, 5)), replace=False))
    chosen.sort(key=lambda name: name == "card_deleted")  # the others change what it deletes
    return made, [LEAKS[name](made) for name in chosen], chosen


def _written(made: Company) -> npt.NDArray[np.bool_]:
    """Whose leaving was written into the export: of nearly all, some time after it."""
    share = made.chance.uniform(0.75, 1.0)
    return (made.death + made.chance.exponential(15, made.size) < made.days) & made.some(share)


def _set(made: Company, table: str, column: str, values: Any) -> str:
    made.frames[table][column] = values
    return f"{table}.{column}"


def _mixed(made: Company, gone: npt.NDArray[np.bool_], share: float) -> npt.NDArray[np.bool_]:
    """The same with some of the others."""
    return gone | made.some(made.chance.uniform(0, share))


def tier_rewritten(made: Company) -> str:
    gone = _mixed(made, _written(made), 0.08)
    return _set(made, "customers", "value_tier", either(gone, "lost", made.frames["customers"]["value_tier"]))


def tier_lowest(made: Company) -> str:
    return _set(made, "customers", "value_tier", either(_written(made), "C", made.frames["customers"]["value_tier"]))


def tier_cleared(made: Company) -> str:
    gone = _mixed(made, _written(made), 0.1)
    return _set(made, "customers", "value_tier", either(gone, None, made.frames["customers"]["value_tier"]))


def tier_by_life(made: Company) -> str:
    """A class by how long the customer was one, up to the export."""
    life = np.minimum(made.death, made.days) - made.start
    return _set(made, "customers", "value_tier", either(life < 180, "bronze", either(life < 500, "silver", "gold")))


def note_filled(made: Company) -> str:
    """Free text, filled when the customer left, each text another."""
    how = made.chance.choice(("by phone", "by mail", "moved away", "too dear"), made.size)
    texts = [
        f"closed {number} {way}" for number, way in zip(made.chance.integers(1, 9999, made.size), how, strict=True)
    ]
    gone = _written(made)
    return _set(made, "customers", "acquisition_channel", either(gone, np.array(texts, dtype=object), None))


def note_rewritten(made: Company) -> str:
    """Free text of everybody, of those who left with other words."""
    how = made.chance.choice(("ended", "stopped", "contract over"), made.size)
    numbers = made.chance.integers(1, 9999, made.size)
    words = made.chance.choice(("won at fair", "came by advert", "friend of a friend", "walk in"), made.size)
    gone = _written(made)
    texts = [
        f"{way} on day {number}" if left else f"{word}, no {number}"
        for way, number, word, left in zip(how, numbers, words, gone, strict=True)
    ]
    return _set(made, "customers", "acquisition_channel", texts)


def country_erased(made: Company) -> str:
    gone = _mixed(made, _written(made), 0.1)
    return _set(made, "customers", "country", either(gone, None, made.frames["customers"]["country"]))


def card_removed(made: Company) -> str:
    gone = _mixed(made, _written(made), 0.1)
    cards = made.frames["payment_methods"]
    return _set(made, "payment_methods", "expires_at", cards["expires_at"].where(~gone))


def card_kind(made: Company) -> str:
    gone = _mixed(made, _written(made), 0.08)
    return _set(made, "payment_methods", "kind", either(gone, "none", made.frames["payment_methods"]["kind"]))


def card_no_default(made: Company) -> str:
    return _set(made, "payment_methods", "is_default", ~_mixed(made, _written(made), 0.08))


def card_deleted(made: Company) -> str:
    gone = _mixed(made, _written(made), 0.05)
    made.frames["payment_methods"] = made.frames["payment_methods"][~gone].reset_index(drop=True)
    return "payment_methods.customer_id"


def subscription_auto_renew(made: Company) -> str:
    return _set(made, "subscriptions", "auto_renew", ~_mixed(made, _written(made), 0.12))


def subscription_renewal(made: Company) -> str:
    """The next renewal: past for those who left."""
    term = np.where(made.some(0.5), MONTH, 365.0)
    until = np.minimum(made.death, made.days)
    terms = np.ceil(np.maximum(until - made.start, 1) / term)
    return _set(made, "subscriptions", "renews_at", moments(made.start + terms * term))


def subscription_renewal_cleared(made: Company) -> str:
    until = np.minimum(made.death, made.days)
    due = made.start + np.ceil(np.maximum(until - made.start, 1) / 365) * 365
    gone = _mixed(made, _written(made), 0.05)
    return _set(made, "subscriptions", "renews_at", moments(either(gone, NEVER, due)))


def subscription_plan(made: Company) -> str:
    gone = _mixed(made, _written(made), 0.05)
    return _set(made, "subscriptions", "plan", either(gone, "none", made.frames["subscriptions"]["plan"]))


def subscription_revenue(made: Company) -> str:
    return _set(made, "subscriptions", "mrr", either(_written(made), 0.0, made.frames["subscriptions"]["mrr"]))


def subscription_logins(made: Company) -> str:
    """A count of everything up to the export, which stopped when the customer left."""
    life = np.minimum(made.death, made.days) - made.start
    rate = made.chance.lognormal(-1.5, 0.4, made.size)
    return _set(made, "subscriptions", "seats", made.chance.poisson(np.maximum(life, 0) * rate))


def subscription_paid(made: Company) -> str:
    """All that was ever paid."""
    months = np.ceil((np.minimum(made.death, made.days) - made.start).clip(min=1) / MONTH)
    return _set(made, "subscriptions", "mrr", np.round(months * made.chance.lognormal(3, 0.3, made.size), 2))


def subscription_last_term(made: Company) -> str:
    until = np.minimum(made.death, made.days)
    return _set(
        made, "subscriptions", "term_started_at", moments(made.start + np.floor((until - made.start) / 30) * 30)
    )


def contact_topic(made: Company) -> str:
    """The topic of every contact of those who left, rewritten when the account was closed."""
    contacts = made.frames["support_contacts"]
    gone = pd.Series(_written(made), index=made.ids).reindex(contacts["customer_id"]).to_numpy()
    return _set(made, "support_contacts", "topic", either(gone, "closed account", contacts["topic"]))


def shop_last_seen(made: Company) -> str:
    """Free text with how many orders there were up to the export."""
    counts = made.frames["orders"].groupby("customer_id").size().reindex(made.ids).fillna(0).astype(int)
    return _set(made, "customers", "value_tier", [str(count) for count in counts])


LEAKS: dict[str, Leak] = {
    each.__name__: each
    for each in (
        tier_rewritten, tier_lowest, tier_cleared, tier_by_life, note_filled, note_rewritten, country_erased,
        card_removed, card_kind, card_no_default, card_deleted, subscription_auto_renew, subscription_renewal,
        subscription_renewal_cleared, subscription_plan, subscription_revenue, subscription_logins, subscription_paid,
        subscription_last_term, contact_topic, shop_last_seen,
    )
}  # fmt: skip
