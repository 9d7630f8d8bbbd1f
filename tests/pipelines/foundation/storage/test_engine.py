from __future__ import annotations

from pathlib import Path

from pipelines.foundation.storage.atomic_file import unfinished
from pipelines.foundation.storage.engine import open_engine


def test_what_does_not_fit_into_memory_goes_into_the_folder_that_is_named(tmp_path: Path) -> None:
    folder = unfinished(tmp_path / "spilled")
    engine = open_engine("duckdb", scratch=folder)
    engine.raw_sql("SET memory_limit = '60MB'")
    engine.raw_sql("SET threads = 1")
    engine.raw_sql("CREATE TEMP TABLE t AS SELECT DISTINCT range, hash(range) AS h FROM range(4000000)")
    assert any(folder.iterdir())
    assert not Path(".tmp").exists()


def test_nothing_is_made_until_it_is_needed(tmp_path: Path) -> None:
    folder = unfinished(tmp_path / "spilled")
    assert open_engine("duckdb", scratch=folder).raw_sql("SELECT 1").fetchall() == [(1,)]
    assert not folder.exists()


def test_duckdb_takes_what_it_may_and_never_less_than_it_needs() -> None:
    for memory, taken in ((3 << 30, "3.0 GiB"), (1 << 20, "1.0 GiB")):
        engine = open_engine("duckdb", memory=memory)
        assert engine.raw_sql("SELECT current_setting('memory_limit')").fetchall() == [(taken,)]
