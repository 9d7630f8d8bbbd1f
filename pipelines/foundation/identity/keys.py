"""Secret keys of a workspace, each in a file that only its owner may read, and names made with them."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from pathlib import Path

from features.errors import IntegrityError
from pipelines.foundation.storage.atomic_file import atomic_write
from pipelines.foundation.storage.store import Store

BYTES = 32


def key(
    store: Store, name: str, *, given: str | None = None, make: bool = True, mark: str | None = None
) -> bytes | None:
    """The key of a name: `given`, otherwise that of the file `.attrition-NAME.key`, made once. None: there is none yet.

    mark: what the key makes of its name, where that is known from elsewhere than the ledger, which may be a new one.

    Raises: IntegrityError where it is not the key of before: what was named with that would be recognised no more.
    """
    place, noted = place_of_key(store, name), marked(store, name)
    mark = noted or mark
    if given:
        found = hashlib.sha256(given.encode()).digest()
    elif place.exists():
        found = _read(place)
    elif mark is None and make:
        found = _made(place)
    elif mark is None:
        return None
    else:
        raise IntegrityError(
            f"{place} is missing, and customers were named with the key in it; restore it from a backup"
        )
    if mark not in {None, named(found, name)}:
        raise IntegrityError(
            f"the key of {name} is not the one with which customers were named in {store.root}; restore that one"
        )
    if noted is None and make:
        with store.transaction() as ledger:
            ledger.execute("INSERT OR IGNORE INTO keys VALUES (?, ?)", (name, named(found, name)))
    return found


def named(secret: bytes, text: str) -> str:
    """HMAC-SHA256 of a text, as 64 hexadecimal digits: without the key nobody can tell whose it is, or try who it is.

    >>> named(b"key", "C-17")[:12]
    '9c0d70d47979'
    """
    return hmac.digest(secret, text.encode(), "sha256").hex()


def _made(place: Path) -> bytes:
    found = secrets.token_bytes(BYTES)
    with (
        atomic_write(place) as temporary,
        os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as handle,
    ):
        handle.write(found.hex())
    return found


def _read(place: Path) -> bytes:
    try:
        with place.open("rb") as handle:
            found = bytes.fromhex(handle.read(4 * BYTES).decode("ascii"))
    except ValueError:
        found = b""
    if len(found) != BYTES:
        raise IntegrityError(f"{place} does not hold a key as it was made; restore it from a backup")
    return found


def place_of_key(store: Store, name: str) -> Path:
    """Where the key of a name lies."""
    return store.root / f".attrition-{name}.key"


def marked(store: Store, name: str) -> str | None:
    """What the ledger notes the key of a name by; None where it knows of no such key."""
    with store.reading() as ledger:
        row = ledger.execute("SELECT mark FROM keys WHERE name = ?", (name,)).fetchone()
    return None if row is None else str(row["mark"])
