"""Extreme data: everybody leaves, nobody does, one customer, one with ten million orders, a table that vanishes."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest

from pipelines.commands.frame import MISTAKE
from pipelines.foundation.settings.sources import FileSource
from pipelines.foundation.settings.template import render
from tests.faults.processes import Ended, finished
from tests.faults.state import broken, scores
from tests.faults.world import NOW, SMALL, Stage, copy
from tests.pipelines.shop_case import FIRST, Row, make_shop, order

MANY = 10_000_000


def told(shop: Path, *arguments: str) -> Ended:
    """What a command says; whatever it is, never a traceback."""
    ended = finished([*arguments, "--project", str(shop)], shop.parent / "log", now=NOW)
    assert "Traceback" not in ended.said, ended.said
    return ended


def monthly(customers: int, *, until: date, since: date = FIRST) -> list[Row]:
    """Everybody orders every four weeks."""
    days = range(0, (until - since).days, 28)
    return [
        order(number * 1000 + day, f"C-{number:04d}", since + timedelta(days=day + number % 28), 20.0)
        for number in range(customers)
        for day in days
    ]


@pytest.mark.parametrize(
    "rows",
    [
        monthly(300, until=date(2025, 8, 1)),
        [*monthly(300, until=date(2024, 12, 1)), order(9, "C-last", date(2025, 7, 31), 9.0)],
        monthly(1, until=date(2025, 8, 1)),
    ],
    ids=["nobody leaves", "everybody leaves", "one customer"],
)
def test_what_cannot_be_learned_is_said_in_words(rows: list[Row], tmp_path: Path) -> None:
    shop = make_shop(tmp_path / "shop", settings=SMALL, rows=rows)
    assert told(shop, "ingest").code == 0
    trained = told(shop, "train")
    assert trained.code == MISTAKE
    assert "training snapshots" in trained.said
    assert told(shop, "check").code == 0
    assert broken(shop) == []


def test_one_customer_with_ten_million_orders_is_scored_with_everybody_else(
    prepared: list[Stage], tmp_path: Path
) -> None:
    shop = tmp_path / "shop"
    copy(next(stage for stage in prepared if stage.name == "scoring"), shop)
    duckdb.sql(
        "COPY (SELECT 'X' || i AS number, 'C-bot' AS customer, 1.5 AS amount, "
        f"TIMESTAMP '2025-05-04' + to_seconds(i % 2000000) AS at FROM range({MANY}) AS t (i)) TO '{shop}/bot.parquet'"
    )
    columns = {"order_id": "number", "customer_id": "customer", "ordered_at": "at", "amount": "amount"}
    bot = FileSource(table="orders", path="bot.parquet", columns=columns)
    settings = SMALL.model_copy(update={"sources": (*SMALL.sources, bot)})
    (shop / "attrition.toml").write_text(render(settings), encoding="utf-8")
    landed = told(shop, "ingest", "--json")
    assert [file["landed"] for file in json.loads(landed.said)["files"]][-1] == MANY
    before = json.loads(told(shop, "score", "--json").said)
    explained = told(shop, "explain", "C-bot", "--json")
    assert json.loads(explained.said)["indicators"]["orders_30d"] == MANY
    assert before["scored"] > 100


def test_a_table_that_vanishes_is_named_and_the_scores_stay(prepared: list[Stage], tmp_path: Path) -> None:
    shop = tmp_path / "shop"
    copy(next(stage for stage in prepared if stage.name == "delivery"), shop)
    before = scores(shop)
    for place in (shop / "landed" / "orders").iterdir():
        place.unlink()
    ended = told(shop, "score", "--as-of", "2025-05-20")
    assert ended.code == MISTAKE
    assert "landed/orders/" in ended.said
    assert scores(shop) == before
    assert told(shop, "ingest").code == 0  # it comes back from its source
    assert told(shop, "score", "--as-of", "2025-05-20").code == 0
