"""Who stands in what is offered for reading with SQL."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipelines.data.privacy.enforce import taken_to_write
from pipelines.foundation.ledger.score_store import ScoreStore
from pipelines.foundation.settings import plays
from pipelines.foundation.settings.settings import Settings
from pipelines.foundation.storage.workspace_paths import LEDGER
from pipelines.foundation.workspace.workspace import Workspace
from tests.pipelines.foundation.ledger import score_case
from tests.pipelines.shop_case import AS_OF, SETTINGS

EVERYBODY = {"A-17", "É-2", "10"}


def scored(folder: Path, **sections: Any) -> Workspace:
    """Three scored customers, and plays."""
    settings = Settings.model_validate(SETTINGS.model_dump(exclude_unset=True) | sections)
    workspace = Workspace(folder, settings, AS_OF, AS_OF, plays.load(Path(plays.__file__).with_name(plays.FILE_NAME)))
    score_case.replace(workspace.store, score_case.scores())
    return workspace


def read(folder: Path, table: str) -> list[tuple[Any, ...]]:
    """As an analyst does, with nothing of ours."""
    with closing(sqlite3.connect(f"file:{folder / LEDGER}?mode=ro", uri=True)) as ledger:
        return ledger.execute(f"SELECT * FROM {table} ORDER BY customer_id").fetchall()


def shown(folder: Path) -> set[str]:
    return {row[0] for row in read(folder, "shown_scores")}


def test_everybody_is_shown_whole_where_nobody_is_held_out(tmp_path: Path) -> None:
    with taken_to_write(scored(tmp_path, retention={"holdout_share": 0.0})):
        pass
    assert read(tmp_path, "shown_scores") == read(tmp_path, "scores")
    assert shown(tmp_path) == EVERYBODY


def test_the_held_out_are_not_shown_and_stay_scored(tmp_path: Path) -> None:
    workspace = scored(tmp_path, retention={"holdout_share": 0.5})
    held_out = {name for name in EVERYBODY if workspace.holdout.holds([name])[0]}
    assert 0 < len(held_out) < 3
    with taken_to_write(workspace):
        pass
    assert shown(tmp_path) == EVERYBODY - held_out
    assert {row[0] for row in read(tmp_path, "scores")} == EVERYBODY


LISTS = {
    "opt_outs": ("customer_id\n", "customer_id\nA-17\n"),
    "objections": ("customer_id\n", "customer_id\nA-17\n"),
    "consent": ("customer_id,given\nA-17,yes\nÉ-2,yes\n10,yes\n", "customer_id,given\nÉ-2,yes\n10,yes\n"),
}


@pytest.mark.parametrize(("setting", "before", "after"), [(name, *texts) for name, texts in LISTS.items()], ids=LISTS)
def test_whoever_must_not_be_handed_over_is_not_shown_from_the_next_command_on(
    tmp_path: Path, setting: str, before: str, after: str
) -> None:
    (tmp_path / "list.csv").write_text(before)
    workspace = scored(tmp_path, retention={"holdout_share": 0.0}, privacy={setting: "list.csv"})
    with taken_to_write(workspace):
        pass
    assert shown(tmp_path) == EVERYBODY
    (tmp_path / "list.csv").write_text(after)
    with taken_to_write(workspace):
        pass
    assert shown(tmp_path) == EVERYBODY - {"A-17"}


def test_a_scoring_that_is_broken_off_shows_nobody_until_the_next_command(tmp_path: Path) -> None:
    workspace = scored(tmp_path, retention={"holdout_share": 0.0})

    def broken_off() -> None:
        with taken_to_write(workspace):
            assert shown(tmp_path) == EVERYBODY
            score_case.replace(workspace.store, score_case.scores("run-2"), run_id="run-2")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        broken_off()
    assert shown(tmp_path) == set()
    with taken_to_write(workspace):
        assert shown(tmp_path) == EVERYBODY


def test_who_is_deleted_is_shown_no_more(tmp_path: Path) -> None:
    workspace = scored(tmp_path, retention={"holdout_share": 0.0})
    with taken_to_write(workspace):
        pass
    ScoreStore(workspace.store).delete_customers(lambda names: np.array([name == "10" for name in names]))
    assert shown(tmp_path) == EVERYBODY - {"10"}
    assert ("10",) not in read(tmp_path, "shown")
