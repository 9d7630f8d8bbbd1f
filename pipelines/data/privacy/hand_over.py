"""What leaves the workspace as a file: by the company's own ids, of those of whom something may be handed over."""

from __future__ import annotations

import pandas as pd

from pipelines.foundation.identity.objections import ID
from pipelines.foundation.identity.permissions import Permissions
from pipelines.foundation.storage import csv_file
from pipelines.foundation.storage.store import Store


def is_current(store: Store, path: str, *, of: str | None = None) -> bool:
    """Whether a delivered file is there, whole. of: what it must have been written of.

    Raises: IntegrityError where it is not the file that was written, as once a spreadsheet has saved it.
    """
    found = store.present(path)
    if found is None or found.detail.get("reduced") or found.detail.get("of") != of:
        return False
    store.verified(found)
    return True


def hand_over(store: Store, permissions: Permissions, path: str, frame: pd.DataFrame, *, of: str | None = None) -> None:
    """Write a CSV file by the company's own ids, of those of whom something may be handed over.

    The lists are read once more, as they are at this moment.
    """
    rows = permissions.without_opt_outs(frame)
    rows = rows.assign(**{ID: permissions.own_ids(rows[ID])})
    store.put(path, lambda place: csv_file.write(rows, place), kind="delivery", of=of)
