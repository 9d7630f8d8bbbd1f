"""`attrition expire`: what is older than the settings allow is removed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from features.asof import instant
from features.errors import SettingsError
from features.tables import TABLES
from pipelines.data.fetching.fetch import discard
from pipelines.data.privacy.landed_rows import leave_out
from pipelines.foundation.identity.erased_customers import ERASED, masked
from pipelines.foundation.identity.objections import ID
from pipelines.foundation.ledger.recommendations import Recommended
from pipelines.foundation.ledger.score_store import ScoreStore
from pipelines.foundation.settings.settings import Settings
from pipelines.foundation.storage.counted_rows import COUNTED, ENDED
from pipelines.foundation.storage.landed_parquet import write_parquet
from pipelines.foundation.storage.landings import LANDED, REJECTED
from pipelines.foundation.storage.rewriting import delete_file, rewrite, scrub
from pipelines.foundation.storage.sql_text import PARQUET
from pipelines.foundation.storage.store import StoredFile
from pipelines.foundation.workspace.calendar import Grid, memory_days
from pipelines.foundation.workspace.run_context import RunContext
from pipelines.foundation.workspace.workspace import Workspace

EXPIRED = "expired"  # the reason of a rejected row whose text is no longer kept
# They hold until something ends them: without the row that began it, a subscription that ended long ago cannot be told.
STANDING = ("customers", "subscriptions", "payment_methods")

_DAY = re.compile(r"-(\d{4}-\d{2}-\d{2})-")


def expire(job: RunContext) -> dict[str, Any]:
    """Remove what is older than the settings' periods at `as_of`, and say so.

    {"as_of", "removed": {"facts": rows, "rejects": rows, "snapshots": files, "scores": runs, "recommendations": rows,
    "delivery": files}}, with the periods that are set alone; recommendations have that of scores.
    Raises: SettingsError where facts would be removed that training reads.
    """
    workspace, plan = job.workspace, job.workspace.settings.privacy
    old = Old(workspace)
    steps = {
        "facts": (plan.keep_facts_days, old.facts),
        "rejects": (plan.keep_rejects_days, old.rejects),
        "snapshots": (plan.keep_snapshots_days, old.snapshots),
        "scores": (plan.keep_scores_days, old.scores),
        "recommendations": (plan.keep_scores_days, old.recommendations),
        "delivery": (plan.keep_delivery_days, old.delivery),
    }
    _refuse_short_memory(workspace.settings)
    discard(workspace.store.root)  # what did not land is fetched anew
    removed: dict[str, int] = {}
    with job.console.stage("expire", steps=len(steps)) as step:
        for name, (days, remove) in steps.items():
            if days is not None:
                removed[name] = remove(workspace.as_of - timedelta(days=days))
            step(name)
        if any(removed.values()):
            scrub(workspace.store)
    for name, count in removed.items():
        unit = {"facts": "rows", "rejects": "texts of rows", "scores": "runs", "recommendations": "rows"}.get(
            name, "files"
        )
        job.console.say(f"  {name}: {count:,} {unit} removed, older than {steps[name][0]} days")
    if not removed:
        job.console.say("  no period is set: everything is kept (settings: privacy.keep_..._days)")
    return {"as_of": str(workspace.as_of), "removed": removed}


def _refuse_short_memory(settings: Settings) -> None:
    days, plan = settings.privacy.keep_facts_days, settings.snapshots
    needed = memory_days(
        Grid(**plan.model_dump()),
        maturity_days=settings.question.maturity_days,
        lookback_days=settings.lookback_days,
    )
    if days is not None and days < needed:
        raise SettingsError(
            f"privacy.keep_facts_days = {days}, but training looks back {needed} days (snapshots.every_days times "
            "at_most, outcome, longest lookback), and its oldest snapshots would know of no past; raise it, or lower "
            "one of these"
        )


@dataclass(frozen=True)
class Old:
    """Each method removes one kind of what happened, or was made, before a day, and says how much that was."""

    workspace: Workspace

    def facts(self, before: date) -> int:
        store = self.workspace.store
        moment = instant(before, zone=self.workspace.settings.zone)
        old: list[tuple[StoredFile, pa.ChunkedArray]] = []
        for file in store.files(LANDED):
            contract = TABLES[file.detail["table"]]
            apart = contract.name in STANDING or ID not in file.detail["columns"]
            if apart or not store.place(file.path).exists():
                continue
            rows = pq.read_table(store.verified(file), columns=["source_row", contract.happened_at])
            gone = rows.filter(pc.less(rows[contract.happened_at], pa.scalar(moment, pa.timestamp("us"))))
            if gone.num_rows:
                old.append((file, gone["source_row"]))
        if old:
            # First: they are made anew of what landed, and hold the same rows. Broken off, what landed still tells.
            _delete_files(self.workspace, [file for kind in (COUNTED, ENDED) for file in store.files(kind)])
        for file, rows in old:
            leave_out(store, file, rows.to_pylist(), expired=file.detail.get("expired", 0) + len(rows))
        return sum(len(rows) for _, rows in old)

    def rejects(self, before: date) -> int:
        store, count = self.workspace.store, 0
        for file in store.files(REJECTED):
            if store.place(file.path).exists() and self._newest(file) < before:
                rows = pq.read_table(store.verified(file)).combine_chunks()
                old = [reason not in {ERASED, EXPIRED} for reason in rows["reason"].to_pylist()]
                if any(old):
                    hidden = [masked(batch, old, why=EXPIRED) for batch in rows.to_batches()]
                    rewrite(store, file, partial(_write, pa.Table.from_batches(hidden, rows.schema)))
                    count += sum(old)
        for place in store.root.glob(f"{REJECTED}/*/*.refused.csv"):
            if self._written(place) < before:
                place.unlink()
                count += 1
        return count

    def snapshots(self, before: date) -> int:
        store = self.workspace.store
        old = [
            file
            for kind in ("snapshot", "outcome")
            for file in store.files(kind)
            if date.fromisoformat(file.detail["day"]) < before
        ]
        old += [file for file in store.files("predictions") if self._last_fold(file) < str(before)]
        return _delete_files(self.workspace, old)

    def scores(self, before: date) -> int:
        return ScoreStore(self.workspace.store).expire(before)

    def recommendations(self, before: date) -> int:
        return Recommended(self.workspace.store).expire(before)

    def delivery(self, before: date) -> int:
        current = ScoreStore(self.workspace.store).current()
        kept = None if current is None else current[0].as_of
        days = ((file, day) for file, day in self._handed_over() if day != kept)
        return _delete_files(self.workspace, [file for file, day in days if day < str(before)])

    def _handed_over(self) -> Iterator[tuple[StoredFile, str]]:
        for file in self.workspace.store.files("delivery"):
            found = _DAY.search(file.path)
            if found is not None:
                yield file, found[1]
        for file in self.workspace.store.files("report"):
            yield file, file.detail.get("day", "")

    def _newest(self, rejects: StoredFile) -> date:
        """The day of the newest fact of the file that rows were rejected of; where none landed, of the rejecting."""
        store = self.workspace.store
        landed = store.present(rejects.path.replace(f"{REJECTED}/", f"{LANDED}/", 1))
        if landed is not None:
            with duckdb.connect() as connection:
                row = connection.execute(
                    f"SELECT max(known_at)::DATE FROM {PARQUET}",  # noqa: S608 - a constant
                    [str(store.verified(landed))],
                ).fetchone()
            if row is not None and row[0] is not None:
                newest: date = row[0]
                return newest
        return self._written(store.place(rejects.path))

    def _written(self, place: Path) -> date:
        return datetime.fromtimestamp(place.stat().st_mtime, self.workspace.settings.zone).date()

    def _last_fold(self, predictions: StoredFile) -> str:
        store = self.workspace.store
        if store.present(predictions.path) is None:
            return ""
        rows = pq.read_table(store.verified(predictions), columns=["snapshot_on"])
        return max(rows["snapshot_on"].to_pylist(), default="")


def _delete_files(workspace: Workspace, files: list[StoredFile]) -> int:
    for file in files:
        delete_file(workspace.store, file.path)
    return len(files)


def _write(rows: pa.Table, place: Path) -> None:
    write_parquet(place, rows.to_batches(), rows.schema.remove_metadata())
