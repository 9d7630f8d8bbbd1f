"""The table of PostgreSQL that scores are written to: what it must be, and how it is made."""

from __future__ import annotations

from typing import Any, Literal

from psycopg import Cursor
from psycopg.sql import SQL, Identifier
from psycopg.sql import Literal as Quoted

from pipelines.foundation.settings.delivered_fields import FIELDS, KEY, Kind
from pipelines.foundation.settings.destinations import Sql
from pipelines.operations.delivery.connector import DestinationError

# The first is what we make; the others hold the same values.
TYPES: dict[Kind, tuple[str, ...]] = {
    "text": ("text", "character varying"),
    "choice": ("text", "character varying"),
    "number": ("double precision",),
    "integer": ("integer", "bigint"),
    "flag": ("boolean",),
    "date": ("date",),
    "datetime": ("timestamp with time zone",),
}

_LONGEST = 63  # bytes of a name; PostgreSQL cuts longer ones, and two could become one

_COLUMNS = """
SELECT attname, format_type(atttypid, NULL) FROM pg_catalog.pg_attribute
WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped
"""

# A unique index over the key alone, without which no row can be found by it.
_UNIQUE = """
SELECT count(*) FROM pg_catalog.pg_index JOIN pg_catalog.pg_attribute ON attrelid = indrelid AND attnum = indkey[0]
WHERE indrelid = to_regclass(%s) AND indisunique AND indisvalid AND indimmediate AND indpred IS NULL
  AND indnkeyatts = 1 AND attname = %s
"""


def named(*parts: str) -> Identifier:
    """A name in a statement with parameters, in which a percent sign has to stand twice."""
    return Identifier(*(part.replace("%", "%%") for part in parts))


class Table:
    """Written `table` or `schema.table`; a name that cannot be kept as it is raises DestinationError."""

    def __init__(self, plan: Sql) -> None:
        self.plan = plan
        self.fields = plan.remote.all()
        self.columns = {field.name: remote for remote, field in self.fields.items()}
        parts = plan.table.split(".")
        if len(parts) > 2:
            raise self._not_so(f'table "{plan.table}" has more than one point; write "table" or "schema.table"')
        for name in [*parts, *self.fields]:
            if not name or "\0" in name or len(name.encode(errors="replace")) > _LONGEST:
                raise self._not_so(
                    f'"{name}" cannot be a name there: 1 to {_LONGEST} bytes; change table, prefix or names'
                )
        if len(self.fields) != len(FIELDS) or KEY in self.fields:
            raise self._not_so("two fields have the same column; change prefix or names")
        self.quoted = Identifier(*parts)
        self.named = named(*parts)

    def make(self, cursor: Cursor[Any], *, language: Literal["en", "fr"]) -> list[str]:
        """Make the table, or the columns that it lacks, labelled in a language; their names. Nothing else changes."""
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [f"attrition {self.plan.table}"])
        types = {KEY: "text", **{remote: TYPES[field.kind][0] for remote, field in self.fields.items()}}
        there = self._there(cursor)
        if there:
            self._fits(cursor, there)
            missing = [name for name in types if name not in there]
            for name in missing:
                cursor.execute(
                    SQL("ALTER TABLE {} ADD COLUMN {} {}").format(self.quoted, Identifier(name), SQL(types[name]))
                )
        else:
            missing = list(types)
            columns = [SQL("{} {}").format(Identifier(name), SQL(kind)) for name, kind in types.items()]
            columns.append(SQL("PRIMARY KEY ({})").format(Identifier(KEY)))
            cursor.execute(SQL("CREATE TABLE {} ({})").format(self.quoted, SQL(", ").join(columns)))
        for name in missing:
            if name in self.fields:
                label = self.fields[name].fr if language == "fr" else self.fields[name].en
                column = SQL("{}.{}").format(self.quoted, Identifier(name))
                cursor.execute(SQL("COMMENT ON COLUMN {} IS {}").format(column, Quoted(label)))
        return missing

    def check(self, cursor: Cursor[Any]) -> None:
        """Raise DestinationError where the table is not what is needed, or may not be written; nothing is changed."""
        there = self._there(cursor)
        if not there:
            raise self._not_so(f"table {self.plan.table} is not there; {self._remedy}")
        missing = [name for name in [KEY, *self.fields] if name not in there]
        if missing:
            raise self._not_so(f"table {self.plan.table} has no column {', '.join(missing)}; {self._remedy}")
        self._fits(cursor, there)
        rights = ["SELECT", "UPDATE", *(["INSERT"] if self.plan.create else [])]
        for right in rights:
            cursor.execute("SELECT has_table_privilege(to_regclass(%s), %s)", [self._name(cursor), right])
            if cursor.fetchone() != (True,):
                raise self._not_so(
                    f"the user may not {right} in table {self.plan.table}; let an owner run "
                    f"GRANT {', '.join(rights)} ON {self.plan.table}"
                )
        cursor.execute("SELECT pg_is_in_recovery()")
        if cursor.fetchone() == (True,):
            raise self._not_so("the address leads to a copy that only reads; give that of the primary server")

    def _there(self, cursor: Cursor[Any]) -> dict[str, str]:
        cursor.execute(_COLUMNS, [self._name(cursor)])
        return dict(cursor.fetchall())

    def _fits(self, cursor: Cursor[Any], there: dict[str, str]) -> None:
        wanted = {KEY: TYPES["text"], **{remote: TYPES[field.kind] for remote, field in self.fields.items()}}
        for name, types in wanted.items():
            if name in there and there[name] not in types:
                raise self._not_so(
                    f"column {name} of table {self.plan.table} is {there[name]}, and should be {types[0]}; rename it, "
                    "or give our field another name in `names`"
                )
        cursor.execute(_UNIQUE, [self._name(cursor), KEY])
        if KEY not in there or cursor.fetchone() == (0,):
            raise self._not_so(
                f"table {self.plan.table} has no primary key on {KEY}; add it, or name a table that is not there yet"
            )

    def _name(self, cursor: Cursor[Any]) -> str:
        return self.quoted.as_string(cursor)

    @property
    def _remedy(self) -> str:
        return f"run `attrition crm setup --destination {self.plan.name}`"

    def _not_so(self, said: str) -> DestinationError:
        return DestinationError(f'destination "{self.plan.name}": {said}')
