"""The headings of the exports of Stripe's dashboard, also those that no query reads."""

from __future__ import annotations

SUBSCRIPTIONS = (
    "id", "Customer ID", "Customer Description", "Customer Email", "Plan", "Product", "Quantity", "Interval", "Amount",
    "Status", "Created (UTC)", "Start (UTC)", "Start Date (UTC)", "Current Period Start (UTC)",
    "Current Period End (UTC)", "Trial Start (UTC)", "Trial End (UTC)", "Application Fee Percent", "Coupon",
    "Tax Percent", "Canceled At (UTC)", "Cancel At Period End", "Ended At (UTC)", "Customer Name",
    "Cancellation Reason", "Currency", "contract (metadata)",
)  # fmt: skip
PAYMENTS = (
    "id", "Created date (UTC)", "Amount", "Amount Refunded", "Currency", "Captured", "Converted Amount",
    "Converted Amount Refunded", "Converted Currency", "Decline Reason", "Description", "Fee", "Refunded date (UTC)",
    "Statement Descriptor", "Status", "Seller Message", "Taxes On Fee", "Card ID", "Customer ID",
    "Customer Description", "Customer Email", "Invoice ID", "Transfer",
)  # fmt: skip
INVOICES = (
    "id", "Amount Due", "Amount Paid", "Billing", "Charge", "Closed", "Currency", "Customer", "Customer Name",
    "Date (UTC)", "Description", "Due Date (UTC)", "Number", "Paid", "Subscription", "Subtotal",
    "Total Discount Amount", "Applied Coupons", "Tax", "Tax Percent", "Total", "Status", "Finalized At (UTC)",
    "Paid At (UTC)", "Voided At (UTC)", "Marked Uncollectible At (UTC)", "Period Start (UTC)", "Period End (UTC)",
    "Minimum Line Item Period Start (UTC)", "Maximum Line Item Period End (UTC)",
)  # fmt: skip
CUSTOMERS = ("id", "Description", "Email", "Name", "Created (UTC)", "Card ID", "Delinquent", "Total Spend")
