"""A small simulated company with a model for each outcome: what is computed, kept apart, told and handed over."""

from __future__ import annotations

import csv
import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from features.errors import SettingsError
from models.tracking.registry import CHAMPION
from pipelines import run as stages
from pipelines.data.snapshots.outcomes import outcomes
from pipelines.data.snapshots.workspace_snapshots import snapshots_of
from pipelines.foundation.settings.settings import FILE_NAME, load
from pipelines.foundation.settings.template import render
from pipelines.foundation.simulation.simulate import simulate
from pipelines.foundation.workspace.console import Console
from pipelines.foundation.workspace.run_context import RunContext
from pipelines.foundation.workspace.workspace import open_workspace
from pipelines.operations.delivery.other_outcomes import other_outcomes
from pipelines.prediction.scoring.forecast import horizon_forecast
from pipelines.prediction.scoring.score import plan_of
from pipelines.prediction.training.publish import registry_of
from pipelines.prediction.training.task import tasks_of
from pipelines.prediction.training.train import settings_of
from tests.sentences.published import judged, truth_of
from tests.sentences.reading import LANGUAGES
from tests.sentences.workspaces import scored

NOW = datetime(2030, 1, 1, tzinfo=UTC)
KINDS = ("churn", "voluntary", "involuntary", "expansion")
# Families enough for two reasons to leave, and few enough to compute within seconds.
FEW = (
    "customers",
    "subscriptions",
    "subscription_changes",
    "payments",
    "payment_methods",
    "support_contacts",
    "treatments",
)


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("outcomes") / "company"
    simulate(folder, customers=1_500, months=20, seed=6)
    settings = load(folder / FILE_NAME)
    changed = {
        "sources": tuple(source for source in settings.sources if source.table in FEW),
        "lookback_days": (30,),
        "outcome": settings.outcome.model_copy(update={"also": KINDS[1:]}),
        "snapshots": settings.snapshots.model_copy(update={"min_history_days": 420, "at_most": 4}),
        "training": settings.training.model_copy(update={"min_positives": 5}),
        "backtest": settings.backtest.model_copy(update={"folds": 2, "bootstrap_samples": 20}),
    }
    (folder / FILE_NAME).write_text(render(settings.model_copy(update=changed)), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def documents(company: Path) -> dict[str, Any]:
    return stages.everything(_job(company))


def _job(folder: Path) -> RunContext:
    return RunContext(open_workspace(folder, now=NOW), Console(quiet=True), NOW)


def test_each_outcome_is_backtested_with_folds_intervals_and_segments(documents: dict[str, Any]) -> None:
    tested = documents["backtest"]
    assert [each["outcome"]["kind"] for each in (tested, *tested["also"])] == list(KINDS)
    for each in (tested, *tested["also"]):
        assert len(each["folds"]) == 2
        for fold in each["folds"]:
            low, high = fold["intervals"]["roc_auc"]
            assert low <= fold["model"]["roc_auc"] <= high
            assert fold["untreated"]["n"] + fold["treated_rows"] == fold["rows"]
            assert fold["treated_rows"] > 0
    columns = {segment["column"] for segment in tested["segments"]}
    assert {"country", "acquisition_channel", "value_tier", "plan_rank"} <= columns


def test_each_outcome_has_a_champion_of_its_own_under_a_name_of_its_own(
    documents: dict[str, Any], company: Path
) -> None:
    trained = documents["train"]
    versions = {"churn": trained["version"]} | {each["outcome"]: each["version"] for each in trained["also"]}
    assert set(versions) == set(KINDS)
    assert len(set(versions.values())) == len(KINDS)
    workspace = open_workspace(company, now=NOW)
    for task in tasks_of(workspace):
        tracking = settings_of(task.kind, workspace.settings).tracking
        assert task.versions.champion().version == versions[task.kind]
        assert task.versions.load(versions[task.kind]).question == task.question
        assert registry_of(tracking, workspace.root).aliased(CHAMPION) == versions[task.kind]


def test_a_second_run_trains_nothing_anew(documents: dict[str, Any], company: Path) -> None:
    again = stages.everything(_job(company))
    assert again["backtest"] == documents["backtest"]
    assert [again["train"]["unchanged"], *(each["unchanged"] for each in again["train"]["also"])] == [True] * len(KINDS)
    assert again["score"]["unchanged"]
    assert again["score"]["also"] == documents["score"]["also"]


def test_further_outcomes_are_handed_over_with_money_and_reasons(documents: dict[str, Any], company: Path) -> None:
    rows = _csv(company / documents["score"]["also"])
    scored = {row["customer_id"]: row for row in _csv(company / documents["score"]["csv"])}
    assert {(row["customer_id"], row["outcome"]) for row in rows} == {
        (customer, kind) for customer in scored for kind in KINDS[1:]
    }
    for row in rows:
        assert 0 < float(row["probability"]) < 1
        if row["expected_change"]:
            change = float(row["expected_change"])
            assert change >= 0 if row["outcome"] == "expansion" else change <= 0
    assert {row["reason_1_code"] for row in rows} - {""}


def test_leaving_by_choice_and_because_payments_failed_add_up_to_the_score(
    documents: dict[str, Any], company: Path
) -> None:
    both = dict.fromkeys((row["customer_id"] for row in _csv(company / documents["score"]["csv"])), 0.0)
    for row in _csv(company / documents["score"]["also"]):
        if row["outcome"] != "expansion":
            both[row["customer_id"]] += float(row["probability"])
    for row in _csv(company / documents["score"]["csv"]):
        assert both[row["customer_id"]] == pytest.approx(float(row["churn_probability"]), rel=1e-12)


def test_every_reason_that_was_handed_over_is_true_and_bad_news_in_both_languages(
    documents: dict[str, Any], company: Path, tmp_path: Path
) -> None:
    copy: Path = shutil.copytree(company, tmp_path / "company")
    truth, listed = truth_of(copy), len(_csv(company / documents["score"]["csv"]))
    for language in LANGUAGES:
        found = judged(scored(copy, language), listed, truth)
        assert [each for each in found if each.fault] == []
        assert len(found) > listed
        assert {each.reason.risk for each in found} == {True, False}


def test_scores_are_ranked_by_money_at_risk(documents: dict[str, Any], company: Path) -> None:
    rows = _csv(company / documents["score"]["csv"])
    assert [int(row["priority"]) for row in rows] == list(range(1, len(rows) + 1))
    money = [float(row["value_at_risk"]) for row in rows if row["value_at_risk"]]
    assert money == sorted(money, reverse=True)
    assert {row["currency"] for row in rows} == {"EUR"}
    by_risk = sorted(rows, key=lambda row: -float(row["churn_probability"]))
    assert [row["customer_id"] for row in by_risk] != [row["customer_id"] for row in rows]


def test_the_horizon_is_forecast_and_past_forecasts_are_held_against_what_came(
    company: Path, documents: dict[str, Any]
) -> None:
    workspace = open_workspace(company, now=NOW)
    found = horizon_forecast(tasks_of(workspace))
    assert set(found["next"]) == {"customers_lost", "grr", "nrr"}
    assert found["next"]["customers_lost"]["low"] < found["next"]["customers_lost"]["expected"]
    assert [each["snapshot_on"] for each in found["past"]] == [
        fold["snapshot_on"] for fold in documents["backtest"]["folds"]
    ]
    for each, fold in zip(found["past"], documents["backtest"]["folds"], strict=True):
        known = snapshots_of(workspace).at(date.fromisoformat(each["snapshot_on"])).outcomes()
        assert known is not None
        assert each["figures"]["customers_lost"]["actual"] == known["churn"].sum() == fold["model"]["positives"]
        before, after = known["mrr_before"], known["mrr_after"]
        assert each["figures"]["nrr"]["actual"] == pytest.approx(after.sum() / before.sum())
        assert each["figures"]["grr"]["actual"] == pytest.approx(np.minimum(before, after).sum() / before.sum())


@pytest.mark.parametrize("day", [date(2024, 3, 15), date(2024, 3, 31), date(2024, 7, 1)])  # clocks change in between
def test_outcomes_translated_once_are_those_of_the_day(company: Path, documents: dict[str, Any], day: date) -> None:
    workspace = open_workspace(company, now=NOW)
    of = snapshots_of(workspace)
    found = pa.concat_tables(outcomes(of.observed, of.tables, day, of.engine, compiled=of.compiled))
    expected = pa.concat_tables(outcomes(of.observed, of.tables, day, of.engine))
    assert found.num_rows > 0
    assert found.equals(expected)


def test_the_report_tells_of_money_and_outcomes(documents: dict[str, Any], company: Path) -> None:
    page = (company / documents["report"]["report"]).read_text(encoding="utf-8")
    for said in (
        "first by value at risk",
        "left because payments failed",
        "stayed, pays more",
        "Net revenue retention",
        "EMPC",
    ):
        assert said in page, said


def test_an_outcome_too_rare_to_learn_is_left_out_and_the_others_are_trained(
    documents: dict[str, Any], company: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(company, tmp_path / "company"))
    settings = load(folder / FILE_NAME)
    strict = {"training": settings.training.model_copy(update={"min_positives": 60})}
    (folder / FILE_NAME).write_text(render(settings.model_copy(update=strict)), encoding="utf-8")
    trained = stages.train_(_job(folder))
    assert trained["version"]
    skipped = {each["outcome"]: each.get("skipped", "") for each in trained["also"]}
    assert "training.min_positives" in skipped["involuntary"]


def test_an_outcome_whose_champion_is_too_old_is_left_out_of_the_further_scores_and_named(
    documents: dict[str, Any], company: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(company, tmp_path / "company"))
    workspace = _job(folder).workspace
    strict = {"promotion": workspace.settings.promotion.model_copy(update={"max_age_days": 1})}
    plan = plan_of(workspace.settings.model_copy(update=strict))
    found = other_outcomes(tasks_of(workspace), plan, workspace.permissions, workspace.holdout, workspace.refusals)
    assert (found["also"], found["too_old"]) == (None, list(KINDS[1:]))
    assert documents["score"]["too_old"] == []


def test_a_range_of_snapshots_is_that_of_the_grid_and_computed_once(documents: dict[str, Any], company: Path) -> None:
    job = _job(company)
    days = job.workspace.calendar.training_days(job.workspace.as_of)
    whole = stages.snapshots(job)["snapshots"]
    assert [each["snapshot_on"] for each in whole] == [str(day) for day in days]
    assert all(each["customers"] and each["outcomes"] for each in whole)
    before = {each["features"]: (company / each["features"]).stat().st_mtime_ns for each in whole}
    part = stages.snapshots(job, days[1] - timedelta(days=3), days[2])["snapshots"]
    assert part == whole[1:3]
    assert {path: (company / path).stat().st_mtime_ns for path in before} == before


def test_a_range_without_a_day_of_the_grid_is_refused_with_the_grid(documents: dict[str, Any], company: Path) -> None:
    day = _job(company).workspace.calendar.training_days(_job(company).workspace.as_of)[0]
    with pytest.raises(SettingsError, match=r"no snapshot lies between .*: they are .* days apart"):
        stages.snapshots(_job(company), day + timedelta(days=1), day + timedelta(days=2))


def test_delivering_again_writes_nothing_and_tells_the_same(documents: dict[str, Any], company: Path) -> None:
    delivered = stages.deliver(_job(company))
    files = ("csv", "also", "too_old", "announced")
    assert {name: delivered[name] for name in files} == {name: documents["score"][name] for name in files}
    assert (delivered["sent"], delivered["unchanged"]) == (0, documents["score"]["delivery"]["sent"])


def _csv(place: Path) -> list[dict[str, str]]:
    with place.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))
