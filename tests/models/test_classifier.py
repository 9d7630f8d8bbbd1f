"""The model under scikit-learn's and SHAP's own tools, as their users call them."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from functools import cache
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import shap
import sklearn
from scipy.special import expit
from sklearn.base import clone, is_classifier
from sklearn.calibration import CalibrationDisplay
from sklearn.inspection import PartialDependenceDisplay, partial_dependence, permutation_importance
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_score
from sklearn.utils.estimator_checks import check_estimator

from models import artifact, boosting, fitting, training
from models.classifier import UNASKED, ChurnClassifier, UnfitRowsError
from models.frames import LEVEL, START, as_frame, starts_from
from models.matrix import Matrix, matrix, stack
from models.training import Fitted, weighed
from tests.models.model_case import (
    FIRST,
    INDICATORS,
    QUESTION,
    SNAPSHOTS,
    fitted,
    snapshot_frame,
    train_rows,
    unmoved,
    unseen_rows,
    widened,
)

# scikit-learn's checks of an estimator that this one cannot pass, each with its reason; docs/scikit-learn.md says so.
CANNOT: dict[str, str] = {}
# Checks that scikit-learn skips by itself.
NOT_ASKED = {"check_array_api_input": "SCIPY_ARRAY_API is not set"}


def version(found: Fitted) -> str:
    return artifact.version(artifact.to_files(found))


def known(rows: Matrix) -> dict[str, Any]:
    return {"customers": rows.customers, "snapshots": rows.snapshots}


@cache
def with_countries(*days: int) -> Matrix:
    """Snapshots with a category, unknown of every fifth customer."""
    parts = []
    for day in days:
        frame = snapshot_frame(day)
        number = frame["customer_id"].str[2:].astype(int)
        frame = frame.assign(country=np.array(["FR", "DE", "ES", "IT", None], dtype=object)[number % 5])
        columns = ("country", *INDICATORS)
        at = FIRST + timedelta(days=day)
        parts.append(matrix(frame, at, question=QUESTION, columns=columns, categories=("country",), start_model=True))
    return stack(parts)


@pytest.fixture(scope="module")
def model() -> ChurnClassifier:
    """Fitted by scikit-learn's own way in, on the rows that `fitted` has."""
    rows = train_rows()
    return ChurnClassifier(random_state=7, question=QUESTION).fit(as_frame(rows), rows.outcomes, **known(rows))


@pytest.fixture
def few_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boosting, "MAX_ROUNDS", 30)


def test_it_is_the_model_of_attrition_train_to_the_last_digit(model: ChurnClassifier) -> None:
    assert version(model.fitted_) == version(fitted())
    assert (model.predict_proba(as_frame(unseen_rows()))[:, 1] == fitted().probability(unmoved(unseen_rows()))).all()


@pytest.mark.parametrize("start", [True, False], ids=["with a start model", "without"])
def test_shuffled_rows_are_the_same_model(start: bool, few_rounds: None) -> None:
    rows = train_rows(start=start)
    order = np.random.default_rng(3).permutation(len(rows))
    given = {name: each[order] for name, each in known(rows).items()}
    found = ChurnClassifier(random_state=7, question=QUESTION).fit(
        as_frame(rows).iloc[order], rows.outcomes[order], **given
    )
    assert version(found.fitted_) == version(training.fit(rows, seed=7, threads=1))


def test_columns_of_text_are_the_categories_of_the_model(few_rounds: None) -> None:
    rows, later = with_countries(180, 210), with_countries(300)
    found = ChurnClassifier(random_state=7, question=QUESTION).fit(as_frame(rows), rows.outcomes, **known(rows))
    assert version(found.fitted_) == version(training.fit(rows, seed=7, threads=1))
    assert set(found.fitted_.encoder.shares["country"]) == {"", "DE", "ES", "FR", "IT"}
    assert (found.predict_proba(as_frame(later))[:, 1] == found.fitted_.probability(unmoved(later))).all()
    nulls = as_frame(later).assign(country=lambda frame: frame["country"].replace("", None))
    assert (found.predict_proba(nulls) == found.predict_proba(as_frame(later))).all()


def test_a_model_that_is_there_is_a_classifier_too() -> None:
    of, rows = ChurnClassifier.of(fitted(), random_state=7), fitted().levelled(unseen_rows())
    assert (of.predict_proba(as_frame(rows))[:, 1] == fitted().probability(rows)).all()
    assert of.classes_.tolist() == [0, 1]
    assert of.feature_names_in_.tolist() == [*fitted().columns, START, LEVEL]
    assert of.get_params()["question"] == QUESTION


def test_wide_rows_start_from_nothing() -> None:
    wide = widened(train_rows())
    assert not starts_from(wide.columns)
    assert START not in as_frame(wide).columns
    assert starts_from(train_rows().columns)
    assert not starts_from(train_rows(start=False).columns)


def test_a_clone_has_the_parameters_and_nothing_that_was_learned(model: ChurnClassifier) -> None:
    found = clone(ChurnClassifier(random_state=3, num_leaves=7, question=QUESTION))
    assert found.get_params() == {
        "random_state": 3,
        "n_jobs": 1,
        "tuning_trials": 0,
        "learning_rate": None,
        "num_leaves": 7,
        "min_data_in_leaf": None,
        "feature_fraction": None,
        "bagging_fraction": None,
        "lambda_l2": None,
        "question": QUESTION,
    }
    assert not hasattr(clone(model), "fitted_")
    assert is_classifier(model)


def test_parameters_are_those_of_lightgbm(few_rounds: None) -> None:
    rows = train_rows()
    found = ChurnClassifier(random_state=7, num_leaves=3, lambda_l2=1.0).fit(
        as_frame(rows), rows.outcomes, **known(rows)
    )
    expected = fitting.fit(
        replace(rows, question=UNASKED), seed=7, threads=1, parameters={"num_leaves": 3, "lambda_l2": 1.0}
    )
    assert version(found.fitted_) == version(expected)


def test_scikit_learns_own_checks_pass(few_rounds: None) -> None:
    found = check_estimator(ChurnClassifier(), expected_failed_checks=CANNOT, on_fail=None, on_skip=None)
    assert {each["check_name"] for each in found if each["status"] == "failed"} == set()
    assert {each["check_name"] for each in found if each["status"] == "xfail"} == set(CANNOT)
    assert {each["check_name"] for each in found if each["status"] == "skipped"} == set(NOT_ASKED)
    assert Counter(each["status"] for each in found)["passed"] >= 50


def test_cross_validation_hands_over_customers_and_days(few_rounds: None) -> None:
    rows = train_rows()
    folds = GroupKFold(3)
    found = cross_val_score(
        ChurnClassifier(random_state=7),
        as_frame(rows),
        rows.outcomes,
        cv=folds,
        groups=rows.customers,
        scoring="neg_log_loss",
        params=known(rows),
    )
    for score, (train, test) in zip(found, folds.split(rows.values, groups=rows.customers), strict=True):
        places = np.arange(len(rows))
        expected = training.fit(rows.only(np.isin(places, train)), seed=7, threads=1)
        judged = rows.only(np.isin(places, test))
        assert -score == pytest.approx(log_loss(judged.outcomes, expected.probability(unmoved(judged))), abs=1e-12)


def test_metadata_routing_knows_customers_and_days(few_rounds: None) -> None:
    rows = train_rows()
    with sklearn.config_context(enable_metadata_routing=True):
        asked = ChurnClassifier(random_state=7).set_fit_request(customers=True, snapshots=True)
        found = cross_val_score(
            asked,
            as_frame(rows),
            rows.outcomes,
            cv=GroupKFold(3),
            scoring="roc_auc",
            params={**known(rows), "groups": rows.customers},
        )
    assert (found > 0.7).all()


def test_a_grid_of_parameters_is_searched(few_rounds: None) -> None:
    rows = train_rows()
    search = GridSearchCV(ChurnClassifier(), {"num_leaves": [4, 15]}, cv=GroupKFold(2), scoring="neg_log_loss")
    search.fit(as_frame(rows), rows.outcomes, groups=rows.customers, **known(rows))
    assert search.best_params_["num_leaves"] in {4, 15}
    assert search.best_estimator_.fitted_.rows == len(rows)


def test_permutation_importance_counts_the_start_as_a_column(model: ChurnClassifier) -> None:
    rows = train_rows()
    found = permutation_importance(model, as_frame(rows), rows.outcomes, scoring="roc_auc", n_repeats=2, random_state=0)
    means = dict(zip(model.feature_names_in_, found.importances_mean, strict=True))
    assert set(means) == {*rows.columns, START}
    assert means[START] > 0.01
    assert max(means.values()) < 0.5


def test_the_calibration_display_takes_it(model: ChurnClassifier) -> None:
    rows = train_rows()
    shown = CalibrationDisplay.from_estimator(model, as_frame(rows), rows.outcomes, n_bins=5, strategy="quantile")
    assert (shown.y_prob == fitted().probability(unmoved(rows))).all()
    assert np.abs(shown.prob_pred - shown.prob_true).max() < 0.08
    plt.close("all")


def test_partial_dependence_is_the_mean_prediction_with_a_column_set(model: ChurnClassifier) -> None:
    rows = train_rows()
    frame = as_frame(rows)
    found = partial_dependence(model, frame, ["days_since_last_order"], kind="average", grid_resolution=5)
    for value, average in zip(found["grid_values"][0], found["average"][0], strict=True):
        expected = model.predict_proba(frame.assign(days_since_last_order=value))[:, 1].mean()
        assert average == pytest.approx(expected, abs=1e-12)
    shown = PartialDependenceDisplay.from_estimator(model, frame, ["days_since_last_order", START], grid_resolution=5)
    assert len(shown.lines_.ravel()) == 2
    plt.close("all")


def test_partial_dependence_takes_categories(few_rounds: None) -> None:
    rows = with_countries(180, 210)
    found = ChurnClassifier().fit(as_frame(rows), rows.outcomes, **known(rows))
    shown = partial_dependence(found, as_frame(rows), ["country"], categorical_features=["country"], kind="average")
    assert sorted(shown["grid_values"][0]) == ["", "DE", "ES", "FR", "IT"]


def test_shap_explains_its_probabilities(model: ChurnClassifier) -> None:
    frame = as_frame(unseen_rows())
    explainer = shap.PermutationExplainer(model.predict_proba, frame.iloc[:5], seed=0)
    found = explainer(frame.iloc[20:22], max_evals=100, silent=True)
    assert found.base_values + found.values.sum(axis=1) == pytest.approx(model.predict_proba(frame.iloc[20:22]))
    assert found.feature_names == [*unseen_rows().columns, START]


@pytest.mark.parametrize("start", [True, False], ids=["with a start model", "without"])
def test_shaps_trees_explain_its_booster(start: bool) -> None:
    rows, of = unmoved(unseen_rows(start=start)), ChurnClassifier.of(fitted(start=start))
    read = of.booster_input(as_frame(rows))
    explainer = shap.TreeExplainer(of.booster_)
    odds = explainer.expected_value + explainer.shap_values(read).sum(axis=1) + rows.start
    odds = weighed((odds, of.fitted_.linear.log_odds(of.fitted_.started(rows))), of.fitted_.shares)
    found = expit(of.fitted_.calibrator.intercept + of.fitted_.calibrator.slope * odds)
    assert found == pytest.approx(of.predict_proba(as_frame(rows))[:, 1])


def test_labels_may_be_words_and_the_second_is_the_one_that_is_told(few_rounds: None) -> None:
    rows = train_rows()
    words = np.where(rows.outcomes == 1, "stays away", "orders")
    found = ChurnClassifier().fit(as_frame(rows), words, **known(rows))
    assert found.classes_.tolist() == ["orders", "stays away"]
    assert roc_auc_score(rows.outcomes, found.predict_proba(as_frame(rows))[:, 1]) > 0.8
    assert set(found.predict(as_frame(rows))) == {"orders", "stays away"}


def test_columns_of_any_name_are_taken(few_rounds: None) -> None:
    rows = train_rows(start=False)
    odd = as_frame(rows).rename(columns=lambda name: f'{name} [€, "total"]')
    found = ChurnClassifier(random_state=7, question=QUESTION).fit(odd, rows.outcomes, **known(rows))
    plain = training.fit(rows, seed=7, threads=1)
    assert (found.predict_proba(odd)[:, 1] == plain.probability(unmoved(rows))).all()


def test_a_frame_with_its_columns_in_another_order_is_refused(model: ChurnClassifier) -> None:
    frame = as_frame(unseen_rows())
    with pytest.raises(ValueError, match="must be in the same order"):
        model.predict_proba(frame[frame.columns[::-1]])
    with pytest.raises(ValueError, match="Feature names seen at fit time, yet now missing"):
        model.predict_proba(frame.drop(columns=START))


def test_text_where_a_number_was_learned_is_refused_by_name(model: ChurnClassifier) -> None:
    with pytest.raises(ValueError, match="column 'orders_90d' is str, where the model reads a number"):
        model.predict_proba(as_frame(unseen_rows()).assign(orders_90d="many"))


def test_rows_without_two_labels_or_without_enough_customers_are_refused() -> None:
    rows = train_rows()
    with pytest.raises(ValueError, match="The labels have one class"):
        ChurnClassifier().fit(as_frame(rows), np.ones(len(rows)))
    one = np.full(len(rows), "C-1")
    with pytest.raises(UnfitRowsError, match="too few to judge"):
        ChurnClassifier().fit(as_frame(rows), rows.outcomes, customers=one)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        ChurnClassifier().fit(as_frame(rows), rows.outcomes, customers=one[1:])


def test_numbers_without_names_are_rows_without_a_start() -> None:
    chance = np.random.default_rng(0)
    values = chance.normal(size=(400, 2))
    labels = (values[:, 0] + chance.normal(size=400) > 0).astype(int)
    found = ChurnClassifier().fit(values, labels)
    assert found.fitted_.columns == ("x0", "x1")
    assert roc_auc_score(labels, found.predict_proba(pd.DataFrame(values).to_numpy())[:, 1]) > 0.75


def test_the_folds_of_a_snapshot_are_the_customers_that_were_named(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Matrix] = []

    def fit(rows: Matrix, **_: Any) -> Fitted:
        seen.append(rows)
        return fitted()

    monkeypatch.setattr(fitting, "fit", fit)
    rows = train_rows()
    ChurnClassifier().fit(as_frame(rows), rows.outcomes, **known(rows))
    assert seen[0].customers.tolist() == rows.customers.tolist()
    assert set(seen[0].snapshots.tolist()) == {(FIRST + timedelta(days=day)).toordinal() for day in SNAPSHOTS}
