"""Folds over a shop's past: each figure is what its predictions say, and each fold without one is named."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, date, datetime, timedelta
from inspect import Parameter, signature
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from empulse.metrics import empc_score
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score

from models import boosting, sampling, training
from models.economics import DAYS_PER_MONTH, Play
from models.matrix import LABEL, Matrix, matrix, stack
from models.question import Question
from pipelines.data.snapshots.snapshot import Snapshots
from pipelines.foundation.settings.retention import Retention
from pipelines.foundation.settings.settings import Backtest
from pipelines.foundation.storage import documents
from pipelines.foundation.storage.store import Store
from pipelines.foundation.workspace.calendar import FoldDays
from pipelines.foundation.workspace.workspace import open_workspace
from pipelines.prediction.training.backtest import (
    BacktestInputs,
    _empc,
    all_predictions,
    backtest,
    days_of,
    newest_predictions,
    segment_values,
    walk,
)
from pipelines.prediction.training.fit import FitPlan, Fitter
from pipelines.prediction.training.task import PredictionTask, main_task
from tests.models.model_case import FIRST, INDICATORS, QUESTION, snapshot_frame, train_rows

PLAN = FitPlan(seed=7, tuning_trials=0, start_model=False, min_customers=100, min_positives=20)
PLAY = Play(contact_cost=1, offer_cost=10, success_rate=0.3)
COUNTRIES = ("FR", "DE", "ES")


def day(number: int) -> date:
    """So many days into the shop's life."""
    return FIRST + timedelta(days=number)


def fold(test: int, *train: int) -> FoldDays:
    return FoldDays(test=day(test), train=tuple(day(each) for each in train))


def number_of(customer: str) -> int:
    return int(customer.removeprefix("C-"))


@dataclass(frozen=True)
class Past:
    """Snapshots of the simulated shop, with a country and a plan made of each customer's number.

    treated: those of whom it is known that an action was taken. without: days whose outcomes are not known.
    """

    treated: int = 5
    without: frozenset[date] = frozenset()
    asked: list[date] = field(default_factory=list)
    made_of: str = "1"

    def _matrix(self, number: int) -> Matrix:
        frame = snapshot_frame(number)
        numbers = frame["customer_id"].map(number_of)
        frame = frame.assign(
            country=pd.Series([COUNTRIES[each % 3] if each % 10 else None for each in numbers]),
            plan_rank=numbers % 2 + 1.0,
        )
        columns = (*INDICATORS, "country", "plan_rank")
        return matrix(
            frame, day(number), question=QUESTION, columns=columns, categories=("country",), start_model=False
        )

    def prepare(self, days: Iterable[date]) -> None:
        """Everything is there."""

    def at(self, on: date) -> PastDay:
        return PastDay(self, on)

    @property
    def columns(self) -> tuple[str, ...]:
        return self._matrix(180).columns


@dataclass(frozen=True)
class PastDay:
    past: Past
    day: date

    @property
    def inputs(self) -> SimpleNamespace:
        return SimpleNamespace(key=f"features of {self.day}, {self.past.made_of}")

    @property
    def outcome_inputs(self) -> SimpleNamespace | None:
        return None if self.day in self.past.without else SimpleNamespace(key=f"outcomes of {self.day}")

    def compute(self) -> None:
        """Everything is there."""

    def labels(self) -> pd.Series[Any]:
        self.past.asked.append(self.day)
        rows = self._matrix()
        return pd.Series(rows.outcomes, index=rows.customers)

    def labelled(self, labels: pd.Series[Any]) -> Matrix:
        rows = self._matrix()
        return rows.only(np.isin(rows.customers, labels.index))

    def _matrix(self) -> Matrix:
        return self.past._matrix((self.day - FIRST).days)

    def outcomes(self) -> pd.DataFrame | None:
        """In another order than the matrix has, and with customers that it does not have."""
        if self.day in self.past.without:
            return None
        frame = snapshot_frame((self.day - FIRST).days)
        numbers = [*frame["customer_id"].map(number_of), 9_000, 9_001]
        found = pd.DataFrame(
            {
                "customer_id": [f"C-{each:04d}" for each in numbers],
                "inactivity": [*frame[LABEL], 1.0, 0.0],
                "treated": [int(each % self.past.treated == 0) for each in numbers],
                "mrr_before": [each + 0.5 for each in numbers],
                "mrr_after": [float(each) for each in numbers],
            }
        )
        return found.iloc[::-1].reset_index(drop=True)


def inputs_of(*folds: FoldDays, **changes: Any) -> BacktestInputs:
    usual = BacktestInputs(
        question=QUESTION,
        folds=folds,
        snapshots=(),
        fit=PLAN,
        bootstrap_samples=20,
        play=PLAY,
        kept_months=6.0,
    )
    return replace(usual, **changes)


Walked = tuple[dict[str, Any], pd.DataFrame | None, list[str]]


def walked(inputs: BacktestInputs, past: Past | None = None, *, memory: int = 1 << 40) -> Walked:
    said: list[str] = []
    fitter = Fitter(plan=inputs.fit, threads=1, memory=memory, fits={})
    found = walk(inputs, cast("Snapshots", past or Past()), fitter, progress=said.append)
    return *found, said


ONE, OTHER = fold(330, 180, 210), fold(390, 240, 270, 300)


@pytest.fixture(scope="module")
def judged() -> Walked:
    """Three folds, of which the first has too few customers to learn from."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(boosting, "MAX_ROUNDS", 15)
        return walked(inputs_of(fold(45, 2, 5), ONE, OTHER))


# Days and rows


def test_the_days_of_folds_are_each_there_once_in_order() -> None:
    assert days_of([fold(60, 30, 10), fold(30, 10, 0)]) == [day(0), day(10), day(30), day(60)]
    assert days_of([]) == []


def test_the_segments_of_rows_are_their_categories_and_their_plan() -> None:
    rows = Past()._matrix(180).only(np.arange(500) < 4)
    assert rows.columns.index("plan_rank") == len(rows.columns) - 1
    rows.values[3, -1] = np.nan
    rows.values[2, -1] = 1.5
    found = segment_values(rows)
    assert {name: list(texts) for name, texts in found.items()} == {
        "country": ["", "DE", "ES", "FR"],
        "plan_rank": ["1", "2", "1.5", ""],
    }
    assert segment_values(train_rows(start=False)) == {}


# What is walked


def test_a_fold_with_too_little_to_learn_from_is_named_with_the_reason(judged: Walked) -> None:
    document, _, _ = judged
    learned = sum(len(snapshot_frame(number)) for number in (2, 5))
    assert learned < 100
    (skipped,) = document["skipped"]
    assert skipped["snapshot_on"] == str(day(45))
    assert skipped["reason"].endswith("are needed (training.min_customers)")
    assert [each["snapshot_on"] for each in document["folds"]] == [str(day(330)), str(day(390))]


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        ({"min_customers": 501}, "500 customers in the training snapshots; at least 501 are needed"),
        ({"min_positives": 1_501}, "outcomes in the training snapshots happened; at least 1501 are needed"),
    ],
)
def test_where_every_fold_is_skipped_nothing_is_predicted(limits: dict[str, Any], reason: str) -> None:
    document, predictions, said = walked(inputs_of(ONE, OTHER, fit=replace(PLAN, **limits)))
    assert predictions is None
    assert (document["folds"], document["segments"], document["predictions"]) == ([], [], None)
    assert [each["snapshot_on"] for each in document["skipped"]] == [str(day(330)), str(day(390))]
    assert all(reason in each["reason"] for each in document["skipped"])
    assert said == [f"fold of {day(330)}", f"fold of {day(390)}"]


def test_a_fold_of_which_no_test_customer_has_an_outcome_is_skipped() -> None:
    class Emptied(Past):
        def _matrix(self, number: int) -> Matrix:
            found = super()._matrix(number)
            return found.only(np.zeros(len(found), dtype=np.bool_)) if number == 330 else found

    document, predictions, _ = walked(inputs_of(ONE), Emptied())
    assert predictions is None
    (skipped,) = document["skipped"]
    assert skipped["snapshot_on"] == str(day(330))
    assert skipped["reason"].startswith("no snapshot has an outcome yet")


def test_without_folds_nothing_is_asked_for() -> None:
    past = Past()
    document, predictions, said = walked(inputs_of(), past)
    assert (document["folds"], document["skipped"], document["segments"]) == ([], [], [])
    assert (document["predictions"], predictions, said, past.asked) == (None, None, [], [])


def test_a_fold_asks_for_its_own_days_and_for_no_others() -> None:
    past = Past()
    walked(inputs_of(ONE, fold(390, 210, 180), fit=replace(PLAN, min_customers=501)), past)
    assert past.asked == [day(180), day(210), day(210), day(180)]  # with too few to learn from, none to test on


def test_with_little_memory_a_fold_learns_from_some_and_is_tested_on_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boosting, "MAX_ROUNDS", 2)
    monkeypatch.setattr(sampling, "FEWEST", 600)
    (fold_of_all,) = walked(inputs_of(ONE))[0]["folds"]
    (fold_of_some,) = walked(inputs_of(ONE), memory=1)[0]["folds"]
    assert (fold_of_all["train_rows"], fold_of_all["rows"]) == (1_000, 500)
    assert 600 <= fold_of_some["train_rows"] < 700
    assert fold_of_some["rows"] == 500


def test_a_fold_is_tested_on_few_customers_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limits are those of learning: a test needs one row, and none that happened."""
    monkeypatch.setattr(boosting, "MAX_ROUNDS", 2)

    class Few(Past):
        def _matrix(self, number: int) -> Matrix:
            found = super()._matrix(number)
            staying = np.flatnonzero(found.outcomes == 0)[:1]
            return found.only(np.isin(np.arange(len(found)), staying)) if number == 330 else found

    document, predictions, _ = walked(inputs_of(ONE), Few())
    assert document["skipped"] == []
    (found,) = document["folds"]
    assert (found["rows"], found["model"]["positives"], found["empc"]) == (1, 0, None)
    assert predictions is not None
    assert len(predictions) == 1


def test_a_day_of_which_no_outcome_is_known_is_a_mistake_of_the_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boosting, "MAX_ROUNDS", 2)
    with pytest.raises(AssertionError, match=f"a fold was planned at {day(330)}, which has no outcomes"):
        walked(inputs_of(ONE), Past(without=frozenset({day(330)})))


def test_what_is_asked_stands_in_the_document(judged: Walked) -> None:
    document, _, said = judged
    assert document["outcome"] == {"kind": "inactivity", "lead_days": 0, "horizon_days": 60}
    assert document["predictions"] is None  # their place is for whoever stores them to say
    assert said == [f"fold of {day(number)}" for number in (45, 330, 390)]


# Figures


def test_predictions_have_a_row_per_customer_and_fold(judged: Walked) -> None:
    _, predictions, _ = judged
    assert predictions is not None
    assert list(predictions.columns) == [
        "customer_id",
        "snapshot_on",
        "label",
        "churn_probability",
        "logistic_regression",
        "recency",
        "value",
        "mrr_before",
        "mrr_after",
        "treated",
    ]
    assert predictions.index.tolist() == list(range(len(predictions)))
    assert not predictions.duplicated(["customer_id", "snapshot_on"]).any()
    for number in (330, 390):
        rows, frame = _of_fold(predictions, number), snapshot_frame(number)
        assert rows["customer_id"].tolist() == sorted(frame["customer_id"])
        assert rows["label"].tolist() == frame.sort_values("customer_id")[LABEL].astype(int).tolist()
    assert len(predictions) == len(snapshot_frame(330)) + len(snapshot_frame(390))
    assert predictions["churn_probability"].between(0, 1).all()


def test_what_was_known_of_a_customer_stands_in_that_customers_row(judged: Walked) -> None:
    _, predictions, _ = judged
    assert predictions is not None
    numbers = predictions["customer_id"].map(number_of)
    assert predictions["treated"].tolist() == [int(each % 5 == 0) for each in numbers]
    assert predictions["mrr_before"].tolist() == [each + 0.5 for each in numbers]
    assert predictions["mrr_after"].tolist() == [float(each) for each in numbers]


def test_a_model_is_tested_on_days_that_it_did_not_learn_from(judged: Walked) -> None:
    document, predictions, _ = judged
    assert predictions is not None
    for told, (number, *learned) in zip(document["folds"], ((330, 180, 210), (390, 240, 270, 300)), strict=True):
        assert (told["train_first"], told["train_last"]) == (str(day(learned[0])), str(day(learned[-1])))
        assert told["train_rows"] == sum(len(snapshot_frame(each)) for each in learned)
        assert told["rows"] == len(_of_fold(predictions, number))


def test_probabilities_are_those_of_a_model_of_the_folds_training_days(
    judged: Walked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(boosting, "MAX_ROUNDS", 15)
    _, predictions, _ = judged
    assert predictions is not None
    rows = stack([Past()._matrix(number) for number in (180, 210)])
    fitted = training.fit(rows, seed=PLAN.seed, threads=1)
    found = _of_fold(predictions, 330)["churn_probability"]
    assert found.tolist() == fitted.day_probability(Past()._matrix(330)).tolist()


def test_figures_are_those_of_the_predictions(judged: Walked) -> None:
    """Each computed again by scikit-learn, or by its definition."""
    document, predictions, _ = judged
    assert predictions is not None
    for told in document["folds"]:
        _compare(told, predictions)


def _compare(told: dict[str, Any], predictions: pd.DataFrame) -> None:
    rows = predictions[predictions["snapshot_on"] == told["snapshot_on"]]
    untreated = rows[rows["treated"] == 0]
    assert told["treated_rows"] == len(rows) - len(untreated)
    assert set(told["baselines"]) == {"logistic_regression", "recency", "bg_nbd"} & set(rows.columns)
    for figures, some, column in (
        (told["model"], rows, "churn_probability"),
        (told["untreated"], untreated, "churn_probability"),
        *((figures, rows, name) for name, figures in told["baselines"].items()),
    ):
        labels, given = some["label"].to_numpy(), some[column].to_numpy()
        assert (figures["n"], figures["positives"]) == (len(some), labels.sum())
        assert figures["roc_auc"] == pytest.approx(roc_auc_score(labels, given))
        assert figures["pr_auc"] == pytest.approx(average_precision_score(labels, given))
        assert figures["log_loss"] == pytest.approx(log_loss(labels, given))
        assert figures["brier"] == pytest.approx(brier_score_loss(labels, given))
    for name, (low, high) in told["intervals"].items():
        assert low <= high, name
    assert told["intervals"]["log_loss"][0] <= told["model"]["log_loss"] <= told["intervals"]["log_loss"][1]
    assert "n" not in told["intervals"]


def test_of_each_segment_the_figures_are_those_of_its_rows(judged: Walked) -> None:
    document, predictions, _ = judged
    assert predictions is not None
    numbers = predictions["customer_id"].map(number_of)
    of = {
        "country": [COUNTRIES[each % 3] if each % 10 else "" for each in numbers],
        "plan_rank": [f"{each % 2 + 1}" for each in numbers],
    }
    found = {(each["column"], each["segment"]): each for each in document["segments"]}
    assert set(found) == {("country", each) for each in COUNTRIES} | {("plan_rank", "1"), ("plan_rank", "2")}
    for (column, value), told in found.items():
        rows = predictions[np.array(of[column]) == value]
        assert (told["rows"], told["positives"]) == (len(rows), rows["label"].sum())
        happened, expected = rows["label"].sum(), rows["churn_probability"].sum()
        assert told["calibration"] == pytest.approx((happened + 0.5) / (expected + 0.5))


def test_more_samples_or_another_seed_draw_other_intervals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boosting, "MAX_ROUNDS", 2)
    seeds = {}
    for seed in (7, 8):
        document, _, _ = walked(inputs_of(ONE, fit=replace(PLAN, seed=seed)))
        seeds[seed] = document["folds"][0]["intervals"]["roc_auc"]
    document, _, _ = walked(inputs_of(ONE, bootstrap_samples=40))
    assert len({tuple(each) for each in (*seeds.values(), document["folds"][0]["intervals"]["roc_auc"])}) == 3


# Expected maximum profit

LABELS = np.array([1.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0, 0.0])
CHANCES = np.array([0.9, 0.2, 0.6, 0.4, 0.1, 0.3, 0.2, 0.1])


def labelled(labels: npt.NDArray[np.float64]) -> Matrix:
    rows = train_rows(start=False)
    return replace(rows.only(np.arange(len(rows)) < len(labels)), labels=labels)


def profit(
    value: Sequence[float], *, labels: npt.NDArray[np.float64] = LABELS, **changes: Any
) -> dict[str, float] | None:
    return _empc(inputs_of(**changes), labelled(labels), CHANCES, np.array(value, dtype=np.float64))


def test_the_profit_is_that_of_the_months_for_which_a_customer_is_kept() -> None:
    """Of 60 days' revenue six months' are made; nobody's counts where it is not known."""
    found = profit([100.0, 200.0, 300.0, np.nan, 0.0, 100.0, 100.0, 200.0])
    worth = np.mean([100, 200, 300, 0, 100, 100, 200]) * 6.0 * DAYS_PER_MONTH / 60
    given: dict[str, Any] = {"alpha": 6.0, "beta": 14.0, "clv": worth, "incentive_cost": 10.0, "contact_cost": 1.0}
    assert found is not None
    assert found["profit"] == pytest.approx(empc_score(LABELS, CHANCES, **given))
    assert found["share"] == pytest.approx(empc_score.optimal_rate(LABELS, CHANCES, **given))
    assert found["profit"] > 0


@pytest.mark.parametrize("value", [[0.0] * 8, [np.nan] * 8, [np.nan, 0.0] * 4, [-1.0] * 8])
def test_where_customers_are_worth_nothing_there_is_no_profit(value: list[float]) -> None:
    assert profit(value) is None


@pytest.mark.parametrize("labels", [np.zeros(8), np.ones(8)])
def test_where_all_leave_or_all_stay_there_is_no_profit(labels: npt.NDArray[np.float64]) -> None:
    assert profit([100.0] * 8, labels=labels) is None


def test_of_more_revenue_there_is_no_profit_in_keeping_somebody() -> None:
    assert profit([100.0] * 8) is not None
    assert profit([100.0] * 8, question=replace(QUESTION, outcome="expansion")) is None
    assert profit([100.0] * 8, question=replace(QUESTION, outcome="contraction")) is not None


def test_without_a_start_model_nobodys_worth_is_known(judged: Walked) -> None:
    document, predictions, _ = judged
    assert predictions is not None
    assert predictions["value"].isna().all()
    assert [each["empc"] for each in document["folds"]] == [None, None]


# Computed once


@dataclass(frozen=True)
class Shop:
    """A task over the shop's past, with folds of literal days."""

    store: Store
    folds: tuple[FoldDays, ...] = (ONE,)
    snapshots: Past = field(default_factory=Past)
    plan: FitPlan = PLAN
    samples: int = 20
    retention: Retention = Retention()  # noqa: RUF009 - frozen
    question: Question = QUESTION

    @property
    def calendar(self) -> SimpleNamespace:
        return SimpleNamespace(fold_days=lambda: list(self.folds))

    @property
    def fitter(self) -> Fitter:
        return Fitter(plan=self.plan, threads=1, memory=1 << 40, fits={})

    @property
    def backtest(self) -> Backtest:
        return Backtest(bootstrap_samples=self.samples)

    def tested(self, said: list[str] | None = None) -> dict[str, Any]:
        return backtest(cast("PredictionTask", self), progress=(lambda _: None) if said is None else said.append)


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    monkeypatch.setattr(boosting, "MAX_ROUNDS", 2)
    return Shop(Store(tmp_path))


def test_a_backtest_is_computed_once_and_its_predictions_lie_beside_it(shop: Shop) -> None:
    said: list[str] = []
    document = shop.tested(said)
    assert said == [*(f"snapshot of {day(each)}" for each in (180, 210, 330)), f"fold of {day(330)}"]
    (stored,) = shop.store.files("backtest")
    assert document["predictions"] == stored.path.replace(".json", ".parquet")
    _, predictions, _ = walked(inputs_of(ONE))
    found = all_predictions(shop.store, document)
    assert found is not None
    assert predictions is not None
    assert found["churn_probability"].tolist() == predictions["churn_probability"].tolist()
    said.clear()
    asked = list(shop.snapshots.asked)
    assert shop.tested(said) == document
    assert said == [f"snapshot of {day(each)}" for each in (180, 210, 330)]
    assert shop.snapshots.asked == asked
    assert len(shop.store.files("backtest")) == len(shop.store.files("predictions")) == 1


def test_where_every_fold_is_skipped_no_predictions_are_stored(shop: Shop) -> None:
    document = replace(shop, plan=replace(PLAN, min_customers=501)).tested()
    assert document["predictions"] is None
    assert shop.store.files("predictions") == []
    assert replace(shop, folds=()).tested()["folds"] == []


def test_what_a_backtest_depends_on_makes_it_anew(shop: Shop) -> None:
    few = replace(shop, plan=replace(PLAN, min_customers=501))  # nothing is fitted, and each is quick
    others = [
        replace(few, folds=(OTHER,)),
        replace(few, folds=(fold(330, 180),)),
        replace(few, snapshots=Past(made_of="2")),
        replace(few, plan=replace(PLAN, min_customers=502)),
        replace(few, samples=21),
        replace(few, retention=Retention(contact_cost=2)),
        replace(few, retention=Retention(kept_months=11)),
        replace(few, question=replace(QUESTION, lead_days=1)),
    ]
    few.tested()
    for count, other in enumerate(others, start=2):
        other.tested()
        assert len(shop.store.files("backtest")) == count
    replace(few, retention=Retention(holdout_share=0.2)).tested()  # is nothing to it
    assert len(shop.store.files("backtest")) == len(others) + 1


def test_a_fold_on_a_day_without_known_outcomes_is_a_mistake_before_anything_is_fitted(shop: Shop) -> None:
    unknown = replace(shop, snapshots=Past(without=frozenset({day(210)})))
    with pytest.raises(AssertionError, match=f"a fold was planned with {day(210)}, which has no outcomes"):
        unknown.tested()
    assert unknown.snapshots.asked == []


def test_what_a_backtest_is_made_from_is_handed_over_by_name() -> None:
    assert all(each.kw_only for each in fields(BacktestInputs))
    for function in (backtest, walk):
        assert signature(function).parameters["progress"].kind is Parameter.KEYWORD_ONLY


# Stored predictions


@pytest.fixture
def stored(tmp_path: Path) -> tuple[Store, dict[str, Any]]:
    store = Store(tmp_path)
    frame = pd.DataFrame(
        {
            "customer_id": ["A", "B", "A", "C"],
            "snapshot_on": ["2024-01-01"] * 2 + ["2024-02-01"] * 2,
            "label": [0, 1, 1, 0],
        }
    )
    path = documents.write_frame(store, "results/backtest-1.parquet", frame, kind="predictions")
    return store, {"predictions": path}


def test_the_predictions_of_all_folds_and_of_the_newest(stored: tuple[Store, dict[str, Any]]) -> None:
    store, document = stored
    everything, newest = all_predictions(store, document), newest_predictions(store, document)
    assert everything is not None
    assert everything["customer_id"].tolist() == ["A", "B", "A", "C"]
    assert newest is not None
    assert newest.to_dict("list") == {
        "customer_id": ["A", "C"],
        "snapshot_on": ["2024-02-01"] * 2,
        "label": [1, 0],
    }
    assert list(newest.index) == [0, 1]


def test_a_newest_fold_of_one_customer_is_that_customer(stored: tuple[Store, dict[str, Any]]) -> None:
    store, document = stored
    everything = all_predictions(store, document)
    assert everything is not None
    path = documents.write_frame(store, "results/backtest-2.parquet", everything[:3], kind="predictions")
    newest = newest_predictions(store, {"predictions": path})
    assert newest is not None
    assert newest["customer_id"].tolist() == ["A"]


def test_without_folds_there_are_no_predictions(tmp_path: Path) -> None:
    for found in (all_predictions, newest_predictions):
        assert found(Store(tmp_path), {"predictions": None}) is None


# A workspace


def test_what_a_finished_workspace_stored_is_what_its_predictions_say(finished_workspace: Path) -> None:
    task = main_task(open_workspace(finished_workspace, now=datetime(2026, 1, 5, tzinfo=UTC)))
    said: list[str] = []
    document = backtest(task, progress=said.append)  # read, not computed: no fold is told of
    assert said == [f"snapshot of {each}" for each in days_of(task.calendar.fold_days())]
    assert document["skipped"] == []
    assert [each["snapshot_on"] for each in document["folds"]] == [str(each.test) for each in task.calendar.fold_days()]
    predictions = all_predictions(task.store, document)
    assert predictions is not None
    newest = newest_predictions(task.store, document)
    assert newest is not None
    assert set(newest["snapshot_on"]) == {str(task.calendar.fold_days()[-1].test)}
    for told in document["folds"]:
        _compare(told, predictions)
        rows = predictions[predictions["snapshot_on"] == told["snapshot_on"]]
        on = date.fromisoformat(told["snapshot_on"])
        known = task.snapshots.at(on).outcomes()
        assert known is not None
        assert (
            rows.set_index("customer_id")["label"].to_dict() == known.set_index("customer_id")["inactivity"].to_dict()
        )
        assert told["empc"]["profit"] > 0
        assert "mrr_before" not in rows


def _of_fold(predictions: pd.DataFrame, number: int) -> pd.DataFrame:
    return predictions[predictions["snapshot_on"] == str(day(number))]
