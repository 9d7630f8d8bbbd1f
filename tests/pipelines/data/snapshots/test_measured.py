"""One pass over landed files gives what the expressions give, to the type and the last digit."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from features.asof import as_of, instant
from features.tables import TABLES
from features.windows import Measure, Windows
from features.windows import measured as as_expression
from pipelines.data.landing.ingest import ingest
from pipelines.data.snapshots import landed_rows, measured
from pipelines.data.snapshots.measured import MeasuredTables
from pipelines.data.snapshots.workspace_snapshots import snapshots_of
from pipelines.foundation.simulation.simulate import simulate
from pipelines.foundation.storage.engine import open_engine, parquet_table
from pipelines.foundation.storage.landed_parquet import landed_schema, write_parquet
from pipelines.foundation.storage.rewriting import delete_file
from pipelines.foundation.workspace.workspace import open_workspace
from tests.features.test_windows import USED
from tests.features.world_case import landed

CONTRACT = TABLES["usage"]
LOOKBACKS = (7, 30, 90)
ZONES = ("Europe/Paris", "America/Sao_Paulo", "UTC", "Pacific/Auckland")
# Beside each other and far apart, across changes of clocks; Sao Paulo's came at midnight.
DAYS = (date(2018, 2, 18), date(2018, 3, 26), date(2018, 11, 4), date(2018, 11, 5), date(2019, 6, 1))
CUSTOMERS = [f"c{number}" for number in range(6)]
Row = dict[str, Any]


def write(folder: Path, files: Sequence[Sequence[Row]], zone: ZoneInfo) -> list[Path]:
    """Files as they land: sorted by customer, a few rows to a group."""
    places = []
    for number, rows in enumerate(files):
        table = landed("usage", rows, zone=zone).select(list(CONTRACT.landed)).sort_by("customer_id")
        places.append(folder / f"{number}.parquet")
        write_parquet(places[-1], table.to_batches(), landed_schema(CONTRACT))
    return places


def by_one_pass(folder: Path, places: Sequence[Path], zone: ZoneInfo, windows: Windows = USED) -> MeasuredTables:
    return MeasuredTables(
        windows={"usage": windows},
        files={"usage": places},
        lookback_days=LOOKBACKS,
        zone=zone,
        folder=folder / "measured",
    )


def by_expressions(places: Sequence[Path], day: date, zone: ZoneInfo, customers: Sequence[str]) -> pa.Table:
    engine = open_engine("duckdb")
    view = as_of({"usage": parquet_table(engine, places, list(CONTRACT.landed))}, day, zone=zone)
    cohort = engine.create_table("cohort", pa.table({"customer_id": pa.array(customers, pa.string())}))
    return engine.to_pyarrow(as_expression(view, USED, cohort, LOOKBACKS).order_by("customer_id"))


def differing(ours: pa.Table, theirs: pa.Table) -> list[str]:
    """Columns that are not equal; a sum's digits may be declared wider."""
    assert ours.column_names == theirs.column_names
    return [name for name in ours.column_names if ours[name].to_pylist() != theirs[name].to_pylist()]


@st.composite
def rows(draw: st.DrawFn, zone: ZoneInfo) -> Row:
    """Near the edges of spans, of days and of what is known."""
    day = draw(st.sampled_from(DAYS))
    ago = draw(st.sampled_from([-1, 0, 1, 7, 8, 14, 15, 30, 31, 60, 61, 90, 91, 180, 181, 400, 3000]))
    at = instant(day - timedelta(days=ago), zone=zone)
    at += timedelta(microseconds=draw(st.sampled_from([-1, 0, 1, 3_600_000_000, 43_200_000_000])))
    late = draw(st.sampled_from([timedelta(0), timedelta(0), timedelta(days=1), timedelta(days=40, microseconds=-1)]))
    return {
        "customer_id": draw(st.sampled_from(CUSTOMERS)),
        "used_at": at,
        "known_at": at + late,
        "feature": draw(st.sampled_from([None, "export", "import", "été", ""])),
        "seat_id": draw(st.sampled_from([None, *(f"s{number}" for number in range(9))])),
        "quantity": draw(st.sampled_from([None, "0", "0.0001", "-3.25", "99999.9999", "1"])),
        "errors": draw(st.sampled_from([None, 0, 1, 7, -1])),
    }


@st.composite
def worlds(draw: st.DrawFn) -> tuple[ZoneInfo, list[list[Row]]]:
    zone = ZoneInfo(draw(st.sampled_from(ZONES)))
    return zone, draw(st.lists(st.lists(rows(zone), min_size=1, max_size=40), min_size=1, max_size=3))


@settings(
    max_examples=20,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(world=worlds(), at_once=st.sampled_from([1, 10, 1000]))
def test_one_pass_gives_what_the_expressions_give(
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
    world: tuple[ZoneInfo, list[list[Row]]],
    at_once: int,
) -> None:
    zone, files = world
    monkeypatch.setattr(landed_rows, "AT_ONCE", at_once)
    monkeypatch.setattr("pipelines.foundation.storage.landed_parquet.GROUP_ROWS", 5)
    folder = tmp_path_factory.mktemp("pass")
    places = write(folder, files, zone)
    ours = by_one_pass(folder, places, zone)
    ours.prepare(DAYS)
    # One customer who has no row, and not all of those who have.
    customers = ["a", *CUSTOMERS[1:]]
    for day in DAYS:
        found = ours.take(day, pa.chunked_array([customers]))["usage"]
        assert not differing(found, by_expressions(places, day, zone, customers)), day
    assert "usage" in ours.windows


def _use(customer: str, at: datetime, **more: Any) -> Row:
    return {"customer_id": customer, "used_at": at} | more


NOON = datetime(2018, 3, 20, 12, tzinfo=UTC).replace(tzinfo=None)
PARIS = ZoneInfo("Europe/Paris")


def _taken(ours: MeasuredTables, day: date = DAYS[1], customer: str = "a") -> Row:
    found: Row = ours.take(day, pa.chunked_array([[customer]]))["usage"].to_pylist()[0]
    return found


def test_a_row_known_late_counts_from_then_on(tmp_path: Path) -> None:
    uses = [_use("a", NOON), _use("a", NOON, known_at=NOON + timedelta(days=30), quantity="2.5", seat_id="ann")]
    ours = by_one_pass(tmp_path, write(tmp_path, [uses], PARIS), PARIS)
    before, after = _taken(ours), _taken(ours, date(2018, 4, 25))
    assert (before["uses_7d"], before["days_7d"], before["amount_7d"], before["people_7d"]) == (1, 1, 1, 0)
    assert (after["uses_90d"], after["days_90d"], after["amount_90d"], after["people_90d"]) == (2, 1, Decimal("3.5"), 1)


def test_what_was_taken_is_gone_and_computed_again_when_it_is_asked_for(tmp_path: Path) -> None:
    ours = by_one_pass(tmp_path, write(tmp_path, [[_use("a", NOON)]], PARIS), PARIS)
    ours.prepare(DAYS)
    assert len(list(ours.folder.iterdir())) == len(DAYS)
    first = _taken(ours)
    assert len(list(ours.folder.iterdir())) == len(DAYS) - 1
    assert _taken(ours) == first
    folder = ours.folder
    del ours
    assert not folder.exists()


@pytest.mark.parametrize("why", ["order", "digits"])
def test_what_the_pass_does_not_do_is_left_to_the_expressions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    monkeypatch.setattr("pipelines.foundation.storage.landed_parquet.GROUP_ROWS", 1)
    uses = [_use("a", NOON, quantity=10**13 if why == "digits" else 1) for _ in range(6)] + [_use("b", NOON)]
    (place,) = write(tmp_path, [uses], PARIS)
    if why == "order":
        backwards = landed("usage", uses).select(list(CONTRACT.landed)).sort_by([("customer_id", "descending")])
        write_parquet(place, backwards.to_batches(), landed_schema(CONTRACT))
    ours = by_one_pass(tmp_path, [place], PARIS)
    assert ours.take(DAYS[1], pa.chunked_array([["a"]])) == {}
    assert not list(ours.folder.iterdir())


MESSAGES = Windows("messages", (Measure(name="sent", of="rows"),))


@pytest.mark.parametrize(
    ("windows", "ended", "large"),
    [(USED, None, 1), (USED, "a file", 1), (USED, None, 2), (MESSAGES, None, 1)],
    ids=["plain rows", "rows that end", "few rows", "rows with versions"],
)
def test_one_pass_takes_large_tables_whose_rows_stay_what_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, windows: Windows, ended: str | None, large: int
) -> None:
    monkeypatch.setattr(measured, "LARGE", large)
    (place,) = write(tmp_path, [[_use("a", NOON)]], PARIS)
    group = SimpleNamespace(windows=windows)
    definition: Any = SimpleNamespace(
        families=[SimpleNamespace(groups=[group])], lookbacks=SimpleNamespace(lookback_days=LOOKBACKS), zone=PARIS
    )
    store: Any = SimpleNamespace(place=Path)
    counted: Any = SimpleNamespace(table=windows.table, rows=SimpleNamespace(path=str(place)), ended=ended)
    found = measured.measured_tables(definition, store, [counted], tmp_path / "measured")
    plain = windows is USED and ended is None and large == 1
    assert list(found.windows) == (["usage"] if plain else [])


def test_where_nothing_compiles_all_is_left_to_the_expressions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pipelines.data.snapshots.landed_rows", None)
    ours = by_one_pass(tmp_path, write(tmp_path, [[_use("a", NOON)]], PARIS), PARIS)
    assert ours.take(DAYS[1], pa.chunked_array([["a"]])) == {}


def test_a_day_that_had_not_begun_is_left_to_the_expressions(tmp_path: Path) -> None:
    """As where rows landed by the midnights of another zone."""
    places = write(tmp_path, [[_use("a", datetime(2018, 3, 25, 21, 0))]], ZoneInfo("Pacific/Auckland"))
    ours = by_one_pass(tmp_path, places, PARIS)
    assert ours.take(DAYS[1], pa.chunked_array([["a"]])) == {}


def test_the_features_of_a_company_are_the_same_with_and_without_one_pass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From settings to bytes, of days said ahead and of one more."""
    simulate(tmp_path / "company", customers=150, months=12, seed=3)
    found = []
    for large in (10**9, 1):
        monkeypatch.setattr(measured, "LARGE", large)
        workspace = open_workspace(tmp_path / "company", now=datetime(2030, 1, 1, tzinfo=UTC))
        ingest(workspace.store, workspace.settings, today=workspace.today)
        snapshots = snapshots_of(workspace)
        assert snapshots.measured is not None
        assert ("usage" in snapshots.measured.windows) == (large == 1)
        ahead, one_more = [date(2023, 7, 3), date(2023, 7, 31)], date(2023, 8, 28)
        snapshots.prepare(ahead)
        files = [snapshots.at(day).file for day in (*ahead, one_more)]
        assert ("usage" in snapshots.measured.windows) == (large == 1)
        found.append([workspace.store.verified(file).read_bytes() for file in files])
        for file in files:
            delete_file(workspace.store, file.path)
    assert found[0] == found[1]
