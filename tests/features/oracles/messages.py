"""The message indicators in plain Python."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tests.features.oracles.known import Row, age, own, ratio, standing_orders
from tests.features.oracles.vantage import lookbacks


def expected(view: Mapping[str, list[Row]], customers: Sequence[str]) -> dict[str, Row]:
    return {customer: _one(mine, customer) for customer, mine in own(view, customers).items()}


def _one(view: Mapping[str, list[Row]], customer: str) -> Row:
    messages = [row for row in view["messages"] if row["customer_id"] == customer]
    result: Row = {
        "days_since_last_open": min((age(row["opened_at"]) for row in messages if row["opened_at"]), default=None),
        "unsubscribed": int(any(row["unsubscribed_at"] for row in messages)),
    }
    for span in lookbacks():
        recent = [row for row in messages if age(row["sent_at"]) <= span]
        before = [row for row in messages if span < age(row["sent_at"]) <= 2 * span]
        templates = [row["template"] for row in recent if row["template"] is not None]
        result |= {
            f"messages_{span}d": len(recent),
            f"emails_{span}d": sum(row["channel"] == "email" for row in recent),
            f"sms_{span}d": sum(row["channel"] == "sms" for row in recent),
            f"push_messages_{span}d": sum(row["channel"] == "push" for row in recent),
            f"reminders_{span}d": sum(row["kind"] == "reminder" for row in recent),
            f"messages_change_{span}d": len(recent) - len(before),
            f"repeated_template_share_{span}d": 1 - len(set(templates)) / len(templates) if templates else None,
            f"prospect_message_share_{span}d": ratio(
                sum(bool(r["also_sent_to_prospects"]) for r in recent), len(recent)
            ),
        }
        for name, clock in (("open", "opened_at"), ("click", "clicked_at")):
            rate, earlier = (ratio(sum(bool(r[clock]) for r in rows), len(rows)) for rows in (recent, before))
            result[f"{name}_rate_{span}d"] = rate
            result[f"{name}_rate_change_{span}d"] = None if rate is None or earlier is None else rate - earlier
        if "orders" in view or "order_lines" in view:
            orders = [r for r in standing_orders(view) if r["customer_id"] == customer and age(r["ordered_at"]) <= span]
            result[f"messages_per_order_{span}d"] = ratio(len(recent), len(orders))
    return result
