from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from features.errors import AttritionError
from pipelines.cli import app
from pipelines.commands.frame import MISTAKE
from pipelines.docs.command_line import commands
from pipelines.foundation.storage import lock
from tests.pipelines.shop_case import FORMULA, attrition, make_shop, order, write_orders

HEAVY = (
    "mlflow",
    "shap",
    "woodelf",
    "lightgbm",
    "sklearn",
    "pandas",
    "numpy",
    "ibis",
    "duckdb",
    "pyarrow",
    "matplotlib",
    "dagster",
)
DAYS = (date(2024, 3, 1), date(2024, 4, 1), date(2025, 7, 31))


def told(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def only_message(result: Result) -> str:
    """What was said, once it was seen to be one message of a mistake, after at most the bar of its stage."""
    assert result.exit_code == MISTAKE, result.output
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    bars, mark, said = result.stderr.rpartition("attrition: ")
    assert mark
    assert "attrition: " not in bars
    assert bars.count("\n") <= 1
    return said


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A workspace of three orders, settings in order, nothing run yet."""
    return make_shop(tmp_path / "shop", rows=[order(n, FORMULA, day, 10.0) for n, day in enumerate(DAYS)])


STAGES = ("check", "ingest", "backtest", "train", "score", "report", "run")


@pytest.mark.parametrize("stage", STAGES)
def test_a_folder_that_is_not_there_is_told_with_the_command_that_makes_it(stage: str, tmp_path: Path) -> None:
    said = only_message(told(stage, "--project", str(tmp_path / "nowhere")))
    assert "nowhere is not a folder" in said
    assert "attrition init" in said


def test_a_folder_without_settings_is_no_workspace(tmp_path: Path) -> None:
    said = only_message(told("run", "--project", str(tmp_path)))
    assert "attrition.toml does not exist" in said
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("written", ["01/06/2025", "2025-6-1", "tomorrow", ""])
def test_a_day_written_otherwise_is_told_how_to_write_it(written: str, shop: Path) -> None:
    assert "write the day as YYYY-MM-DD" in only_message(told("score", "--project", str(shop), "--as-of", written))


def test_an_unknown_setting_is_refused_with_the_nearest_known_one(shop: Path) -> None:
    settings = shop / "attrition.toml"
    settings.write_text(settings.read_text().replace("horizon_days = ", "horizon_day = "))
    said = only_message(told("check", "--project", str(shop)))
    assert "outcome.horizon_day: there is no such setting. Did you mean 'horizon_days'?" in said


def test_settings_that_are_not_toml_are_told_with_their_line(shop: Path) -> None:
    (shop / "attrition.toml").write_text("currency = EUR\n")
    assert "line 1" in only_message(told("run", "--project", str(shop)))


@pytest.mark.parametrize("stage", ["check", "ingest", "run"])
def test_a_source_file_that_is_not_there_is_named(stage: str, shop: Path) -> None:
    (shop / "commandes-1.csv").unlink()
    assert "commandes-*.csv" in only_message(told(stage, "--project", str(shop)))


@pytest.mark.parametrize("stage", ["backtest", "train"])
def test_nothing_landed_is_told_with_the_command_that_lands(stage: str, shop: Path) -> None:
    assert "attrition ingest" in only_message(told(stage, "--project", str(shop)))


@pytest.mark.parametrize("command", [["score"], ["report"], ["explain", FORMULA]])
def test_scoring_before_training_is_told_what_comes_first(command: list[str], shop: Path) -> None:
    assert told("ingest", "--project", str(shop)).exit_code == 0
    assert "run `attrition train` first" in only_message(told(*command, "--project", str(shop)))


def test_too_few_customers_to_learn_from_are_counted(shop: Path) -> None:
    assert told("ingest", "--project", str(shop)).exit_code == 0
    assert "1 customer in the training snapshots" in only_message(told("train", "--project", str(shop)))


def test_an_unknown_example_is_refused_with_the_nearest_one(tmp_path: Path) -> None:
    said = only_message(told("init", str(tmp_path / "new"), "--example", "cdnwo"))
    assert "Did you mean 'cdnow'?" in said


def test_a_busy_workspace_is_left_alone(shop: Path) -> None:
    with lock.held(shop):
        said = only_message(told("ingest", "--project", str(shop)))
        assert told("check", "--project", str(shop)).exit_code == 0
    assert "another attrition run" in said
    assert not (shop / "landed").exists()


def test_a_file_of_the_store_that_was_altered_is_named(shop: Path) -> None:
    assert told("ingest", "--project", str(shop)).exit_code == 0
    landed = next((shop / "landed").rglob("*.parquet"))
    landed.write_bytes(landed.read_bytes()[:-1] + b"?")
    assert landed.name in only_message(told("train", "--project", str(shop)))


def test_debug_shows_the_traceback(tmp_path: Path) -> None:
    result = told("check", "--project", str(tmp_path / "nowhere"), "--debug")
    assert isinstance(result.exception, AttritionError)


def test_debug_shows_the_traceback_to_whoever_typed_it(tmp_path: Path) -> None:
    typed = [sys.executable, "-m", "pipelines.cli", "init", str(tmp_path / "new"), "--example", "cdnwo", "--debug"]
    result = subprocess.run(typed, capture_output=True, text=True, check=False)
    assert result.returncode != 0
    assert "Traceback (most recent call last)" in result.stderr


@pytest.mark.parametrize("mistake", [["--porject", "x"], ["--as-of"]])
def test_a_mistyped_option_is_a_mistake_too(mistake: list[str]) -> None:
    result = told("run", *mistake)
    assert result.exit_code == MISTAKE
    assert "Traceback" not in result.output


@pytest.mark.parametrize("stage", ["check", "ingest", "init"])
def test_json_is_one_document_on_stdout_and_nothing_beside_it(stage: str, shop: Path) -> None:
    typed = [str(shop.parent / "new")] if stage == "init" else ["--project", str(shop)]
    result = told(stage, *typed, "--json")
    assert result.exit_code == 0
    assert result.stderr == ""
    assert isinstance(json.loads(result.stdout), dict)


@pytest.mark.parametrize("stage", ["check", "ingest"])
def test_without_json_people_are_told_on_stderr_and_stdout_stays_empty(stage: str, shop: Path) -> None:
    result = told(stage, "--project", str(shop))
    assert result.exit_code == 0
    assert result.stdout == ""
    assert result.stderr


def test_a_mistake_leaves_stdout_empty_with_json_too(tmp_path: Path) -> None:
    only_message(told("check", "--project", str(tmp_path / "nowhere"), "--json"))


def test_check_writes_no_result(shop: Path) -> None:
    assert told("check", "--project", str(shop)).exit_code == 0
    assert {place.suffix for place in shop.iterdir() if place.is_file()} <= {".toml", ".csv", ".sqlite"}


def test_a_file_landed_twice_changes_nothing(shop: Path) -> None:
    first, second = (json.loads(told("ingest", "--project", str(shop), "--json").stdout) for _ in range(2))
    assert [file["status"] for file in (*first["files"], *second["files"])] == ["landed", "unchanged"]
    assert (first["files"][0]["landed"], second["files"][0]["landed"]) == (3, 3)


def test_rows_that_break_the_contract_are_counted(shop: Path) -> None:
    bad = ("F9", "C-9", "2025-04-01", "3,00")
    write_orders(shop / "commandes-2.csv", [bad, *(order(100 + n, "C-8", DAYS[0], 1.0) for n in range(40))])
    files = json.loads(told("ingest", "--project", str(shop), "--json").stdout)["files"]
    assert [(file["rows_in"], file["landed"], file["rejected"]) for file in files] == [(3, 3, 0), (41, 40, 1)]


def test_whoever_runs_old_data_is_told_so_before_a_model_is_trained(shop: Path) -> None:
    result = told("run", "--project", str(shop), "--as-of", "2025-09-05")
    assert result.exit_code == MISTAKE
    assert "the data end on 2025-07-31, 35 days before 2025-09-05" in result.stderr
    assert "--as-of 2025-08-01" in result.stderr
    assert [place.name for place in shop.iterdir() if place.name in ("models", "snapshots")] == []


def test_what_a_command_makes_is_its_owners_alone(tmp_path: Path) -> None:
    """Whatever the account's own mask, for all files, those of libraries too: most hold personal data."""
    mask = os.umask(0o022)
    try:
        workspace = make_shop(tmp_path / "shop")
        exports = set(workspace.iterdir())
        done = attrition("run", "--project", str(workspace), "--as-of", "2025-03-01")
        assert (done.returncode, done.stdout) == (0, ""), done.stderr
        assert attrition("init", str(tmp_path / "other")).returncode == 0
    finally:
        os.umask(mask)
    made = {place for place in tmp_path.rglob("*") if place not in exports | {workspace}}
    assert {"attrition.sqlite", "report.html", "mlflow.sqlite", "delivery", "other"} <= {place.name for place in made}
    assert [str(place) for place in made if place.stat().st_mode & 0o077] == []


def test_help_imports_nothing_that_takes_seconds() -> None:
    script = (
        "import sys\nfrom pipelines.cli import main\nsys.argv = ['attrition', '--help']\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
    )
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "Usage" in result.stdout
    assert result.stderr.strip() == "[]"


def test_help_is_quick() -> None:
    def seconds() -> float:
        started = time.perf_counter()
        subprocess.run([sys.executable, "-m", "pipelines.cli", "--help"], capture_output=True, check=True)
        return time.perf_counter() - started

    # The best of three: the machine may be busy with other tests.
    assert min(seconds() for _ in range(3)) < 1.5


def without_spaces(text: str) -> str:
    return "".join(text.split())


@pytest.mark.parametrize("name", commands())
def test_help_is_shown_as_it_is_written(name: str) -> None:
    """No bracket is taken for markup, no line is cut off; only where lines break is not ours to say."""
    command = commands()[name]
    shown = without_spaces(told(*name.split(), "--help").stdout)
    assert without_spaces(command.help or "") in shown
    for parameter in command.params:
        assert without_spaces(getattr(parameter, "help", None) or "") in shown
    assert "bool>" not in shown  # a switch takes no value


def test_the_list_of_commands_says_each_first_line_whole() -> None:
    shown = without_spaces(told("--help").stdout)
    for name, command in commands().items():
        if " " not in name:
            assert without_spaces(f"{name} {command.get_short_help_str(limit=500)}") in shown
    for words in (["--help"], ["crm", "--help"]):
        assert "..." not in told(*words).stdout.partition("Commands:")[2]


def test_without_arguments_it_says_what_can_be_typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = told()
    assert (result.exit_code, result.stdout) == (0, told("--help").stdout)


def test_without_arguments_in_a_workspace_it_says_where_that_stands(
    shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(shop)
    result = told()
    assert result.exit_code == 0
    assert result.stderr == told("check").stderr
    assert result.stderr.endswith("next: attrition ingest\n")


@pytest.mark.parametrize("name", ["-h", "--help"])
def test_both_ways_of_asking_for_help_list_the_commands(name: str) -> None:
    result = told(name)
    assert result.exit_code == 0
    assert all(stage in result.stdout for stage in (*STAGES, "init", "explain"))
