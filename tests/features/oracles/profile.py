"""The profile indicators in plain Python."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from tests.features.oracles.known import Row, age, local_date
from tests.features.oracles.vantage import here

COLUMNS = ("country", "acquisition_channel", "value_tier", "gender", "signup_cohort", "days_since_signup", "age_years")


def expected(view: Mapping[str, list[Row]], customers: Sequence[str]) -> dict[str, Row]:
    known = {row["customer_id"]: _one(row) for row in view["customers"]}
    return {customer: known.get(customer, dict.fromkeys(COLUMNS)) for customer in customers}


def _one(row: Row) -> Row:
    return {name: row[name] for name in COLUMNS[:4]} | {
        "signup_cohort": local_date(row["signed_up_at"]).isoformat()[:7],
        "days_since_signup": age(row["signed_up_at"]),
        "age_years": None if row["born_at"] is None else _years(local_date(row["born_at"])),
    }


def _years(born: date) -> int:
    day = here().day
    return day.year - born.year - ((born.month, born.day) > (day.month, day.day))
