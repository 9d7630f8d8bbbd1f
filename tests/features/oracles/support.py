"""The support indicators in plain Python."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from statistics import fmean

from tests.features.oracles.known import Row, age, exact, local_date, own, ratio
from tests.features.oracles.vantage import lookbacks


def expected(view: Mapping[str, list[Row]], customers: Sequence[str]) -> dict[str, Row]:
    return {customer: _one(mine["support_contacts"]) for customer, mine in own(view, customers).items()}


def _hours(start: datetime, end: datetime) -> float:
    return (end.replace(microsecond=0) - start.replace(microsecond=0)).total_seconds() / 3600


def _one(contacts: list[Row]) -> Row:
    ages = [age(row["opened_at"]) for row in contacts]
    result: Row = {
        "days_since_last_support_contact": min(ages, default=None),
        "support_contacts_open": sum(
            row["resolved_at"] is None or (row["reopened_at"] is not None and row["reopened_at"] > row["resolved_at"])
            for row in contacts
        ),
    }
    for span in lookbacks():
        recent = [row for row in contacts if age(row["opened_at"]) <= span]
        older = [old for old in ages if old > span]
        usual = len(older) / (max(ages) - span) * span if older else None
        answered = [_hours(row["opened_at"], row["first_response_at"]) for row in recent if row["first_response_at"]]
        resolved = [_hours(row["opened_at"], row["resolved_at"]) for row in recent if row["resolved_at"]]
        marks = [
            exact(row["csat"])
            for row in contacts
            if row["csat_at"] and row["csat"] is not None and age(row["csat_at"]) <= span
        ]
        result |= {
            f"support_contacts_{span}d": len(recent),
            f"support_channels_{span}d": len({row["channel"] for row in recent} - {None}),
            f"support_contacts_change_{span}d": len(recent) - sum(span < old <= 2 * span for old in ages),
            f"support_contacts_over_usual_{span}d": ratio(len(recent), usual),
            f"hours_to_first_response_{span}d": fmean(answered) if answered else None,
            f"hours_to_resolution_{span}d": fmean(resolved) if resolved else None,
            f"support_reopened_{span}d": sum(
                bool(r["reopened_at"]) and age(r["reopened_at"]) <= span for r in contacts
            ),
            f"same_topic_again_{span}d": sum(_again(row, contacts) for row in recent),
            f"complaints_{span}d": sum(bool(row["complaint"]) for row in recent),
            f"severe_contacts_{span}d": sum((row["severity"] or 0) >= 3 for row in recent),
            f"resolved_without_follow_up_{span}d": sum(
                bool(row["resolved_at"]) and age(row["resolved_at"]) <= span and row["followed_up_at"] is None
                for row in contacts
            ),
            f"support_mark_{span}d": float(sum(marks)) / len(marks) if marks else None,
        }
    return result


def _again(row: Row, contacts: list[Row]) -> bool:
    return row["topic"] is not None and any(
        other["topic"] == row["topic"]
        and other["opened_at"] < row["opened_at"]
        and (local_date(row["opened_at"]) - local_date(other["opened_at"])).days <= 14
        for other in contacts
    )
