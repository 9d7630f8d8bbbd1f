"""Each outcome is a task: its own question, its own models, and everybody's snapshots."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from features.errors import DataError
from models.question import Question
from pipelines.data.landing.ingest import ingest
from pipelines.foundation.settings.dialect import Dialect
from pipelines.foundation.settings.settings import Cohort, Contracts, Outcome, Promotion, Settings, Training
from pipelines.foundation.settings.sources import FileSource
from pipelines.foundation.workspace.workspace import Workspace
from pipelines.prediction.training.fit import FitPlan
from pipelines.prediction.training.task import main_task, tasks_of
from tests.pipelines.shop_case import SETTINGS as SHOP
from tests.pipelines.shop_case import make_shop

DAY = date(2024, 3, 1)
CLUB = Settings(
    currency="EUR",
    complete_until=date(2024, 7, 1),
    lookback_days=(30,),
    sources=(
        FileSource(
            table="subscriptions",
            path="subscriptions.csv",
            columns={
                name: name
                for name in ("subscription_id", "customer_id", "started_at", "plan", "mrr", "ended_at", "end_reason")
            },
            dialect=Dialect(time_zone="UTC"),
        ),
    ),
    cohort=Cohort(kind="subscribed"),
    outcome=Outcome(kind="churn", also=("voluntary", "expansion"), lead_days=7, horizon_days=60),
    contracts=Contracts(grace_days=3, price_rise_is_expansion=True),
    training=Training(seed=11, threads=1, tuning_trials=2, start_model=False, min_customers=3, min_positives=2),
    promotion=Promotion(snapshots=5),
)
ROWS = """subscription_id,customer_id,started_at,plan,mrr,ended_at,end_reason
1,A,2024-01-02,basic,30,2024-04-01,moved
2,B,2024-01-02,basic,30,,
3,C,2024-01-02,basic,30,,
"""


def opened(folder: Path, settings: Settings = CLUB, *, rows: str = ROWS) -> Workspace:
    folder.mkdir(exist_ok=True)
    (folder / "subscriptions.csv").write_text(rows, encoding="utf-8")
    workspace = Workspace(folder, settings, date(2024, 7, 1), datetime(2024, 7, 1, tzinfo=UTC).date())
    ingest(workspace.store, workspace.settings, today=workspace.today)
    return workspace


def training(**changes: Any) -> Settings:
    return CLUB.model_copy(update={"training": CLUB.training.model_copy(update=changes)})


def test_the_outcome_whose_scores_go_to_the_crm_comes_first(tmp_path: Path) -> None:
    tasks = tasks_of(opened(tmp_path))
    assert [(task.kind, task.main) for task in tasks] == [("churn", True), ("voluntary", False), ("expansion", False)]
    assert main_task(opened(tmp_path)).kind == "churn"


def test_a_shop_has_one_task(tmp_path: Path) -> None:
    folder = make_shop(tmp_path / "shop", rows=[("F1", "C-1", "01/03/2024", "10,00")])
    workspace = Workspace(folder, SHOP, date(2024, 7, 1), date(2024, 7, 1))
    ingest(workspace.store, workspace.settings, today=workspace.today)
    (task,) = tasks_of(workspace)
    assert (task.kind, task.main, task.question) == ("inactivity", True, SHOP.question)


def test_each_is_asked_its_own_question(tmp_path: Path) -> None:
    churn, voluntary, expansion = tasks_of(opened(tmp_path))
    for task in (churn, voluntary, expansion):
        assert task.question == Question.of(
            task.kind,
            lead_days=7,
            horizon_days=60,
            cohort=CLUB.at_risk,
            endings=CLUB.endings,
            price_rise_is_expansion=True,
        )
    assert not churn.question.price_rise_is_expansion
    assert expansion.question.price_rise_is_expansion


def test_snapshots_are_shared(tmp_path: Path) -> None:
    workspace = opened(tmp_path)
    tasks = tasks_of(workspace)
    main, *further = tasks
    for task in further:
        assert task.snapshots.of(main.question) == main.snapshots
        assert task.snapshots.compiled is main.snapshots.compiled
        assert task.snapshots.at(DAY).file == main.snapshots.at(DAY).file
        assert task.snapshots.at(DAY).outcome_file == main.snapshots.at(DAY).outcome_file
        assert task.calendar is main.calendar
        assert task.store is main.store is workspace.store
    assert len(workspace.store.files("snapshot")) == len(workspace.store.files("outcome")) == 1


def test_of_the_same_rows_each_has_its_own_labels(tmp_path: Path) -> None:
    """A left within the window, the others stay; nobody pays more."""
    found = {}
    for task in tasks_of(opened(tmp_path)):
        frame = task.snapshots.at(DAY).labelled_frame()
        assert frame is not None
        found[task.kind] = dict(zip(frame["customer_id"], frame["happened"], strict=True))
        labels = task.snapshots.at(DAY).labels()
        assert labels is not None
        labelled = task.snapshots.at(DAY).labelled(labels)
        assert labelled.question == task.question
    assert found == {
        "churn": {"A": 1, "B": 0, "C": 0},
        "voluntary": {"A": 1, "B": 0, "C": 0},
        "expansion": {"A": 0, "B": 0, "C": 0},
    }


def test_each_has_models_of_its_own_and_what_is_fitted_is_kept_for_all(tmp_path: Path) -> None:
    workspace = opened(tmp_path)
    tasks = tasks_of(workspace)
    assert [task.versions.outcome for task in tasks] == ["churn", "voluntary", "expansion"]
    assert all(task.fitter.fits is workspace.fits for task in tasks)


def test_the_plans_are_those_of_the_settings(tmp_path: Path) -> None:
    task = main_task(opened(tmp_path))
    assert task.fitter.plan == FitPlan(seed=11, tuning_trials=2, start_model=False, min_customers=3, min_positives=2)
    assert task.fitter.threads == 1
    assert (task.backtest, task.promotion, task.retention) == (CLUB.backtest, CLUB.promotion, CLUB.retention)


def test_how_many_threads_fit_is_no_part_of_the_plan(tmp_path: Path) -> None:
    workspace = opened(tmp_path)
    more = Workspace(tmp_path, training(threads=2), workspace.as_of, workspace.today)
    other = Workspace(tmp_path, training(seed=12), workspace.as_of, workspace.today)
    plan = main_task(workspace).fitter.plan
    assert main_task(more).fitter.threads == 2
    assert main_task(more).fitter.plan == plan
    assert main_task(other).fitter.plan != plan


def test_where_nothing_has_landed_there_is_no_task(tmp_path: Path) -> None:
    tmp_path.joinpath("empty").mkdir()
    workspace = Workspace(tmp_path / "empty", CLUB, date(2024, 7, 1), date(2024, 7, 1))
    with pytest.raises(DataError, match="no subscriptions have landed"):
        tasks_of(workspace)
