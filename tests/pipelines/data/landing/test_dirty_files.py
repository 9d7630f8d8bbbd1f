"""Files as companies export them: each lands exactly, or is refused in words; none is read wrongly in silence."""

from __future__ import annotations

import gzip
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.errors import DataError
from tests.pipelines.data.landing.landing_case import HEADER, ORDER_COLUMNS, ROW, land, land_file, refusal

FRENCH: dict[str, Any] = {"delimiter": ";", "decimal": ",", "thousands": " ", "date_format": "%d/%m/%Y"}
FRENCH_COLUMNS = {"order_id": "N° commande", "customer_id": "Client", "ordered_at": "Date", "amount": "Montant"}
FRENCH_HEADER = "N° commande;Client;Date;Montant;Libellé\r\n"


# The export that French office software writes


def test_french_utf8_with_a_mark_and_narrow_spaces_loads_exactly(tmp_path: Path) -> None:
    content = FRENCH_HEADER + "0007;É-1;05/02/2011;1\u202f234,56;Café\r\n0008;É-1;28/02/2011;\u22121\u202f000,5;\r\n"
    landed = land(
        tmp_path, b"\xef\xbb\xbf" + content.encode(), columns=FRENCH_COLUMNS, time_zone="Europe/Paris", **FRENCH
    )
    assert landed.values("order_id", "customer_id", "ordered_at", "ordered_on", "amount") == [
        ("0007", "É-1", datetime(2011, 2, 4, 23), date(2011, 2, 5), Decimal("1234.5600")),
        ("0008", "É-1", datetime(2011, 2, 27, 23), date(2011, 2, 28), Decimal("-1000.5000")),
    ]


def test_french_cp1252_with_unbreakable_spaces_loads_exactly(tmp_path: Path) -> None:
    content = FRENCH_HEADER + "0007;É-1;05/02/2011;1\xa0234\xa0567,89;12 €\r\n"
    landed = land(tmp_path, content.encode("cp1252"), columns=FRENCH_COLUMNS, encoding="cp1252", **FRENCH)
    assert landed.values("customer_id", "amount") == [("É-1", Decimal("1234567.8900"))]


# Encodings


def test_a_mark_before_a_quoted_name_is_no_part_of_it(tmp_path: Path) -> None:
    content = '\ufeff"order_id","customer_id","ordered_at","amount"\n' + ROW
    assert land(tmp_path, content).values("order_id") == ["A-1"]


def test_cp1252_declared_as_utf8_is_refused_with_the_place(tmp_path: Path) -> None:
    words = refusal(tmp_path, (HEADER + ROW + "A-2,é,2024-01-02,1\n").encode("cp1252"))
    assert words == (
        "orders.csv is not utf-8 text: byte 68, in line 3, does not decode; declare its encoding in dialect.encoding "
        "(is it cp1252?)"
    )


def test_the_place_of_a_bad_byte_is_exact_beyond_the_first_block(tmp_path: Path) -> None:
    good = (HEADER + ROW * 60_000).encode()
    words = refusal(tmp_path, good + b"A-2,C-\xe9\n")
    assert f"byte {len(good) + 6}, in line 60002," in words


def test_the_place_of_a_character_cut_at_the_end_of_a_block_is_exact(tmp_path: Path) -> None:
    start = (HEADER + "A-1,").encode()
    words = refusal(tmp_path, start + b"x" * ((1 << 20) - len(start) - 1) + b"\xc3,2024-01-02,1\n")
    assert f"byte {(1 << 20) - 1}, in line 2," in words


def test_utf8_declared_as_cp1252_is_refused(tmp_path: Path) -> None:
    words = refusal(tmp_path, HEADER + "A-1,Éric,2024-01-02,1\n", encoding="cp1252")
    assert "declared as cp1252, but it is UTF-8 from end to end" in words


def test_plain_ascii_lands_under_any_encoding(tmp_path: Path) -> None:
    assert land(tmp_path, HEADER + ROW, encoding="cp1252").values("order_id") == ["A-1"]


def test_cp1252_declared_as_latin1_is_refused(tmp_path: Path) -> None:
    words = refusal(tmp_path, (HEADER + "A-1,l\u2019autre,2024-01-02,1\n").encode("cp1252"), encoding="iso-8859-1")
    assert "line 2 holds the control character '\\x92'; is it cp1252?" in words


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-8-sig"])
def test_other_unicode_encodings_load_exactly(tmp_path: Path, encoding: str) -> None:
    content = "\ufeff" * encoding.endswith(("le", "be")) + HEADER + "A-1,Łódź,2024-01-02,11.77\n"
    assert land(tmp_path, content.encode(encoding), encoding=encoding).values("customer_id") == ["Łódź"]


def test_utf16_that_is_not_declared_is_refused(tmp_path: Path) -> None:
    assert 'set dialect.encoding = "utf-16"' in refusal(tmp_path, (HEADER + ROW).encode("utf-16"))


def test_nul_bytes_are_refused(tmp_path: Path) -> None:
    assert "NUL character in line 3" in refusal(tmp_path, HEADER + ROW + "A-2,C\0,2024-01-02,1\n")


def test_a_mark_in_the_middle_of_joined_files_does_not_become_part_of_an_id(tmp_path: Path) -> None:
    landed = land(tmp_path, HEADER + ROW + "\ufeffA-2,C-1,2024-01-03,1\n")
    assert landed.values("order_id") == ["A-1", "A-2"]


# Rows and quotes


def test_line_ends_of_three_kinds_in_one_file(tmp_path: Path) -> None:
    rows = [f"A-{n},C-1,2024-01-02,1" for n in range(4)]
    landed = land(tmp_path, HEADER.replace("\n", "\r\n") + rows[0] + "\r" + rows[1] + "\n" + rows[2] + "\r\n" + rows[3])
    assert landed.values("order_id", "source_row") == [("A-0", 1), ("A-1", 2), ("A-2", 3), ("A-3", 4)]


def test_a_line_end_inside_quotes_belongs_to_the_value(tmp_path: Path) -> None:
    landed = land(tmp_path, HEADER + '"A\n1","C ""1""",2024-01-02,1\n' + '"A\r\n2",C-1,2024-01-02,1\r\n' + ROW)
    assert landed.values("order_id", "customer_id") == [("A\n1", 'C "1"'), ("A\r\n2", "C-1"), ("A-1", "C-1")]
    assert landed.values("source_row") == [1, 2, 3]


def test_a_quote_that_is_never_closed_refuses_the_file_with_its_line(tmp_path: Path) -> None:
    words = refusal(tmp_path, HEADER + ROW * 3 + 'A-9,"C-1,2024-01-02,1\n' + ROW * 1000)
    assert words.startswith("orders.csv: in the row that starts in line 5, a quote is opened and never closed")


def test_text_after_a_closing_quote_refuses_the_file_with_its_line(tmp_path: Path) -> None:
    words = refusal(tmp_path, HEADER + ROW + '"A-2 \\"x\\"",C-1,2024-01-02,1\n')
    assert "in the row that starts in line 3, text follows a closing quote" in words
    assert 'a quote is written twice ("")' in words


def test_a_quote_within_an_unquoted_value_is_a_plain_character(tmp_path: Path) -> None:
    assert land(tmp_path, HEADER + 'A-1,5" nail,2024-01-02,1\n').values("customer_id") == ['5" nail']


def test_rows_with_too_few_or_too_many_values_are_rejected(tmp_path: Path) -> None:
    landed = land(tmp_path, HEADER + "A-1,C-1,2024-01-02\n" + ROW + "A-3,C-1,2024-01-02,1,50\n")
    assert landed.reasons == {
        1: "has 3 values where the header names 4 columns",
        3: "has 5 values where the header names 4 columns",
    }
    assert landed.raw(3) == ["A-3", "C-1", "2024-01-02", "1", "50"]
    assert landed.values("source_row") == [2]


def test_an_unquoted_decimal_comma_between_commas_is_rejected(tmp_path: Path) -> None:
    landed = land(tmp_path, HEADER + "A-1,C-1,2024-01-02,11,77\n" + 'A-2,C-1,2024-01-02,"11,77"\n', decimal=",")
    assert list(landed.reasons) == [1]
    assert landed.values("order_id", "amount") == [("A-2", Decimal("11.7700"))]


def test_blank_lines_are_no_rows(tmp_path: Path) -> None:
    landed = land(tmp_path, "\n" + HEADER + "\n" + ROW + "   \n\r\nA-2,C-1,2024-01-03,1\n\n\n")
    assert landed.result.rows_in == 2
    assert landed.values("order_id", "source_row") == [("A-1", 1), ("A-2", 2)]


def test_rows_of_delimiters_alone_are_rejected(tmp_path: Path) -> None:
    landed = land(tmp_path, HEADER + ROW + ",,,\n")
    assert landed.reasons == {2: "order_id is empty; customer_id is empty; ordered_at is empty; amount is empty"}


def test_a_header_repeated_in_the_middle_is_rejected(tmp_path: Path) -> None:
    landed = land(tmp_path, HEADER + ROW + HEADER + "A-2,C-1,2024-01-03,1\n")
    assert landed.values("order_id") == ["A-1", "A-2"]
    assert landed.reasons == {
        2: "ordered_at 'ordered_at' is not a date written as %Y-%m-%d; "
        "amount 'amount' is not a number (decimal mark '.', no thousands mark)"
    }


def test_a_line_of_totals_at_the_end_is_rejected(tmp_path: Path) -> None:
    landed = land(tmp_path, HEADER + ROW + "Total,,,11.77\n")
    assert landed.values("amount") == [Decimal("11.7700")]
    assert landed.reasons == {2: "customer_id is empty; ordered_at is empty"}


def test_a_value_of_a_megabyte_lands_whole(tmp_path: Path) -> None:
    long = "x" * 1_000_000
    landed = land(tmp_path, HEADER + f"A-1,{long},2024-01-02,1\nA-2,C-1,{long},1\n")
    assert landed.values("customer_id") == [long]
    assert landed.reasons[2] == f"ordered_at '{long[:60]}…' is not a date written as %Y-%m-%d"


# Headers


def test_another_delimiter_than_declared_is_refused(tmp_path: Path) -> None:
    words = refusal(tmp_path, (HEADER + ROW).replace(",", ";"))
    assert "has only one column (it holds 'order_id', 'customer_id', 'ordered_at', 'amount')" in words
    assert "is the delimiter really ','? The header holds ';'" in words


def test_of_a_first_line_that_is_no_heading_only_what_the_settings_name_is_repeated(tmp_path: Path) -> None:
    words = refusal(tmp_path, "amount of Kanari\n12\n")
    assert "has only one column (it holds 'amount')" in words
    assert "Kanari" not in words


def test_a_missing_column_is_named_with_what_there_is(tmp_path: Path) -> None:
    words = refusal(tmp_path, HEADER.replace("amount", "montant") + ROW, columns=ORDER_COLUMNS | {"amount": "Montant"})
    assert words.startswith(
        "column 'Montant' (for amount) is not in orders.csv; it has: order_id, customer_id, ordered_at, montant. "
        "Did you mean 'montant'?"
    )
    words = refusal(tmp_path, HEADER + ROW, columns=ORDER_COLUMNS | {"amount": "AMOUNT"})
    assert "Did you mean 'amount'?" in words


def test_two_columns_of_a_mapped_name_are_refused(tmp_path: Path) -> None:
    words = refusal(tmp_path, "order_id,customer_id,ordered_at,amount,amount\nA-1,C-1,2024-01-02,1,2\n")
    assert words.startswith("orders.csv has 2 columns named 'amount', so which one holds amount cannot be told")


def test_two_columns_of_a_name_that_nobody_reads_do_not_matter(tmp_path: Path) -> None:
    landed = land(tmp_path, HEADER.strip() + ",note,note,NOTE\nA-1,C-1,2024-01-02,1,a,b,c\nA-2,,2024-01-02,1,a,b,c\n")
    assert landed.values("amount") == [Decimal(1)]
    assert list(landed.reasons) == [2]


def test_spaces_around_the_names_of_a_header_do_not_matter(tmp_path: Path) -> None:
    assert land(tmp_path, " order_id ,\xa0customer_id,ordered_at\t,amount \n" + ROW).values("customer_id") == ["C-1"]


@pytest.mark.parametrize("heading", ['amount"; DROP TABLE typed; --', "amount'); --", 'a"" FROM x', "{amount}", "%s"])
@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_heading_that_looks_like_sql_is_a_heading(tmp_path: Path, heading: str, ending: str) -> None:
    columns, path = ORDER_COLUMNS | {"amount": heading}, f"or'd\"ers.{ending}"
    if ending == "parquet":
        rows = {"order_id": ["A"], "customer_id": ["C"], "ordered_at": [date(2024, 1, 2)], heading: [Decimal("11.77")]}
        pq.write_table(pa.table(rows), tmp_path / path)
    else:
        written = heading.replace('"', '""')
        (tmp_path / path).write_text(f'order_id,customer_id,ordered_at,"{written}"\nA,C,2024-01-02,11.77\n')
    assert land_file(tmp_path, path, columns=columns).values("amount") == [Decimal("11.7700")]


@pytest.mark.parametrize("content", ["", "\n\n", "\ufeff"])
def test_an_empty_file_is_refused(tmp_path: Path, content: str) -> None:
    assert refusal(tmp_path, content) == "orders.csv is empty; it needs a header line that names its columns"


def test_a_header_alone_is_no_rows(tmp_path: Path) -> None:
    landed = land(tmp_path, HEADER)
    assert (landed.result.rows_in, landed.rows, landed.rejects) == (0, [], [])


# Values


def test_ids_are_text_whatever_they_look_like(tmp_path: Path) -> None:
    ids = ["007", "1e5", "1.0", "TRUE", "2024-01-02", "NULL", "nan", "-"]
    content = HEADER + "".join(f"{id_},\xa0{id_} \u200b,2024-01-02,1\n" for id_ in ids)
    assert land(tmp_path, content).values("order_id", "customer_id") == [(id_, id_) for id_ in ids]


def test_amounts_that_are_no_numbers_are_rejected(tmp_path: Path) -> None:
    amounts = ["(12.00)", "12 %", "$12", "1e5", "NaN", "inf", "1.234.567", "n/a"]
    landed = land(tmp_path, HEADER + "".join(f"A-{n},C-1,2024-01-02,{text}\n" for n, text in enumerate(amounts)))
    assert landed.rows == []
    assert landed.reasons == {
        row: f"amount '{text}' is not a number (decimal mark '.', no thousands mark)"
        for row, text in enumerate(amounts, 1)
    }


def test_a_number_that_could_be_two_is_rejected(tmp_path: Path) -> None:
    landed = land(tmp_path, HEADER.replace(",", ";") + "A-1;C-1;2024-01-02;1.234\n", delimiter=";", decimal=",")
    assert landed.reasons == {1: "amount '1.234' is not a number (decimal mark ',', no thousands mark)"}


def test_spreadsheet_day_numbers_are_rejected(tmp_path: Path) -> None:
    landed = land(tmp_path, HEADER + "A-1,C-1,40513,1\n")
    assert landed.reasons == {1: "ordered_at '40513' is not a date written as %Y-%m-%d"}


def test_months_where_days_are_declared_are_rejected_where_they_can_be_told(tmp_path: Path) -> None:
    days = ["25/12/2011", "12/25/2011", "1/2/2011", "01/02/2011", "29/02/2011", "29/02/2012", "25/12/11"]
    content = HEADER + "".join(f"A-{n},C-1,{day},1\n" for n, day in enumerate(days))
    landed = land(tmp_path, content, date_format="%d/%m/%Y")
    assert landed.values("ordered_on") == [date(2011, 12, 25), date(2011, 2, 1), date(2011, 2, 1), date(2012, 2, 29)]
    assert list(landed.reasons) == [2, 5, 7]


def test_the_night_hours_of_paris_that_were_skipped_or_doubled(tmp_path: Path) -> None:
    clocks = ["2024-03-31 02:30", "2024-10-27 02:30", "2024-10-27 00:00", "2024-10-27 24:00"]
    content = HEADER + "".join(f"A-{n},C-1,{clock},1\n" for n, clock in enumerate(clocks))
    landed = land(tmp_path, content, date_format="%Y-%m-%d %H:%M", time_zone="Europe/Paris")
    assert landed.values("ordered_at", "ordered_on") == [
        (datetime(2024, 3, 31, 1, 30), date(2024, 3, 31)),
        (datetime(2024, 10, 27, 0, 30), date(2024, 10, 27)),
        (datetime(2024, 10, 26, 22), date(2024, 10, 27)),
    ]
    assert list(landed.reasons) == [4]


# What is not the format it is named after


def test_a_parquet_file_named_csv_is_refused(tmp_path: Path) -> None:
    pq.write_table(pa.table({"order_id": ["A"]}), tmp_path / "orders.csv")
    with pytest.raises(DataError, match='is not a CSV file but a Parquet file; set format = "parquet"'):
        land_file(tmp_path, "orders.csv")


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252"])
def test_a_gzip_named_csv_is_refused(tmp_path: Path, encoding: str) -> None:
    words = refusal(tmp_path, gzip.compress((HEADER + ROW).encode()), encoding=encoding)
    assert words == "orders.csv is not a CSV file but a gzip archive; unpack it"


def test_a_packed_file_under_its_own_name_is_read(tmp_path: Path) -> None:
    assert land(tmp_path, gzip.compress((HEADER + ROW).encode()), path="orders.csv.gz").values("order_id") == ["A-1"]


def test_a_packed_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    assert "its ending does not tell a format" in refusal(tmp_path, b"x", path="orders.csv.bz2")


def test_a_csv_file_named_parquet_is_refused(tmp_path: Path) -> None:
    assert "orders.parquet is not a whole Parquet file" in refusal(tmp_path, HEADER + ROW, path="orders.parquet")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
def test_utf16_without_its_mark_is_refused_with_the_two_names_that_need_none(tmp_path: Path, encoding: str) -> None:
    words = refusal(tmp_path, (HEADER + ROW).encode(f"{encoding}-le"), encoding=encoding)
    assert "does not begin with its byte order mark" in words
    assert f'"{encoding}-le"' in words


def test_a_heading_whose_quotes_do_not_fit_the_delimiter_is_refused_with_its_line(tmp_path: Path) -> None:
    words = refusal(tmp_path, '"order_id";"customer_id";"ordered_at";"amount"\n' + ROW)
    assert "in the row that starts in line 1, text follows a closing quote" in words
    assert "dialect.delimiter" in words


def test_a_file_whose_name_is_no_text_is_refused_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "orders-\udcff.csv").write_text(HEADER + ROW)
    with pytest.raises(DataError, match="is not UTF-8, so it cannot be written down; rename the file"):
        land_file(tmp_path, "orders-*.csv")


def test_a_file_without_headings_in_which_one_value_is_called_as_a_column_is_not_repeated(tmp_path: Path) -> None:
    words = refusal(tmp_path, "A-canary,C-canary,2024-01-02,amount\n" * 3)
    assert "canary" not in words
    assert "only 1 of the 4 columns that this source maps are in orders.csv: 'amount'" in words
