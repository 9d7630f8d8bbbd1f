from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import ibis
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.errors import AttritionError, DataError, SettingsError
from pipelines.data.landing.ingest import ingest
from pipelines.data.layouts.from_any import init_from
from pipelines.foundation.settings.dialect import Dialect
from pipelines.foundation.settings.settings import load
from pipelines.foundation.settings.sources import FileSource, refuse_guessed
from pipelines.foundation.storage.landed_tables import landed_tables
from pipelines.foundation.storage.store import Store
from tests.pipelines.data.landing.landing_case import LANDED_ON, newest

FRENCH = (
    "Numéro;Client;Date;Montant\nF-1001;C-17;31/01/2025;1 249,90\nF-1002;C-04;01/02/2025;38,00\n"
    "F-1003;C-17;13/02/2025;-5,10\n"
)
AMERICAN = (
    'Order ID,Customer Email,Order Date,Total,Note\n1,ann@example.com,1/31/2025 9:05,"$1,249.90",x\n'
    "2,bo@example.com,2/1/2025 10:00,$38.00,\n"
)


def guessed(
    root: Path, content: str | bytes, *, name: str = "export.csv"
) -> tuple[FileSource, list[dict[str, object]]]:
    """The source that a file became, and what landed of it."""
    root.mkdir(exist_ok=True)
    (root / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    init_from(root / "shop", str(root / name), [])
    settings = load(root / "shop" / "attrition.toml")
    (source,) = settings.sources
    assert isinstance(source, FileSource)
    (result,) = ingest(Store(root / "shop"), settings, today=LANDED_ON)
    assert result.rejected == 0
    return source, newest(Store(root / "shop"), "landed")


def test_a_french_export_is_read_as_it_is_written(tmp_path: Path) -> None:
    source, rows = guessed(tmp_path, FRENCH.encode("cp1252"))
    assert source.columns == {
        "order_id": "Numéro", "customer_id": "Client", "ordered_at": "Date", "amount": "Montant",
    }  # fmt: skip
    assert source.dialect == Dialect(
        delimiter=";", decimal=",", thousands=" ", encoding="cp1252", date_format="%d/%m/%Y"
    )
    assert sum(Decimal(str(row["amount"])) for row in rows) == Decimal("1282.80")
    assert {row["ordered_on"] for row in rows} == {date(2025, 1, 31), date(2025, 2, 1), date(2025, 2, 13)}


def test_an_american_export_is_read_as_it_is_written(tmp_path: Path) -> None:
    source, rows = guessed(tmp_path, AMERICAN)
    assert source.columns["customer_id"] == "Customer Email"
    assert (source.dialect.date_format, source.dialect.currency_sign) == ("%m/%d/%Y %H:%M", "$")
    assert load(tmp_path / "shop/attrition.toml").currency == "USD"
    assert {row["amount"] for row in rows} == {Decimal("1249.9000"), Decimal("38.0000")}


def test_rows_without_a_customer_are_guests_and_told(tmp_path: Path) -> None:
    (tmp_path / "export.csv").write_text(AMERICAN + "3,,2/2/2025 10:00,$1.00,\n")
    told = init_from(tmp_path / "shop", str(tmp_path / "export.csv"), []).told
    assert (
        sum("33.3% of the rows looked at name no customer; such are set aside (guests)" in each for each in told) == 1
    )
    settings = load(tmp_path / "shop" / "attrition.toml")
    (result,) = ingest(Store(tmp_path / "shop"), settings, today=LANDED_ON)
    assert (result.landed, result.rejected) == (2, 1)
    assert "no customer" not in " ".join(guessed(tmp_path / "all", AMERICAN)[0].guessed)


def test_a_status_that_nobody_reads_is_a_thing_to_confirm(tmp_path: Path) -> None:
    content = "order,customer,date,total,État\n1,a,2025-06-04,5,payée\n2,b,2025-06-05,5,annulée\n"
    source, _ = guessed(tmp_path, content)
    assert (
        sum(each.startswith("every row counts, whichever of 2 values stands in 'État'") for each in source.guessed) == 1
    )
    same, _ = guessed(tmp_path / "same", content.replace("annulée", "payée"))
    assert not any("every row counts" in each for each in same.guessed)


def test_a_date_of_an_order_is_no_order_number(tmp_path: Path) -> None:
    content = 'Référence,Client,Date commande,Montant TTC\nO1,00222,04/06/2025,"6673,68"\nO2,00176,25/06/2025,"51,68"\n'
    source, rows = guessed(tmp_path, content)
    assert source.columns == {
        "order_id": "Référence", "customer_id": "Client", "ordered_at": "Date commande", "amount": "Montant TTC",
    }  # fmt: skip
    assert sorted(str(row["ordered_on"]) for row in rows) == ["2025-06-04", "2025-06-25"]


def test_what_can_be_read_in_two_ways_is_told(tmp_path: Path) -> None:
    source, _ = guessed(tmp_path, "order,customer,date,amount\n1,A,01/02/2025,1250\n2,B,03/04/2025,9900\n")
    assert any("they could be %m/%d/%Y" in why for why in source.guessed)
    assert any("'amount' is in whole units; if these are cents" in why for why in source.guessed)


def test_two_dates_are_told_apart_by_their_names_and_both_are_told(tmp_path: Path) -> None:
    source, _ = guessed(
        tmp_path,
        "order,customer,shipped,order date,amount\n1,A,2025-02-03,2025-02-01,1.5\n2,B,2025-02-04,2025-02-02,2.5\n",
    )
    assert source.columns["ordered_at"] == "order date"
    assert "ordered_at is 'order date' and not 'shipped', which hold dates, too" in source.guessed


def test_lines_of_orders_are_lines(tmp_path: Path) -> None:
    text = "InvoiceNo,StockCode,Quantity,InvoiceDate,UnitPrice,CustomerID\n1,85123A,6,2010-12-01 08:26:00,2.55,17850\n"
    source, rows = guessed(tmp_path, text + text.splitlines()[1].replace("85123A", "71053") + "\n")
    assert source.table == "order_lines"
    assert {row["product_id"] for row in rows} == {"85123A", "71053"}


def test_subscriptions_are_found_and_make_the_question(tmp_path: Path) -> None:
    text = (
        "subscription_id,customer,plan,start date,end date,mrr\n"
        "s1,A,pro,2024-01-05,,29.00\ns2,B,pro,2024-02-05,2024-06-01,29.00\n"
    )
    source, rows = guessed(tmp_path, text)
    settings = load(tmp_path / "shop/attrition.toml")
    assert (source.table, settings.cohort.kind, settings.outcome.kind) == ("subscriptions", "subscribed", "churn")
    assert sorted(str(row["ended_on"]) for row in rows) == ["2024-06-01", "None"]


def test_types_of_parquet_are_taken(tmp_path: Path) -> None:
    at = [datetime(2025, 1, 31, 9, 5), datetime(2025, 2, 1)]
    table = pa.table({"order": ["a", "b"], "customer": ["A", "B"], "created_at": at, "total": [1.5, 2.0]})
    pq.write_table(table, tmp_path / "x.parquet")
    source, rows = guessed(tmp_path, (tmp_path / "x.parquet").read_bytes(), name="x.parquet")
    assert source.columns["ordered_at"] == "created_at"
    assert {row["amount"] for row in rows} == {Decimal("1.5000"), Decimal("2.0000")}


def test_nothing_is_trained_on_a_guess_that_was_not_confirmed(tmp_path: Path) -> None:
    guessed(tmp_path, FRENCH)
    place = tmp_path / "shop" / "attrition.toml"
    with pytest.raises(SettingsError, match="nothing is trained on a guess") as refused:
        refuse_guessed(load(place).sources)
    assert "orders: export.csv is orders: order_id is 'Numéro'" in str(refused.value)
    lines = [line if not line.startswith("guessed = ") else "guessed = []" for line in place.read_text().splitlines()]
    place.write_text("\n".join(lines))
    refuse_guessed(load(place).sources)


def test_of_a_folder_what_is_no_orders_is_left_out_and_told(tmp_path: Path) -> None:
    (tmp_path / "exports").mkdir()
    (tmp_path / "exports" / "orders.csv").write_text(FRENCH)
    (tmp_path / "exports" / "notes.csv").write_text("a,b\n1,2\n")
    made = init_from(tmp_path / "shop", str(tmp_path / "exports"), [])
    assert len(load(tmp_path / "shop/attrition.toml").sources) == 1
    assert any("left out: notes.csv: nothing in it looks like" in line for line in made.told)


def test_exports_that_are_read_alike_are_one_source_in_which_overlaps_are_seen(tmp_path: Path) -> None:
    lines = "order,customer,date,quantity,unit price\n"
    for name, rows in {
        "lines-2024-12.csv": "1,A,2024-12-01,2,5\n2,A,2024-12-30,1,5\n",
        "lines-2025-01.csv": "2,A,2024-12-30,1,5\n3,B,2025-01-02,1,7\n",
    }.items():
        (tmp_path / name).write_text(lines + rows)
    made = init_from(tmp_path / "shop", str(tmp_path / "lines-2024-12.csv"), [tmp_path / "lines-2025-01.csv"])
    assert sum("guessed: order_lines/*.csv is order lines" in line for line in made.told) == 1
    settings, store = load(tmp_path / "shop" / "attrition.toml"), Store(tmp_path / "shop")
    (source,) = settings.sources
    assert isinstance(source, FileSource)
    assert source.path == "order_lines/*.csv"
    remarks = [remark for each in ingest(store, settings, today=LANDED_ON) for remark in each.remarks]
    assert remarks == ["1 row met before in this source: counted once"]
    engine = ibis.duckdb.connect()
    (rows,) = landed_tables(store, engine, settings=settings).values()
    assert sorted(engine.to_pyarrow(rows.order_id).to_pylist()) == ["1", "2", "3"]


def test_exports_of_one_table_that_are_read_in_different_ways_are_said_to_be_apart(tmp_path: Path) -> None:
    (tmp_path / "exports").mkdir()
    (tmp_path / "exports" / "a.csv").write_text(FRENCH)
    (tmp_path / "exports" / "b.csv").write_text(AMERICAN)
    made = init_from(tmp_path / "shop", str(tmp_path / "exports"), [])
    paths = [each.path for each in load(tmp_path / "shop/attrition.toml").sources if isinstance(each, FileSource)]
    assert paths == ["a.csv", "b.csv"]
    assert any(line.startswith("2 sources of orders are read in different ways") for line in made.told)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("a,b\n1,2\n", "nothing in it looks like customer_id and ordered_at and amount of orders"),
        ("", "is empty"),
        ("only\n", "has no rows of several values"),
        ("customer,date,amount\nA,2025-01-01,1\nB,01/31/2025,2\n", "nothing in it looks like ordered_at"),
    ],
)
def test_what_is_no_export_of_orders_is_told(content: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text(content)
    with pytest.raises(DataError, match=said):
        init_from(tmp_path / "shop", str(tmp_path / "x.csv"), [])
    assert not (tmp_path / "shop").exists()


def test_an_address_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(AttritionError, match=r"is an address; download .* docs/databases\.md"):
        init_from(tmp_path / "shop", "postgresql://shop@db.example.com/shop", [])
