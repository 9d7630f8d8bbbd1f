"""The features of a day: named by all that they are made of, and the same however their queries are run."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.catalog import Lookbacks
from features.cohort import Cohort
from features.training_set import snapshot
from pipelines.data.landing.ingest import ingest
from pipelines.data.snapshots.definitions import Definition
from pipelines.data.snapshots.features import BY, FeatureInputs, features
from pipelines.data.snapshots.workspace_snapshots import snapshots_of
from pipelines.foundation.own_indicators.own_file import OwnFile
from pipelines.foundation.settings.settings import Settings
from pipelines.foundation.storage import fingerprint
from pipelines.foundation.storage.engine import open_engine
from pipelines.foundation.storage.parts import Parts
from pipelines.foundation.storage.shared_place import SharedPlace
from pipelines.foundation.workspace.compiled_queries import CompiledQueries
from pipelines.foundation.workspace.workspace import Workspace
from tests.features.world_case import PARIS, fact, order
from tests.pipelines.data.snapshots.snapshot_case import tables_of
from tests.pipelines.shop_case import SETTINGS, make_shop

DEFINITION = Definition(
    cohort=Cohort(kind="ordered_within", active_days=90),
    lookbacks=Lookbacks(lookback_days=(30, 90), horizon_days=60),
    time_zone="Europe/Paris",
    tables=("orders",),
    personal=False,
    pause_pauses_mrr=True,
)
OWN = OwnFile(name="my_indicators.py", sha256="a" * 64, runs_on="ibis", families=())
INPUTS = FeatureInputs(day=date(2024, 7, 1), definition=DEFINITION, landed=("a", "b"), refusals="")
ORDERS = [
    order("A", "2024-01-10 12:00", 10),
    order("A", "2024-03-10 12:00", 30),
    order("B", "2024-03-31 23:30", 20),
    order("C", "2024-01-31 12:00", 20),
    order("C", "2024-02-01 12:00", -20),
]
DAYS = (date(2024, 3, 1), date(2024, 3, 31), date(2024, 4, 1))

# Names

PARTS: dict[str, list[Any]] = {
    "cohort": [Cohort(kind="ordered_within", active_days=91), Cohort(kind="ever_ordered", active_days=90)],
    "lookbacks": [Lookbacks(lookback_days=(30,), horizon_days=60), Lookbacks(lookback_days=(30, 90), horizon_days=61)],
    "time_zone": ["UTC"],
    "tables": [("order_lines", "orders")],
    "personal": [True],
    "pause_pauses_mrr": [False],
    "own": [(OWN,), (replace(OWN, sha256="b" * 64),), (replace(OWN, runs_on="other"),)],
}


def test_every_part_of_a_definition_is_tried() -> None:
    assert set(PARTS) == {field.name for field in fields(Definition)}
    assert {field.name for field in fields(FeatureInputs)} == {"day", "definition", "landed", "refusals", "stopped"}


def test_another_day_is_another_name_though_the_same_files_are_known() -> None:
    """A model of later snapshots of the same data would otherwise pass for the one of before."""
    assert replace(INPUTS, day=date(2024, 7, 2)).key != INPUTS.key


@pytest.mark.parametrize(("part", "other"), [(part, other) for part, others in PARTS.items() for other in others])
def test_another_definition_is_another_name(part: str, other: Any) -> None:
    changed: dict[str, Any] = {part: other}
    assert replace(INPUTS, definition=replace(DEFINITION, **changed)).key != INPUTS.key


def test_other_files_or_refusals_are_another_name_and_equal_inputs_are_the_same() -> None:
    others = [replace(INPUTS, landed=("a",)), replace(INPUTS, landed=("b", "a")), replace(INPUTS, refusals="x")]
    others += [replace(INPUTS, stopped=("usage",))]
    assert len({each.key for each in (INPUTS, *others)}) == 5
    again = FeatureInputs(
        day=date(2024, 7, 1),
        definition=replace(DEFINITION, cohort=Cohort(**vars(DEFINITION.cohort))),
        landed=("a", "b"),
        refusals="",
    )
    assert again.key == INPUTS.key


def test_without_own_indicators_names_are_those_of_before_there_could_be_any() -> None:
    """What was stored before stays valid: an empty field that came later is in no name."""

    @dataclass(frozen=True, kw_only=True)
    class Before:
        cohort: Cohort
        lookbacks: Lookbacks
        time_zone: str
        tables: tuple[str, ...]
        personal: bool
        pause_pauses_mrr: bool

    then = Before(**{field.name: getattr(DEFINITION, field.name) for field in fields(Before)})
    Before.__name__ = "Definition"
    assert fingerprint.fingerprint(DEFINITION) == fingerprint.fingerprint(then) == "cab734ac9133827b"
    assert fingerprint.fingerprint(replace(DEFINITION, own=(OWN,))) != fingerprint.fingerprint(then)
    # Nor is anything of theirs among the code that computes a snapshot.
    assert not [name for name in fingerprint._with_all_imported(BY) if "own" in name.split(".")[-2:]]


def test_other_code_is_another_name(monkeypatch: pytest.MonkeyPatch) -> None:
    before = INPUTS.key
    monkeypatch.setattr(fingerprint, "code_version", lambda *makers: f"another of {makers}")
    assert INPUTS.key != before


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shop with an order a month."""
    rows = [(f"F{month}", "C-1", f"05/{month:02}/2024", "10,00") for month in range(1, 13)]
    folder = make_shop(tmp_path_factory.mktemp("named") / "shop", rows=rows)
    workspace = Workspace(folder, SETTINGS, date(2025, 6, 1), date(2026, 1, 5))
    ingest(workspace.store, workspace.settings, today=workspace.today)
    return folder


def names_of(folder: Path, settings: Settings, *, as_of: date = date(2025, 6, 1)) -> tuple[str, str]:
    found = snapshots_of(Workspace(folder, settings, as_of, date(2026, 1, 5))).at(date(2024, 12, 2))
    outcomes = found.outcome_inputs
    assert outcomes is not None
    return found.inputs.key, outcomes.key


@pytest.mark.parametrize(
    ("section", "changes", "features_change", "outcomes_change"),
    [
        ("training", {"seed": 8, "start_model": False, "min_positives": 1}, False, False),
        ("backtest", {"folds": 1, "every_days": 7, "embargo_days": 3}, False, False),
        ("snapshots", {"every_days": 7, "at_most": 3, "min_history_days": 1}, False, False),
        ("bands", {"high": 0.9}, False, False),
        ("retention", {"contact_cost": 7.0}, False, False),
        ("contracts", {"grace_days": 3, "price_rise_is_expansion": True}, False, False),  # nobody is bound by one
        ("cohort", {"active_days": 364}, True, True),
        ("outcome", {"horizon_days": 59}, True, True),  # some indicators look as far ahead
        ("outcome", {"lead_days": 1, "horizon_days": 59}, False, True),
    ],
)
def test_settings_that_they_are_not_made_of_change_no_name(
    shop: Path, section: str, changes: dict[str, Any], *, features_change: bool, outcomes_change: bool
) -> None:
    changed = SETTINGS.model_copy(update={section: getattr(SETTINGS, section).model_copy(update=changes)})
    before, after = names_of(shop, SETTINGS), names_of(shop, changed)
    assert (after[0] != before[0], after[1] != before[1]) == (features_change, outcomes_change)


def test_the_day_that_scoring_looks_from_changes_no_name(shop: Path) -> None:
    assert names_of(shop, SETTINGS, as_of=date(2025, 5, 1)) == names_of(shop, SETTINGS)
    shorter = SETTINGS.model_copy(update={"lookback_days": (30,)})
    assert names_of(shop, shorter)[0] != names_of(shop, SETTINGS)[0]
    assert names_of(shop, shorter)[1] == names_of(shop, SETTINGS)[1]


# Rows


@pytest.mark.parametrize("day", DAYS)
def test_features_with_and_without_compiled_queries_are_those_of_the_snapshot(day: date) -> None:
    compiled = CompiledQueries(open_engine("duckdb"), PARIS)
    tables = tables_of(compiled, orders=ORDERS)
    plain = pa.concat_tables(features(DEFINITION, tables, day, compiled.engine))
    filled = pa.concat_tables(features(DEFINITION, tables, day, compiled.engine, compiled=compiled))
    assert filled.equals(plain)
    expression = snapshot(
        tables,
        day,
        at_risk=DEFINITION.cohort,
        lookbacks=DEFINITION.lookbacks,
        zone=PARIS,
        families=DEFINITION.families,
    )
    whole = compiled.engine.to_pyarrow(expression)
    assert plain.to_pylist() == whole.to_pylist()
    assert plain.column_names == ["customer_id", *DEFINITION.columns]


@dataclass
class OnFiles:
    """Stands in for a cluster, which is tested elsewhere: results are written in files of two customers each."""

    duckdb: Any
    shared: SharedPlace
    name: str = "pyspark"

    def to_pyarrow(self, rows: Any) -> pa.Table:
        return self.duckdb.to_pyarrow(rows)

    def written(self, rows: Any, name: str) -> Parts:
        table = self.duckdb.to_pyarrow(rows.order_by(rows.columns[0]))
        place = Path(self.shared.address(name))
        place.mkdir(parents=True)
        for first in range(0, len(table), 2):
            pq.write_table(table.slice(first, 2), place / f"{len(table) - first}.parquet")
        return Parts(
            partial(self.shared.files, name), table.schema, lambda: self.duckdb.read_parquet(f"{place}/*.parquet")
        )


@pytest.mark.parametrize("day", DAYS)
def test_what_workers_write_is_what_one_machine_computes(day: date, tmp_path: Path) -> None:
    compiled = CompiledQueries(open_engine("duckdb"), PARIS)
    tables = tables_of(compiled, orders=ORDERS)
    plain = pa.concat_tables(features(DEFINITION, tables, day, compiled.engine))
    workers = OnFiles(compiled.engine, SharedPlace.of(str(tmp_path)))
    assert pa.concat_tables(features(DEFINITION, tables, day, workers)).equals(plain)
    assert list(tmp_path.glob("attrition-parts/*")) == []


def test_a_row_per_customer_at_risk_on_that_day_sorted() -> None:
    compiled = CompiledQueries(open_engine("duckdb"), PARIS)
    tables = tables_of(compiled, orders=ORDERS)
    found = {
        day: next(features(DEFINITION, tables, day, compiled.engine, compiled=compiled))["customer_id"].to_pylist()
        for day in DAYS
    }
    assert found == {
        DAYS[0]: ["A", "C"],
        DAYS[1]: ["A", "C"],  # B orders on that day
        DAYS[2]: ["A", "B", "C"],
    }


def test_text_is_text_and_everything_else_is_a_number() -> None:
    compiled = CompiledQueries(open_engine("duckdb"), PARIS)
    rows = [fact("A", signed_up_at="2024-01-01", country="FR")]
    tables = tables_of(compiled, orders=ORDERS, customers=rows)
    definition = replace(DEFINITION, tables=("customers", "orders"))
    found = pa.concat_tables(features(definition, tables, DAYS[2], compiled.engine))
    assert [field.name for field in found.schema if pa.types.is_string(field.type)] == [
        "customer_id",
        *definition.categories,
    ]
