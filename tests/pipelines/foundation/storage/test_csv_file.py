from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.foundation.storage.csv_file import defused, write

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def rows_of(place: Path) -> list[list[str]]:
    with place.open(encoding="utf-8-sig", newline="") as handle:
        return list(csv.reader(handle))


@pytest.mark.parametrize("start", FORMULA_STARTS, ids=ascii)
@pytest.mark.parametrize("before", ["", " ", "   "], ids=["at once", "after a space", "after spaces"])
def test_text_that_a_spreadsheet_would_run_is_preceded_by_an_apostrophe(start: str, before: str) -> None:
    text = f"{before}{start}HYPERLINK(A1)"
    assert defused(text) == f"'{text}"


@pytest.mark.parametrize("text", ["A-17", "é", "", " ", "1+1", "a=b", "no order for 94 days", "\u22123 orders", "10"])
def test_harmless_text_stays_as_it_is(text: str) -> None:
    assert defused(text) == text


@pytest.mark.parametrize("text", ["-2", "+3", "-2.50", "-2,50", "-1e-05", "2025-06-02", "2025-06-02 10:00:00", "0"])
def test_numbers_and_dates_are_no_formulas(text: str) -> None:
    assert defused(text) == text


@pytest.mark.parametrize(
    "text",
    ["-2+3", "-2-3", "--2", "+-2", "-", "-.", "-2 ", " -2", "-2\n", "-A1", "-2*A1", "+33 6 12", "-1e", "-\u0662"],
)
def test_what_only_looks_like_a_number_is_made_harmless(text: str) -> None:
    assert defused(text) == f"'{text}"


@given(st.text() | st.from_regex(r"[=+@-]*[0-9.,eE+-]*", fullmatch=True))
def test_defused_text_never_starts_a_formula_and_tells_what_it_was(text: str) -> None:
    safe = defused(text)
    if safe.lstrip(" ").startswith(FORMULA_STARTS):
        assert set(safe) <= set("0123456789+-.,eE")
        assert np.isfinite(float(safe.replace(",", ".")[:50]))
    assert (safe.removeprefix("'") if safe.startswith("'") else safe) == text


def test_the_file_byte_for_byte(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "customer_id": ["=1+1", 'a "b", c'],
            "churn_probability": [0.25, -1.5],
            "horizon_days": [90, -1],
            "reason_1": ["1\u202f000 é", ""],
        }
    )
    write(frame, tmp_path / "scores.csv")
    assert (tmp_path / "scores.csv").read_bytes() == (
        b"\xef\xbb\xbf"
        b'"customer_id","churn_probability","horizon_days","reason_1"\r\n'
        b'"\'=1+1",0.25,90,"1\xe2\x80\xaf000 \xc3\xa9"\r\n'
        b'"a ""b"", c",-1.5,-1,""\r\n'
    )


def test_the_frame_that_was_written_is_left_alone(tmp_path: Path) -> None:
    frame = pd.DataFrame({"customer_id": ["=1+1"], "churn_probability": [0.25]})
    write(frame, tmp_path / "scores.csv")
    assert frame["customer_id"].tolist() == ["=1+1"]


def test_a_probability_is_read_back_to_the_last_bit(tmp_path: Path) -> None:
    given_values = [0.1, 1 / 3, 0.12345678901234568, 1e-17, 5e-324, 0.9999999999999999]
    write(pd.DataFrame({"churn_probability": given_values}), tmp_path / "scores.csv")
    assert [float(row[0]) for row in rows_of(tmp_path / "scores.csv")[1:]] == given_values


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))


@given(cells=st.lists(st.tuples(TEXT, st.floats(allow_nan=False, allow_infinity=False), TEXT), min_size=1, max_size=5))
def test_every_cell_comes_back_through_the_csv_module(
    cells: list[tuple[str, float, str]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    place = tmp_path_factory.getbasetemp() / "any.csv"
    write(pd.DataFrame(cells, columns=["customer_id", "churn_probability", "reason_1"]), place)
    header, *rows = rows_of(place)
    assert header == ["customer_id", "churn_probability", "reason_1"]
    assert [(left, float(number), right) for left, number, right in rows] == [
        (defused(left), number, defused(right)) for left, number, right in cells
    ]
