"""Fitting as the settings say: what decides the result apart from the rows, and each set of rows once a process."""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from models.question import Question
from pipelines.foundation.storage.fingerprint import UNLESS_EMPTY

if TYPE_CHECKING:
    from models.matrix import Matrix
    from models.training import Fitted, Limits

Fits = MutableMapping[tuple[Question, tuple[int, ...]], "Fitted"]


@dataclass(frozen=True, kw_only=True)
class FitPlan:
    """What a fit depends on beside its rows: the section `training`, without threads and trusted columns.

    memory_gib: as the settings have it, 0.0 where they leave it to the machine: what was learned on one machine is not
    learned anew because another has more room.
    """

    seed: int
    tuning_trials: int
    start_model: bool
    min_customers: int
    min_positives: int
    memory_gib: float = field(default=0.0, metadata=UNLESS_EMPTY)

    @property
    def limits(self) -> Limits:
        """How little is too little to learn from."""
        from models.training import Limits

        return Limits(min_customers=self.min_customers, min_positives=self.min_positives)


@dataclass(frozen=True, kw_only=True)
class Fitter:
    """Fits as planned.

    memory: bytes that a fit may take; of more rows than that some are drawn. fits: of this process, so that what was
    fitted in the backtest is not fitted again to train.
    """

    plan: FitPlan
    threads: int
    memory: int
    fits: Fits = field(compare=False)

    def fit(self, train: Matrix, *, progress: Callable[[str], None] = lambda _: None) -> Fitted:
        """The model of these rows; backtest, champion and training all come here."""
        from models import fitting

        seen = (train.question, tuple(np.unique(train.snapshots).tolist()))
        if seen not in self.fits:
            self.fits[seen] = fitting.fit(
                train,
                seed=self.plan.seed,
                threads=self.threads,
                tuning_trials=self.plan.tuning_trials,
                progress=progress,
            )
        return self.fits[seen]

    def fit_if_enough(self, train: Matrix | None, *, progress: Callable[[str], None] = lambda _: None) -> Fitted:
        """The same. Raises: TrainingError where the rows are too few to learn from."""
        from models import training

        return self.fit(training.refuse_unfit(train, self.plan.limits), progress=progress)
