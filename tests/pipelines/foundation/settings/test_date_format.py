from __future__ import annotations

import re

import pytest
from pydantic import ValidationError

from pipelines.foundation.settings.date_format import date_pattern
from pipelines.foundation.settings.dialect import Dialect


@pytest.mark.parametrize(
    ("date_format", "words"),
    [
        ("%Y-%m", "names no whole day; it needs %d"),
        ("%d/%m", "it needs %Y or %y"),
        ("%Y-%m-%d %j", "has %j, which is not read here"),
        ("%Y-%m-%d %", "ends in a lone %"),
        ("%d/%m/%Y %d", "says %d twice"),
        ("%y%Y-%m-%d", "says %Y or %y twice"),
        ("%Y-%m-%d %I:%M", "has %I without %p"),
        ("%Y-%m-%d %H:%M %p", "has %p without %I"),
        ("%Y-%m-%d %M", "has %M without %H or %I"),
        ("%Y-%m-%d %H:%S", "has %S without %M"),
        ("%Y-%m-%d%z", "has %z without %H or %I"),
        ("%Y-%m-%dT%H:%M:%SZ", "ends in a bare Z, which stands for UTC; write %z"),
    ],
)
def test_a_format_that_names_no_moment_or_two_is_refused_in_the_settings(date_format: str, words: str) -> None:
    with pytest.raises(ValidationError, match=re.escape(words)):
        Dialect(date_format=date_format)


@pytest.mark.parametrize(
    ("date_format", "written"),
    [
        ("%d/%m/%Y", ["01/02/2011", "1/2/2011"]),
        ("%Y%m%d", ["20110201"]),
        ("%Y%m%dT%H%M%S", ["20110201T235959"]),
        ("%d %b %Y", ["1 Feb 2011", "01 FEB 2011"]),
        ("%Y-%m-%dT%H:%M:%S.%f%z", ["2011-02-01T00:00:00.5Z", "2011-02-01T00:00:00.123456+01:00"]),
        ("%m/%d/%Y %I:%M %p", ["2/1/2011 12:00 am"]),
        ("%d%%%m%%%Y", ["01%02%2011"]),
        ("%Y年%m月%d日", ["2011年2月1日"]),
    ],
)
def test_what_a_format_allows(date_format: str, written: list[str]) -> None:
    assert all(re.fullmatch(date_pattern(date_format), text) for text in written)


@pytest.mark.parametrize(
    ("date_format", "written"),
    [
        ("%d/%m/%Y", ["01/02/11", "01/02/20111", "001/02/2011", "01/02/2011 00:00", " 01/02/2011", "01-02-2011"]),
        ("%Y%m%d", ["2011201", "201102011"]),
        ("%Y-%m-%d %H:%M", ["2011-02-01", "2011-02-01 23:60", "2011-02-01 23:59:59"]),
        ("%Y-%m-%d %H:%M%z", ["2011-02-01 23:59", "2011-02-01 23:59+1", "2011-02-01 23:59+15:00"]),
    ],
)
def test_what_a_format_does_not_allow(date_format: str, written: list[str]) -> None:
    assert not any(re.fullmatch(date_pattern(date_format), text) for text in written)
