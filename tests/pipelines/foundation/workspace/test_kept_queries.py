"""What one process translated, the next reads; anything that a translation depends on makes another name."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import ibis
import pyarrow as pa
import pytest

from pipelines.foundation.storage import fingerprint
from pipelines.foundation.storage.code_meaning import code_of
from pipelines.foundation.storage.engine import open_engine
from pipelines.foundation.workspace import compiled_queries, kept_queries
from pipelines.foundation.workspace.compiled_queries import NO_DAY, CompiledQueries
from tests.features.world_case import PARIS

DAY = date(2024, 3, 31)
ORDERS = pa.table({"n": [1]})
FOUND = ("SELECT 1", pa.schema([("n", pa.int64())]))


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A machine that has kept nothing yet."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    yield tmp_path / "caches" / "attrition" / kept_queries.FOLDER
    fingerprint.code_version.cache_clear()


@dataclass(frozen=True)
class Name:
    """As a definition names queries."""

    days: int


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One query, as a process asks for it."""

    name: Any = ("orders", Name(7))
    zone: ZoneInfo = PARIS
    rows: Any = None  # ORDERS
    offsets: tuple[int, ...] = ()
    by: tuple[str, ...] = ("features.asof",)


def asked_for(asked: Asked, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether another process has to make the query; its answer is the right one in any case."""
    monkeypatch.setattr(compiled_queries, "TRANSLATED", {})
    fingerprint.code_version.cache_clear()
    made: list[date] = []
    compiled = CompiledQueries(open_engine("duckdb"), asked.zone)
    rows = ORDERS if asked.rows is None else asked.rows
    table = compiled.over({"orders": rows})["orders"]

    def make(day: date) -> Any:
        made.append(day)
        return table.mutate(day=ibis.literal(day))

    (found,) = compiled.run(asked.name, make, DAY, offsets=asked.offsets, kept_by=asked.by).to_pylist()
    assert found == rows.to_pylist()[0] | {"day": DAY}
    assert made in ([], [NO_DAY])
    return bool(made)


def test_another_process_translates_nothing_again(monkeypatch: pytest.MonkeyPatch) -> None:
    assert asked_for(Asked(), monkeypatch)
    assert not asked_for(Asked(), monkeypatch)
    other_rows = ORDERS.set_column(0, "n", pa.array([2]))
    assert not asked_for(Asked(rows=other_rows), monkeypatch)


@pytest.mark.parametrize(
    "changed",
    [
        {"name": ("orders", Name(8))},
        {"name": ("others", Name(7))},
        {"zone": ZoneInfo("Asia/Tokyo")},
        {"zone": ZoneInfo("Europe/Berlin")},
        {"rows": pa.table({"n": ["a"]})},
        {"rows": pa.table({"n": [1], "m": [1]})},
        {"offsets": (30,)},
        {"by": ("features.cohort",)},
    ],
    ids=str,
)
def test_whatever_a_translation_depends_on_makes_another(
    changed: Mapping[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked_for(Asked(), monkeypatch)
    assert asked_for(replace(Asked(), **changed), monkeypatch)


def test_other_code_translates_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    asked_for(Asked(), monkeypatch)
    right = code_of
    for module in ("features/asof.py", "features/tables/__init__.py", "pipelines/foundation/workspace/kept_queries.py"):
        changed = Path(fingerprint.__file__).parents[3] / module

        def other(place: Path, changed: Path = changed) -> Any:
            return replace(right(place), meaning=b"other") if place == changed else right(place)

        with monkeypatch.context() as patched:
            patched.setattr(fingerprint, "code_of", other)
            assert asked_for(Asked(), monkeypatch), module
    assert not asked_for(Asked(), monkeypatch)


@pytest.mark.parametrize("library", ["ibis-framework", "duckdb", "sqlglot", "pyarrow"])
def test_other_libraries_translate_anew(library: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked_for(Asked(), monkeypatch)
    right = fingerprint.library_version
    monkeypatch.setattr(fingerprint, "library_version", lambda name: "0" if name == library else right(name))
    assert asked_for(Asked(), monkeypatch)


def test_other_options_of_ibis_translate_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    asked_for(Asked(), monkeypatch)
    monkeypatch.setattr(ibis.options.sql, "fuse_selects", True)
    assert asked_for(Asked(), monkeypatch)


def test_of_a_query_whose_text_a_workspace_decides_nothing_is_kept(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(2):
        assert asked_for(Asked(by=()), monkeypatch)
    assert not machine.exists()


def test_a_query_of_rows_that_one_engine_alone_has_is_not_kept(machine: Path) -> None:
    compiled = CompiledQueries(open_engine("duckdb"), PARIS)
    rows = compiled.engine.create_table("of_one_engine", ORDERS)
    compiled.run("rows", lambda day: rows.mutate(day=ibis.literal(day)), DAY, kept_by=("features.asof",))
    assert not machine.exists()


def test_a_name_that_may_change_later_is_refused() -> None:
    compiled = CompiledQueries(open_engine("duckdb"), PARIS)
    with pytest.raises(TypeError, match="not frozen"):
        compiled.run(print, lambda day: ibis.memtable({"day": [day]}), DAY, kept_by=("features.asof",))


def test_a_damaged_file_is_translated_anew(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked_for(Asked(), monkeypatch)
    (kept,) = machine.iterdir()
    whole = kept.read_bytes()
    kept.write_bytes(whole[:-1])
    assert asked_for(Asked(), monkeypatch)
    assert kept.read_bytes() == whole
    assert not asked_for(Asked(), monkeypatch)


def test_a_schema_comes_back_as_it_was() -> None:
    schema = pa.schema(
        [("a", pa.decimal128(18, 4)), ("b", pa.timestamp("us")), pa.field("c", pa.date32(), nullable=False)]
    )
    kept_queries.write("key1", ("SELECT 'é'", schema))
    assert kept_queries.read("key1") == ("SELECT 'é'", schema)


def test_what_is_kept_does_not_grow_without_end(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept_queries.write("0000", FOUND)
    monkeypatch.setattr(kept_queries, "MOST", 10 * (machine / "0000").stat().st_size)
    for number in range(64):
        kept_queries.write(f"{number:04x}", FOUND)
    left = sorted(each.name for each in machine.iterdir())
    assert len(left) <= 10 + 16
    assert left == [f"{number:04x}" for number in range(64)][-len(left) :]


def test_days_are_all_that_differs_in_what_is_kept(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked_for(Asked(), monkeypatch)
    (kept,) = machine.iterdir()
    sql, _ = kept_queries.read(kept.name) or FOUND
    assert str(NO_DAY.year) in sql
    assert not re.search(str(DAY.year), sql)
