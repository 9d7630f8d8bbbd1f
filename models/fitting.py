"""Rows to a model as planned, tuned where trials are asked for: the one way in, of `attrition train` and of others."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from models import training
from models.matrix import Matrix
from models.training import Fitted


def fit(
    train: Matrix,
    *,
    seed: int,
    threads: int,
    tuning_trials: int = 0,
    parameters: Mapping[str, float | int | bool | str] | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> Fitted:
    """The model of these rows. parameters: LightGBM's, beside our own; what trials find stands above both."""
    chosen = dict(parameters or {})
    if tuning_trials:
        from models import tuning

        chosen |= tuning.tune(train, trials=tuning_trials, seed=seed, threads=threads, progress=progress)
    return training.fit(train, seed=seed, threads=threads, parameters=chosen, progress=progress)
