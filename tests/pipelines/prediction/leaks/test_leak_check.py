"""Leaking exports are told from honest ones, and what that means for a model; `make bench` judges 120 of them."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.breadth import with_columns
from benchmarks.exports import columns_of, company, write
from benchmarks.honest_exports import KINDS, honest
from benchmarks.leaking_exports import LEAKS, leaking
from benchmarks.leaks import judged
from features.errors import TrainingError
from pipelines import run
from pipelines.data.landing.ingest import ingest
from pipelines.data.snapshots.workspace_snapshots import snapshots_of
from pipelines.foundation.settings.settings import FILE_NAME
from pipelines.foundation.storage.fingerprint import code_version
from pipelines.foundation.workspace.console import Console
from pipelines.foundation.workspace.run_context import RunContext
from pipelines.foundation.workspace.workspace import Workspace, open_workspace
from pipelines.prediction.leaks import departures, leak_check
from pipelines.prediction.training.model_card import FILE_NAME as CARD

NOW = datetime(2030, 1, 1, tzinfo=UTC)
FEW_LEAKING, FEW_HONEST = (11, 16, 22, 24, 26), (3, 4, 7, 8, 14)


def test_the_check_is_made_anew_when_what_it_looks_at_is_looked_at_otherwise() -> None:
    before = code_version(*leak_check.BY)
    assert before == code_version("pipelines.prediction.leaks.leak_check")
    assert before != code_version("features", "models")


@pytest.mark.parametrize("seed", FEW_LEAKING)
def test_a_leaking_export_stops_promotion(tmp_path: Path, seed: int) -> None:
    made, planted, _ = leaking(seed)
    assert set(judged(made, tmp_path / "export").names) & set(planted)


@pytest.mark.parametrize("seed", FEW_HONEST)
def test_an_honest_export_does_not(tmp_path: Path, seed: int) -> None:
    made, kind = honest(seed)
    assert judged(made, tmp_path / "export").names == (), kind


def test_every_kind_of_export_can_be_made() -> None:
    for number, name in enumerate(KINDS):
        assert honest(number)[1] == name
    for name, leak in LEAKS.items():
        made = company(
            by_contract=not name.startswith("shop"),
            customers=100,
            months=20,
            monthly=0.04,
            chance=np.random.default_rng(1),
        )
        table, _, column = leak(made).partition(".")
        assert column in made.frames[table]


@pytest.mark.parametrize("seed", [11, 16], ids=["shop", "contracts"])
def test_an_export_can_have_few_columns_or_many_beside_those_that_leak(tmp_path: Path, seed: int) -> None:
    for many in (4, 40):
        made, planted, _ = leaking(seed)
        with_columns(made, many, planted, np.random.default_rng(1))
        assert columns_of(made) == many
        for place in planted:
            table, _, column = place.partition(".")
            assert column in made.frames[table]
        write(made, tmp_path / str(many))
        workspace = open_workspace(tmp_path / str(many), now=NOW)
        assert [each.rejected for each in ingest(workspace.store, workspace.settings, today=workspace.today)] == [
            0 for _ in made.frames
        ]


def landed(folder: Path, *, customers: int, months: float, leaks: tuple[str, ...] = ()) -> Workspace:
    """A workspace of subscribers who leave by chance alone, with columns of today."""
    chance = np.random.default_rng(5)
    made = company(by_contract=True, customers=customers, months=months, monthly=0.05, chance=chance)
    for name in leaks:
        LEAKS[name](made)
    write(made, folder)
    workspace = open_workspace(folder, now=NOW)
    ingest(workspace.store, workspace.settings, today=workspace.today)
    return workspace


def trained(workspace: Workspace) -> dict[str, Any]:
    return run.train_(RunContext(workspace, Console(quiet=False), NOW))


@pytest.fixture(scope="module")
def leaky(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return landed(
        tmp_path_factory.mktemp("exports") / "leaky", customers=250, months=20, leaks=("tier_rewritten", "card_kind")
    ).root


def test_a_leaking_export_trains_no_champion_and_is_told_everywhere(
    leaky: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    workspace = open_workspace(leaky, now=NOW)
    told = trained(workspace)
    shown = " ".join(capsys.readouterr().err.split())
    assert told["promoted"] is False
    assert told["doubted"] == ["customers.value_tier", "payment_methods.kind"]
    assert "not promoted: customers.value_tier seems to know the future: of " in shown
    assert "training.trusted_columns" in shown
    version = workspace.versions.aliased("challenger")
    assert version is not None
    card = (leaky / "models" / version.version / CARD).read_text(encoding="utf-8")
    assert "- **customers.value_tier** seems to know the future: of " in card
    assert "Not promoted: customers.value_tier seems to know the future" in card
    with pytest.raises(TrainingError, match=r"no champion model of churn yet; .* is not: customers\.value_tier seems"):
        workspace.versions.champion()


def test_columns_are_trusted_by_name_and_the_same_model_is_promoted(
    leaky: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(leaky, folder)
    refused = trained(open_workspace(folder, now=NOW))
    settings = (folder / FILE_NAME).read_text(encoding="utf-8")
    names = '["customers.value_tier", "payment_methods.kind"]'
    trusting = settings.replace("trusted_columns = []", f"trusted_columns = {names}")
    assert trusting != settings
    (folder / FILE_NAME).write_text(trusting, encoding="utf-8")
    workspace = open_workspace(folder, now=NOW)
    told = trained(workspace)
    assert (told["promoted"], told["doubted"], told["version"]) == (True, [], refused["version"])
    assert told["verdict"] == "it is the first"
    assert workspace.versions.champion().promoted
    shown = " ".join(capsys.readouterr().err.split())
    assert "trusted by name, though they seem to know the future: customers.value_tier, payment_methods" in shown
    card = (folder / "models" / str(told["version"]) / CARD).read_text(encoding="utf-8")
    assert "- customers.value_tier seems to, and is trusted by name" in card


def test_what_could_not_be_told_is_said_and_stops_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a sign is far ahead only after 550 days, 20 months are too few."""
    monkeypatch.setattr(departures, "FAR_DAYS", 550)
    workspace = landed(tmp_path / "short", customers=250, months=20)
    told = trained(workspace)
    assert told["promoted"] is True
    (reason,) = told["untold"]
    assert "days after they began, and" in reason
    shown = " ".join(capsys.readouterr().err.split())
    assert "whether columns know the future could not be told: of " in shown
    version = workspace.versions.champion().version
    assert "**Could not be told**: of " in (workspace.root / "models" / version / CARD).read_text(encoding="utf-8")


def test_it_is_looked_at_once_for_the_same_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = landed(tmp_path / "shop", customers=150, months=20)
    first = leak_check.leak_check(snapshots_of(workspace))
    monkeypatch.setattr(leak_check, "look", lambda *_: pytest.fail("it was there"))
    assert leak_check.leak_check(snapshots_of(workspace)) == first
    assert first["columns"] > 10
    assert first["findings"] == []
