"""Which landed files are one source's, by their places among those of the table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pipelines.data.landing.ingest import ingest
from pipelines.foundation.workspace.workspace import open_workspace
from pipelines.prediction.checks.odd_sources import landed_sources
from tests.pipelines.foundation.workspace.test_workspace import NOON, ORDERS, SHOP, changed, made


def test_files_that_arrive_in_turns_are_told_apart_as_the_settings_do(tmp_path: Path) -> None:
    """Several sources with the same columns, new files of each in turns, and one that is written anew."""
    paths = ("north/*.csv", "south/*.csv", "one.csv")
    settings = changed(SHOP, sources=tuple(ORDERS.model_copy(update={"path": path}) for path in paths))
    root = made(tmp_path, settings)
    arrivals: Sequence[Sequence[str]] = [
        ["north/1.csv", "south/1.csv", "one.csv"],
        ["south/2.csv", "one.csv"],
        ["north/2.csv", "north/3.csv"],
        ["one.csv", "south/3.csv", "north/4.csv"],
    ]
    for turn, names in enumerate(arrivals):
        for number, name in enumerate(names):
            (root / name).parent.mkdir(exist_ok=True)
            row = f"{name if name == 'one.csv' else turn}-{number % 2},c,2024-05-0{turn + 1} 12:00,{turn}.{number}"
            (root / name).write_text(f"order_id,customer_id,ordered_at,amount\n{row}\n", encoding="utf-8")
        workspace = open_workspace(root, now=NOON)
        ingest(workspace.store, workspace.settings, today=workspace.today)
    workspace = open_workspace(root, now=NOON)
    found = landed_sources(workspace.store, workspace.landed, workspace.landed_sources)
    assert sorted(len(each.paths) for each in found) == [3, 3, 4]
    assert all(len({path.split("/")[0] for path in each.paths}) == 1 for each in found)
    assert all([workspace.landed[n].landing.path for n in each.numbers] == each.paths for each in found)
