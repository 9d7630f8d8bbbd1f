"""A workspace's days: the one it looks from, the one of the run, and those of its data."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from features.errors import DataError, SettingsError
from pipelines.data.landing.ingest import ingest
from pipelines.foundation.settings.dialect import Dialect
from pipelines.foundation.settings.settings import Cohort, Contracts, Outcome, Settings, Snapshots, Training
from pipelines.foundation.settings.sources import FileSource, Source
from pipelines.foundation.settings.template import render
from pipelines.foundation.workspace.calendar import Calendar, Grid
from pipelines.foundation.workspace.workspace import Workspace, open_workspace
from tests.pipelines.foundation.own_indicators.own_case import confirm, example
from tests.pipelines.foundation.settings.test_plays import PLAY

NOON = datetime(2024, 7, 1, 12, tzinfo=UTC)
MOMENTS = Dialect(date_format="%Y-%m-%d %H:%M", time_zone="UTC")


def source(table: str, *columns: str) -> Source:
    return FileSource(table=table, path=f"{table}.csv", columns={name: name for name in columns}, dialect=MOMENTS)


ORDERS = source("orders", "order_id", "customer_id", "ordered_at", "amount")
LINES = source("order_lines", "order_id", "customer_id", "ordered_at", "quantity", "unit_price")
SUBSCRIPTIONS = source("subscriptions", "subscription_id", "customer_id", "started_at", "plan", "mrr")
CONTACTS = source("support_contacts", "contact_id", "customer_id", "opened_at")
SHOP = Settings(time_zone="Europe/Paris", currency="EUR", sources=(ORDERS,))
CLUB = Settings(
    time_zone="Europe/Paris",
    currency="EUR",
    sources=(SUBSCRIPTIONS, CONTACTS),
    cohort=Cohort(kind="subscribed"),
    outcome=Outcome(kind="churn"),
)


def made(folder: Path, settings: Settings, **files: Sequence[str]) -> Path:
    """A workspace with literal files, a line per row, of the columns that the settings name."""
    folder.mkdir(exist_ok=True)
    (folder / "attrition.toml").write_text(render(settings), encoding="utf-8")
    for each in settings.sources:
        if isinstance(each, FileSource) and each.table in files:
            text = "\n".join([",".join(each.columns), *files[each.table]])
            (folder / each.path).write_text(text + "\n", encoding="utf-8")
    return folder


def opened(folder: Path, settings: Settings = SHOP, *, now: datetime = NOON, **files: Sequence[str]) -> Workspace:
    """The same, ingested; files that are not told of have no row."""
    empty: dict[str, Sequence[str]] = {each.table: [] for each in settings.sources}
    workspace = open_workspace(made(folder, settings, **empty | files), now=now)
    ingest(workspace.store, workspace.settings, today=workspace.today)
    return open_workspace(folder, now=now)


def changed(settings: Settings, **changes: Any) -> Settings:
    return settings.model_copy(update=changes)


# The day it looks from


@pytest.mark.parametrize(
    ("asked", "pinned", "found"),
    [
        (None, None, date(2024, 7, 1)),
        (None, date(2024, 3, 1), date(2024, 3, 1)),
        (date(2024, 2, 1), date(2024, 3, 1), date(2024, 2, 1)),
        (date(2025, 2, 1), None, date(2025, 2, 1)),
    ],
)
def test_a_day_that_is_asked_for_goes_before_the_settings_and_these_before_the_day_of_the_run(
    tmp_path: Path, asked: date | None, pinned: date | None, found: date
) -> None:
    workspace = open_workspace(made(tmp_path, changed(SHOP, as_of=pinned)), now=NOON, as_of=asked)
    assert workspace.as_of == found
    assert workspace.today == date(2024, 7, 1)  # whatever day it looks from


@pytest.mark.parametrize(
    ("zone", "now", "today"),
    [
        ("Europe/Paris", datetime(2024, 6, 30, 21, 59, 59, tzinfo=UTC), date(2024, 6, 30)),
        ("Europe/Paris", datetime(2024, 6, 30, 22, 0, 0, tzinfo=UTC), date(2024, 7, 1)),
        ("Europe/Paris", datetime(2024, 12, 31, 22, 59, 59, tzinfo=UTC), date(2024, 12, 31)),  # in winter
        ("Europe/Paris", datetime(2024, 12, 31, 23, 0, 0, tzinfo=UTC), date(2025, 1, 1)),
        ("America/New_York", datetime(2024, 7, 1, 3, 59, 59, tzinfo=UTC), date(2024, 6, 30)),
        ("America/New_York", datetime(2024, 7, 1, 4, 0, 0, tzinfo=UTC), date(2024, 7, 1)),
        ("UTC", datetime(2024, 6, 30, 23, 59, 59, tzinfo=UTC), date(2024, 6, 30)),
    ],
)
def test_the_day_of_the_run_begins_at_the_workspaces_own_midnight(
    tmp_path: Path, zone: str, now: datetime, today: date
) -> None:
    workspace = open_workspace(made(tmp_path, changed(SHOP, time_zone=zone)), now=now)
    assert (workspace.today, workspace.as_of) == (today, today)


# What is opened


def test_what_is_no_folder_is_refused_with_the_way_to_make_one(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    for place in (tmp_path / "nowhere", file):
        with pytest.raises(SettingsError) as refused:
            open_workspace(place, now=NOON)
        assert str(refused.value) == f"{place} is not a folder; make a workspace with `attrition init {place}`"


def test_a_folder_without_settings_is_no_workspace(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"attrition\.toml does not exist; make a workspace"):
        open_workspace(tmp_path, now=NOON)


@pytest.mark.parametrize(("settings", "noun"), [(SHOP, "orders"), (CLUB, "subscriptions")])
def test_where_nothing_has_landed_that_is_said(tmp_path: Path, settings: Settings, noun: str) -> None:
    workspace = open_workspace(made(tmp_path, settings), now=NOON)
    for asked in (lambda: workspace.tables, lambda: workspace.data_days, lambda: workspace.calendar):
        with pytest.raises(DataError) as refused:
            asked()
        assert str(refused.value) == (
            f"no {noun} have landed in {tmp_path}; run `attrition ingest --project {tmp_path}`"
        )


def test_what_no_source_names_any_longer_is_not_there(tmp_path: Path) -> None:
    opened(tmp_path, CLUB, subscriptions=["1,A,2024-02-01 12:00,basic,30"], support_contacts=["1,A,2024-03-01 12:00"])
    elsewhere = SUBSCRIPTIONS.model_copy(update={"path": "elsewhere.csv"})
    workspace = open_workspace(made(tmp_path, changed(CLUB, sources=(elsewhere, CONTACTS))), now=NOON)
    with pytest.raises(DataError, match="no subscriptions have landed"):
        _ = workspace.tables


@pytest.mark.parametrize(
    ("settings", "table", "noun"), [(SHOP, "orders", "order"), (CLUB, "subscriptions", "subscription")]
)
def test_where_the_files_were_empty_that_is_said(tmp_path: Path, settings: Settings, table: str, noun: str) -> None:
    workspace = opened(tmp_path, settings)
    assert table in workspace.tables
    with pytest.raises(DataError) as refused:
        _ = workspace.data_days
    assert str(refused.value) == (
        f"no {noun} landed in {tmp_path}: every row was rejected, or is of the day of the run or later, or the files "
        "were empty"
    )


# The days of its data


def test_a_shops_data_reach_from_its_oldest_order_to_its_newest_by_local_days(tmp_path: Path) -> None:
    rows = ["1,A,2024-02-29 23:30,10", "2,B,2024-03-05 12:00,10", "3,A,2024-05-31 22:30,10"]
    assert opened(tmp_path, orders=rows).data_days == (date(2024, 3, 1), date(2024, 6, 1))


def test_orders_and_their_lines_count_together(tmp_path: Path) -> None:
    settings = changed(SHOP, sources=(ORDERS, LINES))
    workspace = opened(
        tmp_path,
        settings,
        orders=["1,A,2024-03-02 12:00,10", "2,A,2024-04-01 12:00,10"],
        order_lines=["3,A,2024-03-01 12:00,1,10", "4,A,2024-04-02 12:00,1,10"],
    )
    assert workspace.data_days == (date(2024, 3, 1), date(2024, 4, 2))
    assert not workspace.by_contract


def test_where_one_of_the_two_is_empty_the_other_counts(tmp_path: Path) -> None:
    settings = changed(SHOP, sources=(ORDERS, LINES))
    workspace = opened(tmp_path, settings, orders=["1,A,2024-03-02 12:00,10"], order_lines=[])
    assert {"orders", "order_lines"} <= workspace.tables.keys()
    assert workspace.data_days == (date(2024, 3, 2), date(2024, 3, 2))


def test_of_a_shop_other_facts_do_not_stretch_the_data(tmp_path: Path) -> None:
    settings = changed(SHOP, sources=(ORDERS, CONTACTS))
    workspace = opened(
        tmp_path,
        settings,
        orders=["1,A,2024-03-02 12:00,10"],
        support_contacts=["1,A,2024-01-01 12:00", "2,A,2024-06-01 12:00"],
    )
    assert workspace.data_days == (date(2024, 3, 2), date(2024, 3, 2))


def test_contracts_reach_from_the_oldest_subscription_to_the_newest_fact_of_any_table(tmp_path: Path) -> None:
    """A subscription that runs on leaves no trace; a contact before any subscription is nobody's beginning."""
    workspace = opened(
        tmp_path,
        CLUB,
        subscriptions=["1,A,2024-02-01 12:00,basic,30", "2,B,2024-03-01 12:00,basic,30"],
        support_contacts=["1,A,2024-01-01 12:00", "2,A,2024-06-01 12:00"],
    )
    assert workspace.by_contract
    assert workspace.data_days == (date(2024, 2, 1), date(2024, 6, 1))


def test_an_empty_table_beside_them_has_no_days(tmp_path: Path) -> None:
    workspace = opened(tmp_path, CLUB, subscriptions=["1,A,2024-02-01 12:00,basic,30"], support_contacts=[])
    assert workspace.data_days == (date(2024, 2, 1), date(2024, 2, 1))


# Its calendar


def test_the_calendar_is_made_of_the_settings_and_the_datas_days(tmp_path: Path) -> None:
    settings = changed(
        CLUB,
        as_of=date(2024, 5, 1),
        outcome=Outcome(kind="churn", lead_days=7, horizon_days=60),
        contracts=Contracts(grace_days=3),
        snapshots=Snapshots(every_days=28, anchor=date(2020, 1, 1), min_history_days=90, at_most=9),
        backtest=CLUB.backtest.model_copy(update={"folds": 2, "every_days": 45, "embargo_days": 5}),
    )
    workspace = opened(
        tmp_path, settings, subscriptions=["1,A,2024-02-01 12:00,basic,30", "2,B,2024-03-01 12:00,basic,30"]
    )
    assert workspace.calendar == Calendar(
        as_of=date(2024, 5, 1),
        data_from=date(2024, 2, 1),
        data_to=date(2024, 3, 1),
        covered_until=date(2024, 3, 1),
        maturity_days=70,
        grid=Grid(every_days=28, anchor=date(2020, 1, 1), min_history_days=90, at_most=9),
        folds=2,
        fold_every_days=45,
        embargo_days=5,
    )


@pytest.mark.parametrize(
    ("complete_until", "newest", "found"),
    [
        (None, "2024-05-31", date(2024, 5, 31)),
        (date(2024, 6, 15), "2024-05-31", date(2024, 6, 15)),
        (date(2024, 5, 15), "2024-05-31", date(2024, 5, 15)),
        (date(2024, 8, 1), "2024-05-31", date(2024, 7, 1)),  # never beyond the day of the run
        (None, "2024-09-01", date(2024, 1, 1)),  # a row of a day to come says nothing of how far the data reach
    ],
)
def test_data_are_complete_until_the_settings_say_or_they_end_and_never_beyond_today(
    tmp_path: Path, complete_until: date | None, newest: str, found: date
) -> None:
    settings = changed(SHOP, complete_until=complete_until)
    workspace = opened(tmp_path, settings, orders=["1,A,2024-01-01 12:00,10", f"2,A,{newest} 12:00,10"])
    assert workspace.calendar.covered_until == found


def daily(first: date, last: date, *, number: int = 0) -> list[str]:
    """An order a day, both days included."""
    days = [first + timedelta(days=step) for step in range((last - first).days + 1)]
    return [f"{number + place},A,{day} 12:00,10" for place, day in enumerate(days)]


def test_one_order_of_a_day_to_come_or_long_after_the_last_carries_the_data_nowhere(tmp_path: Path) -> None:
    orders = daily(date(2023, 6, 1), date(2023, 12, 31))
    for number, typo in enumerate(("2042-01-01", "2024-07-02", "2024-07-01", "2024-05-05", "1970-01-01")):
        found = opened(tmp_path / str(number), orders=[*orders, f"x,A,{typo} 12:00,10"])
        assert found.data_days == (date(2023, 6, 1), date(2023, 12, 31)), typo
        assert found.calendar.covered_until == date(2023, 12, 31), typo


def test_what_came_back_of_an_exports_orders_says_nothing_of_orders_since(tmp_path: Path) -> None:
    """The orders of a year, exported in March: until then some of them were returned and cancelled, each day."""
    columns = ("order_id", "customer_id", "ordered_at", "amount", "refunded_at", "refunded_amount", "cancelled_at")
    orders = daily(date(2023, 6, 1), date(2023, 12, 31))
    rows = [f"{row},,," for row in orders]
    for place in range(60):
        day = date(2024, 1, 1) + timedelta(days=place)
        rows[-1 - place] = (
            f"{orders[-1 - place]},{day} 12:00,5," if place % 2 else f"{orders[-1 - place]},,,{day} 12:00"
        )
    found = opened(tmp_path, changed(SHOP, sources=(source("orders", *columns),)), orders=rows)
    assert found.data_days == (date(2023, 6, 1), date(2023, 12, 31))
    assert found.calendar.covered_until == date(2023, 12, 31)
    assert found.calendar.data_as_of == date(2023, 12, 31)


def test_answers_to_contacts_of_old_do_not_say_that_contacts_go_on(tmp_path: Path) -> None:
    """Contacts by the day on which they were opened, and answered for two months more."""
    columns = ("contact_id", "customer_id", "opened_at", "resolved_at")
    settings = changed(CLUB, sources=(SUBSCRIPTIONS, source("support_contacts", *columns)))
    days = [date(2024, 1, 1) + timedelta(days=step) for step in range(120)]
    contacts = [f"{n},1,{day} 12:00,{day + timedelta(days=60)} 12:00" for n, day in enumerate(days[:60])]
    subscriptions = [f"{n},{n},{day} 12:00,basic,30" for n, day in enumerate(days)]
    found = opened(tmp_path, settings, support_contacts=contacts, subscriptions=subscriptions)
    assert found.stopped == {"support_contacts": days[59]}


def test_ends_of_subscriptions_tell_how_far_the_data_reach_as_their_beginnings_do(tmp_path: Path) -> None:
    """Forty were taken over in January, and since the next one a week has ended."""
    columns = ("subscription_id", "customer_id", "started_at", "plan", "mrr", "ended_at")
    settings = changed(CLUB, sources=(source("subscriptions", *columns),))
    ends = [date(2024, 1, 1) + timedelta(days=7 * week) for week in range(25)]
    rows = [
        f"{n},{n},2023-01-0{1 + n % 9} 12:00,basic,30,{ends[n]} 12:00"
        if n < 25
        else f"{n},{n},2023-01-05 12:00,basic,30,"
        for n in range(40)
    ]
    found = opened(tmp_path, settings, subscriptions=rows)
    assert found.data_days[1] == date(2024, 6, 17)
    assert found.calendar.covered_until == date(2024, 7, 1)  # silent for a fortnight, as they are between two ends


def test_a_contract_of_next_month_is_no_sign_of_how_far_the_data_reach(tmp_path: Path) -> None:
    rows = [f"{n},{n},2024-0{1 + n % 5}-15 12:00,basic,30" for n in range(10)]
    found = opened(tmp_path, CLUB, subscriptions=[*rows, "x,x,2024-08-01 12:00,basic,30"])
    assert found.data_days[1] == date(2024, 5, 15)


def test_a_source_may_say_until_when_it_is_complete(tmp_path: Path) -> None:
    told = ORDERS.model_copy(update={"complete_until": date(2024, 5, 1)})
    found = opened(tmp_path, changed(SHOP, sources=(told,)), orders=daily(date(2024, 1, 1), date(2024, 6, 30)))
    assert found.calendar.covered_until == date(2024, 5, 1)


def test_a_silence_within_orders_is_a_pause_unless_the_shop_was_closed(tmp_path: Path) -> None:
    orders = [*daily(date(2023, 6, 1), date(2023, 12, 31)), *daily(date(2024, 2, 1), date(2024, 6, 30), number=900)]
    assert opened(tmp_path / "lost", orders=orders).calendar.pauses == ((date(2024, 1, 1), date(2024, 2, 1)),)
    closed = changed(SHOP, sources=(ORDERS.model_copy(update={"silence": "closed"}),))
    assert opened(tmp_path / "closed", closed, orders=orders).calendar.pauses == ()


# What it keeps at hand


def test_models_and_queries_are_kept_while_it_is_open_and_no_longer(tmp_path: Path) -> None:
    folder = made(tmp_path, SHOP)
    workspace = open_workspace(folder, now=NOON)
    assert workspace.fits is workspace.fits
    assert workspace.compiled is workspace.compiled
    assert open_workspace(folder, now=NOON).fits is not workspace.fits


def test_without_plays_nobody_is_held_out(tmp_path: Path) -> None:
    assert open_workspace(made(tmp_path, SHOP), now=NOON).holdout.share is None


def own_shop(folder: Path, **changed: Any) -> Workspace:
    """A shop whose one file of indicators would leave a trace if it ran."""
    folder.mkdir(exist_ok=True)
    (folder / "mine.py").write_text(f"import pathlib\npathlib.Path({str(folder / 'it_ran')!r}).touch()\n{example()}")
    settings = SHOP.model_copy(update={"indicators": ("mine.py",), **changed})
    (folder / "attrition.toml").write_text(render(settings))
    return open_workspace(folder, now=NOON)


def test_opening_runs_nothing_of_own_indicators_and_asking_for_them_does_once_confirmed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = own_shop(tmp_path)
    with pytest.raises(SettingsError, match="nobody has confirmed it on this machine: nothing of it has run"):
        _ = workspace.own_files
    assert not (tmp_path / "it_ran").exists()
    confirm(monkeypatch, (tmp_path / "mine.py").read_bytes())
    assert [file.name for file in workspace.own_files] == ["mine.py"]
    assert (tmp_path / "it_ran").exists()


def test_plays_and_trusted_columns_may_name_own_indicators_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trusting = {"training": Training(trusted_columns=("weekend_order_share_30d",))}
    play = PLAY.replace('"support", "nps"', '"buying_days"')
    (tmp_path / "plays.toml").write_text(play)
    own_shop(tmp_path)
    confirm(monkeypatch, (tmp_path / "mine.py").read_bytes())
    assert own_shop(tmp_path, **trusting).own_files
    assert own_shop(tmp_path).plays_by_code[0].codes == {"weekend_orders"}
    with pytest.raises(SettingsError, match="trusted_columns names 'weekend_order_share_31d'"):
        _ = own_shop(tmp_path, training=Training(trusted_columns=("weekend_order_share_31d",))).own_files
    (tmp_path / "plays.toml").write_text(play.replace("buying_days", "bying_days"))
    with pytest.raises(SettingsError, match=r"plays\.0\.for: 'bying_days' .* Did you mean 'buying_days'"):
        _ = own_shop(tmp_path).own_files
    # Without own indicators names are judged as the files are read.
    (tmp_path / "attrition.toml").write_text(render(SHOP))
    with pytest.raises(SettingsError, match="'bying_days' is no family"):
        open_workspace(tmp_path, now=NOON)


def test_a_workspace_without_own_indicators_loads_none_of_what_they_need() -> None:
    program = (
        "import sys; import pipelines.data.snapshots.snapshot; "
        "print([name for name in sys.modules if name.startswith('pipelines.foundation.own_indicators.')])"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "['pipelines.foundation.own_indicators.own_file']"
