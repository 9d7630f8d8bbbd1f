"""Walk-forward backtest: at past days, train only on what had matured by then, and see what followed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.errors import TrainingError
from features.outcomes import OUTCOMES
from models import baselines, economics, evaluation, segments, training
from models.economics import Play
from models.matrix import Matrix
from models.question import Question
from models.segments import Segment
from models.training import Fitted, Limits
from pipelines.data.snapshots.learned import learned_keys, learned_rows
from pipelines.data.snapshots.snapshot import Snapshots
from pipelines.foundation.storage import documents
from pipelines.foundation.storage.fingerprint import fingerprint
from pipelines.foundation.storage.store import Store
from pipelines.foundation.workspace.calendar import FoldDays
from pipelines.prediction.training.fit import FitPlan, Fitter
from pipelines.prediction.training.task import PredictionTask

Floats = npt.NDArray[np.float64]
Texts = dict[str, npt.NDArray[np.object_]]

BY = ("features", "models")
PLAN = "plan_rank"
MONEY = ("mrr_before", "mrr_after")


@dataclass(frozen=True, kw_only=True)
class BacktestInputs:
    """snapshots: keys of features and outcomes of every day of the folds. play, kept_months: what profit is made of."""

    question: Question
    folds: tuple[FoldDays, ...]
    snapshots: tuple[tuple[str, str], ...]
    fit: FitPlan
    bootstrap_samples: int
    play: Play
    kept_months: float

    @property
    def key(self) -> str:
        return fingerprint(self, by=BY)


def backtest(task: PredictionTask, *, progress: Callable[[str], None] = lambda _: None) -> dict[str, Any]:
    """The document of the backtest: per fold the figures of the model and of each baseline, with intervals.

    Beside it lie the predictions of every fold, a row per customer and fold, and over all folds together the figures of
    each segment. Computed once per data, settings and code. Folds with too little to learn from are left out and named
    in `skipped`.
    """
    inputs = _inputs(task)
    task.snapshots.prepare(days_of(inputs.folds))
    for day in days_of(inputs.folds):
        task.snapshots.at(day).compute()
        progress(f"snapshot of {day}")
    path = f"results/backtest-{inputs.key}.json"
    found = documents.read(task.store, path)
    if found is not None:
        return found
    document, predictions = walk(inputs, task.snapshots, task.fitter, progress=progress)
    if predictions is not None:
        document["predictions"] = documents.write_frame(
            task.store, f"results/backtest-{inputs.key}.parquet", predictions, kind="predictions"
        )
    return documents.write(task.store, path, document, kind="backtest")


def _inputs(task: PredictionTask) -> BacktestInputs:
    folds = task.calendar.fold_days()
    return BacktestInputs(
        question=task.question,
        folds=tuple(folds),
        snapshots=learned_keys(task.snapshots, days_of(folds), planned="a fold"),
        fit=task.fitter.plan,
        bootstrap_samples=task.backtest.bootstrap_samples,
        play=task.retention.play,
        kept_months=task.retention.kept_months,
    )


def walk(
    inputs: BacktestInputs,
    snapshots: Snapshots,
    fitter: Fitter,
    *,
    progress: Callable[[str], None] = lambda _: None,
) -> tuple[dict[str, Any], pd.DataFrame | None]:
    """The document without a place for its predictions, and these; None where no fold could be judged."""
    done: list[dict[str, Any]] = []
    skipped: list[dict[str, str]] = []
    predictions: list[pd.DataFrame] = []
    groups: list[Texts] = []
    for fold in inputs.folds:
        try:
            figures, predicted, segmented = _tested(inputs, fold, snapshots, fitter)
        except TrainingError as error:
            skipped.append({"snapshot_on": str(fold.test), "reason": str(error)})
        else:
            done.append(figures)
            predictions.append(predicted)
            groups.append(segmented)
        progress(f"fold of {fold.test}")
    together = pd.concat(predictions, ignore_index=True) if predictions else None
    document: dict[str, Any] = {
        "outcome": {
            "kind": inputs.question.outcome,
            "lead_days": inputs.question.lead_days,
            "horizon_days": inputs.question.horizon_days,
        },
        "folds": done,
        "skipped": skipped,
        "segments": [] if together is None else [asdict(each) for each in _segments(inputs, groups, together)],
        "predictions": None,
    }
    return document, together


def days_of(folds: Sequence[FoldDays]) -> list[date]:
    """Every day that some fold tests or trains on."""
    return sorted({day for fold in folds for day in (fold.test, *fold.train)})


def _tested(
    inputs: BacktestInputs, fold: FoldDays, snapshots: Snapshots, fitter: Fitter
) -> tuple[dict[str, Any], pd.DataFrame, Texts]:
    """A fold's figures, its predictions, and the segments of its test rows. No rows outlive it: they take the memory.

    Raises: TrainingError where the rows are too few to learn from, or to test on.
    """
    train = training.refuse_unfit(learned_rows(snapshots, fold.train, memory=fitter.memory), inputs.fit.limits)
    test = training.refuse_unfit(learned_rows(snapshots, (fold.test,)), Limits(1, 0))
    known = snapshots.at(fold.test).outcomes()
    if known is None:
        raise AssertionError(f"a fold was planned at {fold.test}, which has no outcomes")
    figures, predicted = _judge(inputs, fold, fitter.fit(train), train=train, test=test, known=known)
    return figures, predicted, segment_values(test)


def _judge(
    inputs: BacktestInputs, fold: FoldDays, fitted: Fitted, *, train: Matrix, test: Matrix, known: pd.DataFrame
) -> tuple[dict[str, Any], pd.DataFrame]:
    """known: the outcomes of the test snapshot."""
    probabilities = fitted.day_probability(test)
    others = baselines.baselines(train, test)
    intervals = evaluation.intervals(
        test.outcomes,
        probabilities,
        test.customers,
        samples=inputs.bootstrap_samples,
        seed=inputs.fit.seed,
    )
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
    value = economics.value(test, by_contract=inputs.question.by_contract, days=inputs.question.horizon_days)
    figures["empc"] = _empc(inputs, test, probabilities, value)
    columns = {
        "snapshot_on": str(fold.test),
        "label": test.outcomes.astype(np.int64),
        "churn_probability": probabilities,
        **others,
        "value": value,
        **{name: known[name].to_numpy() for name in (*MONEY, "treated") if name in known.columns},
    }
    return figures, pd.DataFrame({"customer_id": test.customers.astype(str), **columns})


def _empc(inputs: BacktestInputs, test: Matrix, probabilities: Floats, value: Floats) -> dict[str, float] | None:
    """Expected maximum profit per customer, and the share to contact for it; None where it does not exist."""
    worth = value * inputs.kept_months * economics.DAYS_PER_MONTH / inputs.question.horizon_days
    if OUTCOMES[inputs.question.outcome].is_gain or not np.nan_to_num(worth).any():
        return None
    try:
        return asdict(economics.empc(test.outcomes, probabilities, worth, inputs.play))
    except ValueError:
        return None


def segment_values(rows: Matrix) -> Texts:
    """(n,) texts of each category among the indicators, and of the plan."""
    found = dict(rows.categories)
    if PLAN in rows.columns:
        ranks = rows.values[:, rows.columns.index(PLAN)]
        found[PLAN] = np.array(["" if np.isnan(rank) else f"{rank:g}" for rank in ranks], dtype=object)
    return found


def _segments(inputs: BacktestInputs, groups: Sequence[Texts], predictions: pd.DataFrame) -> list[Segment]:
    """groups: of each fold, its rows in the order of the predictions."""
    return segments.judged(
        predictions["label"].to_numpy(dtype=np.float64),
        predictions["churn_probability"].to_numpy(dtype=np.float64),
        predictions["customer_id"].to_numpy(dtype=object),
        {name: np.concatenate([each[name] for each in groups]) for name in groups[0]},
        samples=inputs.bootstrap_samples,
        seed=inputs.fit.seed,
    )


def all_predictions(store: Store, document: Mapping[str, Any]) -> pd.DataFrame | None:
    """The predictions beside a backtest's document, folds from old to new; None where there is no fold.

    Columns customer_id, snapshot_on, label, churn_probability (of whatever the outcome is), one per baseline, value
    (revenue over the horizon), treated, and for contracts mrr_before and mrr_after.
    """
    path = document["predictions"]
    return None if path is None else documents.read_frame(store, path)


def newest_predictions(store: Store, document: Mapping[str, Any]) -> pd.DataFrame | None:
    """Those of the newest fold."""
    found = all_predictions(store, document)
    if found is None:
        return None
    newest: pd.DataFrame = found[found["snapshot_on"] == found["snapshot_on"].iloc[-1]].reset_index(drop=True)
    return newest
