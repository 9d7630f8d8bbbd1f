"""Columns that know too much: what is found, what is not, and each threshold from both sides."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from models.leaks import as_of_today, counters, faded, far_alone, separation, strong_alone

Floats = npt.NDArray[np.float64]


def numbers(*values: float | None) -> pd.Series:
    return pd.Series(values, dtype="float64", name="told")


def texts(*values: str | None) -> pd.Series:
    return pd.Series(values, dtype="str", name="told")


def happened(*flags: float) -> Floats:
    return np.array(flags, dtype=np.float64)


# How well a column alone ranks


@pytest.mark.parametrize(
    ("column", "labels", "found"),
    [
        (numbers(1, 2, 3, 4), happened(0, 0, 1, 1), 1.0),
        (numbers(4, 3, 2, 1), happened(0, 0, 1, 1), 1.0),  # either way
        (numbers(1, 3, 2, 4), happened(0, 0, 1, 1), 0.75),  # three of four pairs
        (numbers(1, 1, 2, 2), happened(0, 1, 0, 1), 0.5),
        (numbers(1, 2, 2, 3), happened(0, 0, 1, 1), 0.875),  # a tie is half a pair
        (numbers(None, 1, 2, 3), happened(0, 0, 1, 1), 1.0),  # a null is less than anything
        (numbers(None, 1, 2, 3), happened(1, 0, 0, 1), 1.0),  # or more
        (numbers(None, None, None, None), happened(0, 0, 1, 1), 0.5),
        (numbers(1, 2, 3, 4), happened(1, 1, 1, 1), 0.5),
        (numbers(1, 2, 3, 4), happened(0, 0, 0, 0), 0.5),
    ],
)
def test_numbers_rank_by_themselves(column: pd.Series, labels: Floats, found: float) -> None:
    assert separation(column, labels) == found


def test_integers_with_nulls_and_flags_are_numbers() -> None:
    labels = happened(0, 0, 1, 1)
    assert separation(pd.Series([1, None, 3, 4], dtype="Int64"), labels) == 1.0
    assert separation(pd.Series([False, False, True, True]), labels) == 1.0


def test_text_ranks_by_what_became_of_the_others_with_it() -> None:
    labels = happened(*[0, 0, 1, 1] * 5)
    assert separation(texts(*["stayed", "stayed", "left", "left"] * 5), labels) == 1.0
    assert separation(texts(*[None, None, "left", "left"] * 5), labels) == 1.0
    assert separation(texts(*["a", "b", "b", "a"] * 5), labels) == 0.5


def test_a_text_that_only_one_customer_has_tells_nothing() -> None:
    labels = happened(*[0, 0, 1, 1] * 5)
    assert separation(texts(*[f"customer {number}" for number in range(20)]), labels) == 0.5


# Who will have left


def pairs(right: int) -> tuple[pd.DataFrame, Floats]:
    """Ten who stayed and ten who left, of whose hundred pairs a column ranks so many rightly."""
    over, rest = divmod(right, 10)
    left = [*[100.0] * over, rest - 0.5, *[-1.0] * 10][:10]
    return pd.DataFrame({"told": [*map(float, range(10)), *left]}), happened(*[0] * 10, *[1] * 10)


@pytest.mark.parametrize(("right", "found"), [(90, True), (89, False), (10, True), (11, False), (50, False)])
def test_a_column_that_ranks_nine_of_ten_pairs_foretells(right: int, *, found: bool) -> None:
    frame, departed = pairs(right)
    suspicions = list(as_of_today(frame, departed))
    assert [(each.check, each.column) for each in suspicions] == [("foretells", "told")] * found
    assert all("ROC AUC 0.90" in each.evidence for each in suspicions)


@pytest.mark.parametrize(("right", "found"), [(95, True), (94, False), (5, True), (6, False)])
def test_a_column_that_ranks_nineteen_of_twenty_pairs_leaves_nothing_to_predict(right: int, *, found: bool) -> None:
    frame, labels = pairs(right)
    suspicions = list(strong_alone(frame, labels))
    assert [(each.check, each.column) for each in suspicions] == [("strong_alone", "told")] * found
    assert all("ROC AUC 0.95" in each.evidence for each in suspicions)


def test_each_column_is_judged_by_itself() -> None:
    frame, labels = pairs(100)
    frame["honest"] = pairs(60)[0]["told"]
    frame["other way"] = -frame["told"]
    assert [each.column for each in strong_alone(frame, labels)] == ["told", "other way"]
    assert [each.column for each in as_of_today(frame, labels)] == ["told", "other way"]


def filled(mine: int, mine_left: int, others: int, others_left: int) -> tuple[pd.DataFrame, Floats]:
    """A column that is filled for some customers alone, of both of whom so many left."""
    column = numbers(*[1.0] * mine, *[None] * others)
    left = [1] * mine_left + [0] * (mine - mine_left) + [1] * others_left + [0] * (others - others_left)
    return column.to_frame(), happened(*left)


@pytest.mark.parametrize(
    ("mine", "mine_left", "others", "others_left", "found"),
    [
        (30, 30, 140, 30, True),
        (29, 29, 140, 30, False),  # too few to say
        (30, 29, 140, 30, False),
        (100, 99, 200, 60, True),
        (100, 98, 200, 60, False),
        (30, 30, 100, 80, True),
        (30, 30, 100, 89, False),  # where nearly everybody leaves it is no wonder
        (30, 30, 0, 0, False),
    ],
)
def test_a_value_that_only_the_departed_have_is_found(
    mine: int, mine_left: int, others: int, others_left: int, *, found: bool
) -> None:
    frame, departed = filled(mine, mine_left, others, others_left)
    assert [each.check for each in as_of_today(frame, departed)] == ["only_the_departed"] * found


def test_what_is_said_of_them() -> None:
    (found,) = as_of_today(*filled(30, 30, 140, 30))
    assert found.column == "told"
    assert found.evidence == (
        "30 of 30 customers where it is filled had left when the data end, against 21% of the others"
    )
    frame, departed = filled(30, 30, 140, 30)
    (found,) = as_of_today(frame.isna().where(frame.notna()).astype("float64"), departed)
    assert "where it is filled" in found.evidence
    turned = numbers(*[None] * 30, *[1.0] * 140).to_frame()
    (found,) = as_of_today(turned, departed)
    assert "where it is empty" in found.evidence


def gold(mine: int, mine_left: int, others: int, others_left: int) -> tuple[pd.DataFrame, Floats]:
    """Text: gold for some, nothing special for the others."""
    frame, departed = filled(mine, mine_left, others, others_left)
    return texts(*["gold" if value == 1 else "none" for value in frame["told"]]).to_frame(), departed


@pytest.mark.parametrize(
    ("mine", "mine_left", "others", "others_left", "found"),
    [
        (40, 0, 100, 50, True),
        (40, 1, 100, 50, True),  # a twentieth of the 20 that would have been
        (40, 2, 100, 50, False),
        (39, 0, 100, 50, False),  # 19.5 would have been
        (80, 2, 100, 50, True),
        (80, 3, 100, 50, False),
        (29, 0, 100, 80, False),  # too few to say, though 23 would have been
        (30, 0, 100, 80, True),
    ],
)
def test_a_value_that_none_of_the_departed_has_is_found(
    mine: int, mine_left: int, others: int, others_left: int, *, found: bool
) -> None:
    suspicions = list(as_of_today(*gold(mine, mine_left, others, others_left)))
    assert [each.check for each in suspicions] == ["only_the_stayers"] * found
    share = f"{others_left}% of the others"
    assert [each.evidence for each in suspicions] == [
        f"{mine_left} of {mine} customers where it is 'gold' had left when the data end, against {share}"
    ] * found


@pytest.mark.parametrize(("others", "found"), [(29, True), (30, False)])
def test_values_of_a_number_are_looked_at_where_there_are_thirty_at_most(others: int, *, found: bool) -> None:
    """50 customers have 0 and stay; half of 120 others leave, whichever other number they have."""
    values = [float(number % others + 1) for number in range(120)]
    left = [float(number // others % 2) for number in range(120)]
    frame = numbers(*[0.0] * 50, *values).to_frame()
    suspicions = list(as_of_today(frame, happened(*[0] * 50, *left)))
    assert [each.check for each in suspicions] == ["only_the_stayers"] * found
    assert all("'0.0'" in each.evidence for each in suspicions)


def test_an_honest_column_is_left_alone() -> None:
    chance = np.random.default_rng(4)
    departed = (chance.random(600) < 0.4).astype(np.float64)
    frame = pd.DataFrame(
        {
            "orders": chance.poisson(4 - 2 * departed).astype(float),
            "country": chance.choice(["FR", "DE", "ES"], 600),
            "age": np.where(chance.random(600) < 0.5, np.nan, chance.normal(40, 9, 600)),
            "nothing": np.full(600, np.nan),
        }
    )
    assert list(as_of_today(frame, departed)) == []
    assert list(strong_alone(frame, departed)) == []


# Read long before


def two_groups(rows: int, wrong: int) -> tuple[pd.DataFrame, Floats]:
    """As many who left as who stayed; a column is 1 for those who left but for some on each side."""
    left = happened(*[1] * rows, *[0] * rows)
    told = np.concatenate([np.arange(rows) >= wrong, np.arange(rows) < wrong]).astype(float)
    return pd.DataFrame({"told": told, "noise": np.arange(2 * rows) % 2.0}), left


@pytest.mark.parametrize(("rows", "wrong", "found"), [(40, 0, True), (9, 0, False), (300, 15, True), (40, 3, False)])
def test_a_strong_column_is_doubted_only_where_it_is_surely_that_strong(rows: int, wrong: int, *, found: bool) -> None:
    suspicions = list(far_alone(*two_groups(rows, wrong)))
    assert [(each.check, each.column) for each in suspicions] == [("foretells", "told")] * found


def test_what_surely_tells_little_has_faded_and_few_rows_are_never_sure() -> None:
    assert dict(faded(*two_groups(100, 30))) == {"told": pytest.approx(0.7), "noise": 0.5}
    assert dict(faded(*two_groups(100, 2))) == {"noise": 0.5}
    assert dict(faded(*two_groups(9, 0))) == {}


# Counted up to the end


def departures(count: int, *, staying: int = 20) -> Floats:
    """Days after which each of `count` customers was gone, rising, then those who stay."""
    return np.array([*range(1, count + 1), *[np.nan] * staying], dtype=np.float64)


def reversed_until(count: int, length: int) -> Floats:
    """1, 2, 3 ..., of which the first `length` stand in reverse: the rank correlation falls with it."""
    rising = np.arange(1.0, count + 1)
    return np.concatenate([rising[:length][::-1], rising[length:]])


def found_in(values: Floats, after: Floats, tenure: Floats | None = None, later: Floats | None = None) -> list[str]:
    now = pd.DataFrame({"told": values})
    then = now if later is None else pd.DataFrame({"told": later})
    held = np.full(len(values), 400.0) if tenure is None else tenure
    return [each.check for each in counters(now, then, after, held)]


@pytest.mark.parametrize(("length", "found"), [(66, True), (67, False)])
def test_a_number_that_grows_with_the_time_that_is_left_is_found(length: int, *, found: bool) -> None:
    """Spearman's: 1 - 6 * sum of squares / (n * (n * n - 1)); 66 of 100 reversed make it 0.425, 67 make 0.399."""
    values = np.concatenate([reversed_until(100, length), np.full(20, 500.0)])
    assert found_in(values, departures(100)) == ["stops_at_departure"] * found


def test_one_that_falls_with_it_is_not() -> None:
    assert found_in(-np.arange(120.0), departures(100)) == []


@pytest.mark.parametrize(("count", "found"), [(100, True), (99, True), (8, True), (7, False)])
def test_with_fewer_than_eight_departures_nothing_is_said(count: int, *, found: bool) -> None:
    assert found_in(np.arange(count + 30.0), departures(count, staying=30)) == ["stops_at_departure"] * found


@pytest.mark.parametrize(("length", "found"), [(8, True), (12, False), (17, False)])
def test_few_departures_take_a_correlation_beyond_chance(length: int, *, found: bool) -> None:
    """20 departures: 8 reversed make it 0.874, 12 make it 0.570, above 0.4 yet not beyond chance; 17 make it -0.227"""
    values = np.concatenate([reversed_until(20, length), np.full(30, 500.0)])
    assert found_in(values, departures(20, staying=30)) == ["stops_at_departure"] * found


@pytest.mark.parametrize(("empty", "found"), [(20, True), (112, True), (113, False)])
def test_departures_without_a_value_do_not_count(empty: int, *, found: bool) -> None:
    values = np.arange(150.0)
    values[:empty] = np.nan
    assert found_in(values, departures(120, staying=30)) == ["stops_at_departure"] * found


def test_a_number_that_changes_is_no_counter() -> None:
    values = np.arange(120.0)
    later = values.copy()
    assert found_in(values, departures(100), later=later) == ["stops_at_departure"]
    later[7] += 1
    assert found_in(values, departures(100), later=later) == []


def test_who_is_gone_at_the_later_snapshot_does_not_make_it_change() -> None:
    values = np.arange(120.0)
    assert found_in(values, departures(100), later=np.where(values < 90, np.nan, values)) == ["stops_at_departure"]
    assert found_in(values, departures(100), later=np.where(values < 91, np.nan, values)) == []  # 29 are too few to say


def test_a_number_that_is_the_same_for_all_is_no_counter() -> None:
    assert found_in(np.full(120, 3.0), departures(100)) == []


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_tenure_itself_is_no_counter_though_who_is_here_long_stays_longer(sign: float) -> None:
    """A day of sign-up, or a number that counts customers up, says nothing beyond it."""
    tenure = np.arange(120.0) * 3 + 100
    jitter = np.random.default_rng(5).normal(0, 30, 120)
    after = np.where(np.arange(120) < 110, tenure + jitter, np.nan)
    assert found_in(sign * tenure, after, tenure) == []
    counted = tenure + np.nan_to_num(after)
    assert found_in(counted, after, tenure) == ["stops_at_departure"]


def test_text_is_no_counter_and_the_words_say_how_strong_it_is() -> None:
    now = pd.DataFrame({"words": [f"{number:03d}" for number in range(120)], "told": np.arange(120.0)})
    (found,) = counters(now, now, departures(100), np.full(120, 400.0))
    assert found.column == "told"
    assert "rank correlation 1.00 at equal tenure" in found.evidence
