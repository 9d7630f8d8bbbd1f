"""One connection to a database, in which nothing can be written, and which does not last longer than it may."""

from __future__ import annotations

import os
import socket
import sqlite3
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Timer
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.exc import NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from features.errors import DataError, SettingsError
from pipelines.data.sources.database.refusals import refusal
from pipelines.foundation.settings.database_url import DatabaseUrl, database_url
from pipelines.foundation.settings.sources import DEFAULT_PASSWORD_ENV, DatabaseSource
from pipelines.foundation.storage.workspace_paths import is_ours, refuse_outside

_MINUTE = 60.0  # seconds
_GRACE_SECONDS = 2.0  # the server's own time limit comes first, where it is alive
_CONNECT_SECONDS = 15
_DRIVERS = {"postgresql": "postgresql+psycopg", "mysql": "mysql+pymysql"}
_EXTRAS = {"postgresql": "attrition[postgresql]", "mysql": "attrition[mysql]"}
_PACKAGES = {"mssql": "pyodbc", "bigquery": "sqlalchemy-bigquery", "snowflake": "snowflake-sqlalchemy"}


@contextmanager
def connected(root: Path, source: DatabaseSource) -> Iterator[sa.Connection]:
    """A connection in its one transaction, which reads and writes nothing; what it refuses is told in words.

    Raises: SettingsError, DataError.
    """
    seconds, expired, begun_at = source.time_limit_minutes * _MINUTE, Event(), time.monotonic()
    try:
        engine = _engine(root, source)
        sa.event.listen(engine, "handle_error", _close_cursor)
        with engine.connect() as connection, _not_longer(connection, source, seconds, expired):
            _read_only(connection, database_url(source.url).system, seconds)
            yield connection
    except (SQLAlchemyError, UnicodeDecodeError) as error:
        # The server stops it at the same limit, and may come first.
        if expired.is_set() or time.monotonic() - begun_at >= seconds:
            raise _too_long(source) from None
        if isinstance(error, UnicodeDecodeError):
            raise DataError(f"{source.name}: a text is not of the character set that the database names") from None
        raise DataError(f"{source.name}: the database: {refusal(error)}") from None


def _close_cursor(context: sa.ExceptionContext) -> None:
    """SQLAlchemy leaves it open where the connection is lost, and the driver complains of that much later."""
    cursor: Any = getattr(context.execution_context, "cursor", None)
    if cursor is not None:
        with suppress(Exception):  # what it says of a lost connection is known by now
            cursor.close()


def _too_long(source: DatabaseSource) -> SettingsError:
    minutes = source.time_limit_minutes
    return SettingsError(
        f"{source.name}: took longer than {minutes} minute{'s' * (minutes != 1)} and was stopped; raise "
        "time_limit_minutes of this source, or ask for less at a time (cursor)"
    )


def _engine(root: Path, source: DatabaseSource) -> sa.Engine:
    url = database_url(source.url)
    try:
        if url.system == "sqlite":
            place = _file(root, source, url)
            return sa.create_engine("sqlite://", creator=lambda: _sqlite(place), poolclass=NullPool)
        address = sa.URL.create(
            _DRIVERS.get(url.system, url.system),
            username=url.user,
            password=_password(source),
            host=url.host or None,
            port=url.port,
            database=url.database,
            query={} if url.system in _DRIVERS else dict(url.options),
        )
        return sa.create_engine(address, connect_args=_connect_args(url), poolclass=NullPool, hide_parameters=True)
    except (NoSuchModuleError, ModuleNotFoundError):
        package = _EXTRAS.get(url.system) or _PACKAGES[url.system]
        raise SettingsError(
            f'{source.name}: reading {url.system} needs a package that is not installed: pip install "{package}"'
        ) from None
    except OSError:
        raise SettingsError(f"{source.name}: the file that sslrootcert names cannot be read") from None


def _password(source: DatabaseSource) -> str | None:
    """Never from the settings. The variable is not named here: somebody may have put the password itself there."""
    password = os.environ.get(source.password_env)
    if password is None and source.password_env != DEFAULT_PASSWORD_ENV:
        raise SettingsError(
            f"{source.name}: the environment variable that password_env names is not set; set it to the password"
        )
    return password


def _connect_args(url: DatabaseUrl) -> dict[str, Any]:
    options = dict(url.options)
    if url.system == "postgresql":
        found: dict[str, Any] = {
            "application_name": "attrition",
            "connect_timeout": _CONNECT_SECONDS,
            "prepare_threshold": None,
        }
        if url.tls:
            found["sslmode"] = url.tls
        if "sslrootcert" in options:
            found["sslrootcert"] = options["sslrootcert"]
        return found
    if url.system == "mysql":
        found = {"charset": "utf8mb4", "connect_timeout": _CONNECT_SECONDS, "read_timeout": _CONNECT_SECONDS}
        if url.tls == "disable":
            return found | {"ssl_disabled": True}
        if url.tls and url.tls not in ("allow", "prefer"):
            found["ssl"] = _tls(url.tls, options.get("sslrootcert"))
        return found
    return {}


def _tls(mode: str, certificates: str | None) -> ssl.SSLContext:
    """As PostgreSQL's library understands its sslmode: "require" alone believes any certificate."""
    context = ssl.create_default_context(cafile=certificates)
    if mode != "verify-full":
        context.check_hostname = False
    if mode == "require" and certificates is None:
        context.verify_mode = ssl.CERT_NONE
    return context


def _file(root: Path, source: DatabaseSource, url: DatabaseUrl) -> Path:
    place = refuse_outside(root, root / url.database, setting=f"the database of table {source.table}")
    if is_ours(Path(url.database)):
        raise SettingsError(
            f"{source.name}: {url.database} is a file of attrition's own, and no source; name an export"
        )
    if not place.is_file():
        raise SettingsError(
            f"{source.name}: {url.database} is not there (the database of table {source.table}); put the file there"
        )
    return place


def _sqlite(place: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(f"file:{quote(str(place))}?mode=ro", uri=True, check_same_thread=False)
    connection.execute("PRAGMA query_only = ON")
    connection.execute("PRAGMA trusted_schema = OFF")
    return connection


def _read_only(connection: sa.Connection, system: str, seconds: float) -> None:
    """All of it ends with the transaction, or the connection: a pooler may hand it to somebody else."""
    if system == "postgresql":
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        connection.exec_driver_sql("SET LOCAL TimeZone = 'UTC'")
        connection.exec_driver_sql("SET LOCAL DateStyle = 'ISO, YMD'")
        connection.exec_driver_sql(f"SET LOCAL statement_timeout = {max(1, round(seconds * 1000))}")
        _json_as_text(connection)
    if system == "mysql":
        theirs: Any = connection.connection.dbapi_connection
        theirs._read_timeout = seconds + _GRACE_SECONDS  # noqa: SLF001 - from here on it may think for so long
        connection.exec_driver_sql("SET SESSION time_zone = '+00:00'")
        limit = (
            f"max_statement_time = {seconds}"
            if getattr(connection.dialect, "is_mariadb", False)
            else f"max_execution_time = {max(1, round(seconds * 1000))}"
        )
        connection.exec_driver_sql(f"SET SESSION {limit}")
        connection.exec_driver_sql("START TRANSACTION READ ONLY")


def _json_as_text(connection: sa.Connection) -> None:
    """JSON as it was written: numbers in it are not read and written anew."""
    from psycopg.types.string import TextLoader

    adapters = connection.connection.dbapi_connection.adapters  # type: ignore[union-attr]
    for name in ("json", "jsonb"):
        adapters.register_loader(name, TextLoader)


@contextmanager
def _not_longer(connection: sa.Connection, source: DatabaseSource, seconds: float, expired: Event) -> Iterator[None]:
    """Stop after a time: a server that is frozen keeps its connections open and never answers."""
    theirs: Any = connection.connection.dbapi_connection
    system = database_url(source.url).system
    line = socket.socket(fileno=socket.dup(theirs.fileno())) if system == "postgresql" else None

    def stop() -> None:
        expired.set()
        if line is not None:
            with suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)
        elif system == "sqlite":
            theirs.interrupt()

    watch = Timer(seconds, stop)
    watch.daemon = True
    watch.start()
    try:
        yield
        if expired.is_set():
            raise _too_long(source)
    finally:
        watch.cancel()
        watch.join()
        if line is not None:
            line.close()
