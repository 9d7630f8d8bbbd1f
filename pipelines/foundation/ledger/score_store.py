"""The embedded destination: current scores in SQLite, history in one Parquet file per run."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from features.errors import DataError, IntegrityError
from pipelines.foundation.settings.delivered_fields import COLUMNS
from pipelines.foundation.storage import disk_errors as disk
from pipelines.foundation.storage import documents
from pipelines.foundation.storage.rewriting import delete_file
from pipelines.foundation.storage.store import Store

if TYPE_CHECKING:
    import pandas as pd

_NEXT = "(SELECT coalesce(max(sequence), 0) + 1 FROM score_runs)"


@dataclass(frozen=True)
class ScoreRun:
    """One scored date. made_from: fingerprint of model, data and settings; history: its Parquet file.

    sequence: order of writing, by which the newest run of a date is known.
    """

    sequence: int
    as_of: str
    run_id: str
    made_from: str
    history: str
    rows: int
    content_sha256: str
    detail: Mapping[str, Any]
    current: bool


class ScoreStore:
    """Readers see the scores of one run or of another, never a mixture."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def replace(
        self, scores: pd.DataFrame, *, as_of: str, run_id: str, made_from: str, detail: Mapping[str, Any]
    ) -> None:
        """Make these the scores of a date, whole. They become the current scores unless a later date was scored.

        The history file has a name of its own for each run; it counts only once the ledger names it.
        """
        scores = scores[list(COLUMNS)].sort_values("customer_id", kind="stable")
        history = documents.write_frame(self.store, f"scores/{as_of}-{run_id}.parquet", scores, kind="scores")
        note = json.dumps(detail, sort_keys=True)
        content = _digest(scores, (as_of, run_id, made_from, history, len(scores), note))
        with self.store.transaction() as ledger:
            later = ledger.execute("SELECT 1 FROM score_runs WHERE current = 1 AND as_of > ?", (as_of,)).fetchone()
            if not later:
                _fill(ledger, scores)
            ledger.execute(
                f"INSERT OR REPLACE INTO score_runs VALUES ({_NEXT}, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608 - constants only
                (as_of, run_id, made_from, history, len(scores), content, note, not later),
            )

    def restore(self, model_version: str) -> ScoreRun | None:
        """Make the newest scores of a model the current ones again, value for value; None where it never scored.

        They are those of their date again, too.
        Raises: IntegrityError where their file is not the one that was written.
        """
        runs = [run for run in self.runs() if run.detail["model_version"] == model_version]
        if not runs:
            return None
        run = max(runs, key=lambda each: (each.as_of, each.sequence))
        scores = documents.read_frame(self.store, run.history)
        if scores is None or _digest(scores, _written(run)) != run.content_sha256:
            raise self._damaged(f"{run.history} is gone or holds other scores than run {run.run_id} wrote")
        with self.store.transaction() as ledger:
            _fill(ledger, scores)
            ledger.execute(
                f"UPDATE score_runs SET current = 1, sequence = {_NEXT} WHERE run_id = ?",  # noqa: S608 - constants only
                (run.run_id,),
            )
        return self.require(run.as_of)

    def delete_customers(self, gone: Callable[[list[str]], npt.NDArray[np.bool_]]) -> int:
        """Delete customers from every run, current or not; what all others have stays, value for value. How many rows.

        gone: which of some customers are to go. A run's reduced history has a name of its own, and holds with the run's
        new digest from one transaction on; a file that no run names is left over from a deletion that broke off.
        """
        deleted = 0
        for run in self.runs():
            scores = documents.read_frame(self.store, run.history)
            if scores is None:
                continue
            leave = gone(scores["customer_id"].tolist())
            if not leave.any():
                continue
            if _digest(scores, _written(run)) != run.content_sha256:
                raise self._damaged(f"{run.history} holds other scores than run {run.run_id} wrote")
            kept = scores[~leave].reset_index(drop=True)
            path = f"scores/{run.as_of}-{run.run_id}-{len(kept)}.parquet"
            reduced = replace(run, history=documents.write_frame(self.store, path, kept, kind="scores"), rows=len(kept))
            with self.store.transaction() as ledger:
                ledger.execute(
                    "UPDATE score_runs SET history = ?, rows = ?, content_sha256 = ? WHERE run_id = ?",
                    (path, len(kept), _digest(kept, _written(reduced)), run.run_id),
                )
                if run.current:
                    customers = [(customer,) for customer in scores["customer_id"][leave]]
                    ledger.executemany("DELETE FROM scores WHERE customer_id = ?", customers)
                    ledger.executemany("DELETE FROM shown WHERE customer_id = ?", customers)
            deleted += int(leave.sum())
        self._delete_unnamed()
        return deleted

    def expire(self, before: date) -> int:
        """Delete the runs of the days before one, but never the current run. How many."""
        old = [(run.run_id,) for run in self.runs() if not run.current and date.fromisoformat(run.as_of) < before]
        with self.store.transaction() as ledger:
            ledger.executemany("DELETE FROM score_runs WHERE run_id = ?", old)
        self._delete_unnamed()
        return len(old)

    def _delete_unnamed(self) -> None:
        named = {run.history for run in self.runs()}
        for file in self.store.files("scores"):
            if file.path not in named:
                delete_file(self.store, file.path)

    def run(self, as_of: str) -> ScoreRun | None:
        """The newest run of a date."""
        with self.store.transaction() as ledger:
            row = ledger.execute(
                "SELECT * FROM score_runs WHERE as_of = ? ORDER BY sequence DESC LIMIT 1", (as_of,)
            ).fetchone()
        return None if row is None else self._run(row)

    def runs(self) -> list[ScoreRun]:
        """Every run, by scored date; of one date, the newest last."""
        with self.store.transaction() as ledger:
            rows = ledger.execute("SELECT * FROM score_runs ORDER BY as_of, sequence").fetchall()
        return [self._run(row) for row in rows]

    def newest_runs(self) -> list[ScoreRun]:
        """The newest run of every scored date, oldest date first."""
        return list({run.as_of: run for run in self.runs()}.values())

    def require(self, as_of: str) -> ScoreRun:
        """Raises: DataError where the date was not scored."""
        found = self.run(as_of)
        if found is None:
            raise DataError(f"{as_of} was not scored yet; run `attrition score --as-of {as_of}` first")
        return found

    def current(self) -> tuple[ScoreRun, pd.DataFrame] | None:
        """The current run and its scores; None where nothing was scored. Raises: as `current_run`."""
        import pandas as pd

        found = self._current()
        return None if found is None else (found[0], pd.DataFrame(found[1], columns=list(COLUMNS)))

    def current_run(self) -> ScoreRun | None:
        """The current run; None where nothing was scored.

        Raises: IntegrityError where the scores are not those that the run wrote.
        """
        found = self._current()
        return None if found is None else found[0]

    def _current(self) -> tuple[ScoreRun, list[tuple[Any, ...]]] | None:
        """The current run and its scores, each a row with the values of COLUMNS; None where nothing was scored."""
        try:
            with self.store.transaction() as ledger:
                row = ledger.execute("SELECT * FROM score_runs WHERE current = 1").fetchone()
                rows = [tuple(each) for each in ledger.execute("SELECT * FROM scores ORDER BY customer_id")]
                state = ledger.execute("PRAGMA quick_check(1)").fetchone()[0]
            run = None if row is None else self._run(row)
            content = _digest_of(rows, () if run is None else _written(run))
        except (sqlite3.Error, ValueError, TypeError, LookupError) as error:
            raise self._damaged(disk.damage(error)) from None
        # The tables themselves may be lost: then their pages are there, and nothing leads to them.
        if state != "ok":
            raise self._damaged(state)
        if run is None:
            if rows:
                raise self._damaged(f"{len(rows)} rows of no run")
            return None
        if content != run.content_sha256:
            raise self._damaged(f"{len(rows)} rows that are not the {run.rows} written for {run.as_of}")
        return run, rows

    def show(self, may_be: Callable[[list[str]], npt.NDArray[np.bool_]]) -> None:
        """Let `shown_scores` hold the current scores of those who may be shown. may_be: which of some customers."""
        with self.store.reading() as ledger:
            scored = [row[0] for row in ledger.execute("SELECT customer_id FROM scores ORDER BY customer_id")]
            shown = [row[0] for row in ledger.execute("SELECT customer_id FROM shown ORDER BY customer_id")]
        wanted = [name for name, may in zip(scored, may_be(scored), strict=True) if may]
        if wanted == shown:
            return
        with self.store.transaction() as ledger:
            ledger.execute("DELETE FROM shown")
            ledger.executemany("INSERT INTO shown VALUES (?)", [(name,) for name in wanted])

    def _run(self, row: sqlite3.Row) -> ScoreRun:
        fields = dict(row)
        try:
            found = ScoreRun(**fields | {"detail": json.loads(fields["detail"]), "current": bool(fields["current"])})
            date.fromisoformat(found.as_of)
            if not isinstance(found.rows, int) or not isinstance(found.detail["model_version"], str):
                raise TypeError("a value of another type")  # noqa: TRY301 - told as any other
        except (ValueError, TypeError, LookupError, RecursionError) as error:
            raise self._damaged(disk.damage(error)) from None
        return found

    def _damaged(self, what: str) -> IntegrityError:
        return IntegrityError(
            f"the scores in {self.store.ledger} are damaged ({what}); restore the file from a backup, or score again"
        )


def _written(run: ScoreRun) -> tuple[object, ...]:
    return run.as_of, run.run_id, run.made_from, run.history, run.rows, json.dumps(run.detail, sort_keys=True)


def _fill(ledger: sqlite3.Connection, scores: pd.DataFrame) -> None:
    """Make these the current scores; which run is current is for the caller to say."""
    ledger.execute("UPDATE score_runs SET current = 0")
    ledger.execute("DELETE FROM scores")
    ledger.execute("DELETE FROM shown")
    marks = ", ".join("?" * len(COLUMNS))
    ledger.executemany(f"INSERT INTO scores VALUES ({marks})", scores.itertuples(index=False, name=None))  # noqa: S608 - constants only


def _digest(scores: pd.DataFrame, run: tuple[object, ...]) -> str:
    """SHA-256 of every value of the rows and of the run that wrote them."""
    scores = scores.astype(object).where(scores.notna(), None)  # no value is NaN in a frame, and null in SQLite
    return _digest_of(scores.itertuples(index=False, name=None), run)


def _digest_of(rows: Iterable[tuple[Any, ...]], run: tuple[object, ...]) -> str:
    digest = hashlib.sha256(repr(run).encode())
    for row in rows:
        digest.update(repr(row).encode())
    return digest.hexdigest()
