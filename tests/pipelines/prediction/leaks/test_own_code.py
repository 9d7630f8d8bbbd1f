"""Leaks planted in own indicators: refused as they are computed, or found by the check; honest ones raise no alarm."""

from __future__ import annotations

import random
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.asof import as_of
from features.catalog import Group
from features.cohort import Cohort, cohort
from features.errors import SettingsError
from features.tables import TABLES
from features.training_set import FAMILIES
from pipelines.data.landing.ingest import ingest
from pipelines.data.snapshots.workspace_snapshots import snapshots_of
from pipelines.foundation.own_indicators import load
from pipelines.foundation.own_indicators.expression import foreign
from pipelines.foundation.own_indicators.own_file import families_of
from pipelines.foundation.own_indicators.rules import empty_view
from pipelines.foundation.workspace.workspace import Workspace
from pipelines.prediction.checks.audit import time_travel
from pipelines.prediction.leaks.doubts import doubts
from pipelines.prediction.leaks.own_code import Made, own_findings
from tests.features.histories import changed_world, random_world
from tests.features.test_no_look_ahead import CUSTOMERS, EVERYBODY, as_bytes
from tests.features.world_case import PARIS, SNAPSHOT, SPANS, Engine, landed
from tests.pipelines.foundation.own_indicators.own_case import TODAY, example, own_workspace
from tests.pipelines.shop_case import AS_OF, SETTINGS, make_shop, orders

DAY = date(2024, 12, 2)
READ = '    orders = view["orders"]\n'
COUNTED = "within(age, days) & weekend"  # what the honest example counts
ID = "orders.customer_id"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = make_shop(tmp_path_factory.mktemp("own") / "shop", rows=orders())
    workspace = Workspace(folder, SETTINGS, AS_OF, TODAY)
    ingest(workspace.store, workspace.settings, today=workspace.today)
    return folder


def planted(*, first: str = "", read: str = "", counted: str = COUNTED, body: str = "") -> str:
    """The honest file with something else at its top, after it reads the view, in what it counts, or as its rows."""
    text = example().replace(
        "import ibis.expr.types as ir\n", f"{first}\nimport ibis\nimport ibis.expr.types as ir\n", 1
    )
    return text.replace(READ, f"{body or READ}{read}").replace(COUNTED, counted)


def found(root: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> set[str]:
    snapshots = snapshots_of(own_workspace(root, text, monkeypatch))
    return {each.check for each in own_findings(snapshots, DAY)}


# What takes rows from elsewhere never gets as far as a snapshot

LANDED = "next(pathlib.Path({root!r}).glob('landed/**/*.parquet'))"

REFUSED: dict[str, tuple[dict[str, str], str]] = {
    "rows of its own: a table of who left": (
        {"read": "    orders = orders.semi_join(ibis.memtable({'customer_id': ['C-0001']}), 'customer_id')\n"},
        "takes rows that are not of this day's as-of view",
    ),
    "the landed file, read with pyarrow": (
        {
            "first": "import pathlib\nimport pyarrow.parquet as pq",
            "read": f"    later = ibis.memtable(pq.read_table({LANDED}))\n"
            "    orders = orders.semi_join(later, 'customer_id')\n",
        },
        "takes rows that are not of this day's as-of view",
    ),
    "the landed file, read with the engine": (
        {
            "first": "import pathlib",
            "read": f"    later = ibis.read_parquet({LANDED})\n    orders = orders.semi_join(later, 'customer_id')\n",
        },
        "takes rows that are not of this day's as-of view",
    ),
    "what lies below the view, not cut yet": (
        {
            "body": "    below = view['orders'].op()\n    while below.__children__ and hasattr(below, 'parent'):\n"
            "        below = below.parent\n    orders = below.to_expr()\n",
        },
        "takes rows that are not of this day's as-of view",
    ),
    "the view of another day, remembered": (
        {
            "first": "SEEN = []",
            "body": "    SEEN.append(view)\n    orders = SEEN[-2 if len(SEEN) > 1 else -1]['orders']\n",
        },
        "takes rows that are not of this day's as-of view",
    ),
    "when a row ended, which the view does not hand on": (
        {"read": "    orders = orders.filter(orders.known_until.isnull())\n"},
        "stopped at line",
    ),
    "the clock of the engine": ({"counted": f"{COUNTED} & (orders.ordered_at < ibis.now())"}, "compute asks the clock"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_does_not_come_from_the_view_of_the_day_is_refused(
    root: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    parts, said = REFUSED[kind]
    text = planted(**{name: each.replace("{root!r}", repr(str(root))) for name, each in parts.items()})
    with pytest.raises(SettingsError) as refused:
        own_findings(snapshots_of(own_workspace(root, text, monkeypatch)), DAY)
    assert said in str(refused.value)


# What stands in the text, or was written into the expression, is found

FOUND: dict[str, tuple[dict[str, str], set[str]]] = {
    "today, by Python's clock": (
        {"first": "import datetime", "counted": f"{COUNTED} & (orders.ordered_on < datetime.date.today())"},
        {"reaches_outside", "fixed_day"},
    ),
    "a dictionary of who left": (
        {"counted": f"{COUNTED} & ibis.cases(({ID} == 'C-0001', True), ({ID} == 'C-0002', True), else_=False)"},
        {"reads_ids"},
    ),
    "a list of who left": ({"counted": f"{COUNTED} & {ID}.isin(['C-0001', 'C-0002'])"}, {"reads_ids"}),
    "a map of who left": (
        {"counted": f"{COUNTED} & (ibis.map({{'C-0001': 1, 'C-0002': 1}}).get({ID}, 0) == 1)"},
        {"reads_ids"},
    ),
    "the same under another name": (
        {
            "read": "    orders = orders.mutate(who=orders.customer_id.upper().strip())\n",
            "counted": f"{COUNTED} & orders.who.isin(['C-0001', 'C-0002'])",
        },
        {"reads_ids"},
    ),
    "a part of the id": ({"counted": f"{COUNTED} & ({ID}.substr(0, 3) == 'C-0')"}, {"reads_ids"}),
    "ids out of the landed file": (
        {
            "first": "import pathlib\nimport pyarrow.parquet as pq",
            "read": f"    later = pq.read_table({LANDED})['customer_id'].to_pylist()[:20]\n",
            "counted": f"{COUNTED} & {ID}.isin(later)",
        },
        {"reaches_outside", "reads_ids"},
    ),
    "how many rows a file has, opened by its path": (
        {
            "read": "    with open({csv!r}, 'rb') as file:\n        rows = len(file.read())\n",
            "counted": f"{COUNTED} & (age < rows)",
        },
        {"reaches_outside"},
    ),
    "a day to come": ({"counted": f"{COUNTED} & (orders.ordered_on < ibis.date(2025, 3, 1))"}, {"fixed_day"}),
    "a day to come, as text": (
        {"counted": f"{COUNTED} & (orders.ordered_on < ibis.literal('2025-03-01').cast('date'))"},
        {"fixed_day"},
    ),
    "another answer each time": (
        {"first": "SEEN = []", "read": "    SEEN.append(1)\n", "counted": f"{COUNTED} & (age < len(SEEN) + 300)"},
        {"changes"},
    ),
    "another engine": ({"first": "import duckdb"}, {"reaches_outside"}),
    "a clock by a name of its own": (
        {"first": "from datetime import date as day", "counted": f"{COUNTED} & (orders.ordered_on < day.today())"},
        {"reaches_outside", "fixed_day"},
    ),
}


@pytest.mark.parametrize("kind", FOUND)
def test_a_leak_in_the_text_or_in_the_expression_is_found(
    root: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    parts, checks = FOUND[kind]
    places = {"{root!r}": repr(str(root)), "{csv!r}": repr(str(root / "commandes-1.csv"))}
    for old, new in places.items():
        parts = {name: each.replace(old, new) for name, each in parts.items()}
    assert found(root, planted(**parts), monkeypatch) == checks


HONEST: dict[str, dict[str, str]] = {
    "as the page has it": {},
    "a day that was over before the first snapshot": {
        "counted": f"{COUNTED} & (orders.ordered_on > ibis.date(2024, 3, 1))"
    },
    "a span that reaches beyond the day": {"counted": f"{COUNTED} & (orders.ordered_on < view.days_before(-30))"},
    "orders that are compared with others of the customer": {
        "read": "    orders = orders.mutate(n=ibis.row_number().over(group_by='customer_id', order_by='ordered_at'))\n",
        "counted": f"{COUNTED} & (orders.n > 0)",
    },
}


@pytest.mark.parametrize("kind", HONEST)
def test_an_honest_file_raises_no_alarm_and_no_column_of_it_moves(
    root: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    snapshots = snapshots_of(own_workspace(root, planted(**HONEST[kind]), monkeypatch))
    assert own_findings(snapshots, DAY) == []
    assert list(time_travel(snapshots, [DAY])) == []


def test_the_cut_of_time_is_tried_on_own_columns_as_on_ours(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Were what lies below the view not refused, its columns would be seen to move."""
    monkeypatch.setattr(load, "foreign", lambda *_: [])
    text = planted(**REFUSED["what lies below the view, not cut yet"][0])
    moved = {each.column for each in time_travel(snapshots_of(own_workspace(root, text, monkeypatch)), [DAY])}
    assert moved == {"weekend_order_share_30d", "weekend_order_share_90d"}


def test_a_leak_in_own_code_stops_promotion_unless_the_column_is_trusted(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = planted(counted=f"{COUNTED} & {ID}.isin(['C-0001'])")
    snapshots = snapshots_of(own_workspace(root, text, monkeypatch))
    told = doubts(snapshots, ())
    assert told.names == ("weekend_order_share_30d",)
    assert told.verdict is not None
    assert (
        "my_indicators.py, weekend_order_share_30d and the other columns of its group: it reads something"
        in told.in_words
    )
    assert doubts(snapshots, ("weekend_order_share_30d",)).verdict is None
    assert doubts(snapshots_of(own_workspace(root, example(), monkeypatch)), ()).names == ()


def test_nothing_known_later_moves_an_honest_own_family_by_a_bit(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The property of every family of ours, on random histories and random futures."""
    (family,) = families_of(own_workspace(root, example(), monkeypatch, settings=SETTINGS.model_copy(
        update={"lookback_days": SPANS.lookback_days})).own_files)  # fmt: skip
    engine = Engine("orders", families=[family], customers=True)

    @settings(max_examples=10)
    @given(seed=st.integers(0, 2**32))
    def changes_nothing(seed: int) -> None:
        source = random.Random(seed)
        world = random_world(source, ["orders"], CUSTOMERS)
        before, after = (
            engine.run(everybody=EVERYBODY, **{name: landed(name, rows) for name, rows in each.items()})
            for each in (world, changed_world(source, world, CUSTOMERS))
        )
        assert as_bytes(before) == as_bytes(after)

    changes_nothing()


@pytest.mark.parametrize(
    "group", [group for family in FAMILIES for group in family.groups], ids=lambda group: group.indicators[0].name
)
def test_our_own_catalog_would_raise_no_alarm(group: Group) -> None:
    """What is asked of own indicators is what ours do."""

    def made(day: date) -> Made:
        view = as_of(empty_view(tuple(TABLES)), day, zone=PARIS)
        customers = cohort(view, Cohort(kind="ever_ordered"))
        return Made(group.computed(view, customers, SPANS), view, customers)

    one = made(SNAPSHOT)
    assert foreign(one.found, one.view, one.customers) == []
    assert not one.reads_ids()
    assert not [day for day in one.days() & made(date(2020, 2, 3)).days() if day >= date(2020, 2, 3)]
    assert one.found.op() == made(SNAPSHOT).found.op()
