"""Contracts that run on until somebody ends them, and what changed in them."""

from __future__ import annotations

from features.contract import CURRENCY, Column, Table

SUBSCRIPTIONS = Table(
    name="subscriptions",
    grain="one row per subscription and version of it",
    key=("subscription_id",),
    happened_at="started_at",
    lasts=True,
    ends="ended_at",
    columns=(
        Column(name="subscription_id", kind="text", meaning="the subscription's number"),
        Column(name="customer_id", kind="text", meaning="whose it is"),
        Column(name="started_at", kind="timestamp", meaning="when it began, trial included"),
        Column(name="plan", kind="text", meaning="the plan, as of this version", null="not recorded"),
        Column(
            name="mrr",
            kind="money",
            meaning="recurring revenue of one month, as of this version; 0 for a free plan",
            unit="currency",
            null="not recorded: what it brings is unknown",
            at_least=0,
            divided=True,
        ),
        Column(
            name="seats",
            kind="integer",
            meaning="seats paid for, as of this version",
            unit="seats",
            null="not sold by seat",
        ),
        Column(name="trial_ends_at", kind="timestamp", meaning="when the free trial ends", null="no trial"),
        Column(
            name="term_started_at",
            kind="timestamp",
            state=("days_since_term_start",),
            meaning="when the current term began, by start or renewal",
            null="as started_at",
        ),
        Column(
            name="renews_at",
            kind="timestamp",
            state=("months_to_renewal",),
            meaning="when the current term ends",
            null="no fixed term",
        ),
        Column(
            name="auto_renew",
            kind="boolean",
            state=("auto_renew_off",),
            meaning="whether it renews by itself",
            null="not recorded: taken as yes",
        ),
        Column(
            name="cancel_requested_at",
            kind="timestamp",
            meaning="when the customer gave notice",
            known_at="cancel_requested_at",
            null="no notice, as far as was known",
        ),
        Column(
            name="ended_at",
            kind="timestamp",
            meaning="when it ended",
            known_at="ended_at",
            null="running, as far as was known",
        ),
        Column(
            name="end_reason",
            kind="text",
            meaning="why it ended, as a code",
            known_at="ended_at",
            null="running, or not recorded",
            code=True,
        ),
        CURRENCY,
    ),
)

SUBSCRIPTION_CHANGES = Table(
    name="subscription_changes",
    grain="one row per change of a subscription",
    key=(),
    happened_at="changed_at",
    columns=(
        Column(name="subscription_id", kind="text", meaning="the subscription that changed"),
        Column(name="customer_id", kind="text", meaning="whose it is"),
        Column(name="changed_at", kind="timestamp", meaning="when the change took hold"),
        Column(
            name="kind",
            kind="text",
            meaning="what changed",
            choices=("plan", "seats", "price", "discount_start", "discount_end", "pause", "resume"),
        ),
        Column(name="plan", kind="text", meaning="the plan from then on", null="as before"),
        Column(name="seats", kind="integer", meaning="seats from then on", unit="seats", null="as before"),
        Column(
            name="mrr_before",
            kind="money",
            meaning="recurring revenue of one month until then",
            unit="currency",
            null="as mrr_after",
            at_least=0,
            divided=True,
        ),
        Column(
            name="mrr_after",
            kind="money",
            meaning="recurring revenue of one month from then on",
            unit="currency",
            null="unchanged; of a pause: nothing until it is taken up again",
            at_least=0,
            divided=True,
        ),
        CURRENCY,
    ),
)
