"""The query of the layout hubspot-tickets, on the exports of a made-up help desk, per month."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.layouts import hubspot_tickets
from tests.layouts.billing_views import Expected, connected, landed, per_month, worth
from tests.layouts.tickets import ZONE

LAYOUT = Path(__file__).parents[4] / "pipelines" / "data" / "layouts" / "hubspot-tickets"
SETTINGS = tomllib.loads((LAYOUT / "attrition.toml").read_text(encoding="utf-8"))
Rows = list[dict[str, Any]]
Export = tuple[duckdb.DuckDBPyConnection, Expected]


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Export:
    folder = tmp_path_factory.mktemp("hubspot")
    right = hubspot_tickets.write(folder)
    return connected(folder), right


def read(connection: duckdb.DuckDBPyConnection) -> tuple[Rows, list[str]]:
    (source,) = SETTINGS["sources"]
    sql = (LAYOUT / source["query"]).read_text(encoding="utf-8")
    return landed(connection, sql, source["table"], dialect=source["dialect"], zone=ZONE)


def test_it_is_an_addition_to_another_layout() -> None:
    assert SETTINGS.keys() == {"sources"}
    assert SETTINGS["sources"][0]["guests"] == [""]


def test_every_ticket_of_a_known_person(export: Export) -> None:
    rows, refused = read(export[0])
    right = export[1].months["support_contacts"]
    assert len(rows) == len({row["contact_id"] for row in rows}) == export[1].rows["support_contacts"]
    assert len(refused) == export[1].refused["support_contacts"]
    assert per_month(rows, "opened_at", ZONE, lambda row: 1) == right["opened"]
    assert per_month(rows, "resolved_at", ZONE, lambda row: 1) == right["resolved"]
    assert per_month(rows, "opened_at", ZONE, lambda row: 1 if (row["severity"] or 0) >= 3 else None) == right["severe"]
    for column, figures in (
        ("channel", {"email": "by email", "web": "by web", "chat": "by chat"}),
        ("topic", {"billing_issue": "billing_issue", "product_issue": "product_issue"}),
    ):
        for code, figure in figures.items():
            by = per_month(rows, "opened_at", ZONE, worth(1, **{column: code}))
            assert by == right[figure]
    assert per_month(rows, "opened_at", ZONE, waited) == right["minutes"]


def waited(row: dict[str, Any]) -> int | None:
    answered = row["first_response_at"]
    return int((answered - row["opened_at"]).total_seconds()) // 60 if answered else None


def test_a_ticket_of_several_contacts_is_the_first_ones(export: Export) -> None:
    rows, _ = read(export[0])
    shared = [row for row in rows if int(row["contact_id"][3:]) % 20 == 0]
    assert len({row["customer_id"] for row in shared}) > 1
    assert all(row["customer_id"].startswith("person") and row["customer_id"].islower() for row in rows)


def test_whose_contact_is_not_known_is_nobodys(export: Export) -> None:
    _, refused = read(export[0])
    assert refused.count("customer_id is empty") == export[1].left_out["of nobody known"] + 2


def test_headings_that_an_export_may_lack(tmp_path: Path) -> None:
    right = hubspot_tickets.write(tmp_path, customers=30)
    connection = connected(tmp_path)
    connection.execute('ALTER VIEW "hubspot-tickets.csv" RENAME TO "all columns"')
    left = '"Source", "Category", "Priority", "First agent email response date"'
    connection.execute(f'CREATE VIEW "hubspot-tickets.csv" AS SELECT * EXCLUDE ({left}) FROM "all columns"')
    rows, _ = read(connection)
    assert len(rows) == right.rows["support_contacts"] + 1  # without priorities, that of a word unknown lands, too
    assert {row["severity"] for row in rows} == {None}


def test_of_exports_that_overlap_the_last_holds(tmp_path: Path) -> None:
    hubspot_tickets.write(tmp_path, customers=30)
    connection = connected(tmp_path)
    once, _ = read(connection)
    connection.execute('ALTER VIEW "hubspot-tickets.csv" RENAME TO "last"')
    older = """SELECT * REPLACE ('' AS "Close date", 'a' AS source_file) FROM "last" WHERE "Ticket ID" < '10099999' """
    connection.execute(f'CREATE VIEW "hubspot-tickets.csv" AS FROM "last" UNION ALL {older}')
    twice, _ = read(connection)
    assert sorted(map(str, twice)) == sorted(map(str, once))
