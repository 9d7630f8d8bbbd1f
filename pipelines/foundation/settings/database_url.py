"""Where a database is, as a source says it: without its password, and encrypted unless it stays on this machine."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, urlsplit

from pipelines.foundation.settings.addresses import PERHAPS_OPEN, stays_here
from pipelines.foundation.settings.section import CONTROLS, inside

TESTED = ("postgresql", "mysql", "sqlite")
UNTESTED = ("mssql", "bigquery", "snowflake")
SYSTEMS = (*TESTED, *UNTESTED)

_TLS = ("sslmode", "sslrootcert")  # all that the url of a PostgreSQL or MySQL may say after its question mark
_MODES = ("require", "verify-ca", "verify-full", *PERHAPS_OPEN)
_SECRET = re.compile(r"pass|pwd|token|secret|key|credentials_(?!path)|odbc_connect", re.IGNORECASE)
_NO_PASSWORD = (
    "url: it holds a password; leave it out, and set the environment variable ATTRITION_SOURCE_PASSWORD, or the one "  # noqa: S105 - words
    "that password_env names"
)
_FORM = (
    "url: write it like postgresql://user@db.example.com/shop, mysql://user@db.example.com/shop or sqlite:///shop.db"
)


@dataclass(frozen=True)
class DatabaseUrl:
    """The parts of an address. host: empty where the driver's own choice is meant. database: of SQLite the file."""

    system: str
    user: str | None
    host: str
    port: int | None
    database: str
    options: tuple[tuple[str, str], ...]

    @property
    def place(self) -> list[str | int | None]:
        """Which database it is, whoever asks it."""
        return [self.system, self.host, self.port, self.database]

    @property
    def tls(self) -> str | None:
        """The sslmode to ask for: encrypted, unless it stays on this machine; None: as the driver likes."""
        told = dict(self.options).get("sslmode")
        host = self.host
        if self.system == "postgresql":  # where the url is silent, PostgreSQL's library asks the environment
            host = os.environ.get("PGHOSTADDR") or host or os.environ.get("PGHOST", "")
            told = told or os.environ.get("PGSSLMODE")
        if stays_here(host):
            return told
        return told if told and told not in PERHAPS_OPEN else "require"


def database_url(value: str) -> DatabaseUrl:
    """The parts of an address. Raises: ValueError, which repeats nothing of it but names of options."""
    try:
        parts = urlsplit(value)
        port, host = parts.port, parts.hostname or ""
    except ValueError:
        raise ValueError(f"{_FORM} (a password stands in no url)") from None
    options = tuple(parse_qsl(parts.query, keep_blank_values=True))
    if parts.password is not None or any(_SECRET.search(name) for name, _ in options):
        raise ValueError(_NO_PASSWORD)
    # A password with a / or # in it would be taken for a path, and shown as one.
    if "@" in parts.path or parts.netloc.count("@") > 1 or parts.fragment or CONTROLS.search(value) or " " in value:
        raise ValueError(f"{_FORM} (a password stands in no url)")
    if parts.scheme not in SYSTEMS:
        raise ValueError(f"{_FORM}; also {', '.join(f'{name}://' for name in UNTESTED)}, which nobody has tested")
    found = DatabaseUrl(
        system=parts.scheme,
        user=unquote(parts.username) if parts.username else None,
        host=host,
        port=port,
        database=unquote(parts.path.removeprefix("/")),
        options=options,
    )
    _refuse(found, parts.netloc)
    return found


def without_user(value: str) -> str:
    """An address as it may be written down.

    >>> without_user("postgresql://shop@db.example.com/shop")
    'postgresql://db.example.com/shop'
    """
    start, mark, rest = value.partition("://")
    authority, slash, path = rest.partition("/")
    return f"{start}{mark}{authority.rpartition('@')[2]}{slash}{path}"


def _refuse(url: DatabaseUrl, netloc: str) -> None:
    if url.system == "sqlite":
        if netloc or url.options:
            raise ValueError("url: SQLite's is sqlite:/// and a file of the workspace, and nothing else")
        inside(url.database)
        return
    if not url.database:
        raise ValueError("url: names no database; write its name after the host, as in postgresql://host/shop")
    if url.system == "mysql" and not url.host:
        raise ValueError("url: names no host; write mysql://user@db.example.com/shop")
    options = dict(url.options)
    if url.system in ("postgresql", "mysql"):
        for name in options:
            if name not in _TLS:
                raise ValueError(f"url: after its question mark may stand {' and '.join(_TLS)}, and not '{name}'")
        if options.get("sslmode", "require") not in _MODES:
            raise ValueError("url: sslmode is one of require, verify-ca, verify-full")
    open_to_all = {name.lower(): told.lower() for name, told in url.options}
    unsure = options.get("sslmode") in PERHAPS_OPEN or open_to_all.get("encrypt") in ("no", "false", "optional", "0")
    if unsure and not stays_here(url.host):
        raise ValueError(
            "url: its connection need not be encrypted, so that rows and password could be read on their way to "
            "another machine; write sslmode=verify-full or sslmode=require"
        )
