"""More than forty planted leaks of different kinds, and clean variants: what the audit finds, what it leaves alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
import pytest

from features import asof
from features.asof import AsOf, instant
from features.contract import Table, local_day
from features.tables import TABLES
from models import leaks
from pipelines.data.landing.ingest import ingest
from pipelines.data.snapshots import definitions
from pipelines.data.snapshots.definitions import Definition
from pipelines.data.snapshots.workspace_snapshots import snapshots_of
from pipelines.foundation.simulation.simulate import simulate
from pipelines.foundation.workspace import compiled_queries, kept_queries
from pipelines.foundation.workspace.workspace import Workspace, open_workspace
from pipelines.prediction.checks import audit, audit_clocks
from pipelines.prediction.checks.audit import time_travel
from pipelines.prediction.leaks.departures import departures
from pipelines.prediction.leaks.finding import Finding
from pipelines.prediction.leaks.first_values import first_values
from pipelines.prediction.leaks.leak_check import judged

NOW = datetime(2030, 1, 1, tzinfo=UTC)
LOOKBACKS = (30, 90)


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    folder: Path = tmp_path_factory.mktemp("simulated") / "company"
    simulate(folder, customers=1500, months=15, seed=4)
    workspace = open_workspace(folder, now=NOW)
    ingest(workspace.store, workspace.settings, today=workspace.today)
    return workspace


@pytest.fixture(scope="module")
def left(company: Workspace) -> pd.DataFrame:
    return departures(snapshots_of(company))


def with_tables(company: Workspace, **tables: ir.Table) -> Workspace:
    """The same workspace over other tables."""
    other = Workspace(company.root, company.settings, company.as_of, company.today)
    other.__dict__.update(tables={**company.tables, **tables}, store=company.store)
    other.__dict__.update(engine=company.engine, compiled=company.compiled)
    return other


# 1. Leaks in code: an as-of view that cuts time wrongly, for one table at a time

Cut = Callable[[ir.Table, Table, ir.TimestampScalar], ir.Table]


def inclusive_known(table: ir.Table, contract: Table, cut: ir.TimestampScalar) -> ir.Table:
    seen = table.filter(table.known_at <= cut, table[contract.happened_at] <= cut)
    return _masked(_versions(seen, contract), contract, cut)


def ignores_known_at(table: ir.Table, contract: Table, cut: ir.TimestampScalar) -> ir.Table:
    return _masked(_versions(table.filter(table[contract.happened_at] < cut), contract), contract, cut)


def no_cut(table: ir.Table, contract: Table, cut: ir.TimestampScalar) -> ir.Table:
    return _masked(_versions(table, contract), contract, cut)


def no_mask(table: ir.Table, contract: Table, cut: ir.TimestampScalar) -> ir.Table:
    return _versions(table.filter(table.known_at < cut, table[contract.happened_at] < cut), contract)


def end_of_day(table: ir.Table, contract: Table, cut: ir.TimestampScalar) -> ir.Table:
    return asof._known(table, contract, cut + ibis.interval(hours=24))


def utc_midnight(table: ir.Table, contract: Table, cut: ir.TimestampScalar) -> ir.Table:
    return asof._known(table, contract, cut + ibis.interval(hours=2))  # Paris is ahead: its midnight comes first


def newest_version_of_all(table: ir.Table, contract: Table, cut: ir.TimestampScalar) -> ir.Table:
    last = _versions(table, contract)
    return _masked(last.filter(last[contract.happened_at] < cut), contract, cut)


def _versions(table: ir.Table, contract: Table) -> ir.Table:
    if not contract.key:
        return table
    newest = ibis.row_number().over(
        group_by=contract.key, order_by=[table.known_at.desc(), table.landed_order.desc(), table.source_row.desc()]
    )
    table = table.mutate(version=newest)
    return table.filter(table.version == 0).drop("version")


def _masked(table: ir.Table, contract: Table, cut: ir.TimestampScalar) -> ir.Table:
    values: dict[str, ir.Value] = {}
    for column in contract.columns:
        if column.known_at:
            known = table[column.known_at] < cut
            names = [column.name, local_day(column.name)] if column.kind == "timestamp" else [column.name]
            values |= {name: known.ifelse(table[name], ibis.null(table[name].type())) for name in names}
    return table.mutate(**values)


IN_CODE: list[tuple[str, str, Cut]] = [
    ("orders", "purchases", inclusive_known),
    ("orders", "purchases", ignores_known_at),
    ("orders", "purchases", end_of_day),
    ("order_lines", "quality", no_mask),
    ("order_lines", "purchases", utc_midnight),
    ("content_views", "engagement", inclusive_known),
    ("content_views", "engagement", no_cut),
    ("support_contacts", "support", no_mask),
    ("support_contacts", "support", inclusive_known),
    ("support_contacts", "support", newest_version_of_all),
    ("invoices", "billing", no_mask),
    ("invoices", "billing", end_of_day),
    ("payments", "payment", ignores_known_at),
    ("payments", "payment", utc_midnight),
    ("payment_methods", "payment", no_mask),
    ("surveys", "satisfaction", no_mask),
    ("surveys", "satisfaction", ignores_known_at),
    ("usage", "usage", inclusive_known),
    ("usage", "usage", ignores_known_at),
    ("usage", "usage", utc_midnight),
    ("onboarding_steps", "usage", no_mask),
    ("messages", "messages", no_mask),
    ("messages", "messages", end_of_day),
    ("loyalty", "loyalty", no_cut),
    ("subscription_changes", "subscription", ignores_known_at),
    ("competitor_prices", "market", inclusive_known),
    ("incidents", "quality", end_of_day),
    ("customers", "profile", newest_version_of_all),
]


def travel(company: Workspace, monkeypatch: pytest.MonkeyPatch, family: str, leaky: Mapping[str, Cut]) -> list[Finding]:
    """Time travel at one snapshot over one family, with an as-of view that cuts some tables otherwise."""

    def view(tables: Mapping[str, ir.Table], day: date, moment: datetime) -> AsOf:
        cut = ibis.literal(moment, type="timestamp(6)")
        return AsOf(
            ibis.literal(day),
            {name: leaky.get(name, asof._known)(table, TABLES[name], cut) for name, table in tables.items()},
        )

    def view_of_day(tables: Mapping[str, ir.Table], day: date, *, zone: ZoneInfo, pause_pauses_mrr: bool) -> AsOf:
        return view(tables, day, instant(day, zone=zone))

    only = [each for each in snapshots_of(company).definition.families if each.name == family]
    monkeypatch.setattr(definitions, "as_of", view_of_day)
    # Queries of a right cut are not those of a wrong one, and no other test may read these.
    monkeypatch.setattr(compiled_queries, "TRANSLATED", {})
    monkeypatch.setattr(kept_queries, "read", lambda _: None)
    monkeypatch.setattr(kept_queries, "write", lambda *_: None)
    monkeypatch.setattr(Definition, "families", only)
    day = company.calendar.training_days(company.as_of)[-1]
    # What leaks, and what the family needs: to change the other tables takes most of the time.
    needed = {name for group in only[0].groups for need in group.needs for name in need.split("|")}
    wanted = needed | leaky.keys() | {"subscriptions"}
    read = {name: table for name, table in company.tables.items() if name in wanted}
    return list(time_travel(snapshots_of(shortened(company, read)), [day]))


def shortened(company: Workspace, tables: Mapping[str, ir.Table]) -> Workspace:
    """The same workspace with fewer lookbacks, over some tables."""
    other = Workspace(
        company.root, company.settings.model_copy(update={"lookback_days": LOOKBACKS}), company.as_of, company.today
    )
    vars(other).update(tables=dict(tables), engine=company.engine, store=company.store)
    return other


@pytest.fixture(scope="module")
def right_cut(company: Workspace) -> list[Finding]:
    """Time travel over every family and every table as they are."""
    return list(
        time_travel(
            snapshots_of(shortened(company, company.tables)), [company.calendar.training_days(company.as_of)[-1]]
        )
    )


@pytest.mark.parametrize(("table", "family", "cut"), IN_CODE, ids=lambda each: getattr(each, "__name__", each))
def test_a_wrong_cut_of_time_is_found(
    company: Workspace, monkeypatch: pytest.MonkeyPatch, table: str, family: str, cut: Cut
) -> None:
    found = travel(company, monkeypatch, family, {table: cut})
    assert found
    assert {each.check for each in found} == {"time_travel"}


@pytest.mark.parametrize("family", sorted({family for _, family, _ in IN_CODE}))
def test_the_right_cut_raises_no_alarm(company: Workspace, right_cut: list[Finding], family: str) -> None:
    mine = {
        name
        for each in snapshots_of(company).definition.families
        if each.name == family
        for name in each.columns(LOOKBACKS)
    }
    assert mine
    assert [each for each in right_cut if each.column in {*mine, "customer_id"}] == []


# 2. Leaks in data: values as of today

Plant = Callable[[ir.Table, ir.BooleanColumn, ir.IntegerColumn], dict[str, ir.Value]]

IN_DATA: dict[str, tuple[str, Plant]] = {
    "status equal to the outcome": ("customers", lambda t, gone, life: {"value_tier": gone.ifelse("lost", "active")}),
    "status over half of the departed": (
        "customers",
        lambda t, gone, life: {"acquisition_channel": (gone & (life % 2 == 0)).ifelse("lost", t.acquisition_channel)},
    ),
    "filled for the departed only": (
        "customers",
        lambda t, gone, life: {"gender": gone.ifelse("x", ibis.null("string"))},
    ),
    "filled for some of the departed only": (
        "customers",
        lambda t, gone, life: {"gender": (gone & (life % 3 > 0)).ifelse("x", ibis.null("string"))},
    ),
    "emptied for the departed": (
        "customers",
        lambda t, gone, life: {"country": gone.ifelse(ibis.null("string"), t.country)},
    ),
    "today's automatic renewal": ("subscriptions", lambda t, gone, life: {"auto_renew": ~gone}),
    "today's plan": ("subscriptions", lambda t, gone, life: {"plan": gone.ifelse("none", t.plan)}),
    "today's revenue": ("subscriptions", lambda t, gone, life: {"mrr": gone.ifelse(0, t.mrr).cast("decimal(18, 4)")}),
    "today's seats": ("subscriptions", lambda t, gone, life: {"seats": gone.ifelse(0, t.seats)}),
    "a counter up to today": ("subscriptions", lambda t, gone, life: {"seats": life + t.seats}),
    "money up to today": ("subscriptions", lambda t, gone, life: {"mrr": (life * 3 + 5).cast("decimal(18, 4)")}),
    "a default that is taken away": ("payment_methods", lambda t, gone, life: {"is_default": ~gone}),
}


def planted(company: Workspace, table: str, plant: Plant, left: pd.DataFrame) -> Workspace:
    """The workspace with columns of a table changed by who will have left, and by how long they will have stayed."""
    life = (left["until"] - left["started"]).clip(lower=0).astype("int64")
    truth = ibis.memtable(pd.DataFrame({"who": left.index, "gone": left["left"].to_numpy(), "life": life.to_numpy()}))
    rows = company.tables[table]
    joined = rows.left_join(truth, rows.customer_id == truth.who)
    joined = joined.mutate(gone=ibis.coalesce(joined.gone, True), life=joined.life.fill_null(0))
    changed = joined.mutate(**plant(joined, joined.gone, joined.life)).select(*rows.columns)
    return with_tables(company, **{table: changed})


def of_today(company: Workspace, table: str, left: pd.DataFrame) -> list[Finding]:
    values = first_values(snapshots_of(company), table, left)
    assert values is not None
    return judged([values])[0]


@pytest.mark.parametrize("kind", IN_DATA)
def test_a_value_as_of_today_is_found(company: Workspace, left: pd.DataFrame, kind: str) -> None:
    table, plant = IN_DATA[kind]
    found = of_today(planted(company, table, plant, left), table, left)
    assert found, kind
    assert {each.table for each in found} == {table}


CUSTOMER_TABLES = [name for name, table in TABLES.items() if "customer_id" in [column.name for column in table.columns]]


@pytest.mark.parametrize("table", CUSTOMER_TABLES)
def test_what_was_known_at_its_time_raises_no_alarm(company: Workspace, left: pd.DataFrame, table: str) -> None:
    assert of_today(company, table, left) == []


@pytest.mark.parametrize("seed", range(6))
def test_values_that_have_nothing_to_do_with_leaving_raise_no_alarm(
    company: Workspace, left: pd.DataFrame, seed: int
) -> None:
    shuffled = left.sample(frac=1.0, random_state=seed).set_index(left.index)
    for kind in ("status equal to the outcome", "a counter up to today"):
        table, plant = IN_DATA[kind]
        assert of_today(planted(company, table, plant, shuffled), table, left) == []


# 3. Clocks that cannot be right


def _clock_findings(company: Workspace, **tables: ir.Table) -> list[Finding]:
    changed = with_tables(company, **tables)
    found = audit_clocks.impossible(
        changed.tables,
        company.engine,
        coverages=changed.coverages,
        of_outcomes=changed.outcome_coverages,
        today=changed.today,
    )
    return list(found)


def test_clocks_as_they_are_raise_no_alarm(company: Workspace) -> None:
    assert _clock_findings(company) == []


def test_a_source_in_another_time_zone_is_found_by_the_rows_that_belong_together(company: Workspace) -> None:
    lines, payments = company.tables["order_lines"], company.tables["payments"]
    shifted = lines.mutate(ordered_at=lines.ordered_at + ibis.interval(hours=2))
    assert [each.table for each in _clock_findings(company, order_lines=shifted)] == ["order_lines"]
    early = payments.mutate(attempted_at=payments.attempted_at - ibis.interval(hours=72))
    assert [each.table for each in _clock_findings(company, payments=early)] == ["payments"]


def test_a_value_known_before_its_row_happened_is_found(company: Workspace) -> None:
    contacts = company.tables["support_contacts"]
    slipped = contacts.mutate(first_response_at=contacts.first_response_at - ibis.interval(hours=2))
    (found, *_) = _clock_findings(company, support_contacts=slipped)
    assert (found.table, found.column) == ("support_contacts", "first_response_at")
    assert "lies before opened_at" in found.evidence
    assert "time_zone" in found.remedy


# 4. Columns that are too strong alone


def test_a_copy_of_the_outcome_is_found_and_honest_columns_are_not() -> None:
    chance = np.random.default_rng(1)
    labels = (chance.random(2000) < 0.2).astype(np.float64)
    frame = pd.DataFrame(
        {
            "copy": labels,
            "blurred copy": labels + chance.normal(0, 0.3, 2000),
            "empty for those who left": np.where(labels == 1, np.nan, 1.0),
            "word for word": pd.Series(np.where(labels == 1, "left", "stayed"), dtype=object),
            "honest": labels + chance.normal(0, 1.2, 2000),
            "noise": chance.normal(0, 1, 2000),
        }
    )
    found = [each.column for each in leaks.strong_alone(frame, labels)]
    assert found == ["copy", "blurred copy", "empty for those who left", "word for word"]


def test_the_departed_are_counted_from_when_they_left_for_good(company: Workspace, left: pd.DataFrame) -> None:
    ends = company.engine.to_pyarrow(company.tables["subscriptions"].select("customer_id", "ended_on")).to_pandas()
    ended = ends[~ends["customer_id"].isin(ends[ends["ended_on"].isna()]["customer_id"])]
    gone = set(ended["customer_id"])
    assert set(left.index[left["left"]]) <= gone
    assert left["left"].mean() > 0.2
    last = ended.groupby("customer_id")["ended_on"].max()
    told = left.loc[left["left"], "until"]
    assert told.tolist() == [last[who].toordinal() for who in told.index]
    assert (left.loc[~left["left"], "until"] == company.calendar.covered_until.toordinal()).all()
    assert audit.audit_days(company.calendar)


# 5. What is said


def said(**changed: object) -> list[str]:
    checked = {"snapshots": [], "indicators": 9, "columns": 4, "customers": 1200, "departures": 300}
    return audit.in_words({"checked": checked, "findings": [], "notes": [], "untold": []} | changed)


def test_where_nothing_is_found_it_is_said_what_was_looked_at() -> None:
    (told,) = said()
    assert told == (
        "nothing found: 9 indicator columns do not move with what comes later, and 4 columns of tables do not tell who "
        "leaves later (300 departures of 1,200 customers)"
    )


def test_no_more_is_claimed_than_could_be_told() -> None:
    first, reason = said(untold=["2 of 90 customers left"])
    assert first.endswith("of values that were written later not everything could be told")
    assert reason == "could not be told: 2 of 90 customers left"


def test_a_finding_is_said_with_its_remedy_and_notes_follow() -> None:
    finding = {
        "check": "foretells",
        "table": "customers",
        "column": "note",
        "evidence": "it tells",
        "remedy": "mend it",
    }
    assert said(findings=[finding], notes=["note: it fades"]) == [
        "foretells: customers.note: it tells. Remedy: mend it",
        "note: it fades",
    ]
