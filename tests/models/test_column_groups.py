"""Groups of rows that a column makes."""

from __future__ import annotations

import numpy as np
import pandas as pd

from models.column_groups import distinct, of_values, parted


def told(column: pd.Series) -> dict[str, int]:
    everybody = np.ones(len(column), dtype=np.bool_)
    return {said: int(rows.sum()) for said, rows in distinct(of_values(column), everybody)}


def test_a_column_that_is_filled_for_some_parts_them() -> None:
    assert told(pd.Series([None] * 5 + [f"text {n}" for n in "abc"], dtype="str")) == {"filled": 3}


def test_each_value_of_three_rows_is_a_group_and_named_where_thirty_have_it() -> None:
    column = pd.Series(["gold"] * 40 + ["one"] * 3 + ["two"] * 2 + [None] * 4, dtype="str")
    assert told(column) == {"filled": 45, "'gold'": 40, "one of its values": 3}


def test_of_two_groups_that_part_rows_alike_the_smaller_is_told() -> None:
    assert told(pd.Series(["here"] * 50 + ["lost"] * 40, dtype="str")) == {"'lost'": 40}


def test_a_group_of_fewer_than_three_rows_or_all_but_three_is_none() -> None:
    assert told(pd.Series(["here"] * 50 + ["lost"] * 2, dtype="str")) == {}


def test_words_of_many_texts_are_groups_and_figures_are_one_word() -> None:
    texts = [f"Closed, {n}" for n in range(30)] + [f"came {1900 + n}" for n in range(35)]
    column = pd.Series([*texts, *[f"other{chr(97 + n)}" for n in range(5)]], dtype="str")
    assert told(column) == {"a text with 'closed'": 30, "a text with 'came'": 35, "a text with '0'": 65}


def test_numbers_are_parted_at_places_that_part_them_evenly() -> None:
    column = pd.Series([*np.arange(80.0), np.nan], dtype="float64")
    sizes = [int(rows.sum()) for _, rows in parted(column)]
    assert sizes == [10, 20, 30, 40, 50, 60, 70]
    assert list(parted(pd.Series([np.nan, np.nan]))) == []
