from __future__ import annotations

import json
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.errors import AttritionError, DataError, SettingsError
from pipelines.data.sources.all_sources import all_sources
from pipelines.foundation.storage.store import Store
from tests.pipelines.data.landing.landing_case import HEADER, ROW, land, settings, table
from tests.pipelines.data.sources.query.query_case import COLUMNS, land_query, query_source

PLAIN = f"SELECT {COLUMNS} FROM 'orders.csv'"
EXPORT = "Order;Id;Date;Total;Status\n001;1;2/1/2024;1250;paid\n002;2;3/1/2024;99;open\n003;2;4/1/2024;5;paid\n"
PEOPLE = json.dumps([{"Id": "1", "Mail": "Ann@Example.com"}, {"Id": "2", "Mail": "bo@example.com"}])


def test_cents_a_status_and_a_key_of_another_file_are_plain_sql(tmp_path: Path) -> None:
    landed = land_query(
        tmp_path,
        """
        SELECT "Order" AS order_id, lower(Mail) AS customer_id, "Date" AS ordered_at,
            Total::DECIMAL(18, 2) / 100 AS amount
        FROM 'export.csv' JOIN 'people.json' USING (Id)
        WHERE Status = 'paid' -- no line may follow this comment
        """,
        {"export.csv": EXPORT, "people.json": PEOPLE},
        dialect={"date_format": "%d/%m/%Y"},
    )
    assert landed.values("order_id", "customer_id", "ordered_on", "amount") == [
        ("001", "ann@example.com", date(2024, 1, 2), Decimal("12.5000")),
        ("003", "bo@example.com", date(2024, 1, 4), Decimal("0.0500")),
    ]
    assert landed.result.remarks[0] == "reads 3 rows of export.csv and 2 rows of people.json, and gives 2 rows"


def test_a_query_that_changes_nothing_lands_what_the_file_would(tmp_path: Path) -> None:
    """Odd cells reach a query as a source of files has them: text, trimmed, with quotes undone."""
    text = HEADER + '007," C-1 ",2024-01-02,1.5\n"a""b","x\ny",2024-01-03,.5\n003,,2024-01-04,2\n004,é,2024-02-30,1\n'
    as_file = land(tmp_path / "file", text)
    as_query = land_query(tmp_path / "query", PLAIN, {"orders.csv": text})
    wanted = ("order_id", "customer_id", "ordered_at", "amount")
    assert sorted(map(str, as_query.values(*wanted))) == sorted(map(str, as_file.values(*wanted)))
    assert sorted(as_query.reasons.values()) == sorted(as_file.reasons.values())
    assert (as_query.result.rows_in, as_query.result.landed) == (4, 2)


def test_text_that_cannot_be_read_is_set_aside_with_its_row(tmp_path: Path) -> None:
    landed = land_query(
        tmp_path,
        "SELECT order_id, customer_id, ordered_at, source_row, "
        "coalesce((try_cast(amount AS DECIMAL(18, 2)) / 100)::VARCHAR, amount) AS amount FROM 'orders.csv'",
        {"orders.csv": HEADER + "1,A,2024-01-02,150\n2,A,2024-01-03,free\n3,A\n"},
    )
    assert landed.values("amount") == [Decimal("1.5000")]
    assert sorted(landed.reasons.values()) == [
        "amount 'free' is not a number (decimal mark '.', no thousands mark)",
        "has 2 values where the header names 4 columns (row 3 of orders.csv)",
    ]
    assert [json.loads(each["raw_row"])["source_row"] for each in landed.rejects if "free" in each["reason"]] == ["2"]
    assert [each["raw_row"] for each in landed.rejects if "values" in each["reason"]] == ['["3", "A"]']


def test_order_fields_are_carried_down_in_the_order_of_the_file(tmp_path: Path) -> None:
    lines = "Name,Day,Price\n#1,2024-01-02,1\n,,2\n,,3\n#2,2024-01-03,4\n,,5\n"
    query = """
        WITH export AS (FROM 'lines.csv'),
        filled AS (
            SELECT last_value(Name IGNORE NULLS) OVER down AS name,
                last_value("Day" IGNORE NULLS) OVER down AS day, Price
            FROM export WINDOW down AS (ORDER BY source_row)
        )
        SELECT name AS order_id, 'C' AS customer_id, day AS ordered_at, sum(Price::DECIMAL(18, 2)) AS amount
        FROM filled GROUP BY ALL
    """
    assert land_query(tmp_path, query, {"lines.csv": lines}).values("order_id", "amount") == [
        ("#1", Decimal("6.0000")),
        ("#2", Decimal("9.0000")),
    ]


def test_a_pattern_is_all_its_files_as_one_table(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {f"drop/{name}.csv": f"{HEADER}{name},C,2024-01-02,1\n" for name in "ab"}
    query = f"SELECT {COLUMNS}, source_file FROM 'drop/*.csv'"
    assert land_query(tmp_path, query, files).values("order_id") == ["a", "b"]


def test_a_file_of_a_pattern_that_lacks_a_column_is_named_rather_than_filled_with_nulls(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {"o1.csv": HEADER + ROW, "o2.csv": HEADER.replace("amount", "Amount_EUR") + ROW}
    with pytest.raises(DataError, match=r"o2\.csv has no column 'amount', which o1\.csv has"):
        land_query(tmp_path, f"SELECT {COLUMNS} FROM 'o*.csv'", files)
    # What the query does not take may be missing.
    files = {"o1.csv": HEADER + ROW, "o2.csv": HEADER.replace("amount", "amount,more") + "B,C-1,2024-01-02,1,x\n"}
    assert land_query(tmp_path, f"SELECT {COLUMNS} FROM 'o*.csv'", files).result.landed == 2


def test_types_of_parquet_and_json_are_kept_and_what_is_text_stays_text(tmp_path: Path) -> None:
    rows = pa.table({"id": ["007"], "made": [datetime(2024, 1, 2, 10)], "paid": [Decimal("1.50")]})
    pq.write_table(rows, tmp_path / "a.parquet")
    who = "5F0C5C3C-6D2C-4C8E-9A0D-5B2B3C4D5E6F"
    lines = json.dumps({"id": "007", "who": who, "on": "03-04-2024", "x": {"n": 2.5, "UUID": who}})
    landed = land_query(
        tmp_path,
        'SELECT id AS order_id, who AS customer_id, made AS ordered_at, paid + x.n AS amount, "on" '
        "FROM 'a.parquet' JOIN 'b.jsonl' USING (id) WHERE \"on\" = '03-04-2024' AND x.UUID = who",
        {"b.jsonl": lines},
    )
    assert landed.values("order_id", "customer_id", "amount") == [("007", who, Decimal("4.0000"))]
    assert landed.result.remarks[:1] == ("column 'on' is not read: no column of orders.",)


def test_files_of_one_query_may_have_delimiters_of_their_own(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {"a.csv": "id;day\n1;2024-01-02\n", "b.csv": "id,amount\n1,2\n"}
    query = "SELECT id AS order_id, 'C' AS customer_id, day AS ordered_at, amount FROM 'a.csv' JOIN 'b.csv' USING (id)"
    assert land_query(tmp_path, query, files).values("amount") == [Decimal("2.0000")]


def test_the_same_files_and_query_are_unchanged_and_a_change_of_either_lands(tmp_path: Path) -> None:
    (tmp_path / "orders.sql").write_text(PLAIN)

    def status() -> tuple[str, int]:
        result = land_query(tmp_path, "orders.sql").result
        return result.status, result.landed

    (tmp_path / "orders.csv").write_text(HEADER + ROW)
    assert [status(), status()] == [("landed", 1), ("unchanged", 1)]
    (tmp_path / "orders.csv").write_text(HEADER + ROW + ROW.replace("A-1", "A-2"))
    assert [status(), status()] == [("landed", 2), ("unchanged", 2)]
    (tmp_path / "orders.sql").write_text(f"{PLAIN} WHERE order_id <> 'A-2'")
    assert [status(), status()] == [("landed", 1), ("unchanged", 1)]


def test_a_corrected_query_takes_the_place_of_the_wrong_one(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {"orders.csv": HEADER + "A,C,2024-01-02,150\n"}
    land_query(tmp_path, PLAIN, files)
    land_query(tmp_path, PLAIN.replace("amount", "amount::DECIMAL(18, 2) / 100 AS amount"))
    assert [row["amount"] for row in table(Store(tmp_path))] == [Decimal("1.5000")]


def test_rows_come_in_one_order_whatever_the_query_does(tmp_path: Path) -> None:
    rows = "".join(
        f"{number % 97:03}-{number},C-{number % 13},2024-01-{number % 28 + 1:02},{number}\n" for number in range(999)
    )
    query = f"{PLAIN.replace('amount', 'sum(amount::INT) AS amount')} GROUP BY ALL"
    first = land_query(tmp_path / "a", query, {"orders.csv": HEADER + rows})
    again = land_query(tmp_path / "b", query, {"orders.csv": HEADER + rows})
    assert first.rows == again.rows


def test_what_only_leaves_rows_out_keeps_the_order_of_its_files(tmp_path: Path) -> None:
    count = 200_000
    rows = {"order_id": [count - row for row in range(count)], "amount": [row % 7 for row in range(count)]}
    same = {"customer_id": ["C"] * count, "ordered_at": ["2024-01-02"] * count}
    pq.write_table(pa.table(rows | same), tmp_path / "a.parquet", row_group_size=20_480)  # several cores read these
    query = f"SELECT {COLUMNS} FROM 'a.parquet' WHERE amount <> 3 UNION ALL SELECT {COLUMNS} FROM 'b.csv'"
    landed = dict(land_query(tmp_path, query, {"b.csv": HEADER + ROW}).values("order_id", "source_row"))
    kept = [count - row for row in range(count) if row % 7 != 3]
    assert landed == {str(key): row for row, key in enumerate(kept, 1)} | {"A-1": len(kept) + 1}


@pytest.mark.parametrize("odd", ["\xa0", "\t"])
@pytest.mark.parametrize("place", [0, 149_999])
def test_a_text_that_a_query_leaves_with_spaces_around_it_lands_without(tmp_path: Path, odd: str, place: int) -> None:
    (tmp_path / "spaces.json").write_text(json.dumps([{"odd": odd}]))
    query = f"""
        SELECT i::VARCHAR AS order_id, CASE WHEN i = {place} THEN odd || 'é' || odd ELSE 'C' END AS customer_id,
            '2024-01-02' AS ordered_at, '1' || CASE WHEN i = {place} THEN odd ELSE '' END AS amount
        FROM range(150000) AS numbers(i), 'spaces.json'
    """
    landed = land_query(tmp_path, query).values("order_id", "customer_id", "amount")
    assert [row[:2] for row in landed if row[1] != "C"] == [(str(place), "é")]
    assert {row[2] for row in landed} == {Decimal(1)}


@pytest.mark.parametrize(
    ("query", "said"),
    [
        (f"SELECT {COLUMNS} FROM 'nothing.csv'", r"no file matches 'nothing\.csv'"),
        (f"SELECT {COLUMNS} FROM '../orders.csv'", "lies outside of the workspace"),
        (f"SELECT {COLUMNS} FROM '/etc/passwd'", "lies outside of the workspace"),
        (f"SELECT {COLUMNS} FROM 'attrition.sqlite'", "is a file of attrition's own"),
        (f"SELECT {COLUMNS} FROM 'landed/orders/*.parquet'", "is a file of attrition's own"),
        (f"SELECT {COLUMNS} FROM '.attrition-erased.key'", "is a file of attrition's own"),
        (f"SELECT {COLUMNS} FROM duckdb_settings", "reads duckdb_settings, which is no file of"),
        ("SELECT order_id, customer_id, ordered_at, paid AS amount FROM 'orders.csv'", 'column "paid" not found'),
        ("SELECT order_id, customer_id, ordered_at FROM 'orders.csv'", r"needs 'amount': .* its name by AS"),
        (PLAIN.replace("amount", "amount::INT + 1 AS amount"), "a value does not fit what the query does with it"),
        (PLAIN.replace("amount", "sum(amount) AS amount"), "No function matches the given name and argument types"),
        (PLAIN.replace("amount", "[1] AS amount"), "amount.* is .*; money needs a number"),
        (f"SELECT {COLUMNS}, (SELECT 1 FROM 'link.csv') FROM 'orders.csv'", "is a link that leads out of"),
        ("none.sql", r"none\.sql is not there"),
        ("orders.csv.sql", r"orders\.csv\.sql is not UTF-8 text"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_said_in_words_and_no_value_of_a_row_is_repeated(
    query: str, said: str, tmp_path: Path
) -> None:
    shop = tmp_path / "shop"
    shop.mkdir()
    (tmp_path / "other.csv").write_text(HEADER + ROW)
    (shop / "link.csv").symlink_to(tmp_path / "other.csv")
    (shop / "orders.csv.sql").write_bytes(b"\xff")
    with pytest.raises(AttritionError, match=said) as refused:
        land_query(shop, query, {"orders.csv": HEADER + "K-9,canary@example.com,2024-01-02,canary\n"})
    assert "canary" not in str(refused.value)
    assert "Candidate" not in str(refused.value)
    assert Store(shop).files("landed") == []


def test_columns_may_be_mapped_as_of_a_file(tmp_path: Path) -> None:
    query = "SELECT * RENAME (order_id AS nr) FROM 'orders.csv'"
    columns = {"order_id": "nr", "customer_id": "customer_id", "ordered_at": "ordered_at", "amount": "amount"}
    files: dict[str, str | bytes] = {"orders.csv": HEADER + ROW}
    assert land_query(tmp_path, query, files, columns=columns).values("order_id") == ["A-1"]
    with pytest.raises(SettingsError, match=r"gives no column 'number', which columns\.order_id of its source names"):
        land_query(tmp_path, query, columns=columns | {"order_id": "number"})


def test_two_headings_that_sql_cannot_tell_apart_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot tell apart, 'Amount' and 'amount'"):
        land_query(tmp_path, PLAIN, {"orders.csv": "Amount,amount\n1,2\n"})


def test_what_never_ends_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pipelines.data.sources.query import run

    monkeypatch.setattr(run, "_MINUTE", 0.01)
    forever = "WITH RECURSIVE t AS (SELECT 1 AS n UNION ALL SELECT n % 7 FROM t)"
    with pytest.raises(SettingsError, match="took longer than 1 minute and was stopped; raise time_limit_minutes"):
        land_query(
            tmp_path,
            f"{forever} SELECT {COLUMNS} FROM 'orders.csv', t",
            {"orders.csv": HEADER + ROW},
            time_limit_minutes=1,
        )


def test_a_join_without_its_condition_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pipelines.data.sources.query import run

    monkeypatch.setattr(run, "_LEAST_BYTES", 1 << 16)
    rows = "".join(f"A{number},C{number},2024-01-02,{number}\n" for number in range(1000))
    with pytest.raises(SettingsError, match=r"many times what its files hold; is a JOIN without its condition"):
        land_query(
            tmp_path,
            "SELECT a.order_id || md5(a.order_id || b.order_id) AS order_id, b.customer_id, b.ordered_at, a.amount "
            "FROM 'orders.csv' AS a, 'orders.csv' AS b",
            {"orders.csv": HEADER + rows},
        )


def test_a_check_reads_headings_and_runs_nothing(tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text(HEADER + "1,C,2024-01-02,none\n")
    source = query_source(PLAIN.replace("amount", "amount::INT AS amount"))
    (rows,) = all_sources(Store(tmp_path), settings(source))
    rows.check()
    assert rows.keyed


def test_landed_files_that_were_removed_come_back_the_same(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {"orders.csv": HEADER + ROW}
    land_query(tmp_path, PLAIN, files)
    (before,) = [store_file.sha256 for store_file in Store(tmp_path).files("landed")]
    (tmp_path / Store(tmp_path).files("landed")[0].path).unlink()
    assert land_query(tmp_path, PLAIN).result.status == "landed"
    assert [each.sha256 for each in Store(tmp_path).files("landed")] == [before]


def test_a_file_that_is_written_to_meanwhile_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pipelines.data.sources.query import query_rows, run

    def written(*args: Any, **options: Any) -> None:
        (tmp_path / "orders.csv").write_text(HEADER + ROW + ROW)
        run.write_result(*args, **options)

    monkeypatch.setattr(query_rows, "write_result", written)
    with pytest.raises(DataError, match="was written to while it was read"):
        land_query(tmp_path, PLAIN, {"orders.csv": HEADER + ROW})


def test_two_queries_of_one_table_are_told_apart_by_files() -> None:
    with pytest.raises(ValueError, match=r"two queries of table orders stand here; put each into a file"):
        settings(query_source(PLAIN), query_source(f"{PLAIN} WHERE amount <> '0'"))
    with pytest.raises(ValueError, match=r"the same query file a\.sql; give each table a file of its own"):
        settings(query_source("a.sql"), query_source("a.sql", table="order_lines"))


def test_the_query_of_the_documentation_lands_as_it_says(tmp_path: Path) -> None:
    page = (Path(__file__).parents[5] / "docs" / "sources.md").read_text(encoding="utf-8")
    people = json.dumps([{"Id": "1", "E-Mail": "Ann@Example.com"}, {"Id": "2", "E-Mail": "bo@example.com"}])
    landed = land_query(
        tmp_path,
        page.split("```sql\n")[1].split("```")[0],
        {"export.csv": EXPORT.replace(";5;", ";free;"), "people.json": people},
        dialect={"date_format": "%d/%m/%Y"},
    )
    assert landed.values("order_id", "customer_id", "amount") == [("001", "ann@example.com", Decimal("12.5000"))]
    assert list(landed.reasons.values()) == ["amount 'free' is not a number (decimal mark '.', no thousands mark)"]


def test_a_workspace_is_found_by_a_path_that_begins_where_the_command_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    pq.write_table(pa.table({"id": ["1"]}), tmp_path / "ids.parquet")
    query = f"{PLAIN} WHERE order_id = 'A-1' AND EXISTS (FROM 'ids.parquet')"
    (tmp_path / "shop").mkdir()
    (tmp_path / "ids.parquet").rename(tmp_path / "shop" / "ids.parquet")
    assert land_query(Path("shop"), query, {"orders.csv": HEADER + ROW}).values("order_id") == ["A-1"]
