"""What came of past scores: which days count, whose outcomes the model is judged by, and what makes it worse."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, date, datetime, timedelta
from inspect import Parameter, signature
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pandas as pd
import pytest
from pandas.errors import MergeError
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score

from features.errors import TrainingError
from features.outcomes import Kind
from models.question import Question
from models.realised import RATIO, Tolerance
from pipelines.foundation.ledger.score_store import ScoreRun, ScoreStore
from pipelines.foundation.settings.monitoring import Monitoring
from pipelines.foundation.storage.store import Store
from pipelines.foundation.workspace.calendar import Calendar, Grid
from pipelines.foundation.workspace.workspace import open_workspace
from pipelines.operations.monitoring import matured as maturing
from pipelines.operations.monitoring.holdout_figures import StandIns
from pipelines.operations.monitoring.matured import (
    NO_HOLDOUT,
    NOBODY_ASKED,
    TOO_FEW,
    MaturedInputs,
    MaturedPlan,
    _bands,
    _figures,
    _promises,
    _reason,
    joined,
    matured,
    pooled,
)
from pipelines.operations.monitoring.monitor import matured_plan
from pipelines.prediction.training.task import PredictionTask, main_task
from tests.models.model_case import QUESTION
from tests.pipelines.foundation.ledger.score_case import scores
from tests.pipelines.shop_case import AS_OF

PLAN = MaturedPlan(monitoring=Monitoring(), bootstrap_samples=40, seed=7)
NOBODY = pd.DataFrame({"customer_id": [], "recommended_on": [], "treatment_group": []}, dtype="str")
NOBODY_NEAR = NOBODY[["customer_id", "treatment_group"]]
RUN = ScoreRun(1, "2024-05-01", "run-1", "", "", 0, "", {"model_version": "aaaaaaaaaaaa"}, current=True)


def test_what_is_tolerable_is_as_the_settings_have_it() -> None:
    monitoring = Monitoring(max_log_loss_increase=0.5, max_roc_auc_decrease=0.25, max_calibration_error=0.125)
    assert replace(PLAN, monitoring=monitoring).tolerance == Tolerance(log_loss=0.5, roc_auc=0.25, calibration=0.125)


# Bands


def test_bands_tell_expected_and_happened_by_weight() -> None:
    rows = pd.DataFrame(
        {
            "churn_risk_band": ["low", "high", "low", "high"],
            "churn_probability": [0.25, 0.75, 0.125, 0.5],
            "label": [0, 1, 1, 0],
        }
    )
    assert _bands(rows, np.array([1.0, 0.0, 2.0, 4.0])) == [
        {"band": "high", "n": 4.0, "expected": 2.0, "happened": 0.0},
        {"band": "low", "n": 3.0, "expected": 0.5, "happened": 2.0},
    ]


def day_of(on: str, *bands: tuple[str, float, float, float], hindsight: bool = False) -> dict[str, Any]:
    names = ("band", "n", "expected", "happened")
    return {"as_of": on, "hindsight": hindsight, "bands": [dict(zip(names, band, strict=True)) for band in bands]}


def test_pooled_are_the_sums_of_the_days_per_band_and_in_all() -> None:
    found = pooled(
        [
            day_of("2024-03-01", ("high", 9, 9, 9), hindsight=True),
            day_of("2024-04-01", ("low", 10, 1.5, 2), ("high", 2, 1.0, 2)),
            day_of("2024-05-01", ("low", 20, 2.5, 1)),
            day_of("2024-06-01", ("low", 9, 9, 9), hindsight=True),
        ]
    )
    assert found == {
        "runs": 2,
        "first": "2024-04-01",
        "last": "2024-05-01",
        "n": 32,
        "expected": 5.0,
        "happened": 5.0,
        RATIO: 1.0,
        "bands": [
            {"band": "high", "n": 2, "expected": 1.0, "happened": 2},
            {"band": "low", "n": 30, "expected": 4.0, "happened": 3},
        ],
    }


def test_pooled_rows_are_whole_though_weights_are_not() -> None:
    found = pooled([day_of("2024-04-01", ("low", 10.3, 1.0, 2.5), ("high", 2.3, 1.0, 2.5))])
    assert found is not None
    assert (found["n"], found[RATIO]) == (13, 2.5)


def test_where_nothing_was_expected_there_is_no_ratio() -> None:
    found = pooled([day_of("2024-04-01", ("low", 10, 0.0, 1))])
    assert found is not None
    assert found[RATIO] is None
    found = pooled([day_of("2024-04-01", ("low", 10, 0.5, 1))])
    assert found is not None
    assert found[RATIO] == 2.0


@pytest.mark.parametrize("figures", [[], [day_of("2024-04-01", ("low", 1, 1, 1), hindsight=True)]])
def test_without_a_day_that_the_model_could_not_know_nothing_is_pooled(figures: list[dict[str, Any]]) -> None:
    assert pooled(figures) is None


# Why nobody stands in


@pytest.mark.parametrize(
    ("others", "reason"),
    [
        (None, NO_HOLDOUT),
        (StandIns(np.array([]), recommended=9, held_out=0, held_out_left=0), NO_HOLDOUT),
        (StandIns(np.array([]), recommended=9, held_out=1, held_out_left=0), TOO_FEW),
        (StandIns(np.array([]), recommended=9, held_out=29, held_out_left=9), TOO_FEW),
    ],
)
def test_the_reason_without_a_holdout_says_whether_there_was_one(others: StandIns | None, reason: str) -> None:
    assert _reason(others) == reason


# Whom the model is judged by

# As good as what was promised to differ from it in nothing but what each case plants.
LAX = {"log_loss": 9.0, "roc_auc": 0.0}
STRICT = {"log_loss": 0.1, "roc_auc": 0.99}


def folds(everybody: Mapping[str, float] = LAX, untreated: Mapping[str, float] = LAX) -> list[Mapping[str, Any]]:
    return [{"model": everybody, "untreated": untreated}]


def rows_of(*parts: tuple[str, int, float, int]) -> pd.DataFrame:
    """Groups of customers: the letter of their names, how many, the share who left, whether an action was taken.

    Half have a probability of 0.1, half one of 0.3, and as many of both left.
    """
    found = []
    for letter, count, share, treated in parts:
        left = np.arange(count) % 10 < round(share * 10)
        found.append(
            pd.DataFrame(
                {
                    "customer_id": [f"{letter}{number}" for number in range(count)],
                    "churn_probability": np.where(np.arange(count) // 10 % 2 == 0, 0.1, 0.3),
                    "churn_risk_band": np.where(np.arange(count) // 10 % 2 == 0, "low", "medium"),
                    "label": left.astype(np.int64),
                    "treated": treated,
                }
            )
        )
    return pd.concat(found, ignore_index=True)


def near(rows: pd.DataFrame, treatment: str = "", holdout: str = "") -> pd.DataFrame:
    groups = rows["customer_id"].str[0].map(dict.fromkeys(treatment, "treatment") | dict.fromkeys(holdout, "holdout"))
    found = pd.DataFrame({"customer_id": rows["customer_id"], "treatment_group": groups})
    return found.dropna().reset_index(drop=True)


def figures(
    rows: pd.DataFrame,
    groups: pd.DataFrame = NOBODY_NEAR,
    told: Sequence[Mapping[str, Any]] = (),
    *,
    hindsight: bool = False,
) -> dict[str, Any]:
    return _figures(PLAN, RUN, rows, groups, (list(told) or folds(), hindsight))


def test_without_plays_everybodys_figures_are_told_and_those_of_the_untreated() -> None:
    rows = rows_of(("A", 200, 0.2, 0), ("T", 100, 0.4, 1))
    found = figures(rows)
    assert (found["as_of"], found["run_id"], found["model_version"]) == ("2024-05-01", "run-1", "aaaaaaaaaaaa")
    assert (found["n"], found["positives"], found["treated"]) == (300, 80, 100)
    assert found["roc_auc"] == pytest.approx(roc_auc_score(rows["label"], rows["churn_probability"]))
    assert found["log_loss"] == pytest.approx(log_loss(rows["label"], rows["churn_probability"]))
    assert found["brier"] == pytest.approx(brier_score_loss(rows["label"], rows["churn_probability"]))
    assert found["expected"] == pytest.approx(60)
    assert found[RATIO] == pytest.approx(80 / 60)
    some = rows[rows["treated"] == 0]
    assert (found["untreated"]["n"], found["untreated"]["positives"]) == (200, 40)
    assert found["untreated"]["log_loss"] == pytest.approx(log_loss(some["label"], some["churn_probability"]))
    assert (found["recommended"], found["held_out"], found["holdout"]) == (0, 0, None)
    assert (found["judged_on"], found["holdout_reason"]) == ("everybody", NO_HOLDOUT)
    assert found["bands"] == [
        {"band": "low", "n": 150.0, "expected": pytest.approx(15), "happened": 40.0},
        {"band": "medium", "n": 150.0, "expected": pytest.approx(45), "happened": 40.0},
    ]
    assert found["promised"] == {"all": LAX, "untreated": LAX}


@pytest.mark.parametrize(
    ("parts", "worse"),
    [
        ([("A", 400, 0.2, 0), ("T", 400, 0.2, 1)], []),
        ([("A", 400, 0.6, 0), ("T", 400, 0.6, 1)], [RATIO]),
        ([("A", 400, 0.2, 0), ("T", 400, 0.9, 1)], []),  # only those of whom action was taken left as was not foreseen
        ([("A", 400, 0.4, 0), ("T", 400, 0.0, 1)], []),  # a model that is right, and a team that kept half of them
        ([("A", 400, 0.0, 0), ("T", 400, 0.0, 1)], [RATIO]),
    ],
)
def test_an_error_shows_among_everybody_and_among_those_left_alone(
    parts: list[tuple[str, int, float, int]], worse: list[str]
) -> None:
    """Slopes are of nobody's concern here: chances say nothing of who left."""
    found = [name for name in figures(rows_of(*parts))["clearly_worse"] if name != "calibration_slope"]
    assert found == worse


@pytest.mark.parametrize(
    ("told", "worse"),
    [
        (folds(STRICT, STRICT), {"log_loss", "roc_auc"}),
        (folds(STRICT, LAX), set()),
        (folds(LAX, STRICT), set()),
        (folds(STRICT, {"log_loss": 0.1, "roc_auc": 0.0}), {"log_loss"}),
        (folds({"log_loss": 9.0, "roc_auc": 0.99}, STRICT), {"roc_auc"}),
    ],
)
def test_each_is_held_against_what_was_promised_of_them(told: list[Mapping[str, Any]], worse: set[str]) -> None:
    found = figures(rows_of(("A", 400, 0.2, 0), ("T", 400, 0.2, 1)), told=told)
    assert set(found["clearly_worse"]) - {"calibration_slope"} == worse
    assert found["clearly_worse"] == sorted(found["clearly_worse"])
    assert found["promised"] == {"all": told[0]["model"], "untreated": told[0]["untreated"]}


def test_a_model_that_knew_what_came_is_never_judged() -> None:
    rows = rows_of(("A", 400, 0.9, 0))
    assert RATIO in figures(rows)["clearly_worse"]
    found = figures(rows, hindsight=True)
    assert (found["hindsight"], found["clearly_worse"]) == (True, [])
    assert not figures(rows)["hindsight"]


def test_where_nobody_was_held_out_those_recommended_a_play_do_not_count_and_ranking_is_not_judged() -> None:
    """P were recommended a play, and all of them left; of the others as many as was foreseen."""
    rows = rows_of(("A", 400, 0.2, 0), ("P", 400, 1.0, 0))
    told = folds(STRICT, STRICT)
    assert set(figures(rows, told=told)["clearly_worse"]) >= {RATIO, "log_loss", "roc_auc"}
    found = figures(rows, near(rows, treatment="P"), told)
    assert set(found["clearly_worse"]) - {"calibration_slope"} == {"log_loss"}
    assert (found["recommended"], found["held_out"], found["judged_on"]) == (400, 0, "everybody")
    assert found["holdout_reason"] == NO_HOLDOUT
    assert found["untreated"]["n"] == 800  # as the outcomes have it
    assert sum(band["n"] for band in found["bands"]) == 800


def test_nor_do_those_of_whom_another_action_was_taken() -> None:
    rows = rows_of(("A", 400, 0.2, 0), ("P", 40, 0.2, 0), ("T", 400, 1.0, 1))
    found = figures(rows, near(rows, treatment="P"))
    assert set(found["clearly_worse"]) <= {"calibration_slope"}
    rows = rows_of(("A", 400, 0.9, 0), ("P", 40, 0.9, 0), ("T", 400, 0.9, 1))
    assert RATIO in figures(rows, near(rows, treatment="P"))["clearly_worse"]


def test_the_few_held_out_are_among_the_others() -> None:
    """29 were held out, one too few to stand for those recommended a play: each for itself."""
    rows = rows_of(("A", 100, 0.2, 0), ("P", 100, 0.0, 0), ("H", 29, 0.3, 0))
    found = figures(rows, near(rows, treatment="P", holdout="H"))
    assert (found["held_out"], found["recommended"], found["holdout"]) == (29, 100, None)
    assert (found["judged_on"], found["holdout_reason"]) == ("everybody", TOO_FEW)
    assert sum(band["n"] for band in found["bands"]) == 229
    assert sum(band["happened"] for band in found["bands"]) == rows["label"].sum()


def test_who_was_held_out_is_counted_though_nobody_was_recommended_a_play() -> None:
    rows = rows_of(("A", 100, 0.2, 0), ("H", 20, 0.2, 0))
    found = figures(rows, near(rows, holdout="H"))
    assert (found["recommended"], found["held_out"], found["holdout"]) == (0, 20, None)
    assert (found["judged_on"], found["holdout_reason"]) == ("everybody", NOBODY_ASKED)


def test_the_held_out_stand_for_those_recommended_a_play() -> None:
    """All of P were kept; of the 40 held out as many left as was foreseen, and each stands for eleven."""
    rows = rows_of(("A", 400, 0.2, 0), ("P", 400, 0.0, 0), ("H", 40, 0.2, 0))
    found = figures(rows, near(rows, treatment="P", holdout="H"))
    assert (found["recommended"], found["held_out"]) == (400, 40)
    assert (found["judged_on"], found["holdout_reason"]) == ("holdout", None)
    assert found["holdout"]["n"] == pytest.approx(840)
    assert found["holdout"][RATIO] == pytest.approx((80 + 11 * 8) / 168)
    assert found[RATIO] == pytest.approx((80 + 8) / 168)
    assert set(found["clearly_worse"]) <= {"calibration_slope"}
    assert sum(band["n"] for band in found["bands"]) == pytest.approx(840)
    assert sum(band["happened"] for band in found["bands"]) == pytest.approx(80 + 11 * 8)


def test_an_error_that_plays_hide_shows_among_the_held_out() -> None:
    """Twice as many leave as was foreseen, but those with a play all stay: everybody's figures look right."""
    rows = rows_of(("A", 200, 0.4, 0), ("P", 200, 0.0, 0), ("H", 100, 0.6, 0))
    plain = figures(rows)
    assert set(plain["clearly_worse"]) <= {"calibration_slope"}
    found = figures(rows, near(rows, treatment="P", holdout="H"))
    assert RATIO in found["clearly_worse"]


@pytest.mark.parametrize(
    ("told", "worse"), [(folds(STRICT, LAX), {"log_loss", "roc_auc"}), (folds(LAX, STRICT), set())]
)
def test_the_held_out_are_held_against_what_was_promised_of_everybody(
    told: list[Mapping[str, Any]], worse: set[str]
) -> None:
    rows = rows_of(("A", 400, 0.2, 0), ("P", 100, 0.2, 0), ("H", 100, 0.2, 0))
    found = figures(rows, near(rows, treatment="P", holdout="H"), told)
    assert set(found["clearly_worse"]) - {"calibration_slope"} == worse


# Scored days


@dataclass(frozen=True)
class Outcomes:
    """What is known of some days: None where outcomes are censored. path: what the files of outcomes are called by."""

    of: Mapping[date, pd.DataFrame | None]
    path: str = "outcomes"
    read: list[date] = field(default_factory=list)

    def at(self, day: date) -> SimpleNamespace:
        stored = None if self.of.get(day) is None else SimpleNamespace(path=f"{self.path}/{day}.parquet")
        return SimpleNamespace(outcome_file=stored, outcomes=lambda: self._read(day))

    def _read(self, day: date) -> pd.DataFrame | None:
        self.read.append(day)
        return self.of.get(day)


@dataclass(frozen=True)
class Models:
    """learned: by version, the newest day that a model learned from."""

    learned: Mapping[str, date]

    def named(self, version: str) -> SimpleNamespace:
        if version not in self.learned:
            raise TrainingError(f"there is no model {version}")
        return SimpleNamespace(record={"backtest": {"folds": folds(STRICT)}})

    def load(self, version: str) -> SimpleNamespace:
        return SimpleNamespace(snapshots=(1, self.learned[version].toordinal()))


@dataclass(frozen=True)
class Shop:
    """A task over literal outcomes."""

    store: Store
    calendar: Calendar
    snapshots: Outcomes
    versions: Models
    question: Question = QUESTION
    kind: Kind = "inactivity"

    def matured(
        self, plan: MaturedPlan = PLAN, recommended: pd.DataFrame = NOBODY, said: list[str] | None = None
    ) -> list[dict[str, Any]]:
        progress = (lambda _: None) if said is None else said.append
        return matured(cast("PredictionTask", self), plan, recommended, progress=progress)

    def documents(self) -> set[str]:
        return {file.path for file in self.store.files("matured")}


DAYS = tuple(date(2024, 4, 1) + timedelta(days=number) for number in range(4))
KNOWN = pd.DataFrame(
    {
        "customer_id": ["new", "10", "A-17"],
        "treated": [0, 1, 0],
        "inactivity": [1, 0, 1],
        "mrr_before": [1.0, 2.0, 3.0],
    }
)


def scored(store: Store, day: date, run_id: str, **changes: Any) -> ScoreRun:
    detail = {"model_version": "aaaaaaaaaaaa"}
    frame = scores(run_id, **changes)
    ScoreStore(store).replace(frame, as_of=str(day), run_id=run_id, made_from=run_id, detail=detail)
    return ScoreStore(store).require(str(day))


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """Scored on four days in a row, by a model that had learned long before; as of the day the third's are known."""
    store = Store(tmp_path)
    for number, day in enumerate(DAYS):
        scored(store, day, f"run-{number}")
    calendar = Calendar(
        as_of=DAYS[2] + timedelta(days=60),
        data_from=date(2023, 1, 1),
        data_to=date(2024, 12, 31),
        covered_until=date(2025, 1, 1),
        maturity_days=60,
        grid=Grid(every_days=7, anchor=date(2001, 1, 1), min_history_days=30, at_most=52),
        folds=1,
        fold_every_days=30,
        embargo_days=0,
    )
    return Shop(store, calendar, Outcomes(dict.fromkeys(DAYS, KNOWN)), Models({"aaaaaaaaaaaa": date(2023, 6, 1)}))


def test_only_days_whose_outcomes_were_known_by_the_day_are_told_of_oldest_first(shop: Shop) -> None:
    said: list[str] = []
    assert [each["as_of"] for each in shop.matured(said=said)] == [str(day) for day in DAYS[:3]]
    assert said == [f"scores of {day}" for day in DAYS[:3]]
    earlier = replace(shop, calendar=replace(shop.calendar, as_of=shop.calendar.as_of - timedelta(days=1)))
    assert [each["as_of"] for each in earlier.matured()] == [str(day) for day in DAYS[:2]]
    ended = replace(shop, calendar=replace(shop.calendar, covered_until=DAYS[0] + timedelta(days=60)))
    assert [each["as_of"] for each in ended.matured()] == [str(DAYS[0])]


def test_of_many_days_the_newest_are_told_of(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    assert maturing.AT_MOST == 52
    monkeypatch.setattr(maturing, "AT_MOST", 2)
    assert [each["as_of"] for each in shop.matured()] == [str(day) for day in DAYS[1:3]]


def test_of_one_day_the_newest_run_counts(shop: Shop) -> None:
    scored(shop.store, DAYS[1], "again")
    assert [each["run_id"] for each in shop.matured()] == ["run-0", "again", "run-2"]


def test_a_day_is_computed_once(shop: Shop) -> None:
    first = shop.matured()
    documents, read = shop.documents(), list(shop.snapshots.read)
    assert read == list(DAYS[:3])
    assert shop.matured() == first
    assert (shop.documents(), shop.snapshots.read) == (documents, read)
    assert len(documents) == 3
    assert all(path.startswith("monitoring/matured/run-") for path in documents)


def test_what_a_days_figures_depend_on_makes_them_anew(shop: Shop) -> None:
    shop.matured()
    before = shop.documents()
    far = pd.DataFrame({"customer_id": ["10"], "recommended_on": ["2023-06-01"], "treatment_group": ["treatment"]})
    shop.matured(recommended=far)
    assert shop.documents() == before
    for count, changed in enumerate(
        (
            lambda: shop.matured(recommended=far.assign(recommended_on=str(DAYS[0]))),
            lambda: shop.matured(replace(PLAN, seed=8)),
            lambda: shop.matured(replace(PLAN, bootstrap_samples=41)),
            lambda: shop.matured(replace(PLAN, monitoring=Monitoring(max_log_loss_increase=0.5))),
            lambda: replace(shop, snapshots=replace(shop.snapshots, path="corrected")).matured(),
            lambda: replace(shop, question=replace(QUESTION, horizon_days=61)).matured(),
        ),
        start=2,
    ):
        changed()
        assert len(shop.documents()) == 3 * count


def test_the_name_of_a_days_figures_changes_with_each_part() -> None:
    usual = MaturedInputs(run_id="1", question=QUESTION, outcomes="a", recommended="", plan=PLAN)
    others = [
        replace(usual, run_id="2"),
        replace(usual, question=replace(QUESTION, lead_days=1)),
        replace(usual, outcomes="b"),
        replace(usual, recommended="10,treatment"),
        replace(usual, plan=replace(PLAN, seed=8)),
    ]
    assert len({each.key for each in (usual, *others)}) == 6
    assert replace(usual).key == usual.key
    assert all(each.kw_only for kind in (MaturedInputs, MaturedPlan) for each in fields(kind))
    assert signature(matured).parameters["recommended"].kind is Parameter.POSITIONAL_OR_KEYWORD
    assert signature(matured).parameters["progress"].kind is Parameter.KEYWORD_ONLY


def test_a_day_of_which_no_scored_customer_has_an_outcome_is_left_out(shop: Shop) -> None:
    others = KNOWN.assign(customer_id=["new", "newer", "newest"])
    quiet = replace(shop, snapshots=Outcomes({DAYS[0]: KNOWN, DAYS[1]: others, DAYS[2]: None}))
    said: list[str] = []
    assert [each["as_of"] for each in quiet.matured(said=said)] == [str(DAYS[0])]
    assert said == [f"scores of {day}" for day in DAYS[:3]]
    assert len(shop.documents()) == 1


def test_scores_are_joined_with_what_became_of_the_same_customer(shop: Shop) -> None:
    run = ScoreStore(shop.store).require(str(DAYS[0]))
    found = joined(cast("PredictionTask", shop), run)
    assert found.to_dict("list") == {
        "customer_id": ["10", "A-17"],  # by priority; É-2 has no outcome, and new has no score
        "churn_probability": [0.9999999999999999, 0.12345678901234568],
        "churn_risk_band": ["high", "low"],
        "label": [0, 1],
        "treated": [1, 0],
    }


def test_a_customer_with_two_outcomes_is_a_mistake(shop: Shop) -> None:
    twice = replace(shop, snapshots=Outcomes({DAYS[0]: pd.concat([KNOWN, KNOWN])}))
    with pytest.raises(MergeError):
        joined(cast("PredictionTask", twice), ScoreStore(shop.store).require(str(DAYS[0])))


def test_scores_without_known_outcomes_are_a_mistake(shop: Shop) -> None:
    censored = replace(shop, snapshots=Outcomes({}))
    with pytest.raises(AssertionError, match=f"the outcomes of {DAYS[0]} are censored"):
        joined(cast("PredictionTask", censored), ScoreStore(shop.store).require(str(DAYS[0])))


@pytest.mark.parametrize(("newest", "hindsight"), [(date(2024, 2, 1), False), (date(2024, 2, 2), True)])
def test_a_model_knew_what_came_where_it_learned_outcomes_that_were_known_later(
    shop: Shop, newest: date, *, hindsight: bool
) -> None:
    """Those of 1 February were known on the first scored day, 1 April, after 60 days; those of 2 February were not."""
    assert shop.calendar.known_on(date(2024, 2, 1)) == DAYS[0]
    models = replace(shop, versions=Models({"aaaaaaaaaaaa": newest}))
    assert _promises(cast("PredictionTask", models), "aaaaaaaaaaaa", DAYS[0]) == (folds(STRICT), hindsight)
    told = models.matured()
    assert [each["hindsight"] for each in told] == [hindsight, False, False]
    assert told[0]["promised"] == {"all": STRICT, "untreated": LAX}


def test_of_a_model_that_is_not_in_the_ledger_nothing_was_promised(shop: Shop) -> None:
    anew = replace(shop, versions=Models({}))
    assert _promises(cast("PredictionTask", anew), "aaaaaaaaaaaa", DAYS[0]) == ([], False)
    assert {str(each["promised"]["all"]) for each in anew.matured()} == {"{'log_loss': None, 'roc_auc': None}"}


# A workspace


def test_of_a_finished_workspace_what_came_of_its_scores_is_told_once_it_is_known(finished_workspace: Path) -> None:
    now = datetime(2026, 1, 5, tzinfo=UTC)
    known = AS_OF + timedelta(days=60)
    early = open_workspace(finished_workspace, now=now, as_of=known - timedelta(days=1))
    assert matured(main_task(early), matured_plan(early.settings), NOBODY) == []
    workspace = open_workspace(finished_workspace, now=now, as_of=known)
    task = main_task(workspace)
    (found,) = matured(task, matured_plan(workspace.settings), NOBODY)
    rows = joined(task, ScoreStore(task.store).require(str(AS_OF)))
    labels, chances = rows["label"].to_numpy(), rows["churn_probability"].to_numpy()
    assert (found["as_of"], found["hindsight"]) == (str(AS_OF), False)
    assert (found["n"], found["positives"]) == (len(rows), labels.sum())
    assert found["n"] > 200
    assert found["roc_auc"] == pytest.approx(roc_auc_score(labels, chances))
    assert found["log_loss"] == pytest.approx(log_loss(labels, chances))
    assert found[RATIO] == pytest.approx(labels.sum() / chances.sum())
    assert found["promised"]["all"]["log_loss"] > 0
    files = [(file.path, file.sequence) for file in task.store.files("matured")]
    assert matured(task, matured_plan(workspace.settings), NOBODY) == [found]
    assert [(file.path, file.sequence) for file in task.store.files("matured")] == files
    assert len(files) == 1
