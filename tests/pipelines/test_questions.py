"""A setting that makes the question is changed on a finished workspace: no score is stamped with another's answer."""

from __future__ import annotations

import shutil
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from features.errors import OutdatedModelError
from pipelines.foundation.ledger.score_store import ScoreStore
from pipelines.foundation.settings.settings import FILE_NAME, Settings, load
from pipelines.foundation.settings.template import render
from pipelines.foundation.workspace.console import Console
from pipelines.foundation.workspace.run_context import RunContext
from pipelines.foundation.workspace.workspace import Workspace, open_workspace
from pipelines.prediction.checks.check import check
from pipelines.prediction.training import backtest
from pipelines.prediction.training.task import main_task
from pipelines.report.write import write_report
from tests.pipelines.operations.plays.impact_case import TODAY, make_company
from tests.pipelines.stage_case import score, train

NOW = datetime(2026, 1, 5, tzinfo=UTC)

# Section (None: the top of the file), field, another value, and how the champion's own is told; None: it still answers.
OF_A_SHOP = [
    ("outcome", "lead_days", 7, "outcome.lead_days is 7, not 0"),
    ("outcome", "horizon_days", 30, "outcome.horizon_days is 30, not 60"),
    ("cohort", "kind", "ever_ordered", "cohort.kind is ever_ordered, not ordered_within"),
    ("cohort", "active_days", 200, "cohort.active_days is 200, not 365"),
    ("contracts", "grace_days", 3, None),  # nobody is bound by contract
    ("contracts", "involuntary_reasons", ("unpaid",), None),
    ("contracts", "price_rise_is_expansion", True, None),
    ("contracts", "pause_pauses_mrr", False, None),
    (None, "lookback_days", (14, 60), "was trained on other columns"),
    (None, "lookback_days", (30,), "was trained on other columns"),
    (None, "lookback_days", (30, 90, 180), "was trained on other columns"),
    ("training", "start_model", False, "was trained on other columns"),
]

OF_A_COMPANY = [
    ("outcome", "lead_days", 7, "outcome.lead_days is 7, not 0"),
    ("outcome", "horizon_days", 60, "outcome.horizon_days is 60, not 30"),
    ("outcome", "also", ("expansion",), None),  # of the main outcome nothing changes
    ("cohort", "active_days", 200, None),  # whoever is subscribed is at risk, whenever they ordered
    ("contracts", "grace_days", 3, "contracts.grace_days is 3, not 14"),
    ("contracts", "involuntary_reasons", ("unpaid",), "contracts.involuntary_reasons is ['unpaid'], not"),
    ("contracts", "price_rise_is_expansion", True, None),  # only an expansion depends on it
    ("contracts", "pause_pauses_mrr", False, "contracts.pause_pauses_mrr is False, not True"),
    (None, "lookback_days", (14,), None),  # none of its few tables has an indicator over lookbacks
]


def with_setting(settings: Settings, section: str | None, field: str, value: object) -> Settings:
    part = settings if section is None else getattr(settings, section)
    changed = part.model_copy(update={field: value})
    whole = changed if section is None else settings.model_copy(update={section: changed})
    return Settings.model_validate(whole.model_dump())


def changed(root: Path, section: str | None, field: str, value: object, *, as_of: date | None = None) -> Workspace:
    """The workspace with one setting changed, as its file would have it."""
    settings = with_setting(load(root / FILE_NAME), section, field, value)
    (root / FILE_NAME).write_text(render(settings), encoding="utf-8")
    return open_workspace(root, now=NOW, as_of=as_of)


def held(workspace: Workspace) -> list[Any]:
    """Every score run of the ledger."""
    return ScoreStore(workspace.store).runs()


def assert_answers_or_refuses(workspace: Workspace, told: str | None) -> None:
    before = held(workspace)
    noted = " ".join(check(RunContext(workspace, Console(quiet=True), NOW))["notes"])
    if told is None:
        score(workspace, now=NOW)
        assert "attrition train" not in noted
    else:
        with pytest.raises(OutdatedModelError) as refused:
            score(workspace, now=NOW)
        assert told in str(refused.value)
        assert "run `attrition train` for a model that" in str(refused.value)
        assert held(workspace) == before  # nothing was stamped
        assert str(refused.value) in noted  # and `check` says the same before anything runs
    run = ScoreStore(workspace.store).require(str(workspace.as_of))
    model = workspace.versions.load(run.detail["model_version"])
    assert run.detail["horizon_days"] == model.question.horizon_days


@pytest.mark.parametrize(("section", "field", "value", "told"), OF_A_SHOP)
def test_a_shops_champion_answers_its_own_question_alone(  # noqa: PLR0917 - rows of a table
    finished_workspace: Path, tmp_path: Path, section: str | None, field: str, value: object, told: str | None
) -> None:
    root = Path(shutil.copytree(finished_workspace, tmp_path / "shop"))
    assert_answers_or_refuses(changed(root, section, field, value), told)


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A simulated company with few tables, whose customers were scored once."""
    root = make_company(tmp_path_factory.mktemp("questions") / "company")
    workspace = open_workspace(root, now=NOW, as_of=TODAY)
    train(workspace, now=NOW)
    score(workspace, now=NOW)
    return root


@pytest.mark.parametrize(("section", "field", "value", "told"), OF_A_COMPANY)
def test_a_companys_champion_answers_its_own_question_alone(  # noqa: PLR0917 - rows of a table
    company: Path, tmp_path: Path, section: str | None, field: str, value: object, told: str | None
) -> None:
    root = Path(shutil.copytree(company, tmp_path / "company"))
    assert_answers_or_refuses(changed(root, section, field, value, as_of=TODAY), told)


@pytest.mark.parametrize(
    ("section", "field", "value"),
    [("outcome", "lead_days", 7), ("outcome", "horizon_days", 30), (None, "lookback_days", (14, 60))],
)
def test_once_trained_for_it_the_new_question_is_answered(
    finished_workspace: Path, tmp_path: Path, section: str | None, field: str, value: object
) -> None:
    root = Path(shutil.copytree(finished_workspace, tmp_path / "shop"))
    workspace = changed(root, section, field, value)
    assert train(workspace, now=NOW).version.promoted  # in place of one that cannot answer
    if section == "outcome":  # until it has scored, a page would say the new horizon of scores of the old one
        with pytest.raises(
            OutdatedModelError, match=r"the scores of 2025-06-01 answer another question.*attrition score"
        ):
            write_report(workspace)
    run = score(workspace, now=NOW).run
    model = workspace.versions.load(run.detail["model_version"])
    assert model.question == main_task(workspace).question
    assert run.detail["horizon_days"] == workspace.settings.outcome.horizon_days


def test_the_release_before_gave_one_answer_under_another_label(finished_workspace: Path, tmp_path: Path) -> None:
    """Trees of 60 days, started from a buying model of 30, once gave probabilities of neither, stamped 30."""
    root = Path(shutil.copytree(finished_workspace, tmp_path / "shop"))
    changed(root, "bands", "high", 0.71)
    workspace = changed(root, "outcome", "horizon_days", 30)
    with pytest.raises(OutdatedModelError, match=r"outcome\.horizon_days is 30, not 60 as for the champion"):
        score(workspace, now=NOW)


@pytest.mark.parametrize(
    ("section", "field", "value"),
    [("bands", "high", 0.71), ("delivery", "valid_days", 3), (None, "currency", "USD"), (None, "language", "fr")],
)
def test_what_only_says_scores_differently_scores_anew_with_the_same_model(
    finished_workspace: Path, tmp_path: Path, section: str | None, field: str, value: object
) -> None:
    root = Path(shutil.copytree(finished_workspace, tmp_path / "shop"))
    before = ScoreStore(open_workspace(root, now=NOW).store).require("2025-06-01")
    again = score(changed(root, section, field, value), now=NOW)
    assert not again.unchanged
    assert again.run.detail["model_version"] == before.detail["model_version"]
    assert again.run.run_id != before.run_id


@pytest.mark.parametrize(("field", "value"), [("kept_months", 3.0), ("contact_cost", 2.0), ("success_rate", 0.5)])
def test_what_profit_is_made_of_has_the_folds_judged_anew(
    finished_workspace: Path, tmp_path: Path, field: str, value: float
) -> None:
    root = Path(shutil.copytree(finished_workspace, tmp_path / "shop"))
    before = backtest._inputs(main_task(open_workspace(root, now=NOW)))
    after = backtest._inputs(main_task(changed(root, "retention", field, value)))
    assert (root / f"results/backtest-{before.key}.json").exists()
    assert not (root / f"results/backtest-{after.key}.json").exists()
    assert (before.snapshots, before.fit) == (after.snapshots, after.fit)


def test_another_version_of_a_library_computes_snapshots_models_and_scores_anew(
    finished_workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipelines.foundation.storage import fingerprint

    root = Path(shutil.copytree(finished_workspace, tmp_path / "shop"))
    before = main_task(open_workspace(root, now=NOW)).snapshots
    day = before.calendar.training_days(before.calendar.as_of)[-1]
    keys = before.at(day).inputs.key, before.at(day).outcome_inputs
    real = fingerprint.library_version
    for library, noticed in (("duckdb", True), ("lightgbm", False)):
        fingerprint.code_version.cache_clear()
        monkeypatch.setattr(fingerprint, "library_version", lambda name, new=library: real(name) + "x" * (name == new))
        workspace = open_workspace(root, now=NOW)
        found = main_task(workspace).snapshots.at(day)
        assert (found.inputs.key != keys[0]) is noticed  # trees read snapshots; they do not make them
        assert not score(workspace, now=NOW).unchanged
    fingerprint.code_version.cache_clear()
