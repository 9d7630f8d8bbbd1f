"""Raw rows to rows that keep their table's contract, and rows that do not, each with its reason."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from features.contract import Table, local_day
from features.errors import DataError
from pipelines.data.landing.typing_sql import typing_sql
from pipelines.data.sources.raw_rows import RawRows
from pipelines.foundation.identity.erased_customers import ERASED
from pipelines.foundation.identity.masking import Masking
from pipelines.foundation.identity.pseudonyms import Pseudonyms
from pipelines.foundation.settings.sources import Source
from pipelines.foundation.storage.landed_parquet import GROUP_ROWS, REJECTED_SCHEMA, landed_schema
from pipelines.foundation.storage.sql_text import identifier, quoted

GUEST = "a guest"  # the reason of a row whose customer is none

# Numbered in their order: numbers are sorted in half the time that texts take.
_CUSTOMERS_SQL = """
    CREATE TABLE customers AS
    SELECT
        customer_id, count(*) AS times, min(source_row) AS first_row, row_number() OVER (ORDER BY customer_id) AS place
    FROM typed WHERE why IS NULL GROUP BY customer_id
"""
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
        self,
        connection: duckdb.DuckDBPyConnection,
        name: str,
        raw: RawRows,
        contract: Table,
        masking: Masking,
        *,
        made: str,
    ) -> None:
        self._connection, self._name, self._raw, self._contract = connection, name, raw, contract
        self._masking, self._made = masking, made
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
        rows = cls(connection, name, raw, contract, masking, made=source_sha256[:12])
        connection.execute(typing_sql(raw, contract, source))
        if "customer_id" in raw.readings:
            if source.guests:
                rows._set_guests_aside(source.guests)
            if masking.erased:
                rows._set_erased_aside()
            if masking.pseudonyms:
                rows._rename(masking.pseudonyms)
            connection.execute(_CUSTOMERS_SQL)
        connection.execute("CREATE TABLE repeats (source_row BIGINT, first_row BIGINT)")
        if contract.key and raw.readings.keys() >= set(contract.key):
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
        (found,) = self.ask(f"SELECT min({identifier(self._known)})::VARCHAR FROM typed WHERE why IS NULL")  # noqa: S608 - quoted
        return None if found is None else str(found).replace(" ", "T")

    @property
    def span(self) -> tuple[str, str] | None:
        """The local days of the first and the last landed row; None without any."""
        day = identifier(local_day(self._contract.happened_at))
        found = self.ask(f"SELECT min({day})::VARCHAR, max({day})::VARCHAR FROM typed WHERE why IS NULL")  # noqa: S608 - quoted
        return None if found[0] is None else (found[0], found[1])

    @property
    def exported_on(self) -> str | None:
        """The newest day of export that the rows tell; None where the source does not map it."""
        if "exported_at" not in self._raw.readings:
            return None
        (found,) = self.ask("SELECT max(local_day(exported_at))::VARCHAR FROM typed")
        return None if found is None else str(found)

    @property
    def filled(self) -> set[str]:
        """The columns that the source has."""
        return set(self._raw.readings)

    def ask(self, query: str, *parameters: object) -> Any:
        """The first row of what a query finds in `typed`: a row per raw row, `why` null where it lands.

        Its columns are those that the source has. `customers` has those of the rows that land: times, first_row.
        """
        return self._connection.execute(query, list(parameters)).fetchone()

    def ask_all(self, query: str) -> pa.Table:
        """All rows of what a query finds in them."""
        return self._connection.execute(query).to_arrow_table()

    def currencies(self) -> dict[str, tuple[int, int]]:
        """Each currency that stands in the rows, with how many rows and the first of them."""
        if "currency" not in self.filled:
            return {}
        found = self._connection.execute(
            "SELECT currency, count(*), min(source_row) FROM typed WHERE currency IS NOT NULL AND why IS NULL "
            "GROUP BY currency ORDER BY currency"
        ).fetchall()
        return {currency: (times, row) for currency, times, row in found}

    def landed_batches(self) -> Iterator[pa.RecordBatch]:
        """One row per fact: the contract's landed columns, a customer's facts side by side and in order of time."""
        schema, made = landed_schema(self._contract), quoted(self._made + ":")
        stored = {name: identifier(name) for name in schema.names if name in self._stored}
        for column in self._contract.columns:
            if column.made_when_absent and column.name not in self.filled:
                stored[column.name] = f"concat({made}, source_row) AS {identifier(column.name)}"
        customers = "LEFT JOIN customers USING (customer_id)" if "customer_id" in self.filled else ""
        order = [*(["place", identifier(self._contract.happened_at)] if customers else []), "source_row"]
        found = self._batches(
            f"SELECT {', '.join(stored.values())} FROM typed {customers} ANTI JOIN repeats USING (source_row) "  # noqa: S608 - quoted
            f"WHERE why IS NULL ORDER BY {', '.join(order)}"
        )
        # What no column of the source fills is not sorted along: it is nothing, or said already.
        known = {"known_at": self._known} if "known_at" not in stored else {}
        absent = {field.name: pa.nulls(GROUP_ROWS, field.type) for field in schema if field.name not in stored | known}
        for batch in found:
            columns = [
                absent[name].slice(0, batch.num_rows) if name in absent else batch[known.get(name, name)]
                for name in schema.names
            ]
            yield pa.record_batch(columns, schema=schema)

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

    @property
    def _known(self) -> str:
        """The column that says when a row became known."""
        return "known_at" if "known_at" in self.filled else self._contract.happened_at

    @property
    def _stored(self) -> set[str]:
        """The columns of `typed` that land."""
        return {*self.filled, *map(local_day, self.filled), "source_row"} & self._contract.landed.keys()

    def _set_guests_aside(self, guests: Sequence[str]) -> None:
        empty = "OR fault = 'customer_id is empty'" if "" in guests else ""
        theirs = f"customer_id IN (SELECT unnest(?::VARCHAR[])) {empty}"
        self._connection.execute(
            f"UPDATE judged SET why = '{GUEST}', fault = '{GUEST}' WHERE {theirs}",  # noqa: S608 - constants
            [list(guests)],
        )

    def _set_erased_aside(self) -> None:
        customers = self.ask_all("SELECT DISTINCT customer_id FROM typed WHERE customer_id IS NOT NULL")
        names = self._masking.erased.among(customers["customer_id"].to_pylist())
        theirs = "customer_id IN (SELECT unnest(?::VARCHAR[]))"
        self._connection.execute(f"UPDATE judged SET why = '{ERASED}', fault = '{ERASED}' WHERE {theirs}", [names])  # noqa: S608 - constants

    def _rename(self, pseudonyms: Pseudonyms) -> None:
        found = self.ask_all("SELECT DISTINCT customer_id FROM typed WHERE why IS NULL")
        self.identities = {customer: pseudonyms.of(customer) for customer in found["customer_id"].to_pylist()}
        names = pa.table({"own": list(self.identities), "name": list(self.identities.values())})
        self._connection.register("names", names.cast(pa.schema([("own", pa.string()), ("name", pa.string())])))
        self._connection.execute("UPDATE judged SET customer_id = names.name FROM names WHERE customer_id = names.own")
        self._connection.unregister("names")

    def _settle_repeats(self) -> None:
        contract, connection = self._contract, self._connection
        # Versions differ in when they became known; where the source does not say, a key may stand once.
        names = [*contract.key, "known_at"] if "known_at" in self._raw.readings else list(contract.key)
        by = ", ".join(identifier(name) for name in names)
        if not self._may_repeat(by):
            return
        connection.execute(
            f"CREATE TABLE twins AS SELECT {by} FROM typed WHERE why IS NULL GROUP BY ALL HAVING count(*) > 1"  # noqa: S608 - quoted
        )
        values = ", ".join(identifier(name) for name in sorted(self._stored - {"source_row"}))
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

    def _may_repeat(self, by: str) -> bool:
        """Whether two rows that land may have the same values; false where they cannot: no hash of theirs is twice.

        Hashes, of 8 bytes, are sorted in a fifth of the time in which DuckDB groups texts. Systems export in the order
        of their ids: where each is beyond the one before it, nothing is sorted.
        """
        if "," not in by:
            beyond = f"SELECT {by} > lag({by}) OVER () AS beyond FROM typed WHERE why IS NULL"  # noqa: S608 - quoted
            if self._one(f"SELECT count(*) FROM ({beyond}) WHERE beyond IS NOT TRUE") <= 1:  # noqa: S608 - the first
                return False
        found = self.ask_all(f"SELECT hash({by}) AS found FROM typed WHERE why IS NULL")  # noqa: S608 - quoted
        hashes = np.sort(found["found"].to_numpy())
        return bool((hashes[1:] == hashes[:-1]).any())

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
        versions = "" if "known_at" in self.filled else "; if they are versions, map known_at: when each became known"
        lines = (
            "; if they are lines of one order, their table is order_lines" if self._contract.name == "orders" else ""
        )
        raise DataError(
            f"{appear} twice in {self._name} with different values (first: rows {first_row} and {row}), so "
            f"which of them holds cannot be told{lines}{versions}; otherwise correct them where the file comes from"
        )

    def _batches(self, query: str) -> pa.RecordBatchReader:
        return self._connection.execute(query).to_arrow_reader(GROUP_ROWS)

    def _one(self, query: str) -> int:
        return int(self.ask(query)[0])
