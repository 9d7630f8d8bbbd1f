from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Literal

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.errors import DataError
from pipelines.data.sources import csv_rows, plain_lines
from pipelines.data.sources.csv_rows import CsvTable, csv_table
from pipelines.foundation.settings.dialect import Dialect
from pipelines.foundation.storage.spilling import spilling

CELLS = st.text(
    st.characters(exclude_characters='\r\n\0"', codec="utf-8") | st.sampled_from(list(" ;,\t\ufeff'")), max_size=6
)
QUOTED = st.text(st.sampled_from(list('ab é,;""\' \t\n\r')), max_size=5)


def table(path: Path, place: Path, *, plain: bool, dialect: Dialect | None = None) -> CsvTable:
    with pytest.MonkeyPatch.context() as patched:
        if not plain:
            patched.setattr(csv_rows, "plain_lines", lambda *_: None)
        return csv_table(path, dialect or Dialect(), place, look=lambda _: None)


def read(found: CsvTable) -> list[tuple[str | None, ...]]:
    """All that is read of a file, and each value as it is trimmed."""
    cells = ", ".join(f"c{place}, {found.cell(place)} AS t{place}" for place in range(len(found.header)))
    with spilling() as connection:
        query = f"SELECT source_row, ragged, whole, {cells} FROM ({found.query}) ORDER BY source_row"
        return connection.execute(query).fetchall()


def both(folder: Path, content: bytes, dialect: Dialect | None = None) -> bool:
    """The same rows, whichever way they are read. Whether the quick way was taken."""
    path = folder / "orders.csv"
    path.write_bytes(content)
    quick = table(path, folder / "copy.parquet", plain=True, dialect=dialect)
    careful = table(path, folder / "careful.parquet", plain=False, dialect=dialect)
    assert (quick.header, quick.count, quick.ragged) == (careful.header, careful.count, careful.ragged)
    assert read(quick) == read(careful)
    return quick.opened == path


@given(
    rows=st.lists(st.lists(CELLS, min_size=1, max_size=4), min_size=0, max_size=12),
    width=st.integers(1, 4),
    end=st.sampled_from(["\n", "\r\n"]),
    last=st.booleans(),
    mark=st.booleans(),
    even=st.booleans(),
)
def test_every_cell_is_what_the_careful_reader_reads(
    rows: list[list[str]],
    width: int,
    end: str,
    *,
    last: bool,
    mark: bool,
    even: bool,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    names = [f"h{number}" for number in range(width)]
    if even:
        rows = [(row * width)[:width] for row in rows]
    lines = [",".join(cell.replace(",", ";") for cell in row) for row in [names, *rows]]
    text = end.join(lines) + (end if last else "")
    both(tmp_path_factory.mktemp("both"), ("\ufeff" if mark else "").encode() + text.encode())


@pytest.mark.parametrize(
    "content",
    [
        b"a,b\n1,2\r3,4\n",  # a return alone ends a line, too
        b"a,b\n1,2\r",
        b"a,b\n1,2\n \n3,4\n",
        b"\n\na,b\n1,2\n\n\n3,4",
        b" \na,b\n1,2\n",
        b'a,b\n"1",2\n',
        b"a,b\n1,2,3\n4\n5,6\n",
        b"a,b\n",
        b"a,b",
        b"a\n1\n\n2\n",
        b"a,b\nNULL,\nnan,N/A\n",
        "a,b\n\u20281,\x852\n".encode(),
    ],
)
def test_what_is_not_plain_is_read_with_care(content: bytes, tmp_path: Path) -> None:
    both(tmp_path, content)


@given(
    rows=st.lists(st.lists(QUOTED, min_size=2, max_size=3), min_size=1, max_size=6),
    quoting=st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL, csv.QUOTE_NONNUMERIC]),
    end=st.sampled_from(["\n", "\r\n"]),
    quote=st.sampled_from("\"'"),
    even=st.booleans(),
    tail=st.sampled_from(["", "\n", "\r\n\r\n", "\n\n\n", "\r", "\n\r\r\n"]),
)
def test_every_quoted_cell_is_what_the_careful_reader_reads(
    rows: list[list[str]],
    quoting: Literal[0, 1, 2],
    end: str,
    quote: str,
    *,
    even: bool,
    tail: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    if even:
        rows = [(row * 2)[:2] for row in rows]
    text = io.StringIO()
    csv.writer(text, quoting=quoting, lineterminator=end, quotechar=quote).writerows([["h0", "h1"], *rows])
    content = (text.getvalue() + tail).encode()
    both(tmp_path_factory.mktemp("both"), content, Dialect(quote=quote))


@given(
    rows=st.lists(
        st.tuples(*[st.text(st.sampled_from(list('""ab ,')), max_size=4) | st.sampled_from(["", "a", '"a"'])] * 2),
        min_size=1,
        max_size=3,
    )
)
def test_a_quote_wherever_it_stands_is_read_as_the_careful_reader_does(
    rows: list[tuple[str, str]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    content = "\n".join(map(",".join, [("h0", "h1"), *rows])).encode()
    folder = tmp_path_factory.mktemp("both")
    (folder / "orders.csv").write_bytes(content)
    try:
        careful = table(folder / "orders.csv", folder / "careful.parquet", plain=False)
    except DataError:
        with pytest.raises(DataError):
            table(folder / "orders.csv", folder / "copy.parquet", plain=True)
    else:
        assert read(table(folder / "orders.csv", folder / "copy.parquet", plain=True)) == read(careful)


@pytest.mark.parametrize(
    ("content", "quick"),
    [
        (b"a,b\n1,2\n", True),
        (b"a,b\r\n1,2\r\n\r\n", True),
        (b"\xef\xbb\xbfa,b\n1,2", True),
        (b'"a","b"\n"1","2"\n', True),
        (b'a,b\n"1, 2","say ""no"""\n,""\n', True),
        (b'a,b\n"1\n2",3\n', False),
        (b'a,b\n1"2,3\n', False),
        (b"a,b\n1,2\r\n", False),
        (b"a,b\n1,2,3\n", False),
        (b"a,b\n1,2\n\n3,4\n", False),
    ],
)
def test_the_quick_way_is_taken_where_it_can_be(content: bytes, quick: bool, tmp_path: Path) -> None:
    assert both(tmp_path, content) is quick


def test_a_path_is_no_pattern(tmp_path: Path) -> None:
    (tmp_path / "[ab]*").mkdir()
    assert not both(tmp_path / "[ab]*", b"a,b\n1,2\n")


def test_blocks_end_wherever_they_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for size in range(5, 16):
        monkeypatch.setattr(plain_lines, "_BLOCK", size)
        for end in (b"\n", b"\r\n"):
            content = end.join([b"a,b", b"1,2", b'"3",4', b",", b"12345,678", b'" x","y"""', b"5,6 ", b"", b""])
            both(tmp_path, content)
            both(tmp_path, content.rstrip())


def test_a_long_line_is_read_with_care(tmp_path: Path) -> None:
    assert both(tmp_path, b"a,b\n1," + b"x" * ((1 << 19) - 10) + b"\n3,4\n")
    assert not both(tmp_path, b"a,b\n1,2\n1," + b"x" * (1 << 21) + b"\n3,4\n")


@pytest.mark.parametrize("quoting", [csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
def test_a_large_file_is_read_in_the_order_of_its_lines(tmp_path: Path, quoting: Literal[0, 1]) -> None:
    """Many times what DuckDB reads at once, by several threads."""
    with (tmp_path / "orders.csv").open("w", newline="") as handle:
        lines = [("id", "text"), *((number, "x" * (number % 70)) for number in range(1_000_000))]
        csv.writer(handle, quoting=quoting).writerows(lines)
    found = table(tmp_path / "orders.csv", tmp_path / "copy.parquet", plain=True)
    assert found.opened == tmp_path / "orders.csv"
    with duckdb.connect(config={"threads": "4", "preserve_insertion_order": "false"}) as connection:
        odd = "source_row <> c0::BIGINT + 1 OR length(c1) <> c0::BIGINT % 70"
        query = f"SELECT count(*), count(*) FILTER ({odd}) FROM ({found.query})"
        assert connection.execute(query).fetchone() == (1_000_000, 0)
