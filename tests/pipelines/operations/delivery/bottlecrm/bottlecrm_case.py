"""Literal records as the delivery hands them to BottleCRM, the fake one and the real one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipelines.foundation.settings.delivered_fields import FIELDS
from pipelines.foundation.settings.destinations import BottleCrm
from pipelines.operations.delivery.connector import Record, Value

HIGH: dict[str, Value] = {
    "churn_probability": 0.8123456789012345,
    "churn_risk_band": "high",
    "previous_risk_band": "medium",
    "risk_trend": "rising",
    "reason_1": "no order for 94 days, usually every 21 days",
    "reason_1_code": "buying_rhythm",
    "reason_2": "dernière commande il y a 1\u202f000 jours",
    "reason_2_code": "recency",
    "reason_3": None,
    "reason_3_code": None,
    "recommended_play": "Call, and offer 10 %",
    "recommended_play_code": "call_offer",
    "value_at_risk": 1234.5,
    "currency": "EUR",
    "horizon_days": 90,
    "model_version": "aaaaaaaaaaaa",
    "scored_at": "2024-07-01T06:00:00+00:00",
    "data_as_of": "2024-06-30",
    "valid_until": "2024-07-31",
    "run_id": "run-1",
    "treatment_group": "treatment",
    "suppressed": False,
    "suppressed_why": None,
}
LOW: dict[str, Value] = HIGH | {
    "churn_probability": 0.05,
    "churn_risk_band": "low",
    "recommended_play": None,
    "recommended_play_code": None,
}
WITHDRAWN: dict[str, Value] = dict.fromkeys(FIELDS) | {"suppressed": True, "suppressed_why": "withdrew consent"}


def record(external_id: str, values: Mapping[str, Value] = HIGH, **changes: Value) -> Record:
    return Record(external_id, {**values, **changes})


def plan(address: str, **changes: Any) -> BottleCrm:
    return BottleCrm(kind="bottlecrm", name="crm", address=address, **changes)
