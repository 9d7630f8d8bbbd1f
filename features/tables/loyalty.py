"""The loyalty programme."""

from __future__ import annotations

from features.contract import Column, Table

LOYALTY = Table(
    name="loyalty",
    grain="one row per event of a customer in the loyalty programme",
    key=(),
    happened_at="moved_at",
    columns=(
        Column(name="customer_id", kind="text", meaning="whose account it is"),
        Column(name="moved_at", kind="timestamp", meaning="when"),
        Column(
            name="kind",
            kind="text",
            meaning="what happened: joined, points earned, spent or expired, a reward handed out, left",
            choices=("joined", "earned", "spent", "expired", "reward", "left"),
        ),
        Column(
            name="points",
            kind="number",
            meaning="how many points moved, never below zero: the kind says which way",
            unit="points",
            null="none moved",
        ),
        Column(
            name="expires_at",
            kind="timestamp",
            meaning="when earned points lapse, whether an expired row follows or not; first to lapse is first spent",
            null="they do not",
        ),
    ),
)
