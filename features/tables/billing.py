"""What was charged, how it was paid, and with what."""

from __future__ import annotations

from features.contract import CURRENCY, Column, Table

INVOICES = Table(
    name="invoices",
    grain="one row per invoice or credit note and version of it",
    key=("invoice_id",),
    happened_at="issued_at",
    credit="amount",
    columns=(
        Column(name="invoice_id", kind="text", meaning="the invoice's number"),
        Column(name="customer_id", kind="text", meaning="who is to pay"),
        Column(name="subscription_id", kind="text", meaning="the subscription it is for", null="not for one"),
        Column(name="issued_at", kind="timestamp", meaning="when it was sent"),
        Column(name="amount", kind="money", meaning="what it asks for; below zero for a credit note", unit="currency"),
        Column(
            name="extraordinary",
            kind="boolean",
            meaning="whether it asks for something beside the usual: a fee, an overage, a repair",
            null="not recorded: taken as no",
        ),
        Column(name="due_at", kind="timestamp", meaning="when it is to be paid", null="no date: never overdue"),
        Column(
            name="paid_at",
            kind="timestamp",
            meaning="when it was paid in full",
            known_at="paid_at",
            null="not paid, as far as was known",
        ),
        Column(
            name="voided_at",
            kind="timestamp",
            meaning="when it was withdrawn",
            known_at="voided_at",
            null="stands, as far as was known",
        ),
        Column(
            name="written_off_at",
            kind="timestamp",
            meaning="when it was given up",
            known_at="written_off_at",
            null="not given up, as far as was known",
        ),
        CURRENCY,
    ),
)

PAYMENTS = Table(
    name="payments",
    grain="one row per attempt to take a payment",
    key=("payment_id",),
    happened_at="attempted_at",
    columns=(
        Column(name="payment_id", kind="text", meaning="the attempt's number", made_when_absent=True),
        Column(name="customer_id", kind="text", meaning="who pays"),
        Column(name="invoice_id", kind="text", meaning="the invoice to be paid", null="not recorded"),
        Column(name="method_id", kind="text", meaning="the payment method tried", null="not recorded"),
        Column(name="attempted_at", kind="timestamp", meaning="when it was tried"),
        Column(name="amount", kind="money", meaning="how much was asked for", unit="currency", null="not recorded"),
        Column(name="succeeded", kind="boolean", meaning="whether the money came"),
        Column(
            name="failure_code",
            kind="text",
            meaning="why it failed, as the bank says",
            null="it did not fail",
            code=True,
        ),
        Column(
            name="failure_kind",
            kind="text",
            meaning="hard: trying again is useless (card expired or stolen, account closed); soft: it may work later",
            null="it did not fail, or not recorded",
            choices=("hard", "soft"),
        ),
        Column(name="retry_at", kind="timestamp", meaning="when it will be tried again", null="no retry planned"),
        CURRENCY,
    ),
)

_CARD = ("card_expired", "days_until_card_expires", "card_expires_before_horizon", "backup_payment_method")

PAYMENT_METHODS = Table(
    name="payment_methods",
    grain="one row per payment method and version of it",
    key=("method_id",),
    happened_at="added_at",
    lasts=True,
    ends="removed_at",
    columns=(
        Column(name="method_id", kind="text", meaning="the method's id"),
        Column(name="customer_id", kind="text", meaning="whose it is"),
        Column(name="added_at", kind="timestamp", meaning="when it was stored"),
        Column(name="kind", kind="text", meaning="card, direct debit and so on", null="not recorded"),
        Column(
            name="expires_at", kind="timestamp", state=_CARD, meaning="when it stops working", null="does not expire"
        ),
        Column(
            name="is_default",
            kind="boolean",
            state=_CARD,
            meaning="whether it is the one that pays",
            null="not recorded: taken as yes",
        ),
        Column(
            name="removed_at",
            kind="timestamp",
            meaning="when it was taken away",
            known_at="removed_at",
            null="there, as far as was known",
        ),
    ),
)
