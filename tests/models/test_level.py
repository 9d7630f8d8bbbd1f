"""How many of a day leave: by whichever way of telling erred least on earlier days."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
from scipy.special import expit, logit

from features.cohort import Cohort
from features.subscription_periods import Endings
from models import level
from models.level import BUYING, OWN, RECENT, SEASON, YEAR, Level
from models.matrix import Matrix
from models.question import Question
from tests.models.model_case import QUESTION, fitted, train_rows, unseen_rows

Floats = npt.NDArray[np.float64]
EACH = 4_000  # customers of a day, so that chance moves base rates little
FIRST = 738_000
CONTRACT = replace(QUESTION, outcome="churn", horizon_days=30, cohort=Cohort(kind="subscribed"), endings=Endings())
WINDOWED = replace(QUESTION, horizon_days=90, cohort=Cohort(kind="ordered_within", active_days=180))


def days(
    rates: Floats,
    *,
    every: int = 30,
    question: Question = CONTRACT,
    start: Floats | None = None,
    oldest: Floats | None = None,
) -> Matrix:
    """A day for each base rate, of customers who are all alike.

    start: log-odds of the buying model, by day. oldest: how long ago the first of its customers came.
    """
    count = len(rates)
    labels = np.concatenate([(np.arange(EACH) < round(rate * EACH)).astype(np.float64) for rate in rates])
    ages = np.full(count, 400.0) if oldest is None else oldest
    return Matrix(
        question=question,
        customers=np.tile(np.array([f"C-{n:05d}" for n in range(EACH)], dtype=object), count),
        snapshots=np.repeat(FIRST + every * np.arange(count), EACH),
        columns=("customer_age_days",),
        values=np.repeat(ages, EACH)[:, None],
        start=np.zeros(count * EACH) if start is None else np.repeat(start, EACH),
        labels=labels,
    )


def told(rates: Floats, own: Floats, **given: object) -> tuple[Level, Matrix]:
    """The level of some days, of which the model's own probabilities said `own`; the newest day is only asked about."""
    rows = days(rates, **given)  # type: ignore[arg-type]
    known = rows.snapshots < rows.snapshots[-1]
    odds = np.repeat(logit(own), EACH)
    return level.fit(rows.only(known), odds[known]), rows.only(~known)


def asked(found: Level, day: Matrix, own: float) -> float:
    """The mean probability that is forecast of a day."""
    odds = np.full(len(day), logit(own))
    return float(expit(odds + found.shifts(day, odds)).mean())


def test_a_model_that_was_right_all_along_is_believed() -> None:
    rates = np.array([0.05, 0.08, 0.06, 0.09, 0.07, 0.05, 0.08, 0.06, 0.09, 0.07, 0.05, 0.08])
    found, day = told(rates, rates)
    assert asked(found, day, rates[-1]) == pytest.approx(rates[-1], rel=0.01)
    assert found.weights[OWN] >= max(found.weights.values())


def test_a_base_rate_that_jumped_is_followed_once_it_is_known() -> None:
    rates = np.array([0.05] * 8 + [0.12] * 6)
    found, day = told(rates, np.full(14, 0.06))
    assert asked(found, day, 0.06) > 0.085


def test_a_season_of_last_year_comes_again() -> None:
    day_of = FIRST + 28 * np.arange(27)
    rates = expit(-2.5 + 0.8 * np.sin(2 * np.pi * day_of / YEAR))
    found, day = told(rates, np.full(27, rates.mean()), every=28)
    assert found.weights[SEASON] > 5 * found.weights[OWN]
    assert asked(found, day, rates.mean()) == pytest.approx(rates[-1], rel=0.07)


def test_a_year_ago_says_nothing_where_the_data_did_not_reach_back() -> None:
    """Whoever had ordered within the window by then had come in the weeks before: another crowd."""
    rates, oldest = np.full(14, 0.3), np.minimum(30.0 * np.arange(14), 400)
    young, _ = told(rates, rates, question=WINDOWED, oldest=oldest)
    assert [day for day, _ in young.rates] == [FIRST + 30 * number for number in range(6, 13)]
    ever = replace(WINDOWED, cohort=Cohort(kind="ever_ordered"))
    assert told(rates, rates, question=ever)[0].rates == ()
    assert told(rates, rates, question=ever)[0].weights.keys() == {OWN, RECENT}


def test_a_season_is_ten_days_before_and_after() -> None:
    day = FIRST + YEAR
    found = Level(
        {OWN: 1e-9, SEASON: 1.0}, 0.0, ((FIRST - 11, 9.0), (FIRST - 10, -1.0), (FIRST + 10, -2.0), (FIRST + 11, 9.0))
    )
    assert found.expected(day, own=0.0, buying=None) == pytest.approx(-1.5)
    assert found.expected(day + 30, own=0.0, buying=None) == 0.0


def test_the_buying_model_counts_where_it_erred_less() -> None:
    rates = np.array([0.2, 0.3, 0.25, 0.4, 0.3, 0.2, 0.35, 0.25, 0.2, 0.4])
    found, day = told(rates, np.full(10, 0.1), start=logit(rates), question=WINDOWED)
    assert found.weights[BUYING] > 5 * found.weights[OWN]
    assert asked(found, day, 0.1) > 0.3


def test_days_that_overlap_tell_less_than_their_number() -> None:
    """Of 90 days' windows a week apart, thirteen are one window and not thirteen: the prior still counts."""
    often, _ = told(np.full(27, 0.3), np.full(27, 0.2), every=7, question=WINDOWED)
    seldom, _ = told(np.full(15, 0.3), np.full(15, 0.2), every=90, question=WINDOWED)
    assert seldom.weights[RECENT] > 3 * often.weights[RECENT]  # of thirteen days each that could be judged


def test_no_day_is_judged_by_what_was_not_known_then() -> None:
    """The outcomes of the days before the last one's maturity change the last forecast, and no earlier error."""
    rates = np.full(10, 0.1)
    changed = np.where(np.arange(10) == 8, 0.5, rates)
    before, after = (told(each, np.full(10, 0.1), every=10)[0] for each in (rates, changed))
    # The changed day is the newest one that is known: nothing was told from it yet, it only errs itself.
    assert before.missed == 0.0
    assert after.missed > 0
    assert before.weights[OWN] == pytest.approx(before.weights[RECENT])
    assert after.weights[OWN] == pytest.approx(after.weights[RECENT])


def test_everybody_moves_by_the_same_and_nobody_by_who_else_is_asked_about() -> None:
    rows = fitted().levelled(unseen_rows())
    assert rows.level is not None
    assert len(set(rows.level.tolist())) == 1
    together = fitted().probability(rows)
    alone = [fitted().probability(rows.only(np.arange(len(rows)) == place))[0] for place in range(5)]
    assert alone == together[:5].tolist()


def test_rows_that_were_not_levelled_are_refused() -> None:
    with pytest.raises(ValueError, match="level"):
        fitted().probability(unseen_rows())


def test_the_mean_of_a_days_probabilities_is_what_was_forecast() -> None:
    model, rows = fitted(), unseen_rows()
    odds = model.calibrator.calibrated(model.log_odds(rows))
    expected = model.level.expected(
        int(rows.snapshots[0]), own=logit(expit(odds).mean()), buying=logit(expit(rows.start).mean())
    )
    assert model.day_probability(rows).mean() == pytest.approx(expit(expected), abs=1e-9)


def test_days_are_levelled_each_of_its_own() -> None:
    rows = train_rows()
    whole = fitted().levelled(rows)
    for day in np.unique(rows.snapshots):
        mine = rows.snapshots == day
        assert whole.only(mine).level == pytest.approx(fitted().levelled(rows.only(mine)).level, abs=1e-12)


def test_none_leaves_everything_as_it_is() -> None:
    rows = days(np.array([0.1, 0.2]))
    assert not Level.none().shifts(rows, np.full(len(rows), -1.0)).any()


@pytest.mark.parametrize("rate", [0.0, 1.0])
def test_days_on_which_all_or_none_left_are_no_endless_level(rate: float) -> None:
    found, day = told(np.array([rate, rate, rate, 0.5]), np.full(4, 0.5))
    assert 0 < asked(found, day, 0.5) < 1
    assert np.isfinite(found.missed)


def test_log_odds_however_far_off_are_moved() -> None:
    odds = np.array([-300.0, -250.0, -260.0, 80.0])
    assert expit(odds + level.shift_to(odds, 1.0)).mean() == pytest.approx(expit(1.0), abs=1e-9)
