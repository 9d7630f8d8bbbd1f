from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipelines.data.landing.local_time import zone_clock
from pipelines.data.landing.workbench import workbench

ZONES = (
    "Europe/Paris",
    "America/New_York",
    "Australia/Lord_Howe",
    "Africa/Casablanca",
    "America/Sao_Paulo",
    "Asia/Beirut",
    "Pacific/Apia",
    "America/Havana",
    "Asia/Kathmandu",
    "UTC",
)


def by_zoneinfo(clock: datetime, zone: str) -> datetime:
    return clock.replace(tzinfo=ZoneInfo(zone), fold=0).astimezone(UTC).replace(tzinfo=None)


def to_utc(clock: datetime, zone: str) -> datetime:
    found: datetime = zone_clock(zone).to_utc(pa.array([clock], pa.timestamp("us")))[0].as_py()
    return found


def day(moment: datetime, zone: str) -> date:
    found: date = zone_clock(zone).days(pa.array([moment], pa.timestamp("us")))[0].as_py()
    return found


def test_a_skipped_hour_in_paris_is_read_with_the_offset_of_winter() -> None:
    assert to_utc(datetime(2024, 3, 31, 2, 30), "Europe/Paris") == datetime(2024, 3, 31, 1, 30)
    assert to_utc(datetime(2024, 3, 31, 3, 30), "Europe/Paris") == datetime(2024, 3, 31, 1, 30)


def test_a_doubled_hour_in_paris_is_its_first_occurrence() -> None:
    assert to_utc(datetime(2024, 10, 27, 2, 0), "Europe/Paris") == datetime(2024, 10, 27, 0, 0)
    assert to_utc(datetime(2024, 10, 27, 2, 59, 59, 999_999), "Europe/Paris") == datetime(
        2024, 10, 27, 0, 59, 59, 999_999
    )
    assert to_utc(datetime(2024, 10, 27, 3, 0), "Europe/Paris") == datetime(2024, 10, 27, 2, 0)


def test_a_midnight_that_a_zone_skipped_stays_on_its_day() -> None:
    midnight = datetime(2018, 11, 4)
    assert to_utc(midnight, "America/Sao_Paulo") == datetime(2018, 11, 4, 3)
    assert day(datetime(2018, 11, 4, 3), "America/Sao_Paulo") == date(2018, 11, 4)
    assert day(datetime(2018, 11, 4, 2, 59, 59, 999_999), "America/Sao_Paulo") == date(2018, 11, 3)


def test_an_evening_hour_that_came_twice_is_twice_on_its_day() -> None:
    assert day(datetime(2018, 2, 18, 1, 59, 59), "America/Sao_Paulo") == date(2018, 2, 17)
    assert day(datetime(2018, 2, 18, 2), "America/Sao_Paulo") == date(2018, 2, 17)
    assert day(datetime(2018, 2, 18, 3), "America/Sao_Paulo") == date(2018, 2, 18)


def test_empty_columns_have_no_moments() -> None:
    assert len(zone_clock("Europe/Paris").to_utc(pa.array([], pa.timestamp("us")))) == 0


@settings(max_examples=60)
@given(
    st.sampled_from(ZONES),
    st.lists(st.datetimes(datetime(1900, 1, 1), datetime(2200, 12, 31, 23, 59, 59)), min_size=1, max_size=50),
)
@example("Europe/Paris", [datetime(1900, 1, 1), datetime(2200, 12, 31, 23, 59, 59)])
def test_any_clock_time_is_what_zoneinfo_says(zone: str, clocks: list[datetime]) -> None:
    found = zone_clock(zone).to_utc(pa.array(clocks, pa.timestamp("us"))).to_pylist()
    assert found == [by_zoneinfo(clock, zone) for clock in clocks]
    days = zone_clock(zone).days(pa.array(found, pa.timestamp("us"))).to_pylist()
    assert days == [moment.replace(tzinfo=UTC).astimezone(ZoneInfo(zone)).date() for moment in found]


@pytest.mark.parametrize("zone", ZONES)
def test_around_every_change_of_offset_each_half_hour_is_what_zoneinfo_says(zone: str) -> None:
    changes = [datetime(1970, 1, 1) + timedelta(microseconds=int(at)) for at in zone_clock(zone).from_utc]
    clocks = [change + timedelta(minutes=30 * step, seconds=7) for change in changes[-40:] for step in range(-56, 57)]
    found = zone_clock(zone).to_utc(pa.array(clocks, pa.timestamp("us"))).to_pylist()
    assert found == [by_zoneinfo(clock, zone) for clock in clocks]


def test_the_zones_tested_exist() -> None:
    assert set(ZONES) <= available_timezones()


@pytest.mark.parametrize("zone", ZONES)
def test_clocks_in_sql_are_those_in_python_around_every_change_and_in_seldom_years(zone: str, tmp_path: Path) -> None:
    clock = zone_clock(zone)
    steps = (-7_200_000_000, -1_800_000_000, -1, 0, 1, 1_800_000_000, 7_200_000_000)
    ends = [int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000 for year in (1901, 1990, 2040, 2199)]
    changes = {*clock.from_utc.tolist(), *clock.from_local.tolist(), *ends}
    moments = pa.array(sorted(each + step for each in changes for step in steps), pa.int64()).cast(pa.timestamp("us"))
    with workbench(tmp_path, source_zone=zone, workspace_zone=zone) as bench:
        bench.register("given", pa.table({"moment": pa.concat_arrays([moments, pa.nulls(1, moments.type)])}))
        found = bench.execute(
            "SELECT source_to_utc(moment) AS utc, local_day(moment) AS day FROM given"
        ).to_arrow_table()
    assert found["utc"].combine_chunks()[:-1].equals(clock.to_utc(moments))
    assert found["day"].combine_chunks()[:-1].equals(clock.days(moments))
    assert [found["utc"][-1].as_py(), found["day"][-1].as_py()] == [None, None]
