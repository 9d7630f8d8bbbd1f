"""How text becomes typed values: strictly, as declared, or with words for why not. DuckDB SQL over one text column."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from features.codes import code_sql
from features.contract import Column
from pipelines.foundation.settings.date_format import date_pattern
from pipelines.foundation.settings.dialect import EPOCHS, Dialect
from pipelines.foundation.settings.section import FIRST_YEAR, LAST_YEAR
from pipelines.foundation.settings.text_values import FALSE, SPACES, TRUE
from pipelines.foundation.storage.sql_text import quoted

OUTSIDE_YEARS = f"lies outside the years {FIRST_YEAR} to {LAST_YEAR}"

_THOUSANDS_SPACES = " \xa0\u202f\u2009"
_MINUS = "\u2212"
# Formats in which a date can be cast, with its type, and SQL of how it is written.
_ISO = {
    "%Y-%m-%d": ("DATE", "{}::VARCHAR"),
    "%Y-%m-%d %H:%M:%S": ("TIMESTAMP", "{}::VARCHAR"),
    "%Y-%m-%dT%H:%M:%S": ("TIMESTAMP", "replace({}::VARCHAR, ' ', 'T')"),
}


@dataclass(frozen=True)
class Reading:
    """How one source column becomes one contract column, as SQL.

    shown: its text, as a message quotes it. empty: true where nothing is there. value: typed; null where empty or
    broken. faults: conditions with words, of which the first that holds tells why a value that is there is broken.
    clock: whose clock time the value is, still to be made UTC: the source's, or of a day without an hour, which no
    clock shifts, the workspace's. None: it is UTC.
    """

    shown: str
    empty: str
    value: str
    faults: tuple[tuple[str, str], ...] = ()
    clock: Literal["source", "workspace"] | None = None


def trimmed(column: str) -> str:
    """SQL of a text column without surrounding spaces of any kind; nothing left is null."""
    # Nearly all text begins and ends with a visible ASCII character, which is cheap to see; trimming is not.
    needs = f"regexp_matches({column}, '^[^!-~]|[^!-~]$')"
    return f"nullif(CASE WHEN {needs} THEN trim({column}, {quoted(SPACES)}) ELSE {column} END, '')"


def text_reading(column: Column, text: str, *, dialect: Dialect) -> Reading:
    """Read a contract column from `text`, SQL of trimmed text."""
    empty = f"{text} IS NULL"
    if column.kind in ("text", "currency"):
        return code_reading(column, Reading(text, empty, text))
    if column.kind == "boolean":
        words = dict.fromkeys(TRUE, True) | dict.fromkeys(FALSE, False) | dialect.booleans
        return Reading(text, empty, _boolean(text, words), (("true", f"is none of {', '.join(words)}"),))
    if column.kind == "timestamp":
        if dialect.date_format in EPOCHS:
            return Reading(text, empty, *_epoch(text, dialect.date_format))
        return Reading(text, empty, *_timestamp(text, dialect), clock=_clock(dialect.date_format))
    number = _number(text, dialect, whole=column.kind == "integer", divided=column.divided)
    return bounded(column, Reading(text, empty, *number))


def code_reading(column: Column, found: Reading) -> Reading:
    """Text as its column wants it: a code, or one of its choices, as codes are spelled, or a currency, in capitals."""
    if column.kind == "currency":
        return Reading(found.shown, found.empty, f"upper({found.value})", found.faults)
    if not (column.choices or column.code):
        return found
    spelled = code_sql(found.value)
    if not column.choices:
        return Reading(found.shown, found.empty, spelled, found.faults)
    among = f"CASE WHEN {spelled} IN ({', '.join(map(quoted, column.choices))}) THEN {spelled} END"
    return Reading(
        found.shown, found.empty, among, (*found.faults, ("true", f"is none of {', '.join(column.choices)}"))
    )


def bounded(column: Column, found: Reading) -> Reading:
    """A number as its column wants it: within the bounds that the contract sets."""
    for bound, inside, beyond, words in (
        (column.at_least, ">=", "<", "is below"),
        (column.at_most, "<=", ">", "is above"),
    ):
        if bound is not None:
            value = f"CASE WHEN {found.value} {inside} {bound} THEN {found.value} END"
            fault = (f"{found.value} {beyond} {bound}", f"{words} {bound}")
            found = Reading(found.shown, found.empty, value, (fault, *found.faults))
    return found


def _boolean(text: str, words: Mapping[str, bool]) -> str:
    said = " ".join(f"WHEN {quoted(word)} THEN {str(meant).lower()}" for word, meant in words.items())
    return f"CASE lower({text}) {said} END"


def epoch_moment(number: str, date_format: str) -> str:
    """SQL of a moment that is counted from 1970-01-01 UTC on, null outside the years in which dates are believed."""
    # Beyond this no year is believed, and beyond more, DuckDB's own arithmetic ends.
    least, most = (int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) for year in (FIRST_YEAR, LAST_YEAR + 1))
    unit = EPOCHS[date_format]
    micros = f"({number})::DECIMAL(38, 6) * {unit}"
    return (
        f"CASE WHEN {micros} >= {least * 1_000_000} AND {micros} < {most * 1_000_000} "
        f"THEN make_timestamp(({micros})::BIGINT) END"
    )


def _epoch(text: str, date_format: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    fits = f"regexp_full_match({text}, '-?\\d{{1,15}}([.]\\d{{1,6}})?')"
    return f"CASE WHEN {fits} THEN {epoch_moment(f'CASE WHEN {fits} THEN {text} END', date_format)} END", (
        (fits, OUTSIDE_YEARS),
        ("true", f"is not a moment written as {date_format} (a count from 1970-01-01 on)"),
    )


def _unsigned(text: str, sign: str) -> str:
    """SQL of the text of an amount without its currency sign, which stands before or after the digits."""
    if not sign:
        return text
    mark = re.escape(sign)
    spaces = f"[{_THOUSANDS_SPACES}]*"
    ahead = rf"^([+{_MINUS}-]?){spaces}{mark}{spaces}"
    return (
        f"CASE WHEN regexp_matches({text}, {quoted(ahead)}) THEN regexp_replace({text}, {quoted(ahead)}, '\\1') "
        f"ELSE regexp_replace({text}, {quoted(f'{spaces}{mark}$')}, '') END"
    )


def _number(text: str, dialect: Dialect, *, whole: bool, divided: bool) -> tuple[str, tuple[tuple[str, str], ...]]:
    text = _unsigned(text, dialect.currency_sign)
    divided = divided or dialect.round_numbers
    marks = _THOUSANDS_SPACES if dialect.thousands == " " else dialect.thousands
    point = re.escape(dialect.decimal)
    # A first group of 0 is no group: "0,123" is somebody else's fraction.
    digits = rf"([1-9]\d{{0,2}}([{re.escape(marks)}]\d{{3}})+|\d+)" if marks else r"\d+"

    def written(decimals: str) -> str:
        # Some systems write half a unit as ".5": no other reading is possible.
        pattern = rf"[+{_MINUS}-]?({digits}({point}{decimals})?|{point}{decimals})"
        return f"regexp_full_match({text}, {quoted(pattern)})"

    # A cast to four decimals rounds the rest of a division's.
    fits = written("0+" if whole else r"\d+" if divided else r"\d{1,4}0*")
    plain = f"translate({text}, {quoted(dialect.decimal + _MINUS + '+' + marks)}, '.-')"
    kind = "BIGINT" if whole else "DECIMAL(18, 4)"
    value = _plain_number(
        text, kind, dialect.decimal, otherwise=f"CASE WHEN {fits} THEN TRY_CAST({plain} AS {kind}) END"
    )
    thousands = f"thousands mark '{dialect.thousands}'" if marks else "no thousands mark"
    thousands += f", perhaps with '{dialect.currency_sign}'" if dialect.currency_sign else ""
    return value, (
        (fits, "is too large" if whole else "has more than 14 digits before the decimal mark"),
        (written(r"\d+"), "is not a whole number" if whole else "has more than 4 decimals"),
        ("true", f"is not a number (decimal mark '{dialect.decimal}', {thousands})"),
    )


def _plain_number(text: str, kind: str, point: str, *, otherwise: str) -> str:
    """SQL of a number that is written as DuckDB itself would, but for zeros at its end; of any other text `otherwise`.

    So are nearly all, and to see it takes a third of the time of a regular expression and a translation.
    """
    read = text if point == "." else f"replace({text}, {quoted(point)}, '.')"
    written = f"TRY_CAST({read} AS {kind})::VARCHAR"
    written = written if point == "." else f"replace({written}, '.', {quoted(point)})"
    same = f"starts_with({written}, {text}) AND NOT ends_with({text}, {quoted(point)})"
    same = f"{written} = {text}" if kind == "BIGINT" else same
    return f"CASE WHEN {same} THEN TRY_CAST({read} AS {kind}) ELSE {otherwise} END"


def _timestamp(text: str, dialect: Dialect) -> tuple[str, tuple[tuple[str, str], ...]]:
    with_offset = _clock(dialect.date_format) is None
    plain = f"regexp_replace({text}, 'Z$', '+00:00')" if with_offset else text

    def read(written_as: str) -> str:
        found = f"try_strptime({plain}, {quoted(written_as)})"
        value = utc(found) if with_offset else found
        return f"WHEN regexp_full_match({text}, {quoted(date_pattern(written_as))}) THEN {value}"

    formats = [dialect.date_format]
    if "%f" not in dialect.date_format:  # programs print fractions of a second where there are any
        formats.append(re.sub(r"(?<!%)%S", "%S.%f", dialect.date_format))
    clock = f"CASE {' '.join(map(read, dict.fromkeys(formats)))} END"
    return within_years(_plain_date(text, dialect.date_format, otherwise=clock)), (
        (f"{clock} IS NOT NULL", OUTSIDE_YEARS),
        ("true", f"is not a date written as {dialect.date_format}"),
    )


def _clock(date_format: str) -> Literal["source", "workspace"] | None:
    told = set(re.findall("%(.)", date_format.replace("%%", "")))
    if "z" in told:
        return None
    return "source" if told & {"H", "I"} else "workspace"


def _plain_date(text: str, date_format: str, *, otherwise: str) -> str:
    """SQL of a date in one of the ISO formats that is written as DuckDB itself would; of any other text `otherwise`."""
    if date_format not in _ISO:
        return otherwise
    kind, written = _ISO[date_format]
    found = f"TRY_CAST({text} AS {kind})"
    return f"CASE WHEN {written.format(found)} = {text} THEN {found}::TIMESTAMP ELSE {otherwise} END"


def utc(moment: str) -> str:
    """SQL of a moment that carries its zone, as UTC without zone mark."""
    return f"make_timestamp(epoch_us({moment}))"


def within_years(moment: str) -> str:
    """SQL of a moment, null outside the years in which dates are believed."""
    first, end = f"TIMESTAMP '{FIRST_YEAR}-01-01'", f"TIMESTAMP '{LAST_YEAR + 1}-01-01'"
    return f"CASE WHEN {moment} >= {first} AND {moment} < {end} THEN {moment} END"
