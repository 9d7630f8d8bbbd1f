from __future__ import annotations

import csv
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from pipelines.data.snapshots.snapshot import Snapshot
from pipelines.data.snapshots.workspace_snapshots import snapshots_of
from pipelines.foundation.workspace.workspace import Workspace
from pipelines.operations.delivery import other_outcomes
from pipelines.prediction.scoring.score import plan_of
from tests.pipelines.operations.plays.recommend_case import HELD_OUT, TREATED, play, workspace

CUSTOMERS = [TREATED[0], HELD_OUT[0], TREATED[1], HELD_OUT[1]]


@pytest.fixture
def also(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Writes the file of further outcomes of four customers, as if a champion had scored them; its path."""
    rows = pd.DataFrame({"customer_id": CUSTOMERS, "outcome": "contraction", "probability": 0.5})
    monkeypatch.setattr(Snapshot, "file", SimpleNamespace(sha256="f"))
    monkeypatch.setattr(Snapshot, "frame", lambda _: pd.DataFrame())
    monkeypatch.setattr(other_outcomes, "_scored", lambda *_: rows)

    def write(found: Workspace) -> str:
        # A day with data, which nothing here looks at.
        vars(found).update(data_days=(found.as_of, found.as_of), complete_until=found.as_of, outcome_coverages={})
        champion: Any = SimpleNamespace(
            task=SimpleNamespace(kind="contraction"), version=SimpleNamespace(version="v"), fitted=None
        )
        plan = plan_of(found.settings)
        return other_outcomes._also(
            snapshots_of(found),
            [champion],
            plan,
            permissions=found.permissions,
            holdout=found.holdout,
            refusals=found.refusals,
            progress=lambda _: None,
        )

    return write


def customers(found: Workspace, path: str) -> list[str]:
    with (found.root / path).open(encoding="utf-8-sig", newline="") as handle:
        return [row["customer_id"] for row in csv.DictReader(handle)]


def test_the_held_out_stand_in_no_file_of_further_outcomes(tmp_path: Path, also: Any) -> None:
    found = workspace(tmp_path, play("call"))
    assert customers(found, also(found)) == TREATED[:2]


def test_without_plays_everybody_does(tmp_path: Path, also: Any) -> None:
    found = workspace(tmp_path)
    assert customers(found, also(found)) == CUSTOMERS


def test_another_share_makes_another_file(tmp_path: Path, also: Any) -> None:
    first, second = workspace(tmp_path, play("call")), workspace(tmp_path, play("call"), holdout_share=0.0)
    assert also(first) == also(first)
    assert customers(second, also(second)) == CUSTOMERS
    assert customers(first, also(first)) == TREATED[:2]
