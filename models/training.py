"""From matured snapshots to a calibrated model."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import lightgbm as lgb
import numpy as np
import numpy.typing as npt

from features.errors import OutdatedModelError, TrainingError
from models import boosting, calibration, encoder, linear_start
from models.boosting import Binned
from models.calibration import Calibrator
from models.encoder import Encoder
from models.linear_start import LinearStart
from models.matrix import Matrix
from models.question import Question

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

CUSTOMER_FOLDS = 5
FIT_STEPS = 3  # calls of progress within a fit
LATER_SHARE = 1 / 3  # the last third of the snapshots judges how long to boost


@dataclass(frozen=True)
class Fitted:
    """A model: trees over named columns, started from the start model's log-odds, then calibrated.

    question: what it gives the probability of; rows of another, or with other columns, are refused. encoder: makes
    numbers of categories.

    linear: a correction to the start log-odds, None where the trees did no better with it; average_start: mean start
    log-odds of the training rows before it, against which the start counts as a contribution.

    defined_in: (file, sha256) of each file outside of this package that says what columns mean: with other files it is
    another model, though its trees may be the same.
    """

    question: Question
    booster: lgb.Booster
    columns: tuple[str, ...]
    encoder: Encoder
    calibrator: Calibrator
    linear: LinearStart | None
    rounds: int
    average_start: float
    rows: int
    snapshots: tuple[int, ...]
    defined_in: tuple[tuple[str, str], ...] = ()

    def started(self, rows: Matrix) -> Matrix:
        """The rows as the trees read them, categories as numbers, and what they start from.

        Raises: OutdatedModelError where the rows ask another question, or have other columns.
        """
        difference = rows.question.difference(self.question)
        if difference:
            raise OutdatedModelError(f"the rows ask another question than the model answers: {difference}")
        if rows.columns != self.columns:
            other = sorted(set(rows.columns) ^ set(self.columns))
            how = (
                f"other columns than these rows have (first: '{other[0]}')" if other else "its columns in another order"
            )
            raise OutdatedModelError(f"the model reads {how}")
        return boosting.started(self.encoder.encode(rows))

    def log_odds(self, rows: Matrix) -> Floats:
        """(n,) log-odds before calibration."""
        rows = self.started(rows)
        trees = boosting.raw_log_odds(self.booster, rows)
        return trees if self.linear is None else trees + self.linear.log_odds(rows.values)

    def probability(self, rows: Matrix) -> Floats:
        """(n,) calibrated churn_probability: 0 to 1, higher is worse."""
        return self.calibrator.probability(self.log_odds(rows))


@dataclass(frozen=True)
class Limits:
    """Below these a model would be fitted on noise."""

    min_customers: int = 100
    min_positives: int = 20


@dataclass(frozen=True)
class CrossFitted:
    """Trees of each customer fold, grown on the other customers from one start, and their loss per round."""

    binned: Binned
    start: Floats
    grown: tuple[tuple[lgb.Booster, Floats], ...]

    @property
    def rounds(self) -> int:
        """The best number of rounds on later snapshots."""
        return best_round([curve for _, curve in self.grown])

    @property
    def loss(self) -> float:
        """The mean loss on later snapshots after so many."""
        return float(np.mean([curve[self.rounds - 1] for _, curve in self.grown]))

    def out_of_fold(self, folds: npt.NDArray[np.int64]) -> Floats:
        """(n,) log-odds of each row by the trees that did not see its customer."""
        train, rounds = replace(self.binned.rows, start=self.start), self.rounds
        found = np.empty(len(train))
        for fold, (booster, _) in enumerate(self.grown):
            held_out = folds == fold
            found[held_out] = boosting.raw_log_odds(booster, train.only(held_out), rounds=rounds)
        return found


def fit(
    train: Matrix,
    *,
    seed: int,
    threads: int,
    parameters: Mapping[str, float | int | bool | str] | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> Fitted:
    """Fit on every row; rounds, linear correction and calibration come from customers that trees did not see.

    Customers are dealt into folds. For each fold, trees are grown on the other customers, once from the start log-odds
    and once from linearly corrected ones. Which of the two, and how long to boost, is judged on the fold's outcomes at
    the later snapshots; the calibrator is fitted on the fold's outcomes at every snapshot (the base rate of one season
    alone would be a poor guide to the next).
    """
    parameters = parameters or {}
    folds, later = customer_fold(train.customers), later_rows(train)
    refuse_thin_folds(folds, later)
    coding, train = encoder.fit(train), boosting.started(encoder.cross_fitted(train, folds))
    binned = Binned(train, parameters=parameters, seed=seed, threads=threads)

    def grown(start: Floats) -> Iterator[tuple[lgb.Booster, Floats]]:
        for fold in range(CUSTOMER_FOLDS):
            yield binned.losses(start, folds != fold, (folds == fold) & later, threads=threads)

    tried = []
    for start in (train.start, _corrected(train, folds)):
        tried.append(CrossFitted(binned, start, tuple(grown(start))))
        progress("grown on parts of the customers")
    best = min(tried, key=lambda trial: trial.loss)
    booster = binned.grow(best.start, rounds=best.rounds, threads=threads)
    progress("grown on all customers")
    return Fitted(
        question=train.question,
        booster=booster,
        columns=train.columns,
        encoder=coding,
        calibrator=calibration.fit(best.out_of_fold(folds), train.outcomes),
        linear=None if best is tried[0] else linear_start.fit(train.values, train.start, train.outcomes),
        rounds=best.rounds,
        average_start=float(np.mean(train.start)),
        rows=len(train),
        snapshots=tuple(sorted(set(train.snapshots.tolist()))),
    )


def _corrected(train: Matrix, folds: npt.NDArray[np.int64]) -> Floats:
    """(n,) linearly corrected start log-odds, each row's by a correction that did not see its customer."""
    start = np.empty(len(train))
    logs = linear_start.signed_logs(train.values)
    for fold in range(CUSTOMER_FOLDS):
        held_out = folds == fold
        linear = linear_start.fit_logs(logs[~held_out], train.start[~held_out], train.outcomes[~held_out])
        start[held_out] = train.start[held_out] + linear.log_odds_of(logs[held_out])
    return start


def best_round(curves: Sequence[Floats]) -> int:
    """The round with the least mean loss over folds, within the rounds that all folds reached."""
    shared = min(len(curve) for curve in curves)
    return int(np.mean([curve[:shared] for curve in curves], axis=0).argmin()) + 1


def later_rows(train: Matrix) -> npt.NDArray[np.bool_]:
    """(n,) true for rows of the last third of the snapshots, at least one."""
    days = np.unique(train.snapshots)
    count = max(1, round(len(days) * LATER_SHARE))
    return np.asarray(train.snapshots >= days[-count])


def customer_fold(customers: npt.NDArray[np.object_]) -> npt.NDArray[np.int64]:
    """(n,) fold of each customer, the same in every snapshot, run and machine."""
    ids, places = np.unique(customers.astype(str), return_inverse=True)
    folds = [int.from_bytes(hashlib.sha256(name.encode()).digest()[:8]) % CUSTOMER_FOLDS for name in ids]
    return np.array(folds, dtype=np.int64)[places]


def refuse_thin_folds(folds: npt.NDArray[np.int64], later: npt.NDArray[np.bool_]) -> None:
    """Raise TrainingError where a fold would be judged on nothing; LightGBM's own words for it help nobody."""
    judged = np.bincount(folds[later], minlength=CUSTOMER_FOLDS)
    if not judged.all():
        raise TrainingError(
            f"{int(judged.sum())} outcomes at the later training snapshots are too few to judge {CUSTOMER_FOLDS} "
            "groups of customers by; more customers are needed (training.min_customers)"
        )


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
            f"{customers} customer{'s' * (customers != 1)} in the training snapshots; at least "
            f"{limits.min_customers} are needed (training.min_customers)"
        )
    for count, said in ((positives, "happened"), (len(train) - positives, "did not happen")):
        if count < limits.min_positives:
            raise TrainingError(
                f"{count} of {len(train)} outcomes in the training snapshots {said}; at least "
                f"{limits.min_positives} are needed to learn the difference (training.min_positives)"
            )
    return train
