"""The landings of each source, in their order: which file came when, and what the source says that a new one is."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from operator import attrgetter, itemgetter
from typing import Any

from features.errors import DataError
from pipelines.foundation.settings.date_format import date_pattern
from pipelines.foundation.settings.settings import Settings
from pipelines.foundation.settings.sources import DatabaseSource, FileSource, Source
from pipelines.foundation.storage.store import Store, StoredFile

LANDED, REJECTED = "landed", "rejected"


@dataclass(frozen=True, kw_only=True)
class Landing:
    """One arrival of one content. A content that comes back after another one, or under another name, arrives twice.

    path: where it came from, below the workspace. seen_on: the local day on which it was seen first: its export's where
    the source names that, otherwise that of the landing; None where a release that did not note it landed it. number:
    counts arrivals.
    """

    file: StoredFile
    path: str
    seen_on: date | None
    number: int

    @property
    def reading(self) -> str:
        """Names the settings under which its text became values."""
        return _reading(self.file)

    @property
    def order(self) -> tuple[date, int, int]:
        """Sorts landings by arrival, whichever source they are of."""
        return self.seen_on or date.min, self.number, self.file.sequence


@dataclass(frozen=True, kw_only=True)
class SourceLandings:
    """All arrivals of one source, oldest first. source: None where no settings say which it is."""

    table: str
    source: Source | None
    landings: tuple[Landing, ...]


def current(store: Store) -> list[StoredFile]:
    """The landed files that hold, in the order of recording.

    Of several landings of one content (its mapping was changed) the newest holds. An earlier content of a path stays,
    too: rows with a key of their own as versions, others as what was known until the next content came. Where that was
    not noted, or the earlier content was read under other settings, its rows without a key are replaced.
    """
    newest: dict[tuple[str, str], StoredFile] = {}
    for file in store.files(LANDED):
        newest[file.detail["table"], file.detail["source_sha256"]] = file
    holding = sorted(newest.values(), key=lambda file: file.sequence)
    last = _last_of_paths(holding)

    def holds(file: StoredFile) -> bool:
        after = [last[file.detail["table"], each["source"]] for each in _arrivals(file)]
        noted = file.detail.get("landings") and all(each.detail.get("landings") for each in after)
        alike = any(_reading(each) == _reading(file) for each in after)
        return bool(file.detail["keyed"] or file in after or (noted and alike))

    return [file for file in holding if holds(file)]


def landing(store: Store, path: str, *, table: str, source: str, copies_count: bool = False) -> StoredFile | None:
    """The landed file at `path`, if it is what its source held when that was landed last.

    copies_count: the same bytes under another name are a landing of their own, as a state that is reached again is.
    """
    files = current(store)
    found = next((file for file in files if file.path == path), None)
    last = _last_of_paths(files).get((table, source))
    if found is None or (last is None and copies_count):
        return None
    return found if last is None or last.path == path else None


def arrivals_by_now(
    store: Store, *, table: str, source: str, source_sha256: str, today: date, again: bool
) -> list[dict[str, Any]]:
    """When a content arrived, and from which path, now included.

    A new reading of what the path held last is no new arrival. again: this content was read just so before.
    """
    files = store.files(LANDED)
    same = [each for each in files if (each.detail["table"], each.detail["source_sha256"]) == (table, source_sha256)]
    before: list[dict[str, Any]] = next(
        (each.detail["landings"] for each in reversed(same) if each.detail.get("landings")), []
    )
    last = _last_of_paths(files).get((table, source))
    if not again and last is not None and last.detail["source_sha256"] == source_sha256:
        return before
    number = 1 + max((each["number"] for file in files for each in _arrivals(file)), default=0)
    return [*before, {"on": today.isoformat(), "number": number, "source": source}]


def _arrivals(file: StoredFile) -> list[dict[str, Any]]:
    """Every arrival of a file; of one that an earlier release landed a single one, on a day that is not known."""
    return file.detail.get("landings") or [{"on": None, "number": 0, "source": file.detail["source"]}]


def _last_of_paths(files: Iterable[StoredFile]) -> dict[tuple[str, str], StoredFile]:
    """By table and path: the content that it held when it was landed last."""
    arrivals = [(each["number"], file.sequence, each["source"], file) for file in files for each in _arrivals(file)]
    return {(file.detail["table"], path): file for _, _, path, file in sorted(arrivals, key=itemgetter(0, 1))}


def _reading(file: StoredFile) -> str:
    return file.path.rpartition("-")[2]


def source_landings(store: Store, settings: Settings | None) -> list[SourceLandings]:
    """By source, in the order in which each first landed; what no source names any longer is left out.

    Without settings each path is a source of its own.
    Raises: DataError where a file's name lacks the date that its source says is in it.
    """
    found: dict[tuple[str, int | str], list[Landing]] = {}
    sources: dict[tuple[str, int | str], Source | None] = {}
    for each in _in_order(current(store)):
        table = each.file.detail["table"]
        number, source = (each.path, None) if settings is None else _numbered(table, each.path, settings)
        if settings is None or source is not None:
            exported_on = _exported_on(each.file, each.path, source)
            seen_on = each.seen_on and (exported_on or each.seen_on)
            sources[table, number] = source
            kept = each if each.seen_on == seen_on else replace(each, seen_on=seen_on)
            found.setdefault((table, number), []).append(kept)
    return [
        SourceLandings(table=table, source=sources[table, number], landings=_holding(each, sources[table, number]))
        for (table, number), each in found.items()
    ]


def _holding(found: Iterable[Landing], source: Source | None) -> tuple[Landing, ...]:
    """The landings of a source that hold, oldest first.

    Rows that a database gave under other settings are not beside those of today's: the first answer under new settings
    is all of it. Whole states go on to tell what was there before.
    """
    ordered = tuple(sorted(found, key=attrgetter("order")))
    if isinstance(source, DatabaseSource) and source.new_file == "rows":
        # By the order of recording: what is read anew keeps the day on which it arrived.
        today = max(ordered, key=lambda each: each.file.sequence).reading
        return tuple(each for each in ordered if each.reading == today)
    return ordered


def _in_order(files: Iterable[StoredFile]) -> list[Landing]:
    """Every arrival of some files, oldest first, on the day of its landing.

    None landed later than the one after it, whatever the clock of the machine said.
    """
    found = [
        Landing(
            file=file,
            path=each["source"],
            seen_on=None if each["on"] is None else date.fromisoformat(each["on"]),
            number=each["number"],
        )
        for file in files
        for each in _arrivals(file)
    ]
    newest_first = sorted(found, key=lambda each: (each.number, each.file.sequence), reverse=True)
    latest = date.max
    for position, each in enumerate(newest_first):
        if each.seen_on is not None:
            latest = min(latest, each.seen_on)
            if each.seen_on != latest:
                newest_first[position] = replace(each, seen_on=latest)
    return newest_first[::-1]


def _exported_on(file: StoredFile, path: str, source: Source | None) -> date | None:
    """What a source says of when a file was exported: the date in its name, or in its rows; None: nothing."""
    if not isinstance(source, FileSource) or source.exported_on is None:
        told = file.detail.get("exported_on")
        return None if told is None else date.fromisoformat(told)
    name = path.rpartition("/")[2]
    found = [match[0] for match in re.finditer(date_pattern(source.exported_on), name)]
    try:
        (text,) = found
        return datetime.strptime(text, source.exported_on).date()  # noqa: DTZ007 - a day of the company's own calendar
    except ValueError:
        raise DataError(
            f"{path}: its name does not hold one date as exported_on = '{source.exported_on}' says; "
            f"correct exported_on of this source of {source.table} in attrition.toml, or rename the file and run "
            "`attrition ingest`"
        ) from None


def _numbered(table: str, path: str, settings: Settings) -> tuple[int, Source | None]:
    """The first source of a table that a path belongs to, and its place among the sources."""
    for number, source in enumerate(settings.sources):
        if source.table == table and source.gave(path):
            return number, source
    return -1, None
