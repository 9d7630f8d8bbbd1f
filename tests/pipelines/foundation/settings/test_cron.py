from __future__ import annotations

import re

import pytest
from dagster._utils.schedules import is_valid_cron_string

from pipelines.foundation.settings.cron import cron_line

LINES = [
    "* * * * *",
    "0 4 * * *",
    "*/15 6-20 * * mon-fri",
    "0 0 1,15 * *",
    "5 4 * jan-jun/2 *",
    "0 0 29 2 *",
    "0 0 31 1-12 *",
    "0 0 * * 7",
    "30 23 * * SUN",
    "0 6 1 * 1",
    "3-59/7 0 * * *",
]


@pytest.mark.parametrize("line", LINES)
def test_a_line_that_is_taken_is_one_that_the_scheduler_takes(line: str) -> None:
    assert cron_line(line) == line
    assert is_valid_cron_string(line)


def test_an_empty_line_is_never() -> None:
    assert cron_line("") == cron_line("  ") == ""


def test_spaces_between_fields_do_not_matter() -> None:
    assert cron_line("  0   4 * *\t* ") == "0 4 * * *"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("0 4 * *", "'0 4 * *' has 4 fields, not 5"),
        ("0 0 4 * * *", "has 6 fields, not 5"),
        ("@daily", "has 1 fields, not 5"),
        ("60 4 * * *", "'60' is no minute, which goes from 0 to 59"),
        ("0 24 * * *", "'24' is no hour, which goes from 0 to 23"),
        ("0 4 0 * *", "'0' is no day of the month, which goes from 1 to 31"),
        ("0 4 * 13 *", "'13' is no month"),
        ("0 4 * * funday", "'funday' is no day of the week"),
        ("4am * * * *", "'4am' is no minute"),
        ("-5 4 * * *", "'-5' is no minute"),
        ("0 20-6 * * *", "'20-6' is an empty range of the hour"),
        ("*/0 4 * * *", "'*/0' is an empty range of the minute"),
        ("0,,5 4 * * *", "'' is no minute"),
        ("0 4 30 2 *", "names a day that never comes: no such month has 30 days"),
        ("0 4 31 4,6 *", "names a day that never comes: no such month has 31 days"),
    ],
)
def test_a_line_that_is_none_is_refused_in_words(line: str, said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        cron_line(line)


@pytest.mark.parametrize("line", ["0 4 L * *", "0 4 LW * *", "0 4 * * 5L", "0 4 * * mon#2", "\u0664 4 * * *"])
def test_what_not_every_cron_knows_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match=r"is no (minute|day of the)"):
        cron_line(line)


def test_the_remedy_shows_how_it_is_written() -> None:
    with pytest.raises(ValueError, match=r'as in "0 4 \* \* \*" \(daily at 04:00\)'):
        cron_line("daily")
