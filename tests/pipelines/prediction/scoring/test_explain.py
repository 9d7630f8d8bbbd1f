from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from features.errors import DataError
from pipelines.cli import app
from pipelines.data.snapshots.workspace_snapshots import snapshots_of
from pipelines.foundation.ledger.score_store import ScoreStore
from pipelines.foundation.settings.plays import DEFAULT, FILE_NAME
from pipelines.foundation.workspace.console import Console
from pipelines.foundation.workspace.holdout import held_out
from pipelines.foundation.workspace.run_context import RunContext
from pipelines.foundation.workspace.workspace import open_workspace
from pipelines.prediction.scoring.explain import explain
from pipelines.prediction.scoring.runs import history

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def job(root: Path) -> RunContext:
    return RunContext(open_workspace(root, now=NOW), Console(quiet=True), NOW)


@pytest.fixture
def shop(finished_workspace: Path, tmp_path: Path) -> Path:
    root = Path(shutil.copytree(finished_workspace, tmp_path / "shop"))
    (root / FILE_NAME).write_bytes(DEFAULT.read_bytes())
    return root


def one_of(root: Path, *, held: bool) -> str:
    workspace = open_workspace(root, now=NOW)
    names = snapshots_of(workspace).at(workspace.as_of).frame()["customer_id"].astype(str).tolist()
    found = held_out(names, share=0.1, seed=7).tolist()
    return next(name for name, out in zip(names, found, strict=True) if out == held)


def test_nothing_is_shown_of_a_customer_who_is_held_out(shop: Path) -> None:
    customer = one_of(shop, held=True)
    with pytest.raises(DataError) as caught:
        explain(job(shop), customer)
    assert str(caught.value) == (
        f"customer '{customer}' is held out by chance (retention.holdout_share): what plays achieve is measured by "
        "those whom nobody acts on, so nothing is shown of them; --holdout shows it to whoever only looks"
    )


def test_whoever_only_looks_may_see_them(shop: Path) -> None:
    customer = one_of(shop, held=True)
    assert explain(job(shop), customer, held_out_too=True)["customer_id"] == customer


def test_others_are_explained_as_before(shop: Path) -> None:
    customer = one_of(shop, held=False)
    assert explain(job(shop), customer)["customer_id"] == customer


def test_without_plays_everybody_is_explained(shop: Path) -> None:
    customer = one_of(shop, held=True)
    (shop / FILE_NAME).unlink()
    assert explain(job(shop), customer)["customer_id"] == customer


def test_the_command_has_the_option(shop: Path) -> None:
    typed = ["explain", one_of(shop, held=True), "--project", str(shop), "--json"]
    refused = CliRunner().invoke(app, typed)
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "is held out by chance" in refused.stderr
    shown = CliRunner().invoke(app, [*typed, "--holdout"])
    assert shown.exit_code == 0
    assert json.loads(shown.stdout)["customer_id"] == typed[1]


def test_people_are_told_in_the_language_of_the_settings(shop: Path) -> None:
    typed = ["explain", one_of(shop, held=False), "--project", str(shop)]
    english = CliRunner().invoke(app, typed).stderr
    assert "(0 to 1, higher is worse)" in english
    settings = shop / "attrition.toml"
    settings.write_text(settings.read_text().replace('language = "en"', 'language = "fr"'))
    french = CliRunner().invoke(app, typed).stderr.replace("\u00a0", " ")
    for said in (
        f"client {typed[1]} au 1er juin 2025 : churn_probability 0,",
        "risque ",
        "Client moyen",
        "Log-cotes",
        "En clair",
    ):
        assert said in " ".join(french.split()), said
    assert "customer" not in french


def test_a_broken_file_of_plays_stops_every_command_in_words(shop: Path) -> None:
    (shop / FILE_NAME).write_text("[[plays]]\ncode = 'x'\nfro = []\n")
    done = CliRunner().invoke(app, ["check", "--project", str(shop)])
    assert done.exit_code == 2
    assert "plays.0.fro: there is no such setting. Did you mean 'for'?" in done.stderr


def test_the_reasons_are_those_of_the_score_and_the_list_of_contributions_has_every_code_in_words(shop: Path) -> None:
    workspace = open_workspace(shop, now=NOW)
    frame = snapshots_of(workspace).at(workspace.as_of).frame()
    names = frame["customer_id"].astype(str).tolist()
    out = held_out(names, share=0.1, seed=7).tolist()
    stored = history(workspace.store, ScoreStore(workspace.store).require(str(workspace.as_of))).set_index(
        "customer_id"
    )
    for name in [name for name, held in zip(names, out, strict=True) if not held][:3]:
        found = explain(job(shop), name)
        told = [stored.loc[name, f"reason_{n}"] for n in (1, 2, 3)]
        assert [reason["text"] for reason in found["reasons"]] == [text for text in told if text]
        assert all(part["text"] for part in found["contributions"] if part["log_odds"] > 0)
