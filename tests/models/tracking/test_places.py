"""Places of before become places that move along."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from models.tracking.places import bring_home


def test_places_of_before_are_brought_home_and_no_others(tmp_path: Path) -> None:
    database = tmp_path / "mlflow.sqlite"
    before = {
        "experiments": ["file:///old/files/shop/files", "file:///old/shop/others", "s3://bucket/files"],
        "runs": [
            "file:///old/files/shop/files/1f/artifacts",
            "file:///old/filesystem/artifacts",
            "s3://bucket/files/1f",
        ],
    }
    after = {
        "experiments": ["attrition:/files", *before["experiments"][1:]],
        "runs": ["attrition:/files/1f/artifacts", *before["runs"][1:]],
    }
    columns = {"experiments": ("experiment_id", "artifact_location"), "runs": ("run_uuid", "artifact_uri")}
    with sqlite3.connect(database) as made:
        for table, (number, column) in columns.items():
            made.execute(f"CREATE TABLE {table} ({number}, {column})")
            made.executemany(f"INSERT INTO {table} VALUES (?, ?)", enumerate(before[table]))
    made.close()
    for _ in range(2):
        bring_home(database, "files")
        with sqlite3.connect(database) as found:
            for table, (number, column) in columns.items():
                rows = found.execute(f"SELECT {column} FROM {table} ORDER BY {number}").fetchall()
                assert [row[0] for row in rows] == after[table]
        found.close()
