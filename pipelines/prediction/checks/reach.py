"""How far each table reaches, said with the evidence; and what of it is not believed, or known too late."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import timedelta

from features.errors import StaleError
from features.tables import TABLES
from pipelines.data.sources.raw_rows import in_rows
from pipelines.foundation.storage.counted_rows import Counted
from pipelines.foundation.workspace.coverage import PAUSE_DAYS, Coverage
from pipelines.foundation.workspace.workspace import Workspace


def reach_notes(workspace: Workspace) -> Iterator[str]:
    """What a person should know of the tables' reach, in words; nothing of a table that runs up to the others' end."""
    yield from silent(workspace)
    for name, each in workspace.coverages.items():
        yield from _ahead(workspace, name, each)
        yield from _planned(workspace, name)
        yield from _stopped(workspace, name, each)
        yield from _began_late(workspace, name, each)
    for name, each in workspace.outcome_coverages.items():  # elsewhere a silence bends no outcome
        yield from _stray(name, each)
        yield from _pauses(workspace, name, each)
    for name, each in workspace.coverages.items():
        yield from _gaps(workspace, name, each)
    for name in TABLES:
        files = [each for each in workspace.landed if each.table == name]
        yield from _late(name, files)
        yield from _beside(name, files)
        yield from _lacked(name, workspace.landed_sources)
        mapped = {column for source in workspace.sources_of(name) for column in source.columns}
        yield from _as_of_export(name, files, mapped)


def refuse_silent(workspace: Workspace) -> None:
    """Raise StaleError where what customers do is not told any more: scores would take it for their leaving."""
    for said in silent(workspace):
        raise StaleError(said)


def silent(workspace: Workspace) -> Iterator[str]:
    """Of each table that says who the customers are, in words, that it stopped while others tell of them still.

    Where all end on one day it is an export of that day, and how old it may be is for the settings to say.
    """
    main = workspace.outcome_coverages
    others = {
        name: each.last
        for name, each in workspace.coverages.items()
        if name not in {*main, "customers"} and any(column.name == "customer_id" for column in TABLES[name].columns)
    }
    if not others or workspace.settings.complete_until is not None:
        return
    other = max(others, key=lambda name: others[name])
    until = min(others[other], workspace.as_of)
    for name, each in main.items():
        days = (until - each.last).days - 1
        told = name in workspace.closed or workspace.told_until(name) is not None
        if name != "subscription_changes" and days >= PAUSE_DAYS and each.stopped(until) and not told:
            yield (
                f"{name} end on {each.last}, and {other} go on until {others[other]}: {each.rows_a_day:,.1f} rows a "
                f"day of {name} until then, and none in {days:,} days; scores would say that everybody stopped. Export "
                f"{name} up to now, look from the day after with --as-of {each.last + timedelta(days=1)}, or, if "
                'nothing happened since, set silence = "closed" for the source'
            )


def told_otherwise(workspace: Workspace) -> list[str]:
    """Those of the notes that a screen tells in fewer words: as odd things, or by a table's newest day."""
    notes: list[str] = []
    for name, each in workspace.coverages.items():
        notes += _ahead(workspace, name, each)
        if each.usually_silent(workspace.reach):
            notes += _stopped(workspace, name, each)
    for name, each in workspace.outcome_coverages.items():
        notes += _pauses(workspace, name, each)
    return notes


def _ahead(workspace: Workspace, name: str, each: Coverage) -> Iterator[str]:
    if each.ahead_from is not None and each.ahead_from > workspace.today:
        yield (
            f"{name}: {in_rows(each.ahead)} dated on the day of this run or later (first {each.ahead_from}): not "
            "counted before their day, and no sign of how far data reach. Correct them in the export if mistyped"
        )


def _planned(workspace: Workspace, name: str) -> Iterator[str]:
    if planned := workspace.told_days.planned(name):
        ends = sum(planned.values())
        what = "1 end" if ends == 1 else f"{ends:,} ends"
        yield (
            f"{name}: {what} dated {min(planned)} or later, of which nothing else tells: taken to be planned, and "
            "no sign of how far data reach. If they have come and the export is newer, set complete_until of its source"
        )


def _stray(name: str, each: Coverage) -> Iterator[str]:
    if each.beyond:
        count = sum(each.counts[day] for day in each.beyond)
        yield (
            f"{name}: {in_rows(count)} of {_days(each.beyond)} beyond a long silence: too few to say that data reach "
            "there. Correct them in the export if they are mistyped"
        )


def _stopped(workspace: Workspace, name: str, each: Coverage) -> Iterator[str]:
    reach = workspace.reach
    told = any(source.complete_until for source in workspace.sources_of(name))
    if told and name in workspace.stopped:
        yield f"{name}: complete until {workspace.stopped[name]}, as its source says. {_rests(workspace, name)}"
    elif each.stopped(reach) and not told:
        yield (
            f"{name}: stopped on {each.last}: {each.rows_a_day:,.1f} rows a day until then, none in the "
            f"{(reach - each.last).days - 1:,} days to {reach}. {_rests(workspace, name)}; export it "
            "again, or set complete_until of its source"
        )
    elif each.usually_silent(reach) and reach > each.last and (reach - each.last).days > 1:
        yield (
            f"{name}: silent since {each.last}, as usual ({each.rows_a_day * 30:,.1f} rows a month), and taken to be "
            f"complete until {reach}; set complete_until of its source if the export ended before"
        )


def _began_late(workspace: Workspace, name: str, each: Coverage) -> Iterator[str]:
    """A table without a row by a snapshot is unknown there; soon after its first, counts hold what there is."""
    since, longest = workspace.calendar.data_from, max(workspace.settings.lookback_days)
    whole_from = each.first + timedelta(days=longest)
    if each.began_late(since) and workspace.calendar.first_snapshot < whole_from:
        yield (
            f"{name}: begins on {each.first}: {each.rows_a_day:,.1f} rows a day since, none in the "
            f"{(each.first - since).days:,} days of data before. Snapshots before {whole_from} count over up to "
            f"{longest} days what came since that day, and no more. If there are older rows, export them, too"
        )


def _rests(workspace: Workspace, name: str) -> str:
    if name in workspace.stopped:
        return "What rests on it is not known since: it is empty, and no reason is made of it"
    if name in workspace.outcome_coverages:
        return "No outcome is read from later days"
    return "Who came since is not known"


def _pauses(workspace: Workspace, name: str, each: Coverage) -> Iterator[str]:
    for start, end in each.pauses:
        if name not in workspace.closed:
            yield (
                f"{name}: {each.said_of(start, end)}, where {each.rows_a_day:,.1f} a "
                "day are usual: if outcomes are read from it, none that touches these days is learned from. If nothing "
                'happened then, set silence = "closed" for its source'
            )


def _gaps(workspace: Workspace, name: str, each: Coverage) -> Iterator[str]:
    """Silences that no snapshot is left out for; whoever reads counts of those days should know."""
    longer = () if name in workspace.outcome_coverages else each.pauses
    for start, end in () if name in workspace.closed else sorted([*longer, *each.gaps]):
        until = end + timedelta(days=max(workspace.settings.lookback_days))
        yield (
            f"{name}: {each.said_of(start, end)}, where {each.rows_a_day:,.1f} a day are usual: if they are missing, "
            f"counts over these days are too low, in snapshots until {until}. Export them again; if nothing happened "
            'then, set silence = "closed" for its source'
        )


def _late(name: str, files: list[Counted]) -> Iterator[str]:
    said = (
        ("late", "came later than its date says", "came later than their dates say"),
        ("changed", "says otherwise than before", "say otherwise than before"),
    )
    for fate, one, several in said:
        late = [each for each in files if each.fates.get(fate)]
        if late:
            total = sum(each.fates[fate] for each in late)
            days = ", ".join(sorted({str(each.landing.seen_on) for each in late}))
            what = f"{one} is" if total == 1 else f"{several} are"
            yield (
                f"{name}: {in_rows(total)} that {what} known from the landing on ({days}), not to snapshots "
                "before. If that was always so, set corrects_past = true for their source"
            )


def _beside(name: str, files: list[Counted]) -> Iterator[str]:
    if beside := sum(each.fates.get("beside", 0) for each in files):
        what = "differs from one of an earlier file" if beside == 1 else "differ from rows of earlier files"
        yield (
            f"{name}: {in_rows(beside)} that {what} in numbers alone, and both count: if files overlap and the later "
            'puts the earlier right, set new_file = "period" for their source'
        )


def _lacked(name: str, sources: list[list[Counted]]) -> Iterator[str]:
    lacked = sum(of[-1].fates.get("lacked", 0) for of in sources if of[-1].table == name)
    if lacked:
        what = "goes on is" if lacked == 1 else "go on are"
        yield (
            f"{name}: {in_rows(lacked)} of earlier files that {what} not in the newest, which tells most of them anew: "
            "they count as going on. If an export holds what goes on and no more, they have ended: set "
            'new_file = "state" for their source'
        )


def _as_of_export(name: str, files: list[Counted], mapped: Collection[str]) -> Iterator[str]:
    state = [column for column in TABLES[name].columns if column.state and column.name in mapped]
    if state and any(each.state_from is not None for each in files):
        columns = ", ".join(column.name for column in state)
        indicators = ", ".join(dict.fromkeys(indicator for column in state for indicator in column.state))
        yield (
            f"{name}: {columns} {'is' if len(state) == 1 else 'are'} as of the export, and so {indicators} "
            f"{'is' if ', ' not in indicators else 'are'} empty in snapshots before it. To fill them, export the "
            "history of each row, a version for each change with the moment at which it became known, and map known_at"
        )


def _days(days: tuple[object, ...]) -> str:
    return str(days[0]) if len(days) == 1 else f"{days[0]} to {days[-1]}"
