"""The usage indicators in plain Python."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tests.features.oracles.known import Row, age, exact, local_date, own, ratio
from tests.features.oracles.subscriptions import running
from tests.features.oracles.vantage import lookbacks


def expected(view: Mapping[str, list[Row]], customers: Sequence[str]) -> dict[str, Row]:
    return {customer: _use(mine, customer) | _steps(mine, customer) for customer, mine in own(view, customers).items()}


def _use(view: Mapping[str, list[Row]], customer: str) -> Row:
    uses = [row for row in view["usage"] if row["customer_id"] == customer]
    seats = [row["seats"] for row in running(view) if row["customer_id"] == customer and row["seats"] is not None]
    result: Row = {"days_since_last_use": min((age(row["used_at"]) for row in uses), default=None)}
    for span in lookbacks():
        recent = [row for row in uses if age(row["used_at"]) <= span]
        before = [row for row in uses if span < age(row["used_at"]) <= 2 * span]
        days, days_before = (len({local_date(row["used_at"]) for row in rows}) for rows in (recent, before))
        amount, amount_before = (
            sum(exact(1 if row["quantity"] is None else row["quantity"]) for row in rows) for rows in (recent, before)
        )
        people = {row["seat_id"] for row in recent} - {None}
        result |= {
            f"usage_days_{span}d": days,
            f"usage_days_change_{span}d": days - days_before,
            f"usage_events_{span}d": len(recent),
            f"usage_quantity_{span}d": float(amount),
            f"usage_quantity_change_{span}d": float(amount - amount_before),
            f"features_used_{span}d": len({row["feature"] for row in recent} - {None}),
            f"usage_error_rate_{span}d": ratio(sum(bool(row["errors"]) for row in recent), len(recent)),
            f"seats_used_share_{span}d": ratio(len(people), sum(seats)),
        }
    return result


def _steps(view: Mapping[str, list[Row]], customer: str) -> Row:
    steps = [row for row in view["onboarding_steps"] if row["customer_id"] == customer]
    proved = [local_date(row["completed_at"]) for row in steps if row["first_value"] and row["completed_at"]]
    begun = [local_date(row["assigned_at"]) for row in steps]
    return {
        "onboarding_done_share": ratio(sum(bool(row["completed_at"]) for row in steps), len(steps)),
        "days_to_first_value": (min(proved) - min(begun)).days if proved else None,
    }
