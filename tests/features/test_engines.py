"""The same indicator expressions give the same figures on DuckDB, on PostgreSQL and on Spark."""

from __future__ import annotations

import gc
import random
import shutil
import warnings
from collections.abc import Callable, Iterator
from datetime import date
from functools import cache
from typing import Any

import ibis
import pandas as pd
import pyarrow as pa
import pytest

from features.asof import as_of
from features.catalog import Group
from features.outcomes import outcomes
from features.retention import first_days
from features.revenue import movements, payers, totals
from features.subscription_periods import Endings, known_paid, subscription_periods
from features.tables import TABLES
from features.training_set import families, part
from pipelines.foundation.storage.engine import open_engine
from tests.features.histories import random_world
from tests.features.world_case import LOOKBACKS, PARIS, SNAPSHOT, SPANS, landed
from tests.postgres_server import postgres_server

CUSTOMERS = [f"c{number}" for number in range(60)]
GROUPS = [group for family in families(TABLES, personal=True) for group in family.groups]
TOLERANCE = 1e-9

# Spark's bridge to Java leaves its sockets to the garbage collector.
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore:The copy keyword is deprecated"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(scope="module")
def view() -> dict[str, pa.Table]:
    rows = random_world(random.Random(20), list(TABLES), CUSTOMERS)
    tables = {name: landed(name, content) for name, content in rows.items()}
    return tables | {"everybody": pa.table({"customer_id": CUSTOMERS})}


@pytest.fixture(scope="module")
def duckdb(view: dict[str, pa.Table]) -> Any:
    return _filled(open_engine("duckdb"), view)


@pytest.fixture(scope="module")
def spark(view: dict[str, pa.Table], tmp_path_factory: pytest.TempPathFactory) -> Any:
    if shutil.which("java") is None:
        pytest.skip("needs Java: make java")
    pytest.importorskip("pyspark")
    # It lives for a minute: to compile for speed what runs once takes longer than to run it.
    monkeypatch = pytest.MonkeyPatch()
    monkeypatch.setenv("SPARK_SUBMIT_OPTS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")
    engine = open_engine("spark")
    monkeypatch.undo()
    # Sixty customers: to compile a query into Java, or to split it, takes longer than to run it.
    for setting, value in (("codegen.wholeStage", "false"), ("shuffle.partitions", "1"), ("adaptive.enabled", "false")):
        engine._session.conf.set(f"spark.sql.{setting}", value)
    import pyarrow.parquet as pq

    folder = tmp_path_factory.mktemp("spark")
    for name, rows in view.items():
        pq.write_table(rows, folder / f"{name}.parquet")
        engine.read_parquet(str(folder / f"{name}.parquet"), table_name=name)
    yield engine
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        engine._session.stop()
        gc.collect()


@pytest.fixture(scope="module")
def postgres(view: dict[str, pa.Table], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with postgres_server(tmp_path_factory.mktemp("postgres")) as port:
        engine = ibis.postgres.connect(host="127.0.0.1", port=port, user="tests", database="postgres")
        yield _filled(engine, view)
        engine.disconnect()


def _filled(engine: Any, view: dict[str, pa.Table]) -> Any:
    for name, rows in view.items():
        engine.create_table(name, rows)
    return engine


def _computed(engine: Any, group: Group) -> pd.DataFrame:
    tables = {name: engine.table(name) for name in TABLES}
    known = as_of(tables, SNAPSHOT, zone=PARIS)
    frame: pd.DataFrame = engine.to_pyarrow(part(group, known, engine.table("everybody"), SPANS)).to_pandas()
    return frame.set_index("customer_id").sort_index()


def _differences(left: pd.DataFrame, right: pd.DataFrame, group: Group) -> dict[str, Any]:
    found = {}
    texts = {each.name for each in group.indicators if each.unit == "category"}
    for name in group.columns(LOOKBACKS):
        if name in texts:
            same = left[name].fillna("").eq(right[name].fillna(""))
        else:
            one, other = (pd.to_numeric(frame[name]).astype("float64") for frame in (left, right))
            same = (one.isna() & other.isna()) | ((one - other).abs() <= TOLERANCE * (1 + one.abs()))
        if not same.all():
            found[name] = [(who, left[name][who], right[name][who]) for who in same.index[~same][:3]]
    return found


@pytest.fixture(scope="module")
def of_duckdb(duckdb: Any) -> Callable[[str], pd.DataFrame]:
    """What DuckDB gives of a group, by its first indicator: computed once, for both of the others."""
    groups = {group.indicators[0].name: group for group in GROUPS}
    return cache(lambda name: _computed(duckdb, groups[name]))


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.indicators[0].name)
def test_postgresql_gives_the_same_figures(
    group: Group, of_duckdb: Callable[[str], pd.DataFrame], postgres: Any
) -> None:
    assert _differences(of_duckdb(group.indicators[0].name), _computed(postgres, group), group) == {}


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.indicators[0].name)
def test_spark_gives_the_same_figures(group: Group, of_duckdb: Callable[[str], pd.DataFrame], spark: Any) -> None:
    assert _differences(of_duckdb(group.indicators[0].name), _computed(spark, group), group) == {}


@pytest.fixture(scope="module")
def contracts_of_duckdb(duckdb: Any) -> tuple[list[dict[str, Any]], ...]:
    return _of_contracts(duckdb)


@pytest.mark.parametrize("other", ["postgres", "spark"])
def test_revenue_and_outcomes_of_contracts_are_the_same(
    other: str, contracts_of_duckdb: tuple[list[dict[str, Any]], ...], request: pytest.FixtureRequest
) -> None:
    here, there = contracts_of_duckdb, _of_contracts(request.getfixturevalue(other))
    assert here == there
    assert [len(rows) > 2 for rows in here] == [True, True]


def _of_contracts(engine: Any) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """What moved between two midnights by plan, and the outcomes of the same days by customer."""
    tables = {name: engine.table(name) for name in TABLES}
    start, end, endings = date(2024, 2, 1), date(2024, 5, 1), Endings(grace_days=5)
    paid = subscription_periods(as_of(tables, SNAPSHOT, zone=PARIS), endings).cache()  # as the figures take it
    seen = []
    for since, day in ((start, start), (start, end)):
        found = payers(paid, as_of(tables, day, zone=PARIS), since=ibis.literal(since))
        seen.append(engine.to_pyarrow(found.mutate(seen_on=ibis.literal(day))))
    span = {"start_on": pa.array([start], pa.date32()), "end_on": pa.array([end], pa.date32())}
    moved = movements(
        ibis.memtable(pa.concat_tables(seen)), ibis.memtable(pa.table(span)), paid, first_days(known_paid(paid))
    )
    everybody = engine.table("everybody")
    known = outcomes(
        tables, everybody, start, by_contract=True, lead_days=0, horizon_days=90, complete_until=SNAPSHOT, zone=PARIS,
        endings=endings,
    )  # fmt: skip
    assert known is not None
    by_plan = engine.to_pyarrow(totals(moved.mutate(segment=moved.plan))).to_pylist()
    return (
        sorted(by_plan, key=lambda row: str(row["segment"])),
        sorted(engine.to_pyarrow(known).to_pylist(), key=lambda row: str(row["customer_id"])),
    )
