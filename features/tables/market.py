"""What befell products and plans, and what competitors ask for theirs. No customer is named here."""

from __future__ import annotations

from features.contract import CURRENCY, Column, Table

INCIDENTS = Table(
    name="incidents",
    grain="one row per incident that touched a product or a plan",
    key=("incident_id",),
    happened_at="started_at",
    columns=(
        Column(name="incident_id", kind="text", meaning="the incident's number", made_when_absent=True),
        Column(name="product_id", kind="text", meaning="the product it touched", null="no single product"),
        Column(name="plan", kind="text", meaning="the plan it touched", null="no single plan"),
        Column(name="started_at", kind="timestamp", meaning="when it began"),
        Column(
            name="ended_at",
            kind="timestamp",
            meaning="when it was over",
            known_at="ended_at",
            null="going on, as far as was known",
        ),
        Column(name="severity", kind="integer", meaning="how bad, 1 the least", unit="level", null="not recorded"),
    ),
)

COMPETITOR_PRICES = Table(
    name="competitor_prices",
    grain="one row per price seen at a competitor",
    key=(),
    happened_at="observed_at",
    columns=(
        Column(name="competitor", kind="text", meaning="whose price it is"),
        Column(name="competitor_item", kind="text", meaning="what the competitor calls its product or plan"),
        Column(name="product_id", kind="text", meaning="our equivalent product", null="equivalent to no product"),
        Column(name="plan", kind="text", meaning="our equivalent plan", null="equivalent to no plan"),
        Column(name="observed_at", kind="timestamp", meaning="when it was seen"),
        Column(
            name="price",
            kind="money",
            meaning="for one piece of a product, for one month and seat of a plan",
            unit="currency",
        ),
        CURRENCY,
    ),
)
