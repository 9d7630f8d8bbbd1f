"""What was already done to keep customers."""

from __future__ import annotations

from features.contract import CURRENCY, Column, Table

TREATMENTS = Table(
    name="treatments",
    grain="one row per retention action taken for a customer",
    key=("treatment_id",),
    happened_at="treated_at",
    columns=(
        Column(name="treatment_id", kind="text", meaning="the action's number", made_when_absent=True),
        Column(name="customer_id", kind="text", meaning="for whom"),
        Column(name="treated_at", kind="timestamp", meaning="when"),
        Column(name="play", kind="text", meaning="which action it was"),
        Column(name="cost", kind="money", meaning="what it cost", unit="currency", null="not recorded"),
        CURRENCY,
    ),
)
