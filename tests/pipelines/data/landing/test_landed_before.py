"""Files are held only against those with which they share a key, and so they take no longer the more there are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ibis
import pytest

from features.errors import DataError
from pipelines.data.landing.ingest import ingest
from pipelines.foundation.storage import row_fates
from pipelines.foundation.storage.landed_tables import counted_files, landed_tables
from pipelines.foundation.storage.store import Store
from tests.pipelines.data.landing.landing_case import HEADER, LANDED_ON, settings, source


def land_orders(root: Path, files: dict[str, list[str]], *sources: Any) -> Store:
    """Each file with orders of some ids, all of customer C on one day."""
    for name, ids in files.items():
        (root / name).write_text(HEADER + "".join(f"{each},C,2024-01-02,1\n" for each in ids))
    store = Store(root)
    ingest(store, settings(*(sources or [source("*.csv")])), today=LANDED_ON)
    return store


def held(root: Path) -> list[str]:
    """The ids that the table of one source holds."""
    engine = ibis.duckdb.connect()
    (found,) = landed_tables(Store(root), engine, settings=settings(source("*.csv"))).values()
    return sorted(engine.to_pyarrow(found["order_id"]).to_pylist())


def meets(store: Store) -> dict[str, list[str]]:
    files = store.files("landed")
    names = {Path(each.path).stem: each.detail["source"] for each in files}
    return {each.detail["source"]: sorted(names[name] for name in each.detail["meets"]) for each in files}


@pytest.mark.parametrize(
    ("first", "second", "found"),
    [
        (["1", "2"], ["3", "4"], []),
        (["1", "2"], ["2", "3"], ["a.csv"]),
        (["9", "11"], ["10", "12"], []),  # beyond each other as texts, and still others
        (["9", "11"], ["10", "9"], ["a.csv"]),
        (["b", "a"], ["ab"], []),
        (["é"], ["É", "é"], ["a.csv"]),
    ],
)
def test_a_file_names_those_with_which_it_shares_a_key(
    tmp_path: Path, first: list[str], second: list[str], found: list[str]
) -> None:
    assert meets(land_orders(tmp_path, {"a.csv": first, "b.csv": second})) == {"a.csv": [], "b.csv": found}
    assert held(tmp_path) == sorted({*first, *second})


def test_what_shares_no_key_is_compared_with_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compared = list[int]()
    read = row_fates.Comparison._read

    def seen(self: Any, before: Any, ended: Any) -> None:
        compared.append(len(before))
        read(self, before, ended)

    monkeypatch.setattr(row_fates.Comparison, "_read", seen)
    files = {f"{number:02}.csv": [f"{number}-{each}" for each in range(9)] for number in range(20)}
    store = land_orders(tmp_path, files | {"last.csv": ["7-3", "new"]})
    assert compared == [1]
    counted = counted_files(store, settings(source("*.csv")))
    assert [each.fates.get("again", 0) for each in counted] == [0] * 20 + [1]
    assert len(held(tmp_path)) == 20 * 9 + 1


def test_a_file_whose_source_was_not_named_for_a_while_is_still_met(tmp_path: Path) -> None:
    """What is compared is settled when a file lands, of all that ever landed: settings come and go."""
    one, both = source("a*.csv"), source("*.csv")
    land_orders(tmp_path, {"a.csv": ["1", "2"]}, one)
    land_orders(tmp_path, {"b.csv": ["2", "3"]}, source("b*.csv"))
    ingest(Store(tmp_path), settings(both), today=LANDED_ON)
    (counted,) = [each for each in counted_files(Store(tmp_path), settings(both)) if each.fates]
    assert counted.fates["again"] == 1


def test_a_key_of_another_customer_is_refused_however_many_files_lie_between(tmp_path: Path) -> None:
    land_orders(tmp_path, {f"{number}.csv": [str(number)] for number in range(5)})
    (tmp_path / "z.csv").write_text(HEADER + "2,D,2024-01-02,1\n")
    with pytest.raises(DataError, match=r"have the order_id of another customer's row in 2\.csv"):
        ingest(Store(tmp_path), settings(source("*.csv")), today=LANDED_ON)


def test_a_landed_file_that_is_gone_is_taken_to_hold_anything(tmp_path: Path) -> None:
    store = land_orders(tmp_path, {"a.csv": ["1"]})
    (file,) = store.files("landed")
    store.place(file.path).unlink()
    (tmp_path / "a.csv").rename(tmp_path / "a.kept")
    land_orders(tmp_path, {"b.csv": ["2"]}, source("b.csv"))
    assert meets(Store(tmp_path))["b.csv"] == ["a.csv"]
