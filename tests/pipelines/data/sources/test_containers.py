from __future__ import annotations

import gzip
import io
import zipfile
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from features.errors import DataError
from pipelines.data.sources import containers
from pipelines.data.sources.containers import inner_name, split
from tests.pipelines.data.landing.landing_case import HEADER, ROW, land, land_file
from tests.pipelines.data.sources.query.query_case import COLUMNS, land_query


def zipped(**members: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return buffer.getvalue()


def workbook(ending: str = "xlsx", **sheets: list[list[Any]]) -> bytes:
    """A workbook as a spreadsheet writes it, a list of rows a sheet."""
    buffer = io.BytesIO()
    engine: Any = "openpyxl" if ending == "xlsx" else "odf"
    with pd.ExcelWriter(buffer, engine=engine) as writer:
        for name, rows in sheets.items():
            pd.DataFrame(rows).to_excel(writer, sheet_name=name, header=False, index=False)
    return buffer.getvalue()


SHEET: list[list[Any]] = [
    [None, None, None, None],
    ["order_id", "customer_id", "ordered_at", "amount"],
    ["007", 12345, datetime(2024, 1, 2, 10), 12.5],
    ["A-2", "guest", date(2024, 1, 3), 3],
    [None, None, None, None],
]


def test_a_part_of_a_file_is_named_behind_it() -> None:
    assert split("exports/book.xlsx#Orders 2024") == ("exports/book.xlsx", "Orders 2024")
    assert split("all.zip#a/b.csv") == ("all.zip", "a/b.csv")
    assert split("orders#2.csv") == ("orders#2.csv", None)
    assert inner_name(Path("orders.csv.gz"), None) == "orders.csv"


@pytest.mark.parametrize(
    ("path", "packed"),
    [
        ("orders.csv.gz", lambda text: gzip.compress(text.encode())),
        ("orders.zip", lambda text: zipped(**{"orders.csv": text, "__MACOSX/._orders.csv": "x"})),
        ("all.zip#shop/orders.csv", lambda text: zipped(**{"shop/orders.csv": text, "other.csv": "a\n"})),
    ],
)
def test_a_packed_file_is_read_as_what_it_holds(path: str, packed: Callable[[str], bytes], tmp_path: Path) -> None:
    text = HEADER + ROW + "2,C,2024-01-03,none\n"
    place = tmp_path / "shop" / split(path)[0]
    place.parent.mkdir()
    place.write_bytes(packed(text))
    landed = land_query(tmp_path / "shop", f"SELECT {COLUMNS} FROM '{path}'")
    assert (landed.values("order_id"), len(landed.reasons)) == (["A-1"], 1)
    again = land_file(tmp_path / "shop", path)
    assert (again.values("order_id"), list(again.reasons)) == (["A-1"], [2])
    assert again.result.path == path


@pytest.mark.parametrize("ending", ["xlsx", "ods"])
def test_a_sheet_is_read_with_the_types_of_its_cells(ending: str, tmp_path: Path) -> None:
    landed = land(tmp_path, workbook(ending, Orders=SHEET), path=f"book.{ending}")
    assert landed.values("order_id", "customer_id", "ordered_at", "amount") == [
        ("007", "12345", datetime(2024, 1, 2, 10), Decimal("12.5000")),
        ("A-2", "guest", datetime(2024, 1, 3), Decimal("3.0000")),
    ]


def test_two_sheets_are_two_contents(tmp_path: Path) -> None:
    more: list[list[Any]] = [SHEET[1], ["B-1", "C", date(2024, 2, 2), 1]]
    (tmp_path / "book.xlsx").write_bytes(workbook(May=SHEET, June=more))
    union = f"SELECT {COLUMNS} FROM 'book.xlsx#May' UNION ALL SELECT {COLUMNS} FROM 'book.xlsx#June'"
    assert land_query(tmp_path, union).result.landed == 3
    with pytest.raises(DataError, match=r"book\.xlsx holds 2 sheets; name the one that is meant"):
        land_query(tmp_path, f"SELECT {COLUMNS} FROM 'book.xlsx'")
    with pytest.raises(DataError, match=r"book\.xlsx holds no sheet 'July'"):
        land_query(tmp_path, f"SELECT {COLUMNS} FROM 'book.xlsx#July'")


@pytest.mark.parametrize(
    ("path", "content", "said"),
    [
        ("orders.csv.gz", b"no archive", "cannot be unpacked: it is cut off, damaged or locked"),
        ("orders.csv.gz", gzip.compress(b"x" * 5000, mtime=0)[:-9], "cannot be unpacked"),
        ("orders.zip", b"PK\x03\x04", "cannot be unpacked"),
        ("orders.zip", "two", "holds 2 files; name the one that is meant behind its name"),
        ("orders.zip", "pdf", "its ending does not tell a format"),
        ("book.xlsx", b"PK\x03\x04", "is no whole workbook, or is locked with a password"),
        ("book.xls", b"\xd0\xcf\x11\xe0", "is no whole workbook"),
        ("book.xlsx", "empty", "is empty; its first row names the columns"),
    ],
)
def test_what_cannot_be_unpacked_is_told(path: str, content: bytes | str, said: str, tmp_path: Path) -> None:
    made = {  # with the time of making in them: named here, so that a test has one name
        "empty": lambda: workbook(Empty=[]),
        "two": lambda: zipped(a="1", b="2"),
        "pdf": lambda: zipped(**{"a.pdf": "1"}),
    }
    content = made[content]() if isinstance(content, str) else content
    with pytest.raises(DataError, match=said):
        land(tmp_path, content, path=path)


def test_an_archive_that_grows_too_far_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(containers, "_LEAST", 1 << 12)
    monkeypatch.setattr(containers, "_TIMES", 2)
    with pytest.raises(DataError, match="many times its own size; unpack it yourself if that is right"):
        land(tmp_path, gzip.compress(HEADER.encode() + ROW.encode() * 9999), path="orders.csv.gz")
