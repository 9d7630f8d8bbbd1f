"""Who the customers are."""

from __future__ import annotations

from features.contract import Column, Table

CUSTOMERS = Table(
    name="customers",
    grain="one row per customer and version of what is known about them",
    key=("customer_id",),
    happened_at="signed_up_at",
    columns=(
        Column(name="customer_id", kind="text", meaning="the customer's id in the company's systems"),
        Column(name="signed_up_at", kind="timestamp", meaning="when the customer became one"),
        Column(name="country", kind="text", meaning="country of residence or seat", null="not recorded"),
        Column(name="acquisition_channel", kind="text", meaning="what brought the customer", null="not recorded"),
        Column(
            name="value_tier",
            kind="text",
            state=("value_tier",),
            meaning="the company's own class of value",
            null="not recorded",
        ),
        Column(name="born_at", kind="timestamp", meaning="date of birth", null="not recorded"),
        Column(name="gender", kind="text", meaning="gender, as the customer gave it", null="not recorded"),
    ),
)
