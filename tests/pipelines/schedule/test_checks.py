from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from pipelines import run as stages
from pipelines.cli import app
from pipelines.foundation.storage import documents
from pipelines.foundation.workspace.run_context import RunContext
from pipelines.operations.monitoring.monitor import KIND
from pipelines.prediction.checks import audit
from tests.pipelines.operations.monitoring.document_case import document
from tests.pipelines.schedule.schedule_case import history, made, run, told, verdicts
from tests.pipelines.shop_case import AS_OF, order, write_orders

ALERT = {"check": "drift", "what": "purchases have moved", "evidence": "30 times what is usual", "remedy": "look"}
LATE = {"check": "freshness", "what": "no orders for 9 days", "evidence": "never for more than 2", "remedy": "look"}
FINDING = {"check": "time_travel", "table": None, "column": "orders_30d", "evidence": "it moves", "remedy": "mend it"}


@pytest.fixture
def shop(finished_workspace: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished_workspace, tmp_path / "shop"))


def monitoring_finds(alerts: list[dict[str, str]], monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on, monitoring writes a document with these alerts."""

    def look(job: RunContext) -> dict[str, Any]:
        found = document(str(AS_OF), alerts=alerts)
        return documents.write(job.workspace.store, f"monitoring/{AS_OF}-found.json", found, kind=KIND)

    monkeypatch.setattr(stages, "monitor", look)


def test_a_file_that_cannot_be_read_blocks_everything_and_its_mistake_is_told(shop: Path) -> None:
    (shop / "commandes-2.csv").write_bytes(b"\xff\xfe\x00nonsense")
    with history() as instance:
        result = run(shop, "run", instance)
    assert not result.success
    passed, said = verdicts(result)["contracts"]
    assert not passed
    assert "commandes-2.csv" in said
    assert told(result, "landed") == said
    assert made(result) == []
    assert set(verdicts(result)) == {"contracts"}


def test_a_file_with_too_many_rows_that_break_the_contract_blocks_too(shop: Path) -> None:
    write_orders(shop / "commandes-2.csv", [("F9", "C-9", "2025-04-01", "3,00"), order(1, "C-9", AS_OF, 1.0)])
    with history() as instance:
        result = run(shop, "score", instance)
    assert not verdicts(result)["contracts"][0]
    assert "1 of 2 rows (50.0%) are rejected" in verdicts(result)["contracts"][1]
    assert made(result) == []


def test_a_landed_file_that_was_altered_blocks_too(shop: Path) -> None:
    landed = next((shop / "landed").rglob("*.parquet"))
    landed.write_bytes(landed.read_bytes()[:-1] + b"?")
    with history() as instance:
        result = run(shop, "score", instance)
    assert landed.name in verdicts(result)["contracts"][1]
    assert made(result) == []


def test_the_share_of_rejected_rows_is_shown_for_each_file_that_has_any(shop: Path) -> None:
    rows = [order(90_000 + n, "C-9", AS_OF, 1.0) for n in range(199)]
    write_orders(shop / "commandes-2.csv", [("F9", "C-9", "2025-04-01", "3,00"), *rows])
    with history() as instance:
        result = run(shop, "ingest", instance)
    (found,) = result.get_asset_check_evaluations()
    assert found.passed
    assert found.description == "rejected rows in 1 of 2 files, no more than the settings allow"
    assert {name: share.value for name, share in found.metadata.items()} == {
        "rejected share of commandes-2.csv": pytest.approx(1 / 200)
    }


def test_a_finding_of_the_audit_blocks_the_model(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = {"as_of": str(AS_OF), "checked": {"snapshots": [], "indicators": 9}, "findings": [FINDING]}
    monkeypatch.setattr(audit, "audit", lambda _: found)
    with history() as instance:
        result = run(shop, "retrain", instance)
    assert not result.success
    assert verdicts(result)["audit"] == (False, "time_travel: orders_30d: it moves. Remedy: mend it")
    assert told(result, "audit").startswith("The model is left as it is:\ntime_travel: orders_30d: ")
    assert made(result) == ["landed"]


def test_drift_blocks_delivery_and_is_told_with_its_remedy(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monitoring_finds([LATE, ALERT], monkeypatch)
    with history() as instance:
        result = run(shop, "score", instance)
    assert not result.success
    assert verdicts(result)["drift"] == (False, "purchases have moved: 30 times what is usual. Remedy: look")
    assert told(result, "drift").startswith("Nothing is delivered:\npurchases have moved: ")
    assert made(result) == ["landed", "scores", "monitoring"]


def test_delivery_started_alone_is_held_up_too_and_the_command_is_not(
    shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monitoring_finds([ALERT], monkeypatch)
    with history() as instance:
        assert not run(shop, "score", instance).success
        result = run(shop, "score", instance, only=["delivery", "report"])
    assert told(result, "delivery").startswith("Nothing is delivered:\npurchases have moved: ")
    assert made(result) == []
    delivered = CliRunner().invoke(app, ["deliver", "--project", str(shop), "--as-of", str(AS_OF)])
    assert delivered.exit_code == 0, delivered.output


def test_delivery_started_alone_without_monitoring_is_judged_first(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monitoring_finds([ALERT], monkeypatch)
    with history() as instance:
        assert made(run(shop, "score", instance, only=["landed", "scores"])) == ["landed", "scores"]
        assert made(run(shop, "score", instance, only=["delivery"])) == []
        monitoring_finds([LATE], monkeypatch)
        assert made(run(shop, "score", instance, only=["delivery"])) == ["delivery"]


def test_without_drift_all_of_it_is_made_in_order(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monitoring_finds([LATE], monkeypatch)  # told, but today's scores are as good as any
    with history() as instance:
        result = run(shop, "score", instance)
        customers = {row[1] for row in (line.split(";") for line in _lines(shop))} - {"client"}
        log = " ".join(str(event) for event in result.all_events)
    assert made(result) == ["landed", "scores", "monitoring", "delivery", "report"]
    assert all(passed for passed, _ in verdicts(result).values())
    assert [customer for customer in customers if f"'{customer}'" in log or f'"{customer}"' in log] == []


def _lines(shop: Path) -> list[str]:
    return (shop / "commandes-1.csv").read_text(encoding="cp1252").splitlines()
