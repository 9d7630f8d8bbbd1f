"""The document of `attrition impact` from a workspace's own files; p-values are tried by whoever asks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from tests.models.oracles import impact as effects
from tests.models.oracles.impact import Person
from tests.pipelines.oracles import company
from tests.pipelines.oracles.company import Row

HORIZON, GRACE = 30, 14
GROUPS = ("treatment", "holdout")


def judged(folder: Path, today: date) -> dict[str, list[Row]]:
    """First recommendations by play, with `left` (None: not known, or no outcome), `known`, and what was `done`."""
    rows = company.recommended(folder, until=today)
    outcomes = {day: company.left(folder, date.fromisoformat(day)) for day in company.by(rows, "recommended_on")}
    found = []
    for row in rows:
        day = date.fromisoformat(row["recommended_on"])
        known = day + timedelta(days=HORIZON + GRACE) <= today
        done = [
            each
            for each in company.treatments(folder, first=day, after=day + timedelta(days=HORIZON))
            if (each["customer_id"], each["play"]) == (row["customer_id"], row["play"])
        ]
        left = outcomes[str(day)].get(row["customer_id"]) if known else None
        found.append({**row, "known": known, "left": left, "done": done})
    return dict(sorted(company.by(found, "play").items()))


def persons(rows: Sequence[Row]) -> list[Person]:
    return [
        Person(row["treatment_group"] == GROUPS[0], row["left"], row["churn_probability"], row["value"])
        for row in rows
        if row["left"] is not None
    ]


def figures(parts: Sequence[Sequence[Row]]) -> dict[str, Any]:
    """Of one play or several together, as docs/command-line.md names them; without verdict and p-values."""
    rows = [row for part in parts for row in part]
    told = [row for row in rows if row["left"] is not None]
    counted = {
        "treatment": sum(row["treatment_group"] == "treatment" for row in rows),
        "holdout": sum(row["treatment_group"] == "holdout" for row in rows),
        "unknown": sum(not row["known"] for row in rows),
        "without_outcome": sum(row["known"] and row["left"] is None for row in rows),
    }
    groups = {name: [row for row in told if row["treatment_group"] == name] for name in GROUPS}
    actions = [each for row in groups["treatment"] for each in row["done"]]
    priced = bool(actions) and all(each["cost"] is not None for each in actions)
    cost = sum(each["cost"] for each in actions) if priced else None
    spent = {
        "done": {name: _share(bool(row["done"]) for row in mine) for name, mine in groups.items()},
        "actions": len(actions),
        "cost": cost,
    }
    if not all(groups.values()):
        return counted | spent
    people = [persons(part) for part in parts]
    money = effects.money(people)
    return (
        counted
        | spent
        | {
            "left": {name: sum(row["left"] for row in mine) for name, mine in groups.items()},
            "judged": {name: len(mine) for name, mine in groups.items()},
            "without": effects.without(people),
            "customers": effects.customers(people),
            "detectable": effects.detectable(people),
            "money": money,
            "without_value": sum(row["value"] is None for row in told),
            "net": None if money is None or cost is None else tuple(each - cost for each in money),
        }
    )


def _share(flags: Any) -> float | None:
    found = list(flags)
    return sum(found) / len(found) if found else None
