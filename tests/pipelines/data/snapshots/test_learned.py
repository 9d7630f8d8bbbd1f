"""The rows that are learned from: all of them, or as many as there is room for."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pytest

from models import sampling
from models.matrix import Matrix
from pipelines.data.snapshots.learned import learned_rows
from pipelines.data.snapshots.snapshot import BUYING_MODELS, Snapshots
from pipelines.data.snapshots.workspace_snapshots import snapshots_of
from pipelines.foundation.workspace.workspace import open_workspace

NOW = datetime(2026, 1, 5, tzinfo=UTC)
ROOM = 900


@pytest.fixture(scope="module")
def snapshots(finished_workspace: Path) -> Snapshots:
    return snapshots_of(open_workspace(finished_workspace, now=NOW))


@pytest.fixture(scope="module")
def everybody(snapshots: Snapshots) -> Matrix:
    found = learned_rows(snapshots, _days(snapshots))
    assert found is not None
    return found


def test_with_enough_memory_there_are_all_rows_and_each_counts_once(snapshots: Snapshots, everybody: Matrix) -> None:
    found = learned_rows(snapshots, _days(snapshots), memory=64 << 30)
    assert found is not None
    assert found.weights is None
    assert found.values.tobytes() == everybody.values.tobytes()


def test_with_little_memory_some_stand_for_all_with_their_own_values(
    snapshots: Snapshots, everybody: Matrix, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sampling, "FEWEST", ROOM)
    monkeypatch.setattr(sampling, "LEAST", 10)
    found = learned_rows(snapshots, _days(snapshots), memory=1)
    assert found is not None
    assert len(everybody) > 2 * ROOM
    assert len(found) == pytest.approx(ROOM, abs=2 * len(_days(snapshots)))
    for day in np.unique(everybody.snapshots):
        for label in (0.0, 1.0):
            mine, all_of_them = (
                rows.only((rows.snapshots == day) & (rows.outcomes == label)) for rows in (found, everybody)
            )
            assert mine.counts.sum() == pytest.approx(len(all_of_them))
            places = np.searchsorted(all_of_them.customers.astype(str), mine.customers.astype(str))
            assert all_of_them.customers[places].tolist() == mine.customers.tolist()
            assert all_of_them.values[places].tobytes() == mine.values.tobytes()
            assert all_of_them.start[places].tobytes() == mine.start.tobytes()


def test_the_start_model_of_a_day_is_fitted_once_and_on_everybody(
    snapshots: Snapshots, everybody: Matrix, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert len(everybody)
    known = len(BUYING_MODELS)
    assert known >= len(_days(snapshots))

    def again(*_: object) -> None:
        raise AssertionError("a start model was fitted again")

    monkeypatch.setattr("models.matrix.buying_model", again)
    learned_rows(snapshots, _days(snapshots)[-2:])
    assert len(BUYING_MODELS) == known


def _days(snapshots: Snapshots) -> list[date]:
    return snapshots.calendar.training_days(snapshots.calendar.as_of)
