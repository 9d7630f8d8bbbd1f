"""Values known long before: what no honest factor explains is found, with few departures too, and nothing else is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import far_ahead
from models.column_groups import PAST
from models.far_ahead import Examined, Followed, could_be_seen, doubted, examine, examine_days, newcomers_say

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


def leaving(*, gone: int, here: int, since: float = 0.0) -> Followed:
    """So many who left on days 1, 2, 3 ..., then so many who stay until day 1000; none is new."""
    until = np.array([*range(1, gone + 1), *[1000.0] * here], dtype=np.float64)
    left = np.arange(gone + here) < gone
    return Followed(np.full(gone + here, since), until, left, left, np.zeros(gone + here, dtype=np.bool_))


def texts(*values: str | None) -> pd.DataFrame:
    return pd.DataFrame({"told": pd.Series(values, dtype="str")})


def checks(frame: pd.DataFrame, followed: Followed) -> list[tuple[str, str]]:
    return [(each.check, each.said) for each in doubted(examine(frame, followed))]


# What only those have who leave


@pytest.mark.parametrize(("gone", "found"), [(30, True), (3, True), (2, False)])
def test_a_value_of_the_departed_alone_is_found_among_a_hundred_customers(gone: int, *, found: bool) -> None:
    told = checks(texts(*["lost"] * gone, *["here"] * (100 - gone)), leaving(gone=gone, here=100 - gone))
    assert [check for check, _ in told] == ["only_the_departed"] * found


@pytest.mark.parametrize(("gone", "found"), [(6, True), (3, False)])
def test_among_many_columns_it_takes_more(gone: int, *, found: bool) -> None:
    chance = np.random.default_rng(8)
    frame = pd.DataFrame({f"column {n}": chance.choice(["a", "b", "c", "d"], 100) for n in range(40)})
    frame["told"] = ["lost"] * gone + ["here"] * (100 - gone)
    told = doubted(examine(frame, leaving(gone=gone, here=100 - gone)))
    assert [each.column for each in told] == ["told"] * found


def test_the_bound_is_the_product_of_the_chances_where_all_who_left_have_the_value() -> None:
    (found,) = examine(texts(*["lost"] * 3, *["here"] * 27), leaving(gone=3, here=27))
    assert np.exp(found.log_chance) == pytest.approx(9 / 36 * 6 / 33 * 3 / 30, rel=1e-6)
    assert found.inside == (3, 3)
    assert found.outside == (0, 27)


def test_a_value_that_was_cleared_is_found_and_named_for_what_it_is() -> None:
    followed = leaving(gone=20, here=80)
    assert checks(texts(*[None] * 20, *["here"] * 80), followed) == [("only_the_stayers", "filled")]
    assert checks(texts(*["why"] * 20, *[None] * 80), followed) == [("only_the_departed", "filled")]


def test_words_of_texts_that_all_differ_are_found() -> None:
    gone = [f"closed on {day} by phone" for day in range(40)]
    here = [f"came by advert {day}" for day in range(60)]
    ((check, said),) = checks(texts(*gone, *here), leaving(gone=40, here=60))
    assert check == "only_the_departed"
    assert said in {f"a text with '{word}'" for word in ("closed", "on", "phone")}


def test_what_few_customers_have_is_not_told() -> None:
    ((_, said),) = checks(texts(*["moved to Lyon"] * 20, *["here"] * 20, *["there"] * 80), leaving(gone=20, here=100))
    assert said == "one of its values"


def test_numbers_are_parted() -> None:
    frame = pd.DataFrame({"told": np.arange(200.0)})
    assert checks(frame, leaving(gone=60, here=140)) == [("foretells", "small")]


def test_a_factor_that_is_honest_is_no_doubt_however_many_left() -> None:
    """Half are twice as likely to leave on every day, over 5,000 customers."""
    chance = np.random.default_rng(3)
    risky = np.arange(5000) % 2 == 0
    life = chance.exponential(np.where(risky, 500.0, 1000.0))
    left = life < 700
    followed = Followed(np.zeros(5000), np.minimum(life, 700.0), left, left, np.zeros(5000, dtype=np.bool_))
    assert checks(texts(*np.where(risky, "a", "b")), followed) == []


def test_what_was_over_before_following_began_does_not_count() -> None:
    """A sign of the next weeks: all who have it leave within 60 days, and are not followed at all."""
    followed = leaving(gone=50, here=50).known_from(np.zeros(100))
    assert not followed.still_here[:50].any()
    assert examine(texts(*["notice"] * 50, *["none"] * 50), followed) == []


@given(st.integers(0, 10_000))
def test_values_that_have_nothing_to_do_with_leaving_are_seldom_doubted(seed: int) -> None:
    chance = np.random.default_rng(seed)
    rows = int(chance.integers(100, 400))
    left = chance.random(rows) < chance.uniform(0.05, 0.9)
    until = np.where(left, chance.uniform(1, 700, rows), 700.0)
    frame = pd.DataFrame({name: chance.choice(["a", "b", "c"], rows) for name in "klmnop"} | {"n": chance.random(rows)})
    followed = Followed(chance.uniform(0, 300, rows), until, left, left, np.zeros(rows, dtype=np.bool_))
    assert doubted(examine(frame, followed)) == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12), st.data())
def test_the_bound_is_never_below_the_chance_itself(chances: list[float], data: st.DataObject) -> None:
    """Against the exact distribution of the number of hits."""
    hits = data.draw(st.integers(0, len(chances)))
    exact = np.array([1.0])
    for each in chances:
        exact = np.convolve(exact, [1 - each, each])
    (found,) = far_ahead._log_chance(np.array([hits]), np.array(chances)[:, None])
    assert np.exp(found) >= exact[hits:].sum() - 1e-9
    assert found <= 0


# Days


def days(values: Floats, followed: Followed, *, planned: bool) -> list[tuple[str, str]]:
    column = pd.Series(values, name="told")
    return [(each.check, each.said) for each in doubted(examine_days(column, followed, end=1000.0, planned=planned))]


def test_a_last_term_that_is_past_for_those_who_left_is_found() -> None:
    values = np.concatenate([np.arange(1.0, 41.0) - 30, np.full(60, 1010.0)])
    assert days(values, leaving(gone=40, here=60), planned=False) == [("foretells", PAST)]


def test_who_leaves_on_the_very_day_that_was_planned_is_no_surprise() -> None:
    """Contracts that end at the end of a term alone; of the others the term ends later."""
    followed = leaving(gone=40, here=60, since=-100)
    on_the_day = np.concatenate([np.arange(1.0, 41.0), np.full(60, 1200.0)])
    assert days(on_the_day, followed, planned=True) == []
    long_before = np.concatenate([np.arange(1.0, 41.0) + 30, np.full(60, 1200.0)])
    assert days(long_before, followed, planned=True) == [("foretells", PAST)]


# Newcomers


def with_newcomers(*, inside: int, outside: int) -> tuple[Flags, Followed]:
    """100 who came long ago, of whom 45 of 50 in a group left and 5 of 50 others; newcomers of both kinds, all here."""
    group = np.array([*[True] * 50, *[False] * 50, *[True] * inside, *[False] * outside])
    left = np.array([*[True] * 45, *[False] * 5, *[True] * 5, *[False] * 45, *[False] * (inside + outside)])
    new = np.arange(len(group)) >= 100
    until = np.where(left, np.arange(len(group)) + 1.0, 1000.0)
    return group, Followed(np.where(new, 2000.0, 0.0), until, left, left, new)


@pytest.mark.parametrize(
    ("inside", "outside", "found"),
    [
        (10, 10, 1),  # as many as among all who came before
        (2, 18, -1),  # as many as among those who stayed
        (20, 0, 0),  # all of them: it tells how long somebody is here
        (2, 2, 0),  # too few
    ],
)
def test_newcomers_speak_for_a_value_or_against_it(inside: int, outside: int, found: int) -> None:
    said = newcomers_say(*with_newcomers(inside=inside, outside=outside))
    assert (said >= far_ahead.SAID) - (said <= -far_ahead.SAID) == found


def test_newcomers_who_left_say_nothing() -> None:
    group, followed = with_newcomers(inside=10, outside=10)
    assert newcomers_say(group, replace(followed, quiet=followed.quiet | followed.new)) == 0.0


def test_a_group_that_newcomers_speak_for_is_not_doubted() -> None:
    for inside, outside, found in ((10, 10, False), (0, 20, True)):
        group, followed = with_newcomers(inside=inside, outside=outside)
        assert bool(checks(texts(*np.where(group, "monthly", "yearly")), followed)) is found


# How much there must be


@pytest.mark.parametrize(
    ("gone", "here", "found"),
    [(6, 94, True), (2, 98, False), (60, 30, True), (60, 3, False), (60, 2, False), (0, 50, False), (5, 5, False)],
)
def test_what_could_not_be_seen_is_known(gone: int, here: int, *, found: bool) -> None:
    assert could_be_seen(leaving(gone=gone, here=here), groups=20) is found


def test_each_column_bears_the_groups_of_all() -> None:
    def told(column: str, chance: float) -> Examined:
        return Examined(column, "filled", "foretells", float(np.log(chance)), 10, (1, 1), (0, 1))

    found = [told("sure", 0.0001), told("after it", 0.0004), told("chance", 0.006)]
    assert [each.column for each in doubted(found)] == ["sure", "after it"]
    assert [each.column for each in doubted([*found, *[told("chance", 0.5)] * 60])] == []


def test_what_is_said_has_the_counts() -> None:
    (found,) = doubted(examine(texts(*["lost"] * 40, *["here"] * 100), leaving(gone=40, here=100)))
    assert found.suspicion.evidence == (
        "of 40 customers where it is 'lost' 40 had left when the data end, of 100 others 0, though it was known 60 "
        "days before at least: more than a sign of that age can tell"
    )
