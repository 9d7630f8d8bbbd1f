"""Walk-forward backtest: at past days, train only on what had matured by then, and see what followed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.errors import TrainingError
from features.outcomes import OUTCOMES
from models import baselines, economics, evaluation, segments, training
from models.matrix import Matrix, stack
from models.segments import Segment
from models.training import Fitted, Limits
from pipelines.data.snapshots.features import feature_file, outcome_file, outcome_frame, training_matrix
from pipelines.foundation.storage import documents
from pipelines.foundation.storage.fingerprint import code_version, fingerprint
from pipelines.foundation.workspace.workspace import Workspace

Floats = npt.NDArray[np.float64]

PLAN = "plan_rank"
MONEY = ("mrr_before", "mrr_after")


@dataclass(frozen=True)
class FoldDays:
    """A test snapshot and the training snapshots whose outcomes had ended, embargo included, by then."""

    test: date
    train: tuple[date, ...]


def plan(workspace: Workspace) -> list[FoldDays]:
    """The folds, oldest first: back from the newest matured day that is not after `as_of`. May be empty."""
    settings = workspace.settings
    newest = min(workspace.as_of, workspace.complete_until - timedelta(days=settings.maturity_days))
    tests = [newest - timedelta(days=settings.backtest.every_days * step) for step in range(settings.backtest.folds)]
    embargo = timedelta(days=settings.backtest.embargo_days)
    folds = [FoldDays(test, tuple(workspace.training_days(test - embargo))) for test in reversed(tests)]
    return [fold for fold in folds if fold.train]


def backtest(workspace: Workspace, *, progress: Callable[[str], None] = lambda _: None) -> dict[str, Any]:
    """The document of the backtest: per fold the figures of the model and of each baseline, with intervals.

    Beside it lie the predictions of every fold, a row per customer and fold, and over all folds together the figures of
    each segment. Computed once per data, settings and code. Folds with too little to learn from are left out and named
    in `skipped`.
    """
    settings, folds = workspace.settings, plan(workspace)
    key = _key(workspace, folds, progress)
    path = f"results/backtest-{key}.json"
    found = documents.read(workspace.store, path)
    if found is not None:
        return found
    done: list[dict[str, Any]] = []
    skipped: list[dict[str, str]] = []
    predictions: list[pd.DataFrame] = []
    tests: list[Matrix] = []
    everything = training_matrix(workspace, days_of(folds)) if folds else None
    for fold in folds:
        try:
            train = training.refuse_unfit(rows_on(everything, fold.train), limits(workspace))
            test = training.refuse_unfit(rows_on(everything, (fold.test,)), Limits(1, 0))
        except TrainingError as error:
            skipped.append({"snapshot_on": str(fold.test), "reason": str(error)})
        else:
            figures, predicted = _judge(workspace, fold, fit(workspace, train), train, test)
            done.append(figures)
            predictions.append(predicted)
            tests.append(test)
        progress(f"fold of {fold.test}")
    document: dict[str, Any] = {
        "outcome": settings.outcome.model_dump(),
        "folds": done,
        "skipped": skipped,
        "segments": [],
        "predictions": None,
    }
    if predictions:
        together = pd.concat(predictions, ignore_index=True)
        document["segments"] = [asdict(each) for each in _segments(workspace, stack(tests), together)]
        document["predictions"] = documents.write_frame(
            workspace.store, f"results/backtest-{key}.parquet", together, kind="predictions"
        )
    return documents.write(workspace.store, path, document, kind="backtest")


def fit(workspace: Workspace, train: Matrix, *, progress: Callable[[str], None] = lambda _: None) -> Fitted:
    """Fit as the settings say; the backtest and `train` both come here, and snapshots already fitted are not again."""
    seen = tuple(np.unique(train.snapshots).tolist())
    if seen not in workspace.fits:
        plan = workspace.settings.training
        parameters: dict[str, float | int | bool | str] = {}
        if plan.tuning_trials:
            from models import tuning

            parameters = tuning.tune(
                train, trials=plan.tuning_trials, seed=plan.seed, threads=plan.threads, progress=progress
            )
        workspace.fits[seen] = training.fit(
            train,
            outcome=workspace.settings.outcome.kind,
            seed=plan.seed,
            threads=plan.threads,
            parameters=parameters,
            progress=progress,
        )
    return workspace.fits[seen]


def limits(workspace: Workspace) -> Limits:
    """How little is too little to learn from, as the settings say."""
    plan = workspace.settings.training
    return Limits(min_customers=plan.min_customers, min_positives=plan.min_positives)


def days_of(folds: list[FoldDays]) -> list[date]:
    """Every day that some fold tests or trains on."""
    return sorted({day for fold in folds for day in (fold.test, *fold.train)})


def rows_on(rows: Matrix | None, days: tuple[date, ...]) -> Matrix | None:
    """The rows of some snapshot days; None where there are no rows at all."""
    return None if rows is None else rows.only(np.isin(rows.snapshots, [day.toordinal() for day in days]))


def _judge(
    workspace: Workspace, fold: FoldDays, fitted: Fitted, train: Matrix, test: Matrix
) -> tuple[dict[str, Any], pd.DataFrame]:
    plan = workspace.settings.backtest
    probabilities = fitted.probability(test)
    others = baselines.baselines(train, test)
    intervals = evaluation.intervals(
        test.outcomes,
        probabilities,
        test.customers,
        samples=plan.bootstrap_samples,
        seed=workspace.settings.training.seed,
    )
    known = outcome_frame(workspace, fold.test)
    if known is None:
        raise AssertionError(f"a fold was planned at {fold.test}, which has no outcomes")
    known = known.set_index("customer_id").reindex(test.customers)
    untreated = (known["treated"] == 0).to_numpy()
    figures = {
        "snapshot_on": str(fold.test),
        "rows": len(test),
        "train_rows": len(train),
        "train_first": str(fold.train[0]),
        "train_last": str(fold.train[-1]),
        "model": asdict(evaluation.metrics(test.outcomes, probabilities)),
        "treated_rows": int((~untreated).sum()),
        "untreated": asdict(evaluation.metrics(test.outcomes[untreated], probabilities[untreated])),
        "intervals": {name: list(interval) for name, interval in intervals.items()},
        "baselines": {name: asdict(evaluation.metrics(test.outcomes, other)) for name, other in others.items()},
    }
    value = economics.value(test, by_contract=workspace.by_contract, days=workspace.settings.outcome.horizon_days)
    figures["empc"] = _empc(workspace, test, probabilities, value)
    columns = {
        "snapshot_on": str(fold.test),
        "label": test.outcomes.astype(np.int64),
        "churn_probability": probabilities,
        **others,
        "value": value,
        **{name: known[name].to_numpy() for name in (*MONEY, "treated") if name in known.columns},
    }
    return figures, pd.DataFrame({"customer_id": test.customers.astype(str), **columns})


def _empc(workspace: Workspace, test: Matrix, probabilities: Floats, value: Floats) -> dict[str, float] | None:
    """Expected maximum profit per customer, and the share to contact for it; None where it does not exist."""
    plan, horizon = workspace.settings.retention, workspace.settings.outcome.horizon_days
    worth = value * plan.kept_months * economics.DAYS_PER_MONTH / horizon
    if OUTCOMES[workspace.settings.outcome.kind].is_gain or not np.nan_to_num(worth).any():
        return None
    try:
        return asdict(economics.empc(test.outcomes, probabilities, worth, plan.play))
    except ValueError:
        return None


def segment_values(rows: Matrix) -> dict[str, npt.NDArray[np.object_]]:
    """(n,) texts of each category among the indicators, and of the plan."""
    found = dict(rows.categories)
    if PLAN in rows.columns:
        ranks = rows.values[:, rows.columns.index(PLAN)]
        found[PLAN] = np.array(["" if np.isnan(rank) else f"{rank:g}" for rank in ranks], dtype=object)
    return found


def _segments(workspace: Workspace, tests: Matrix, predictions: pd.DataFrame) -> list[Segment]:
    """Rows of both are in the same order."""
    return segments.judged(
        tests.outcomes,
        predictions["churn_probability"].to_numpy(dtype=np.float64),
        tests.customers,
        segment_values(tests),
        samples=workspace.settings.backtest.bootstrap_samples,
        seed=workspace.settings.training.seed,
    )


def _key(workspace: Workspace, folds: list[FoldDays], progress: Callable[[str], None]) -> str:
    settings, stored = workspace.settings, []
    for day in days_of(folds):
        feature_file(workspace, day)
        stored.append(outcome_file(workspace, day))
        progress(f"snapshot of {day}")
    parts = {
        "kind": settings.outcome.kind,
        "folds": [asdict(fold) for fold in folds],
        "outcomes": [file.path for file in stored if file],
        "training": settings.training.model_dump(exclude={"threads"}),
        "retention": settings.retention.model_dump(),
        "backtest": settings.backtest.model_dump(),
    }
    return fingerprint(parts | {"code": code_version("features", "models")})


def all_predictions(workspace: Workspace, document: Mapping[str, Any]) -> pd.DataFrame | None:
    """The predictions beside a backtest's document, folds from old to new; None where there is no fold.

    Columns customer_id, snapshot_on, label, churn_probability (of whatever the outcome is), one per baseline, value
    (revenue over the horizon), treated, and for contracts mrr_before and mrr_after.
    """
    path = document["predictions"]
    return None if path is None else documents.read_frame(workspace.store, path)


def newest_predictions(workspace: Workspace, document: Mapping[str, Any]) -> pd.DataFrame | None:
    """Those of the newest fold."""
    found = all_predictions(workspace, document)
    if found is None:
        return None
    newest: pd.DataFrame = found[found["snapshot_on"] == found["snapshot_on"].iloc[-1]].reset_index(drop=True)
    return newest
