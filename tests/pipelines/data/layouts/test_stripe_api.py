"""The queries of the layout stripe-api on lists as Stripe's API gives them; `test_fetch` lands what they give."""

from __future__ import annotations

import re
from datetime import datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import duckdb
import pytest

from features.tables import TABLES
from pipelines.data.fetching.api import Page, reduced
from pipelines.data.fetching.fetched_files import FetchedFiles
from pipelines.data.fetching.stripe import _FIELDS, _TREES
from pipelines.data.layouts.layout import layout_of
from tests.pipelines.data.fetching.stripe_case import (
    DAY,
    T,
    card,
    charge,
    coupon,
    credit_note,
    customer,
    discount,
    invoice,
    item,
    price,
    refund,
    subscription,
    updated,
)

Rows = list[dict[str, Any]]
BEGUN = T - 100 * DAY


def fetched(shop: Path, lists: dict[str, list[dict[str, Any]]]) -> None:
    """Lists as a fetch leaves them."""
    files = FetchedFiles.of(shop / "fetched" / "stripe", day="2025-11-25", identity=())
    files.begin()
    for name in _FIELDS:
        objects = [reduced(each, _TREES[name]) for each in lists.get(name, [])]
        files.add(name, files.begin_list(name), Page(objects, ""))
    files.finish({})


def given(tmp_path: Path, table: str, **lists: list[dict[str, Any]]) -> Rows:
    """What the query of a table gives, in the types of its contract; `test_fetch` lands them all."""
    fetched(tmp_path, {"customers": [customer("cus_1", created=BEGUN)]} | lists)
    sql = (layout_of("stripe-api").folder / f"{table}.sql").read_text()
    with duckdb.connect() as connection:
        found = connection.sql(sql.replace("'fetched/", f"'{tmp_path}/fetched/"))
        rows = [dict(zip(found.columns, row, strict=True)) for row in found.fetchall()]
    kinds = {column.name: column.kind for column in TABLES[table].columns} | {"known_at": "timestamp"}
    return [{name: read(value, kinds[name]) for name, value in row.items()} for row in rows]


def read(value: Any, kind: str) -> Any:
    """A text as landing reads it; as it is where it is none of its kind, and the row would be refused."""
    try:
        if value is None or kind == "text":
            return value
        if kind == "boolean":
            return {"true": True, "false": False}[value]
        return Decimal(value) if kind == "money" else at(int(value)) if kind == "timestamp" else int(value)
    except (ValueError, KeyError, InvalidOperation):
        return value


def mrr(tmp_path: Path, *items: dict[str, Any], **more: Any) -> Decimal | str | None:
    """Of one subscription of some prices."""
    lists = {name: more.pop(name) for name in ("coupons", "customers") if name in more}
    of = subscription("sub_1", created=BEGUN, items=list(items), **more)
    (row,) = given(tmp_path, "subscriptions", subscriptions=[of], **lists)
    found: Decimal | str | None = row["mrr"]
    return found


def at(seconds: int) -> datetime:
    return datetime.utcfromtimestamp(seconds)  # noqa: DTZ004 - landed moments are UTC without a mark


@pytest.mark.parametrize(
    ("unit", "given", "right"),
    [
        ("1000", {}, "10"),
        ("1000", {"every": "year"}, "0.8333"),  # 10 / 12
        ("12000", {"every": "year"}, "10"),
        ("1000", {"count": 3}, "3.3333"),
        ("1001", {"count": 2}, "5.005"),
        ("1000", {"every": "week"}, "43.3333"),  # 10 x 52 / 12
        ("100", {"every": "day"}, "30.4167"),  # 1 x 365 / 12
        ("0", {}, "0"),
        ("0.5", {}, "0.005"),
        ("1000.005", {}, "10.0001"),  # 10.00005, rounded half up
        ("1000.0049999999", {}, "10"),
        ("0.000000000001", {"every": "day"}, "0"),
        ("99999999", {}, "999999.99"),
    ],
)
def test_a_price_per_month_is_exact_and_rounded_half_up(
    unit: str, given: dict[str, Any], right: str, tmp_path: Path
) -> None:
    assert mrr(tmp_path, item(price(unit, **given))) == Decimal(right)


@pytest.mark.parametrize(
    ("currency", "unit", "right"),
    [("jpy", "1500", "1500"), ("krw", "9900", "9900"), ("kwd", "5124", "5.124"), ("usd", "1999", "19.99"),
     ("isk", "500", "5")],
)  # fmt: skip
def test_the_smallest_unit_is_that_of_the_currency(currency: str, unit: str, right: str, tmp_path: Path) -> None:
    assert mrr(tmp_path, item(price(unit)), currency=currency) == Decimal(right)


def test_quantities_are_multiplied_and_prices_summed(tmp_path: Path) -> None:
    two = (item(price("1000", name="a"), quantity=3), item(price("12000", name="b", every="year")))
    assert mrr(tmp_path, *two) == Decimal(40)


@pytest.mark.parametrize(("part", "right"), [("up", 30), ("down", 20)])
def test_packs_are_whole(part: str, right: int, tmp_path: Path) -> None:
    of = price("1000", transform_quantity={"divide_by": 10, "round": part})
    assert mrr(tmp_path, item(of, quantity=25)) == Decimal(right)


@pytest.mark.parametrize(
    "of",
    [
        price("1000", usage="metered"),
        price(None, billing_scheme="tiered"),
        price(None, custom_unit_amount={"minimum": 1}),
    ],
    ids=["metered", "tiered", "chosen by the customer"],
)
def test_a_price_that_is_not_told_is_unknown_and_not_nothing(of: dict[str, Any], tmp_path: Path) -> None:
    assert mrr(tmp_path, item(of, quantity=None)) is None


def test_a_subscription_with_one_such_price_is_unknown_as_a_whole(tmp_path: Path) -> None:
    assert mrr(tmp_path, item(price("1000")), item(price("1", name="m", usage="metered"), quantity=None)) is None


OFF = {"percent": coupon("c1", percent_off=12.5), "third": coupon("c1", percent_off=33.33)}
OFF |= {"amount": coupon("c1", amount_off=250, currency="eur"), "all": coupon("c1", amount_off=9999, currency="eur")}


@pytest.mark.parametrize(("off", "right"), [("percent", "17.5"), ("third", "13.334"), ("amount", "17.5"), ("all", "0")])
def test_what_a_coupon_takes_off_again_and_again_is_taken_off(off: str, right: str, tmp_path: Path) -> None:
    two = item(price("1000"), quantity=2)
    assert mrr(tmp_path, two, coupons=[OFF[off]], discounts=[discount("di_1", coupon="c1")]) == Decimal(right)


def test_an_amount_off_is_off_each_invoice(tmp_path: Path) -> None:
    of = item(price("12000", every="year"))
    found = mrr(tmp_path, of, coupons=[coupon("c1", amount_off=1200, currency="eur")],
                discounts=[discount("di_1", coupon="c1")])  # fmt: skip
    assert found == Decimal(9)


def test_a_discount_of_one_price_leaves_the_others(tmp_path: Path) -> None:
    half = item(price("1000", name="a"), discounts=[discount("di_1", coupon="c1")])
    found = mrr(tmp_path, half, item(price("1000", name="b")), coupons=[coupon("c1", percent_off=50)])
    assert found == Decimal(15)


def test_a_coupon_for_some_products_leaves_the_others(tmp_path: Path) -> None:
    some = coupon("c1", percent_off=50, applies_to={"products": ["prod_a"]})
    two = (item(price("1000", name="a")), item(price("1000", name="b")))
    assert mrr(tmp_path, *two, coupons=[some], discounts=[discount("di_1", coupon="c1")]) == Decimal(15)


def test_a_coupon_for_one_invoice_takes_nothing_off_what_recurs(tmp_path: Path) -> None:
    once = coupon("c1", percent_off=50, duration="once")
    assert mrr(tmp_path, item(), coupons=[once], discounts=[discount("di_1", coupon="c1")]) == Decimal(10)


def test_a_customers_discount_holds_where_the_subscription_has_none(tmp_path: Path) -> None:
    of = customer("cus_1", created=BEGUN, discount=discount("di_c", coupon="c1"))
    coupons = [coupon("c1", percent_off=50), coupon("c2", percent_off=10)]
    assert mrr(tmp_path / "a", item(), coupons=coupons, customers=[of]) == Decimal(5)
    own = [discount("di_1", coupon="c2")]
    assert mrr(tmp_path / "b", item(), coupons=coupons, customers=[of], discounts=own) == Decimal(9)


@pytest.mark.parametrize(
    ("coupons", "discounts"),
    [
        ([], [discount("di_1", coupon="deleted")]),
        ([coupon("c1", percent_off=5), coupon("c2", percent_off=5)],
         [discount("di_1", coupon="c1"), discount("di_2", coupon="c2")]),
        ([coupon("c1", amount_off=100, currency="usd")], [discount("di_1", coupon="c1")]),
        ([coupon("c1", amount_off=100, currency="eur", applies_to={"products": ["prod_a"]})],
         [discount("di_1", coupon="c1")]),
    ],
    ids=["deleted", "several", "another currency", "some products"],
)  # fmt: skip
def test_a_discount_whose_size_is_not_told_makes_the_price_unknown(
    coupons: Rows, discounts: Rows, tmp_path: Path
) -> None:
    assert mrr(tmp_path, item(), coupons=coupons, discounts=discounts) is None


def test_a_price_beyond_all_measure_is_refused(tmp_path: Path) -> None:
    assert mrr(tmp_path, item(price("999999999999"), quantity=9_999_999)) == "a price of billions"


def test_the_arithmetic_of_both_queries_is_the_same() -> None:
    blocks = []
    for name in ("subscriptions", "subscription_changes"):
        text = (layout_of("stripe-api").folder / f"{name}.sql").read_text()
        blocks.append(text[text.index("-- From here to the line of equals signs") : text.index("-- ====")])
    assert blocks[0] == blocks[1]
    assert "priced AS" in blocks[0]


def test_both_queries_tell_in_one_way_which_invoice_a_payment_is_for() -> None:
    """A query stands alone in a workspace, so that they cannot share it."""
    blocks = []
    for name in ("payments", "invoices"):
        text = (layout_of("stripe-api").folder / f"{name}.sql").read_text()
        begin = text.index("paid_by AS (")
        blocks.append(text[begin : text.index("\n),", begin)])
    assert blocks[0] == blocks[1]


def subscribed(tmp_path: Path, **more: Any) -> dict[str, Any]:
    (row,) = given(tmp_path, "subscriptions", subscriptions=[subscription("sub_1", created=BEGUN, **more)])
    return row


def test_notice_at_the_end_of_the_period_is_notice(tmp_path: Path) -> None:
    reason = {"reason": "cancellation_requested"}
    row = subscribed(tmp_path, cancel_at_period_end=True, canceled_at=T - DAY, cancellation_details=reason)
    assert (row["cancel_requested_at"], row["auto_renew"], row["ended_at"]) == (at(T - DAY), False, None)
    assert row["end_reason"] is None


@pytest.mark.parametrize(
    ("reason", "noticed"), [("cancellation_requested", True), ("payment_failed", False), ("payment_disputed", False)]
)
def test_an_end_has_its_reason_and_is_notice_only_where_the_customer_gave_it(
    reason: str, noticed: bool, tmp_path: Path
) -> None:
    row = subscribed(
        tmp_path, status="canceled", canceled_at=T - 2 * DAY, ended_at=T - DAY, cancellation_details={"reason": reason}
    )
    assert (row["ended_at"], row["end_reason"]) == (at(T - DAY), reason)
    assert row["cancel_requested_at"] == (at(T - 2 * DAY) if noticed else None)


@pytest.mark.parametrize("status", ["active", "trialing", "past_due", "unpaid"])
def test_what_nobody_has_ended_runs(status: str, tmp_path: Path) -> None:
    row = subscribed(tmp_path, status=status, trial_end=T + DAY if status == "trialing" else None)
    assert row["ended_at"] is None
    assert row["trial_ends_at"] == (at(T + DAY) if status == "trialing" else None)
    assert (row["started_at"], row["known_at"], row["renews_at"]) == (at(BEGUN), at(BEGUN), at(1_766_600_000))


@pytest.mark.parametrize("status", ["incomplete", "incomplete_expired", "paused"])
def test_what_was_never_paid_for_is_left_out(status: str, tmp_path: Path) -> None:
    paid = subscription("sub_2", created=BEGUN)
    found = given(tmp_path, "subscriptions", subscriptions=[subscription("sub_1", created=BEGUN, status=status), paid])
    assert [row["subscription_id"] for row in found] == ["sub_2"]


NOW = subscription("sub_1", created=BEGUN, items=[item(price("1000", name="a"), quantity=3)])


def changes(tmp_path: Path, *events: dict[str, Any], **lists: Any) -> list[tuple[Any, ...]]:
    found = given(tmp_path, "subscription_changes", subscriptions=[NOW], events=list(events), **lists)
    names = ("changed_at", "kind", "plan", "seats", "mrr_before", "mrr_after")
    return sorted(tuple(row[name] for name in names) for row in found)


def items_of(*items: dict[str, Any]) -> dict[str, Any]:
    return {"items": {"data": list(items)}}


def test_a_change_stands_at_its_moment_with_the_price_before_and_after(tmp_path: Path) -> None:
    before = items_of(item(price("1000", name="a"), quantity=2))
    assert changes(
        tmp_path,
        updated("evt_1", at=T - DAY, after=NOW, differed=before),
        updated("evt_2", at=T - 2 * DAY, after=NOW | before, differed=items_of(item(price("500", name="old")))),
    ) == [
        (at(T - 2 * DAY), "plan", "a", 2, Decimal(5), Decimal(20)),
        (at(T - DAY), "seats", None, 3, Decimal(20), Decimal(30)),
    ]


def test_another_price_of_the_same_plan_is_a_change_of_price(tmp_path: Path) -> None:
    named = {"name": "p1", "nickname": "Pro"}
    after = NOW | items_of(item(price("1200", **named)))
    before = items_of(item(price("1000", **(named | {"name": "p0"}))))
    assert changes(tmp_path, updated("evt_1", at=T, after=after, differed=before)) == [
        (at(T), "price", None, None, Decimal(10), Decimal(12))
    ]


def test_pauses_and_what_ends_them(tmp_path: Path) -> None:
    paused = NOW | {"pause_collection": {"behavior": "void"}}
    assert changes(
        tmp_path,
        updated("evt_1", at=T - 2 * DAY, after=paused, differed={"pause_collection": None}),
        updated("evt_2", at=T - DAY, after=paused, differed={"pause_collection": {"behavior": "keep_as_draft"}}),
        updated("evt_3", at=T, after=NOW, differed={"pause_collection": {"behavior": "void"}}),
    ) == [
        (at(T - 2 * DAY), "pause", None, None, Decimal(30), None),
        (at(T), "resume", None, None, None, Decimal(30)),
    ]


def test_discounts_that_come_and_go(tmp_path: Path) -> None:
    """An event has the id of a discount alone: its coupon is told by the event of its coming."""
    came = {
        "id": "evt_d", "object": "event", "type": "customer.discount.created", "created": T - 2 * DAY,
        "data": {"object": discount("di_1", coupon="c1", subscription="sub_1")},
    }  # fmt: skip
    with_it = NOW | {"discounts": ["di_1"]}
    assert changes(
        tmp_path,
        came,
        updated("evt_1", at=T - 2 * DAY, after=with_it, differed={"discounts": []}),
        updated("evt_2", at=T, after=NOW, differed={"discounts": ["di_1"]}),
        coupons=[coupon("c1", percent_off=50)],
    ) == [
        (at(T - 2 * DAY), "discount_start", None, None, Decimal(30), Decimal(15)),
        (at(T), "discount_end", None, None, Decimal(15), Decimal(30)),
    ]


def test_an_event_of_an_older_version_of_the_api_is_read_too(tmp_path: Path) -> None:
    """With plans in place of prices, and a discount in full."""
    plan = {"id": "p", "nickname": None, "amount": 1000, "interval": "month", "interval_count": 1, "product": "prod"}
    after = NOW | {
        "items": {"data": [{"id": "si_1", "quantity": 2, "plan": plan}]},
        "discount": {"id": "di_1", "coupon": {"id": "c1"}, "start": T},
    }
    del after["discounts"]
    event = updated("evt_1", at=T, after=after, differed={"discount": None})
    assert changes(tmp_path, event, coupons=[coupon("c1", percent_off=50)]) == [
        (at(T), "discount_start", None, None, Decimal(20), Decimal(10))
    ]


@pytest.mark.parametrize(
    "differed",
    [
        {"latest_invoice": "in_0"},
        {"status": "past_due"},
        items_of(item(price("1000", name="a"), quantity=3, current_period_end=T)),
        items_of(item(price(None, name="m", usage="metered"), quantity=None)),
        {"discounts": ["unknown"]},
    ],
    ids=["an invoice", "a status", "a renewal", "a price not known before", "a discount not known"],
)
def test_what_changes_no_price_that_is_known_is_no_change(differed: dict[str, Any], tmp_path: Path) -> None:
    assert changes(tmp_path, updated("evt_1", at=T, after=NOW, differed=differed)) == []


def test_a_failed_payment_says_why_and_whether_trying_again_helps(tmp_path: Path) -> None:
    declined = {"status": "failed", "failure_code": "card_declined"}
    charges = [
        charge("ch_1", created=T, payment_intent="pi_1"),
        charge("ch_2", created=T, **declined, outcome={"reason": "expired_card"}),
        charge("ch_3", created=T, **declined, outcome={"reason": "insufficient_funds"}),
        charge("ch_4", created=T, **declined, outcome={"reason": "do_not_honor"}),
        charge("ch_5", created=T, **declined, outcome={"reason": "do_not_honor", "advice_code": "do_not_try_again"}),
        charge("ch_6", created=T, **declined, outcome=None),
        charge("ch_7", created=T, status="pending"),
        charge("ch_8", created=T, captured=False),
        charge("ch_9", created=T, of=None),
    ]
    payments = {"data": [{"payment": {"type": "payment_intent", "payment_intent": "pi_1"}}]}
    found = given(tmp_path, "payments", charges=charges, invoices=[invoice("in_1", created=T, payments=payments)])
    names = ("payment_id", "invoice_id", "amount", "succeeded", "failure_code", "failure_kind")
    assert sorted(tuple(row[name] for name in names) for row in found) == [
        ("ch_1", "in_1", Decimal(10), True, None, None),
        ("ch_2", None, Decimal(10), False, "expired_card", "hard"),
        ("ch_3", None, Decimal(10), False, "insufficient_funds", "soft"),
        ("ch_4", None, Decimal(10), False, "do_not_honor", None),
        ("ch_5", None, Decimal(10), False, "do_not_honor", "hard"),
        ("ch_6", None, Decimal(10), False, "card_declined", None),
        ("ch_9", None, Decimal(10), True, None, None),  # of nobody: set aside as a guest
    ]


def test_an_invoice_has_a_moment_for_each_thing_that_happened_to_it(tmp_path: Path) -> None:
    invoices = [
        invoice("in_1", created=T, moments={"paid_at": T + 1}, due_date=T + DAY),
        invoice("in_2", created=T, moments={"voided_at": T + 2}, total=-500),
        invoice("in_3", created=T, moments={"marked_uncollectible_at": T + 3}, parent=None),
        invoice("in_4", created=T, moments={"finalized_at": None}, status="draft"),
    ]
    found = given(tmp_path, "invoices", invoices=invoices)
    names = ("invoice_id", "subscription_id", "amount", "due_at", "paid_at", "voided_at", "written_off_at")
    assert sorted(tuple(row[name] for name in names) for row in found) == [
        ("in_1", "sub_1", Decimal(10), at(T + DAY), at(T + 1), None, None),
        ("in_2", "sub_1", Decimal(-5), None, None, at(T + 2), None),
        ("in_3", None, Decimal(10), None, None, None, at(T + 3)),
    ]


def test_what_goes_back_is_below_zero_and_counts_once(tmp_path: Path) -> None:
    """A refund is a row of its own; a credit note gives what its refunds do not."""
    paid = {"data": [{"payment": {"type": "payment_intent", "payment_intent": "pi_ch_1"}}]}
    found = given(
        tmp_path,
        "invoices",
        invoices=[invoice("in_1", created=T, payments=paid)],
        charges=[
            charge("ch_1", created=T),
            charge("ch_2", created=T, of=None),
            charge("ch_3", created=T, status="failed", payment_intent="pi_3"),
            charge("ch_4", created=T, of="cus_4", payment_intent="pi_3"),
        ],
        refunds=[
            refund("re_1", created=T + 1, charge="ch_1", amount=300),
            refund("re_2", created=T + 2, charge="ch_2"),
            refund("re_3", created=T + 3, charge=None, payment_intent="pi_3"),
            refund("re_4", created=T + 4, charge="ch_4", status=None, currency="jpy"),
            *(refund(each, created=T, charge="ch_1", status=each) for each in ("pending", "failed", "canceled")),
            refund("re_odd", created=T, charge="ch_1", status="new"),
        ],
        credit_notes=[
            credit_note("cn_all", created=T, total=300, refunds={"re_1": 300}),
            credit_note("cn_part", created=T + 5, refunds={"re_1": 300}),
            credit_note("cn_void", created=T + 6, voided_at=T + 7, status="void"),
            credit_note("cn_else", created=T + 8, invoice="in_0")
            | {"refunds": [{"refund": None, "amount_refunded": 1000, "type": "payment_record_refund"}]},
        ],
    )
    names = ("invoice_id", "customer_id", "subscription_id", "issued_at", "amount", "voided_at", "currency")
    assert sorted(tuple(row[name] for name in names) for row in found) == [
        ("cn_else", "cus_1", None, at(T + 8), Decimal(-10), None, "EUR"),
        ("cn_part", "cus_1", "sub_1", at(T + 5), Decimal(-7), None, "EUR"),
        ("cn_void", "cus_1", "sub_1", at(T + 6), Decimal(-10), at(T + 7), "EUR"),
        ("in_1", "cus_1", "sub_1", at(T), Decimal(10), None, "EUR"),
        ("re_1", "cus_1", "sub_1", at(T + 1), Decimal(-3), None, "EUR"),
        ("re_2", None, None, at(T + 2), Decimal(-10), None, "EUR"),
        ("re_3", "cus_4", None, at(T + 3), Decimal(-10), None, "EUR"),
        ("re_4", "cus_4", None, at(T + 4), Decimal(-1000), None, "JPY"),
        ("re_odd", "cus_1", "sub_1", "status new", Decimal(-10), None, "EUR"),
    ]


@pytest.mark.parametrize("table", ["subscriptions", "subscription_changes", "payments", "invoices"])
def test_the_line_for_several_currencies_keeps_one(table: str, tmp_path: Path) -> None:
    lists: dict[str, list[dict[str, Any]]] = {"subscriptions": [], "charges": [], "invoices": [], "events": []}
    for number, currency in enumerate(("eur", "usd")):
        of = NOW | {"id": f"sub_{number}", "currency": currency}
        before = items_of(item(price("500", name="a")))
        lists["subscriptions"].append(of)
        lists["charges"].append(charge(f"ch_{number}", created=T, currency=currency))
        lists["invoices"].append(invoice(f"in_{number}", created=T, currency=currency))
        lists["events"].append(updated(f"evt_{number}", at=T, after=of, differed=before))
    fetched(tmp_path, {"customers": [customer("cus_1", created=BEGUN)]} | lists)
    sql = (layout_of("stripe-api").folder / f"{table}.sql").read_text()
    line = next(line for line in sql.splitlines() if "with several currencies" in line)
    assert currencies(sql, tmp_path) == ["EUR", "USD"]
    assert currencies(sql.replace(line, line.replace("-- ", "", 1)), tmp_path) == ["EUR"]


def currencies(sql: str, folder: Path) -> list[str]:
    with duckdb.connect() as connection:
        found = connection.sql(sql.replace("'fetched/", f"'{folder}/fetched/"))
        return sorted(row[found.columns.index("currency")] for row in found.fetchall())


@pytest.mark.parametrize("query", sorted(layout_of("stripe-api").folder.glob("*.sql")), ids=lambda each: each.stem)
def test_no_query_compares_every_row_with_every_other(query: Path, tmp_path: Path) -> None:
    """A join by more than equal values takes hours of what takes seconds."""
    fetched(tmp_path, {})
    with duckdb.connect() as connection:
        sql = query.read_text().replace("'fetched/", f"'{tmp_path}/fetched/")
        (plan,) = connection.sql(f"EXPLAIN {sql}").fetchall()
    assert not re.search("(BLOCKWISE_NL|NESTED_LOOP)_JOIN", plan[1])


def test_a_card_is_good_until_the_end_of_its_month(tmp_path: Path) -> None:
    pays = customer("cus_1", created=BEGUN, invoice_settings={"default_payment_method": "pm_1"})
    debit = {"id": "pm_3", "customer": "cus_1", "created": T, "type": "sepa_debit"}
    methods = [card("pm_1", created=T, month=12), card("pm_2", created=T), debit, card("pm_4", created=T, of="cus_2")]
    found = given(tmp_path, "payment_methods", customers=[pays, customer("cus_2", created=T)], subscriptions=[NOW],
                   payment_methods=methods)  # fmt: skip
    names = ("method_id", "kind", "expires_at", "is_default")
    assert sorted(tuple(row[name] for name in names) for row in found) == [
        ("pm_1", "card", datetime(2028, 1, 1), True),
        ("pm_2", "card", datetime(2027, 3, 1), False),
        ("pm_3", "sepa_debit", None, False),
        ("pm_4", "card", datetime(2027, 3, 1), None),
    ]


@pytest.mark.parametrize(
    ("more", "said"), [({"status": "frozen"}, "status frozen"), ({"status": "canceled"}, "canceled without ended_at")]
)
def test_a_status_that_tells_no_end_stands_where_a_moment_should_so_that_the_row_is_refused(
    more: dict[str, Any], said: str, tmp_path: Path
) -> None:
    assert subscribed(tmp_path, **more)["ended_at"] == said
