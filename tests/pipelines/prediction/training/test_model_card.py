from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pipelines.foundation.ledger.model_versions import Version
from pipelines.foundation.workspace.workspace import Workspace, open_workspace
from pipelines.prediction.training.model_card import FILE_NAME, model_card
from tests.pipelines.shop_case import FORMULA

NOW = datetime(2026, 1, 5, tzinfo=UTC)


@pytest.fixture(scope="module")
def workspace(finished_workspace: Path) -> Workspace:
    return open_workspace(finished_workspace, now=NOW)


@pytest.fixture(scope="module")
def champion(workspace: Workspace) -> Version:
    return workspace.versions.champion()


@pytest.fixture(scope="module")
def page(workspace: Workspace, champion: Version) -> str:
    return (workspace.root / "models" / champion.version / FILE_NAME).read_text(encoding="utf-8")


def test_every_version_has_its_card_beside_it_and_in_mlflow(workspace: Workspace, page: str) -> None:
    (published,) = workspace.root.glob(f"mlflow_artifacts/**/{FILE_NAME}")
    assert published.read_text(encoding="utf-8") == page


def test_the_card_tells_what_the_model_is_for_and_what_it_learned_from(page: str, champion: Version) -> None:
    assert page.startswith(f"# Model card: {champion.version}\n")
    for said in (
        "customers who ordered within the last 365 days, the chance of placing no order in the 60 days",
        "GDPR, Article 22",
        "- orders: ",
        "- Age and gender: not used",
        "| purchases | ",
        f"Promoted: {champion.verdict}.",
        "## Limits",
    ):
        assert said in page, said


def test_the_card_has_the_figures_of_every_fold_with_intervals(page: str, champion: Version) -> None:
    folds = champion.record["backtest"]["folds"]
    assert len(folds) == 2
    for fold in folds:
        low, high = fold["intervals"]["roc_auc"]
        (line,) = [each for each in page.splitlines() if each.startswith(f"| {fold['snapshot_on']} |")]
        assert f"{fold['model']['roc_auc']:.4f} ({low:.4f} to {high:.4f})" in line
        assert f"{fold['model']['log_loss']:.4f}" in line
        assert line.count("|") == 10


def test_the_card_names_no_customer(page: str) -> None:
    assert "C-0" not in page
    assert FORMULA not in page


def test_the_same_version_gives_the_same_card(workspace: Workspace, champion: Version, page: str) -> None:
    assert model_card(champion, workspace.versions.files(champion.version)["model.json"]) == page


def changed(champion: Version, **record: Any) -> Version:
    return replace(champion, record={**champion.record, **record})


def test_segments_without_enough_folds_and_personal_attributes_are_said(champion: Version) -> None:
    model = json.dumps({"snapshots": [], "calibrator": {"intercept": 0.0, "slope": 1.0}})
    segment = {
        "column": "country",
        "segment": "a|b\n<i>",
        "rows": 1234,
        "positives": 20,
        "calibration": 0.9,
        "calibration_interval": [0.8, 1.0],
        "lift": 0.5,
        "lift_interval": [0.4, None],
        "worse": ["lift"],
    }
    settings = champion.record["settings"] | {"age_and_gender": True}
    told = changed(champion, settings=settings, backtest={"folds": [], "skipped": [], "segments": [segment]})
    page = model_card(told, model)
    assert "- Age and gender: **used**" in page
    assert "**how good it is has not been seen**" in page
    assert "| country a b  i  | 1,234 | 0.9000 (0.8000 to 1.0000) | 0.5000 (0.4000 to -) | lift |" in page
