from __future__ import annotations

import numpy as np
import numpy.typing as npt
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from models.assignment import NOTHING, assign

NAN, NO_LIMIT = float("nan"), float("inf")
Case = tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.bool_]]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Profits with ties, nulls and losses, room for a few, and who is held out."""
    customers, plays = draw(st.integers(0, 12)), draw(st.integers(1, 4))
    profit = st.one_of(st.integers(-2, 6).map(float), st.just(NAN))
    room = st.one_of(st.integers(0, 3).map(float), st.just(NO_LIMIT))
    return (
        draw(arrays.arrays(np.float64, (customers, plays), elements=profit, fill=st.nothing())),
        draw(arrays.arrays(np.float64, plays, elements=room, fill=st.nothing())),
        draw(arrays.arrays(np.bool_, customers, fill=st.nothing())),
    )


def given_to(profits: list[list[float]], room: list[float], held_out: list[bool] | None = None) -> list[int]:
    held = np.array(held_out or [False] * len(profits))
    return assign(np.array(profits), room=np.array(room), held_out=held).tolist()


def earned(profits: npt.NDArray[np.float64], given: npt.NDArray[np.int64]) -> float:
    got = given != NOTHING
    return float(profits[got, given[got]].sum())


def each_best_play_filled(profits: npt.NDArray[np.float64], room: npt.NDArray[np.float64]) -> float:
    """What comes of asking each customer for their best play alone, and giving it to those who bring most."""
    total = 0.0
    known = np.where(np.isnan(profits), -1.0, profits)
    best = known.argmax(axis=1) if len(profits) else np.array([], dtype=np.int64)
    for play, places in enumerate(room):
        asking = sorted((known[row, play] for row in np.flatnonzero(best == play)), reverse=True)
        total += sum(each for each in asking[: int(min(places, len(asking)))] if each > 0)
    return total


def test_who_brings_most_goes_first_until_the_play_is_full() -> None:
    assert given_to([[5.0], [9.0], [7.0]], [2.0]) == [NOTHING, 0, 0]


def test_a_customer_whose_best_play_is_full_gets_the_next() -> None:
    assert given_to([[9.0, 1.0], [8.0, 4.0]], [1.0, NO_LIMIT]) == [0, 1]


def test_a_play_that_brings_nothing_or_does_not_come_into_question_is_not_given() -> None:
    assert given_to([[0.0], [-3.0], [NAN]], [NO_LIMIT]) == [NOTHING] * 3


def test_without_room_nobody_gets_a_play() -> None:
    assert given_to([[9.0], [8.0]], [0.0]) == [NOTHING, NOTHING]


def test_of_equal_profits_the_earlier_row_then_the_lower_rank_then_the_earlier_play_goes_first() -> None:
    assert given_to([[5.0], [5.0]], [1.0]) == [0, NOTHING]
    assert given_to([[5.0, 5.0]], [NO_LIMIT, NO_LIMIT]) == [0]
    profits, rank = np.array([[5.0, 5.0]]), np.array([[2, 1]])
    assert assign(profits, room=np.full(2, NO_LIMIT), held_out=np.array([False]), rank=rank).tolist() == [1]


def test_the_held_out_take_no_room() -> None:
    assert given_to([[9.0], [8.0], [7.0]], [1.0], [True, False, False]) == [0, 0, NOTHING]


def test_the_last_place_of_a_full_play_is_a_treated_one_s() -> None:
    assert given_to([[9.0], [8.0], [7.0]], [1.0], [False, True, False]) == [0, NOTHING, NOTHING]


@given(cases())
def test_capacity_holds_and_only_what_brings_something_is_given(case: Case) -> None:
    profits, room, held = case
    given = assign(profits, room=room, held_out=held)
    for play, places in enumerate(room):
        assert ((given == play) & ~held).sum() <= places
    got = given != NOTHING
    assert (profits[got, given[got]] > 0).all()


@given(cases())
def test_nobody_s_play_depends_on_their_own_group(case: Case) -> None:
    profits, room, held = case
    given = assign(profits, room=room, held_out=held)
    for row in range(len(profits)):
        flipped = held.copy()
        flipped[row] = not held[row]
        assert assign(profits, room=room, held_out=flipped)[row] == given[row]


@given(cases(), st.data())
def test_held_out_customers_change_nothing_for_the_treated(case: Case, data: st.DataObject) -> None:
    profits, room, held = case
    given = assign(profits, room=room, held_out=held)
    alone = assign(profits[~held], room=room, held_out=held[~held])
    assert given[~held].tolist() == alone.tolist()
    more = data.draw(arrays.arrays(np.float64, (3, profits.shape[1]), elements=st.integers(-2, 6).map(float)))
    joined = assign(np.vstack([profits, more]), room=room, held_out=np.concatenate([held, [True] * 3]))
    assert joined[: len(profits)].tolist() == given.tolist()


@given(cases())
def test_it_brings_at_least_what_each_customer_s_best_play_alone_would(case: Case) -> None:
    profits, room, _ = case
    nobody = np.zeros(len(profits), dtype=np.bool_)
    assert earned(profits, assign(profits, room=room, held_out=nobody)) >= each_best_play_filled(profits, room)


@given(cases())
def test_the_same_is_given_again_whatever_the_order_of_rows_where_no_profits_are_equal(case: Case) -> None:
    profits, room, held = case
    apart = profits + np.arange(profits.size).reshape(profits.shape) * 1e-6
    given = assign(apart, room=room, held_out=held)
    assert assign(apart, room=room, held_out=held).tolist() == given.tolist()
    assert assign(apart[::-1], room=room, held_out=held[::-1]).tolist() == given[::-1].tolist()


def test_over_many_draws_of_the_groups_both_get_plays_at_the_same_rate_and_of_the_same_profit() -> None:
    chance = np.random.default_rng(11)
    profits = np.column_stack([chance.lognormal(1, 1, 200), chance.lognormal(0.5, 1, 200)])
    room, share, draws = np.array([20.0, 10.0]), 0.3, 3_000
    enrolled = {True: np.zeros(200), False: np.zeros(200)}
    for _ in range(draws):
        held = chance.random(200) < share
        got = assign(profits, room=room, held_out=held) != NOTHING
        for group in enrolled:
            enrolled[group] += got & (held == group)
    rate = {True: enrolled[True] / (draws * share), False: enrolled[False] / (draws * (1 - share))}
    spread = np.sqrt(0.25 / draws * (1 / share + 1 / (1 - share)))
    assert np.abs(rate[True] - rate[False]).max() < 5 * spread  # of each customer, those at the last places included
    assert 0.1 < rate[True].mean() < 0.3
    edge = (rate[False] > 0.05) & (rate[False] < 0.95)
    assert edge.sum() > 10
    assert abs((rate[True] - rate[False])[edge].mean()) < 0.01
