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

PARAMETERS: Mapping[str, float | int | bool | str] = {
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

# Hundreds of indicators say the same thing many times over: small trees that look at some sixty of them each, in
# coarser bins, are grown in a fraction of the time and rank no worse (docs/decisions/0009).
WIDE = 100
_LOOKED_AT = 60
_FOR_WIDE: Mapping[str, float | int] = {"learning_rate": 0.1, "num_leaves": 7, "max_bin": 63}


def started(rows: Matrix) -> Matrix:
    """The rows with the log-odds that their trees start from.

    Wide tables start from nothing: the start model knows orders alone, hundreds of indicators correct most of what it
    says, and its figures are columns of their own (docs/decisions/0009).
    """
    return replace(rows, start=np.zeros(len(rows))) if len(rows.columns) > WIDE else rows


def grow(
    train: Matrix, *, rounds: int, parameters: Mapping[str, float | int | bool | str], seed: int, threads: int
) -> lgb.Booster:
    """Boost from the start log-odds. Rows must come sorted, as `models.matrix.stack` leaves them."""
    data = lgb.Dataset(train.values, train.outcomes, init_score=train.start, feature_name=list(train.columns))
    return lgb.train(_all(train, parameters, seed=seed, threads=threads), data, num_boost_round=rounds)


def losses(
    train: Matrix,
    later: Matrix,
    *,
    parameters: Mapping[str, float | int | bool | str],
    seed: int,
    threads: int,
    patience: int = 60,
) -> tuple[lgb.Booster, Floats]:
    """Boost until the log loss on `later` has not fallen for `patience` rounds; the booster and its loss per round."""
    data = lgb.Dataset(train.values, train.outcomes, init_score=train.start, feature_name=list(train.columns))
    watched = lgb.Dataset(later.values, later.outcomes, init_score=later.start, reference=data)
    seen: dict[str, dict[str, list[float]]] = {}
    booster = lgb.train(
        _all(train, parameters, seed=seed, threads=threads),
        data,
        num_boost_round=MAX_ROUNDS,
        valid_sets=[watched],
        callbacks=[lgb.record_evaluation(seen), lgb.early_stopping(patience, verbose=False)],
        keep_training_booster=True,
    )
    # Every round stays: LightGBM drops those after this booster's own best, and the best of all folds may be later.
    booster = booster.model_from_string(booster.model_to_string(num_iteration=-1)).free_dataset()
    return booster, np.array(seen["valid_0"]["binary_logloss"])


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


def _all(
    train: Matrix, parameters: Mapping[str, float | int | bool | str], *, seed: int, threads: int
) -> dict[str, object]:
    fixed = {"deterministic": True, "force_col_wise": True, "verbosity": -1, "metric": "binary_logloss"}
    wide = len(train.columns) > WIDE
    chosen = {**PARAMETERS, **_FOR_WIDE, "feature_fraction": _LOOKED_AT / len(train.columns)} if wide else PARAMETERS
    return {**chosen, **parameters, **fixed, "seed": seed, "num_threads": threads}
