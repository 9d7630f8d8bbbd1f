"""What leaves the workspace: checked against the lists once more, as they are at that moment."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipelines.foundation.identity.objections import ID, Refusals, opt_outs, read
from pipelines.foundation.identity.pseudonyms import Identities
from pipelines.foundation.ledger import outbox as outbox_tables
from pipelines.foundation.ledger.recommendations import Recommended
from pipelines.foundation.ledger.score_store import ScoreStore
from pipelines.foundation.storage import csv_file
from pipelines.foundation.storage.rewriting import delete_file, rewrite, scrub
from pipelines.foundation.storage.store import Store
from pipelines.foundation.workspace.workspace import Workspace

Gone = Callable[[list[str]], npt.NDArray[np.bool_]]


def refusals_now(workspace: Workspace) -> Refusals:
    """The lists as they are now, by the company's own ids."""
    return read(workspace.root, workspace.settings.privacy)


def kept_inside(workspace: Workspace) -> Refusals:
    """Of whom nothing is handed over, by the lists as they are now and the company's own ids."""
    refusals = refusals_now(workspace)
    return Refusals(refusals.objected | opt_outs(workspace.root, workspace.settings.privacy), refusals.consented)


def permitted(workspace: Workspace, frame: pd.DataFrame) -> pd.DataFrame:
    """The rows of those who may be processed, by the lists as they are now."""
    refusals = refusals_now(workspace).known_as(workspace.name_of)
    kept: pd.DataFrame = frame[refusals.allows(frame[ID])]
    return kept.reset_index(drop=True)


def leaving(workspace: Workspace, frame: pd.DataFrame) -> pd.DataFrame:
    """The rows of those of whom something may be handed over, by the lists as they are now."""
    inside = kept_inside(workspace).known_as(workspace.name_of)
    kept: pd.DataFrame = frame[inside.allows(frame[ID])]
    return kept.reset_index(drop=True)


def there(store: Store, path: str, *, of: str | None = None) -> bool:
    """Whether a delivered file is there, whole. of: what it must have been written of."""
    found = store.present(path)
    return found is not None and not found.detail.get("reduced") and found.detail.get("of") == of


def hand_over(workspace: Workspace, path: str, frame: pd.DataFrame, *, of: str | None = None) -> None:
    """Write a CSV file by the company's own ids, of those of whom something may be handed over."""
    rows = leaving(workspace, frame)
    if workspace.pseudonyms is not None:
        rows = rows.assign(**{ID: Identities(workspace.root).own(rows[ID])})
    workspace.store.put(path, lambda place: csv_file.write(rows, place), kind="delivery", of=of)


def enforce(workspace: Workspace) -> None:
    """Take those who may not be processed out of what was scored and handed over before; once for the same lists."""
    refusals, inside, store = refusals_now(workspace), kept_inside(workspace), workspace.store
    lists = f"{refusals.fingerprint} {inside.fingerprint}"
    with store.transaction() as ledger:
        if ledger.execute("SELECT 1 FROM enforced WHERE lists = ?", (lists,)).fetchone():
            return
    name_of = workspace.name_of
    for file in store.files("report") if inside != refusals else []:
        delete_file(store, file.path)  # it may name somebody who opted out since
    if inside and take_out(store, refusals.known_as(name_of).refuses, inside.refuses, inside.known_as(name_of).refuses):
        scrub(store)
    with store.transaction() as ledger:
        ledger.execute("DELETE FROM enforced")
        ledger.execute("INSERT INTO enforced VALUES (?)", (lists,))


def take_out(store: Store, scored: Gone, delivered: Gone, waiting: Gone) -> dict[str, int]:
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
