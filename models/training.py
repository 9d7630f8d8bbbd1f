"""From matured snapshots to a calibrated model."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import lightgbm as lgb
import numpy as np
import numpy.typing as npt

from features.errors import TrainingError
from models import boosting, calibration
from models.calibration import Calibrator
from models.matrix import Matrix

Floats = npt.NDArray[np.float64]

CUSTOMER_FOLDS = 5
LATER_SHARE = 1 / 3  # the last third of the snapshots judges how long to boost


@dataclass(frozen=True)
class Fitted:
    """A model: trees over named columns, started from the start model's log-odds, then calibrated.

    average_start: mean start log-odds of the training rows, against which the start counts as a contribution.
    """

    booster: lgb.Booster
    columns: tuple[str, ...]
    calibrator: Calibrator
    rounds: int
    average_start: float
    rows: int
    snapshots: tuple[int, ...]

    def log_odds(self, rows: Matrix) -> Floats:
        return boosting.raw_log_odds(self.booster, rows)

    def probability(self, rows: Matrix) -> Floats:
        """(n,) calibrated churn_probability: 0 to 1, higher is worse."""
        return self.calibrator.probability(self.log_odds(rows))


@dataclass(frozen=True)
class Limits:
    """Below these a model would be fitted on noise."""

    min_customers: int = 100
    min_positives: int = 20


def fit(
    train: Matrix,
    *,
    seed: int,
    threads: int,
    parameters: Mapping[str, float | int | bool | str] | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> Fitted:
    """Fit on every row, with rounds and calibration from customers that the judged trees did not see.

    Customers are dealt into folds. For each fold, trees are grown on the other customers; how long to boost is judged on
    the fold's outcomes at the later snapshots, and the calibrator is fitted on the fold's outcomes at every snapshot
    (the base rate of one season alone would be a poor guide to the next).
    """
    parameters = parameters or {}
    grown, curves, out_of_fold = [], [], np.empty(len(train))
    folds, later = customer_fold(train.customers), later_rows(train)
    for fold in range(CUSTOMER_FOLDS):
        held_out = folds == fold
        booster, curve = boosting.losses(
            train.only(~held_out), train.only(held_out & later), parameters=parameters, seed=seed, threads=threads
        )
        grown.append(booster)
        curves.append(curve)
        progress(f"customer fold {fold + 1} of {CUSTOMER_FOLDS}")
    rounds = best_round(curves)
    for fold, booster in enumerate(grown):
        held_out = folds == fold
        out_of_fold[held_out] = boosting.raw_log_odds(booster, train.only(held_out), rounds=rounds)
    booster = boosting.grow(train, rounds=rounds, parameters=parameters, seed=seed, threads=threads)
    progress("all customers")
    return Fitted(
        booster=booster,
        columns=train.columns,
        calibrator=calibration.fit(out_of_fold, train.outcomes),
        rounds=rounds,
        average_start=float(np.mean(train.start)),
        rows=len(train),
        snapshots=tuple(sorted(set(train.snapshots.tolist()))),
    )


def best_round(curves: list[Floats]) -> int:
    """The round with the least mean loss over folds, within the rounds that all folds reached."""
    shared = min(len(curve) for curve in curves)
    return int(np.mean([curve[:shared] for curve in curves], axis=0).argmin()) + 1


def later_rows(train: Matrix) -> npt.NDArray[np.bool_]:
    """(n,) true for rows of the last third of the snapshots, at least one."""
    days = np.unique(train.snapshots)
    count = max(1, round(len(days) * LATER_SHARE))
    return train.snapshots >= days[-count]


def customer_fold(customers: npt.NDArray[np.object_]) -> npt.NDArray[np.int64]:
    """(n,) fold of each customer, the same in every snapshot, run and machine."""
    ids, places = np.unique(customers.astype(str), return_inverse=True)
    folds = [int.from_bytes(hashlib.sha256(name.encode()).digest()[:8]) % CUSTOMER_FOLDS for name in ids]
    return np.array(folds, dtype=np.int64)[places]


def refuse_unfit(train: Matrix | None, limits: Limits) -> Matrix:
    """The matrix back, or TrainingError in words that say what is missing."""
    if train is None or not len(train):
        raise TrainingError(
            "no snapshot has an outcome yet: none is old enough for its outcome window to have ended; "
            "wait, or shorten outcome.horizon_days"
        )
    customers, positives = len(np.unique(train.customers.astype(str))), int(train.outcomes.sum())
    if customers < limits.min_customers:
        raise TrainingError(
            f"{customers} customer{'s' * (customers != 1)} in the training snapshots; at least {limits.min_customers} are needed "
            "(training.min_customers)"
        )
    for count, said in ((positives, "churned"), (len(train) - positives, "stayed")):
        if count < limits.min_positives:
            raise TrainingError(
                f"{count} of {len(train)} outcomes in the training snapshots {said}; at least {limits.min_positives} are "
                "needed to learn the difference (training.min_positives)"
            )
    return train
