"""Own indicators from the command line: refused, confirmed, run, and named wherever indicators are."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from pipelines.cli import app
from pipelines.commands.frame import MISTAKE
from pipelines.foundation.own_indicators.trust import list_place
from pipelines.foundation.settings.settings import Backtest, Snapshots
from pipelines.foundation.workspace.workspace import open_workspace
from pipelines.operations.plays.recommend import plan_of
from tests.pipelines.foundation.own_indicators.own_case import NAME, confirm, example, with_own
from tests.pipelines.shop_case import SETTINGS, make_shop

PLAY = """
[[plays]]
code = "weekend"
for = ["buying_days", "purchases"]
name.en = "Weekend offer"
name.fr = "Offre du week-end"
advice.en = "Write on Friday."
advice.fr = "\u00c9crire le vendredi."
contact_cost = 0.1
success_rate = 0.9
bands = ["low", "medium", "high"]
needs = { weekend_order_share_90d = 0.0 }
"""


def told(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    folder = make_shop(tmp_path / "shop", settings=with_own(), rows=[("F1", "C-1", "05/01/2024", "10,00")])
    # Whatever runs it leaves a trace.
    (folder / NAME).write_text(f"import pathlib\npathlib.Path({str(tmp_path / 'it_ran')!r}).touch()\n{example()}")
    return folder


def test_without_a_workspace_the_catalog_is_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    document = json.loads(told("indicators", "--json").stdout)
    assert {each["file"] for each in document["indicators"]} == {None}
    assert document["trusted"] == []


def test_nothing_runs_before_it_is_confirmed_and_check_shows_it(shop: Path, tmp_path: Path) -> None:
    place = ("--project", str(shop))
    assert told("ingest", *place).exit_code == 0
    checked = told("check", *place)
    assert checked.exit_code == 0
    assert f"own indicators: {NAME} (sha256 " in checked.stderr
    assert "is not confirmed on this machine: nothing of it has run" in checked.stderr
    assert checked.stderr.rstrip().endswith(f"next: attrition indicators --trust --project {shop}")
    for command in ("indicators", "snapshots", "train", "audit", "report"):
        refused = told(command, *place)
        assert refused.exit_code == MISTAKE, command
        assert f"attrition indicators --trust --project {shop}" in refused.stderr, command
    assert not (tmp_path / "it_ran").exists()
    trusted = told("indicators", "--trust", "--json", *place)
    document = json.loads(trusted.stdout)
    assert [each["file"] for each in document["trusted"]] == [NAME]
    assert [each["name"] for each in document["indicators"] if each["file"]] == ["weekend_order_share_{days}d"]
    assert document["trusted"][0]["sha256"] in list_place().read_text()
    assert (tmp_path / "it_ran").exists()
    (looked,) = json.loads(told("check", "--json", *place).stdout)["own_indicators"]
    assert looked == document["trusted"][0] | {"confirmed": True, "indicators": 1}
    (shop / NAME).write_text(example() + "# altered")
    assert "it was altered since it was confirmed" in told("indicators", *place).stderr


def test_erasing_and_expiring_wait_for_nobody_to_confirm_code(shop: Path, tmp_path: Path) -> None:
    assert told("ingest", "--project", str(shop)).exit_code == 0
    assert told("erase", "C-1", "--project", str(shop)).exit_code == 0
    assert "--trust" not in told("expire", "--project", str(shop)).stderr
    assert not (tmp_path / "it_ran").exists()


def test_settings_that_name_no_file_have_nothing_to_confirm(tmp_path: Path) -> None:
    folder = make_shop(tmp_path / "plain", rows=[])
    refused = told("indicators", "--trust", "--project", str(folder))
    assert refused.exit_code == MISTAKE
    assert "the settings name no file of own indicators" in refused.stderr


def test_an_error_of_their_own_code_is_shown_by_debug_alone(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "raise LookupError('Ms Miller')"
    (shop / NAME).write_text(text)
    confirm(monkeypatch, text)
    quiet = told("indicators", "--project", str(shop))
    assert quiet.exit_code == MISTAKE
    assert "does not run at line 1" in quiet.stderr
    assert "Miller" not in quiet.stderr
    loud = told("indicators", "--debug", "--project", str(shop))
    assert isinstance(loud.exception.__cause__ if loud.exception else None, LookupError)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shop after `run`, confirmed as a scheduler does it."""
    short = {"snapshots": Snapshots(every_days=28, min_history_days=60, at_most=4), "backtest": Backtest(folds=1)}
    settings = with_own(SETTINGS.model_copy(update=short))
    folder = make_shop(tmp_path_factory.mktemp("own") / "shop", settings=settings)
    (folder / NAME).write_text(example())
    (folder / "plays.toml").write_text(PLAY)
    with pytest.MonkeyPatch.context() as patch:
        confirm(patch, example())
        done = told("run", "--project", str(folder))
    assert done.exit_code == 0, done.stderr
    return folder


def test_a_run_knows_own_indicators_wherever_it_knows_ours(finished: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = finished
    confirm(monkeypatch, example())
    workspace = open_workspace(folder, now=datetime(2026, 1, 5, tzinfo=UTC))
    (own,) = workspace.own_files
    champion = workspace.versions.champion()
    assert champion.record["own_indicators"] == [
        {"file": NAME, "sha256": own.sha256, "families": ["buying_days"]},
    ]
    assert champion.record["parameters"]["own_indicators"] == own.sha256
    columns = {each["name"]: each for each in champion.record["schema"]}
    assert columns["weekend_order_share_90d"]["family"] == "buying_days"
    card = (folder / "models" / champion.version / "model_card.md").read_text()
    assert f"- Indicators of the company's own: {NAME} (sha256 {own.sha256}), buying_days\n" in card
    (scores,) = folder.glob("delivery/scores-*.csv")
    assert "Weekend offer" in scores.read_text()
    assert "weekend_orders" in plan_of(workspace).plays[0].codes
    page = (folder / "report.html").read_text()
    assert "orders at the weekend" in page
    customer = scores.read_text("utf-8-sig").splitlines()[1].split(",")[0].strip('"')
    explained = json.loads(told("explain", customer, "--holdout", "--json", "--project", str(folder)).stdout)
    assert "weekend_orders" in [each["code"] for each in explained["contributions"]]
    assert "weekend_order_share_90d" in explained["indicators"]


def test_an_unaltered_file_trains_nothing_anew_and_an_altered_one_does(
    finished: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = finished
    confirm(monkeypatch, example(), example() + "# altered")
    assert json.loads(told("train", "--json", "--project", str(folder)).stdout)["unchanged"]
    (folder / NAME).write_text(example() + "# altered")
    try:
        assert not json.loads(told("train", "--json", "--project", str(folder)).stdout)["unchanged"]
    finally:
        (folder / NAME).write_text(example())
