"""The simulated subscriptions with every version that the company's system kept of them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pipelines.foundation.simulation.company import Company
from pipelines.foundation.simulation.ledger import WEEK
from pipelines.foundation.simulation.people import PLANS


def subscriptions(company: Company) -> pd.DataFrame:
    """One row per subscription and version: at the start, at each renewal, and when automatic renewal was switched."""
    ledger, people = company.ledger, company.people
    starts = ledger.frame("starts").rename(columns={"plan": "plan_number"})
    ends = ledger.frame("ends").set_index("customer")
    starts["subscription_id"] = [f"S-{number:06d}" for number in starts["customer"]]
    starts["plan"] = np.array(PLANS)[starts["plan_number"]]
    for ours, theirs in (("cancel_requested_at", "asked_at"), ("ended_at", "ended_at")):
        starts[ours] = starts["customer"].map(ends[theirs]).fillna(-1)
    starts["end_reason"] = starts["customer"].map(ends["reason"])
    yearly = people.yearly[starts["customer"]]
    starts["trial_ends_at"] = np.where(people.trial[starts["customer"]], starts["started_at"] + 2 * WEEK, -1)
    starts["term_started_at"] = starts["started_at"]
    starts["renews_at"] = np.where(yearly, starts["started_at"] + 52 * WEEK, -1)
    starts["known_at"] = starts["started_at"]
    renewals = ledger.frame("renewals").rename(columns={"renewed_at": "known_at"})
    flips = ledger.frame("auto_renew").rename(columns={"changed_at": "known_at"})
    news = pd.concat([renewals.assign(renewed=True), flips.assign(renewed=False)])
    versions = news.merge(starts.drop(columns=["known_at", "auto_renew"]), on="customer", how="inner")
    versions["term_started_at"] = versions["known_at"].where(versions["renewed"])
    versions["renews_at"] = (versions["known_at"] + 52 * WEEK).where(versions["renewed"])
    every = pd.concat([starts, versions]).sort_values(["customer", "known_at"], kind="stable", ignore_index=True)
    # What a version does not change, it carries on.
    carried = every.groupby("customer")[["auto_renew", "term_started_at", "renews_at"]].ffill()
    every[["term_started_at", "renews_at"]] = carried[["term_started_at", "renews_at"]]
    every["auto_renew"] = carried["auto_renew"].astype(bool)
    second = starts[starts["customer"] % 20 == 0].copy()
    second["subscription_id"] += "-B"
    second["started_at"] = second["known_at"] = second["term_started_at"] = second["started_at"] + 20 * WEEK
    second = second[(second["ended_at"] == -1) | (second["ended_at"] > second["started_at"])]
    second = second.assign(plan=PLANS[0], mrr=19.0, seats=1, trial_ends_at=-1, renews_at=-1)
    return pd.concat([every[every["known_at"] >= every["started_at"]], second], ignore_index=True)
