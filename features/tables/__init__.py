"""The tables that the product reads. A new table comes in by being declared in this room and listed here."""

from __future__ import annotations

from features.contract import Table
from features.tables.billing import INVOICES, PAYMENT_METHODS, PAYMENTS
from features.tables.contact import MESSAGES, SUPPORT_CONTACTS, SURVEYS
from features.tables.customers import CUSTOMERS
from features.tables.loyalty import LOYALTY
from features.tables.market import COMPETITOR_PRICES, INCIDENTS
from features.tables.orders import ORDER_LINES, ORDERS
from features.tables.product_use import CONTENT_VIEWS, ONBOARDING_STEPS, USAGE
from features.tables.subscriptions import SUBSCRIPTION_CHANGES, SUBSCRIPTIONS
from features.tables.treatments import TREATMENTS

TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        CUSTOMERS,
        ORDERS,
        ORDER_LINES,
        SUBSCRIPTIONS,
        SUBSCRIPTION_CHANGES,
        INVOICES,
        PAYMENTS,
        PAYMENT_METHODS,
        SUPPORT_CONTACTS,
        USAGE,
        CONTENT_VIEWS,
        SURVEYS,
        MESSAGES,
        LOYALTY,
        ONBOARDING_STEPS,
        INCIDENTS,
        COMPETITOR_PRICES,
        TREATMENTS,
    )
}
