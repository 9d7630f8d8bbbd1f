from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from features.errors import AttritionError, IntegrityError, SettingsError
from pipelines.data.landing.ingest import ingest
from pipelines.data.sources import all_sources
from pipelines.data.sources.database import database_rows, fetch
from pipelines.foundation.settings.sources import DatabaseSource
from pipelines.foundation.storage.atomic_file import sweep
from pipelines.foundation.storage.store import Store
from tests.pipelines.data.landing.landing_case import LANDED_ON, settings, table
from tests.pipelines.data.sources.database.database_case import (
    ORDERS,
    WINDOW,
    database_source,
    land_database,
    orders,
    sqlite_at,
)

ANN = ("A-1", "ann", "2024-01-02", "11.77", "2024-01-02 10:00:00")
BO = ("B-1", "bo", "2024-02-03", "5.00", "2024-02-03 10:00:00")
CY = ("C-1", "cy", "2024-03-04", "7.50", "2024-03-04 10:00:00")
LINES = (
    "SELECT nr AS order_id, kunde AS customer_id, am AS ordered_at, 'P' AS product_id, 1 AS quantity, "
    "summe AS unit_price, stand FROM bestellung WHERE stand >= :since"
)


def names(root: Path) -> list[str]:
    """Under which names what landed came, in the order of arrival."""
    found = [each for file in Store(root).files("landed") for each in file.detail["landings"]]
    return [each["source"] for each in sorted(found, key=lambda each: each["number"])]


def counted(root: Path, source: DatabaseSource, *wanted: str) -> list[Any]:
    """What counts of it now."""
    rows = table(Store(root), source.table, settings(source))
    return sorted(tuple(row[name] for name in wanted or ("order_id", "amount")) for row in rows)


def refused(root: Path, source: DatabaseSource) -> str:
    with pytest.raises(AttritionError) as found:
        land_database(root, source)
    return str(found.value)


def test_an_answer_lands_and_the_same_answer_is_unchanged_in_whatever_order_it_comes(tmp_path: Path) -> None:
    shop = sqlite_at(tmp_path)
    shop.fill("bestellung", orders(ANN, BO))
    landed = land_database(tmp_path, database_source(shop))
    assert landed.values("order_id", "customer_id", "ordered_on", "amount") == [
        ("A-1", "ann", date(2024, 1, 2), Decimal("11.7700")),
        ("B-1", "bo", date(2024, 2, 3), Decimal("5.0000")),
    ]
    shop.fill("bestellung", orders(BO, ANN))
    assert land_database(tmp_path, database_source(shop)).result.status == "unchanged"
    shop.fill("bestellung", orders(BO, ANN, CY))
    assert land_database(tmp_path, database_source(shop)).result.status == "landed"
    assert len(counted(tmp_path, database_source(shop))) == 3


def test_rows_of_several_batches_are_one_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A column that is empty in one batch, whole numbers in the next and text at last is text."""
    shop = sqlite_at(tmp_path)
    shop.run("CREATE TABLE t (nr, kunde, am, summe)")
    shop.run(
        "INSERT INTO t VALUES (3, null, '2024-01-02', null)",
        "INSERT INTO t VALUES (12, null, '2024-01-02', 12)",
        "INSERT INTO t VALUES ('x', 'bo', '2024-01-02', 0.5)",
    )
    source = database_source(
        shop, "SELECT nr AS order_id, kunde AS customer_id, am AS ordered_at, summe AS amount FROM t"
    )
    at_once = land_database(tmp_path, source)
    (tmp_path / "attrition.sqlite").unlink()
    shutil.rmtree(tmp_path / "landed")
    shutil.rmtree(tmp_path / "rejected")
    monkeypatch.setattr(fetch, "_BATCH_ROWS", 1)
    one_by_one = land_database(tmp_path, source)
    assert one_by_one.rows == at_once.rows
    assert one_by_one.values("order_id", "amount") == [("x", Decimal("0.5000"))]
    assert one_by_one.reasons == {1: "customer_id is empty", 2: "customer_id is empty; amount is empty"}


def test_a_key_that_two_answers_share_is_a_version_and_a_row_that_is_gone_ends_a_state(tmp_path: Path) -> None:
    shop = sqlite_at(tmp_path)
    shop.fill("bestellung", orders(ANN, BO))
    source = database_source(shop, new_file="state")
    land_database(tmp_path, source)
    shop.fill("bestellung", orders((*ANN[:3], "9.00", *ANN[4:])))
    land_database(tmp_path, source, today=LANDED_ON + timedelta(days=1))
    found = table(Store(tmp_path), "orders", settings(source))
    assert [(row["order_id"], row["amount"]) for row in found][-1] == ("A-1", Decimal("9.0000"))
    assert "B-1" not in [row["order_id"] for row in found]


def test_a_cursor_asks_only_for_what_changed_and_loses_nothing(tmp_path: Path) -> None:
    shop = sqlite_at(tmp_path)
    source = database_source(shop, WINDOW, cursor="stand")
    shop.fill("bestellung", orders(ANN, BO))
    assert land_database(tmp_path, source).result.rows_in == 2
    late = ("A-2", "ann", "2024-01-31", "3.00", "2024-01-31 09:00:00")  # older than the newest, within the overlap
    shop.fill("bestellung", orders(ANN, BO, late, CY))
    assert land_database(tmp_path, source).result.rows_in == 3
    shop.fill("bestellung", orders(ANN, (*BO[:3], "6.00", "2024-03-05 10:00:00"), late, CY))
    assert land_database(tmp_path, source).result.rows_in == 2
    assert land_database(tmp_path, source).result.status == "unchanged"
    assert names(tmp_path)[:3] == [
        "database of orders",
        "database of orders since 2024-01-27T10:00:00",
        "database of orders since 2024-02-26T10:00:00",
    ]
    newest = [row for row in counted(tmp_path, source) if row[1] != Decimal(5)]
    assert newest == [("A-1", Decimal("11.77")), ("A-2", Decimal(3)), ("B-1", Decimal(6)), ("C-1", Decimal("7.5"))]


def test_rows_without_a_key_that_come_again_in_a_window_count_once_and_none_ends(tmp_path: Path) -> None:
    shop = sqlite_at(tmp_path)
    source = database_source(shop, LINES, table="order_lines", cursor="stand")
    shop.fill("bestellung", orders(ANN, BO, BO))
    land_database(tmp_path, source)
    shop.fill("bestellung", orders(ANN, BO, BO, CY))
    land_database(tmp_path, source)
    assert counted(tmp_path, source, "order_id") == [("A-1",), ("B-1",), ("B-1",), ("C-1",)]


def test_a_mistyped_day_of_the_future_does_not_end_the_fetching(tmp_path: Path) -> None:
    shop = sqlite_at(tmp_path)
    source = database_source(shop, WINDOW, cursor="stand")
    shop.fill("bestellung", orders(ANN, ("X-1", "bo", "2024-01-03", "1.00", "2142-01-01 00:00:00")))
    land_database(tmp_path, source)
    shop.fill("bestellung", orders(ANN, CY, ("X-1", "bo", "2024-01-03", "1.00", "2142-01-01 00:00:00")))
    land_database(tmp_path, source)
    assert "C-1" in [row[0] for row in counted(tmp_path, source)]


@pytest.mark.parametrize(
    "change",
    [
        {"query": WINDOW.replace("summe", "summe * 2")},
        {"max_rejected_share": 0.5},
        {"url": "sqlite:///other.db"},
    ],
)
def test_under_other_settings_everything_is_fetched_anew_and_replaces_what_landed(
    tmp_path: Path, change: dict[str, Any]
) -> None:
    for name in ("shop.db", "other.db"):
        sqlite_at(tmp_path, name).fill("bestellung", orders(ANN, BO))
    shop = sqlite_at(tmp_path)
    source = database_source(shop, WINDOW, cursor="stand")
    land_database(tmp_path, source)
    shop.fill("bestellung", orders(ANN, BO, CY))
    land_database(tmp_path, source)
    sqlite_at(tmp_path, "other.db").fill("bestellung", orders(ANN, CY))
    changed = source.model_copy(update=change)
    for _ in range(2):
        land_database(tmp_path, changed)
        fresh = tmp_path / f"fresh-{_}"
        fresh.mkdir()
        for name in ("shop.db", "other.db"):
            (fresh / name).write_bytes((tmp_path / name).read_bytes())
        land_database(fresh, changed)
        assert counted(tmp_path, changed) == counted(fresh, changed)
    land_database(tmp_path, source)
    assert [row[0] for row in counted(tmp_path, source)] == ["A-1", "B-1", "C-1"]


def test_check_asks_for_the_columns_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = sqlite_at(tmp_path)
    shop.fill("bestellung", orders(ANN))
    monkeypatch.setattr(database_rows, "fetch", None)
    (rows,) = all_sources.all_sources(Store(tmp_path), settings(database_source(shop)))
    rows.check()
    (rows,) = all_sources.all_sources(
        Store(tmp_path), settings(database_source(shop, ORDERS.replace("AS amount", "AS total")))
    )
    with pytest.raises(SettingsError, match=r"table orders needs .amount."):
        rows.check()


@pytest.mark.parametrize(
    ("query", "changes", "words"),
    [
        (WINDOW, {}, 'the query says :since, and no cursor says of which column; add cursor = "updated_at"'),
        (ORDERS, {"cursor": "stand"}, "the query does not say :since; add WHERE stand >= :since"),
        (ORDERS + " WHERE stand >= :since", {"cursor": "stand"}, "the answer needs one column 'stand', as cursor"),
        (WINDOW.replace("stand FROM", "summe AS stand FROM"), {"cursor": "stand"}, "is neither a date nor a moment"),
        (ORDERS, {"columns": {"order_id": "nr", "customer_id": "customer_id", "ordered_at": "ordered_at",
         "amount": "amount"}}, "gives no column 'nr', which columns.order_id of its source names"),
        (ORDERS.replace("bestellung", "bestellungen"), {}, "the database: a table that the query names is not there"),
        (ORDERS.replace("summe", "betrag"), {}, "the database: a column that the query names is not there"),
        (ORDERS.replace("FROM", "FORM"), {}, "the database: the query is not valid SQL of this database"),
        (ORDERS.replace("nr AS", "x'00ff' AS"), {}, "column 'order_id' holds bytes, which no table has"),
        ("DELETE FROM bestellung", {}, "is not one SELECT"),
        ("orders.sql", {}, "orders.sql is not there (the query of table orders)"),
        (ORDERS, {"url": "sqlite:///none.db"}, "none.db is not there (the database of table orders)"),
        (ORDERS, {"url": "sqlite:///attrition.sqlite"}, "attrition.sqlite is a file of attrition's own"),
        (ORDERS, {"url": "sqlite:///text.db"}, "the database: the file is no SQLite database"),
        (ORDERS, {"url": "snowflake://ann@host/shop"}, "reading snowflake needs a package that is not installed"),
        (ORDERS, {"password_env": "NO_SUCH_VARIABLE", "url": "postgresql://a@localhost/b"},
         "the environment variable that password_env names is not set"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_said(tmp_path: Path, query: str, changes: dict[str, Any], words: str) -> None:
    shop = sqlite_at(tmp_path)
    shop.fill("bestellung", orders(ANN))
    (tmp_path / "text.db").write_text("no database, but a text that is long enough to be looked at" * 20)
    said = refused(tmp_path, database_source(shop, query, **changes))
    assert words in said
    assert said.startswith(("database of orders", "orders.sql"))
    assert not {"ann", "11.77", "no such", "NO_SUCH_VARIABLE"} & {*said.replace("'", " ").split()}


def test_a_database_outside_of_the_workspace_is_not_read(tmp_path: Path) -> None:
    root = tmp_path / "workspace"
    root.mkdir()
    sqlite_at(tmp_path).fill("bestellung", orders(ANN))
    (root / "shop.db").symlink_to(tmp_path / "shop.db")
    assert "shop.db (the database of table orders) is a link that leads out of" in refused(
        root, database_source(sqlite_at(root))
    )


def test_a_landed_file_that_is_gone_is_made_again_where_the_answer_is_the_same_and_told_otherwise(
    tmp_path: Path,
) -> None:
    shop = sqlite_at(tmp_path)
    source = database_source(shop)
    shop.fill("bestellung", orders(ANN, BO))
    land_database(tmp_path, source)
    before = counted(tmp_path, source)
    place = tmp_path / Store(tmp_path).files("landed")[0].path
    place.unlink()
    assert land_database(tmp_path, source).result.status == "landed"
    assert counted(tmp_path, source) == before
    place.unlink()
    shop.fill("bestellung", orders(ANN, BO, CY))
    said = refused(tmp_path, source)
    assert "is missing, and what a database gave once it cannot be asked for again; restore the file" in said
    with pytest.raises(IntegrityError):
        land_database(tmp_path, source)
    (tmp_path / "again.sql").write_text(ORDERS)
    again = source.model_copy(update={"query": "again.sql"})
    land_database(tmp_path, again)
    assert len(counted(tmp_path, again)) == 3


def test_a_fetch_that_is_killed_and_run_again_gives_the_same(tmp_path: Path) -> None:
    shop = sqlite_at(tmp_path)
    many = [(f"A-{number}", "ann", "2024-01-02", "1.00", "2024-01-02 10:00:00") for number in range(200)]
    shop.fill("bestellung", orders(*many))
    killed = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(tmp_path)], env=os.environ | {"PYTHONPATH": str(Path.cwd())}
    )
    assert killed.wait(timeout=120) == -signal.SIGKILL
    assert list((tmp_path / "landed").glob(".fetched*"))
    sweep(tmp_path)
    assert not list((tmp_path / "landed").glob(".*"))
    assert Store(tmp_path).files("landed") == []
    source = database_source(shop, WINDOW, cursor="stand")
    assert land_database(tmp_path, source).result.landed == 200
    whole = tmp_path / "whole"
    whole.mkdir()
    (whole / "shop.db").write_bytes(Path(str(shop.place)).read_bytes())
    land_database(whole, source)
    assert [file.sha256 for file in Store(whole).files("landed")] == [
        file.sha256 for file in Store(tmp_path).files("landed")
    ]


KILLED = """
import os, signal, sys
from pathlib import Path
from pipelines.data.sources.database import fetch
from tests.pipelines.data.sources.database.database_case import *
fetch._BATCH_ROWS = 50
add, added = fetch._Parts.add, []
def once_more(self, rows):
    add(self, rows)
    added.append(rows)
    if len(added) == 2:
        os.kill(os.getpid(), signal.SIGKILL)
fetch._Parts.add = once_more
root = Path(sys.argv[1])
land_database(root, database_source(sqlite_at(root), WINDOW, cursor="stand"))
"""


def test_a_database_and_a_query_do_not_land_under_one_name(tmp_path: Path) -> None:
    shop = sqlite_at(tmp_path)
    with pytest.raises(ValueError, match="two queries of table orders stand here"):
        settings(database_source(shop), database_source(shop, ORDERS + " "))


def test_whole_states_have_no_cursor(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match='new_file = "state" would end the rows that it lacks'):
        database_source(sqlite_at(tmp_path), WINDOW, cursor="stand", new_file="state")


def test_ingest_asks_each_time_and_says_so(tmp_path: Path) -> None:
    shop = sqlite_at(tmp_path)
    shop.fill("bestellung", orders(ANN))
    said: list[str] = []
    ingest(Store(tmp_path), settings(database_source(shop)), today=LANDED_ON, progress=said.append)
    assert said[0] == "database of orders: asking the database"
