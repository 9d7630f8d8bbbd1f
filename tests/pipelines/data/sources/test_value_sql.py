from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.codes import code
from features.contract import Column, Kind, Table
from pipelines.data.landing.typed_rows import TypedRows
from pipelines.data.landing.workbench import workbench
from pipelines.data.sources import value_sql
from pipelines.data.sources.raw_rows import RawRows
from pipelines.data.sources.value_sql import text_reading, trimmed
from pipelines.foundation.identity.erased_customers import ErasedCustomers
from pipelines.foundation.identity.masking import Masking
from pipelines.foundation.settings.dialect import Dialect
from pipelines.foundation.settings.text_values import SPACES
from tests.pipelines.data.landing.landing_case import source

PARIS = "Europe/Paris"


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    with workbench(tmp_path_factory.mktemp("scratch"), source_zone=PARIS, workspace_zone=PARIS) as connection:
        yield connection


def read(
    bench: duckdb.DuckDBPyConnection,
    kind: Kind,
    values: Sequence[str | None],
    dialect: Dialect | None = None,
    **declared: Any,
) -> list[Any]:
    """Of each text: its typed value, or the words for what is wrong with it. declared: more of its column."""
    column = Column(name="seen", kind=kind, meaning="", null="nothing", **declared)
    happened = Column(name="at", kind="timestamp", meaning="", null="")
    contract = Table(name="t", grain="", key=(), happened_at="at", columns=(column, happened))
    bench.execute("DROP VIEW IF EXISTS typed")
    for table in ("raw", "judged", "repeats", "rejects"):
        bench.execute(f"DROP TABLE IF EXISTS {table}")
    bench.execute("CREATE TABLE raw (source_row BIGINT, cell VARCHAR)")
    bench.executemany("INSERT INTO raw VALUES (?, ?)", list(enumerate(values)))
    raw = RawRows(
        count=len(values),
        cells=f'SELECT source_row, NULL::VARCHAR AS ragged, {trimmed("cell")} AS "raw seen", NULL AS "raw at" FROM raw',
        texts="SELECT source_row, cell AS raw_row FROM raw",
        readings={
            "seen": text_reading(column, '"raw seen"', dialect=dialect or Dialect()),
            "at": text_reading(happened, '"raw at"', dialect=Dialect()),
        },
    )
    masking = Masking(ErasedCustomers(), None)
    TypedRows.of(bench, "t.csv", raw, contract, source_sha256="0" * 64, masking=masking, source=source())
    found = bench.execute("SELECT seen, why FROM typed ORDER BY source_row").fetchall()
    return [
        reason.removeprefix(f"seen '{values[row]}' ") if reason else value for row, (value, reason) in enumerate(found)
    ]


FRENCH = Dialect(decimal=",", thousands=" ")


@pytest.mark.parametrize(
    ("dialect", "text", "value"),
    [
        (Dialect(), "11.77", "11.7700"),
        (Dialect(), "-0.5", "-0.5000"),
        (Dialect(), "+.5", "0.5000"),
        (Dialect(), "007", "7.0000"),
        (Dialect(), "1.50000000000000000000", "1.5000"),
        (Dialect(), "99999999999999.9999", "99999999999999.9999"),
        (Dialect(), "\u22125", "-5.0000"),
        (Dialect(), " \xa05\u2009", "5.0000"),
        (Dialect(thousands=","), "1,234,567.89", "1234567.8900"),
        (Dialect(thousands=","), "1234567.89", "1234567.8900"),
        (Dialect(thousands="'"), "1'234.5", "1234.5000"),
        (Dialect(decimal=",", thousands="."), "1.234,5", "1234.5000"),
        (FRENCH, "1 234,56", "1234.5600"),
        (FRENCH, "1\xa0234\u202f567\u2009890,12", "1234567890.1200"),
        (FRENCH, "\u22121\u202f234,5", "-1234.5000"),
    ],
)
def test_a_number_is_read_as_declared(
    bench: duckdb.DuckDBPyConnection, dialect: Dialect, text: str, value: str
) -> None:
    assert [str(found) for found in read(bench, "money", [text], dialect)] == [value]


ENGLISH_WORDS = "is not a number (decimal mark '.', no thousands mark)"
FRENCH_WORDS = "is not a number (decimal mark ',', thousands mark ' ')"


@pytest.mark.parametrize(
    "text",
    [
        *[
            "1e5",
            "NaN",
            "inf",
            "-Infinity",
            "(12.00)",
            "12%",
            "€12",
            "1,234",
            "1.2.3",
            "5.",
            ".",
            "-",
            "--",
            "0x1F",
            "1_000",
            "12-",
            "TRUE",
        ],
        "12 %",
        "- 5",
        "1 234",
        "\u0661",
    ],
)
def test_what_is_no_plain_number_is_rejected(bench: duckdb.DuckDBPyConnection, text: str) -> None:
    assert read(bench, "money", [text]) == [ENGLISH_WORDS]


@pytest.mark.parametrize(
    "text", ["1.234,5", "1.234", "1  234", "12 34", "1 2345", "1234 567", "0 123", "1,5 000", " 1 234 ,5", "1,234,5"]
)
def test_a_number_of_another_dialect_is_rejected(bench: duckdb.DuckDBPyConnection, text: str) -> None:
    # " 1 234 ,5" is trimmed before it is quoted
    assert read(bench, "money", [text.strip()], FRENCH) == [FRENCH_WORDS]


def test_a_fraction_of_another_dialect_is_no_thousand(bench: duckdb.DuckDBPyConnection) -> None:
    words = "is not a number (decimal mark '.', thousands mark ',')"
    assert read(bench, "money", ["0,123"], Dialect(thousands=",")) == [words]


def test_money_has_four_decimals_and_fourteen_digits_before_them(bench: duckdb.DuckDBPyConnection) -> None:
    assert read(bench, "money", ["1.23456", "100000000000000"]) == [
        "has more than 4 decimals",
        "has more than 14 digits before the decimal mark",
    ]


def test_integers_are_whole(bench: duckdb.DuckDBPyConnection) -> None:
    found = read(bench, "integer", ["12", "-1 000", "12,00", "12,5", "9223372036854775808", "x"], FRENCH)
    assert found == [12, -1000, 12, "is not a whole number", "is too large", FRENCH_WORDS]


def test_booleans_in_english_and_french(bench: duckdb.DuckDBPyConnection) -> None:
    texts = ["true", "FALSE", "1", "0", "Yes", "no", "Oui", "NON", "vrai", "faux", "2", "y"]
    words = "is none of true, yes, oui, vrai, 1, false, no, non, faux, 0"
    assert read(bench, "boolean", texts) == [*[True, False] * 5, words, words]


def test_a_source_may_have_words_of_its_own_for_true_and_false(bench: duckdb.DuckDBPyConnection) -> None:
    own = Dialect(booleans={"Paid": True, " OPEN ": False})
    assert read(bench, "boolean", ["paid", "Open", "PAID", "yes", "due"], own) == [
        True,
        False,
        True,
        True,
        "is none of true, yes, oui, vrai, 1, false, no, non, faux, 0, paid, open",
    ]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("€ 12.50", "12.50"),
        ("€12.50", "12.50"),
        ("12.50 €", "12.50"),
        ("12.50\u202f€", "12.50"),
        ("-€12.50", "-12.50"),
        ("€-12.50", "-12.50"),
        ("- € 12.50", "-12.50"),
        ("12.50", "12.50"),
        ("€12.50€", None),
        ("$12.50", None),
        ("€", None),
        ("12€50", None),
    ],
)
def test_a_currency_sign_stands_once_before_or_after_an_amount(
    bench: duckdb.DuckDBPyConnection, text: str, value: str | None
) -> None:
    (found,) = read(bench, "money", [text], Dialect(currency_sign="€"))
    assert found == (
        "is not a number (decimal mark '.', no thousands mark, perhaps with '€')" if value is None else Decimal(value)
    )


def test_a_sign_that_means_something_to_a_pattern_is_taken_as_it_is(bench: duckdb.DuckDBPyConnection) -> None:
    dialect = Dialect(currency_sign="R$", decimal=",", thousands=".")
    assert read(bench, "money", ["R$ 1.234,50", "-R$1,5"], dialect) == [Decimal("1234.50"), Decimal("-1.5")]


def test_decimals_are_rounded_where_the_settings_say_so(bench: duckdb.DuckDBPyConnection) -> None:
    assert read(bench, "money", ["1.23456", "1.00005", "-1.00005"], Dialect(round_numbers=True)) == [
        Decimal("1.2346"),
        Decimal("1.0001"),
        Decimal("-1.0001"),
    ]


def test_seconds_since_1970_are_moments_in_utc(bench: duckdb.DuckDBPyConnection) -> None:
    seconds = ["1700000000", "0", "1700000000.5", "-1", "99999999999", "170000000012345678", "1.7e9", "2024-01-02"]
    assert read(bench, "timestamp", seconds, Dialect(date_format="epoch_s")) == [
        datetime(2023, 11, 14, 22, 13, 20),
        datetime(1970, 1, 1),
        datetime(2023, 11, 14, 22, 13, 20, 500_000),
        datetime(1969, 12, 31, 23, 59, 59),
        "lies outside the years 1900 to 2200",
        *["is not a moment written as epoch_s (a count from 1970-01-01 on)"] * 3,
    ]
    assert read(bench, "timestamp", ["1700000000123"], Dialect(date_format="epoch_ms")) == [
        datetime(2023, 11, 14, 22, 13, 20, 123_000)
    ]


def test_text_is_trimmed_of_every_kind_of_space_and_nothing_left_is_null(bench: duckdb.DuckDBPyConnection) -> None:
    texts = ["007", "\ufeff A-1\u200b", "\xa0a\xa0b\xa0", "é", " \u3000\t", "", None, "1e5"]
    assert read(bench, "text", texts) == ["007", "A-1", "a\xa0b", "é", None, None, None, "1e5"]


def test_the_spaces_trimmed_are_those_of_python_and_two_without_width() -> None:
    assert set(SPACES) == {chr(code) for code in range(0x110000) if chr(code).isspace()} | {"\u200b", "\ufeff"}


def test_a_day_is_its_local_midnight(bench: duckdb.DuckDBPyConnection) -> None:
    assert read(bench, "timestamp", ["2024-07-01", "2024-1-5"]) == [datetime(2024, 6, 30, 22), datetime(2024, 1, 4, 23)]


def test_local_clock_times_on_the_two_nights_of_paris(bench: duckdb.DuckDBPyConnection) -> None:
    clock = Dialect(date_format="%d/%m/%Y %H:%M")
    found = read(bench, "timestamp", ["31/03/2024 02:30", "27/10/2024 02:30", "27/10/2024 03:00"], clock)
    assert found == [datetime(2024, 3, 31, 1, 30), datetime(2024, 10, 27, 0, 30), datetime(2024, 10, 27, 2)]


def test_an_explicit_offset_is_exact(bench: duckdb.DuckDBPyConnection) -> None:
    texts = ["2024-07-01T00:30:00Z", "2024-07-01T00:30:00+02:00", "2024-07-01T00:30:00-0930", "2024-07-01T00:30:00"]
    found = read(bench, "timestamp", texts, Dialect(date_format="%Y-%m-%dT%H:%M:%S%z"))
    assert found == [
        datetime(2024, 7, 1, 0, 30),
        datetime(2024, 6, 30, 22, 30),
        datetime(2024, 7, 1, 10),
        "is not a date written as %Y-%m-%dT%H:%M:%S%z",
    ]


@pytest.mark.parametrize(
    ("date_format", "text"),
    [
        ("%d/%m/%Y", "31/02/2011"),
        ("%d/%m/%Y", "29/02/2011"),
        ("%d/%m/%Y", "13/25/2011"),
        ("%d/%m/%Y", "01/02/11"),
        ("%Y-%m-%d", "2011-01-02 00:00"),
        ("%Y-%m-%d", "40513"),
        ("%Y-%m-%d %H:%M", "2011-01-02 24:00"),
        ("%Y-%m-%d %H:%M:%S", "2011-01-02 23:59:60"),
        ("%m/%d/%Y %I:%M %p", "1/2/2011 13:00 pm"),
    ],
)
def test_what_is_no_such_date_is_rejected(bench: duckdb.DuckDBPyConnection, date_format: str, text: str) -> None:
    words = f"is not a date written as {date_format}"
    assert read(bench, "timestamp", [text], Dialect(date_format=date_format)) == [words]


def test_years_in_which_no_company_was_are_rejected(bench: duckdb.DuckDBPyConnection) -> None:
    found = read(bench, "timestamp", ["1899-12-31", "1900-01-01", "2200-12-31", "2201-01-01", "0001-01-01"])
    words = "lies outside the years 1900 to 2200"
    assert found == [words, datetime(1899, 12, 31, 23, 50, 39), datetime(2200, 12, 30, 23), words, words]


def plain_number(text: str, *, decimal: str, thousands: str) -> Decimal | None:
    """Character by character, without patterns: what a careful clerk would accept."""
    text = text.strip()
    negative = text[:1] in ("-", "\u2212")
    text = text[1:] if text[:1] in ("-", "+", "\u2212") else text
    whole, mark, fraction = text.partition(decimal)
    marks = " \xa0\u202f\u2009" if thousands == " " else thousands
    groups = "".join("|" if sign in marks else sign for sign in whole).split("|")
    if len(groups) > 1 and (
        groups[0][:1] == "0" or not 1 <= len(groups[0]) <= 3 or any(len(g) != 3 for g in groups[1:])
    ):
        return None
    digits = "".join(groups)
    if (mark and not fraction) or not (digits or fraction) or not set(digits + fraction) <= set("0123456789"):
        return None
    if len(fraction.rstrip("0")) > 4 or len(digits.lstrip("0")) > 14:
        return None
    return Decimal(f"{'-' if negative else ''}{digits or 0}.{fraction or 0}")


@settings(max_examples=40)
@given(
    st.lists(st.text("0123456789.,' \xa0\u202f+-\u2212e", max_size=9), min_size=1, max_size=40),
    st.sampled_from([(".", ""), (",", " "), (".", ","), (",", "."), (".", "'"), (",", "")]),
)
def test_a_number_is_what_a_careful_clerk_reads(
    bench: duckdb.DuckDBPyConnection, texts: list[str], marks: tuple[str, str]
) -> None:
    decimal, thousands = marks
    dialect = Dialect.model_validate({"decimal": decimal, "thousands": thousands})
    found = [None if isinstance(value, str) else value for value in read(bench, "number", texts, dialect)]
    assert found == [plain_number(text, decimal=decimal, thousands=thousands) for text in texts]


@settings(max_examples=40)
@given(
    st.lists(
        st.one_of(
            st.datetimes(datetime(1890, 1, 1), datetime(2210, 1, 1)).map(lambda at: at.strftime("%d/%m/%Y %H:%M:%S")),
            st.builds(
                "{}/{}/{} {}:{}:{}".format,
                *[st.integers(0, 70)] * 2,
                st.integers(1990, 2030),
                *[st.integers(0, 70)] * 3,
            ),
            st.text("0123456789/: ", max_size=19),
        ),
        min_size=1,
        max_size=40,
    )
)
def test_a_date_is_what_python_reads(bench: duckdb.DuckDBPyConnection, texts: list[str]) -> None:
    def plain(text: str) -> datetime | None:
        try:
            at = datetime.strptime(text.strip(), "%d/%m/%Y %H:%M:%S").replace(tzinfo=ZoneInfo(PARIS))
        except ValueError:
            return None
        # Python takes 61 for the second 1 of the next minute, and several spaces for one
        strict = len(text.strip().split("  ")) == 1 and int(text.strip()[-2:].strip(":")) < 60
        return at.astimezone(UTC).replace(tzinfo=None) if strict and 1900 <= at.year <= 2200 else None

    found = read(bench, "timestamp", texts, Dialect(date_format="%d/%m/%Y %H:%M:%S"))
    assert [None if isinstance(value, str) else value for value in found] == [plain(text) for text in texts]


def test_local_days_are_those_of_the_workspace(bench: duckdb.DuckDBPyConnection) -> None:
    read(bench, "timestamp", ["2024-07-01"])
    assert bench.execute("SELECT seen, seen_on FROM typed").fetchall() == [
        (datetime(2024, 6, 30, 22), date(2024, 7, 1))
    ]


def test_a_price_that_was_divided_is_rounded_to_four_decimals(bench: duckdb.DuckDBPyConnection) -> None:
    values = ["166.66666666666666", "8.333333333", "0.00005", "10", "-8.333333333"]
    wanted = [Decimal("166.6667"), Decimal("8.3333"), Decimal("0.0001"), Decimal(10), Decimal("-8.3333")]
    assert read(bench, "money", values, divided=True) == wanted
    assert read(bench, "money", values[:1]) == ["has more than 4 decimals"]
    assert read(bench, "money", ["8,333333333"], Dialect(decimal=","), divided=True) == [Decimal("8.3333")]
    (told,) = read(bench, "money", ["8.33.33"], divided=True)
    assert told.startswith("is not a number")


def test_a_value_below_the_least_is_told(bench: duckdb.DuckDBPyConnection) -> None:
    values = ["0", "-0.0001", "5", "-5", "x"]
    *found, broken = read(bench, "money", values, at_least=0)
    assert found == [0, "is below 0", 5, "is below 0"]
    assert broken.startswith("is not a number")
    assert read(bench, "integer", ["1", "0"], at_least=1) == [1, "is below 1"]


def test_a_value_above_the_greatest_is_told(bench: duckdb.DuckDBPyConnection) -> None:
    *found, broken = read(bench, "number", ["0", "10", "10.5", "-1", "x"], at_least=0, at_most=10)
    assert found == [0, 10, "is above 10", "is below 0"]
    assert broken.startswith("is not a number")


def test_codes_are_spelled_in_one_way(bench: duckdb.DuckDBPyConnection) -> None:
    values = ["Payment failed", "payment_failed", "PAYMENT\u00a0FAILED", " card expired ", "É tu"]
    spelled = ["payment_failed", "payment_failed", "payment_failed", "card_expired", "é_tu"]
    assert read(bench, "text", values, code=True) == spelled == [code(value.strip()) for value in values]
    assert read(bench, "text", ["Discount Start", "none"], choices=("discount_start",)) == [
        "discount_start", "is none of discount_start"
    ]  # fmt: skip
    assert read(bench, "text", ["Too dear"]) == ["Too dear"]


# What stands in numbers and dates, and beside them, right and wrong.
_WRITTEN = (
    "0 1 2 5 7 9 00 24 + - . , _ ' e E : T Z / 5. -5, 02-29 2024 1899 2200 2201 2024-02-29 2023-02-29 -01-31 T12:00:00 "
    ".5 .500 .123456 .1234567 +02:00 99999999999999 9223372036854775807 infinity epoch today NaN inf (BC)"
)
_PIECES = [*_WRITTEN.split(), " ", " 23:59:59", "\t", "\xa0", "\u200b", "\u2212", "\u0662", "\u00b2"]
HOSTILE = st.lists(st.lists(st.sampled_from(_PIECES), max_size=4).map("".join), min_size=1, max_size=40)


def slowly(bench: duckdb.DuckDBPyConnection, *given: Any, **declared: Any) -> list[Any]:
    """As `read`, every text by the regular expressions and translations that say what may be written."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(value_sql, "_plain_number", lambda *_, otherwise: otherwise)
        patched.setattr(value_sql, "_plain_date", lambda *_, otherwise: otherwise)
        return read(bench, *given, **declared)


@given(
    texts=HOSTILE,
    kind=st.sampled_from(["money", "number", "integer"]),
    marks=st.sampled_from([".", ",", ".,", ",.", ".'", ", "]),
    sign=st.sampled_from(["", "EUR", "e"]),
    divided=st.booleans(),
)
def test_a_number_that_is_cast_is_what_the_slow_way_reads(
    bench: duckdb.DuckDBPyConnection,
    texts: list[str],
    kind: Kind,
    marks: str,
    sign: str,
    *,
    divided: bool,
) -> None:
    dialect = Dialect.model_validate({"decimal": marks[0], "thousands": marks[1:], "currency_sign": sign})
    texts = [*texts, *(f"{sign}{text}" for text in texts)]
    assert read(bench, kind, texts, dialect, divided=divided) == slowly(bench, kind, texts, dialect, divided=divided)


@given(
    texts=HOSTILE,
    moments=st.lists(st.datetimes(datetime(1800, 1, 1), datetime(2300, 1, 1)), max_size=10),
    date_format=st.sampled_from(["%Y-%m-%d", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S%z"]),
)
def test_a_date_that_is_cast_is_what_the_slow_way_reads(
    bench: duckdb.DuckDBPyConnection, texts: list[str], moments: list[datetime], date_format: str
) -> None:
    dialect = Dialect(date_format=date_format)
    written = [moment.strftime(date_format) for moment in moments]
    texts = [*texts, *written, *(first + second for first, second in zip(written, texts, strict=False))]
    texts += [f"{moment.isoformat(' ')}" for moment in moments]
    assert read(bench, "timestamp", texts, dialect) == slowly(bench, "timestamp", texts, dialect)


@pytest.mark.parametrize(
    ("kind", "text", "dialect"),
    [
        ("money", "83.52", Dialect()),
        ("money", "-1234,5", Dialect(decimal=",", thousands=".")),
        ("integer", "-7", Dialect()),
        ("timestamp", "2024-02-29", Dialect()),
        ("timestamp", "2024-02-29T10:00:00.25", Dialect(date_format="%Y-%m-%dT%H:%M:%S")),
    ],
)
def test_what_is_plainly_written_is_not_matched_with_a_pattern(
    bench: duckdb.DuckDBPyConnection, kind: Kind, text: str, dialect: Dialect
) -> None:
    with pytest.MonkeyPatch.context() as patched:
        for name in ("_plain_number", "_plain_date"):
            plain = getattr(value_sql, name)
            patched.setattr(value_sql, name, lambda *given, otherwise, plain=plain: plain(*given, otherwise="NULL"))
        assert read(bench, kind, [text], dialect) != [None]
    assert "is not" not in str(read(bench, kind, [text], dialect))
