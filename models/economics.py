"""Money: what is at risk with a customer, what trying to keep one is expected to bring, and whom to contact first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from models.curves import Curve
from models.matrix import ALIVE, EXPECTED, Matrix

Floats = npt.NDArray[np.float64]

DAYS_PER_MONTH = 365.25 / 12
# The literature lets the success rate vary as Beta(6, 14), whose parameters sum to 20 (Verbraken et al. 2013).
_BETA_SUM = 20.0


@dataclass(frozen=True, kw_only=True)
class Play:
    """An attempt to keep a customer.

    contact_cost: of each attempt. offer_cost: of what is offered, to whoever takes it up: those about to leave who are
    won over, and everybody who would have stayed anyway. success_rate: share of those about to leave who are won over.
    """

    contact_cost: float
    offer_cost: float
    success_rate: float


@dataclass(frozen=True)
class Best:
    """Whom to contact: the share at the top of the ranking that brings most, and what it brings."""

    share: float
    profit: float


def value(rows: Matrix, *, by_contract: bool, days: int) -> Floats:
    """(n,) revenue that each customer brings over so many days if they stay.

    By contract recurring revenue, otherwise expected orders. Null where the columns that it is made of are missing,
    such as those of the start model.
    """
    needed = ("mrr",) if by_contract else ("order_value_ever", "repeat_order_days", EXPECTED, ALIVE)
    if not set(needed) <= set(rows.columns):
        return np.full(len(rows), np.nan)
    parts = [rows.values[:, rows.columns.index(name)] for name in needed]
    if by_contract:
        return contract_value(parts[0], days=days)
    total, repeats, expected, alive = parts
    return order_value(total, repeats + 1, expected, alive)


def contract_value(mrr: Floats, *, days: int) -> Floats:
    """(n,) revenue over so many days, of customers with recurring revenue `mrr` a month."""
    return np.asarray(mrr * days / DAYS_PER_MONTH)


def order_value(total: Floats, order_days: Floats, expected: Floats, alive: Floats) -> Floats:
    """(n,) what customers who are still buying are expected to order over the horizon.

    total: value of all orders ever; order_days: days with an order, at least 1; expected: orders over the horizon;
    alive: probability of still buying, both by the start model, so that expected / alive are the orders of who is.
    """
    return np.asarray(total / order_days * expected / np.maximum(alive, 1e-9))


def value_at_risk(probability: Floats, value: Floats) -> Floats:
    """(n,) probability of loss times the value over the horizon; null where the value is, and never below 0.

    >>> value_at_risk(np.array([0.5, 0.1]), np.array([100.0, 900.0]))
    array([50., 90.])
    """
    return np.asarray(probability * np.maximum(value, 0.0))


def ranking(at_risk: Floats, probability: Floats) -> npt.NDArray[np.int64]:
    """(n,) 1 for the most money at risk, nulls last; of equal ones the higher probability goes first, then the order.

    >>> ranking(np.array([5.0, np.nan, 7.0]), np.array([0.1, 0.9, 0.2]))
    array([2, 3, 1])
    """
    order = np.lexsort((-probability, -np.nan_to_num(at_risk, nan=-np.inf)))
    places = np.empty(len(at_risk), dtype=np.int64)
    places[order] = np.arange(1, len(at_risk) + 1)
    return places


def profit(leaving: Floats, kept_value: Floats, play: Play) -> Floats:
    """(n,) what contacting each customer brings.

    leaving: probability of loss, or what happened (0 or 1). kept_value: what a customer who is kept is worth. Verbraken
    et al. (2013): who is about to leave takes the offer at the success rate; who is not takes it, too, and costs it.
    """
    won = leaving * play.success_rate * (kept_value - play.offer_cost)
    return np.asarray(won - (1 - leaving) * play.offer_cost - play.contact_cost)


def reached(priority: Floats, lost: Floats) -> Curve:
    """From (0, 0) to (1, 1): share of customers, those of highest priority first (x), and of all that is lost (y).

    lost: (n,) money, or 0 of who stays; in all above 0. Rows of equal priority are one step.

    >>> reached(np.array([3.0, 2.0, 1.0]), np.array([80.0, 0.0, 20.0])).y
    array([0. , 0.8, 0.8, 1. ])
    """
    return _cumulated(priority, lost / lost.sum())


def profit_curve(priority: Floats, profits: Floats) -> Curve:
    """From (0, 0): share of customers contacted, those of highest priority first (x), and what that brings (y)."""
    return _cumulated(priority, profits)


def best(curve: Curve) -> Best:
    """The highest point of a profit curve: where contacting nobody is best, a share of 0."""
    place = int(np.argmax(curve.y))
    return Best(float(curve.x[place]), float(curve.y[place]))


def empc(labels: Floats, probabilities: Floats, kept_value: Floats, play: Play) -> Best:
    """Expected maximum profit per customer, and the share to contact for it (Verbraken et al. 2013), by `empulse`.

    The success rate varies around the play's as widely as in the literature; every customer is worth the mean.
    Raises: ValueError where there is one outcome only, or customers are worth nothing.
    """
    from empulse.metrics import empc_score

    worth = float(np.nanmean(kept_value))
    if not worth > 0 or not 0 < labels.sum() < len(labels):
        raise ValueError("expected maximum profit needs customers worth something, some who leave and some who stay")
    parameters: dict[str, Any] = {
        "alpha": play.success_rate * _BETA_SUM,
        "beta": (1 - play.success_rate) * _BETA_SUM,
        "clv": worth,
        "incentive_cost": play.offer_cost,
        "contact_cost": play.contact_cost,
    }
    found = empc_score(labels, probabilities, **parameters)
    return Best(float(empc_score.optimal_rate(labels, probabilities, **parameters)), float(found))


def _cumulated(priority: Floats, amounts: Floats) -> Curve:
    priority = np.nan_to_num(priority, nan=-np.inf)
    _, places, counts = np.unique(-priority, return_inverse=True, return_counts=True)
    sums = np.bincount(places, np.nan_to_num(amounts), minlength=len(counts))
    shares = np.concatenate([[0.0], np.cumsum(counts)]) / len(priority)
    return Curve(shares, np.concatenate([[0.0], np.cumsum(sums)]))
