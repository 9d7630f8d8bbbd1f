"""Pseudonyms of customers, where settings want no ids kept, and the one file that leads back from them."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from features.errors import DataError, SettingsError
from pipelines.foundation.identity.keys import key, named
from pipelines.foundation.settings.settings import Settings
from pipelines.foundation.storage.landings import LANDED
from pipelines.foundation.storage.store import Store

KEY, VARIABLE = "pseudonyms", "ATTRITION_PSEUDONYM_KEY"
DIGITS = 32  # half of a SHA-256: two of a thousand million customers share one with a chance below 1e-20
LEAST = 16
FILE = ".attrition-identities.sqlite"


@dataclass(frozen=True)
class Pseudonyms:
    """Pseudonyms made with a key. secret: the key; without it none can be made from an id, nor tried."""

    secret: bytes

    def of(self, customer: str) -> str:
        """A customer's name, the same in every table and run.

        >>> Pseudonyms(b"key").of("C-17")[:12]
        '9c0d70d47979'
        """
        return named(self.secret, customer)[:DIGITS]


def pseudonyms(store: Store, settings: Settings) -> Pseudonyms | None:
    """Those of a workspace; None where it computes with the customers' own ids.

    Raises: SettingsError where the key of the environment is too short, IntegrityError where it is not that of before,
    DataError as `refuse_mixture`.
    """
    refuse_mixture(store, settings)
    if not settings.privacy.pseudonymise:
        return None
    given = os.environ.get(VARIABLE)
    if given is not None and len(given) < LEAST:
        raise SettingsError(f"{VARIABLE} is shorter than {LEAST} characters, and could be guessed; take a longer one")
    secret = key(store, KEY, given=given)
    if secret is None:
        raise AssertionError("a key is made where there is none")
    return Pseudonyms(secret)


def refuse_mixture(store: Store, settings: Settings) -> None:
    """Raise DataError where files have landed the other way: ids and pseudonyms are never mixed."""
    wanted = settings.privacy.pseudonymise
    other = [file for file in store.files(LANDED) if file.detail.get("pseudonymised", False) != wanted]
    if other:
        before, now = ("own ids", "pseudonyms") if wanted else ("pseudonyms", "own ids")
        raise DataError(
            f"files have landed in {store.root} with the customers' {before}, and privacy.pseudonymise wants {now}; "
            "the two are never mixed, so make a new workspace with these settings, or set it back"
        )


class Identities:
    """One row per customer, own id and pseudonym: a file that only its owner may read, and delivery alone does."""

    def __init__(self, root: Path) -> None:
        self.place = root / FILE

    def add(self, customers: Mapping[str, str]) -> None:
        """Note customers, own id to pseudonym."""
        with self._opened() as connection:
            connection.executemany("INSERT OR IGNORE INTO identities VALUES (?, ?)", customers.items())

    @cached_property
    def _known(self) -> dict[str, str]:
        """Own ids by pseudonym, as they were when they were first asked for."""
        with self._opened() as connection:
            return dict(connection.execute("SELECT pseudonym, customer_id FROM identities").fetchall())

    def own(self, names: Iterable[str]) -> list[str]:
        """The own id of each pseudonym. Raises: DataError where one is not known."""
        known = self._known
        try:
            return [known[name] for name in names]
        except KeyError:
            raise DataError(
                f"{self.place} does not know every customer that was scored; restore it from a backup, or delete the "
                "folder landed/ and run `attrition ingest` again"
            ) from None

    def delete_customers(self, customers: Iterable[str]) -> int:
        """Delete customers by their own ids; how many were known."""
        if not self.place.exists():
            return 0
        with self._opened() as connection:
            done = sum(
                connection.execute("DELETE FROM identities WHERE customer_id = ?", (customer,)).rowcount
                for customer in customers
            )
        with closing(sqlite3.connect(self.place, isolation_level=None)) as connection:
            connection.execute("VACUUM")
        return done

    def know(self, customer: str) -> bool:
        if not self.place.exists():
            return False
        with self._opened() as connection:
            return (
                connection.execute("SELECT 1 FROM identities WHERE customer_id = ?", (customer,)).fetchone() is not None
            )

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        if not self.place.exists():
            os.close(os.open(self.place, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW, 0o600))
        with closing(sqlite3.connect(self.place, timeout=30)) as connection, connection:
            connection.execute("PRAGMA secure_delete = ON")
            connection.execute(
                "CREATE TABLE IF NOT EXISTS identities (customer_id TEXT NOT NULL PRIMARY KEY, pseudonym TEXT NOT NULL)"
            )
            yield connection
