"""Files that hold the file that is meant: gzip and zip archives, and workbooks with their sheets."""

from __future__ import annotations

import gzip
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path, PurePosixPath
from tempfile import mkdtemp
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq

from features.errors import DataError
from pipelines.foundation.storage.atomic_file import scratch

_PACKED = (".gz", ".zip")
_WORKBOOKS = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")
ENDINGS = (*_PACKED, *_WORKBOOKS)

_LEAST, _TIMES = 1 << 30, 300  # an archive may always unpack to so many bytes, and then to so many times its own
_LARGEST_WORKBOOK = 256 << 20  # a sheet is held whole
_HEAD = 1 << 20  # bytes in which headings stand
_EXACT_BELOW = 2**53


def split(name: str) -> tuple[str, str | None]:
    """The file and, where one is named, the part of it that is meant.

    >>> split("exports/book.xlsx#Orders"), split("orders#2.csv")
    (('exports/book.xlsx', 'Orders'), ('orders#2.csv', None))
    """
    file, mark, part = name.rpartition("#")
    return (file, part) if mark and part and file.lower().endswith(ENDINGS) else (name, None)


def inner_name(path: Path, part: str | None) -> str:
    """What the file that is meant is called; its ending tells the format. Raises: DataError where none is told."""
    if path.suffix.lower() == ".gz":
        return path.name[: -len(".gz")]
    if path.suffix.lower() == ".zip":
        with _opened_zip(path) as archive:
            return PurePosixPath(_member(archive, path, part)).name
    return f"{path.stem}.parquet" if path.suffix.lower() in _WORKBOOKS else path.name


def unpacked(path: Path, part: str | None, scratch: Path, *, head: bool = False) -> Path:
    """The file that is meant, in `scratch`, or the path itself where it holds no other. head: only its first part.

    Raises: DataError where an archive or workbook cannot be read, or does not tell which of its files is meant.
    """
    kind = path.suffix.lower()
    if kind not in ENDINGS:
        return path
    place = Path(mkdtemp(dir=scratch)) / inner_name(path, part)  # two parts may have one name
    if kind in _WORKBOOKS:
        _write_sheet(path, part, place)
        return place
    most = _HEAD if head else max(_LEAST, _TIMES * path.stat().st_size)
    try:
        with _content(path, part) as content, place.open("wb") as target:
            _copy(content, target, path, most=most, cut=head)
    except (zipfile.BadZipFile, gzip.BadGzipFile, EOFError, zlib.error, NotImplementedError, RuntimeError):
        raise DataError(f"{path.name} cannot be unpacked: it is cut off, damaged or locked with a password") from None
    return place


@contextmanager
def unpacking(root: Path, *paths: Path) -> Iterator[Path]:
    """A folder of the workspace to unpack into, for a while; where none of the files holds another, none is made."""
    if any(path.suffix.lower() in ENDINGS for path in paths):
        with scratch(root, "unpacking") as folder:
            yield folder
    else:
        yield root


@contextmanager
def _content(path: Path, part: str | None) -> Iterator[IO[bytes] | gzip.GzipFile]:
    if path.suffix.lower() == ".gz":
        with gzip.open(path, "rb") as content:
            yield content
    else:
        with _opened_zip(path) as archive, archive.open(_member(archive, path, part)) as content:
            yield content


@contextmanager
def _opened_zip(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError):
        raise DataError(f"{path.name} cannot be unpacked: it is cut off, damaged or locked with a password") from None


def _member(archive: zipfile.ZipFile, path: Path, part: str | None) -> str:
    # What macOS lays beside files is none of them.
    names = [name for name in archive.namelist() if not name.endswith("/") and not name.startswith("__MACOSX/")]
    if part in names:
        return part
    if part is None and len(names) == 1:
        return names[0]
    wanted = f"no file '{part}'" if part else f"{len(names)} files"
    raise DataError(f"{path.name} holds {wanted}; name the one that is meant behind its name: '{path.name}#orders.csv'")


def _copy(content: IO[bytes] | gzip.GzipFile, target: IO[bytes], path: Path, *, most: int, cut: bool) -> None:
    left = most
    while left and (block := content.read(min(left, 1 << 20))):
        target.write(block)
        left -= len(block)
    if not left and not cut and content.read(1):
        raise DataError(
            f"{path.name} unpacks to more than {most / (1 << 30):,.0f} GB, many times its own size; unpack it yourself "
            "if that is right"
        )


def _write_sheet(path: Path, part: str | None, place: Path) -> None:
    """A sheet as Parquet: a column of numbers, moments or truths in its type, any other as text."""
    rows = iter(_rows(path, part))
    header = next((row for row in rows if any(map(_there, row))), None)
    if header is None:
        raise DataError(f"{path.name} is empty; its first row names the columns")
    names = [_text(name) or f"column_{place}" for place, name in enumerate(header, 1)]
    body = [row for row in rows if any(map(_there, row))]
    columns = [_typed([row[number] if _there(row[number]) else None for row in body]) for number in range(len(names))]
    pq.write_table(pa.Table.from_arrays(columns, names=names), place)


def _rows(path: Path, part: str | None) -> list[list[Any]]:
    from python_calamine import CalamineError, PasswordError, load_workbook

    if path.stat().st_size > _LARGEST_WORKBOOK:
        raise DataError(
            f"{path.name} is larger than {_LARGEST_WORKBOOK >> 20} MB, and a sheet is held whole; save it as CSV"
        )
    try:
        with load_workbook(path) as book:
            names = book.sheet_names
            if part not in names and (part or len(names) != 1):
                wanted = f"no sheet '{part}'" if part else f"{len(names)} sheets"
                raise DataError(
                    f"{path.name} holds {wanted}; name the one that is meant behind its name: '{path.name}#Sheet1'"
                )
            return book.get_sheet_by_name(part or names[0]).to_python(skip_empty_area=False)
    except (CalamineError, PasswordError, OSError):
        raise DataError(f"{path.name} is no whole workbook, or is locked with a password; save it anew") from None


def _there(value: Any) -> bool:
    return value is not None and value != ""


def _typed(values: Sequence[Any]) -> pa.Array:
    there = [value for value in values if value is not None]
    kinds = {type(value) for value in there}
    if kinds and kinds <= {bool}:
        return pa.array(values, pa.bool_())
    if kinds and kinds <= {int, float}:
        # A workbook has one kind of number; whole ones are ids as often as amounts.
        whole = all(float(value).is_integer() and abs(value) < _EXACT_BELOW for value in there)
        return pa.array([value if value is None else int(value) if whole else float(value) for value in values])
    if kinds and kinds <= {date, datetime}:
        return pa.array([_moment(value) for value in values], pa.timestamp("us"))
    return pa.array([None if value is None else _text(value) for value in values], pa.string())


def _moment(value: date | datetime | None) -> datetime | None:
    if value is None or isinstance(value, datetime):
        return value
    return datetime(value.year, value.month, value.day)  # noqa: DTZ001 - a local day, as a sheet has it


def _text(value: Any) -> str:
    """A value of a column that holds several kinds, as a person reads it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT_BELOW:
        return str(int(value))
    return str(value).strip()
