"""A query of the settings as a database is asked it: one SELECT, inside another, which takes nothing but a SELECT."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

import sqlalchemy as sa
from sqlglot import Dialect, Token, TokenError, TokenType

from features.errors import SettingsError

_DIALECTS = {
    "postgresql": "postgres",
    "mysql": "mysql",
    "sqlite": "sqlite",
    "mssql": "tsql",
    "bigquery": "bigquery",
    "snowflake": "snowflake",
}
_SINCE = "since"
_OPENING, _CLOSING = {TokenType.L_PAREN}, {TokenType.R_PAREN}
_STARTS = {TokenType.SELECT, TokenType.WITH, TokenType.L_PAREN}


@dataclass(frozen=True)
class Statement:
    """One SELECT. text: as it was written. system: whose SQL it is. sinces: where `:since` stands in it."""

    text: str
    system: str
    sinces: tuple[int, ...]

    @classmethod
    def of(cls, text: str, *, system: str, where: str) -> Statement:
        """Look a query over. where: what messages call it.

        Raises: SettingsError where it is not one SELECT. What the database itself takes for one, it says.
        """
        try:
            tokens = Dialect.get_or_raise(_DIALECTS[system]).tokenize(text)
        except TokenError:
            raise SettingsError(
                f"{where}: is not valid SQL: a quote, a name or a comment is opened and never closed"
            ) from None
        while tokens and tokens[-1].token_type == TokenType.SEMICOLON:
            tokens = tokens[:-1]
        _refuse(tokens, where)
        # MySQL runs what stands in such comments.
        if system == "mysql" and ("/*!" in text or "/*M!" in text):
            raise SettingsError(
                f"{where}: holds a comment that MySQL runs (/*! ... */); write what it says, or leave it out"
            )
        end = tokens[-1].end + 1
        return cls(text=text[:end], system=system, sinces=tuple(_sinces(tokens)))

    def rows(self, since: datetime) -> sa.TextClause:
        """What asks for all rows."""
        return self._asking(since, "")

    def headings(self, since: datetime) -> sa.TextClause:
        """What asks for the columns, and no row."""
        return self._asking(since, " WHERE 1 = 0")

    def _asking(self, since: datetime, end: str) -> sa.TextClause:
        parts, start = [], 0
        for place in self.sinces:
            parts += [_plain(self.text[start:place]), f":{_SINCE}"]
            start = place + 1 + len(_SINCE)
        parts.append(_plain(self.text[start:]))
        # In lines of its own: a comment at its end would hide what follows.
        asked = sa.text(f"SELECT * FROM (\n{''.join(parts)}\n) AS answer{end}")  # noqa: S608 - the user's own, read only
        if not self.sinces:
            return asked
        # SQLite keeps moments as text.
        value = f"{since:%Y-%m-%d %H:%M:%S}" if self.system == "sqlite" else since
        return asked.bindparams(sa.bindparam(_SINCE, value, sa.String() if self.system == "sqlite" else sa.DateTime()))


def _plain(text: str) -> str:
    """Text in which no colon stands for a parameter, as SQLAlchemy reads it."""
    return text.replace(":", "\\:")


def _sinces(tokens: list[Token]) -> list[int]:
    return [
        first.start
        for first, second in pairwise(tokens)
        if first.token_type == TokenType.COLON and second.start == first.end + 1 and second.text.lower() == _SINCE
    ]


def _refuse(tokens: list[Token], where: str) -> None:
    kinds = [token.token_type for token in tokens]
    if not kinds or kinds[0] not in _STARTS:
        raise SettingsError(f"{where}: is not one SELECT; a source may read, and neither write nor set anything")
    if TokenType.SEMICOLON in kinds:
        raise SettingsError(f"{where}: holds more than one statement; a source is one SELECT")
    if TokenType.INTO in kinds:
        raise SettingsError(f"{where}: SELECT ... INTO writes, and a source only reads; leave INTO out")
    depth = 0
    for kind in kinds:
        depth += (kind in _OPENING) - (kind in _CLOSING)
        if depth < 0:
            break
    if depth:
        raise SettingsError(f"{where}: is not valid SQL: its parentheses do not close as they open")
