"""What may be opened, and that looking changes nothing."""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from features.errors import DataError, SettingsError
from pipelines.explore import OpenedWorkspace, open_workspace
from pipelines.foundation.storage.workspace_paths import LEDGER

LOOKS: tuple[Callable[[OpenedWorkspace], Any], ...] = (
    repr,
    lambda ws: [ws.tables[name] for name in ws.tables],
    OpenedWorkspace.indicators,
    OpenedWorkspace.snapshot,
    lambda ws: ws.snapshot("2025-01-10"),  # of no day of the grid: nothing stored has it
    OpenedWorkspace.model_input,
    OpenedWorkspace.training_set,
    OpenedWorkspace.scores,
    lambda ws: ws.explain(ws.scores().index[0]),
    lambda ws: ws.contributions(at_most=20),
    OpenedWorkspace.backtest,
    OpenedWorkspace.kpis,
    OpenedWorkspace.model,
    OpenedWorkspace.models,
)


def files_of(root: Path) -> dict[str, str]:
    """The hash of each file; SQLite's own files beside the ledger come and go."""
    return {
        str(place.relative_to(root)): hashlib.sha256(place.read_bytes()).hexdigest()
        for place in sorted(root.rglob("*"))
        if place.is_file() and not place.name.endswith(("-wal", "-shm"))
    }


def test_whoever_looks_changes_nothing(finished_workspace: Path) -> None:
    before = files_of(finished_workspace)
    ws = open_workspace(finished_workspace)
    for look in LOOKS:
        look(ws)
    assert files_of(finished_workspace) == before


def test_what_was_computed_meanwhile_is_gone_with_who_looked(finished_workspace: Path) -> None:
    ws = open_workspace(finished_workspace)
    ws.snapshot("2025-01-10")
    place = ws._workspace.store.scratch
    assert place.stat().st_mode & 0o077 == 0
    assert [each.name for each in (place / "snapshots").iterdir()]
    del ws
    assert not place.exists()


def test_a_workspace_is_looked_at_while_a_job_writes(finished_workspace: Path, tmp_path: Path) -> None:
    root = Path(shutil.copytree(finished_workspace, tmp_path / "shop"))
    with closing(sqlite3.connect(root / LEDGER, isolation_level=None)) as job:
        job.execute("BEGIN IMMEDIATE")
        job.execute("DELETE FROM scores")
        ws = open_workspace(root)
        assert len(ws.scores()) > 100  # as committed
        assert len(ws.snapshot("2025-01-10")) > 50
        job.execute("ROLLBACK")


def test_another_day_is_looked_from(finished_workspace: Path) -> None:
    ws = open_workspace(finished_workspace, as_of="2025-03-01")
    assert str(ws.as_of) == "2025-03-01"
    assert max(ws.days).isoformat() < "2025-01-01"  # 60 days until an outcome is known


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda _: None, "is not a folder"),
        (Path.mkdir, r"attrition\.toml does not exist"),
        (lambda root: shutil.copytree("examples/cdnow", root), "nothing has landed in"),
    ],
)
def test_what_cannot_be_opened_is_told(tmp_path: Path, make: Callable[[Path], Any], said: str) -> None:
    root = tmp_path / "other"
    make(root)
    with pytest.raises((SettingsError, DataError), match=said):
        open_workspace(root)
    assert not (root / LEDGER).exists()


def test_a_day_that_is_none_is_told(finished_workspace: Path) -> None:
    with pytest.raises(DataError, match="write it as 2025-06-01"):
        open_workspace(finished_workspace, as_of="1st of June")
