"""LightGBM, so that the same rows give the same trees, and a damaged model is never parsed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace

import lightgbm as lgb
import numpy as np
import numpy.typing as npt

from features.errors import IntegrityError
from models.matrix import Matrix
from models.tree_text import refuse_malformed

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Parameter = float | int | bool | str

PARAMETERS: Mapping[str, Parameter] = {
    "objective": "binary",
    "learning_rate": 0.03,
    "num_leaves": 15,
    "min_data_in_leaf": 100,
    "feature_fraction": 0.7,
    "bagging_fraction": 0.7,
    "bagging_freq": 1,
    "lambda_l2": 10.0,
}
MAX_ROUNDS = 1200
PATIENCE = 60  # rounds without a smaller loss

# Hundreds of indicators say the same thing many times over: small trees that look at some sixty of them each are grown
# in a fraction of the time and rank no worse (docs/decisions/0009).
WIDE = 100
_LOOKED_AT = 60
_FOR_WIDE: Mapping[str, float | int] = {"learning_rate": 0.1, "num_leaves": 7, "max_bin": 63}


def started(rows: Matrix) -> Matrix:
    """The rows with the log-odds that their trees start from.

    Wide tables start from nothing: the start model knows orders alone, hundreds of indicators correct most of what it
    says, and its figures are columns of their own (docs/decisions/0009).
    """
    return replace(rows, start=np.zeros(len(rows))) if len(rows.columns) > WIDE else rows


class Binned:
    """Rows in LightGBM's bins, made once: fits on parts of them, from whichever start, share these.

    Rows must come sorted, as `models.matrix.stack` leaves them. parameters: of the trees; a fit may change those that
    bins do not depend on.
    """

    def __init__(self, rows: Matrix, *, parameters: Mapping[str, Parameter], seed: int, threads: int) -> None:
        self.rows, self._parameters, self._seed = rows, parameters, seed
        asked = _all(rows, parameters, seed=seed, threads=threads)
        self._data = lgb.Dataset(
            rows.values, rows.outcomes, weight=rows.weights, feature_name=list(rows.columns), params=asked
        ).construct()

    def grow(self, start: Floats, *, rounds: int, threads: int) -> lgb.Booster:
        """Boost on every row. start: (n,) log-odds that the trees start from."""
        asked = _all(self.rows, self._parameters, seed=self._seed, threads=threads)
        return lgb.train(asked, self._data.set_init_score(start), num_boost_round=rounds)

    def losses(
        self,
        start: Floats,
        train: Flags,
        later: Flags,
        *,
        threads: int,
        parameters: Mapping[str, Parameter] | None = None,
        patience: int = PATIENCE,
    ) -> tuple[lgb.Booster, Floats]:
        """Boost until the log loss on the rows `later` has not fallen for `patience` rounds, and that loss per round.

        start: (n,) log-odds that the trees start from. train, later: (n,) which rows are learned from, and judged on.
        """
        asked = _all(self.rows, {**self._parameters, **(parameters or {})}, seed=self._seed, threads=threads)
        seen: dict[str, dict[str, list[float]]] = {}
        booster = lgb.train(
            asked,
            self._part(start, train),
            num_boost_round=MAX_ROUNDS,
            valid_sets=[self._part(start, later)],
            callbacks=[lgb.record_evaluation(seen), lgb.early_stopping(patience, verbose=False)],
            keep_training_booster=True,
        )
        # Every round stays: LightGBM drops those after this booster's own best, and the best of all folds may be later.
        booster = booster.model_from_string(booster.model_to_string(num_iteration=-1)).free_dataset()
        return booster, np.array(seen["valid_0"]["binary_logloss"])

    def _part(self, start: Floats, rows: Flags) -> lgb.Dataset:
        return self._data.subset(np.flatnonzero(rows).tolist()).construct().set_init_score(start[rows])


def raw_log_odds(booster: lgb.Booster, rows: Matrix, *, rounds: int | None = None) -> Floats:
    """Start plus trees: log-odds before calibration. Raises ValueError where columns are not those of the fit."""
    if booster.feature_name() != list(rows.columns):
        raise ValueError("the columns are not those that the model was fitted on, in that order")
    if not len(rows):
        return np.empty(0)
    trees = booster.predict(rows.values, raw_score=True, num_iteration=rounds)
    return rows.start + np.asarray(trees, dtype=np.float64)


def to_text(booster: lgb.Booster) -> str:
    """LightGBM's own text format without the parameters, which name the number of threads but change no prediction."""
    trees = booster.model_to_string(num_iteration=-1)
    for unneeded in ("\nparameters:", "\npandas_categorical:"):  # the latter alone follows where a text was parsed
        trees, _, _ = trees.partition(unneeded)
    return trees + "\n"


def parameters_of(booster: lgb.Booster) -> dict[str, str]:
    """Every parameter of a fit, LightGBM's defaults included, as it tells them, none of one that was read from a text.

    >>> rows = lgb.Dataset(np.arange(20.0)[:, None], np.arange(20) % 2, params={"verbosity": -1})
    >>> parameters_of(lgb.train({"num_leaves": 3, "verbosity": -1}, rows, num_boost_round=1))["num_leaves"]
    '3'
    """
    _, _, told = booster.model_to_string(num_iteration=1).partition("\nparameters:\n")
    lines = [line[1:-1].partition(": ") for line in told.partition("\nend of parameters")[0].splitlines()]
    return {name: value for name, _, value in lines if name and value}


def from_text(text: str, sha256: str, columns: Sequence[str]) -> lgb.Booster:
    """Parse a model over some columns, once its hash and its structure were seen to be right.

    LightGBM crashes the process on a truncated one, and on one that was made to.
    """
    if digest(text) != sha256:
        raise IntegrityError("the model's text is not the one that was registered; restore it, or retrain")
    refuse_malformed(text, columns)
    return lgb.Booster(model_str=text)


def digest(text: str) -> str:
    """SHA-256 of a text, in hexadecimal digits."""
    return hashlib.sha256(text.encode()).hexdigest()


def _all(train: Matrix, parameters: Mapping[str, Parameter], *, seed: int, threads: int) -> dict[str, object]:
    fixed = {
        "deterministic": True,
        "force_col_wise": True,
        "feature_pre_filter": False,  # bins are shared by fits with other parameters
        "verbosity": -1,
        "metric": "binary_logloss",
    }
    wide = len(train.columns) > WIDE
    chosen = {**PARAMETERS, **_FOR_WIDE, "feature_fraction": _LOOKED_AT / len(train.columns)} if wide else PARAMETERS
    return {**chosen, **parameters, **fixed, "seed": seed, "num_threads": threads}
