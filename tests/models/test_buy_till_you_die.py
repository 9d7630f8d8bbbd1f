from __future__ import annotations

import os
from dataclasses import astuple
from functools import cache
from itertools import pairwise
from pathlib import Path

import mpmath
import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.special import betaln, gammaln
from scipy.stats import beta

from features.errors import TrainingError
from models.buy_till_you_die import BgNbd, BuyingHistory, Floats, fit

ROOT = Path(__file__).parent.parent.parent
TENTH = Path(__file__).parent / "cdnow_tenth.txt"

# Fader, Hardie and Lee (2005), table 2: the 1/10 sample of CDNOW to 1997-09-30, in weeks.
PUBLISHED, PUBLISHED_LOG_LIKELIHOOD = BgNbd(r=0.243, alpha=4.414, a=0.793, b=2.426), -9582.4
TRUE = BgNbd(r=0.8, alpha=5.0, a=0.9, b=2.2)
HORIZON_DAYS = 182


@cache
def cdnow() -> pd.DataFrame:
    """A row per customer: order days after the first, days from first to last, days from first to 1997-09-30."""
    orders = pd.read_csv(ROOT / "examples/cdnow/orders.csv", parse_dates=["date"])
    days = orders.loc[orders["date"] <= "1997-09-30", ["customer_id", "date"]].drop_duplicates()
    span = days.groupby("customer_id")["date"].agg(["min", "max", "count"])
    return pd.DataFrame(
        {
            "frequency": span["count"] - 1,
            "recency": (span["max"] - span["min"]).dt.days,
            "age": (pd.Timestamp("1997-09-30") - span["min"]).dt.days,
        }
    )


def history_of(customers: pd.DataFrame) -> BuyingHistory:
    return BuyingHistory.from_days(*(customers[name].to_numpy(dtype=np.float64) for name in customers))


@cache
def tenth() -> BuyingHistory:
    text = "".join(line for line in TENTH.read_text().splitlines(keepends=True) if not line.startswith("#"))
    return history_of(cdnow().loc[[int(number) for number in text.split()]])


def log_likelihood(model: BgNbd, history: BuyingHistory) -> float:
    """Equation 6 of the article, term by term and without logarithms of sums."""
    x, recency, age = history.frequency, history.recency, history.age
    stayed = np.exp(betaln(model.a, model.b + x) - betaln(model.a, model.b)) * (model.alpha + age) ** -(model.r + x)
    left = np.where(
        x > 0,
        np.exp(betaln(model.a + 1, model.b + np.maximum(x, 1) - 1) - betaln(model.a, model.b))
        * (model.alpha + recency) ** -(model.r + x),
        0.0,
    )
    buying = gammaln(model.r + x) - gammaln(model.r) + model.r * np.log(model.alpha)
    return float(np.sum(buying + np.log(stayed + left)))


class Simulated:
    """What the process of `TRUE` did to 200,000 customers first seen 20 to 40 weeks before the snapshot."""

    def __init__(self) -> None:
        random, count = np.random.default_rng(3), 200_000
        rate, leaving = random.gamma(TRUE.r, size=count) / TRUE.alpha, random.beta(TRUE.a, TRUE.b, size=count)
        age, horizon = random.uniform(20, 40, size=count), HORIZON_DAYS / 7
        frequency, recency, later = np.zeros(count), np.zeros(count), np.zeros(count)
        now, here = np.zeros(count), np.ones(count, dtype=bool)
        self.alive = np.ones(count, dtype=bool)
        while here.any():
            now = np.where(here, now + random.exponential(1 / rate), np.inf)
            here &= now < age + horizon
            known = here & (now < age)
            frequency[known] += 1
            recency[known] = now[known]
            later[here & ~known] += 1
            leaves = here & (random.uniform(size=count) < leaving)
            self.alive[known & leaves] = False
            here &= ~leaves
        self.later, self.history = later, BuyingHistory(frequency, recency, age)

    def groups(self) -> npt.NDArray[np.int64]:
        """Customers alike in orders (0, 1, 2, more) and in the share of their time that their last order lies back."""
        x = np.minimum(self.history.frequency, 3)
        silence = 1 - self.history.recency / self.history.age
        return np.where(x == 0, 0, x * 4 + np.minimum(np.floor(silence * 4), 3)).astype(np.int64)


@cache
def simulated() -> Simulated:
    return Simulated()


def assert_means_agree(expected: Floats, happened: Floats) -> None:
    """In every group the mean of what happened is within 4 standard errors of the mean that was expected."""
    groups = simulated().groups()
    assert len(np.unique(groups)) == 13
    for group in np.unique(groups):
        mine = groups == group
        error = happened[mine].std() / np.sqrt(mine.sum())
        assert expected[mine].mean() == pytest.approx(happened[mine].mean(), abs=4 * error + 1e-3), group


def test_estimates_on_the_cdnow_sample_are_the_published_ones() -> None:
    assert len(tenth().frequency) == 2357
    found = fit(tenth())
    assert [round(value, 2) for value in astuple(found)] == [0.24, 4.41, 0.79, 2.43]
    assert astuple(found) == pytest.approx(astuple(PUBLISHED), rel=2e-3)
    assert log_likelihood(found, tenth()) == pytest.approx(PUBLISHED_LOG_LIKELIHOOD, abs=0.05)


def test_no_published_parameters_are_more_likely_on_all_of_cdnow() -> None:
    history = history_of(cdnow())
    found = fit(history)
    assert len(history.frequency) == 23_570
    assert log_likelihood(found, history) >= log_likelihood(PUBLISHED, history)
    for name in ("r", "alpha", "a", "b"):
        for factor in (0.98, 1.02):
            near = BgNbd(**{**vars(found), name: getattr(found, name) * factor})
            assert log_likelihood(found, history) > log_likelihood(near, history)


def test_parameters_are_found_again_from_what_they_did() -> None:
    everybody = simulated().history
    some = BuyingHistory(*(values[:8_000] for values in (everybody.frequency, everybody.recency, everybody.age)))
    assert astuple(fit(some)) == pytest.approx(astuple(TRUE), rel=0.2)


def test_alive_is_the_share_of_simulated_customers_that_had_not_left() -> None:
    assert_means_agree(TRUE.alive(simulated().history), simulated().alive.astype(np.float64))


def test_no_order_is_the_share_of_simulated_customers_that_did_not_order() -> None:
    found = TRUE.no_order(simulated().history, horizon_days=HORIZON_DAYS)
    assert_means_agree(found, (simulated().later == 0).astype(np.float64))


def test_expected_orders_are_the_mean_of_simulated_orders() -> None:
    found = TRUE.expected_orders(simulated().history, horizon_days=HORIZON_DAYS)
    assert_means_agree(found, simulated().later)


def test_whoever_ordered_once_is_alive() -> None:
    once = BuyingHistory(np.zeros(3), np.zeros(3), np.array([0.0, 1.0, 500.0]))
    assert PUBLISHED.alive(once).tolist() == [1.0, 1.0, 1.0]


def test_a_worked_example_by_hand() -> None:
    """2 orders after the first, the last after 30.43 weeks, seen after 38.86: the sample's first customer."""
    history = BuyingHistory(np.array([2.0]), np.array([30.43]), np.array([38.86]))
    odds_of_having_left = 0.793 / (2.426 + 1) * ((4.414 + 38.86) / (4.414 + 30.43)) ** 2.243
    alive = 1 / (1 + odds_of_having_left)
    assert PUBLISHED.alive(history)[0] == pytest.approx(alive)
    silent = ((4.414 + 38.86) / (4.414 + 38.86 + 39)) ** 2.243
    assert PUBLISHED.no_order(history, horizon_days=273)[0] == pytest.approx(1 - alive * (1 - silent))
    # Fader and Hardie's spreadsheet for the article expects 1.226 orders of this customer in 39 weeks.
    assert PUBLISHED.expected_orders(history, horizon_days=273)[0] == pytest.approx(1.226, abs=5e-4)


def test_weeks_are_seven_days() -> None:
    history = BuyingHistory.from_days(np.array([2.0]), np.array([213.0]), np.array([272.0]))
    assert (history.recency[0], history.age[0]) == (213 / 7, 272 / 7)


def test_expected_orders_pass_smoothly_over_the_pole_of_the_formula() -> None:
    history = BuyingHistory(np.array([0.0, 3.0]), np.array([0.0, 20.0]), np.array([30.0, 30.0]))
    at, below, above = (
        BgNbd(r=0.8, alpha=5.0, a=a, b=2.2).expected_orders(history, horizon_days=90) for a in (1.0, 0.9999, 1.0001)
    )
    assert at == pytest.approx((below + above) / 2, rel=1e-4)


def test_hundreds_of_orders_do_not_overflow() -> None:
    """Daily for a year, then silent for ten; and daily to the end, seen half a year ahead."""
    history = BuyingHistory(np.array([364.0, 364.0]), np.array([52.0, 52.0]), np.array([572.0, 52.0]))
    model = BgNbd(r=1.0, alpha=0.5, a=0.9, b=2.2)
    assert model.alive(history) == pytest.approx([0, 1], abs=0.01)
    # Alive, with a rate of 365 / 52.5 a week and a chance of 0.9 / 367 of leaving after each: (1 - e^(-rate p t)) / p.
    chance = 0.9 / (0.9 + 2.2 + 364)
    roughly = (1 - np.exp(-365 / 52.5 * chance * 26)) / chance
    assert model.expected_orders(history, horizon_days=182) == pytest.approx([0, roughly], rel=0.05, abs=1e-6)


def orders_by_integration(model: BgNbd, frequency: float, age: float, weeks: float) -> float:
    """Orders of a customer who is alive: (1 - e^(-rate p t)) / p over what is believed of rate and p."""

    def expected(p: float) -> float:
        any_order = -np.expm1(-(model.r + frequency) * np.log1p(p * weeks / (model.alpha + age)))
        return float(any_order / p * beta.pdf(p, model.a, model.b + frequency))

    edges = [0, 1e-3, 1e-2, 0.1, 0.5, 0.9, 1]
    if model.a > 5:  # all of it lies close together
        shares = (1e-15, 1e-6, 0.01, 0.5, 0.99, 1 - 1e-6, 1 - 1e-15)
        edges = [float(beta.ppf(share, model.a, model.b + frequency)) for share in shares]
    return sum(quad(expected, low, high, limit=200)[0] for low, high in pairwise(edges))


@pytest.mark.parametrize("frequency", [0, 1, 5, 60, 400])
@pytest.mark.parametrize("weeks", [1.0, 26.0, 200.0])
@pytest.mark.parametrize(
    "model", [PUBLISHED, BgNbd(0.3, 9.0, 4.0, 0.4), BgNbd(6.0, 0.4, 0.5, 7.0), BgNbd(2.0, 5.0, 1.0, 1.0)], ids=str
)
def test_expected_orders_are_those_of_a_numerical_integral(model: BgNbd, weeks: float, frequency: int) -> None:
    history = BuyingHistory(np.array([float(frequency)]), np.array([30.0 * (frequency > 0)]), np.array([30.0]))
    found = model.expected_orders(history, horizon_days=weeks * 7) / model.alive(history)
    assert found[0] == pytest.approx(orders_by_integration(model, frequency, 30.0, weeks), rel=5e-6)


@given(
    parameters=st.tuples(*[st.floats(0.05, 20)] * 4),
    frequency=st.integers(0, 200),
    age=st.floats(0.15, 500),
    share=st.floats(0, 1),
    horizon_days=st.integers(1, 730),
)
def test_probabilities_are_probabilities_and_more_time_means_more_orders(
    parameters: tuple[float, float, float, float], frequency: int, age: float, share: float, horizon_days: int
) -> None:
    model = BgNbd(*parameters)
    history = BuyingHistory(np.array([float(frequency)]), np.array([age * share * (frequency > 0)]), np.array([age]))
    alive = model.alive(history)[0]
    silent = model.no_order(history, horizon_days=horizon_days)[0]
    orders, more = (model.expected_orders(history, horizon_days=days)[0] for days in (horizon_days, 2 * horizon_days))
    assert 0 <= 1 - alive <= silent + 1e-12
    assert silent <= 1
    assert 0 <= orders <= more + 1e-9
    assert 1 - silent <= orders + 1e-9  # the chance of an order is at most the expected number


def test_nobody_who_came_back_is_refused_in_words() -> None:
    history = BuyingHistory(np.zeros(50), np.zeros(50), np.arange(50.0))
    with pytest.raises(TrainingError, match=r"^no customer has ordered on two days: a buying rhythm cannot be learnt"):
        fit(history)


def test_the_order_of_customers_does_not_change_a_bit_of_the_estimates() -> None:
    history, order = tenth(), np.random.default_rng(1).permutation(2357)
    shuffled = BuyingHistory(history.frequency[order], history.recency[order], history.age[order])
    assert fit(shuffled) == fit(history)


def exact_orders(model: BgNbd, *, frequency: float, age: float, weeks: float) -> float:
    """Equation 10 of the article of whoever is still a customer, with 400 digits: nothing is lost or overflows."""
    with mpmath.workdps(400):
        r, a, b, reach = map(mpmath.mpf, (model.r, model.a, model.b, model.alpha + age))
        a += mpmath.mpf("1e-30") if a == 1 else 0  # a pole that can be lifted
        count = a + b + frequency - 1
        series = mpmath.hyp2f1(r + frequency, b + frequency, count, weeks / (reach + weeks), maxterms=10**6)
        return float(count / (a - 1) * (1 - (reach / (reach + weeks)) ** (r + frequency) * series))


@given(
    logs=st.tuples(st.floats(-4, 5), st.floats(-3, 7), st.floats(-5, 7), st.floats(-4, 10)),
    frequency=st.sampled_from([0.0, 1.0, 3.0, 10.0, 60.0, 300.0]),
    age=st.floats(0.1, 200),
    weeks=st.sampled_from([1.0, 4.0, 13.0, 52.0]),
)
def test_expected_orders_are_right_whatever_is_fitted(
    logs: tuple[float, float, float, float], frequency: float, age: float, weeks: float
) -> None:
    model = BgNbd(*np.exp(logs))
    history = BuyingHistory(np.array([frequency]), np.array([age if frequency else 0.0]), np.array([age]))
    (found,) = model.expected_orders(history, horizon_days=7 * weeks) / model.alive(history)
    assert found == pytest.approx(exact_orders(model, frequency=frequency, age=age, weeks=weeks), rel=1e-6)


def test_a_shop_whose_buyers_all_leave_by_one_rate_has_expected_orders() -> None:
    model = BgNbd(r=0.5, alpha=5.0, a=921.0, b=13_674.0)  # as fitted to one in which these were infinite
    history = BuyingHistory(np.array([0.0, 5.0, 50.0]), np.array([0.0, 20.0, 90.0]), np.array([50.0, 50.0, 100.0]))
    found = model.expected_orders(history, horizon_days=90)
    assert np.isfinite(found).all()
    assert (found > 0).all()
    assert (np.diff(found) > 0).all()


# Forty shops, each fitted; `SHOPS=1000 pytest tests/models/test_buy_till_you_die.py -k shops` looks at a thousand.
SHOPS = int(os.environ.get("SHOPS", "40"))


def a_shop(seed: int) -> BuyingHistory:
    """Customers who buy and leave as one of seven kinds of shops has them."""
    source = np.random.default_rng(seed)
    customers, weeks = int(source.integers(2, 150)), float(source.uniform(4, 150))
    age = source.uniform(0, weeks, customers)
    rate = source.gamma(np.exp(source.uniform(-2, 2)), np.exp(source.uniform(-4, 1)), customers)
    first, second = np.exp(source.uniform(-3, 3, 2))
    leaves = source.beta(first, second, size=customers)
    kind = seed % 7
    if kind == 1:
        leaves[:] = 0.0  # nobody leaves
    elif kind == 2:
        leaves[:] = 1.0  # everybody leaves after the second order
    elif kind == 3:
        leaves[:] = source.uniform(0.01, 0.5)  # all by one chance
    elif kind == 4:
        rate[:] = source.uniform(0.05, 7)  # all at one rate
    elif kind == 5:
        rate[1:] = 0.0  # all but one ordered once
    elif kind == 6:
        rate[:] = 0.0  # one order each
    frequency, recency = np.zeros(customers), np.zeros(customers)
    for each in range(customers):
        at = 0.0
        while rate[each] and (at := at + source.exponential(1 / rate[each])) <= age[each] and frequency[each] < 400:
            frequency[each], recency[each] = frequency[each] + 1, at
            if source.uniform() < leaves[each]:
                break
    return BuyingHistory(frequency, recency, age)


@pytest.mark.parametrize("seed", range(SHOPS))
def test_whatever_shops_are_fitted_expected_orders_are_right_or_it_is_said_that_nothing_fits(seed: int) -> None:
    history, weeks = a_shop(seed), float(np.random.default_rng(seed).choice([4.0, 13.0, 26.0, 52.0]))
    if not history.frequency.any():
        with pytest.raises(TrainingError, match="a buying rhythm cannot be learnt"):
            fit(history)
        return
    model = fit(history)
    found = model.expected_orders(history, horizon_days=7 * weeks)
    assert np.isfinite(found).all()
    assert (found >= 0).all()
    for each in {0, int(history.frequency.argmax()), int(history.age.argmin())}:
        frequency, age = history.frequency[each], history.age[each]
        # The series ends after minutes where the chance of leaving is all but known.
        known = model.a > 5 and model.b > 5_000
        exact = (orders_by_integration if known else exact_orders)(model, frequency=frequency, age=age, weeks=weeks)
        assert found[each] == pytest.approx(exact * model.alive(history)[each], rel=1e-6, abs=1e-300)
