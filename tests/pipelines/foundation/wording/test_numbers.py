from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.foundation.wording.numbers import MINUS, NOTHING, THIN, WIDE, Language, numbers


@pytest.mark.parametrize(
    ("value", "language", "decimals", "text"),
    [
        (0, "en", 0, "0"),
        (-0.0, "en", 2, "0.00"),
        (-0.001, "en", 2, "0.00"),
        (-0.001, "fr", 2, "0,00"),
        (-1, "fr", 0, "\u22121"),
        (1_234_567.891, "en", 2, "1,234,567.89"),
        (1_234_567.891, "fr", 2, "1\u202f234\u202f567,89"),
        (999.999, "en", 2, "1,000.00"),
        (0.5, "fr", 1, "0,5"),
    ],
)
def test_a_figure_as_people_write_it(value: float, language: Language, decimals: int, text: str) -> None:
    assert numbers(language).number(value, decimals) == text


@given(st.floats(-1e12, 1e12), st.sampled_from(["en", "fr"]), st.integers(0, 2))
def test_a_figure_is_read_back_to_its_decimals(value: float, language: Language, decimals: int) -> None:
    text = numbers(language).number(value, decimals).replace("\u2212", "-")
    plain = text.replace("\u202f", "").replace(",", ".") if language == "fr" else text.replace(",", "")
    assert float(plain) == round(value, decimals)
    assert plain != "-0"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_what_is_no_number_is_a_dash_without_a_sign(value: float) -> None:
    english = numbers("en")
    written = (english.number(value), english.signed(value, 1), english.percent(value), english.signed_percent(value))
    assert written == (NOTHING,) * 4


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [
        (3, 0, "+3"),
        (0, 0, "0"),
        (-3, 0, f"{MINUS}3"),
        (0.001, 2, "0,00"),
        (-0.001, 2, "0,00"),
        (1200, 0, f"+1{THIN}200"),
    ],
)
def test_a_change_has_its_sign_unless_it_is_written_as_none(value: float, decimals: int, text: str) -> None:
    assert numbers("fr").signed(value, decimals) == text


def test_the_percent_sign_of_french_stands_off_by_a_narrow_space() -> None:
    assert (numbers("en").percent(0.5), numbers("fr").percent(0.5)) == ("50%", f"50{THIN}%")
    assert (numbers("en").signed_percent(0.08), numbers("fr").signed_percent(-0.1)) == ("+8%", f"{MINUS}10{THIN}%")


@pytest.mark.parametrize(
    ("value", "en", "fr"),
    [
        (0, False, True),
        (1, True, True),
        (-1, True, True),
        (1.0, True, True),
        (1.5, False, True),
        (1.99, False, True),
        (2, False, False),
        (1_000_000, False, False),
    ],
)
def test_one_is_singular_in_english_and_less_than_two_in_french(value: float, en: bool, fr: bool) -> None:
    assert (numbers("en").is_singular(value), numbers("fr").is_singular(value)) == (en, fr)


def test_a_noun_agrees_with_a_decimal_as_it_is_written() -> None:
    cases = [
        Decimal(text) for text in ("1", "1.0", "1", "1.5", "2.0")
    ]  # 1 and 1.0 are equal: neither may answer for both
    assert [numbers("en").is_singular(each) for each in cases] == [True, False, True, False, False]
    assert [numbers("fr").is_singular(each) for each in cases] == [True, True, True, True, False]


MONTHS = {
    "en": "January February March April May June July August September October November December",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
}
SHORT_MONTHS = {
    "en": "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec",
    "fr": "janv. févr. mars avr. mai juin juil. août sept. oct. nov. déc.",
}


@pytest.mark.parametrize("language", ["en", "fr"])
def test_every_month_is_called_as_people_know_it(language: Language) -> None:
    days = [date(2008, month, 2) for month in range(1, 13)]
    writer = numbers(language)
    assert [writer.day(day) for day in days] == [f"2{WIDE}{name} 2008" for name in MONTHS[language].split()]
    assert [writer.month(day) for day in days] == [f"{name} 2008" for name in MONTHS[language].split()]
    short = SHORT_MONTHS[language].split()
    assert [writer.short_day(day) for day in days] == [f"2{WIDE}{name}{WIDE}08" for name in short]
    assert [writer.short_month(day) for day in days] == [f"{name}{WIDE}08" for name in short]


def test_the_first_of_a_month_is_an_ordinal_in_french_where_it_is_written_out() -> None:
    first = date(1998, 1, 1)
    assert (numbers("fr").day(first), numbers("en").day(first)) == (f"1er{WIDE}janvier 1998", f"1{WIDE}January 1998")
    assert numbers("fr").short_day(first) == f"1{WIDE}janv.{WIDE}98"
