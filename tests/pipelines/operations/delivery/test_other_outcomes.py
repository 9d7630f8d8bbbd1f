from __future__ import annotations

import csv
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
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
    monkeypatch.setattr(other_outcomes, "_risks", lambda *_: {"contraction": 0.5})
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
            leaving=None,
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


def champion(kind: str, probability: list[float]) -> Any:
    fitted = SimpleNamespace(day_probability=lambda _: np.array(probability))
    return SimpleNamespace(task=SimpleNamespace(kind=kind), fitted=fitted, rows=lambda *_: None)


def test_both_ways_of_leaving_add_up_to_the_score_and_other_outcomes_are_as_their_models_have_them() -> None:
    ways = [champion("voluntary", [0.3, 0.1]), champion("contraction", [0.6, 0.7]), champion("involuntary", [0.1, 0.1])]
    risks = other_outcomes._risks(ways, champion("churn", [0.2, 0.5]), pd.DataFrame(), date(2026, 1, 1))
    assert risks["voluntary"] == pytest.approx([0.15, 0.25])
    assert risks["involuntary"] == pytest.approx([0.05, 0.25])
    assert risks["contraction"].tolist() == [0.6, 0.7]


def test_nothing_is_split_unless_both_ways_and_leaving_itself_are_predicted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(other_outcomes, "answering", lambda _: ("v", "fitted"))
    main: Any = SimpleNamespace(kind="churn")
    one, other = champion("voluntary", [0.3]), champion("involuntary", [0.1])
    assert other_outcomes._leaving(main, [one]) is None
    assert other_outcomes._leaving(main, [one, other]) == other_outcomes.Champion(main, "v", "fitted")  # type: ignore[arg-type]
    risks = other_outcomes._risks([one], None, pd.DataFrame(), date(2026, 1, 1))
    assert risks["voluntary"].tolist() == [0.3]
