"""`attrition init DIR --from FILE`: a workspace from an export of any system, with all that was guessed marked."""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow.parquet as pq

from features.errors import AttritionError, DataError, SettingsError
from pipelines.data.layouts.guess import Guess, guess
from pipelines.data.layouts.profile import Column
from pipelines.data.sources.containers import unpacked
from pipelines.data.sources.encoding import codec
from pipelines.foundation.settings.new_folder import make_folder
from pipelines.foundation.settings.settings import FILE_NAME, Cohort, Outcome, Settings
from pipelines.foundation.settings.sources import FileSource, Source
from pipelines.foundation.settings.template import render
from pipelines.foundation.workspace.init import InitResult, copied, default_plays, refuse_foreign, write_new

_MOST_ROWS = 20_000  # a sample; what it does not show, `ingest` sets aside and counts
_ENCODINGS = ("utf-8", "cp1252")
_DELIMITERS = ";,\t|"
_CURRENCIES = {"€": "EUR", "$": "USD", "£": "GBP"}


def init_from_files(folder: Path, files: Sequence[Path]) -> InitResult:
    """Make a workspace from exports of which nothing is known; they are copied into it.

    Files that are read alike are one source, in a folder of their own: only within a source is it seen that a row
    stands in two of them, or was told otherwise before.
    Raises: SettingsError, DataError where the workspace is there, or no file looks like orders or subscriptions.
    """
    refuse_foreign(folder)
    if (folder / FILE_NAME).exists():
        raise SettingsError(f"{folder} is a workspace already; add a source to its {FILE_NAME}: docs/sources.md")
    found, told = list[Guess](), list[str]()
    for path in files:
        try:
            found.append(_guess(path))
        except AttritionError as error:
            if len(files) == 1:
                raise
            told.append(f"left out: {error}")
    tables = {each.source.table for each in found}
    if not tables & {"orders", "order_lines", "subscriptions"}:
        raise DataError("none of the files looks like orders or subscriptions: " + "; ".join(told))
    guesses, places = _together(found)
    settings = _settings(guesses)
    make_folder(folder)
    for path in files:
        copied(path, folder / places.get(path.name, path.name))
    for name, content in (*default_plays().items(), (FILE_NAME, render(settings).encode())):
        write_new(folder / name, content)
    return InitResult(
        folder,
        (FILE_NAME, *default_plays()),
        (),
        (
            *(f"guessed: {why}" for each in guesses for why in each.why),
            *told,
            *_apart(settings.sources),
            f"the currency {settings.currency} and the time zone {settings.time_zone} stand in {FILE_NAME} to be set",
            f"nothing is trained before you confirm what was guessed: look at {FILE_NAME}, and set guessed = [] there",
            f"then: attrition check --project {folder}",
        ),
    )


def _together(found: Sequence[Guess]) -> tuple[list[Guess], dict[str, str]]:
    """What was found, once for files that are read alike; and where each of such files is to lie in the workspace."""
    alike = list[list[Guess]]()
    for each in found:
        same = (group for group in alike if _reading(group[0]) == _reading(each))
        if (group := next(same, None)) is None:
            alike.append([each])
        else:
            group.append(each)
    guesses, places = list[Guess](), dict[str, str]()
    for group in alike:
        first = group[0].source
        if len(group) == 1:
            guesses += group
            continue
        taken = sum(each.source.table == first.table and "/" in each.source.path for each in guesses)
        place = f"{first.table}-{taken + 1}" if taken else first.table
        pattern = f"{place}/*{Path(first.path).suffix}"
        why = (text.replace(each.source.path, pattern, 1) for each in group for text in each.why)
        guesses.append(Guess(first.model_copy(update={"path": pattern}), tuple(dict.fromkeys(why))))
        places |= {each.source.path: f"{place}/{each.source.path}" for each in group}
    return guesses, places


def _reading(each: Guess) -> tuple[FileSource, str]:
    """How a file is read, whatever it is called; what it is packed in can be told by its name alone."""
    return each.source.model_copy(update={"path": ""}), Path(each.source.path).suffix.lower()


def _apart(sources: Sequence[Source]) -> Iterator[str]:
    tables = [each.table for each in sources]
    for table in dict.fromkeys(each for each in tables if tables.count(each) > 1):
        yield (
            f"{tables.count(table)} sources of {table} are read in different ways, and rows that stand in two of them "
            "are not seen to be one: where they overlap, export them anew in one way"
        )


def _settings(guesses: Sequence[Guess]) -> Settings:
    sources = tuple(each.source.model_copy(update={"guessed": each.why}) for each in guesses)
    signs = {source.dialect.currency_sign for source in sources} - {""}
    sign = next(iter(signs), "")
    currency = _CURRENCIES.get(sign, sign or "EUR")
    by_contract = {"orders", "order_lines"}.isdisjoint(source.table for source in sources)
    return Settings(
        currency=currency,
        sources=sources,
        cohort=Cohort(kind="subscribed" if by_contract else "ordered_within"),
        outcome=Outcome(kind="churn" if by_contract else "inactivity", horizon_days=30 if by_contract else 90),
    )


def _guess(path: Path) -> Guess:
    with TemporaryDirectory() as scratch:
        place = unpacked(path, None, Path(scratch))
        if place.suffix.lower() in (".parquet", ".pq"):
            return guess(path.name, _columns(*_typed(place)), delimiter=",", encoding="utf-8")
        encoding, delimiter, header, rows = _sample(place)
    return guess(path.name, _columns(header, rows), delimiter=delimiter, encoding=encoding)


def _columns(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[Column]:
    cells = list(zip(*rows, strict=True)) if rows else [()] * len(header)
    return [
        Column(name, tuple(value.strip() for value in values if value.strip()), len(rows))
        for name, values in zip(header, cells, strict=True)
    ]


def _typed(place: Path) -> tuple[list[str], list[list[str]]]:
    """A sample of a Parquet file as text: a day as it is written, a moment with its clock."""
    with pq.ParquetFile(place) as file:
        batch = next(file.iter_batches(_MOST_ROWS), None)
        names = list(file.schema_arrow.names)
    if batch is None:
        raise DataError(f"{place.name} holds no row")
    columns = [["" if value is None else str(value) for value in column.to_pylist()] for column in batch.columns]
    return names, [list(row) for row in zip(*columns, strict=True)]


def _sample(place: Path) -> tuple[str, str, list[str], list[list[str]]]:
    """The encoding, the delimiter, the headings and a sample of the rows of a text file."""
    with place.open("rb") as file:
        start = file.read(4)
    utf16 = start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    for encoding in ("utf-16",) if utf16 else _ENCODINGS:
        try:
            with place.open(encoding=codec(encoding), newline="") as handle:
                lines = list(islice(handle, _MOST_ROWS))
        except UnicodeDecodeError:
            continue
        break
    else:
        raise DataError(
            f"{place.name} is no text in {' or '.join(_ENCODINGS)}; write its source by hand: docs/sources.md"
        )
    if not lines:
        raise DataError(f"{place.name} is empty")
    delimiter = max(_DELIMITERS, key=lambda mark: _even(lines, mark))
    rows = [row for row in csv.reader(lines, delimiter=delimiter) if row]
    header = [re.sub("^\ufeff", "", name).strip() for name in rows[0]]
    whole = [row for row in rows[1:] if len(row) == len(header)]
    if len(header) < 2 or not whole:
        raise DataError(
            f"{place.name} has no rows of several values under headings; write its source by hand: docs/sources.md"
        )
    return encoding, delimiter, header, whole


def _even(lines: Sequence[str], mark: str) -> tuple[int, int]:
    """How many lines a mark splits into as many values as the first, and into how many."""
    rows = list(csv.reader(lines[:200], delimiter=mark))
    width = len(rows[0]) if rows else 0
    return (sum(len(row) == width for row in rows) if width > 1 else 0, width)
