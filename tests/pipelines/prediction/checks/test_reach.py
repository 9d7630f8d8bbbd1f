"""What `check` says of how far tables reach, of what is not believed, and of what is known late."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from features.errors import StaleError
from pipelines.data.landing.ingest import ingest
from pipelines.foundation.settings.settings import Snapshots as Grid
from pipelines.foundation.workspace.workspace import open_workspace
from pipelines.prediction.checks.reach import reach_notes, refuse_silent, silent
from tests.pipelines.foundation.workspace.test_workspace import (
    CLUB,
    CONTACTS,
    NOON,
    ORDERS,
    SHOP,
    changed,
    daily,
    made,
    opened,
    source,
)

YEAR = daily(date(2023, 6, 1), date(2024, 6, 30))


def test_of_a_living_shop_there_is_nothing_to_say(tmp_path: Path) -> None:
    assert list(reach_notes(opened(tmp_path, orders=YEAR))) == []


def test_a_mistyped_year_is_named(tmp_path: Path) -> None:
    (said,) = reach_notes(opened(tmp_path, orders=[*YEAR, "x,A,2042-01-01 12:00,10"]))
    assert said.startswith("orders: 1 row dated on the day of this run or later (first 2042-01-01): not counted before")


def test_rows_alone_beyond_a_silence_are_named(tmp_path: Path) -> None:
    orders = [*daily(date(2023, 1, 1), date(2023, 12, 31)), "x,A,2024-05-05 12:00,10", "y,A,2024-05-07 12:00,10"]
    (said,) = reach_notes(opened(tmp_path, orders=orders))
    assert said.startswith("orders: 2 rows of 2024-05-05 to 2024-05-07 beyond a long silence: too few")


def test_orders_that_stopped_while_others_go_on_are_refused_where_they_would_be_scored(tmp_path: Path) -> None:
    """All that end on one day are an export of that day."""
    contacts = source("support_contacts", "contact_id", "customer_id", "opened_at")
    shop, until = changed(SHOP, sources=(ORDERS, contacts)), date(2024, 6, 30)
    for place, last, refused in (("a", date(2024, 6, 5), True), ("b", date(2024, 6, 20), False), ("c", until, False)):
        rows = [",".join(row.split(",")[:3]) for row in daily(date(2023, 6, 1), until)]
        found = opened(tmp_path / place, shop, orders=daily(date(2023, 6, 1), last), support_contacts=rows)
        said = list(silent(found))
        assert len(said) == refused
        if refused:
            assert said[0].startswith(
                "orders end on 2024-06-05, and support_contacts go on until 2024-06-30: 1.0 rows a day of orders until "
                "then, and none in 24 days; scores would say that everybody stopped."
            )
            with pytest.raises(StaleError, match="--as-of 2024-06-06"):
                refuse_silent(found)
    closed = changed(shop, sources=(ORDERS.model_copy(update={"silence": "closed"}), contacts))
    assert list(silent(opened(tmp_path / "d", closed, orders=daily(date(2023, 6, 1), date(2024, 6, 5)),
                              support_contacts=rows))) == []  # fmt: skip


def test_a_table_that_stopped_before_the_others_is_named_with_its_evidence(tmp_path: Path) -> None:
    contacts = source("support_contacts", "contact_id", "customer_id", "opened_at")
    rows = [",".join(row.split(",")[:3]) for row in daily(date(2023, 6, 1), date(2024, 2, 29))]
    found = opened(tmp_path, changed(SHOP, sources=(ORDERS, contacts)), orders=YEAR, support_contacts=rows)
    (said,) = reach_notes(found)
    assert said.startswith(
        "support_contacts: stopped on 2024-02-29: 1.0 rows a day until then, none in the 121 days to 2024-06-30. "
        "What rests on it is not known since: it is empty, and no reason is made of it; export it again"
    )


def test_a_table_that_begins_after_the_others_is_named_where_snapshots_look_before_it(tmp_path: Path) -> None:
    contacts = source("support_contacts", "contact_id", "customer_id", "opened_at")
    rows = [",".join(row.split(",")[:3]) for row in daily(date(2024, 1, 1), date(2024, 6, 30))]
    shop = changed(SHOP, sources=(ORDERS, contacts), snapshots=Grid(min_history_days=90), lookback_days=(30, 180))
    (said,) = reach_notes(opened(tmp_path / "one", shop, orders=YEAR, support_contacts=rows))
    assert said == (
        "support_contacts: begins on 2024-01-01: 1.0 rows a day since, none in the 214 days of data before. Snapshots "
        "before 2024-06-29 count over up to 180 days what came since that day, and no more. If there are older rows, "
        "export them, too"
    )
    later = changed(shop, snapshots=Grid(min_history_days=394))  # the first on 2024-06-29
    assert list(reach_notes(opened(tmp_path / "other", later, orders=YEAR, support_contacts=rows))) == []


def test_a_table_that_its_source_says_to_end_is_named_with_what_follows(tmp_path: Path) -> None:
    contacts = source("support_contacts", "contact_id", "customer_id", "opened_at").model_copy(
        update={"complete_until": date(2024, 6, 1)}
    )
    rows = [",".join(row.split(",")[:3]) for row in YEAR]
    found = opened(tmp_path, changed(SHOP, sources=(ORDERS, contacts)), orders=YEAR, support_contacts=rows)
    (said,) = reach_notes(found)
    assert said == (
        "support_contacts: complete until 2024-06-01, as its source says. What rests on it is not known since: it is "
        "empty, and no reason is made of it"
    )


def test_a_quiet_company_is_told_until_when_it_is_taken_to_be_complete(tmp_path: Path) -> None:
    months = [f"{2022 + month // 12}-{1 + month % 12:02}" for month in range(28)]
    rows = [
        f"{n},{n},{month}-{day} 12:00,basic,30"
        for n, (month, day) in enumerate((m, d) for m in months for d in (10, 20))
    ]
    found = opened(tmp_path, CLUB, subscriptions=[*rows, "x,x,2024-05-10 12:00,basic,30"])
    assert [
        said
        for said in reach_notes(found)
        if "silent since 2024-05-10, as usual" in said and "complete until 2024-07-01" in said
    ]


def test_a_pause_is_named_with_the_way_to_say_that_the_shop_was_closed(tmp_path: Path) -> None:
    orders = [*daily(date(2023, 6, 1), date(2023, 12, 31)), *daily(date(2024, 2, 1), date(2024, 6, 30), number=900)]
    (said,) = reach_notes(opened(tmp_path, orders=orders))
    assert said.startswith("orders: no rows from 2024-01-01 to 2024-02-01, 31 days, where ")
    assert 'set silence = "closed" for its source' in said


def test_rows_that_are_known_later_than_their_dates_are_named(tmp_path: Path) -> None:
    workspace = opened(tmp_path, orders=YEAR)
    other = [row.replace(",10", ",11") for row in YEAR[:3]]
    (tmp_path / "orders.csv").write_text(
        "\n".join([",".join(ORDERS.columns), *YEAR[3:], *other, "x,A,2024-01-05 12:00,10", ""])
    )
    ingest(workspace.store, workspace.settings, today=date(2024, 7, 8))
    later = open_workspace(tmp_path, now=NOON)
    assert [said.partition(" known from")[0] for said in reach_notes(later)] == [
        "orders: 1 row that came later than its date says is",
        "orders: 3 rows that say otherwise than before are",
    ]


def test_rows_of_two_files_of_one_day_are_counted_together(tmp_path: Path) -> None:
    orders = ORDERS.model_copy(update={"path": "*.csv"})
    workspace = opened(tmp_path, changed(SHOP, sources=(ORDERS,)), orders=YEAR)
    head = ",".join(ORDERS.columns)
    for name, amount, rows in (("a", ",11", YEAR[:2]), ("b", ",12", YEAR[1:4])):
        (tmp_path / f"{name}.csv").write_text("\n".join([head, *(row.replace(",10", amount) for row in rows), ""]))
    ingest(workspace.store, changed(SHOP, sources=(orders,)), today=date(2024, 7, 1))
    made(tmp_path, changed(SHOP, sources=(orders,)))
    (said,) = reach_notes(open_workspace(tmp_path, now=NOON))
    assert said.startswith("orders: 5 rows that say otherwise than before are known from the landing on (2024-07-01)")


def test_values_as_of_the_export_are_named_where_the_source_maps_them(tmp_path: Path) -> None:
    columns = ("subscription_id", "customer_id", "started_at", "mrr", "renews_at")
    settings = changed(CLUB, sources=(source("subscriptions", *columns),))
    found = opened(tmp_path, settings, subscriptions=["1,1,2024-06-10 12:00,30,2025-06-10 12:00"])
    (said,) = reach_notes(found)
    assert said.startswith(
        "subscriptions: renews_at is as of the export, and so months_to_renewal is empty in snapshots before it."
    )


def test_contracts_that_the_newest_of_each_source_lacks_are_named(tmp_path: Path) -> None:
    """An earlier export that lacked them says nothing any more."""
    rows = [f"{n},{n},2024-06-1{n} 12:00,basic,30" for n in range(4)]
    workspace = opened(tmp_path, CLUB, subscriptions=rows)
    for there, day, told in ((rows[1:], 8, 1), (rows[2:], 9, 2), (rows, 10, 0)):
        text = "\n".join([",".join(CLUB.sources[0].columns), *there, ""])
        (tmp_path / "subscriptions.csv").write_text(text)
        ingest(workspace.store, workspace.settings, today=date(2024, 7, day))
        said = [each for each in reach_notes(open_workspace(tmp_path, now=NOON)) if "not in the newest" in each]
        assert [each.partition(" of earlier files")[0] for each in said] == [
            f"subscriptions: {told} row{'s' * (told > 1)}"
        ] * (told > 0)


@pytest.mark.parametrize(("silent", "said"), [(20, "20 days"), (7, "7 days"), (3, None)])
def test_a_hole_in_what_customers_do_is_named_though_no_outcome_is_read_from_it(
    tmp_path: Path, silent: int, said: str | None
) -> None:
    again = date(2024, 2, 1) + timedelta(days=silent)
    before, after = daily(date(2023, 6, 1), date(2024, 1, 31), number=0), daily(again, date(2024, 6, 30), number=9_000)
    contacts = [f"{n}{row.rsplit(',', 1)[0]}" for n in range(5) for row in [*before, *after]]
    found = opened(tmp_path, changed(SHOP, sources=(ORDERS, CONTACTS)), orders=YEAR, support_contacts=contacts)
    told = [each for each in reach_notes(found) if each.startswith("support_contacts: no rows")]
    assert len(told) == (said is not None)
    if said is not None:
        assert told[0].startswith(f"support_contacts: no rows from 2024-02-01 to {again}, {said}, where ")
        assert f"counts over these days are too low, in snapshots until {again + timedelta(days=365)}." in told[0]
