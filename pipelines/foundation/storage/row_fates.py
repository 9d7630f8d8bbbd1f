"""How the rows of one landed file fare beside those that counted before: one with one, in SQL."""

# ruff: noqa: S608 - names are those of contracts, and texts are quoted

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import duckdb
import pyarrow as pa

from features.contract import Table, local_day
from pipelines.foundation.storage.landed_parquet import GROUP_ROWS, landed_schema, write_parquet
from pipelines.foundation.storage.sql_text import identifier, identifiers, moment, parquet, quoted

# Those with a row's own name; then how many rows of earlier landings ended, how many stand beside such a row that they
# may have been meant to replace, and how many of earlier landings go on though this one lacks them.
FATES = ("again", "new", "late", "news", "changed", "corrected", "ended", "beside", "lacked")
ENDS_SCHEMA = pa.schema([("position", pa.int64()), ("source_row", pa.int64()), ("known_until", pa.timestamp("us"))])


@dataclass(frozen=True, kw_only=True)
class CountedBefore:
    """What counted of an earlier landing. path: where that came from; reading: names how its text became values.

    position: among the landings of its source.
    is_counted: whether `rows` were counted, and not landed as they are. state_from: from when a landed file's values
    as of its export are known.
    """

    position: int
    path: str
    reading: str
    rows: Path
    is_counted: bool
    state_from: datetime | None


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """The landing that is compared. keyed: its rows have keys of their own. versions: they tell when each was known.

    since: the moment from which what it brings is known; None: it was not noted, and is believed as it is. seen_before:
    the moment at which the source's last landing of an earlier day began to count; None: there is none.
    """

    contract: Table
    path: str
    reading: str
    rows: Path
    keyed: bool
    versions: bool
    new_file: Literal["rows", "period", "state"]
    corrects_past: bool
    since: datetime | None
    seen_before: datetime | None
    state_from: datetime | None

    @property
    def schema(self) -> pa.Schema:
        """Of the rows that count: as landed, and from when each row's values as of the export are known."""
        return landed_schema(self.contract).append(pa.field("state_from", pa.timestamp("us")))


class Comparison:
    """The comparison of one landing with what counted before, in SQL.

    Two rows are one where all their values are equal; as often as they stand in one file. Of the others, two are
    readings of one fact where they share its key, or, where rows have no key, all values that have no clock of their
    own (a line is the same line once it was returned).
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        arrival: Arrival,
        before: Sequence[CountedBefore],
        ended: Sequence[Path],
    ) -> None:
        """Fill `fates` (of each row of the arrival: fate, known_at), `rows` (those that count) and `ends`.

        before: the landings that may hold a row of the arrival, or one that ends with it. ended: what any landing
        before it ended.
        """
        self._connection, self._arrival, self._contract = connection, arrival, arrival.contract
        made = () if arrival.keyed else self._contract.key
        declared = [column for column in self._contract.columns if column.name not in made]
        self._clocked = {column.name: column.known_at for column in declared if column.known_at}
        own = ["known_at"] if arrival.versions else []
        self._values = [*(column.name for column in declared), *own]
        lasting = [column.name for column in declared if not column.known_at]
        self._fact = [*(self._contract.key if arrival.keyed else lasting), *own]
        self._read(before, ended)
        self._match()
        self._name_fates()
        self._end()

    @property
    def fates(self) -> dict[str, int]:
        found = dict(self._connection.execute("SELECT fate, count(*) FROM fates GROUP BY fate").fetchall())
        return {name: int(found.get(name, 0)) for name in FATES} | {
            "ended": self._one("SELECT count(*) FROM ends WHERE gone"),
            "beside": self._beside(),
            "lacked": self._lacked(),
        }

    @property
    def ends(self) -> int:
        return int(self._one("SELECT count(*) FROM ends"))

    def first(self, table: str, clock: str) -> str | None:
        found = self._one(f"SELECT min({clock})::VARCHAR FROM {table}")
        return None if found is None else str(found).replace(" ", "T")

    def write_rows(self, place: Path) -> None:
        names = list(self._contract.landed)
        order = [name for name in ("customer_id", self._contract.happened_at) if name in names]
        query = f"SELECT {identifiers(names)}, state_from FROM rows ORDER BY {identifiers([*order, 'source_row'])}"
        write_parquet(place, self._connection.execute(query).to_arrow_reader(GROUP_ROWS), self._arrival.schema)

    def write_ends(self, place: Path) -> None:
        found = self._connection.execute("SELECT position, source_row, known_until FROM ends ORDER BY ALL")
        write_parquet(place, found.to_arrow_reader(GROUP_ROWS), ENDS_SCHEMA)

    def _read(self, before: Sequence[CountedBefore], ended: Sequence[Path]) -> None:
        """`arrived`: the landing. `alive`: what counted before and has not ended; of a key only its last version."""
        columns, arrival = identifiers(self._contract.landed), self._arrival
        nothing = "NULL::TIMESTAMP AS state_from, NULL::BIGINT AS position, '' AS reading, '' AS path"
        parts = [f"SELECT {columns}, {nothing} FROM {parquet(arrival.rows)} WHERE false"]
        ends = ["SELECT NULL::BIGINT AS position, NULL::BIGINT AS source_row WHERE false"]
        for each in before:
            state = "state_from" if each.is_counted else f"{moment(each.state_from)} AS state_from"
            told = f"{state}, {each.position}, {quoted(each.reading)}, {quoted(each.path)}"
            parts.append(f"SELECT {columns}, {told} FROM {parquet(each.rows)}")
        ends += [f"SELECT position, source_row FROM {parquet(each)}" for each in ended]
        order = "ORDER BY position DESC, source_row DESC"
        last = (
            f"QUALIFY row_number() OVER (PARTITION BY {identifiers(self._fact)} {order}) = 1" if arrival.keyed else ""
        )
        run = self._connection.execute
        run(f"CREATE VIEW counting AS {' UNION ALL '.join(parts)}")
        run(f"CREATE TABLE gone AS {' UNION ALL '.join(ends)}")
        run(f"CREATE VIEW newest AS SELECT * FROM counting {last}")
        run("CREATE TABLE alive AS SELECT * FROM newest ANTI JOIN gone USING (position, source_row)")
        run(f"CREATE VIEW arrived AS SELECT {columns} FROM {parquet(arrival.rows)}")

    def _match(self) -> None:
        """`again`: rows of the landing that are there. `pairs`: rows that tell a fact otherwise than it was told."""
        self._connection.execute(f"CREATE TABLE again AS {self._paired('arrived', 'alive', self._values)}")
        self._connection.execute("CREATE VIEW arrived_left AS SELECT * FROM arrived ANTI JOIN again USING (source_row)")
        self._connection.execute(
            "CREATE VIEW alive_left AS SELECT alive.* FROM alive ANTI JOIN again "
            "ON again.position = alive.position AND again.before_row = alive.source_row"
        )
        self._connection.execute(f"CREATE TABLE pairs AS {self._paired('arrived_left', 'alive_left', self._fact)}")

    def _paired(self, left: str, right: str, names: Sequence[str]) -> str:
        """One with one: rows equal in some columns, the first of each side with the first, and so on."""
        by, clocks = identifiers(names), [name for name in self._clocked if name not in names]
        same = _same("l", "r", names)

        def numbered(table: str, *place: str) -> str:
            order = ", ".join(f"{identifier(each)} NULLS FIRST" for each in (*clocks, *place))
            turn = f"row_number() OVER (PARTITION BY {by} ORDER BY {order}) AS turn"
            return f"(SELECT {by}, {', '.join(place)}, {turn} FROM {table})"

        return f"""
            SELECT l.source_row, r.position, r.source_row AS before_row
            FROM {numbered(left, "source_row")} AS l JOIN {numbered(right, "position", "source_row")} AS r
            ON {same} AND l.turn = r.turn
        """

    def _name_fates(self) -> None:
        arrival, arrives, before = self._arrival, moment(self._arrival.since), moment(self._arrival.seen_before)
        state = moment(arrival.state_from)
        lasting = [name for name in self._values if name not in self._clocked]
        believed = arrival.since is None or arrival.corrects_past
        on_time = believed or arrival.seen_before is None or arrival.versions
        fresh = "true" if on_time else f"known_at >= {before}"
        news = f"{_same('l', 'r', lasting)} AND {self._happened_since()}"
        corrected = "true" if believed else f"r.reading <> {quoted(arrival.reading)}"
        self._connection.execute(f"""
            CREATE TABLE fates AS
            SELECT source_row, 'again' AS fate, NULL::TIMESTAMP AS known_at, NULL::TIMESTAMP AS state_from FROM again
            UNION ALL
            SELECT source_row, fate, CASE fate WHEN 'corrected' THEN own WHEN 'news' THEN greatest(own, was)
                ELSE greatest(own, was, {arrives}) END, CASE fate WHEN 'news' THEN state ELSE {state} END
            FROM (
                SELECT l.source_row, l.known_at AS own, r.known_at AS was, r.state_from AS state,
                    CASE WHEN {corrected} THEN 'corrected' WHEN {news} THEN 'news' ELSE 'changed' END AS fate
                FROM pairs JOIN arrived AS l USING (source_row)
                JOIN alive AS r ON r.position = pairs.position AND r.source_row = pairs.before_row
            )
            UNION ALL
            SELECT source_row, CASE WHEN {fresh} THEN 'new' ELSE 'late' END,
                CASE WHEN {fresh} THEN known_at ELSE greatest(known_at, {arrives}) END, {state}
            FROM arrived_left ANTI JOIN pairs USING (source_row)
        """)
        self._connection.execute(
            "CREATE VIEW rows AS SELECT arrived.* REPLACE (fates.known_at AS known_at), fates.state_from "
            "FROM arrived JOIN fates USING (source_row) WHERE fate <> 'again'"
        )

    def _happened_since(self) -> str:
        """Whether values with a clock of their own that are new are too young for an earlier landing to have them."""
        before = self._arrival.seen_before
        told = ["true"]
        for name, clock in self._clocked.items():
            later = "true" if before is None else f"coalesce(l.{identifier(clock)} >= {moment(before)}, false)"
            told.append(f"({_same('l', 'r', [name])} OR (r.{identifier(name)} IS NULL AND {later}))")
        return " AND ".join(told)

    def _end(self) -> None:
        """Rows that hold no longer: those told otherwise, where no key makes them versions; those no longer there."""
        arrival, moment_of = self._arrival, identifier(self._contract.happened_at)
        day_of = identifier(local_day(self._contract.happened_at))
        # What a system tells of the last days begins at some hour of the first: what was before it is not told anew.
        begins, ends = f"(SELECT min({moment_of}) FROM arrived)", f"(SELECT max({day_of}) FROM arrived)"
        replaced = {
            "state": "true",
            "period": f"{moment_of} >= {begins} AND {day_of} <= {ends}",
            # Without keys nothing tells a longer file from another: a path holds what it held last.
            "rows": "false" if arrival.keyed else f"path = {quoted(arrival.path)}",
        }[arrival.new_file]
        believed = arrival.since is None or arrival.corrects_past
        end = "r.known_at" if believed else f"greatest(r.known_at, {moment(arrival.since)})"
        self._connection.execute(f"""
            CREATE TABLE ends AS
            SELECT pairs.position, before_row AS source_row, false AS gone,
                CASE fate WHEN 'changed' THEN fates.known_at ELSE r.known_at END AS known_until
            FROM pairs JOIN fates USING (source_row)
            JOIN alive AS r ON r.position = pairs.position AND r.source_row = pairs.before_row
            WHERE {"fate = 'corrected'" if arrival.keyed else "true"}
            UNION ALL
            SELECT r.position, r.source_row, true, {end}
            FROM alive_left AS r ANTI JOIN pairs ON pairs.position = r.position AND pairs.before_row = r.source_row
            WHERE {replaced}
        """)

    def _beside(self) -> int:
        """New rows without a key that differ from one that goes on, and is not in this file, in numbers alone.

        It may be a line that was put right, or another of the same order; nothing in the rows tells which.
        """
        if self._arrival.keyed:
            return 0
        texts = [each.name for each in self._contract.columns if each.kind == "text" and each.name in self._fact]
        return int(
            self._one(f"""
                WITH other AS (
                    SELECT * FROM alive_left ANTI JOIN ends USING (position, source_row)
                )
                SELECT count(*) FROM arrived_left AS l ANTI JOIN pairs USING (source_row)
                WHERE EXISTS (FROM other AS r WHERE {_same("l", "r", [self._contract.happened_at, *texts])})
            """)
        )

    def _lacked(self) -> int:
        """Contracts that go on by what was told before, and are not in a landing that tells most such anew.

        A landing of what changed tells few anew; one of all, or of all that go on, tells nearly each.
        """
        if not self._arrival.keyed or self._contract.ends is None or self._arrival.new_file != "rows":
            return 0
        going_on = f"{identifier(self._contract.ends)} IS NULL"
        of = int(self._one(f"SELECT count(*) FROM alive WHERE {going_on}"))
        lacked = int(
            self._one(f"""
                SELECT count(*) FROM alive_left AS r ANTI JOIN pairs
                ON pairs.position = r.position AND pairs.before_row = r.source_row WHERE {going_on}
            """)
        )
        return lacked if 2 * lacked <= of else 0

    def _one(self, query: str) -> Any:
        found = self._connection.execute(query).fetchone()
        return None if found is None else found[0]


def _same(left: str, right: str, names: Sequence[str]) -> str:
    return " AND ".join(f"{left}.{identifier(name)} IS NOT DISTINCT FROM {right}.{identifier(name)}" for name in names)
