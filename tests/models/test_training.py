from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from threadpoolctl import threadpool_limits

from features.errors import OutdatedModelError, TrainingError
from models import artifact, boosting, calibration, training
from models.boosting import Flags, Floats
from models.matrix import Matrix, stack
from models.training import Limits, best_round, customer_fold, later_rows, refuse_unfit
from tests.models.model_case import (
    FIRST,
    QUESTION,
    SNAPSHOTS,
    fit_linear,
    fitted,
    many_rows,
    snapshot_frame,
    snapshot_matrix,
    train_rows,
    unmoved,
    unseen_rows,
)


def version(rows: Matrix, *, threads: int = 1) -> str:
    return artifact.version(artifact.to_files(training.fit(rows, seed=7, threads=threads)))


def shuffled(frame: pd.DataFrame, seed: int) -> pd.DataFrame:
    return frame.sample(frac=1, random_state=seed)


@pytest.mark.parametrize("start", [True, False], ids=["with a start model", "with a linear correction"])
def test_two_trainings_on_shuffled_rows_by_one_thread_or_two_are_one_model(
    start: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(boosting, "MAX_ROUNDS", 15)  # two threads wait for each other long where the machine is busy
    turned = stack(
        [snapshot_matrix(day, shuffled(snapshot_frame(day), day), start=start) for day in reversed(SNAPSHOTS)]
    )
    assert version(turned, threads=2) == version(train_rows(start=start), threads=1)


def test_one_outcome_more_is_another_model() -> None:
    rows = train_rows()
    labels = rows.outcomes.copy()
    labels[17] = 1 - labels[17]
    assert version(replace(rows, labels=labels)) != artifact.version(artifact.to_files(fitted()))


def test_a_model_tells_what_it_was_fitted_on() -> None:
    rows, found = train_rows(), fitted()
    assert found.columns == rows.columns
    assert found.rows == len(rows) == 3_000
    assert found.snapshots == tuple((FIRST + timedelta(days=day)).toordinal() for day in SNAPSHOTS)
    assert found.average_start == pytest.approx(float(rows.start.mean()))
    assert found.booster.num_trees() == found.rounds


def test_probabilities_are_those_of_the_calibrated_log_odds_and_worse_is_higher() -> None:
    rows, found = unseen_rows(), fitted()
    odds = found.calibrator.intercept + found.calibrator.slope * found.log_odds(rows)
    risks = found.probability(unmoved(rows))
    assert risks == pytest.approx(1 / (1 + np.exp(-odds)))
    outcomes = snapshot_frame(390).sort_values("customer_id")["happened"].to_numpy()
    assert risks[outcomes == 1].mean() > risks[outcomes == 0].mean() + 0.1


def test_reordered_columns_are_refused_when_scoring() -> None:
    rows = unseen_rows()
    with pytest.raises(OutdatedModelError, match="the model reads its columns in another order"):
        fitted().log_odds(replace(rows, columns=rows.columns[::-1], values=rows.values[:, ::-1]))


# What is judged on what


class Spy:
    """Remembers every call of a function and lets it through."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function, self.calls, self.results = function, list[Any](), list[Any]()

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        self.calls.append(arguments)
        self.results.append(self.function(*arguments, **named))
        return self.results[-1]


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> Spy:
    spy = Spy(boosting.Binned.losses)

    def losses(binned: boosting.Binned, start: Floats, train: Flags, later: Flags, **named: Any) -> Any:
        rows = replace(binned.rows, start=start)
        spy.calls.append((rows.only(train), rows.only(later)))
        spy.results.append(spy.function(binned, start, train, later, **named))
        return spy.results[-1]

    monkeypatch.setattr(boosting.Binned, "losses", losses)
    return spy


def keys(rows: Matrix) -> set[tuple[str, int]]:
    return set(zip(rows.customers.tolist(), rows.snapshots.tolist(), strict=True))


def test_how_long_to_boost_is_judged_on_later_snapshots_of_customers_that_the_trees_did_not_see(judged: Spy) -> None:
    rows = train_rows()
    training.fit(rows, seed=7, threads=1)
    newest = {(FIRST + timedelta(days=day)).toordinal() for day in SNAPSHOTS[-2:]}
    assert len(judged.calls) == 5
    for train, later in judged.calls:
        assert set(later.snapshots.tolist()) == newest
        assert set(train.customers.tolist()).isdisjoint(later.customers.tolist())
    every_later_row = [key for _, later in judged.calls for key in keys(later)]
    assert sorted(every_later_row) == sorted(key for key in keys(rows) if key[1] in newest)


@pytest.mark.parametrize("start", [False, True])
def test_shares_and_calibrator_are_fitted_on_predictions_of_members_that_did_not_see_the_customer(
    start: bool, judged: Spy, monkeypatch: pytest.MonkeyPatch
) -> None:
    calibrated = Spy(calibration.fit)
    monkeypatch.setattr(calibration, "fit", calibrated)
    rows = train_rows(start=start)
    found = training.fit(rows, seed=7, threads=1)
    (trees, _, _), (straight, _, _), (both, _, _) = calibrated.calls
    assert all(labels.tolist() == rows.outcomes.tolist() for _, labels, _ in calibrated.calls)
    covered = np.zeros(len(rows), dtype=bool)
    for (train, _), (booster, _) in zip(judged.calls, judged.results, strict=True):
        unseen = ~np.isin(rows.customers.astype(str), train.customers.astype(str))
        assert booster.num_trees() >= found.rounds
        expected = rows.start + booster.predict(rows.values, raw_score=True, num_iteration=found.rounds)
        assert trees[unseen] == pytest.approx(expected[unseen], abs=1e-9)
        assert straight[unseen] == pytest.approx(fit_linear(rows.only(~unseen)).log_odds(rows)[unseen], abs=1e-9)
        assert not covered[unseen].any()
        covered |= unseen
    assert covered.all()
    assert found.shares == tuple(each.slope / 2 for each in calibrated.results[:2])
    assert both == pytest.approx(found.shares[0] * trees + found.shares[1] * straight)
    assert found.calibrator == calibrated.results[2]


def test_however_many_threads_there_are_the_model_is_the_same() -> None:
    """Of BLAS, of OpenMP, and our own: none of them may decide a last digit, hence a version's name."""
    rows = many_rows()
    names = set()
    for threads in (1, 2, 4):
        with threadpool_limits(limits=threads):
            names.add(artifact.version(artifact.to_files(training.fit(rows, seed=7, threads=threads))))
    assert len(names) == 1


@pytest.mark.parametrize("start", [False, True])
def test_each_member_counts_for_its_share(start: bool) -> None:
    found, rows = fitted(start=start), unseen_rows(start=start)
    trees, straight = boosting.raw_log_odds(found.booster, rows), found.linear.log_odds(rows)
    assert found.log_odds(rows) == pytest.approx(found.shares[0] * trees + found.shares[1] * straight)
    assert min(found.shares) > 0.2


def test_what_only_trees_can_see_is_not_blurred_by_the_linear_member() -> None:
    """Who is in the middle leaves, who is at an end seldom does, at one a little likelier: a line tells hardly that."""
    once, random = train_rows(start=False), np.random.default_rng(2)
    place = random.uniform(size=len(once))
    middle = (place > 0.3) & (place < 0.7)
    leaves = random.uniform(size=len(once)) < np.where(middle, 0.85, np.where(place < 0.5, 0.05, 0.25))
    rows = replace(once, columns=("place",), values=place[:, None], labels=leaves.astype(np.float64))
    trees, straight = training.fit(rows, seed=7, threads=1).shares
    assert straight < 0.05 * trees


def test_a_model_that_knows_its_customers_by_heart_is_not_believed_on_others() -> None:
    """Each customer has a number, and leaves or stays at random, always the same: learnt by heart, worth nothing."""
    once, random = train_rows(start=False), np.random.default_rng(4)
    names = np.unique(once.customers.astype(str))
    fate = dict(zip(names.tolist(), random.integers(0, 2, len(names)).astype(np.float64).tolist(), strict=True))
    number = random.permutation(len(names))[np.searchsorted(names, once.customers.astype(str))]
    rows = replace(
        once,
        columns=("number",),
        values=number[:, None].astype(np.float64),
        labels=np.array([fate[name] for name in once.customers.tolist()]),
    )
    by_heart = {"num_leaves": 63, "min_data_in_leaf": 1, "lambda_l2": 0.0, "learning_rate": 0.3}
    found = training.fit(rows, seed=7, threads=1, parameters=by_heart)
    raw = found.log_odds(rows)
    assert np.corrcoef(raw, rows.outcomes)[0, 1] > 0.5
    assert found.calibrator.slope * found.shares[0] < 0.25
    assert np.ptp(found.probability(unmoved(rows))) < 0.35


def test_later_rows_are_the_last_third_of_the_snapshots_and_at_least_one() -> None:
    rows = train_rows()
    assert set(rows.snapshots[later_rows(rows)].tolist()) == set(np.unique(rows.snapshots)[-2:].tolist())
    single = rows.only(rows.snapshots == rows.snapshots.min())
    assert later_rows(single).all()


@pytest.mark.parametrize(
    ("curves", "best"),
    [
        ([[0.6, 0.5, 0.4, 0.5]], 3),
        ([[0.6, 0.5, 0.4], [0.6, 0.3, 0.6]], 2),
        ([[0.6, 0.5], [0.6, 0.5, 0.1]], 2),  # the third round is not shared
        ([[0.5, 0.6, 0.7]], 1),
    ],
)
def test_the_best_round_has_the_least_mean_loss_that_all_folds_reached(curves: list[list[float]], best: int) -> None:
    assert best_round([np.array(curve) for curve in curves]) == best


@given(st.lists(st.text(min_size=1, max_size=5), min_size=1, max_size=30), st.randoms(use_true_random=False))
def test_a_customer_has_one_fold_whoever_else_is_there(names: list[str], random: Any) -> None:
    names = [name.replace("\0", "0") for name in names]
    folds = dict(zip(names, customer_fold(np.array(names, dtype=object)).tolist(), strict=True))
    some = random.sample(names, random.randint(1, len(names)))
    assert customer_fold(np.array(some, dtype=object)).tolist() == [folds[name] for name in some]


def test_folds_are_of_like_size() -> None:
    folds = customer_fold(np.array([f"C-{number}" for number in range(5_000)], dtype=object))
    assert np.bincount(folds).tolist() == pytest.approx([1_000] * 5, abs=100)


def test_a_fold_is_the_same_on_every_machine() -> None:
    assert customer_fold(np.array(["1", "2", "3", "A-17"], dtype=object)).tolist() == [3, 1, 3, 0]


# What is refused


def rows_of(customers: int, *, churned: int, snapshots: int = 2) -> Matrix:
    """`churned` of all rows left."""
    count = customers * snapshots
    labels = np.zeros(count)
    labels[:churned] = 1
    return Matrix(
        question=QUESTION,
        customers=np.array([f"C-{number % customers}" for number in range(count)], dtype=object),
        snapshots=np.repeat(np.arange(snapshots), customers),
        columns=("x",),
        values=np.arange(float(count))[:, None],
        start=np.zeros(count),
        labels=labels,
    )


@pytest.mark.parametrize("nothing", [None, rows_of(0, churned=0)], ids=["no snapshot", "no row"])
def test_nothing_matured_is_refused_in_words(nothing: Matrix | None) -> None:
    with pytest.raises(TrainingError) as refused:
        refuse_unfit(nothing, Limits())
    assert str(refused.value) == (
        "no snapshot has an outcome yet: none is old enough for its outcome window to have ended; wait, or shorten "
        "outcome.horizon_days"
    )


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (
            rows_of(1, churned=25, snapshots=50),
            "1 customer in the training snapshots; at least 100 are needed (training.min_customers)",
        ),
        (
            rows_of(99, churned=50),
            "99 customers in the training snapshots; at least 100 are needed (training.min_customers)",
        ),
        (
            rows_of(100, churned=0),
            (
                "0 of 200 outcomes in the training snapshots happened; at least 20 are needed to learn the difference "
                "(training.min_positives)"
            ),
        ),
        (
            rows_of(100, churned=200),
            (
                "0 of 200 outcomes in the training snapshots did not happen; at least 20 are needed to learn the "
                "difference (training.min_positives)"
            ),
        ),
        (
            rows_of(100, churned=19),
            (
                "19 of 200 outcomes in the training snapshots happened; at least 20 are needed to learn the difference "
                "(training.min_positives)"
            ),
        ),
    ],
    ids=["one customer", "too few customers", "nobody left", "everybody left", "too few left"],
)
def test_too_little_is_refused_in_words_that_say_what_is_missing(rows: Matrix, said: str) -> None:
    with pytest.raises(TrainingError) as refused:
        refuse_unfit(rows, Limits())
    assert str(refused.value) == said


def test_just_enough_is_let_through() -> None:
    rows = rows_of(100, churned=20)
    assert refuse_unfit(rows, Limits()) is rows


@pytest.mark.parametrize("customers", [1, 2, 3])
def test_too_few_customers_to_hold_some_out_are_refused_whatever_the_limits(customers: int) -> None:
    rows = train_rows()
    few = rows.only(np.isin(rows.customers, np.unique(rows.customers.astype(str))[:customers]))
    with pytest.raises(TrainingError, match="are too few to judge 5 groups of customers by; more customers are needed"):
        training.fit(refuse_unfit(few, Limits(1, 1)), seed=7, threads=1)
