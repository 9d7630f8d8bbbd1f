"""`attrition mlflow` says in words what keeps it from opening a page; that it opens one is in the test of the page."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from pipelines.cli import app
from pipelines.commands.frame import MISTAKE
from tests.pipelines.shop_case import SETTINGS, make_shop


def told(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["mlflow", *arguments])


def test_a_folder_that_is_no_workspace_is_told(tmp_path: Path) -> None:
    result = told("--project", str(tmp_path))
    assert result.exit_code == MISTAKE
    assert "attrition.toml does not exist" in result.stderr


def test_a_port_that_is_taken_is_told(tmp_path: Path) -> None:
    shop = make_shop(tmp_path / "shop", rows=[])
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        result = told("--project", str(shop), "--port", port)
    assert result.exit_code == MISTAKE
    assert f"port {port} of 127.0.0.1: Address already in use; name another one with --port" in result.stderr


@pytest.mark.parametrize("as_json", [[], ["--json"]])
def test_where_models_are_kept_on_a_server_its_address_is_told(tmp_path: Path, as_json: list[str]) -> None:
    tracking = SETTINGS.tracking.model_copy(update={"uri": "https://mlflow.example.com"})
    shop = make_shop(tmp_path / "shop", settings=SETTINGS.model_copy(update={"tracking": tracking}), rows=[])
    result = told("--project", str(shop), *as_json)
    assert result.exit_code == MISTAKE
    assert "models of this workspace are kept at https://mlflow.example.com" in result.stderr
    assert result.stdout == ""
