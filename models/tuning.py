"""Optuna over LightGBM's parameters, judged on later snapshots of customers that the trees did not see."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import optuna

from models import boosting, encoder
from models.matrix import Matrix
from models.training import best_round, customer_fold, later_rows, refuse_thin_folds

TUNING_FOLDS = (0, 1)  # two of the customer folds: tuning compares settings, it need not be exact


def tune(
    train: Matrix, *, trials: int, seed: int, threads: int, progress: Callable[[str], None] = lambda _: None
) -> dict[str, float | int | bool | str]:
    """The best parameters of so many trials, by mean log loss on the later snapshots; one seed, one answer."""
    folds, later = customer_fold(train.customers), later_rows(train)
    refuse_thin_folds(folds, later)
    train = encoder.cross_fitted(train, folds)
    binned = boosting.Binned(train, parameters={}, seed=seed, threads=threads)

    def loss(trial: optuna.Trial) -> float:
        parameters: dict[str, float | int | bool | str] = {
            "num_leaves": trial.suggest_int("num_leaves", 4, 63, log=True),
            "min_data_in_leaf": trial.suggest_int("min_data_in_leaf", 20, 1000, log=True),
            "feature_fraction": trial.suggest_float("feature_fraction", 0.3, 1.0),
            "bagging_fraction": trial.suggest_float("bagging_fraction", 0.4, 1.0),
            "lambda_l2": trial.suggest_float("lambda_l2", 0.1, 100.0, log=True),
        }
        curves = []
        for fold in TUNING_FOLDS:
            learned, judged = folds != fold, (folds == fold) & later
            _, curve = binned.losses(train.start, learned, judged, parameters=parameters, threads=threads)
            curves.append(curve)
        progress(f"tuning trial {trial.number + 1} of {trials}")
        best = best_round(curves)
        return float(np.mean([curve[best - 1] for curve in curves]))

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed))
    study.optimize(loss, n_trials=trials)
    return dict(study.best_params)
