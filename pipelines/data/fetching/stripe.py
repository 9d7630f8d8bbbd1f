"""Stripe's API: what its lists hold, as far as the queries of the layout stripe-api read it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from features.errors import DataError, SettingsError
from pipelines.data.fetching.api import Page, RefusedError, reduced, tree_of
from pipelines.data.fetching.calls import Calls, Say, key_of
from pipelines.data.fetching.fetched_files import lines_of
from pipelines.foundation.settings.fetches import StripeFetch

if TYPE_CHECKING:
    from dlt.sources.helpers.rest_client.paginators import BasePaginator

KEY = "ATTRITION_STRIPE_KEY"
VERSION = "2026-10-28.endive"  # newest when this was written; of the release of 2026-09-30. Events keep the account's
_MOST, _GONE = 100, 404  # objects of a page; no such customer

_COUPON = "id percent_off amount_off currency duration applies_to.products"
_DISCOUNT = "id start end subscription subscription_item customer source.coupon coupon.id"
_PRICE = (
    "id product nickname currency unit_amount unit_amount_decimal billing_scheme recurring.interval "
    "recurring.interval_count recurring.usage_type transform_quantity.divide_by transform_quantity.round "
    # As plans, in events of accounts with an older version:
    "amount amount_decimal interval interval_count usage_type transform_usage.divide_by transform_usage.round"
)


def _below(place: str, names: str) -> str:
    return " ".join(f"{place}.{name}" for name in names.split())


_SUBSCRIPTION = " ".join((
    "id created start_date customer status currency ended_at canceled_at cancel_at cancel_at_period_end trial_end",
    "cancellation_details.reason pause_collection.behavior default_payment_method quantity",
    "current_period_start current_period_end",
    _below("discounts", _DISCOUNT),
    _below("discount", _DISCOUNT),
    _below("plan", _PRICE),
    _below("items.data", "id quantity current_period_start current_period_end"),
    _below("items.data.discounts", _DISCOUNT),
    _below("items.data.price", _PRICE),
    _below("items.data.plan", _PRICE),
))  # fmt: skip

# What is written of each object; names, addresses and numbers of cards are not.
_FIELDS = {
    "customers": "id created email address.country invoice_settings.default_payment_method default_source "
    + _below("discount", _DISCOUNT),
    "coupons": _COUPON,
    "subscriptions": _SUBSCRIPTION,
    "invoices": "id customer subscription currency total due_date status payment_intent charge "
    "parent.subscription_details.subscription status_transitions payments.data.payment",
    "charges": "id customer created amount currency status captured payment_intent payment_method invoice failure_code "
    "outcome.type outcome.reason outcome.advice_code",
    "credit_notes": "id customer invoice created currency total voided_at refunds.refund refunds.amount_refunded",
    "refunds": "id charge payment_intent created amount currency status",
    "events": " ".join((
        "id type created",
        _below("data.object", f"{_SUBSCRIPTION} {_DISCOUNT}"),
        _below("data.previous_attributes", _SUBSCRIPTION),
    )),
    "payment_methods": "id customer created type card.exp_month card.exp_year",
}  # fmt: skip
_TREES = {name: tree_of(fields) for name, fields in _FIELDS.items()}

_ASKED: dict[str, dict[str, Any]] = {
    "customers": {},
    "coupons": {"expand[]": ["data.applies_to"]},
    "subscriptions": {"status": "all", "expand[]": ["data.discounts", "data.items.data.discounts"]},
    "invoices": {"expand[]": ["data.payments"]},
    "charges": {},
    "credit_notes": {},
    "refunds": {},
    "events": {
        "types[]": [
            "customer.subscription.updated",
            "customer.discount.created",
            "customer.discount.updated",
            "customer.discount.deleted",
        ]
    },
}


class Stripe:
    """One account. See `pipelines.data.fetching.api.Api`."""

    system = "Stripe"
    resources: Sequence[str] = tuple(_FIELDS)

    def __init__(self, settings: StripeFetch, say: Say) -> None:
        self._settings, key = settings, key_of(KEY, system=self.system)
        if key.startswith("pk_"):
            raise SettingsError(
                f"{KEY} holds a publishable key, which may read nothing; take a restricted one (rk_...)"
            )
        if key.startswith("sk_"):
            say("the key of Stripe may do everything there; a restricted one (rk_...) that may only read is enough")
        self.identity = (settings.address, VERSION, str(settings.payment_methods), key)
        self._calls = Calls(
            system=self.system,
            address=settings.address,
            variable=KEY,
            key=key,
            headers={"Stripe-Version": VERSION},
            settings=settings,
            say=say,
            wanted="Stripe-Should-Retry",
        )

    def pages(self, resource: str, after: str | None, folder: Path) -> Iterator[Page]:
        """The pages of a list, newest objects first; payment methods customer by customer, each a page."""
        if resource == "payment_methods":
            yield from self._payment_methods(after, folder)
            return
        for objects in self._list(f"/v1/{resource}", _ASKED[resource], what=resource, after=after):
            if objects:
                yield Page([reduced(each, _TREES[resource]) for each in objects], objects[-1]["id"])

    def close(self) -> None:
        self._calls.close()

    def _payment_methods(self, after: str | None, folder: Path) -> Iterator[Page]:
        """Of every customer who ever subscribed: of those who left, too, or having none would tell that they did."""
        if not self._settings.payment_methods:
            return
        subscriptions = (json.loads(each) for each in lines_of(folder, "subscriptions"))
        for customer in sorted({each["customer"] for each in subscriptions}):
            if after is not None and customer <= after:
                continue
            found: list[dict[str, Any]] = []
            try:
                for objects in self._list(
                    f"/v1/customers/{quote(customer)}/payment_methods", {}, what="payment methods"
                ):
                    found += objects
            except RefusedError as refused:
                if refused.status != _GONE:  # a customer who was deleted has none
                    raise
            yield Page([reduced(each, _TREES["payment_methods"]) for each in found], customer)

    def _list(
        self, path: str, asked: dict[str, Any], *, what: str, after: str | None = None
    ) -> Iterator[list[dict[str, Any]]]:
        params = {"limit": _MOST, **asked} | ({} if after is None else {"starting_after": after})
        return self._calls.pages(path, params, what=what, paginator=_starting_after())


def connected(settings: StripeFetch, say: Say) -> Stripe:
    """The account that the key in the environment opens. Raises: SettingsError where there is no such key."""
    return Stripe(settings, say)


def _starting_after() -> BasePaginator:
    """The next page begins behind the last object of this one."""
    from dlt.sources.helpers.rest_client.paginators import BasePaginator

    class StartingAfter(BasePaginator):
        def update_state(self, response: Any, _data: list[Any] | None = None) -> None:
            body = response.json()
            listed = body.get("data") if isinstance(body, dict) else None
            if not isinstance(listed, list) or not all(isinstance(each, dict) and each.get("id") for each in listed):
                raise DataError("Stripe answered with no list of objects; see whether `address` is its API")
            self._last = listed[-1]["id"] if listed else None
            self._has_next_page = bool(listed and body.get("has_more"))

        def update_request(self, request: Any) -> None:
            if self._has_next_page:
                request.params = {**(request.params or {}), "starting_after": self._last}

    return StartingAfter()
