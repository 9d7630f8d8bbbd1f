from __future__ import annotations

import numpy as np
import pytest
from scipy.special import betainc, betaln

from models import economics
from models.economics import Best, Play
from models.matrix import ALIVE, EXPECTED, Matrix
from tests.models.model_case import QUESTION

PLAY = Play(contact_cost=2.0, offer_cost=10.0, success_rate=0.25)


def matrix(columns: dict[str, list[float]]) -> Matrix:
    values = np.array(list(columns.values()), dtype=np.float64).T
    return Matrix(
        question=QUESTION,
        customers=np.array([f"C-{place}" for place in range(len(values))], dtype=object),
        snapshots=np.zeros(len(values), dtype=np.int64),
        columns=tuple(columns),
        values=values,
        start=np.zeros(len(values)),
        labels=None,
    )


def test_a_contract_brings_its_recurring_revenue() -> None:
    found = economics.value(matrix({"mrr": [30.4375, 0.0, np.nan]}), by_contract=True, days=90)
    assert found.tolist() == pytest.approx([90.0, 0.0, np.nan], nan_ok=True)


def test_a_shop_customer_brings_the_orders_of_who_is_still_buying() -> None:
    """Four order days of 200 in all; 1.2 orders expected with a chance of 0.4 to be alive are 3 of who is: 150."""
    rows = matrix({"order_value_ever": [200.0], "repeat_order_days": [3.0], ALIVE: [0.4], EXPECTED: [1.2]})
    assert economics.value(rows, by_contract=False, days=90).tolist() == pytest.approx([150.0])


@pytest.mark.parametrize("by_contract", [True, False])
def test_without_the_columns_the_value_is_not_known(by_contract: bool) -> None:
    assert np.isnan(economics.value(matrix({"country": [1.0, 2.0]}), by_contract=by_contract, days=90)).all()


def test_the_most_money_comes_first_and_among_equals_the_higher_risk() -> None:
    at_risk, risk = np.array([5.0, np.nan, 7.0, 5.0, np.nan]), np.array([0.1, 0.2, 0.3, 0.4, 0.9])
    assert economics.ranking(at_risk, risk).tolist() == [3, 5, 1, 2, 4]


def test_contacting_brings_what_the_three_cases_bring() -> None:
    """Who leaves is won in a quarter of cases, for 100 less the offer of 10; who stays takes it, too; each costs 2."""
    found = economics.profit(np.array([1.0, 0.0, 0.4]), np.array([100.0, 100.0, 100.0]), PLAY)
    assert found.tolist() == pytest.approx([0.25 * 90 - 2, -10 - 2, 0.4 * 22.5 - 0.6 * 10 - 2])


def test_the_best_share_is_where_the_sum_of_profits_is_highest() -> None:
    curve = economics.profit_curve(np.array([4.0, 3.0, 2.0, 1.0]), np.array([5.0, -1.0, 3.0, -9.0]))
    assert curve.y.tolist() == [0.0, 5.0, 4.0, 7.0, -2.0]
    assert economics.best(curve) == Best(0.75, 7.0)


def test_contacting_nobody_is_best_where_everybody_costs() -> None:
    assert economics.best(economics.profit_curve(np.array([2.0, 1.0]), np.array([-1.0, -1.0]))) == Best(0.0, 0.0)


def test_customers_of_equal_priority_are_reached_together() -> None:
    found = economics.reached(np.array([1.0, 1.0, 0.5, np.nan]), np.array([60.0, 20.0, 20.0, 0.0]))
    assert (found.x.tolist(), found.y.tolist()) == ([0.0, 0.5, 0.75, 1.0], pytest.approx([0.0, 0.8, 1.0, 1.0]))


def test_the_expected_maximum_profit_is_the_integral_of_the_paper() -> None:
    """Against numeric integration over the success rate, each time at the threshold that is best for it."""
    random = np.random.default_rng(5)
    risk = random.beta(1, 6, 400)
    labels = (random.random(400) < risk).astype(np.float64)
    play = Play(contact_cost=1.0, offer_cost=10.0, success_rate=0.3)
    value = 200.0
    found = economics.empc(labels, risk, np.full(400, value), play)
    assert found.profit == pytest.approx(_by_hand(labels, risk, value, play), rel=2e-3)
    assert 0 < found.share < 1


def _by_hand(labels: np.ndarray, risk: np.ndarray, value: float, play: Play) -> float:
    order = np.argsort(-risk, kind="stable")
    leavers, stayers = np.append(0, np.cumsum(labels[order])), np.append(0, np.cumsum(1 - labels[order]))
    alpha, beta = 20 * play.success_rate, 20 * (1 - play.success_rate)
    rates = np.linspace(0, 1, 4001)
    density = np.zeros_like(rates)
    density[1:-1] = np.exp(
        (alpha - 1) * np.log(rates[1:-1]) + (beta - 1) * np.log1p(-rates[1:-1]) - betaln(alpha, beta)
    )
    assert np.trapezoid(density, rates) == pytest.approx(betainc(alpha, beta, 1.0), abs=1e-6)
    won = rates[:, None] * (value - play.offer_cost) - play.contact_cost
    profits = (won * leavers - (play.offer_cost + play.contact_cost) * stayers).max(axis=1) / len(labels)
    return float(np.trapezoid(profits * density, rates))


def test_customers_worth_nothing_have_no_expected_maximum_profit() -> None:
    with pytest.raises(ValueError, match="worth something"):
        economics.empc(np.array([0.0, 1.0]), np.array([0.1, 0.9]), np.zeros(2), PLAY)
