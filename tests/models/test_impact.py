"""What plays changed: intervals hold what they promise, groups of chance are told from an effect, many plays count."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit, logit
from scipy.stats import binom

from models.impact import Enrolled, Impact, Kept, holm, impact, verdict

DRAWS = 300


def drawn(
    random: np.random.Generator,
    *,
    customers: int,
    held_out: int,
    factor: float,
    level: float = -2.0,
    blur: float = 0.4,
    spread: float = 1.0,
) -> tuple[Enrolled, np.ndarray]:
    """One play on customers of a known risk, and by how much each one's chance to leave became less."""
    chance = expit(random.normal(level, 0.8, customers))
    treated = np.ones(customers, dtype=np.bool_)
    treated[random.permutation(customers)[:held_out]] = False
    left = random.random(customers) < np.where(treated, chance * factor, chance)
    play = Enrolled(
        treated=treated,
        left=left.astype(np.float64),
        probability=expit(logit(chance) + random.normal(0, blur, customers)),
        value=random.lognormal(4.0, spread, customers),
    )
    return play, np.where(treated, chance * (1 - factor), 0.0)


def alike(*, treated: int, left: int, held_out: int, held_left: int, value: float = 10.0) -> Enrolled:
    """One play on customers who all had the same probability and value."""
    count = treated + held_out
    happened = [np.arange(treated) < left, np.arange(held_out) < held_left]
    return Enrolled(
        treated=np.arange(count) < treated,
        left=np.concatenate(happened).astype(np.float64),
        probability=np.full(count, 0.2),
        value=np.full(count, value),
    )


def one(**counts: int) -> Impact:
    return impact([alike(**counts)])


@pytest.mark.parametrize(
    ("customers", "held_out", "level", "spread"),
    [(300, 30, -2.0, 1.0), (80, 16, -1.0, 1.7), (200, 100, 1.0, 1.0)],
)
def test_of_300_intervals_about_95_in_100_hold_the_truth_in_customers_and_in_money(
    customers: int, held_out: int, level: float, spread: float
) -> None:
    random, held = np.random.default_rng(3), []
    for _ in range(DRAWS):
        play, saved = drawn(random, customers=customers, held_out=held_out, factor=0.6, level=level, spread=spread)
        found = impact([play])
        assert found.money is not None
        pairs = (found.customers, saved.sum()), (found.money, saved @ play.value)
        held.append([kept.low <= truth <= kept.high for kept, truth in pairs])
    # Fewer than these, or more, come in one of a thousand runs of intervals that hold the truth in 95 of 100.
    least, most = binom.ppf(0.001, DRAWS, 0.95), binom.ppf(0.999, DRAWS, 0.95)
    counts = np.sum(held, axis=0)
    assert ((counts >= least) & (counts <= most)).all(), counts


def test_a_play_that_changes_nothing_is_called_so_in_about_95_of_100() -> None:
    random = np.random.default_rng(4)
    found = [impact([drawn(random, customers=300, held_out=60, factor=1.0)[0]]) for _ in range(DRAWS)]
    quiet = sum(verdict(each.customers, p_value=each.p_value) == "not_shown" for each in found)
    assert quiet >= binom.ppf(0.001, DRAWS, 0.95)
    assert quiet == sum(each.customers.low <= 0 <= each.customers.high for each in found)


def test_an_effect_that_is_detectable_is_found_in_about_80_of_100() -> None:
    random = np.random.default_rng(5)
    chance, treated = 0.3, np.arange(1_000) >= 300
    same = Enrolled(treated=treated, left=np.zeros(1_000), probability=np.full(1_000, chance), value=np.ones(1_000))
    smallest = impact([replace(same, left=(np.arange(1_000) % 10 < 3).astype(np.float64))]).detectable
    assert smallest is not None
    lowered = chance - smallest / 700
    shown = 0
    for _ in range(DRAWS):
        left = random.random(1_000) < np.where(treated, lowered, chance)
        found = impact([replace(same, left=left.astype(np.float64))])
        shown += verdict(found.customers, p_value=found.p_value) == "kept"
    assert binom.ppf(0.001, DRAWS, 0.8) <= shown <= binom.ppf(0.999, DRAWS, 0.8)


def test_of_customers_who_are_all_alike_the_difference_of_shares_is_told_times_those_treated() -> None:
    found = one(treated=200, left=20, held_out=50, held_left=10)
    assert found.customers.estimate == pytest.approx(200 * (10 / 50 - 20 / 200), abs=1e-3)
    assert found.without == pytest.approx(40, abs=1e-3)
    assert found.money is not None
    assert found.money.estimate == pytest.approx(200, abs=1e-2)
    assert (found.treated, found.held_out, found.left_treated, found.left_held_out) == (200, 50, 20, 10)
    # Newcombe's interval of 0.2 - 0.1 is -0.001 to 0.233 (Wilson: 0.112 to 0.330, and 0.066 to 0.149); the skewness of
    # the counts, which it does not know, moves it a little.
    assert found.customers.low == pytest.approx(200 * -0.001, abs=1.5)
    assert found.customers.high == pytest.approx(200 * 0.234, abs=2.0)


def test_without_anybody_who_left_there_still_is_an_interval() -> None:
    found = one(treated=90, left=0, held_out=10, held_left=0)
    assert found.customers.estimate == 0
    assert found.customers.low < 0 < found.customers.high
    assert found.p_value == 1
    assert found.detectable is None


def test_where_all_left_too() -> None:
    found = one(treated=90, left=90, held_out=10, held_left=10)
    assert found.customers.low < 0 < found.customers.high


def test_with_few_held_out_keeping_all_might_not_show() -> None:
    assert one(treated=72, left=9, held_out=8, held_left=1).detectable is None
    assert one(treated=1_000, left=200, held_out=500, held_left=100).detectable is not None


def test_groups_that_differ_by_chance_are_made_alike_by_what_was_known_before() -> None:
    risk = np.tile([0.1, 0.5], 200)
    treated = np.repeat([True, True, True, False], 100)
    treated[300:] = risk[300:] > 0.4  # of the last hundred only the safe ones are held out
    left = (np.arange(400) // 2 % 10 < np.where(risk > 0.4, 5, 1)).astype(np.float64)
    play = Enrolled(treated=treated, left=left, probability=risk, value=np.ones(400))
    plain = treated.sum() * (left[~treated].mean() - left[treated].mean())
    assert plain < -60
    assert abs(impact([play]).customers.estimate) < 5


def test_risks_that_are_too_sure_of_themselves_do_not_make_intervals_too_sure() -> None:
    random, held = np.random.default_rng(6), 0
    for _ in range(DRAWS):
        play, saved = drawn(random, customers=400, held_out=80, factor=0.6, blur=0.0)
        sure = expit(3 * (logit(play.probability) + 2) - 2)
        kept = impact([replace(play, probability=sure)]).customers
        held += kept.low <= saved.sum() <= kept.high
    assert held >= binom.ppf(0.001, DRAWS, 0.95)


def test_money_holds_too_where_the_large_ones_are_at_more_risk_and_no_probability_knew() -> None:
    random, held = np.random.default_rng(9), 0.0
    for _ in range(DRAWS):
        size = random.normal(size=400)
        chance = expit(-2 + 0.8 * (0.9 * size + 0.44 * random.normal(size=400)))
        treated = random.random(400) >= 0.2
        left = (random.random(400) < np.where(treated, 0.6 * chance, chance)).astype(np.float64)
        play = Enrolled(treated=treated, left=left, probability=np.full(400, 0.15), value=np.exp(4 + size))
        money = impact([play]).money
        assert money is not None
        held += bool(money.low <= play.value @ np.where(treated, 0.4 * chance, 0) <= money.high)
    assert held >= binom.ppf(0.001, DRAWS, 0.95)


def test_a_customer_of_unknown_value_counts_as_a_customer_and_not_in_money() -> None:
    play = alike(treated=100, left=10, held_out=50, held_left=10)
    unknown = replace(play, value=np.where(np.arange(150) % 2 == 0, np.nan, play.value))
    found = impact([unknown])
    assert found.customers == impact([play]).customers
    assert found.without_value == 75
    assert found.money is not None
    assert found.money.estimate == pytest.approx(50 * 10 * (0.2 - 0.1), abs=0.1)
    assert impact([replace(play, value=np.full(150, np.nan))]).money is None


def test_plays_are_summed_each_against_its_own_holdout() -> None:
    risky = alike(treated=100, left=50, held_out=100, held_left=60)
    safe = alike(treated=900, left=9, held_out=20, held_left=0)
    both, parts = impact([risky, safe]), [impact([risky]), impact([safe])]
    assert both.customers.estimate == pytest.approx(sum(each.customers.estimate for each in parts))
    below = sum((each.customers.estimate - each.customers.low) ** 2 for each in parts) ** 0.5
    assert both.customers.low == pytest.approx(both.customers.estimate - below)
    assert both.treated == 1_000


def test_a_play_without_holdout_is_refused() -> None:
    with pytest.raises(ValueError, match="both groups"):
        one(treated=10, left=1, held_out=0, held_left=0)
    with pytest.raises(ValueError, match="both groups"):
        impact([])


def test_one_of_many_plays_stands_out_by_chance() -> None:
    assert holm([0.01, 0.04, 0.03]) == [0.03, 0.06, 0.06]
    assert holm([0.02] * 3) == [0.06] * 3
    assert holm([]) == []
    random, loud = np.random.default_rng(7), 0
    for _ in range(60):
        plays = [impact([drawn(random, customers=200, held_out=60, factor=1.0)[0]]) for _ in range(5)]
        adjusted = holm([each.p_value for each in plays])
        loud += any(verdict(each.customers, p_value=p) != "not_shown" for each, p in zip(plays, adjusted, strict=True))
    assert loud <= binom.ppf(0.999, 60, 0.05)


@pytest.mark.parametrize(
    ("estimate", "p_value", "said"),
    [(5.0, 0.01, "kept"), (-5.0, 0.01, "harmed"), (5.0, 0.2, "not_shown"), (-5.0, 0.2, "not_shown")],
)
def test_the_verdict_follows_sign_and_evidence(estimate: float, p_value: float, said: str) -> None:
    assert verdict(Kept(estimate, estimate - 1, estimate + 1), p_value=p_value) == said


@given(
    treated=st.integers(1, 60),
    held_out=st.integers(1, 60),
    seed=st.integers(0, 10_000),
    factor=st.sampled_from([0.0, 0.5, 1.0, 2.0]),
)
def test_whatever_is_drawn_the_interval_holds_the_estimate_and_what_is_possible(
    treated: int, held_out: int, seed: int, factor: float
) -> None:
    play, _ = drawn(
        np.random.default_rng(seed), customers=treated + held_out, held_out=held_out, factor=min(factor, 1.0)
    )
    found = impact([play])
    assert 0 < found.p_value <= 1
    assert found.money is not None
    total = float(play.value[play.treated].sum())
    for kept, most in ((found.customers, treated), (found.money, total)):
        assert -most * 1.001 <= kept.low <= kept.estimate + 1e-6
        assert kept.estimate - 1e-6 <= kept.high <= most * 1.001
    assert (found.p_value < 0.05) == (not found.customers.low <= 0 <= found.customers.high) or abs(
        found.p_value - 0.05
    ) < 1e-3


@given(seed=st.integers(0, 10_000))
def test_groups_changed_about_tell_the_opposite_and_the_order_of_rows_tells_nothing(seed: int) -> None:
    random = np.random.default_rng(seed)
    play, _ = drawn(random, customers=100, held_out=50, factor=0.5, blur=0.0)
    same = replace(play, probability=np.full(100, 0.2))
    found, turned = impact([same]), impact([replace(same, treated=~same.treated)])
    assert turned.customers.estimate == pytest.approx(-found.customers.estimate, abs=1e-2)
    assert turned.customers.low == pytest.approx(-found.customers.high, abs=1e-2)
    order = random.permutation(100)
    shuffled = Enrolled(
        treated=play.treated[order],
        left=play.left[order],
        probability=play.probability[order],
        value=play.value[order],
    )
    assert impact([shuffled]).customers.low == pytest.approx(impact([play]).customers.low, abs=1e-3)
