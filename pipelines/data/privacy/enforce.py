"""Objections enforced: whoever may not be processed by now leaves what was scored and handed over before."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pipelines.foundation.identity import erased_list
from pipelines.foundation.identity.objections import ID
from pipelines.foundation.identity.permissions import Permissions
from pipelines.foundation.ledger import outbox as outbox_tables
from pipelines.foundation.ledger.recommendations import Recommended
from pipelines.foundation.ledger.score_store import ScoreStore
from pipelines.foundation.storage.landings import LANDED
from pipelines.foundation.storage.lock import held
from pipelines.foundation.storage.rewriting import delete_file, rewrite, scrub, settle
from pipelines.foundation.storage.shared_place import SharedPlace
from pipelines.foundation.storage.store import Store
from pipelines.foundation.workspace.workspace import Workspace

Gone = Callable[[list[str]], npt.NDArray[np.bool_]]


@contextmanager
def taken_to_write(workspace: Workspace, *, older_ledger: bool = False) -> Iterator[None]:
    """Hold a workspace's lock while a command writes; first end what a killed one left, and enforce objections.

    They are enforced once more when the command has done its work: somebody may have objected meanwhile. Of what was
    scored, what may be shown by then is.

    older_ledger: go on where the ledger does not know of everybody who was erased.

    Raises: BusyError where another command writes, DataError where a list that the settings name cannot be read, or the
    ledger is an older one.
    """
    with held(workspace.root):
        settle(workspace.store)
        erased_list.settle(workspace.store)
        if not older_ledger:
            erased_list.refuse_older(workspace.store)
        enforce(workspace.store, workspace.permissions)
        show(workspace)
        yield
        enforce(workspace.store, workspace.permissions)
        show(workspace)
        if workspace.settings.engine.shared is not None:
            landed = {file.sha256 for file in workspace.store.files(LANDED)}
            SharedPlace.of(workspace.settings.engine.shared).keep(landed)
        workspace.store.seal()


def enforce(store: Store, permissions: Permissions) -> None:
    """Take those who may not be processed out of what was scored and handed over before; once for the same lists."""
    refusals, inside = permissions.refusals(), permissions.kept_inside()
    lists = f"{refusals.fingerprint} {inside.fingerprint}"
    with store.transaction() as ledger:
        if ledger.execute("SELECT 1 FROM enforced WHERE lists = ?", (lists,)).fetchone():
            return
    name_of = permissions.name_of
    for file in store.files("report") if inside != refusals else []:
        delete_file(store, file.path)  # it may name somebody who opted out since
    if inside and purge(store, refusals.known_as(name_of).refuses, inside.refuses, inside.known_as(name_of).refuses):
        scrub(store)
    with store.transaction() as ledger:
        ledger.execute("DELETE FROM enforced")
        ledger.execute("INSERT INTO enforced VALUES (?)", (lists,))


def show(workspace: Workspace) -> None:
    """Let whoever reads scores with SQL see those of who is neither held out nor opted out."""
    inside = workspace.permissions.kept_inside().known_as(workspace.permissions.name_of)

    def may_be(customers: list[str]) -> npt.NDArray[np.bool_]:
        return ~(inside.refuses(customers) | workspace.holdout.holds(customers))

    ScoreStore(workspace.store).show(may_be)


def purge(store: Store, scored: Gone, delivered: Gone, waiting: Gone) -> dict[str, int]:
    """Rows taken out of the scores, the delivered files and the outbox, by kind; a report that may show them goes, too.

    scored, delivered, waiting: who is to go, by the ids that stand in each. What a destination holds is noted on, so
    that the next delivery empties it there.
    """
    done = {
        "scores": ScoreStore(store).delete_customers(scored),
        "recommended": Recommended(store).delete_customers(scored),
        "delivery": 0,
        "outbox": outbox_tables.delete_customers(store, waiting, tables=("outbox",)),
    }
    for file in store.files("delivery"):
        if store.present(file.path) is not None:
            text, rows = _without(store.verified(file), delivered)
            if rows:
                done["delivery"] += rows
                rewrite(store, file, partial(_write, text), reduced=True)
    for file in store.files("report") if any(done.values()) else []:
        delete_file(store, file.path)
        done["report"] = 1
    return {kind: count for kind, count in done.items() if count}


def customers_in(place: Path) -> list[str]:
    """The customers of a delivered file, row by row, as they were before a spreadsheet was kept from running them."""
    return [customer for customer, _ in _records(place)[1]]


def _without(place: Path, gone: Gone) -> tuple[str, int]:
    """The text of a delivered file without some rows, the others byte for byte, and how many rows those are."""
    heading, records = _records(place)
    leave = gone([customer for customer, _ in records])
    kept = [text for (_, text), left in zip(records, leave, strict=True) if not left]
    return heading + "".join(kept), int(leave.sum())


def _records(place: Path) -> tuple[str, list[tuple[str, str]]]:
    """The heading, and of each row the customer and its text."""
    lines = list(io.StringIO(place.read_bytes().decode("utf-8-sig"), newline=""))
    rows, found = csv.reader(lines), list[tuple[str, str]]()
    where, start = next(rows).index(ID), rows.line_num
    heading = "".join(lines[:start])
    for row in rows:
        found.append((row[where].removeprefix("'"), "".join(lines[start : rows.line_num])))
        start = rows.line_num
    return heading, found


def _write(text: str, place: Path) -> None:
    place.write_bytes(text.encode("utf-8-sig"))
