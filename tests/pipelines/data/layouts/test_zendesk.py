"""The queries of the layout zendesk, on the exports of a made-up help desk, per month."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.layouts import zendesk
from tests.layouts.billing_views import Expected, connected, landed, per_month, worth
from tests.layouts.tickets import ZONE

LAYOUT = Path(__file__).parents[4] / "pipelines" / "data" / "layouts" / "zendesk"
SETTINGS = tomllib.loads((LAYOUT / "attrition.toml").read_text(encoding="utf-8"))
SOURCES = {source["query"]: source for source in SETTINGS["sources"]}
Rows = list[dict[str, Any]]
Export = tuple[duckdb.DuckDBPyConnection, Expected]


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Export:
    folder = tmp_path_factory.mktemp("zendesk")
    right = zendesk.write(folder)
    return connected(folder), right


def read(connection: duckdb.DuckDBPyConnection, query: str) -> tuple[Rows, list[str]]:
    source = SOURCES[query]
    sql = (LAYOUT / query).read_text(encoding="utf-8")
    return landed(connection, sql, source["table"], dialect=source["dialect"], zone=ZONE)


def test_it_is_an_addition_to_another_layout() -> None:
    assert SETTINGS.keys() == {"sources"}
    assert all(source["guests"] == [""] for source in SETTINGS["sources"])


@pytest.mark.parametrize("query", ["zendesk_tickets_json.sql", "zendesk_tickets_csv.sql"])
def test_every_ticket_of_a_known_person(export: Export, query: str) -> None:
    rows, refused = read(export[0], query)
    right = export[1].months["support_contacts"]
    assert len(rows) == len({row["contact_id"] for row in rows}) == export[1].rows["support_contacts"]
    assert len(refused) == export[1].refused["support_contacts"]
    assert per_month(rows, "opened_at", ZONE, lambda row: 1) == right["opened"]
    assert per_month(rows, "resolved_at", ZONE, lambda row: 1) == right["resolved"]
    assert per_month(rows, "opened_at", ZONE, lambda row: 1 if (row["severity"] or 0) >= 3 else None) == right["severe"]
    for channel in ("email", "web", "chat"):
        by = per_month(rows, "opened_at", ZONE, worth(1, channel=channel))
        assert by == right[f"by {channel}"]
    assert per_month(rows, "opened_at", ZONE, waited) == right["minutes"]
    assert all(row["customer_id"].startswith("person") for row in rows)


def waited(row: dict[str, Any]) -> int | None:
    answered = row["first_response_at"]
    return int((answered - row["opened_at"]).total_seconds()) // 60 if answered else None


@pytest.mark.parametrize("query", ["zendesk_tickets_json.sql", "zendesk_tickets_csv.sql"])
def test_of_nobody_known_no_row_lands(export: Export, query: str) -> None:
    _, refused = read(export[0], query)
    assert refused.count("customer_id is empty") >= export[1].left_out["of nobody known"]


def test_both_exports_say_the_same(export: Export) -> None:
    one, other = (read(export[0], f"zendesk_tickets_{kind}.sql")[0] for kind in ("json", "csv"))
    names = ("contact_id", "customer_id", "opened_at", "first_response_at", "resolved_at", "severity", "channel")

    def facts(rows: Rows) -> list[tuple[Any, ...]]:
        return sorted((tuple(row[name] for name in names) for row in rows), key=lambda fact: fact[0])

    assert facts(one) == facts(other)


def test_an_export_without_requesters_is_refused_row_by_row(tmp_path: Path) -> None:
    zendesk.write(tmp_path, customers=20)
    path = tmp_path / "zendesk_tickets.json"
    tickets = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    for ticket in tickets:
        ticket["requester_id"] = (ticket.pop("requester") or {}).get("id")
    path.write_text("".join(json.dumps(ticket) + "\n" for ticket in tickets), encoding="utf-8")
    rows, refused = read(connected(tmp_path), "zendesk_tickets_json.sql")
    assert not rows
    assert all(why.startswith("opened_at") for why in refused)


def test_ratings_count_on_the_day_they_were_given(export: Export) -> None:
    rows, refused = read(export[0], "zendesk_ratings.sql")
    right = export[1].months["surveys"]
    assert len(rows) == export[1].rows["surveys"]
    assert len(refused) == export[1].refused["surveys"]
    assert per_month(rows, "asked_at", ZONE, lambda row: 1) == right["asked"]
    assert per_month(rows, "answered_at", ZONE, lambda row: row["score"]) == right["score"]
    assert all(row["answered_at"] is None for row in rows if row["score"] is None)


def test_of_exports_that_overlap_the_last_change_holds(tmp_path: Path) -> None:
    zendesk.write(tmp_path, customers=30)
    once, _ = read(connected(tmp_path), "zendesk_tickets_json.sql")
    path = tmp_path / "zendesk_tickets.json"
    tickets = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    older = [ticket | {"status": "open", "updated_at": "2023-12-31T00:00:00Z"} for ticket in tickets]
    path.write_text("".join(json.dumps(ticket) + "\n" for ticket in older + tickets), encoding="utf-8")
    twice, _ = read(connected(tmp_path), "zendesk_tickets_json.sql")
    assert sorted(map(str, twice)) == sorted(map(str, once))
