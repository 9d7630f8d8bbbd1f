from __future__ import annotations

import csv
import io
import re
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import ibis
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from features.errors import DataError, IntegrityError
from features.tables.orders import ORDERS
from pipelines.data.landing.ingest import IngestResult, ingest, landed_tables
from pipelines.data.landing.typed_rows import TypedRows
from pipelines.data.sources import source_rows
from pipelines.foundation.settings.settings import load
from pipelines.foundation.storage.landed_parquet import landed_schema
from pipelines.foundation.storage.store import Store
from tests.pipelines.data.landing.landing_case import (
    HEADER,
    LANDED_ON,
    ORDER_COLUMNS,
    ROW,
    UNNAMED,
    files_of,
    land,
    land_file,
    newest,
    settings,
    source,
    statuses,
)

EXAMPLE = Path(__file__).parents[4] / "examples" / "cdnow"


def test_an_order_lands_with_every_column_of_its_contract(tmp_path: Path) -> None:
    land(tmp_path, HEADER + ROW, time_zone="Europe/Paris")
    store = Store(tmp_path)
    (file,) = store.files("landed")
    assert pq.read_schema(tmp_path / file.path) == landed_schema(ORDERS)
    assert newest(store, "landed") == [
        {
            "order_id": "A-1",
            "customer_id": "C-1",
            "ordered_at": datetime(2024, 1, 1, 23),
            "ordered_on": date(2024, 1, 2),
            "amount": Decimal("11.7700"),
            "cancelled_at": None,
            "cancelled_on": None,
            "refunded_at": None,
            "refunded_on": None,
            "refunded_amount": None,
            "currency": None,
            "known_at": datetime(2024, 1, 1, 23),
            "source_row": 1,
        }
    ]
    assert pq.read_schema(tmp_path / store.files("rejected")[0].path).names == [
        "source_row",
        "reason",
        "source",
        "raw_row",
    ]
    assert re.fullmatch(r"landed/orders/[0-9a-f]{16}-[0-9a-f]{8}\.parquet", file.path)
    assert store.files("rejected")[0].path == file.path.replace("landed/", "rejected/")
    assert {name: file.detail[name] for name in ("table", "source", "rows_in", "landed", "rejected")} == {
        "table": "orders",
        "source": "orders.csv",
        "rows_in": 1,
        "landed": 1,
        "rejected": 0,
    }


def test_clock_times_of_one_zone_get_the_calendar_days_of_the_workspace(tmp_path: Path) -> None:
    row, written = HEADER + "A,C,2024-01-02 00:00,1\n", "%Y-%m-%d %H:%M"
    landed = land(tmp_path, row, date_format=written, time_zone="Asia/Tokyo", source_zone="America/New_York")
    assert landed.values("ordered_at", "ordered_on") == [(datetime(2024, 1, 2, 5), date(2024, 1, 2))]
    landed = land(tmp_path, row, date_format=written, time_zone="America/New_York", source_zone="Asia/Tokyo")
    assert landed.values("ordered_at", "ordered_on") == [(datetime(2024, 1, 1, 15), date(2024, 1, 1))]


@pytest.mark.parametrize("source_zone", ["UTC", "Asia/Tokyo", "America/New_York"])
def test_a_date_without_an_hour_is_the_workspaces_day_whatever_the_zone_of_the_source(
    source_zone: str, tmp_path: Path
) -> None:
    """A date has no hour that a clock could shift, as text or as a type of Parquet."""
    landed = land(tmp_path, HEADER + ROW, time_zone="America/New_York", source_zone=source_zone)
    assert landed.values("ordered_at", "ordered_on") == [(datetime(2024, 1, 2, 5), date(2024, 1, 2))]
    rows = {"order_id": ["A"], "customer_id": ["C"], "ordered_at": [date(2024, 1, 2)], "amount": [1]}
    pq.write_table(pa.table(rows), tmp_path / "orders.parquet")
    columns = {name: name for name in rows}
    landed = land_file(
        tmp_path, "orders.parquet", columns=columns, time_zone="America/New_York", source_zone=source_zone
    )
    assert landed.values("ordered_at", "ordered_on") == [(datetime(2024, 1, 2, 5), date(2024, 1, 2))]


def test_rows_lie_by_customer_time_and_position(tmp_path: Path) -> None:
    rows = ["A,2,2024-01-02,1", "B,10,2024-01-01,1", "C,2,2024-01-01,1", "D,2,2024-01-01,2"]
    landed = land(tmp_path, HEADER + "\n".join(rows))
    assert [row["order_id"] for row in landed.rows] == ["B", "C", "D", "A"]


def test_orders_without_numbers_are_named_by_file_and_row(tmp_path: Path) -> None:
    landed = land(tmp_path, HEADER + "ignored,,2024-01-02,1\n" + ROW, columns=UNNAMED)
    assert landed.values("order_id") == [f"{Store(tmp_path).files('landed')[0].detail['source_sha256'][:12]}:2"]


def test_orders_with_numbers_must_each_have_one(tmp_path: Path) -> None:
    assert land(tmp_path, HEADER + ",C-1,2024-01-02,1\n").reasons == {1: "order_id is empty"}


def test_a_row_is_known_when_its_source_says_but_not_before_it_happened(tmp_path: Path) -> None:
    content = (
        HEADER.strip() + ",seen\nA-1,C,2024-01-02,1,2024-01-05\nA-2,C,2024-01-02,1,2024-01-01\nA-3,C,2024-01-02,1,\n"
    )
    landed = land(tmp_path, content, columns=ORDER_COLUMNS | {"known_at": "seen"})
    assert landed.values("known_at") == [datetime(2024, 1, 5), datetime(2024, 1, 2)]
    assert landed.reasons == {3: "known_at is empty"}


def test_every_reason_of_a_row_is_told_with_the_whole_row(tmp_path: Path) -> None:
    landed = land(tmp_path, HEADER.strip() + ",note\nA-1, ,02/01/2024,x,n\n")
    assert landed.rejects == [
        {
            "source_row": 1,
            "reason": "customer_id is empty; ordered_at '02/01/2024' is not a date written as %Y-%m-%d; "
            "amount 'x' is not a number (decimal mark '.', no thousands mark)",
            "source": "orders.csv",
            "raw_row": landed.rejects[0]["raw_row"],
        }
    ]
    assert landed.raw(1) == {
        "order_id": "A-1",
        "customer_id": " ",
        "ordered_at": "02/01/2024",
        "amount": "x",
        "note": "n",
    }


def test_a_file_lands_once(tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text(HEADER + ROW + "A-2,,2024-01-02,1\n")
    store, wanted, told = Store(tmp_path), settings(source()), list[str]()
    assert ingest(store, wanted, today=LANDED_ON) == [IngestResult("orders", "orders.csv", 2, 1, 1, "landed")]
    before = files_of(tmp_path), store.files("landed")
    assert ingest(store, wanted, progress=told.append, today=LANDED_ON) == [
        IngestResult("orders", "orders.csv", 2, 1, 1, "unchanged")
    ]
    assert told == ["orders.csv: unchanged"]
    assert (files_of(tmp_path), store.files("landed")) == before


def test_progress_is_told_in_words(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(HEADER + ROW + "A-2,,2024-01-02,1\n")
    (tmp_path / "b.csv").write_text(HEADER)
    store, told = Store(tmp_path), list[str]()
    ingest(store, settings(source("*.csv")), progress=told.append, today=LANDED_ON)
    (first, _) = store.files("rejected")
    assert told == [
        "a.csv: reading",
        f"a.csv: landed 1 of 2 rows, 1 rejected (see {first.path})",
        "b.csv: reading",
        "b.csv: holds a header and no rows",
    ]


def test_the_same_file_lands_as_the_same_bytes(tmp_path: Path) -> None:
    content = HEADER + "".join(f"A-{n},C-{n % 7},2024-01-{n % 28 + 1},{n}.5\n" for n in range(5000)) + "x,,,\n"
    for name in ("one", "two"):
        land(tmp_path / name, content)
    assert files_of(tmp_path / "one") == files_of(tmp_path / "two")


def test_nothing_is_left_lying_about(tmp_path: Path) -> None:
    land(tmp_path, HEADER + ROW)
    with pytest.raises(DataError):
        land(tmp_path, HEADER + 'A-2,"C-1,2024-01-02,1\n')
    assert [name for name in files_of(tmp_path) if "/." in name] == []
    assert [place.name for place in (tmp_path / "landed").iterdir()] == ["orders"]


def test_a_landed_file_that_was_altered_is_noticed_by_name(tmp_path: Path) -> None:
    land(tmp_path, HEADER + ROW)
    store = Store(tmp_path)
    (file,) = store.files("landed")
    (tmp_path / file.path).write_bytes((tmp_path / file.path).read_bytes() + b"x")
    with pytest.raises(IntegrityError, match=re.escape(file.path)):
        land_file(tmp_path, "orders.csv")
    with pytest.raises(IntegrityError, match=re.escape(file.path)):
        landed_tables(store, ibis.duckdb.connect())


@pytest.mark.parametrize("kind", ["landed", "rejected"])
def test_a_landed_file_that_was_deleted_comes_back_at_its_old_position(tmp_path: Path, kind: str) -> None:
    for name, amount in (("a.csv", 1), ("b.csv", 2)):
        (tmp_path / name).write_text(HEADER + f"A-1,C-1,2024-01-02,{amount}\nx,,,\n")
    store, wanted = Store(tmp_path), settings(source("*.csv"))
    ingest(store, wanted, today=LANDED_ON)
    before = files_of(tmp_path), store.files("landed"), store.files("rejected")
    (tmp_path / store.files(kind)[0].path).unlink()
    assert statuses(store, wanted) == ["landed", "unchanged"]
    assert (files_of(tmp_path), store.files("landed"), store.files("rejected")) == before


def test_a_run_that_died_between_its_two_files_is_made_up_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put = Store.put

    def dies(self: Store, path: str, *arguments: Any, kind: str, **detail: Any) -> Any:
        if kind == "landed":
            raise KeyboardInterrupt
        return put(self, path, *arguments, kind=kind, **detail)

    with monkeypatch.context() as patched:
        patched.setattr(Store, "put", dies)
        with pytest.raises(KeyboardInterrupt):
            land(tmp_path, HEADER + ROW)
    assert Store(tmp_path).files("landed") == []
    assert land_file(tmp_path, "orders.csv").result.status == "landed"


def test_ids_in_small_letters_are_one_customer_and_guests_are_told_after_it(tmp_path: Path) -> None:
    rows = HEADER + "1,Ann@Example.com,2024-01-02,1\n2,ann@example.com,2024-01-03,2\n3,GUEST,2024-01-04,3\n"
    landed = land(tmp_path, rows, lower_case=("customer_id",), guests=("guest",))
    assert landed.values("customer_id") == ["ann@example.com", "ann@example.com"]
    assert landed.reasons == {3: "a guest"}


def test_columns_that_an_export_gained_are_named(tmp_path: Path) -> None:
    assert land(tmp_path, HEADER + ROW).result.remarks == ()
    gained = HEADER.replace("amount", "amount,colour,size") + "A-2,C-1,2024-01-03,1,red,L\n"
    assert "2 columns are new, and not read: 'colour', 'size'" in land(tmp_path, gained).result.remarks
    again = gained + "A-3,C-1,2024-01-04,1,red,L\n"
    assert not [each for each in land(tmp_path, again).result.remarks if "new, and not read" in each]


def test_a_file_that_grows_while_it_is_read_does_not_land(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hashes = iter(["0" * 64])  # as it was found, and as it is once it was read
    monkeypatch.setattr(source_rows, "file_sha256", lambda _: next(hashes, "1" * 64))
    with pytest.raises(DataError, match=r"orders\.csv was written to while it was read"):
        land(tmp_path, HEADER + ROW)
    assert Store(tmp_path).files("landed") == []


def test_a_file_that_changes_before_its_rejects_are_written_does_not_land(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their texts are read where they lie, after all else."""
    first, batches = HEADER + ROW + "A-2,C-1,never,1\n", TypedRows.rejected_batches
    for then in (HEADER + ROW + "A-2,C-1,2024-01-02,1\n", "gone", HEADER + "one value\n"):

        def changed(rows: TypedRows, *, then: str = then) -> object:
            (tmp_path / "orders.csv").write_text(then)
            return batches(rows)

        monkeypatch.setattr(TypedRows, "rejected_batches", changed)
        with pytest.raises(DataError, match=r"orders\.csv was written to while it was read"):
            land(tmp_path, first)
        assert Store(tmp_path).files("rejected") == Store(tmp_path).files("landed") == []


def test_rows_that_do_not_add_up_never_land(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TypedRows, "landed", 7)
    with pytest.raises(IntegrityError, match="1 rows came in, but 7 would land and 0 be rejected"):
        land(tmp_path, HEADER + ROW)
    assert Store(tmp_path).files("landed") == []


def test_the_example_lands_whole(tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_bytes((EXAMPLE / "orders.csv").read_bytes())
    store = Store(tmp_path)
    (result,) = ingest(store, load(EXAMPLE / "attrition.toml"), today=LANDED_ON)
    assert (result.rows_in, result.landed, result.rejected) == (69_659, 69_659, 0)
    orders = landed_tables(store, ibis.duckdb.connect())["orders"]
    with (EXAMPLE / "orders.csv").open() as handle:
        total = sum(Decimal(row["amount"]) for row in csv.DictReader(handle))
    assert orders.amount.sum().execute() == total


# Whatever the rows

CELLS = {
    "order_id": st.sampled_from(["A-1", "A-2", "007", " 7 ", "", "é"]),
    "customer_id": st.sampled_from(["C-1", "C-2", "\xa0C-1\xa0", "", " "]),
    "ordered_at": st.one_of(
        st.datetimes(datetime(1895, 1, 1), datetime(2205, 1, 1)).map(lambda at: at.strftime("%d/%m/%Y %H:%M")),
        st.sampled_from(["31/03/2024 02:30", "27/10/2024 02:30", "31/02/2011 00:00", "01/01/2011", "40513", ""]),
    ),
    "amount": st.one_of(
        st.decimals(-(10**6), 10**6, places=2).map(
            lambda amount: f"{amount:,}".replace(",", "\u202f").replace(".", ",")
        ),
        st.sampled_from(["1.234,5", "1,23456", "1,50000", "(1,0)", "", "1e5", "\u22121,5"]),
    ),
    "cancelled_at": st.sampled_from(["", "02/01/2024 10:00", "soon"]),
}


def plain_moment(text: str) -> datetime | None:
    try:
        at = datetime.strptime(text, "%d/%m/%Y %H:%M").replace(tzinfo=ZoneInfo("Europe/Paris"))
    except ValueError:
        return None
    return at.astimezone(UTC).replace(tzinfo=None) if 1900 <= at.year <= 2200 else None


def plain_amount(text: str) -> Decimal | None:
    if "." in text or "e" in text:
        return None
    try:
        amount = Decimal(text.replace("\u202f", "").replace(",", ".").replace("\u2212", "-"))
    except InvalidOperation:
        return None
    return amount if amount == round(amount, 4) else None


def plain(row: dict[str, str], *, keyed: bool) -> dict[str, Any] | None:
    """The row as it must land, read by nothing but the standard library; None where it must not."""
    found: dict[str, Any] = {
        "customer_id": row["customer_id"].strip(),
        "ordered_at": plain_moment(row["ordered_at"]),
        "amount": plain_amount(row["amount"]),
    }
    if keyed:
        found["order_id"] = row["order_id"].strip()
    cancelled = plain_moment(row["cancelled_at"])
    if not all(value or isinstance(value, Decimal) for value in found.values()) or bool(row["cancelled_at"]) != bool(
        cancelled
    ):
        return None
    return found | {"cancelled_at": cancelled}


@hypothesis_settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.fixed_dictionaries(CELLS), max_size=25), st.booleans())
def test_every_row_lands_as_plain_python_reads_it_or_is_in_the_ledger(
    tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, str]], keyed: bool
) -> None:
    names = [name for name in CELLS if keyed or name != "order_id"]
    text = io.StringIO()
    writer = csv.DictWriter(text, list(CELLS), delimiter=";")
    writer.writeheader()
    writer.writerows(rows)
    french: dict[str, Any] = {"delimiter": ";", "decimal": ",", "thousands": " ", "date_format": "%d/%m/%Y %H:%M"}
    expected = {number: plain(row, keyed=keyed) for number, row in enumerate(rows, 1)}
    good = {number: row for number, row in expected.items() if row}
    first: dict[Any, tuple[int, dict[str, Any]]] = {}
    for number, row in good.items():
        first.setdefault(row.get("order_id", number), (number, row))
    repeats = {number for number, row in good.items() if first[row.get("order_id", number)][0] != number}
    contradicted = any(good[number] != first[good[number].get("order_id", number)][1] for number in repeats)

    def landing() -> Any:
        columns = {name: name for name in names}
        root = tmp_path_factory.mktemp("shop")
        return land(root, text.getvalue(), columns=columns, time_zone="Europe/Paris", **french)

    if contradicted:
        with pytest.raises(DataError, match="with different values"):
            landing()
        return
    landed = landing()
    assert landed.result.rows_in == len(rows) == landed.result.landed + landed.result.rejected
    assert (len(landed.rows), len(landed.rejects)) == (landed.result.landed, landed.result.rejected)
    assert {row["source_row"]: {name: row[name] for name in good[row["source_row"]]} for row in landed.rows} == {
        number: row for number, row in good.items() if number not in repeats
    }
    assert {number for number, reason in landed.reasons.items() if reason.startswith("repeats row ")} == repeats
