"""From what happened to the tables of the contracts, as the company's systems would export them at the end."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.tables import TABLES
from pipelines.foundation.simulation.company import Company
from pipelines.foundation.simulation.ledger import DAY, WEEK
from pipelines.foundation.simulation.people import CATEGORIES, CHANNELS, COMPETITORS, COUNTRIES, PLANS, TIERS, Ints
from pipelines.foundation.simulation.subscription_versions import subscriptions

START = datetime(2023, 1, 2)  # noqa: DTZ001 - local clock time of the simulated company, a Monday
LATE_SHARE, LATE_DAYS = 0.03, 2.0
LATE = ("orders", "order_lines", "usage", "support_contacts", "messages", "content_views", "payments", "surveys")
STEPS = ("account set up", "first import", "first report", "team invited")


def tables(company: Company) -> dict[str, pd.DataFrame]:
    """Every table of the contracts, each sorted by when its rows happened; nothing after the end of the simulation."""
    found = {name: make(company) for name, make in _MAKERS.items()}
    return {name: _exported(company, name, frame) for name, frame in found.items()}


def customer_id(number: Ints | pd.Series) -> npt.NDArray[np.object_]:
    """Ids as the company writes them."""
    return np.array([f"C-{place:06d}" for place in number], dtype=object)


def moment(seconds: Ints | pd.Series) -> pd.Series:
    """Seconds from the start as local clock time; below -10 years (or -1 exactly) is empty."""
    clock = pd.Series(seconds, dtype="float64")
    return pd.Series(pd.to_datetime(START) + pd.to_timedelta(clock.where(clock != -1), unit="s")).astype(
        "datetime64[us]"
    )


def _exported(company: Company, name: str, frame: pd.DataFrame) -> pd.DataFrame:
    contract, end = TABLES[name], START + timedelta(weeks=company.weeks)
    clocks = [column.name for column in contract.columns if column.kind == "timestamp"]
    for clock in clocks:
        frame[clock] = moment(frame[clock]) if clock in frame else pd.NaT
    known = [column.name for column in contract.columns if column.known_at == column.name]
    for clock in known:
        frame[clock] = frame[clock].where(frame[clock] < end)
    for column in contract.columns:
        if column.known_at and column.known_at != column.name and column.name in frame:
            frame[column.name] = frame[column.name].where(frame[column.known_at].notna())
    if "customer" in frame:
        frame["customer_id"] = customer_id(frame.pop("customer"))
    frame["known_at"] = moment(frame["known_at"]) if "known_at" in frame else frame[contract.happened_at]
    if name in LATE:
        chance = company.chance["late"]
        late = chance.random(len(frame)) < LATE_SHARE
        delay = pd.to_timedelta(chance.exponential(LATE_DAYS * DAY, len(frame)).round() * late, unit="s")
        frame["known_at"] = (frame["known_at"] + delay).astype("datetime64[us]")
    frame = frame[(frame[contract.happened_at] < end) & (frame["known_at"] < end)]
    columns = [column.name for column in contract.columns if column.name in frame] + ["known_at"]
    exported: pd.DataFrame = frame[columns].sort_values(
        [contract.happened_at, *columns[:2]], kind="stable", ignore_index=True
    )
    return exported


def _until_they_left(company: Company, frame: pd.DataFrame, moment_of: str) -> pd.DataFrame:
    """Without what would have happened after a customer left for good, within the week of leaving."""
    gone = frame[moment_of].to_numpy() > company.end_second[frame["customer"].to_numpy()]
    kept: pd.DataFrame = frame[~(gone & ~company.people.shopper[frame["customer"].to_numpy()])]
    return kept.reset_index(drop=True)


def _plain(table: str, moment_of: str) -> Callable[[Company], pd.DataFrame]:
    return lambda company: _until_they_left(company, company.ledger.frame(table), moment_of)


def _customers(company: Company) -> pd.DataFrame:
    people = company.people
    there = np.flatnonzero(people.signup < company.weeks)
    return pd.DataFrame(
        {
            "customer": there,
            "signed_up_at": people.signup[there] * WEEK + 9 * 3600,
            "country": np.array(COUNTRIES)[people.country[there]],
            "acquisition_channel": np.array(CHANNELS)[people.channel[there]],
            "value_tier": np.array(TIERS)[people.tier[there]],
            "born_at": np.array([(datetime(year, 6, 1) - START).total_seconds() for year in people.born_year[there]]),  # noqa: DTZ001 - as START
            "gender": np.array(["f", "m", "x"])[people.gender[there]],
        }
    )


def _order_lines(company: Company) -> pd.DataFrame:
    frame = company.ledger.frame("order_lines")
    product = frame.pop("product")
    return frame.assign(
        product_id=[f"P-{number:02d}" for number in product],
        category=np.array(CATEGORIES)[product % len(CATEGORIES)],
    )


def _changes(company: Company) -> pd.DataFrame:
    frame = _until_they_left(company, company.ledger.frame("subscription_changes"), "changed_at")
    return frame.assign(subscription_id=[f"S-{number:06d}" for number in frame["customer"]])


def _invoices(company: Company) -> pd.DataFrame:
    frame = company.ledger.frame("invoices")
    paid = company.ledger.frame("paid").set_index("invoice")["paid_at"]
    numbers = frame["invoice_id"].str[4:].astype(int)
    frame["paid_at"] = frame["paid_at"].where(frame["paid_at"] != -1, numbers.map(paid)).fillna(-1)
    subscription = [f"S-{number:06d}" for number in frame["customer"]]
    return _until_they_left(company, frame.assign(subscription_id=subscription), "issued_at")


def _payments(company: Company) -> pd.DataFrame:
    frame = company.ledger.frame("payments")
    failed, hard = ~frame["succeeded"], frame.pop("hard")
    kind = np.where(hard, "hard", "soft")
    code = np.where(hard, "expired_card", "insufficient_funds")
    frame["invoice_id"] = [f"INV-{number:08d}" for number in frame.pop("invoice")]
    return _until_they_left(
        company,
        frame.assign(failure_kind=pd.Series(kind).where(failed), failure_code=pd.Series(code).where(failed)),
        "attempted_at",
    )


def _methods(company: Company) -> pd.DataFrame:
    starts, cards = company.ledger.frame("starts"), company.ledger.frame("new_cards")
    first = pd.DataFrame(
        {
            "customer": starts["customer"],
            "added_at": starts["started_at"],
            "expires_at": starts["card_until"] * WEEK,
            "kind": "card",
        }
    )
    later = pd.DataFrame(
        {
            "customer": cards["customer"],
            "added_at": cards["added_at"],
            "expires_at": cards["until"] * WEEK,
            "kind": "card",
        }
    )
    every = pd.concat([first, later]).sort_values(["customer", "added_at"], kind="stable", ignore_index=True)
    every["removed_at"] = every.groupby("customer")["added_at"].shift(-1).fillna(-1)
    every["is_default"] = True
    spare = starts[starts["backup"]]
    backups = pd.DataFrame(
        {"customer": spare["customer"], "added_at": spare["started_at"] + 60, "expires_at": -1, "kind": "direct debit"}
    ).assign(removed_at=-1, is_default=False)
    every = pd.concat([every, backups], ignore_index=True)
    return every.assign(method_id=[f"M-{number:07d}" for number in range(len(every))])


def _usage(company: Company) -> pd.DataFrame:
    frame = _until_they_left(company, company.ledger.frame("usage"), "used_at")
    seat = frame.pop("seat")
    return frame.assign(seat_id=[f"{who}-{place}" for who, place in zip(frame["customer"], seat, strict=True)])


def _surveys(company: Company) -> pd.DataFrame:
    frame = company.ledger.frame("surveys")
    frame["reason"] = frame["reason"].where(frame["reason"] != "")
    ends = company.ledger.frame("ends")
    asked = ends[ends["asked_at"] != -1].reset_index(drop=True)
    chance = company.chance["late"]
    answered = chance.random(len(asked)) < 0.5
    exits = pd.DataFrame(
        {
            "survey_id": [f"EXIT-{number:06d}" for number in asked["customer"]],
            "customer": asked["customer"],
            "kind": "exit",
            "asked_at": asked["asked_at"] + 3600,
            "answered_at": np.where(answered, asked["asked_at"] + 3600 + chance.integers(60, DAY, len(asked)), -1),
            "reason": pd.Series(
                np.array(["price", "quality", "no need", "service"])[chance.integers(0, 4, len(asked))]
            ),
        }
    )
    return pd.concat([frame, exits], ignore_index=True)


def _loyalty(company: Company) -> pd.DataFrame:
    people = company.people
    joined = np.flatnonzero(people.joins_loyalty & (people.signup < company.weeks))
    first = pd.DataFrame(
        {
            "customer": joined,
            "moved_at": np.maximum(people.signup[joined], -52) * WEEK + 9 * 3600 + 60,
            "kind": "joined",
            "expires_at": -1,
        }
    )
    return pd.concat([first, _until_they_left(company, company.ledger.frame("loyalty"), "moved_at")], ignore_index=True)


def _onboarding(company: Company) -> pd.DataFrame:
    starts, chance = company.ledger.frame("starts"), company.chance["late"]
    parts = []
    for place, step in enumerate(STEPS):
        done = starts["started_at"] + (chance.exponential(5 * (place + 1), len(starts)) * DAY).astype(int)
        ended = starts["customer"].map(pd.Series(company.end_second))
        never = (chance.random(len(starts)) < 0.15) | (done > ended)
        parts.append(
            pd.DataFrame(
                {
                    "customer": starts["customer"],
                    "step": step,
                    "assigned_at": starts["started_at"] + 120,
                    "first_value": place == 2,
                    "completed_at": np.where(never, -1, done),
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def _incidents(company: Company) -> pd.DataFrame:
    frame = company.ledger.frame("incidents")
    plan = np.array(PLANS)[frame.pop("item")]
    return frame.assign(incident_id=[f"INC-{number:05d}" for number in range(len(frame))], plan=plan)


def _competitors(company: Company) -> pd.DataFrame:
    seen = pd.DataFrame(company.market.seen, columns=["week", "competitor", "item", "price", "new"])
    plan = seen["item"] < len(PLANS)
    product = (seen["item"] - len(PLANS)).clip(lower=0)
    return pd.DataFrame(
        {
            "competitor": np.array(COMPETITORS)[seen["competitor"]],
            "competitor_item": [f"item {number}" for number in seen["item"]],
            "product_id": pd.Series([f"P-{number:02d}" for number in product]).where(~plan),
            "plan": pd.Series(np.array(PLANS)[seen["item"].clip(upper=len(PLANS) - 1)]).where(plan),
            "observed_at": seen["week"] * WEEK + 6 * 3600,
            "price": seen["price"],
        }
    )


def _treatments(company: Company) -> pd.DataFrame:
    frame = company.ledger.frame("treatments")
    return frame.assign(treatment_id=[f"T-{number:06d}" for number in range(len(frame))])


_MAKERS: dict[str, Callable[[Company], pd.DataFrame]] = {
    "customers": _customers,
    "orders": _plain("orders", "ordered_at"),
    "order_lines": _order_lines,
    "subscriptions": subscriptions,
    "subscription_changes": _changes,
    "invoices": _invoices,
    "payments": _payments,
    "payment_methods": _methods,
    "support_contacts": _plain("support_contacts", "opened_at"),
    "usage": _usage,
    "content_views": _plain("content_views", "viewed_at"),
    "surveys": _surveys,
    "messages": _plain("messages", "sent_at"),
    "loyalty": _loyalty,
    "onboarding_steps": _onboarding,
    "incidents": _incidents,
    "competitor_prices": _competitors,
    "treatments": _treatments,
}
