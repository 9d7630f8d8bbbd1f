"""`attrition erase CUSTOMER`: a person leaves everything that the workspace wrote, and stays out of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt

from features.errors import DataError
from pipelines.data.fetching.fetch import discard
from pipelines.data.privacy.enforce import purge
from pipelines.data.privacy.landed_rows import erase_rows
from pipelines.data.privacy.traces import Traces
from pipelines.data.privacy.workspace_files import gone_files, made_files, rows_of
from pipelines.foundation.identity import erased_list
from pipelines.foundation.identity.keys import named
from pipelines.foundation.identity.pseudonyms import Identities
from pipelines.foundation.ledger import outbox as outbox_tables
from pipelines.foundation.ledger.model_versions import Versions
from pipelines.foundation.settings.text_values import SPACES
from pipelines.foundation.storage import disk_errors as disk
from pipelines.foundation.storage import documents
from pipelines.foundation.storage.atomic_file import sweep
from pipelines.foundation.storage.landings import LANDED
from pipelines.foundation.storage.rewriting import delete_file, scrub
from pipelines.foundation.storage.store import Store
from pipelines.foundation.storage.workspace_paths import MADE
from pipelines.foundation.workspace.run_context import RunContext

Say = Callable[[str], None]
Receipt = dict[str, Any]


def erase(job: RunContext, customers: Sequence[str]) -> dict[str, Any]:
    """Erase customers; {"receipts": [one each]}.

    What is to be removed is noted first, together with the hash that keeps later rows out; broken off anywhere, the
    same command goes on. Whoever was erased before gets the receipt of then.
    """
    store = job.workspace.store
    names = list(dict.fromkeys(customer.strip(SPACES) for customer in customers))
    if not all(names):
        raise DataError("an empty id names nobody; give the customer's id as it is in your data")
    secret = erased_list.secret(store, make=True)
    if secret is None:
        raise AssertionError("a key is made where there is none")
    digests = {name: named(secret, name) for name in names}
    with job.console.stage("erase") as step:
        fresh = [name for name in names if _noted(store, digests[name]) is None]
        if fresh:
            receipts = _looked_into(job, fresh, digests, step)
            at = {receipt["customer"]: receipt["erased_at"] for receipt in receipts}
            erased_list.add(store, named(secret, erased_list.KEY), at)  # first: the ledger may be lost, or replaced
            _note(store, receipts)
        pending = [name for name in names if not (_noted(store, digests[name]) or {}).get("finished")]
        if pending:
            _remove(store, {name: job.workspace.permissions.name_of(name) for name in pending}, step)
            _finish(store, [digests[name] for name in pending])
    receipts = [_receipt(store, digests[name]) for name in names]
    for number, (name, receipt) in enumerate(zip(names, receipts, strict=True), 1):
        if len(names) > 1:
            job.console.say(f"customer {number} of {len(names)}:")
        _tell(job, receipt, again=name not in pending)
    return {"receipts": receipts}


def _looked_into(job: RunContext, names: list[str], digests: dict[str, str], say: Say) -> list[Receipt]:
    """A receipt for each, of what is to be removed."""
    outcome, store = job.workspace.settings.outcome, job.workspace.store
    aliased = (Versions(store, kind).aliased("champion") for kind in (outcome.kind, *outcome.also))
    champions = {found.version for found in aliased if found is not None}
    traces = Traces.of(store, {name: job.workspace.permissions.name_of(name) for name in names}, say)
    return [
        {
            "customer": digests[name],
            "erased_at": job.now.isoformat(timespec="seconds"),
            "found": bool(traces.removed[name]),
            "removed": {kind: dict(counts) for kind, counts in traces.removed[name].items()},
            "models": [{**model, "champion": model["version"] in champions} for model in traces.models_of(name)],
            "still_held_by": traces.elsewhere[name],
            "sent_to": traces.sent_to[name],
        }
        for name in names
    ]


def _remove(store: Store, names: Mapping[str, str], say: Say) -> None:
    """names: what each is called in files of ours, by the company's own id."""
    for file in store.files(LANDED):
        say(f"rewriting {file.path}")
        erase_rows(store, file, names)
    for file in made_files(store):
        if rows_of(store, file, names.values()):
            say(f"removing {file.path}")
            delete_file(store, file.path)
    for file in gone_files(store):
        delete_file(store, file.path)  # its entry
    say("scores and what was handed over")
    ours = partial(_among, frozenset(names.values()))
    purge(store, ours, partial(_among, frozenset(names)), ours)
    outbox_tables.delete_customers(store, ours, tables=("held",))
    Identities(store.root).delete_customers(names)
    _sweep_leftovers(store)
    say("cleaning the ledger")
    scrub(store)


def _among(names: frozenset[str], customers: list[str]) -> npt.NDArray[np.bool_]:
    return np.array([customer in names for customer in customers], dtype=np.bool_)


def _sweep_leftovers(store: Store) -> None:
    """What killed runs left unfinished, lists of rows of files that were refused, and files that no ledger lists."""
    sweep(store.root)
    discard(store.root)
    with store.transaction() as ledger:
        listed = {row["path"] for row in ledger.execute("SELECT path FROM files").fetchall()}
    for place in chain.from_iterable(store.root.glob(f"{folder}/**/*") for folder in MADE):
        unlisted = place.relative_to(store.root).as_posix() not in listed
        if place.is_file() and unlisted and (place.name.startswith(".") or place.suffix in (".parquet", ".csv")):
            place.unlink()


def _noted(store: Store, digest: str) -> dict[str, Any] | None:
    with store.transaction() as ledger:
        row = ledger.execute("SELECT * FROM erasures WHERE digest = ?", (digest,)).fetchone()
    return None if row is None else dict(row)


def _note(store: Store, receipts: list[Receipt]) -> None:
    rows = [(receipt["customer"], json.dumps(receipt, sort_keys=True)) for receipt in receipts]
    with store.transaction() as ledger:
        ledger.executemany("INSERT INTO erasures VALUES (?, ?, 0)", rows)


def _receipt(store: Store, digest: str) -> Receipt:
    """The receipt that was noted. Raises: IntegrityError where it is none."""
    noted = _noted(store, digest) or {}
    try:
        receipt = dict(**json.loads(noted["receipt"]))
        for removed in receipt["removed"].values():
            _counted(removed["rows"], "row")
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        raise store.damaged(disk.damage(error)) from None
    if {"customer", "erased_at", "found", "models", "still_held_by", "sent_to"} - receipt.keys():
        raise store.damaged("a receipt lacks a part")
    return receipt


def _finish(store: Store, digests: list[str]) -> None:
    for digest in digests:
        receipt = _receipt(store, digest)
        documents.write(store, f"receipts/erased-{digest[:16]}.json", receipt, kind="receipt")
    with store.transaction() as ledger:
        ledger.executemany("UPDATE erasures SET finished = 1 WHERE digest = ?", [(digest,) for digest in digests])


def _tell(job: RunContext, receipt: Receipt, *, again: bool) -> None:
    say = job.console.say
    place = f"receipts/erased-{receipt['customer'][:16]}.json"
    if again:
        say(f"erased before, on {receipt['erased_at'][:10]}: nothing more to do; receipt: {place}")
        return
    if not receipt["found"]:
        say(f"nothing of this customer was here; later files that name the customer are kept out; receipt: {place}")
    for kind, counts in receipt["removed"].items():
        rows, files = _counted(counts["rows"], "row"), _counted(counts["files"], "file")
        say(f"  {kind.replace('_', ' ')}: {rows} of {files} removed")
    for model in receipt["models"]:
        learned = "learned from" if model["certain"] else "may have learned from"
        say(f"  model {model['version']} ({model['outcome']}) {learned} the customer; `attrition train` makes another")
    for held in receipt["still_held_by"]:
        rows = _counted(held["rows"], "row")
        say(
            f"  still in {held['path']}, {rows}: this file is yours to change; what lands of it leaves the customer out"
        )
    for destination in receipt["sent_to"]:
        say(f'  destination "{destination}" was sent scores of the customer: remove the record or its fields there')
    if receipt["found"]:
        say(f"erased; receipt: {place}")


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'s' * (count != 1)}"
