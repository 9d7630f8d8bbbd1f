"""From matured snapshots to a calibrated model."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import lightgbm as lgb
import numpy as np
import numpy.typing as npt
from scipy.special import expit

from features.errors import OutdatedModelError, TrainingError
from models import boosting, calibration, encoder, level, linear, shares
from models.boosting import Binned
from models.calibration import Calibrator
from models.encoder import Encoder
from models.level import Level
from models.linear import Linear
from models.matrix import Matrix
from models.question import Question

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

CUSTOMER_FOLDS = 5
FIT_STEPS = 3  # calls of progress within a fit
LATER_SHARE = 1 / 3  # the last third of the snapshots judges how long to boost


@dataclass(frozen=True)
class Fitted:
    """Two members that err differently: trees that start from the start model's log-odds, and a linear model.

    question: what it gives the probability of; rows of another, or with other columns, are refused. encoder: makes
    numbers of categories.

    shares: of the log-odds of the trees and of the linear model in those of both, which are then calibrated. level: how
    many of a day are expected to leave, to which the log-odds of all its customers are moved.
    average_start: mean start log-odds of the training rows, against which the start counts as a contribution.

    defined_in: (file, sha256) of each file outside of this package that says what columns mean: with other files it is
    another model, though its trees may be the same.
    """

    question: Question
    booster: lgb.Booster
    linear: Linear
    shares: tuple[float, float]
    columns: tuple[str, ...]
    encoder: Encoder
    calibrator: Calibrator
    rounds: int
    average_start: float
    rows: int
    snapshots: tuple[int, ...]
    defined_in: tuple[tuple[str, str], ...] = ()
    level: Level = field(default_factory=Level.none)

    def started(self, rows: Matrix) -> Matrix:
        """The rows as the members read them, categories as numbers, and what they start from.

        Raises: OutdatedModelError where the rows ask another question, or have other columns.
        """
        self.refuse_unlike(rows.question, rows.columns)
        return boosting.started(self.encoder.encode(rows))

    def refuse_unlike(self, question: Question, columns: tuple[str, ...]) -> None:
        """Raise OutdatedModelError where rows of this question, with these columns, are not what the model reads."""
        difference = question.difference(self.question)
        if difference:
            raise OutdatedModelError(f"the rows ask another question than the model answers: {difference}")
        if columns != self.columns:
            other = sorted(set(columns) ^ set(self.columns))
            how = (
                f"other columns than these rows have (first: '{other[0]}')" if other else "its columns in another order"
            )
            raise OutdatedModelError(f"the model reads {how}")

    def members(self, rows: Matrix) -> tuple[Floats, Floats]:
        """(n,) log-odds of the trees, and of the linear model, before they are weighed."""
        rows = self.started(rows)
        return boosting.raw_log_odds(self.booster, rows), self.linear.log_odds(rows)

    def log_odds(self, rows: Matrix) -> Floats:
        """(n,) log-odds of both members together, before calibration."""
        return weighed(self.members(rows), self.shares)

    def calibrated(self, rows: Matrix) -> Floats:
        """(n,) calibrated log-odds, before the day's level."""
        return self.calibrator.calibrated(self.log_odds(rows))

    def day_probability(self, rows: Matrix) -> Floats:
        """(n,) calibrated churn_probability: 0 to 1, higher is worse. rows: everybody at risk on each of their days."""
        odds = self.calibrated(rows)
        return np.asarray(expit(odds + self.level.shifts(rows, odds)), dtype=np.float64)

    def levelled(self, rows: Matrix) -> Matrix:
        """The rows with what this model adds to everybody's log-odds of a day.

        rows: everybody at risk on each of their days, since how many of them leave is what is forecast. Taken apart
        afterwards, they keep it, so that nobody's probability depends on who else is asked about.
        """
        return replace(rows, level=self.level.shifts(rows, self.calibrated(rows)))

    def probability(self, rows: Matrix) -> Floats:
        """(n,) what `day_probability` says of some of them. rows: levelled by this model."""
        return np.asarray(expit(self.calibrated(rows) + rows.levels), dtype=np.float64)


def weighed(members: tuple[Floats, Floats], shares: tuple[float, float]) -> Floats:
    """(n,) the members' log-odds, each for its share."""
    return shares[0] * members[0] + shares[1] * members[1]


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
    """Fit on every row; rounds, shares and calibration come from customers that the members did not see.

    Customers are dealt into folds, and each member is fitted on the others of each. How long to boost is judged on the
    fold's outcomes at the later snapshots. The members count alike once each is calibrated, unless one knows clearly
    less than the other (`models.shares`). Calibrators are fitted on the fold's outcomes at every snapshot (the base
    rate of one season alone would be a poor guide to the next).
    """
    parameters = parameters or {}
    folds, later = customer_fold(train.customers), later_rows(train)
    refuse_thin_folds(folds, later)
    start, coding = train.start, encoder.fit(train)
    train = boosting.started(encoder.cross_fitted(train, folds))
    binned = Binned(train, parameters=parameters, seed=seed, threads=threads)
    grown = [
        binned.losses(train.start, folds != fold, (folds == fold) & later, threads=threads)
        for fold in range(CUSTOMER_FOLDS)
    ]
    rounds = best_round([curve for _, curve in grown])
    progress("grown on parts of the customers")
    logs = linear.design(train)
    unseen = out_of_fold(train, folds, grown, rounds=rounds), _linear_out_of_fold(train, logs, folds)
    progress("fitted linearly on parts of the customers")
    alone = [calibration.fit(member, train.outcomes, train.weights) for member in unseen]
    trees, straight = shares.shares(unseen, alone, train.outcomes, train.counts)
    together = weighed(unseen, (trees, straight))
    calibrator = calibration.fit(together, train.outcomes, train.weights)
    booster = binned.grow(train.start, rounds=rounds, threads=threads)
    progress("grown on all customers")
    return Fitted(
        question=train.question,
        booster=booster,
        linear=linear.fit(logs, train.outcomes, train.counts),
        shares=(trees, straight),
        columns=train.columns,
        encoder=coding,
        calibrator=calibrator,
        rounds=rounds,
        average_start=float(np.average(train.start, weights=train.weights)),
        rows=len(train),
        snapshots=tuple(sorted(set(train.snapshots.tolist()))),
        level=level.fit(replace(train, start=start), calibrator.calibrated(together)),
    )


def out_of_fold(
    train: Matrix,
    folds: npt.NDArray[np.int64],
    grown: Sequence[tuple[lgb.Booster, Floats]],
    *,
    rounds: int,
) -> Floats:
    """(n,) log-odds of each row by the trees that did not see its customer."""
    found = np.empty(len(train))
    for fold, (booster, _) in enumerate(grown):
        held_out = folds == fold
        found[held_out] = boosting.raw_log_odds(booster, train.only(held_out), rounds=rounds)
    return found


def _linear_out_of_fold(train: Matrix, logs: Floats, folds: npt.NDArray[np.int64]) -> Floats:
    """(n,) log-odds of each row by the linear model that did not see its customer. logs: their `linear.design`."""
    found = np.empty(len(train))
    for fold in range(CUSTOMER_FOLDS):
        held_out = folds == fold
        fitted = linear.fit(logs, train.outcomes, train.counts, learned=~held_out)
        found[held_out] = fitted.log_odds_of(logs[held_out])
    return found


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
