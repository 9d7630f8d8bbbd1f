"""One short visit to PostgreSQL, and what its refusals mean."""

from __future__ import annotations

import math
import os
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import Cursor
from psycopg.conninfo import conninfo_to_dict

from pipelines.foundation.settings.addresses import PERHAPS_OPEN, stays_here
from pipelines.foundation.settings.destinations import Sql
from pipelines.operations.delivery.connector import DestinationError, UnavailableError

# Of one record: its values (22), a rule that it breaks (23, 44, P0: what a trigger raises), a key too long (54).
_OF_THE_RECORD = re.compile("22|23|44|P0|54")
# Of the moment: connection, conflict, resources, locks, shutting down, trouble with the disk, a server made a copy.
_PASSING = re.compile("08|40|53|55|57|58|XX|25006|25P0")
# A server that takes nobody at the moment says so before it has a code for us, in its own language.
_FULL = re.compile(
    "too many|remaining connection|starting up|shutting down|recovery|not yet accepting"
    "|trop de|emplacements de connexion|démarrage|arrêt|restauration|récupération"
)
_SAID_NO = re.compile(r"FATAL:\s*(.*)")

# Times come back as we write them whatever the server's own settings are, and nothing is waited for beyond the time
# that one call may take. All of it ends with the transaction: a pooler may hand the connection to somebody else.
_AS_WE_WRITE = """
SELECT set_config('TimeZone', 'UTC', true), set_config('DateStyle', 'ISO, YMD', true),
       set_config('statement_timeout', %(ms)s, true)
"""
# Starts of PostgreSQL's codes, the longest first.
_MEANINGS = {
    "22001": "a text is too long",
    "22003": "a number is out of range",
    "22": "a value does not fit its column",
    "23502": "a value is missing",
    "23505": "a value is there already that may be there once",
    "23": "a rule of the table is broken",
    "42501": "the user has no right to do it",
    "42703": "a column is not there",
    "42804": "a column is of another type",
    "3F000": "its schema is not there",
    "40P01": "a deadlock: two waited for each other",
    "P0001": "a trigger of the table refuses it",
    "53": "it has no room or memory left",
    "57014": "it took too long, a timeout",
}
_NO_TLS = re.compile("server does not support SSL")
_GRACE_SECONDS = 2.0  # the server's own time limit comes first, where it is alive


def refusal(error: psycopg.Error) -> str:
    """What the database refuses, by its code and column: its own words quote the value that it does not take.

    >>> refusal(psycopg.errors.UndefinedTable("no such table"))
    'code 42P01'
    """
    column = f", column {error.diag.column_name}" if error.diag.column_name else ""
    column += f", rule {error.diag.constraint_name}" if error.diag.constraint_name else ""
    meaning = next((words for start, words in _MEANINGS.items() if (error.sqlstate or "").startswith(start)), None)
    code = f"code {error.sqlstate}" if error.sqlstate else "no code"
    return f"{meaning}, {code}{column}" if meaning else f"{code}{column}"


def of_the_record(error: psycopg.Error) -> bool:
    """Whether other records may do where these did not."""
    return bool(error.sqlstate and _OF_THE_RECORD.match(error.sqlstate))


@contextmanager
def visit(plan: Sql) -> Iterator[Cursor[Any]]:
    """One connection and one transaction, written when it ends well.

    Raises: UnavailableError where it may do another time; then all of it may have been written, or nothing.
    DestinationError, where somebody has to do something.
    """
    try:
        with _connected(plan) as connection, _not_longer(connection, plan.timeout_seconds + _GRACE_SECONDS):
            cursor = connection.cursor()
            cursor.execute(_AS_WE_WRITE, {"ms": str(max(1, round(plan.timeout_seconds * 1000)))})
            yield cursor
    except psycopg.Error as error:
        raise _explained(plan, error) from None


def encryption(plan: Sql) -> str | None:
    """The sslmode to ask for where nobody does: that it is encrypted, unless it stays on this machine.

    Raises: DestinationError where the address or PGSSLMODE says that it need not be.
    """
    try:
        told = conninfo_to_dict(plan.address)
    except psycopg.Error:
        return None  # it is none, and to connect says so
    if stays_here(str(told.get("hostaddr") or told.get("host") or os.environ.get("PGHOST", ""))):
        return None
    mode = str(told.get("sslmode") or os.environ.get("PGSSLMODE", ""))
    if mode in PERHAPS_OPEN:
        raise DestinationError(
            f'destination "{plan.name}": sslmode is {mode}, so that scores and password could be read on their way to '
            "another machine; write sslmode=verify-full or sslmode=require"
        )
    return None if mode else "require"


def _connected(plan: Sql) -> psycopg.Connection[Any]:
    seconds = max(2, math.ceil(plan.timeout_seconds))  # PostgreSQL's library waits two seconds at least
    try:
        connection = psycopg.connect(
            plan.address,
            application_name="attrition",
            connect_timeout=seconds,
            tcp_user_timeout=seconds * 1000,
            prepare_threshold=None,
            sslmode=encryption(plan),
        )
    except psycopg.OperationalError as error:
        found = _SAID_NO.search(str(error))
        no = found.group(1) if found else ""
        if error.pgconn and error.pgconn.needs_password:
            no = "it asks for a password"
        if _NO_TLS.search(str(error)):
            raise DestinationError(
                f'destination "{plan.name}": the server is another machine and takes no encrypted connections; '
                "let it, or deliver through an SSH tunnel to this one"
            ) from None
        if no and not _FULL.search(str(error)):
            raise DestinationError(
                f'destination "{plan.name}": the database does not let us in ({no}); look at the address, and '
                "at PGUSER and PGPASSWORD or ~/.pgpass"
            ) from None
        raise UnavailableError(f'destination "{plan.name}": {no or "no connection to the database"}') from None
    except psycopg.Error:
        raise DestinationError(
            f'destination "{plan.name}": the address is none of PostgreSQL; write it like postgresql://host/database'
        ) from None
    connection.isolation_level = psycopg.IsolationLevel.READ_COMMITTED
    return connection


@contextmanager
def _not_longer(connection: psycopg.Connection[Any], seconds: float) -> Iterator[None]:
    """Hang up after a time: a server that is frozen keeps its connections open and never answers."""
    line = socket.socket(fileno=socket.dup(connection.fileno()))

    def hang_up() -> None:
        line.shutdown(socket.SHUT_RDWR)

    watch = threading.Timer(seconds, hang_up)
    watch.daemon = True
    watch.start()
    try:
        yield
    finally:
        watch.cancel()
        watch.join()
        line.close()


def _explained(plan: Sql, error: psycopg.Error) -> DestinationError | UnavailableError:
    state = error.sqlstate or ""
    said = refusal(error)
    if _PASSING.match(state) or (not state and isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)):
        return UnavailableError(f'destination "{plan.name}": {said if state else "the connection was lost"}')
    remedy = "give the user that right" if state == "42501" else f"look at table {plan.table}"
    return DestinationError(f'destination "{plan.name}": the database refuses ({said}); {remedy}')
