"""What counts of files that come one after another, and from when it is known."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import ibis
import pytest

from features.asof import as_of
from features.errors import DataError
from pipelines.data.landing.ingest import IngestResult, ingest
from pipelines.foundation.settings.dialect import Dialect
from pipelines.foundation.settings.settings import Cohort, Outcome, Settings
from pipelines.foundation.settings.sources import FileSource
from pipelines.foundation.storage.landed_tables import landed_tables
from pipelines.foundation.storage.store import Store

ORDERS = {name: name for name in ("order_id", "customer_id", "ordered_at", "amount", "refunded_at")}
LINES = {name: name for name in ("order_id", "customer_id", "ordered_at", "quantity", "unit_price", "returned_at")}
CLUB = {name: name for name in ("subscription_id", "customer_id", "started_at", "mrr", "renews_at", "ended_at")}
COLUMNS = {"orders": ORDERS, "order_lines": LINES, "subscriptions": CLUB}

JANUARY, MARCH, MAY, JUNE = (date(2024, month, 1) for month in (1, 3, 5, 6))


def settings(table: str = "orders", *, path: str = "*.csv", **changes: Any) -> Settings:
    given = {"columns": COLUMNS[table], "max_rejected_share": 0.0} | changes
    contract = (
        {"cohort": Cohort(kind="subscribed"), "outcome": Outcome(kind="churn")} if table == "subscriptions" else {}
    )
    return Settings(currency="EUR", time_zone="UTC", sources=(FileSource(table=table, path=path, **given),), **contract)


def land(root: Path, name: str, rows: Sequence[str], on: date, wanted: Settings) -> tuple[str, ...]:
    """Write a file, ingest on a day, and say what was remarked of it."""
    header = ",".join(wanted.sources[0].columns.values())
    (root / name).write_text("\n".join([header, *rows, ""]))
    return next(each.remarks for each in ingest(Store(root), wanted, today=on) if each.path == name)


def known(root: Path, wanted: Settings, day: date, *names: str) -> list[tuple[Any, ...]]:
    """What a table held as it was known at the start of a day."""
    engine = ibis.duckdb.connect()
    tables = landed_tables(Store(root), engine, settings=wanted)
    (table,) = as_of(tables, day, zone=wanted.zone).tables.values()
    return sorted(tuple(map(str, row.values())) for row in engine.to_pyarrow(table.select(*names)).to_pylist())


# Rows that stand in several files


def test_lines_of_overlapping_exports_count_once(tmp_path: Path) -> None:
    wanted = settings("order_lines")
    february, march = "1,C,2024-02-10,1,5,", "2,C,2024-03-10,1,5,"
    assert land(tmp_path, "a.csv", ["0,C,2024-01-10,1,5,", february], MARCH, wanted) == ()
    (said,) = land(tmp_path, "b.csv", [february, march], MAY, wanted)
    assert said == "1 row met before in this source: counted once"
    assert known(tmp_path, wanted, JUNE, "order_id") == [("0",), ("1",), ("2",)]


def test_as_often_as_a_line_stands_in_one_file_so_often_it_counts(tmp_path: Path) -> None:
    wanted, line = settings("order_lines"), "1,C,2024-02-10,1,5,"
    (said,) = land(tmp_path, "a.csv", [line, line], MARCH, wanted)
    assert said.startswith("1 row repeats another row of the file in all that is read of it, and each counts")
    land(tmp_path, "b.csv", [line, line, line], MAY, wanted)
    land(tmp_path, "c.csv", [line], JUNE, wanted)
    assert known(tmp_path, wanted, MARCH, "order_id") == [("1",)] * 2
    assert known(tmp_path, wanted, JUNE, "order_id") == [("1",)] * 3


def test_a_line_told_with_another_price_counts_beside_the_other_and_is_named(tmp_path: Path) -> None:
    """Lines have no key: it may have been put right, or be another line; with periods the later one holds."""
    told, other = "1,C,2024-02-10,1,5,", "1,C,2024-02-11,1,7,"
    for place, new_file, prices in (("rows", "rows", ["5.0000", "9.0000"]), ("period", "period", ["9.0000"])):
        folder, wanted = tmp_path / place, settings("order_lines", new_file=new_file)
        folder.mkdir()
        land(folder, "a.csv", [told, other], MARCH, wanted)
        said = land(folder, "b.csv", [told.replace(",5,", ",9,"), other], MAY, wanted)
        named = [each for each in said if "1 row with the moment and the texts of a row of an earlier file" in each]
        assert len(named) == (new_file == "rows")
        found = known(folder, wanted, JUNE, "order_id", "ordered_on", "unit_price")
        assert [price for _, day, price in found if day == "2024-02-10"] == prices


@pytest.mark.parametrize(
    ("table", "new_file", "there", "lacked"),
    [
        ("subscriptions", "rows", "1123", 1),  # subscription 4 is not there: has it ended?
        ("subscriptions", "rows", "12", 2),
        ("subscriptions", "rows", "1", 0),  # what changed, and no more
        ("subscriptions", "rows", "1234", 0),
        ("subscriptions", "state", "123", 0),  # it has ended
        ("orders", "rows", "123", 0),
    ],
)
def test_contracts_that_a_file_of_the_others_lacks_are_named(
    tmp_path: Path, table: str, new_file: str, there: str, lacked: int
) -> None:
    wanted = settings(table, new_file=new_file)
    tail = ",10,," if table == "subscriptions" else ",10,"
    rows = {number: f"{number},C{number},2024-01-1{number}{tail}" for number in "1234"}
    gone = ["9,C9,2024-01-19,10,,2024-02-20"] if table == "subscriptions" else []
    land(tmp_path, "a.csv", [*rows.values(), *gone], MARCH, wanted)
    said = land(tmp_path, "b.csv", [rows[each] for each in sorted(set(there))], MAY, wanted)
    named = [each for each in said if "go on are not in this one, which tells most of them anew" in each]
    assert [each.split(" of ")[0] for each in named] == ([f"{lacked} row{'s' * (lacked > 1)}"] if lacked else [])


def test_equal_lines_of_two_sources_are_two(tmp_path: Path) -> None:
    wanted = settings("order_lines", path="a.csv")
    wanted = wanted.model_copy(
        update={"sources": (*wanted.sources, wanted.sources[0].model_copy(update={"path": "b.csv"}))}
    )
    (tmp_path / "b.csv").write_text(",".join(LINES) + "\n2,C,2024-02-10,1,5,\n1,C,2024-02-10,1,5,\n")
    land(tmp_path, "a.csv", ["1,C,2024-02-10,1,5,"], MARCH, wanted)
    assert known(tmp_path, wanted, JUNE, "order_id") == [("1",), ("1",), ("2",)]


def test_a_line_that_came_back_is_the_same_line(tmp_path: Path) -> None:
    wanted = settings("order_lines")
    land(tmp_path, "a.csv", ["1,C,2024-02-10,1,5,"], MARCH, wanted)
    (said,) = land(tmp_path, "b.csv", ["1,C,2024-02-10,1,5,2024-04-10"], MAY, wanted)
    assert said == "1 row continued, as by a return, a payment or an end: known from when that was"
    assert known(tmp_path, wanted, date(2024, 4, 10), "returned_on") == [("None",)]
    assert known(tmp_path, wanted, date(2024, 4, 11), "returned_on") == [("2024-04-10",)]


# Values that changed


def test_an_amount_that_changed_is_known_from_the_landing_that_brought_it(tmp_path: Path) -> None:
    wanted = settings()
    land(tmp_path, "orders.csv", ["1,C,2024-02-10,100,"], MARCH, wanted)
    (said,) = land(tmp_path, "orders.csv", ["1,C,2024-02-10,900,"], MAY, wanted)
    assert said == "1 row told otherwise than before: known so from 2024-05-01 on"
    assert known(tmp_path, wanted, date(2024, 4, 30), "amount") == [("100.0000",)]
    assert known(tmp_path, wanted, MAY, "amount") == [("900.0000",)]


def test_a_source_may_say_that_it_corrects_the_past(tmp_path: Path) -> None:
    wanted = settings(corrects_past=True)
    land(tmp_path, "orders.csv", ["1,C,2024-02-10,100,"], MARCH, wanted)
    land(tmp_path, "orders.csv", ["1,C,2024-02-10,900,"], MAY, wanted)
    assert known(tmp_path, wanted, MARCH, "amount") == [("900.0000",)]


def test_an_end_told_too_late_is_known_from_the_landing_on(tmp_path: Path) -> None:
    wanted = settings("subscriptions")
    land(tmp_path, "a.csv", ["1,C,2024-01-10,10,,"], MARCH, wanted)
    land(tmp_path, "b.csv", ["1,C,2024-01-10,10,,2024-02-10"], MAY, wanted)
    assert known(tmp_path, wanted, date(2024, 4, 30), "ended_on") == [("None",)]
    assert known(tmp_path, wanted, MAY, "ended_on") == [("2024-02-10",)]


def test_a_value_that_goes_back_was_another_in_between(tmp_path: Path) -> None:
    wanted = settings()
    for amount, day in ((1, JANUARY), (2, MARCH), (1, MAY)):
        land(tmp_path, "orders.csv", [f"1,C,2023-02-10,{amount},"], day, wanted)
    found = [known(tmp_path, wanted, day, "amount") for day in (JANUARY, MARCH, MAY)]
    assert found == [[("1.0000",)], [("2.0000",)], [("1.0000",)]]


def test_another_mapping_is_no_news_and_holds_for_all_that_landed(tmp_path: Path) -> None:
    wrong = settings(columns=ORDERS | {"amount": "order_id"})
    (tmp_path / "orders.csv").write_text("order_id,customer_id,ordered_at,amount,refunded_at\n1,C,2024-02-10,100,\n")
    ingest(Store(tmp_path), wrong, today=MARCH)
    ingest(Store(tmp_path), settings(), today=MAY)
    assert known(tmp_path, settings(), MARCH, "amount") == [("100.0000",)]


def test_what_was_put_right_was_never_so_not_even_for_those_who_saw_it(tmp_path: Path) -> None:
    """The last file is read under other settings, which put right what earlier ones said."""
    for amount, day, share in ((100, MARCH, 0.0), (200, MAY, 0.0), (300, JUNE, 0.5)):
        wanted = settings(max_rejected_share=share)
        land(tmp_path, "orders.csv", [f"1,C,2024-02-10,{amount},"], day, wanted)
    for day in (MARCH, MAY, JUNE):
        assert known(tmp_path, wanted, day, "amount") == [("300.0000",)]


def test_a_line_that_goes_on_is_one_row_for_whoever_counts_rows(tmp_path: Path) -> None:
    wanted = settings("order_lines")
    land(tmp_path, "a.csv", ["1,C,2024-02-10,1,5,"], MARCH, wanted)
    land(tmp_path, "b.csv", ["1,C,2024-02-10,1,5,2024-04-10"], MAY, wanted)
    (lines,) = landed_tables(Store(tmp_path), ibis.duckdb.connect(), settings=wanted).values()
    assert lines.count().execute() == 1


# Rows that came late, and rows that are gone


def test_a_row_older_than_the_landing_before_is_known_from_its_own_landing_on(tmp_path: Path) -> None:
    wanted = settings()
    land(tmp_path, "a.csv", ["1,C,2024-02-10,1,"], MARCH, wanted)
    said = land(tmp_path, "b.csv", ["2,C,2024-02-20,2,", "3,C,2024-03-01,3,"], MAY, wanted)
    assert [text[:60] for text in said] == ["1 row older than what landed before: known from 2024-05-01 on"[:60]]
    assert known(tmp_path, wanted, date(2024, 4, 30), "order_id") == [("1",), ("3",)]
    assert known(tmp_path, wanted, MAY, "order_id") == [("1",), ("2",), ("3",)]


def test_pieces_that_land_on_one_day_are_one_delivery(tmp_path: Path) -> None:
    wanted = settings()
    land(tmp_path, "b.csv", ["2,C,2024-02-20,2,"], MAY, wanted)
    assert land(tmp_path, "a.csv", ["1,C,2024-02-10,1,"], MAY, wanted) == ()
    assert known(tmp_path, wanted, MARCH, "order_id") == [("1",), ("2",)]


def test_of_a_whole_state_what_is_no_longer_there_ends(tmp_path: Path) -> None:
    wanted = settings(new_file="state")
    land(tmp_path, "a.csv", ["1,C,2024-02-10,1,", "2,C,2024-02-11,1,"], MARCH, wanted)
    said = land(tmp_path, "b.csv", ["2,C,2024-02-11,1,"], MAY, wanted)
    assert "1 row of earlier files no longer there: held until 2024-05-01" in said
    assert known(tmp_path, wanted, date(2024, 4, 30), "order_id") == [("1",), ("2",)]
    assert known(tmp_path, wanted, MAY, "order_id") == [("2",)]
    land(tmp_path, "c.csv", ["1,C,2024-02-10,1,", "2,C,2024-02-11,1,"], JUNE, wanted)
    assert known(tmp_path, wanted, JUNE, "order_id") == [("1",), ("2",)]


def test_a_subscription_that_a_whole_state_no_longer_has_ended_by_its_export(tmp_path: Path) -> None:
    """It was there until then: who exports running ones alone tells of departures by leaving them out."""
    wanted = settings("subscriptions", new_file="state", max_gone_share=1)
    stays, gone, back = (f"{number},C{number},2024-01-10,5,," for number in (1, 2, 3))
    leaving, left = "4,C4,2024-01-10,5,,2024-04-01", "5,C5,2024-01-10,5,,2024-02-01"
    land(tmp_path, "a.csv", [stays, gone, back, leaving, left], MARCH, wanted)
    said = land(tmp_path, "b.csv", [stays.replace(",5,", ",6,")], MAY, wanted)
    assert "4 rows of earlier files no longer there: taken to have ended before 2024-05-01" in said
    assert known(tmp_path, wanted, MARCH, "subscription_id", "ended_on") == [
        ("1", "None"), ("2", "None"), ("3", "None"), ("4", "None"), ("5", "2024-02-01"),
    ]  # fmt: skip
    ended = [("1", "None"), ("2", "2024-04-30"), ("3", "2024-04-30"), ("4", "2024-04-01"), ("5", "2024-02-01")]
    assert known(tmp_path, wanted, MAY, "subscription_id", "ended_on") == ended
    assert ("1", "6.0000") in known(tmp_path, wanted, MAY, "subscription_id", "mrr")
    land(tmp_path, "c.csv", [stays, back], JUNE, wanted)
    assert known(tmp_path, wanted, JUNE, "subscription_id", "ended_on")[2] == ("3", "None")
    assert known(tmp_path, wanted, MAY, "subscription_id", "ended_on") == ended


def test_an_earlier_version_does_not_come_back_when_a_row_ends(tmp_path: Path) -> None:
    wanted = settings(new_file="state")
    land(tmp_path, "a.csv", ["1,C,2024-01-10,1,", "2,C,2024-01-10,1,"], JANUARY, wanted)
    land(tmp_path, "b.csv", ["1,C,2024-01-10,5,", "2,C,2024-01-10,1,"], MARCH, wanted)
    land(tmp_path, "c.csv", ["2,C,2024-01-10,1,"], MAY, wanted)
    assert known(tmp_path, wanted, date(2024, 4, 1), "amount") == [("1.0000",), ("5.0000",)]
    assert known(tmp_path, wanted, JUNE, "amount") == [("1.0000",)]


def test_a_period_is_replaced_by_its_next_export_and_no_other_day_is(tmp_path: Path) -> None:
    wanted = settings("order_lines", new_file="period")
    land(tmp_path, "a.csv", ["1,C,2024-01-10,1,5,", "2,C,2024-02-10,1,5,", "3,C,2024-02-20,1,5,"], MARCH, wanted)
    land(tmp_path, "b.csv", ["2,C,2024-02-10,1,5,", "4,C,2024-02-21,1,5,"], MAY, wanted)
    assert known(tmp_path, wanted, date(2024, 4, 30), "order_id") == [("1",), ("2",), ("3",)]
    assert known(tmp_path, wanted, MAY, "order_id") == [("1",), ("2",), ("4",)]


def test_a_period_that_begins_at_an_hour_takes_nothing_from_before_it(tmp_path: Path) -> None:
    """The last thirty days as of this hour, exported again and again."""
    wanted = settings(new_file="period", dialect=Dialect(date_format="%Y-%m-%d %H:%M"))
    early, late, gone, last = (f"{n},C,2024-02-{at},1," for n, at in enumerate(
        ("10 09:00", "10 11:00", "10 12:00", "20 12:00"), start=1
    ))  # fmt: skip
    land(tmp_path, "a.csv", [early, late, gone, last], MARCH, wanted)
    land(tmp_path, "b.csv", [late, last.replace("20 12", "20 11")], MAY, wanted)
    assert known(tmp_path, wanted, MAY, "order_id") == [("1",), ("2",), ("4",)]


def test_an_empty_export_ends_nothing(tmp_path: Path) -> None:
    wanted = settings(new_file="state")
    land(tmp_path, "a.csv", ["1,C,2024-02-10,1,"], MARCH, wanted)
    land(tmp_path, "b.csv", [], MAY, wanted)
    assert known(tmp_path, wanted, JUNE, "order_id") == [("1",)]


# The day of the export


def test_days_of_exports_in_the_names_of_files_tell_when_each_was_known(tmp_path: Path) -> None:
    wanted = settings(exported_on="%Y-%m-%d")
    for day, amount in ((MAY, 900), (MARCH, 100)):  # whichever lands first
        land(tmp_path, f"orders-{day}.csv", [f"1,C,2024-02-10,{amount},"], JUNE, wanted)
    assert known(tmp_path, wanted, MARCH, "amount") == [("100.0000",)]
    assert known(tmp_path, wanted, date(2024, 4, 30), "amount") == [("100.0000",)]
    assert known(tmp_path, wanted, MAY, "amount") == [("900.0000",)]


def test_a_column_may_tell_the_day_of_the_export(tmp_path: Path) -> None:
    wanted = settings(columns=ORDERS | {"exported_at": "exported"})
    land(tmp_path, "b.csv", ["1,C,2024-02-10,900,,2024-05-01"], JUNE, wanted)
    land(tmp_path, "a.csv", ["1,C,2024-02-10,100,,2024-03-01"], JUNE, wanted)
    assert known(tmp_path, wanted, date(2024, 4, 30), "amount") == [("100.0000",)]
    assert known(tmp_path, wanted, MAY, "amount") == [("900.0000",)]


def test_a_name_without_the_day_that_the_source_promises_is_refused(tmp_path: Path) -> None:
    wanted = settings(exported_on="%Y-%m-%d")
    with pytest.raises(
        DataError, match=r"orders\.csv: its name does not hold one date as exported_on = '%Y-%m-%d' says"
    ):
        land(tmp_path, "orders.csv", ["1,C,2024-02-10,100,"], JUNE, wanted)


# Values of the day of the export


def test_a_date_of_renewal_is_known_from_the_export_on(tmp_path: Path) -> None:
    wanted = settings("subscriptions")
    land(tmp_path, "a.csv", ["1,C,2024-01-10,10,2025-01-10,"], MAY, wanted)
    assert known(tmp_path, wanted, date(2024, 4, 30), "renews_on", "mrr") == [("None", "10.0000")]
    assert known(tmp_path, wanted, MAY, "renews_on", "mrr") == [("2025-01-10", "10.0000")]


def test_where_a_column_says_when_each_row_was_known_it_is_known_then(tmp_path: Path) -> None:
    wanted = settings("subscriptions", columns=CLUB | {"known_at": "known"})
    land(tmp_path, "a.csv", ["1,C,2024-01-10,10,2025-01-10,,2024-01-10"], MAY, wanted)
    assert known(tmp_path, wanted, MARCH, "renews_on") == [("2025-01-10",)]


# Keys


def test_a_key_of_another_customer_is_refused_with_the_way_out(tmp_path: Path) -> None:
    wanted = settings()
    land(tmp_path, "fr.csv", ["1001,anne,2024-01-01,10,"], MARCH, wanted)
    with pytest.raises(DataError) as refused:
        land(tmp_path, "be.csv", ["1000,carl,2024-01-03,30,", "1001,dora,2024-01-03,30,"], MARCH, wanted)
    assert str(refused.value).startswith(
        "be.csv: 1 of its rows have the order_id of another customer's row in fr.csv (first: row 2, and row 1 there)"
    )
    assert 'key_prefix = "be-"' in str(refused.value)
    assert known(tmp_path, wanted, MAY, "order_id") == [("1001",)]


def test_a_prefix_parts_the_numbers_of_two_shops(tmp_path: Path) -> None:
    first, second = settings(path="fr.csv").sources[0], settings(path="be.csv", key_prefix="be-").sources[0]
    wanted = settings().model_copy(update={"sources": (first, second)})
    (tmp_path / "be.csv").write_text(",".join(ORDERS) + "\n1001,dora,2024-01-03,30,\n")
    land(tmp_path, "fr.csv", ["1001,anne,2024-01-01,10,"], MARCH, wanted)
    assert known(tmp_path, wanted, MAY, "order_id", "customer_id") == [("1001", "anne"), ("be-1001", "dora")]


def test_a_landed_file_that_is_made_anew_has_not_arrived_again(tmp_path: Path) -> None:
    wanted = settings()
    land(tmp_path, "a.csv", ["1,C,2024-02-10,1,"], MARCH, wanted)
    store = Store(tmp_path)
    (file,) = store.files("landed")
    (tmp_path / file.path).unlink()
    with store.transaction() as ledger:  # as if another release of a library had written other bytes
        ledger.execute("UPDATE files SET sha256 = 'other' WHERE path = ?", (file.path,))
    ingest(store, wanted, today=MAY)
    (again,) = store.files("landed")
    assert again.detail["landings"] == file.detail["landings"] == [{"on": "2024-03-01", "number": 1, "source": "a.csv"}]


# What is remarked


def test_rows_dated_after_the_day_of_the_run_are_named(tmp_path: Path) -> None:
    (said,) = land(
        tmp_path, "a.csv", ["1,C,2024-02-10,1,", "2,C,2042-01-01,1,", "3,C,2024-03-01,1,"], MARCH, settings()
    )
    assert said.startswith("1 row with ordered_at after the day of this run, 2024-03-01 (first: row 2, 2042-01-01)")


def test_a_code_that_nobody_has_seen_is_named_by_its_row(tmp_path: Path) -> None:
    wanted = settings("subscriptions", columns=CLUB | {"end_reason": "why"})
    row = "1,C,2024-01-10,10,,2024-02-10,{}"
    assert land(tmp_path, "a.csv", [row.format("price")], MARCH, wanted) == ()
    assert land(tmp_path, "b.csv", [row.format("Price").replace("1,", "2,", 1)], MARCH, wanted) == ()
    said = land(tmp_path, "c.csv", [row.format("prise").replace("1,", "3,", 1)], MARCH, wanted)
    assert said == ("1 value of end_reason never seen before (first: row 1)",)


def statuses(results: list[IngestResult]) -> list[str]:
    return [each.status for each in results]


def test_what_was_worked_out_once_is_not_worked_out_again(tmp_path: Path) -> None:
    wanted = settings()
    land(tmp_path, "a.csv", ["1,C,2024-02-10,1,"], MARCH, wanted)
    land(tmp_path, "b.csv", ["1,C,2024-02-10,2,"], MAY, wanted)
    before = {place: place.stat().st_mtime_ns for place in (tmp_path / "counted").rglob("*.parquet")}
    assert len(before) == 1
    assert statuses(ingest(Store(tmp_path), wanted, today=JUNE)) == ["unchanged", "unchanged"]
    known(tmp_path, wanted, JUNE, "amount")
    assert {place: place.stat().st_mtime_ns for place in (tmp_path / "counted").rglob("*.parquet")} == before
