from __future__ import annotations

import csv
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.data.sources import csv_rows, plain_lines
from pipelines.data.sources.csv_rows import CsvCopy, csv_copy
from pipelines.foundation.settings.dialect import Dialect

CELLS = st.text(
    st.characters(exclude_characters='\r\n\0"', codec="utf-8") | st.sampled_from(list(" ;,\t\ufeff'")), max_size=6
)


def copied(path: Path, place: Path, *, plain: bool, dialect: Dialect | None = None) -> CsvCopy:
    with pytest.MonkeyPatch.context() as patched:
        if not plain:
            patched.setattr(csv_rows, "copy_plain_lines", lambda *_: None)
        return csv_copy(path, dialect or Dialect(), place, look=lambda _: None)


def both(folder: Path, content: bytes, dialect: Dialect | None = None) -> None:
    """The same rows, whichever way they are read."""
    path = folder / "orders.csv"
    path.write_bytes(content)
    quick = copied(path, folder / "quick.parquet", plain=True, dialect=dialect)
    careful = copied(path, folder / "careful.parquet", plain=False, dialect=dialect)
    assert (quick.header, quick.count, quick.ragged) == (careful.header, careful.count, careful.ragged)
    assert pq.read_table(quick.place).equals(pq.read_table(careful.place))


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


def test_a_return_at_the_end_of_a_block_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for size in range(1, 12):
        monkeypatch.setattr(plain_lines, "_BLOCK", size)
        for content, plain in ((b"a,b\r\n1,2\r\n", True), (b"a,b\n1,2\r3", False), (b"a,b\n1,2\r", False)):
            (tmp_path / "x.csv").write_bytes(content)
            assert plain_lines._plain(tmp_path / "x.csv", b'"') is plain
        (tmp_path / "x.csv").write_text("a,b\n1,«2\n")
        assert not plain_lines._plain(tmp_path / "x.csv", "«".encode())


def test_a_large_file_is_read_block_by_block(tmp_path: Path) -> None:
    with (tmp_path / "orders.csv").open("w", newline="") as handle:
        csv.writer(handle).writerows([("id", "text"), *((number, "x" * (number % 70)) for number in range(300_000))])
    both(tmp_path, (tmp_path / "orders.csv").read_bytes())
