"""Raw rows to rows that keep their table's contract, and rows that do not, each with its reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
import pyarrow as pa

from features.contract import ROW_CLOCKS, Column, Table, local_day
from features.errors import DataError
from pipelines.data.sources.raw_rows import RawRows, physical
from pipelines.data.sources.value_sql import Reading
from pipelines.foundation.identity.erased_customers import ERASED
from pipelines.foundation.identity.masking import Masking
from pipelines.foundation.identity.pseudonyms import Pseudonyms
from pipelines.foundation.settings.sources import Source
from pipelines.foundation.storage.landed_parquet import REJECTED_SCHEMA
from pipelines.foundation.storage.sql_text import identifier, quoted

GUEST = "a guest"  # the reason of a row whose customer is none
SHARED_IDS = ("customer_id", "product_id")  # they name the same whoever exports them

_CLOCKS = {clock.name for clock in ROW_CLOCKS}
_SHOWN_CHARACTERS = 60
_BATCH_ROWS = 65_536

_REASONS_SQL = """
    SELECT count(*) AS times, fault, min(source_row) AS source_row
    FROM rejects WHERE fault NOT IN ('erased', 'a guest') GROUP BY fault ORDER BY times DESC, fault LIMIT 3
"""


@dataclass(frozen=True)
class CommonReason:
    """Rejected rows that share what is wrong. fault: that, without a value; source_row: of the first of them."""

    times: int
    fault: str
    source_row: int


class TypedRows:
    """One file's rows, typed and judged: `landed` and `rejected` count them, the batches hand them out."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, name: str, raw: RawRows, contract: Table, masking: Masking
    ) -> None:
        self._connection, self._name, self._raw, self._contract = connection, name, raw, contract
        self._masking = masking
        self.notes, self.headings = raw.notes, raw.headings
        self.identities: dict[str, str] = {}  # own id to pseudonym, of every customer that lands

    @classmethod
    def of(
        cls,
        connection: duckdb.DuckDBPyConnection,
        name: str,
        raw: RawRows,
        contract: Table,
        *,
        source_sha256: str,
        masking: Masking,
        source: Source,
    ) -> TypedRows:
        """Type and judge every row. `connection` must have the clock functions: see `workbench`.

        masking: erased customers' rows are rejected, whatever they hold; where there are pseudonyms, customers land
        under these, and of a rejected row only its number and what is wrong with it are kept.
        Raises: DataError where one key stands for two different rows.
        """
        rows = cls(connection, name, raw, contract, masking)
        connection.execute(_typing_sql(raw, contract, source, made=source_sha256[:12]))
        if source.guests and "customer_id" in raw.readings:
            rows._set_guests_aside(source.guests)
        if masking.erased and "customer_id" in raw.readings:
            rows._set_erased_aside()
        if masking.pseudonyms and "customer_id" in raw.readings:
            rows._rename(masking.pseudonyms)
        connection.execute("CREATE TABLE repeats (source_row BIGINT, first_row BIGINT)")
        if contract.key and all(name in raw.readings for name in contract.key):
            rows._settle_repeats()
        connection.execute("""
            CREATE TABLE rejects AS
            SELECT source_row, why AS reason, fault FROM typed WHERE why IS NOT NULL
            UNION ALL SELECT source_row, concat('repeats row ', first_row), 'repeats an earlier row' FROM repeats
        """)
        return rows

    @property
    def landed(self) -> int:
        return self._one("SELECT count(*) FROM typed WHERE why IS NULL") - self._one("SELECT count(*) FROM repeats")

    @property
    def rejected(self) -> int:
        return self._one("SELECT count(*) FROM rejects")

    @property
    def set_aside(self) -> int:
        """How many of the rejected rows are no faulty ones: of somebody erased, of nobody, or met before."""
        theirs = self._one(f"SELECT count(*) FROM rejects WHERE fault IN ('{ERASED}', '{GUEST}')")  # noqa: S608 - constants
        return theirs + self._one("SELECT count(*) FROM repeats")

    @property
    def first_known_at(self) -> str | None:
        """The UTC moment at which the first landed row became known: no snapshot before it depends on this file."""
        found = self._connection.execute("SELECT min(known_at)::VARCHAR FROM typed WHERE why IS NULL").fetchone()
        return None if found is None or found[0] is None else str(found[0]).replace(" ", "T")

    @property
    def span(self) -> tuple[str, str] | None:
        """The local days of the first and the last landed row; None without any."""
        day = identifier(local_day(self._contract.happened_at))
        found = self.ask(f"SELECT min({day})::VARCHAR, max({day})::VARCHAR FROM typed WHERE why IS NULL")  # noqa: S608 - quoted
        return None if found is None or found[0] is None else (found[0], found[1])

    @property
    def exported_on(self) -> str | None:
        """The newest day of export that the rows tell; None where the source does not map it."""
        if "exported_at" not in self._raw.readings:
            return None
        found = self.ask("SELECT max(local_day(exported_at))::VARCHAR FROM typed")
        return None if found is None else found[0]

    @property
    def filled(self) -> set[str]:
        """The columns that the source has."""
        return set(self._raw.readings)

    def ask(self, query: str, *parameters: object) -> Any:
        """The first row of what a query finds in `typed`: a row per raw row, `why` null where it lands."""
        return self._connection.execute(query, list(parameters)).fetchone()

    def currencies(self) -> dict[str, tuple[int, int]]:
        """Each currency that stands in the rows, with how many rows and the first of them."""
        if not any(column.kind == "currency" for column in self._contract.columns):
            return {}
        found = self._connection.execute(
            "SELECT currency, count(*), min(source_row) FROM typed WHERE currency IS NOT NULL AND why IS NULL "
            "GROUP BY currency ORDER BY currency"
        ).fetchall()
        return {currency: (times, row) for currency, times, row in found}

    def landed_batches(self) -> pa.RecordBatchReader:
        """One row per fact: the contract's landed columns, a customer's facts side by side and in order of time."""
        contract = self._contract
        columns = ", ".join(identifier(name) for name in contract.landed)
        declared = [column.name for column in contract.columns]
        order = [name for name in ("customer_id", contract.happened_at) if "customer_id" in declared]
        return self._batches(
            f"SELECT {columns} FROM typed ANTI JOIN repeats USING (source_row) WHERE why IS NULL "  # noqa: S608 - quoted
            f"ORDER BY {', '.join([*map(identifier, order), 'source_row'])}"
        )

    def rejected_batches(self, *, at_most: int | None = None) -> pa.RecordBatchReader:
        """One row per rejected row: source_row, reason, source (the file's name), raw_row (all of it, as JSON).

        A row that names an erased customer, in whichever of its values, has the reason `erased` and no raw_row.
        """
        first = "rejects" if at_most is None else f"(FROM rejects ORDER BY source_row LIMIT {at_most})"
        reason, row = ("reason", "raw_row") if self._masking.pseudonyms is None else ("fault", "NULL::VARCHAR")
        found = self._batches(
            f"SELECT source_row, {reason} AS reason, {quoted(self._name)} AS source, {row} AS raw_row "  # noqa: S608 - quoted
            f"FROM {first} JOIN ({self._raw.texts}) USING (source_row) ORDER BY source_row"
        )
        if not self._masking.erased:
            return found
        return pa.RecordBatchReader.from_batches(REJECTED_SCHEMA, map(self._masking.erased.masked, found))

    def common_reasons(self) -> list[CommonReason]:
        """The three most frequent reasons for rejecting."""
        return [CommonReason(*row) for row in self._connection.execute(_REASONS_SQL).fetchall()]

    def _set_guests_aside(self, guests: Sequence[str]) -> None:
        empty = "OR fault = 'customer_id is empty'" if "" in guests else ""
        theirs = f"customer_id IN (SELECT unnest(?::VARCHAR[])) {empty}"
        self._connection.execute(
            f"UPDATE typed SET why = '{GUEST}', fault = '{GUEST}' WHERE {theirs}",  # noqa: S608 - constants
            [list(guests)],
        )

    def _set_erased_aside(self) -> None:
        customers = self._connection.execute("SELECT DISTINCT customer_id FROM typed WHERE customer_id IS NOT NULL")
        names = self._masking.erased.among(customers.to_arrow_table()["customer_id"].to_pylist())
        self._connection.execute(
            f"UPDATE typed SET why = '{ERASED}', fault = '{ERASED}' WHERE customer_id IN (SELECT unnest(?::VARCHAR[]))",  # noqa: S608 - a constant
            [names],
        )

    def _rename(self, pseudonyms: Pseudonyms) -> None:
        found = self._connection.execute("SELECT DISTINCT customer_id FROM typed WHERE why IS NULL").to_arrow_table()
        self.identities = {customer: pseudonyms.of(customer) for customer in found["customer_id"].to_pylist()}
        names = pa.table({"own": list(self.identities), "name": list(self.identities.values())})
        self._connection.register("names", names.cast(pa.schema([("own", pa.string()), ("name", pa.string())])))
        self._connection.execute("UPDATE typed SET customer_id = names.name FROM names WHERE customer_id = names.own")
        self._connection.unregister("names")

    def _settle_repeats(self) -> None:
        contract, connection = self._contract, self._connection
        # Versions differ in when they became known; where the source does not say, a key may stand once.
        names = [*contract.key, "known_at"] if "known_at" in self._raw.readings else list(contract.key)
        by = ", ".join(identifier(name) for name in names)
        connection.execute(
            f"CREATE TABLE twins AS SELECT {by} FROM typed WHERE why IS NULL GROUP BY ALL HAVING count(*) > 1"  # noqa: S608 - quoted
        )
        values = ", ".join(identifier(name) for name in contract.landed if name != "source_row")
        connection.execute(f"""
            CREATE TABLE versions AS
            SELECT {by}, source_row, first_value(source_row) OVER same AS first_row,
                row({values}) IS DISTINCT FROM first_value(row({values})) OVER same AS differs
            FROM typed SEMI JOIN twins USING ({by}) WHERE why IS NULL
            WINDOW same AS (PARTITION BY {by} ORDER BY source_row)
        """)  # noqa: S608 - quoted
        self._refuse_contradictions()
        connection.execute(
            "INSERT INTO repeats SELECT source_row, first_row FROM versions WHERE source_row <> first_row"
        )

    def _refuse_contradictions(self) -> None:
        key = ", ".join(identifier(name) for name in self._contract.key)
        found = self._connection.execute(
            f"SELECT count(DISTINCT row({key})) OVER (), first_row, source_row FROM versions WHERE differs "  # noqa: S608 - quoted
            "ORDER BY source_row LIMIT 1"
        ).fetchone()
        if found is None:
            return
        count, first_row, row = found
        noun = self._contract.name.replace("_", " ")
        appear = f"{count:,} {noun} appear" if count > 1 else f"1 {noun.removesuffix('s')} appears"
        mapped = "known_at" in self._raw.readings
        versions = "" if mapped else "; if they are versions, map known_at: when each became known"
        lines = (
            "; if they are lines of one order, their table is order_lines" if self._contract.name == "orders" else ""
        )
        raise DataError(
            f"{appear} twice in {self._name} with different values (first: rows {first_row} and {row}), so "
            f"which of them holds cannot be told{lines}{versions}; otherwise correct them where the file comes from"
        )

    def _batches(self, query: str) -> pa.RecordBatchReader:
        return self._connection.execute(query).to_arrow_reader(_BATCH_ROWS)

    def _one(self, query: str) -> int:
        found = self._connection.execute(query).fetchone()
        return 0 if found is None else int(found[0])


def _typing_sql(raw: RawRows, contract: Table, source: Source, *, made: str) -> str:
    """One row per raw row: typed values; where the contract is broken why, and fault, which quotes no value."""
    values = [f"{_named(reading.value, name, source)} AS {identifier(name)}" for name, reading in raw.readings.items()]
    columns = [part for column in contract.columns for part in _landed_columns(column, raw, made)]
    happened = identifier(contract.happened_at)
    known = f"greatest(known_at, {happened})" if "known_at" in raw.readings else happened
    exported = "exported_at" if "exported_at" in raw.readings else "NULL::TIMESTAMP"
    reasons = [_reason(name, reading, contract, quote=True) for name, reading in raw.readings.items()]
    faults = [_reason(name, reading, contract, quote=False) for name, reading in raw.readings.items()]
    return f"""
        CREATE TABLE typed AS
        SELECT {", ".join(columns)}, {known} AS known_at, {exported} AS exported_at, source_row,
            CASE WHEN ragged IS NULL THEN nullif(concat_ws('; ', {", ".join(reasons)}), '') ELSE ragged END AS why,
            CASE WHEN ragged IS NULL THEN nullif(concat_ws('; ', {", ".join(faults)}), '') ELSE ragged END AS fault
        FROM (SELECT *, {", ".join(values)} FROM ({raw.cells}))
    """  # noqa: S608 - quoted


def _named(value: str, name: str, source: Source) -> str:
    """A value as it is called here: in small letters, or with a mark before a key that others use, too."""
    value = f"lower({value})" if name in source.lower_case else value
    ours = name.endswith("_id") and name not in SHARED_IDS  # ids of customers and products are the company's own
    return f"{quoted(source.key_prefix)} || ({value})" if source.key_prefix and ours else value


def _landed_columns(column: Column, raw: RawRows, made: str) -> list[str]:
    name = identifier(column.name)
    if column.name in raw.readings:
        found = name
    elif column.made_when_absent:
        found = f"concat({quoted(made + ':')}, source_row)"
    else:
        found = f"NULL::{physical(column.kind)}"
    on = f"local_day({found})" if column.name in raw.readings else "NULL::DATE"
    day = [f"{on} AS {identifier(local_day(column.name))}"] if column.kind == "timestamp" else []
    return [f"{found} AS {name}", *day]


def _reason(name: str, reading: Reading, contract: Table, *, quote: bool) -> str:
    """SQL of what is wrong with a value, in words; null where nothing is."""
    required = name in _CLOCKS or contract.column(name).required
    more = f"CASE WHEN length({reading.shown}) > {_SHOWN_CHARACTERS} THEN '…' END"
    shown = f"'''', left({reading.shown}, {_SHOWN_CHARACTERS}), {more}, ''' '"
    start = f"{quoted(name + ' ')}, {shown}" if quote else quoted(name + " ")
    faults = " ".join(f"WHEN {condition} THEN concat({start}, {quoted(words)})" for condition, words in reading.faults)
    empty = quoted(f"{name} is empty") if required else "NULL"
    return (
        f"CASE WHEN {reading.empty} THEN {empty} WHEN {identifier(name)} IS NOT NULL THEN NULL "
        f"{faults or 'WHEN false THEN NULL'} END"
    )
