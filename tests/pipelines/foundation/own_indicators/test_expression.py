"""What is computed comes from the as-of view, or what else it holds is named."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import ibis
import ibis.expr.types as ir
import pytest

from features.asof import AsOf
from pipelines.foundation.own_indicators.expression import foreign

ENGINE = ibis.duckdb.connect()
ORDERS = ENGINE.create_table("orders", schema={"customer_id": "string", "amount": "int64"}, temp=True)
COHORT = ibis.memtable({"customer_id": ["A", "B"]})
VIEW = AsOf(ibis.literal(date(2024, 7, 1)), {"orders": ORDERS.filter(ORDERS.amount > 0)})
Made = Callable[[ir.Table], ir.Table]


@ibis.udf.scalar.builtin
def getenv(name: str) -> str:  # type: ignore[empty-body]  # the engine has one
    ...


def test_the_view_and_the_cohort_are_its_own() -> None:
    orders = VIEW["orders"].group_by("customer_id").agg(amount=VIEW["orders"].amount.sum())
    assert foreign(COHORT.left_join(orders, "customer_id").drop("customer_id_right"), VIEW, COHORT) == []
    assert foreign(COHORT.mutate(age=VIEW.days_since(ibis.date(2024, 1, 1))), VIEW, COHORT) == []


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (
            lambda rows: rows.semi_join(ibis.memtable({"customer_id": ["A"]}), "customer_id"),
            "compute takes rows that are not of",
        ),
        (lambda rows: rows.semi_join(ENGINE.read_json("x.json"), "customer_id"), "rows that are not of"),
        (lambda rows: rows.cross_join(ibis.array([1, 2]).unnest().name("n").as_table()), "takes rows that are not of"),
        (lambda rows: rows.alias("o").sql("SELECT * FROM o"), "SQL as text"),
        (lambda rows: rows.mutate(now=ibis.now()), "asks the clock"),
        (lambda rows: rows.mutate(today=ibis.today()), "compute asks the clock"),
        (lambda rows: rows.filter(ibis.random() > 0), "draws at random"),
        (lambda rows: rows.mutate(home=getenv(rows.customer_id)), "a function of its own"),
    ],
)
def test_what_is_not_of_the_view_is_named_with_the_remedy(
    made: Made, said: str, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path_factory.mktemp("rows"))
    with open("x.json", "w") as handle:  # noqa: PTH123
        handle.write('{"customer_id": "A"}')
    told = foreign(made(VIEW["orders"]), VIEW, COHORT)
    assert any(said in each for each in told)
    assert all("; " in each or "," in each for each in told)
