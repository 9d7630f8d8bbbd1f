"""What is promised of snapshots, and what the same features cost in pandas and Featuretools."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

from benchmarks.report import Report
from benchmarks.snapshots import COLUMNS, SPANS
from benchmarks.snapshots_apart import Measured, NotMeasuredError, agree, in_featuretools, measured, rows
from benchmarks.usage_rows import EXPORTED, LANDED, SNAPSHOTS

EVENTS_PER_CUSTOMER = 100
SMALL = 2_000_000  # where Featuretools still ends within a minute
LAST_TWO = SNAPSHOTS[-2:]


def promise(report: Report, folder: Path, *, events: int) -> None:
    """Time, memory and the added snapshot at so many events; memory again at twice as many."""
    customers = events // EVENTS_PER_CUSTOMER
    one, two, small = folder / "one", folder / "two", folder / "small"
    rows(one, events=events, customers=customers, files=[LANDED, EXPORTED])
    landed, exported = measured("bare", one, "--files", LANDED, EXPORTED).times
    thirteen = _ours(one, customers, SNAPSHOTS)
    twelve, one_more = replace(thirteen, times=thirteen.times[:-1]), thirteen.times[-1]
    size = f"{events:,} uses, {customers:,} customers"
    report.row(f"12 snapshots over one group-by: {size}", twelve.wall / landed.wall, 12, at_least=False)
    report.shown("the same in seconds of processor", f"{twelve.processor / landed.processor:.4f}")
    report.shown("the same over a group-by of the file in order of time", f"{twelve.wall / exported.wall:.4f}")
    report.row("one more snapshot over one group-by", one_more.wall / landed.wall, 5, at_least=False)
    report.shown("the same in seconds of processor", f"{one_more.processor / landed.processor:.4f}")
    report.row("peak memory in GiB of these 13", thirteen.peak_gib, 4, at_least=False)
    last_two = _ours(one, customers, LAST_TWO)
    rows(two, events=2 * events, customers=customers, files=[LANDED])
    doubled = _ours(two, customers, LAST_TWO)
    grown = doubled.peak_gib / last_two.peak_gib
    report.row(f"peak memory at {2 * events:,} uses over that at {events:,}", grown, 1.3, at_least=False)
    report.note(
        f"lookbacks of {', '.join(map(str, SPANS.lookback_days))} days; group-by {landed.wall:.2f} s as landed, "
        f"{exported.wall:.2f} s in order of time\n"
        f"12 snapshots {twelve.wall:.1f} s: the first {twelve.times[0].wall:.1f} s, the last "
        f"{twelve.times[-1].wall:.1f} s; one more {one_more.wall:.1f} s\n"
        f"peak memory of the last two snapshots alone: {last_two.peak_gib:.2f} GiB, with "
        f"twice the uses {doubled.peak_gib:.2f} GiB"
    )
    if events > SMALL:
        _beside(report, "pandas", one, customers, last_two)
        customers, one = SMALL // EVENTS_PER_CUSTOMER, small
        rows(small, events=SMALL, customers=customers, files=[LANDED])
        last_two = _ours(small, customers, LAST_TWO)
    _beside(report, "pandas", one, customers, last_two)
    _beside(report, "featuretools", one, customers, last_two)
    report.note("Featuretools 1.31.0 of May 2024 is its newest release; with pandas 3 it stops at its first table")


def _ours(folder: Path, customers: int, days: Sequence[date]) -> Measured:
    return measured("attrition", folder, "--customers", customers, "--days", *days)


def _beside(report: Report, name: str, folder: Path, customers: int, ours: Measured) -> None:
    """The same rows, customers and days elsewhere, and whether the values are the same."""
    figure = f"two snapshots of {customers * EVENTS_PER_CUSTOMER:,} uses, {customers:,} customers in "
    try:
        if name == "pandas":
            theirs = measured(name, folder, "--customers", customers, "--days", *LAST_TWO)
        else:
            theirs = in_featuretools(folder, customers=customers, days=LAST_TWO)
    except NotMeasuredError as why:
        report.shown(figure + name, "not measured", str(why))
        return
    equal = agree(folder, name, LAST_TWO)
    versions = ", ".join(f"{package} {version}" for package, version in theirs.versions.items())
    report.shown(figure + versions, _cost(theirs), f"attrition {_cost(ours)}")
    report.note(f"{versions}: {equal} of {len(COLUMNS)} indicators, each equal to ours for every customer")


def _cost(found: Measured) -> str:
    return f"{found.wall:.1f} s, {found.peak_gib:.2f} GiB"
