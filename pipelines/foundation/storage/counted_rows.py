"""Which rows of a landed file count beside those landed before it, from when they are known, and which they end.

A value is known from the moment that its row says. A value first seen changed in a later landing is known from that
landing on, and so is a row that came later than it should have: no snapshot of the time before moves.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from features.asof import instant
from features.tables import TABLES
from pipelines.foundation.storage.atomic_file import scratch
from pipelines.foundation.storage.fingerprint import fingerprint
from pipelines.foundation.storage.landings import Landing, SourceLandings
from pipelines.foundation.storage.meeting import may_meet
from pipelines.foundation.storage.rewriting import delete_file
from pipelines.foundation.storage.row_fates import FATES, Arrival, Comparison, CountedBefore
from pipelines.foundation.storage.spilling import spilling
from pipelines.foundation.storage.store import Store, StoredFile

COUNTED, ENDED = "counted", "ended"

_TICK = timedelta(microseconds=1)


@dataclass(frozen=True, kw_only=True)
class CountInputs:
    """before: (hash, day, reading) of the source's landings up to this one, itself last."""

    table: str
    new_file: Literal["rows", "period", "state"]
    corrects_past: bool
    time_zone: str
    before: tuple[tuple[str, str, str], ...]

    @property
    def key(self) -> str:
        return fingerprint(self, by=("pipelines.foundation.storage.counted_rows",))


@dataclass(frozen=True, kw_only=True)
class Counted:
    """What counts of one landing. position: among those of its source. rows: the landed file where it counts whole.

    ended: rows of earlier landings of the source that hold no longer: position, source_row, known_until.

    state_from: from when the values that a row has today are known; None: as the row itself.
    """

    landing: Landing
    position: int
    rows: StoredFile
    ended: StoredFile | None
    state_from: datetime | None

    @property
    def table(self) -> str:
        return str(self.landing.file.detail["table"])

    @property
    def names(self) -> tuple[str, ...]:
        """What names everything that is read of it."""
        ended = () if self.ended is None else (self.ended.sha256,)
        return (self.rows.sha256, *ended, *(() if self.state_from is None else (self.state_from.isoformat(),)))

    @property
    def first_known_at(self) -> str | None:
        """No snapshot before it depends on this landing."""
        told = [file.detail["first_known_at"] for file in (self.rows, self.ended) if file is not None]
        return min((each for each in told if each is not None), default=None)

    @property
    def fates(self) -> dict[str, int]:
        """How many rows fared how, by FATES; empty where the file counts whole."""
        return {name: self.rows.detail["fates"][name] for name in FATES} if "fates" in self.rows.detail else {}


def known_from(day: date, zone: ZoneInfo) -> datetime:
    """From when it counts what was seen on a day: it is known to the snapshot of that day, and to none before."""
    return instant(day, zone=zone) - _TICK


def counted(store: Store, of: SourceLandings, *, zone: ZoneInfo) -> Iterator[Counted]:
    """What counts of each landing of a source, oldest first. It is worked out once, and stored."""
    done = list[Counted]()
    for number, landing in enumerate(of.landings):
        corrects = of.source is not None and of.source.corrects_past
        inputs = CountInputs(
            table=of.table,
            new_file="rows" if of.source is None else of.source.new_file,
            corrects_past=corrects,
            time_zone=zone.key,
            before=tuple((each.file.sha256, str(each.seen_on), each.reading) for each in of.landings[: number + 1]),
        )
        rows, ended = (landing.file, None) if not done else _stored(store, inputs, done, landing, zone)
        state_from = _state_from(landing, zone, corrects_past=corrects)
        done.append(Counted(landing=landing, position=number, rows=rows, ended=ended, state_from=state_from))
        yield done[-1]


def forget_others(store: Store, kept: Iterable[Counted]) -> None:
    """Delete what was worked out for landings that no longer follow each other so, as when a mapping was put right."""
    paths = {file.path for each in kept for file in (each.rows, each.ended) if file is not None}
    for kind in (COUNTED, ENDED):
        for file in store.files(kind):
            if file.path not in paths:
                delete_file(store, file.path)


def _state_from(landing: Landing, zone: ZoneInfo, *, corrects_past: bool) -> datetime | None:
    """None where the table has no values of the day of its export, or the source tells when each row was known."""
    detail = landing.file.detail
    has_state = any(column.state for column in TABLES[detail["table"]].columns)
    if landing.seen_on is None or not has_state or detail.get("versions", False) or corrects_past:
        return None
    return known_from(landing.seen_on, zone)


def _stored(
    store: Store, inputs: CountInputs, before: Sequence[Counted], landing: Landing, zone: ZoneInfo
) -> tuple[StoredFile, StoredFile | None]:
    met = [each for each in before if may_meet(each.landing, landing, new_file=inputs.new_file)]
    if not (met or _late(before, landing, zone)):
        return landing.file, None
    place = f"{COUNTED}/{inputs.table}/{inputs.key}"
    rows, ended = store.present(f"{place}.parquet"), store.present(f"{place}-{ENDED}.parquet")
    if rows is None or (ended is None and rows.detail["ends"]):
        ended_before = [store.verified(each.ended) for each in before if each.ended is not None]
        arrival, counts = _arrival(store, inputs, before, landing, zone), [_before(store, each) for each in met]
        with scratch(store.root / COUNTED, "counting") as folder, spilling(folder) as connection:
            found = Comparison(connection, arrival, counts, ended_before)
            if found.ends:
                first = found.first("ends", "known_until")
                ended = store.put(f"{place}-{ENDED}.parquet", found.write_ends, kind=ENDED, first_known_at=first)
            detail = {"table": inputs.table, "source": landing.path, "fates": found.fates, "ends": found.ends}
            first = found.first("rows", "known_at")
            rows = store.put(f"{place}.parquet", found.write_rows, kind=COUNTED, first_known_at=first, **detail)
    return rows, ended


def _before(store: Store, each: Counted) -> CountedBefore:
    return CountedBefore(
        position=each.position,
        path=each.landing.path,
        reading=each.landing.reading,
        rows=store.verified(each.rows),
        is_counted=each.rows.kind == COUNTED,
        state_from=each.state_from,
    )


def _arrival(store: Store, inputs: CountInputs, before: Sequence[Counted], landing: Landing, zone: ZoneInfo) -> Arrival:
    seen_before = _seen_before(before, landing)
    return Arrival(
        contract=TABLES[inputs.table],
        path=landing.path,
        reading=landing.reading,
        rows=store.verified(landing.file),
        keyed=landing.file.detail["keyed"],
        versions=landing.file.detail.get("versions", False),
        new_file=inputs.new_file,
        corrects_past=inputs.corrects_past,
        since=None if landing.seen_on is None else known_from(landing.seen_on, zone),
        seen_before=None if seen_before is None else instant(seen_before, zone=zone),
        state_from=_state_from(landing, zone, corrects_past=inputs.corrects_past),
    )


def _seen_before(before: Sequence[Counted], landing: Landing) -> date | None:
    """The day of the source's last landing on an earlier day; None where this is of the first day."""
    days = [each.landing.seen_on for each in before if each.landing.seen_on is not None]
    return max((day for day in days if landing.seen_on is not None and day < landing.seen_on), default=None)


def _late(before: Sequence[Counted], landing: Landing, zone: ZoneInfo) -> bool:
    """Whether a landing has rows that should have come with an earlier one of its source."""
    detail, seen = landing.file.detail, _seen_before(before, landing)
    if seen is None or detail["first_known_at"] is None or detail.get("versions", False):
        return False
    return datetime.fromisoformat(detail["first_known_at"]) < instant(seen, zone=zone)
