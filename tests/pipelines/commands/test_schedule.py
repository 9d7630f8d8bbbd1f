from __future__ import annotations

import subprocess
import sys
from importlib import util
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from pipelines.cli import app
from pipelines.commands import schedule as cli_schedule
from pipelines.commands.frame import MISTAKE
from pipelines.foundation.storage import lock
from pipelines.schedule import start
from tests.pipelines.shop_case import SETTINGS, make_shop


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    return make_shop(tmp_path / "shop", rows=[])


def told(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["schedule", *arguments])


def test_without_the_extra_the_command_that_installs_it_is_told(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli_schedule, "find_spec", lambda name: None if name == "dagster" else util.find_spec(name))
    result = told("--project", str(shop))
    assert result.exit_code == MISTAKE
    assert result.stderr == 'attrition: Dagster is not installed; get it with `pip install "attrition[schedule]"`\n'


def test_a_folder_that_is_no_workspace_is_told_before_anything_starts(tmp_path: Path) -> None:
    result = told("--project", str(tmp_path))
    assert result.exit_code == MISTAKE
    assert "attrition.toml does not exist" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_cron_line_that_is_none_is_told_before_anything_starts(shop: Path) -> None:
    settings = shop / "attrition.toml"
    settings.write_text(settings.read_text().replace('score = "0 5 * * *"', 'score = "0 25 * * *"'))
    result = told("--project", str(shop))
    assert result.exit_code == MISTAKE
    assert "schedule.score: '25' is no hour, which goes from 0 to 23" in result.stderr


def test_a_second_one_is_refused_in_words_before_anything_starts(shop: Path) -> None:
    with lock.held(shop, file_name=start.LOCK):
        result = told("--project", str(shop), "--port", "0")
    assert result.exit_code == MISTAKE
    assert "another `attrition schedule`" in result.stderr
    assert not (shop / ".dagster").exists()


def test_the_plan_has_every_line_its_time_zone_and_a_pinned_day() -> None:
    assert cli_schedule._plan(SETTINGS) == [
        "cron, in Europe/Paris:",
        "  ingest   0 4 * * *",
        "  score    0 5 * * *",
        "  retrain  0 6 * * 1",
        "as_of is set to 2025-06-01: every run looks from that day, whatever the clock says",
        "starting ...",
    ]
    free = SETTINGS.model_copy(update={"as_of": None, "schedule": SETTINGS.schedule.model_copy(update={"score": ""})})
    assert cli_schedule._plan(free)[2:] == ["  score    never", "  retrain  0 6 * * 1", "starting ..."]


def test_nothing_but_the_schedule_imports_dagster() -> None:
    script = (
        "import sys, pkgutil, importlib, pipelines\n"
        "for module in pkgutil.walk_packages(pipelines.__path__, 'pipelines.'):\n"
        "    if not module.name.startswith('pipelines.schedule.'):\n"
        "        importlib.import_module(module.name)\n"
        "print([name for name in sys.modules if name.split('.')[0] == 'dagster'])"
    )
    result = subprocess.run([sys.executable, "-W", "ignore", "-c", script], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
