from __future__ import annotations

import socket
import ssl
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from features.errors import AttritionError
from pipelines.data.sources.database import connect
from pipelines.data.sources.database.fetch import fetch
from pipelines.data.sources.database.statement import Statement
from pipelines.foundation.settings.database_url import database_url
from pipelines.foundation.settings.dialect import Dialect
from pipelines.foundation.settings.sources import DatabaseSource
from pipelines.foundation.storage.store import Store
from tests.pipelines.data.sources.database.database_case import (
    ORDERS,
    WINDOW,
    Database,
    database_source,
    land_database,
    orders,
)

ANN = ("A-1", "ann", "2024-01-02", "11.77", "2024-01-02 10:00:00")
BO = ("B-1", "bo", "2024-02-03", "5.00", "2024-02-03 10:00:00")

# A moment at 23:30 in UTC; whatever else the systems keep in their own way.
TYPES = {
    "postgresql": (
        (
            "CREATE TABLE t (nr uuid, who json, at timestamptz, local timestamp, on_ date, yes boolean, "
            "much numeric(20, 4), any_ numeric, real_ double precision, big bigint)"
        ),
        "SET TimeZone = 'Asia/Tokyo'",
        (
            "INSERT INTO t VALUES ('00000000-0000-0000-0000-000000000007', '{\"n\": 1.10}', '2024-01-02 23:30:00+00', "
            "'2024-01-02 23:30', '2024-01-03', true, 1234567890123456.5000, 0.1000, 0.1, 9223372036854775807)"
        ),
        "GRANT SELECT ON t TO reader",
    ),
    "mysql": (
        (
            "CREATE TABLE t (nr uuid, who json, at timestamp NULL, local datetime, on_ date, yes boolean, "
            "much decimal(20, 4), any_ decimal(30, 10), real_ double, big bigint unsigned)"
        ),
        "SET time_zone = '+09:00'",
        (
            "INSERT INTO t VALUES ('00000000-0000-0000-0000-000000000007', '{\"n\": 1.10}', '2024-01-03 08:30:00', "
            "'2024-01-02 23:30', '2024-01-03', true, 1234567890123456.5000, 0.1000, 0.1, 18446744073709551615)"
        ),
    ),
}


@pytest.fixture(params=["postgresql", "mysql"])
def server(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Database:
    found: Database = request.getfixturevalue(request.param)
    monkeypatch.setenv("ATTRITION_SOURCE_PASSWORD", str(found.password))
    return found


def refused(root: Path, source: DatabaseSource) -> str:
    with pytest.raises(AttritionError) as found:
        land_database(root, source)
    assert Store(root).files("landed") == []
    return str(found.value)


def test_types_arrive_as_they_are_whatever_the_servers_zone(server: Database, tmp_path: Path) -> None:
    server.run("DROP TABLE IF EXISTS t", *TYPES[server.system])
    query = "SELECT * FROM t"
    source = database_source(server, query)
    statement = Statement.of(query, system=server.system, where="t")
    answer = fetch(tmp_path, source, statement, since=datetime(1900, 1, 1), folder=tmp_path, flags={"yes"})
    (row,) = pq.read_table(answer.place).to_pylist()
    yes, big = {"postgresql": (True, 2**63 - 1), "mysql": ("1", Decimal(2**64 - 1))}[server.system]
    assert row.pop("at").isoformat() == "2024-01-02T23:30:00+00:00"
    assert row == {
        "nr": "00000000-0000-0000-0000-000000000007",
        "who": '{"n": 1.10}',
        "local": datetime(2024, 1, 2, 23, 30),
        "on_": date(2024, 1, 3),
        "yes": yes,
        "much": Decimal("1234567890123456.5000"),
        "any_": Decimal("0.1"),
        "real_": 0.1,
        "big": big,
    }


def test_a_window_is_asked_for_by_its_moment(database: Database, tmp_path: Path) -> None:
    database.fill("bestellung", orders(ANN, BO))
    source = database_source(database, WINDOW, cursor="stand")
    assert land_database(tmp_path, source).result.rows_in == 2
    database.fill("bestellung", orders(ANN, BO, ("C-1", "cy", "2024-03-04", "1.00", "2024-03-04 00:00:00")))
    assert land_database(tmp_path, source).result.rows_in == 2
    assert land_database(tmp_path, source).result.rows_in == 1


def test_zero_days_of_mysql_are_none(mysql: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATTRITION_SOURCE_PASSWORD", str(mysql.password))
    mysql.run(
        "DROP TABLE IF EXISTS z",
        "SET sql_mode = ''",
        "CREATE TABLE z (nr int, am datetime, flag bit(1))",
        "INSERT INTO z VALUES (1, '0000-00-00 00:00:00', b'1'), (2, '2024-01-02 00:00:00', b'0')",
    )
    landed = land_database(
        tmp_path,
        database_source(mysql, "SELECT nr AS order_id, flag AS customer_id, am AS ordered_at, 1 AS amount FROM z"),
    )
    assert landed.values("order_id", "customer_id") == [("2", "0")]
    assert list(landed.reasons.values()) == ["ordered_at is empty"]


@pytest.mark.parametrize(
    "query",
    [
        "SELECT nr AS order_id, kunde AS customer_id, am AS ordered_at, writing() AS amount FROM bestellung",
        (
            "SELECT * FROM (SELECT nr AS order_id, kunde AS customer_id, am AS ordered_at, nextval('s') AS amount "
            "FROM bestellung) AS q"
        ),
        (
            "WITH gone AS (DELETE FROM bestellung RETURNING *) SELECT nr AS order_id, kunde AS customer_id, am AS "
            "ordered_at, summe AS amount FROM gone"
        ),
    ],
)
def test_nothing_is_written_even_by_an_owner(postgresql: Database, tmp_path: Path, query: str) -> None:
    postgresql.fill("bestellung", orders(ANN))
    postgresql.run(
        "CREATE SEQUENCE IF NOT EXISTS s",
        "CREATE OR REPLACE FUNCTION writing() RETURNS int LANGUAGE plpgsql AS $$ BEGIN DELETE FROM bestellung; "
        "RETURN 1; END $$",
    )
    owner = database_source(postgresql, query, url=postgresql.url.replace("reader", "tests"))
    assert "database of orders: the database: the query" in refused(tmp_path, owner)
    with postgresql.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM bestellung")
        assert cursor.fetchone() == (1,)


def test_nothing_is_written_by_an_owner_of_mysql(
    mysql: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ATTRITION_SOURCE_PASSWORD", str(mysql.password))
    mysql.fill("bestellung", orders(ANN))
    mysql.run(
        "DROP FUNCTION IF EXISTS writing",
        "CREATE FUNCTION writing() RETURNS int MODIFIES SQL DATA BEGIN DELETE FROM bestellung; RETURN 1; END",
    )
    query = "SELECT 1 AS order_id, 'ann' AS customer_id, '2024-01-02' AS ordered_at, writing() AS amount"
    owner = database_source(mysql, query, url=mysql.url.replace("reader", "tests"))
    assert "the query writes, and a source only reads (code 1792)" in refused(tmp_path, owner)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def test_a_wrong_password_is_said_and_no_secret_is_told(
    server: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_PASSWORD", "s3cret")
    said = refused(tmp_path, database_source(server, password_env="SHOP_PASSWORD"))
    assert "it does not let us in: look at the user" in said
    assert not any(word in said for word in ("s3cret", "reader", str(server.password)))
    monkeypatch.delenv("ATTRITION_SOURCE_PASSWORD")
    assert ("it asks for a password" if server.system == "postgresql" else "does not let us in") in refused(
        tmp_path, database_source(server)
    )


@pytest.mark.parametrize(
    ("query", "words"),
    [
        (ORDERS.replace("bestellung", "nowhere"), "a table that the query names is not there"),
        (ORDERS.replace("summe", "nothing"), "a column that the query names is not there"),
        (ORDERS.replace("FROM", "FORM"), "the query is not valid SQL of this database"),
        (ORDERS.replace("summe", "nofunction(1)"), "the query calls a function that is not there"),
    ],
)
def test_what_the_server_refuses_is_said(server: Database, tmp_path: Path, query: str, words: str) -> None:
    server.fill("bestellung", orders(ANN))
    said = refused(tmp_path, database_source(server, query))
    assert words in said
    assert "nowhere" not in said
    assert "reader" not in said


def test_a_table_that_the_user_may_not_read_is_said(postgresql: Database, tmp_path: Path) -> None:
    postgresql.fill("bestellung", orders(ANN))
    postgresql.run("REVOKE SELECT ON bestellung FROM reader")
    source = database_source(postgresql, password_env="PGPASS_OF_TEST")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PGPASS_OF_TEST", str(postgresql.password))
        assert "the user has no right to read what the query names (code 42501)" in refused(tmp_path, source)


def test_a_type_that_does_not_fit_is_said_before_a_row_is_asked_for(server: Database, tmp_path: Path) -> None:
    server.fill("bestellung", orders(ANN))
    said = refused(tmp_path, database_source(server, ORDERS.replace("summe AS", "am AS")))
    assert "column 'amount' of database of orders is date32[day]; money needs a number" in said


def test_an_infinite_day_is_said(postgresql: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATTRITION_SOURCE_PASSWORD", str(postgresql.password))
    query = "SELECT 1 AS order_id, 'ann' AS customer_id, 'infinity'::date AS ordered_at, 1 AS amount"
    assert "a value of the answer cannot be read (a date of no calendar" in refused(
        tmp_path, database_source(postgresql, query)
    )


@pytest.mark.parametrize("system", ["postgresql", "mysql"])
def test_an_absent_server_is_said(system: str, tmp_path: Path) -> None:
    url = f"{system}://ann@127.0.0.1:{_free_port()}/shop"
    said = refused(tmp_path, database_source(Database(system, url, 0)))
    assert "the database: it does not answer: look at the host and port in url" in said
    assert "ann" not in said


def test_a_query_that_never_ends_is_stopped(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connect, "_MINUTE", 1.0)
    database.fill("bestellung", orders(ANN))
    endless = (
        "WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 1000000000) "
        "SELECT max(i) AS order_id, 'ann' AS customer_id, '2024-01-02' AS ordered_at, 1 AS amount FROM n"
    )
    if database.system == "mysql":
        endless = "SELECT sleep(30) AS order_id, 'ann' AS customer_id, '2024-01-02' AS ordered_at, 1 AS amount"
    source = database_source(database, endless, time_limit_minutes=1)
    assert "took longer than 1 minute and was stopped; raise time_limit_minutes" in refused(tmp_path, source)


def test_a_server_that_falls_silent_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connect, "_CONNECT_SECONDS", 2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        for system in ("postgresql", "mysql"):
            url = f"{system}://ann@127.0.0.1:{silent.getsockname()[1]}/shop"
            assert "it does not answer" in refused(tmp_path, database_source(Database(system, url, 0)))


def test_neither_password_nor_user_is_written_anywhere(server: Database, tmp_path: Path) -> None:
    server.fill("bestellung", orders(ANN, BO))
    land_database(tmp_path, database_source(server))
    for place in tmp_path.rglob("*"):
        if place.is_file():
            content = place.read_bytes()
            assert str(server.password).encode() not in content
            assert b"reader" not in content


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("mysql://db.example.com/shop", (False, ssl.CERT_NONE)),
        ("mysql://db.example.com/shop?sslmode=verify-ca", (False, ssl.CERT_REQUIRED)),
        ("mysql://db.example.com/shop?sslmode=verify-full", (True, ssl.CERT_REQUIRED)),
    ],
)
def test_a_remote_mysql_is_spoken_to_in_tls_alone(url: str, expected: tuple[bool, Any]) -> None:
    context = connect._connect_args(database_url(url))["ssl"]
    assert (context.check_hostname, context.verify_mode) == expected


def test_a_remote_postgresql_is_spoken_to_in_tls_alone() -> None:
    assert connect._connect_args(database_url("postgresql://db.example.com/shop"))["sslmode"] == "require"


def test_texts_are_read_as_the_dialect_says(server: Database, tmp_path: Path) -> None:
    query = "SELECT '1' AS order_id, 'ann' AS customer_id, '02/01/2024' AS ordered_at, '1.234,50' AS amount"
    dialect = Dialect(date_format="%d/%m/%Y", decimal=",", thousands=".")
    landed = land_database(tmp_path, database_source(server, query, dialect=dialect))
    assert landed.values("ordered_on", "amount") == [(date(2024, 1, 2), Decimal("1234.5000"))]
