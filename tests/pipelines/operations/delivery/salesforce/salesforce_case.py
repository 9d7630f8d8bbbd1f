"""A connector to a fake organisation, and the values of one customer as they are sent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pipelines.foundation.settings.delivered_fields import FIELDS
from pipelines.foundation.settings.destinations import Salesforce
from pipelines.operations.delivery.connector import Record, Value
from pipelines.operations.delivery.salesforce.connector import SalesforceConnector
from tests.pipelines.operations.delivery.salesforce.fake_salesforce import FakeSalesforce

VALUES: dict[str, Value] = {
    "churn_probability": 0.1234567890123456,
    "churn_risk_band": "high",
    "previous_risk_band": "low",
    "risk_trend": "rising",
    "reason_1": 'dernière commande il y a 1\u202f000 jours, "=1+1"\nand a second line',
    "reason_1_code": "buying_rhythm",
    "reason_2": "=HYPERLINK(1)",
    "reason_2_code": "tenure",
    "reason_3": "@,;'\\",
    "reason_3_code": "tenure",
    "recommended_play": "call",
    "recommended_play_code": "call",
    "value_at_risk": 1234.56,
    "currency": "EUR",
    "horizon_days": 90,
    "model_version": "aaaaaaaaaaaa",
    "scored_at": "2024-07-01T06:00:00+00:00",
    "data_as_of": "2024-06-30",
    "valid_until": "2024-07-31",
    "run_id": "run-1",
    "treatment_group": "holdout",
    "suppressed": False,
    "suppressed_why": None,
}
assert set(VALUES) == set(FIELDS)

Sleep = Callable[[float], None]


def plan(fake: FakeSalesforce, **settings: Any) -> Salesforce:
    chosen = {"kind": "salesforce", "name": "crm", "address": fake.address, "salesforce_object": fake.org.name}
    return Salesforce.model_validate(chosen | settings)


def connected(
    fake: FakeSalesforce, patch: pytest.MonkeyPatch, *, sleep: Sleep = lambda _: None, **settings: Any
) -> SalesforceConnector:
    """A connector that does not sleep."""
    for name, value in fake.environment.items():
        patch.setenv(name, value)
    return SalesforceConnector(plan(fake, **settings), language="en", sleep=sleep)


def records(count: int, **changes: Value) -> list[Record]:
    return [Record(f"A-{number}", VALUES | changes) for number in range(count)]


def ids(count: int) -> list[str]:
    return [f"A-{number}" for number in range(count)]
