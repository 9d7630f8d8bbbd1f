"""What databases refuse, in words of ours: theirs may quote a value of a row, and are looked at, not passed on."""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

# Starts of PostgreSQL's codes, the longest first.
_POSTGRESQL = {
    "22": "a value does not fit what the query does with it (a cast, a division by zero)",
    "25006": "the query writes, and a source only reads",
    "28": "it does not let us in: look at the user in url, and at the password",
    "3D000": "there is no database of the name in url",
    "3F000": "a schema that the query names is not there",
    "42501": "the user has no right to read what the query names",
    "42601": "the query is not valid SQL of this database",
    "42703": "a column that the query names is not there",
    "42883": "the query calls a function that is not there, or not for such types",
    "42P01": "a table that the query names is not there",
    "42": "the query does not fit the database",
    "53": "it has no room, memory or connection left",
    "57014": "it took too long and was stopped by the server",
    "57": "it is starting up or shutting down, or was stopped",
    "58": "it has trouble with its disk",
    "0A000": "the query asks for what this database cannot do",
}
_MYSQL = {
    1040: "it has no connection left",
    1044: "the user has no right to read this database",
    1045: "it does not let us in: look at the user in url, and at the password",
    1049: "there is no database of the name in url",
    1054: "a column that the query names is not there",
    1060: "two columns of the answer have one name; give each its own by AS",
    1064: "the query is not valid SQL of this database",
    1142: "the user has no right to read what the query names",
    1143: "the user has no right to read what the query names",
    1146: "a table that the query names is not there",
    1305: "the query calls a function that is not there",
    1370: "the query calls a function that is not there, or that the user may not run",
    1690: "a number of the query is out of range",
    1698: "it does not let us in: look at the user in url, and at the password",
    1792: "the query writes, and a source only reads",
    1969: "it took too long and was stopped by the server",
    2003: "it does not answer: look at the host and port in url, and whether the server runs",
    2013: "it does not answer, or the connection was lost: look at host and port in url, and whether the server runs",
    2026: "the server takes no encrypted connections, or its certificate is not the one that sslrootcert names",
    3024: "it took too long and was stopped by the server",
    3159: "the server wants an encrypted connection; write ?sslmode=require",
}
_SQLITE = {
    "SQLITE_BUSY": "another process is writing it; run again later",
    "SQLITE_CANTOPEN": "it cannot be opened; see that the file may be read",
    "SQLITE_CORRUPT": "the file is damaged",
    "SQLITE_INTERRUPT": "it took too long and was stopped",
    "SQLITE_NOTADB": "the file is no SQLite database",
    "SQLITE_READONLY": "the query writes, and a source only reads",
}
# SQLite has one code for all that is wrong with a query.
_OF_A_QUERY = (
    (re.compile("no such table"), "a table that the query names is not there"),
    (re.compile("no such column"), "a column that the query names is not there"),
    (re.compile("no such function"), "the query calls a function that is not there"),
    (re.compile("UTF-8|decode"), "a text is not UTF-8; cast it in the query, or correct it there"),
)
_AT_THE_DOOR = (
    (
        re.compile("does not support SSL"),
        "the server is another machine and takes no encrypted connections; let it, or go through an SSH tunnel",
    ),
    (
        re.compile("certificate|SSL error", re.IGNORECASE),
        "its certificate is not the one that sslrootcert names, or nobody vouches for it",
    ),
    # Whatever the server's language.
    (re.compile("FATAL"), "it does not let us in: look at the user and the database in url, and at the password"),
    _OF_A_QUERY[-1],
)


def refusal(error: SQLAlchemyError) -> str:
    """What went wrong, by the code that the driver or the server gives."""
    theirs = getattr(error, "orig", None)
    number = theirs.args[0] if theirs is not None and theirs.args else None
    if isinstance(number, int):
        return f"{_MYSQL.get(number, 'it refuses')} (code {number})"
    state = getattr(theirs, "sqlstate", None)
    if isinstance(state, str):
        words = next((_POSTGRESQL[state[:n]] for n in (5, 2) if state[:n] in _POSTGRESQL), "it refuses")
        return f"{words} (code {state})"
    name = getattr(theirs, "sqlite_errorname", None)
    if isinstance(name, str):
        return _of_sqlite(name, theirs)
    return _at_the_door(theirs)


def _of_sqlite(name: str, theirs: Any) -> str:
    if name == "SQLITE_ERROR":
        for pattern, words in _OF_A_QUERY:
            if pattern.search(str(theirs)):
                return words
        return "the query is not valid SQL of this database"
    start = next((code for code in _SQLITE if name.startswith(code)), None)
    return _SQLITE[start] if start else f"it refuses (code {name})"


def _at_the_door(theirs: Any) -> str:
    """Where there is no code there was no connection, or it broke off, or the driver could not read a value."""
    if getattr(getattr(theirs, "pgconn", None), "needs_password", False):
        return "it asks for a password, and there is none: set the environment variable that password_env names"
    for pattern, words in _AT_THE_DOOR:
        if pattern.search(str(theirs)):
            return words
    if any(kind.__name__ == "OperationalError" for kind in type(theirs).__mro__):
        return "it does not answer: look at the host and port in url, and whether the server runs"
    return "a value of the answer cannot be read (a date of no calendar, as 'infinity'?); cast it to text in the query"
