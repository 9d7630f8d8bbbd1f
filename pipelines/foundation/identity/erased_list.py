"""The list of the erased outside of the ledger: they stay so when the ledger is lost, or replaced.

It is written ahead of the ledger. Where it knows more, that ledger is not the one in which they were erased last.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from features.errors import DataError, IntegrityError
from pipelines.foundation.identity.keys import key, marked, place_of_key
from pipelines.foundation.storage import disk_errors as disk
from pipelines.foundation.storage.atomic_file import atomic_write
from pipelines.foundation.storage.store import Store
from pipelines.foundation.storage.workspace_paths import MADE

FILE = ".attrition-erased.list"
KEY = "erased"  # whose key makes the hashes

_RECEIPT = re.compile(r"erased-([0-9a-f]{16})\.json")
_HASH = re.compile("[0-9a-f]{64}")
_MOST = 1 << 28  # bytes: some three million erased


def listed(store: Store) -> tuple[str | None, Mapping[str, str]]:
    """The mark of the key that the hashes were made with, and by each hash when it was erased.

    Raises: IntegrityError where the list is not as it was written.
    """
    place = store.root / FILE
    if not place.exists():
        return None, {}
    try:
        mark, erased = _read(place)
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
        raise IntegrityError(
            f"{place} is damaged, and it keeps out who was erased; restore it from a backup. If attrition.sqlite is "
            "the one with which customers were erased last, delete the list instead: it is written again from there"
        ) from None
    return mark, erased


def add(store: Store, mark: str, erased: Mapping[str, str]) -> None:
    """Note hashes, made with the key of a mark, and when each was erased; those that stand there stay."""
    content = dict(erased) | dict(listed(store)[1])
    document = {"key": mark, "erased": content, "sha256": _sealed(mark, content)}
    with atomic_write(store.root / FILE) as temporary:
        temporary.write_text(json.dumps(document, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def secret(store: Store, *, make: bool) -> bytes | None:
    """The key of the hashes. Raises: IntegrityError as `key`, also where list and ledger name different ones."""
    mark = listed(store)[0]
    _refuse_other(store, mark)
    return key(store, KEY, make=make, mark=mark)


def _refuse_other(store: Store, mark: str | None) -> None:
    its = marked(store, KEY)
    if None not in {mark, its} and mark != its:
        raise IntegrityError(
            f"{store.root / FILE} and {store.ledger} name erased customers with different keys, so one of them is not "
            "of this workspace; restore the one that is from a backup"
        )


def settle(store: Store) -> None:
    """Let list and ledger know of the same erased customers, where that can be. Whoever takes the workspace does this.

    A ledger that has listed nothing yet takes over who is in the list; an earlier release wrote no list.
    """
    mark, erased = listed(store)
    _refuse_other(store, mark)
    with store.reading() as ledger:
        rows = ledger.execute("SELECT digest, receipt FROM erasures").fetchall()
        used = ledger.execute("SELECT 1 FROM files UNION ALL SELECT 1 FROM score_runs").fetchone()
    known = {row["digest"]: _erased_at(store, row["receipt"]) for row in rows}
    if erased.keys() - known.keys() and not used:
        with store.transaction() as ledger:
            told = [(digest, json.dumps(_receipt(digest, at)), 1) for digest, at in erased.items()]
            ledger.executemany("INSERT OR IGNORE INTO erasures VALUES (?, ?, ?)", told)
            ledger.execute("INSERT OR IGNORE INTO keys VALUES (?, ?)", (KEY, mark))
    its = marked(store, KEY)
    if known.keys() - erased.keys() and its is not None:
        add(store, its, known)


def _erased_at(store: Store, receipt: str) -> str:
    try:
        return str(json.loads(receipt)["erased_at"])
    except (ValueError, TypeError, LookupError, RecursionError) as error:
        raise store.damaged(disk.damage(error)) from None


def refuse_older(store: Store) -> None:
    """Raise DataError where the ledger does not know of everybody who was erased: it may hold them still."""
    _, erased = listed(store)
    with store.reading() as ledger:
        known = {row["digest"] for row in ledger.execute("SELECT digest FROM erasures")}
    missing = sorted(erased.keys() - known)
    if missing:
        counted = "1 customer who was" if len(missing) == 1 else f"{len(missing):,} customers who were"
        raise DataError(
            f"{store.ledger} does not know of {counted} erased "
            f"(first: on {erased[missing[0]][:10]}, receipts/erased-{missing[0][:16]}.json), so it is older than that, "
            "or erasing was broken off; run the same `attrition erase` again, or restore a newer ledger. Where nobody "
            f"knows who they were: move attrition.sqlite and the folders {', '.join(MADE)}, delivery and models out of "
            f"{store.root} and run `attrition run`, which makes all of it again from your own files, without them"
        )


def refuse_untold(store: Store, known: Iterable[str]) -> None:
    """Raise DataError where something says that customers were erased, and nothing who: they would land again.

    known: the hashes of all who are known to be erased.
    """
    beginnings = {digest[:16] for digest in known}
    receipts = sorted(place.name for place in (store.root / "receipts").glob("erased-*.json"))
    untold = [name for name in receipts if (found := _RECEIPT.fullmatch(name)) and found[1] not in beginnings]
    place = place_of_key(store, KEY)
    if untold or (place.exists() and not beginnings and marked(store, KEY) is None):
        told = f"receipts/{untold[0]}" if untold else place.name
        raise DataError(
            f"customers were erased in {store.root} ({told} says so), and who they were, by hash, is known no more: "
            f"the ledger is not the one of then, and the list of them ({FILE}) is gone. They would land again; restore "
            "one of the two from a backup. If there is none, run `attrition erase` for each of them, and take those "
            f"whose names nobody knows any longer out of your own files; then move {told} out of {store.root} and "
            "run `attrition ingest`"
        )


def _read(place: Path) -> tuple[str, dict[str, str]]:
    if place.stat().st_size > _MOST:
        raise ValueError(FILE)
    content = json.loads(place.read_bytes())
    mark, erased = content["key"], content["erased"]
    if content["sha256"] != _sealed(mark, erased) or not all(map(_HASH.fullmatch, (mark, *erased))):
        raise ValueError(FILE)
    return mark, erased


def _receipt(digest: str, erased_at: str) -> dict[str, object]:
    nothing: dict[str, object] = {"found": False, "removed": {}, "models": [], "still_held_by": [], "sent_to": []}
    return {"customer": digest, "erased_at": erased_at} | nothing


def _sealed(mark: str, erased: Mapping[str, str]) -> str:
    return hashlib.sha256(json.dumps([mark, sorted(erased.items())]).encode()).hexdigest()
