"""The simulated company, out of three databases in which tables and columns are called otherwise."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from features.tables import TABLES
from pipelines.data.landing.ingest import ingest
from pipelines.foundation.settings.dialect import Dialect
from pipelines.foundation.settings.settings import Settings
from pipelines.foundation.settings.sources import DatabaseSource, Source
from pipelines.foundation.settings.template import render
from pipelines.foundation.settings.toml_file import read
from pipelines.foundation.simulation.simulate import simulate
from pipelines.foundation.storage.store import Store
from tests.pipelines.data.sources.database.database_case import Database
from tests.sentences.workspaces import LEAST_SIMULATED

ON = date(2026, 1, 1)


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("databases") / "company"
    simulate(folder, customers=150, months=12, seed=3)
    return folder


def foreign(name: str) -> str:
    return f"{name}_ex"


def given(company: Path, name: str) -> pa.Table:
    """A table of the company under names of somebody else's, each second row last, and numbered as they came."""
    rows = pq.read_table(company / f"{name}.parquet")
    rows = rows.append_column("entered", pa.array(range(1, rows.num_rows + 1)))
    odd = pa.array([row % 2 for row in range(rows.num_rows)])
    rows = rows.append_column("turn", odd).sort_by("turn").drop_columns("turn")
    for place, field in enumerate(rows.schema):
        if pa.types.is_timestamp(field.type):
            rows = rows.set_column(place, field.name, pc.cast(rows[field.name], pa.timestamp("us")))
    return rows.rename_columns([foreign(each) for each in rows.column_names])


def from_database(database: Database, file: Source) -> Source:
    named = file.columns | {"source_row": "entered"}
    columns = ", ".join(f"{foreign(theirs)} AS {ours}" for ours, theirs in named.items())
    return DatabaseSource(
        table=file.table,
        url=database.url,
        query=f"SELECT {columns} FROM {foreign(file.table)}",
        dialect=Dialect(date_format="%Y-%m-%d %H:%M:%S") if database.system == "sqlite" else Dialect(),
    )


def landed(store: Store, settings: Settings) -> dict[str, pa.Table]:
    """The landed rows of each table, but for keys that were made of the file's content."""
    results = ingest(store, settings, today=ON)
    assert {each.rejected for each in results} == {0}
    assert [remark for each in results for remark in each.remarks if "is not read" in remark] == []
    found = {}
    for file in store.files("landed"):
        name = file.detail["table"]
        made = () if file.detail["keyed"] else TABLES[name].key
        found[name] = pq.read_table(store.verified(file)).drop_columns(sorted(made))
    return found


def test_a_company_lands_from_each_database_as_from_its_files(
    company: Path, database: Database, tmp_path: Path
) -> None:
    settings = read(company / "attrition.toml", Settings)
    for source in settings.sources:
        database.fill(foreign(source.table), given(company, source.table))
    asked = settings.model_copy(update={"sources": tuple(from_database(database, each) for each in settings.sources)})
    expected = landed(Store(company), settings)
    assert set(expected) == set(TABLES)
    found = landed(Store(tmp_path), asked)
    assert [name for name, rows in found.items() if not rows.equals(expected[name])] == []
    assert {each.status for each in ingest(Store(tmp_path), asked, today=ON)} == {"unchanged"}


@pytest.fixture(scope="module")
def learnt(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """A company that is learnt from its files, and what `score` said of it."""
    folder: Path = tmp_path_factory.mktemp("learnt") / "company"
    simulate(folder, customers=LEAST_SIMULATED, months=18, seed=3)
    found = read(folder / "attrition.toml", Settings)
    quick = found.model_copy(
        update={
            "outcome": found.outcome.model_copy(update={"also": ()}),
            "snapshots": found.snapshots.model_copy(update={"at_most": 4}),
            "backtest": found.backtest.model_copy(update={"folds": 1, "bootstrap_samples": 20}),
        }
    )
    (folder / "attrition.toml").write_text(render(quick), encoding="utf-8")
    return folder, scores(folder)


def test_after_three_commands_a_database_gives_scores_by_the_same_model(
    learnt: tuple[Path, dict[str, Any]], database: Database, tmp_path: Path
) -> None:
    company, expected = learnt
    settings = read(company / "attrition.toml", Settings)
    for source in settings.sources:
        database.fill(foreign(source.table), given(company, source.table))
    asked = settings.model_copy(update={"sources": tuple(from_database(database, each) for each in settings.sources)})
    (tmp_path / "attrition.toml").write_text(render(asked), encoding="utf-8")
    found = scores(tmp_path)
    assert found["model_version"] == expected["model_version"]  # a hash of all that the model says
    assert len(scored(tmp_path, found)) > 50
    assert scored(tmp_path, found) == scored(company, expected)


def scores(folder: Path) -> dict[str, Any]:
    """What `score` says after `ingest` and `train`, as people run them."""
    for command in ("ingest", "train", "score"):
        done = subprocess.run(
            [sys.executable, "-m", "pipelines.cli", command, "--project", str(folder), "--json"],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def scored(folder: Path, document: dict[str, Any]) -> list[dict[str, str]]:
    """Every customer's line, but when it was written."""
    with (folder / document["csv"]).open(encoding="utf-8-sig", newline="") as file:
        return [{name: text for name, text in row.items() if name != "scored_at"} for row in csv.DictReader(file)]
