"""What customers did with the product and the brand's content."""

from __future__ import annotations

from features.contract import Column, Table

USAGE = Table(
    name="usage",
    grain="one row per use of a feature",
    key=(),
    happened_at="used_at",
    columns=(
        Column(name="customer_id", kind="text", meaning="whose use it is"),
        Column(name="used_at", kind="timestamp", meaning="when"),
        Column(name="feature", kind="text", meaning="what was used", null="not recorded"),
        Column(name="seat_id", kind="text", meaning="who of the customer's people it was", null="not recorded"),
        Column(
            name="quantity", kind="number", meaning="how much was used", unit="units of the product", null="taken as 1"
        ),
        Column(
            name="errors", kind="integer", meaning="how often it failed", unit="errors", null="none, or not recorded"
        ),
    ),
)

CONTENT_VIEWS = Table(
    name="content_views",
    grain="one row per look at the shop or at the brand's content",
    key=(),
    happened_at="viewed_at",
    columns=(
        Column(name="customer_id", kind="text", meaning="who looked"),
        Column(name="viewed_at", kind="timestamp", meaning="when"),
        Column(
            name="kind",
            kind="text",
            meaning="content read, shop visited, article put on the wish list, basket left behind",
            choices=("content", "visit", "wish_list", "basket_left"),
        ),
        Column(name="content_id", kind="text", meaning="what was looked at", null="not recorded"),
    ),
)

ONBOARDING_STEPS = Table(
    name="onboarding_steps",
    grain="one row per customer and step of the introduction",
    key=("customer_id", "step"),
    happened_at="assigned_at",
    lasts=True,
    columns=(
        Column(name="customer_id", kind="text", meaning="whose step it is"),
        Column(name="step", kind="text", meaning="the step's name"),
        Column(name="assigned_at", kind="timestamp", meaning="when the customer was shown it"),
        Column(
            name="first_value",
            kind="boolean",
            meaning="whether with this step the product first proves its worth",
            null="not recorded: taken as no",
        ),
        Column(
            name="completed_at",
            kind="timestamp",
            meaning="when the customer had done it",
            known_at="completed_at",
            null="not done, as far as was known",
        ),
    ),
)
