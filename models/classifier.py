"""The model as a scikit-learn classifier: what `attrition train` fits, for scikit-learn's and SHAP's own tools."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any, Self

import lightgbm as lgb
import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_array, check_consistent_length, column_or_1d
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import check_is_fitted, validate_data

from features.cohort import Cohort
from features.errors import TrainingError
from features.subscription_periods import Endings
from models import fitting
from models.frames import LEVEL, SNAPSHOT, START, as_matrix, columns_of, is_text
from models.matrix import ENTITY, Matrix, ordinals
from models.question import Question
from models.training import Fitted

Floats = npt.NDArray[np.float64]

UNASKED = Question.of(  # of rows that are no workspace's: no settings ask it, so such a model scores nobody
    "inactivity",
    lead_days=0,
    horizon_days=0,
    cohort=Cohort(kind="ever_ordered"),
    endings=Endings(),
    price_rise_is_expansion=False,
)
_LIGHTGBM = ("learning_rate", "num_leaves", "min_data_in_leaf", "feature_fraction", "bagging_fraction", "lambda_l2")
_PLAIN = re.compile(r"[A-Za-z0-9_]+")  # LightGBM rewrites or refuses other names


class UnfitRowsError(TrainingError, ValueError):
    """Rows that nothing can be learned from; scikit-learn's tools look for a ValueError."""


class ChurnClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn ships no types
    """Boosted trees beside a linear model, calibrated on customers that neither had seen: the fit of `attrition train`.

    Parameters
    ----------
    random_state : int
        The seed: `seed` of the settings' section `training`.
    n_jobs : int
        Threads. The result does not depend on how many.
    tuning_trials : int
        So many settings of LightGBM are tried first, and the best is taken.
    learning_rate, num_leaves, min_data_in_leaf, feature_fraction, bagging_fraction, lambda_l2 : optional
        LightGBM's parameters. None: as `attrition train` has it, which depends on how many columns there are.
    question : Question, optional
        What the labels say. None where the rows are no workspace's.

    Attributes
    ----------
    classes_ : (2,) the labels; the second is the one whose probability is told
    fitted_ : models.training.Fitted
    booster_ : lightgbm.Booster
    n_features_in_, feature_names_in_ : as everywhere in scikit-learn

    See Also
    --------
    as_frame : the rows of a workspace as this classifier reads them.
    pipelines.prediction.training.splits.SnapshotSplit : folds that know of no outcome too early.

    Examples
    --------
    >>> random = np.random.default_rng(0)
    >>> X = pd.DataFrame({"days_since_last_order": random.integers(0, 200, 300)})
    >>> y = (X["days_since_last_order"] > random.integers(0, 200, 300)).to_numpy()
    >>> model = ChurnClassifier().fit(X, y)
    >>> model.predict(pd.DataFrame({"days_since_last_order": [3, 190]}))
    array([False,  True])
    """

    def __init__(
        self,
        *,
        random_state: int = 0,
        n_jobs: int = 1,
        tuning_trials: int = 0,
        learning_rate: float | None = None,
        num_leaves: int | None = None,
        min_data_in_leaf: int | None = None,
        feature_fraction: float | None = None,
        bagging_fraction: float | None = None,
        lambda_l2: float | None = None,
        question: Question | None = None,
    ) -> None:
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.tuning_trials = tuning_trials
        self.learning_rate = learning_rate
        self.num_leaves = num_leaves
        self.min_data_in_leaf = min_data_in_leaf
        self.feature_fraction = feature_fraction
        self.bagging_fraction = bagging_fraction
        self.lambda_l2 = lambda_l2
        self.question = question

    @classmethod
    def of(cls, fitted: Fitted, **parameters: Any) -> Self:
        """A model that is there already, such as the champion's, as a classifier. parameters: of a clone's fit."""
        found = cls(question=fitted.question, **parameters)
        found.fitted_ = fitted
        found.classes_ = np.array([0.0, 1.0])
        found.feature_names_in_ = np.array(columns_of(fitted), dtype=object)
        found.n_features_in_ = len(found.feature_names_in_)
        return found

    def fit(self, X: Any, y: Any, *, customers: Any = None, snapshots: Any = None) -> Self:  # noqa: N803 - its name
        """Fit on every row.

        Parameters
        ----------
        X
            (n, m) array or frame of numbers, NaN for null; columns of text in a frame are categories. A column
            `start_log_odds` of a frame is what the trees start from.
        y
            (n,) two labels.
        customers
            (n,) ids: all rows of a customer are on one side of each inner fold. None: as the index of X says
            (`customer_id`), and without such an index each row is a customer.
        snapshots
            (n,) the snapshot days, or their ordinals: the later ones judge how long to boost. None: as the index of X
            says (`snapshot_on`), and without such an index all rows are of one day.

        Raises
        ------
        ValueError
            Where there are not two labels, or too few rows to learn from.
        """
        table, names = self._table(X, reset=True)
        labels = self._labels(table, y)
        self.classes_, coded = np.unique(labels, return_inverse=True)
        count = len(table)
        customers = _index(X, ENTITY) if customers is None else np.asarray(customers)
        snapshots = _index(X, SNAPSHOT) if snapshots is None else snapshots
        ids = np.array([f"{row:012d}" for row in range(count)]) if customers is None else customers
        days = np.zeros(count, dtype=np.int64) if snapshots is None else ordinals(snapshots)
        check_consistent_length(table, ids, days)
        order = np.lexsort((ids.astype(str), days))  # as `models.matrix.stack` sorts them
        texts = [name for name in table.columns if is_text(table[name])]
        rows = as_matrix(table.iloc[order], names, texts, question=self.question or UNASKED)
        rows = replace(
            rows, customers=ids[order].astype(object), snapshots=days[order], labels=coded[order].astype(np.float64)
        )
        chosen = {name: value for name in _LIGHTGBM if (value := getattr(self, name)) is not None}
        try:
            self.fitted_ = fitting.fit(
                rows,
                seed=self.random_state,
                threads=self.n_jobs,
                tuning_trials=self.tuning_trials,
                parameters=chosen,
            )
        except TrainingError as error:
            raise UnfitRowsError(str(error)) from None
        return self

    def predict_proba(self, X: Any) -> Floats:  # noqa: N803
        """(n, 2) calibrated probabilities of `classes_`; the second column is the churn_probability, bit for bit.

        How many of a day leave is forecast, too. A model of a workspace reads it in the column `level_log_odds`, as
        `model_input` gives it. One that was fitted here finds it itself for each day in the index of X, of which X then
        holds everybody at risk; without days it leaves it out.
        """
        check_is_fitted(self)
        probability = self.fitted_.probability(self._rows(X))
        return np.column_stack([1.0 - probability, probability])

    def predict(self, X: Any) -> npt.NDArray[Any]:  # noqa: N803
        """(n,) the likelier label."""
        probability = self.predict_proba(X)[:, 1]
        return np.asarray(self.classes_[(probability > 0.5).astype(np.intp)])

    @property
    def booster_(self) -> lgb.Booster:
        """LightGBM's own object, for tools that want it. It reads `booster_input`."""
        check_is_fitted(self)
        booster: lgb.Booster = self.fitted_.booster
        return booster

    def booster_input(self, X: Any) -> pd.DataFrame:  # noqa: N803
        """The columns that the trees read: categories as numbers, without the start."""
        check_is_fitted(self)
        rows = self.fitted_.started(self._rows(X))
        return pd.DataFrame(rows.values, columns=list(rows.columns))

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "fitted_")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        tags.input_tags.allow_nan = True
        tags.input_tags.categorical = True
        return tags

    def _table(self, given: Any, *, reset: bool) -> tuple[pd.DataFrame, tuple[str, ...]]:
        """The given columns as a frame, and what the model calls them."""
        if isinstance(given, pd.DataFrame):
            wanted = not reset and LEVEL in getattr(self, "feature_names_in_", ())
            if LEVEL in given.columns and not wanted:
                given = given.drop(columns=LEVEL)  # another model found it
            elif wanted and LEVEL not in given.columns:
                raise ValueError(f"the rows lack {LEVEL}; take them from `model_input`, which tells it of a whole day")
            validate_data(self, given, reset=reset, skip_check_array=True)
            if len(given) < 1 + reset:
                raise ValueError(f"Found array with {len(given)} sample(s) while a minimum of {1 + reset} is required.")
            table = given.reset_index(drop=True)
        else:
            least = 2 if reset else 1
            values = validate_data(
                self, given, reset=reset, dtype=np.float64, ensure_all_finite=False, ensure_min_samples=least
            )
            table = pd.DataFrame(values, columns=[f"x{number}" for number in range(values.shape[1])])
        plain = all(isinstance(name, str) and _PLAIN.fullmatch(name) for name in table.columns)
        if not plain:
            table = table.set_axis([f"x{number}" for number in range(table.shape[1])], axis=1)
        return table, tuple(name for name in table.columns if name not in (START, LEVEL))

    def _labels(self, table: pd.DataFrame, y: Any) -> npt.NDArray[Any]:
        if y is None:
            raise ValueError("This ChurnClassifier estimator requires y to be passed, but the target y is None.")
        labels = column_or_1d(check_array(y, ensure_2d=False, dtype=None, input_name="y"), warn=True)
        check_consistent_length(table, labels)
        check_classification_targets(labels)
        found = np.unique(labels)
        if len(found) > 2:
            kind = type_of_target(labels)
            raise ValueError(f"Only binary classification is supported. The type of the target is {kind}.")
        if len(found) < 2:
            raise ValueError("The labels have one class; two are needed to learn the difference")
        return np.asarray(labels)

    def _rows(self, given: Any) -> Matrix:
        fitted: Fitted = self.fitted_
        table, names = self._table(given, reset=False)
        rows = as_matrix(table, names, list(fitted.encoder.shares), question=fitted.question)
        if rows.level is not None:
            return rows
        days = _index(given, SNAPSHOT)
        if days is None:
            return replace(rows, level=np.zeros(len(rows)))
        return fitted.levelled(replace(rows, snapshots=ordinals(days)))


def _index(given: Any, name: str) -> npt.NDArray[Any] | None:
    """A level of a frame's index; None where it has none of that name."""
    index = given.index if isinstance(given, pd.DataFrame) else pd.RangeIndex(0)
    return np.asarray(index.get_level_values(name)) if name in index.names else None
