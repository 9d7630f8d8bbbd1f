"""What says how far data reach: days of rows, ends that have come, and no plan; versions of a row once."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from features.errors import StaleError
from pipelines.data.landing.ingest import ingest
from pipelines.foundation.workspace.workspace import open_workspace
from pipelines.operations.monitoring.arrivals import Arrivals
from pipelines.prediction.checks.reach import reach_notes
from pipelines.prediction.scoring.score import refuse_old_data
from tests.pipelines.foundation.workspace.test_workspace import CLUB, CONTACTS, changed, opened, source

ENDING = source("subscriptions", "subscription_id", "customer_id", "started_at", "plan", "mrr", "ended_at")
ENDS = changed(CLUB, sources=(ENDING,))
EXPORTED = date(2024, 7, 1)


def contracts(days: int = 300, *, last: date = EXPORTED - timedelta(days=1)) -> list[str]:
    """One a day until the export, each for a hundred days; every fifth has given notice and ends as its term does."""
    starts = [last - timedelta(days=step) for step in range(days)]
    return [
        f"{n},{n},{day} 09:00,basic,30,{f'{day + timedelta(days=100)} 09:00' if n % 5 == 0 else ''}"
        for n, day in enumerate(starts)
    ]


def test_an_end_that_is_planned_says_nothing_once_its_day_has_passed(tmp_path: Path) -> None:
    """Nothing landed for two months: what was to end in between is no fact, and the data are old."""
    opened(tmp_path, ENDS, subscriptions=contracts())
    for later in (EXPORTED, date(2024, 9, 1)):
        workspace = open_workspace(tmp_path, now=datetime(later.year, later.month, later.day, 12, tzinfo=UTC))
        assert workspace.data_days[1] == date(2024, 6, 30)
        assert workspace.calendar.covered_until == date(2024, 6, 30)
    with pytest.raises(StaleError, match="the data end on 2024-06-30, 62 days before 2024-09-01"):
        refuse_old_data(workspace.calendar, max_age_days=31)


def test_a_newer_export_of_another_table_makes_no_fact_of_a_plan(tmp_path: Path) -> None:
    settings = changed(CLUB, sources=(ENDING, CONTACTS))
    opened(tmp_path, settings, subscriptions=contracts())
    contacts = [f"{n},1,{date(2024, 4, 1) + timedelta(days=n)} 12:00" for n in range(140)]
    (tmp_path / "support_contacts.csv").write_text("\n".join(["contact_id,customer_id,opened_at", *contacts, ""]))
    august = datetime(2024, 8, 20, 12, tzinfo=UTC)
    workspace = open_workspace(tmp_path, now=august)
    ingest(workspace.store, settings, today=workspace.today)
    workspace = open_workspace(tmp_path, now=august)
    assert (workspace.coverages["subscriptions"].last, workspace.data_days[1]) == (date(2024, 6, 30), date(2024, 8, 18))


def test_an_old_export_that_lands_today_reaches_as_far_as_contracts_begin(tmp_path: Path) -> None:
    now = datetime(2025, 7, 1, 12, tzinfo=UTC)
    workspace = opened(tmp_path, ENDS, now=now, subscriptions=contracts())
    assert workspace.data_days[1] == date(2024, 6, 30)
    said = [each for each in reach_notes(workspace) if "taken to be planned" in each]
    assert [each.split(":")[1] for each in said] == [" 20 ends dated 2024-07-05 or later, of which nothing else tells"]


def test_versions_of_a_row_count_once(tmp_path: Path) -> None:
    """A contact that each export tells anew, answered or not, is no further contact."""
    columns = ("contact_id", "customer_id", "opened_at", "resolved_at")
    settings = changed(CLUB, sources=(ENDING, source("support_contacts", *columns)))
    days = [date(2024, 4, 2) + timedelta(days=step) for step in range(90)]
    opened(tmp_path, settings, subscriptions=contracts())
    for export in (30, 60, 90):
        told = [
            f"{n},1,{day} 12:00,{'' if n > export - 20 else f'{day + timedelta(days=20)} 15:00'}"
            for n, day in enumerate(days[:export])
        ]
        (tmp_path / "support_contacts.csv").write_text("\n".join([",".join(columns), *told, ""]))
        seen = days[0] + timedelta(days=export)
        workspace = open_workspace(tmp_path, now=datetime(seen.year, seen.month, seen.day, 12, tzinfo=UTC))
        ingest(workspace.store, settings, today=seen)
    workspace = open_workspace(tmp_path, now=datetime(2024, 7, 1, 12, tzinfo=UTC))
    assert set(workspace.told_days.rows("support_contacts").values()) == {1}
    arrived = Arrivals(
        engine=workspace.engine,
        tables={"support_contacts": workspace.tables["support_contacts"]},
        as_of=date(2024, 6, 11),  # the export of the 1st told again of those before
        zone=settings.zone,
        span_days=10,
        level=0.01,
    )
    (volume,) = arrived.volumes()
    assert (volume["rows"], volume["usual"]) == (10, 10)
