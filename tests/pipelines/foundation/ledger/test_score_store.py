from __future__ import annotations

import sqlite3
from dataclasses import replace as changed
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest

from features.errors import DataError, IntegrityError
from pipelines.foundation.ledger.score_store import ScoreRun, ScoreStore
from pipelines.foundation.settings.delivered_fields import COLUMNS
from pipelines.foundation.storage.store import Store
from tests.pipelines.foundation.ledger import score_case
from tests.pipelines.foundation.ledger.score_case import replace, scores, values


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


def current(store: Store) -> tuple[ScoreRun, pd.DataFrame]:
    found = ScoreStore(store).current()
    assert found is not None
    return found


def history(store: Store, as_of: str) -> list[tuple[Any, ...]]:
    run = ScoreStore(store).require(as_of)
    stored = store.find(run.history)
    assert stored is not None
    return values(pq.read_table(store.verified(stored)).to_pandas())


def test_before_the_first_run_there_are_no_scores(store: Store) -> None:
    assert ScoreStore(store).current() is None
    assert ScoreStore(store).run("2024-07-01") is None


def test_a_date_that_was_not_scored_is_told_of_with_the_remedy(store: Store) -> None:
    with pytest.raises(
        DataError, match=r"^2024-07-01 was not scored yet; run `attrition score --as-of 2024-07-01` first$"
    ):
        ScoreStore(store).require("2024-07-01")


def test_scores_come_back_value_for_value(store: Store) -> None:
    replace(store, scores())
    run, frame = current(store)
    assert (run.as_of, run.run_id, run.rows, run.current) == ("2024-07-01", "run-1", 3, True)
    assert run.detail == {"horizon_days": 90, "run_id": "run-1", "model_version": "aaaaaaaaaaaa"}
    assert list(frame.columns) == list(COLUMNS)
    assert values(frame) == values(scores())
    assert frame["customer_id"].tolist() == ["10", "A-17", "É-2"]


def test_anybody_with_sqlite_can_read_them(store: Store) -> None:
    replace(store, scores())
    reader = sqlite3.connect(f"file:{store.ledger}?mode=ro", uri=True)
    rows = reader.execute(
        "SELECT customer_id, churn_probability FROM scores ORDER BY churn_probability DESC"
    ).fetchall()
    reader.close()
    assert rows == [("10", 0.9999999999999999), ("É-2", 1 / 3), ("A-17", 0.12345678901234568)]


def test_history_holds_the_same_values_as_the_current_scores(store: Store) -> None:
    replace(store, scores())
    assert history(store, "2024-07-01") == values(current(store)[1])


def test_scoring_a_date_again_replaces_it_whole(store: Store) -> None:
    replace(store, scores())
    fewer = scores("run-2").iloc[:2]
    replace(store, fewer, run_id="run-2")
    run, frame = current(store)
    assert (run.run_id, run.rows) == ("run-2", 2)
    assert values(frame) == values(fewer) == history(store, "2024-07-01")
    assert ScoreStore(store).require("2024-07-01").run_id == "run-2"


def test_a_later_date_becomes_current_and_the_earlier_stays_in_history(store: Store) -> None:
    replace(store, scores())
    later = scores("run-2", churn_probability=[0.5, 0.6, 0.7])
    replace(store, later, as_of="2024-08-01", run_id="run-2")
    run, frame = current(store)
    assert run.as_of == "2024-08-01"
    assert values(frame) == values(later)
    assert history(store, "2024-07-01") == values(scores())
    earlier = ScoreStore(store).require("2024-07-01")
    assert not earlier.current


def test_scoring_an_older_date_does_not_displace_the_current_scores(store: Store) -> None:
    replace(store, scores())
    older = scores("run-0", churn_probability=[0.5, 0.6, 0.7])
    replace(store, older, as_of="2024-06-01", run_id="run-0")
    run, frame = current(store)
    assert run.as_of == "2024-07-01"
    assert values(frame) == values(scores())
    assert history(store, "2024-06-01") == values(older)
    assert not ScoreStore(store).require("2024-06-01").current


def test_scoring_the_current_date_again_keeps_it_current(store: Store) -> None:
    replace(store, scores("run-0"), as_of="2024-06-01", run_id="run-0")
    replace(store, scores())
    replace(store, scores("run-2"), run_id="run-2")
    assert current(store)[0].run_id == "run-2"


@pytest.mark.parametrize(
    "faulty",
    [scores("run-2", customer_id=["A-17", "A-17", "10"]), scores("run-2", churn_probability=[0.1, None, 0.3])],
    ids=["a customer twice", "no probability"],
)
def test_a_crash_inside_the_transaction_leaves_the_old_scores(store: Store, faulty: pd.DataFrame) -> None:
    """Rows of the new run are deleted and written before the row that SQLite refuses."""
    replace(store, scores())
    with pytest.raises(IntegrityError):
        replace(store, faulty, as_of="2024-08-01", run_id="run-2")
    run, frame = current(store)
    assert (run.as_of, run.run_id) == ("2024-07-01", "run-1")
    assert values(frame) == values(scores())
    assert ScoreStore(store).run("2024-08-01") is None


def test_a_process_that_dies_before_the_commit_leaves_the_old_scores(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace(store, scores())
    transaction = store.transaction

    class DiedError(BaseException):
        pass

    def dies() -> Any:
        connection = sqlite3.connect(store.ledger, isolation_level=None)
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("DELETE FROM scores")
        connection.execute("UPDATE score_runs SET current = 0")
        connection.close()  # as the end of a process does: no COMMIT
        raise DiedError

    monkeypatch.setattr(Store, "transaction", lambda _: dies())
    with pytest.raises(DiedError):
        replace(store, scores("run-2"), run_id="run-2")
    monkeypatch.setattr(Store, "transaction", lambda _: transaction())
    assert current(store)[0].run_id == "run-1"
    assert values(current(store)[1]) == values(scores())


@pytest.mark.parametrize(
    "edit",
    [
        "UPDATE scores SET churn_probability = 0.5 WHERE customer_id = 'A-17'",
        "UPDATE scores SET reason_1 = reason_1 || ' ' WHERE customer_id = 'A-17'",
        "DELETE FROM scores WHERE customer_id = 'A-17'",
        "DELETE FROM scores",
        "UPDATE score_runs SET current = 0",
        "DELETE FROM score_runs",
        "UPDATE score_runs SET as_of = '2024-07-02'",
        "UPDATE score_runs SET run_id = 'run-9'",
        "UPDATE score_runs SET history = 'scores/other.parquet'",
        "UPDATE score_runs SET made_from = 'other'",
        "UPDATE score_runs SET rows = 4",
        """UPDATE score_runs SET detail = '{"horizon_days": 91}'""",
        "UPDATE score_runs SET detail = 'no json'",
        "UPDATE score_runs SET detail = CAST(x'ff' AS TEXT)",
        "ALTER TABLE score_runs RENAME COLUMN detail TO details",
        "ALTER TABLE scores DROP COLUMN reason_3",
        "ALTER TABLE scores ADD COLUMN reason_4 TEXT",
    ],
)
def test_scores_that_are_not_those_written_are_refused_by_name(store: Store, edit: str) -> None:
    replace(store, scores())
    with store.transaction() as ledger:
        ledger.execute(edit)
    with pytest.raises(IntegrityError, match=r"attrition\.sqlite (is|are) damaged \(.*\); restore"):
        ScoreStore(store).current()


def test_readers_see_one_run_or_the_other_while_scores_are_replaced(store: Store) -> None:
    replace(store, scores())
    seen: list[int] = []

    class Watched(pd.DataFrame):
        def itertuples(self, *arguments: Any, **named: Any) -> Any:
            for row in super().itertuples(*arguments, **named):
                reader = sqlite3.connect(f"file:{store.ledger}?mode=ro", uri=True)
                seen.append(reader.execute("SELECT count(*) FROM scores WHERE run_id = 'run-1'").fetchone()[0])
                reader.close()
                yield row

        @property
        def _constructor(self) -> type[pd.DataFrame]:
            return Watched

    replace(store, Watched(scores("run-2")), run_id="run-2")
    assert len(seen) >= 3
    assert set(seen) == {3}
    assert current(store)[0].run_id == "run-2"


def test_a_run_is_described_in_full(store: Store) -> None:
    replace(store, scores())
    run = ScoreStore(store).require("2024-07-01")
    assert run == changed(current(store)[0])
    assert run.history == "scores/2024-07-01-run-1.parquet"
    assert run.made_from == "made of run-1"
    assert score_case.current(store.root) == values(scores())


def of_model(version: str, run_id: str, probability: float) -> pd.DataFrame:
    return scores(run_id, churn_probability=[probability] * 3).assign(model_version=version)


def test_the_newest_scores_of_an_earlier_model_come_back_value_for_value(store: Store) -> None:
    replace(store, of_model("aaa", "run-1", 0.1))
    replace(store, of_model("aaa", "run-2", 0.2), as_of="2024-08-01", run_id="run-2")
    before = current(store)
    replace(store, of_model("bbb", "run-3", 0.3), as_of="2024-08-01", run_id="run-3")
    replace(store, of_model("bbb", "run-4", 0.4), as_of="2024-09-01", run_id="run-4")
    restored = ScoreStore(store).restore("aaa")
    assert restored is not None
    assert restored.run_id == "run-2"
    run, frame = current(store)
    assert values(frame) == values(before[1])
    assert changed(run, sequence=before[0].sequence) == before[0]
    assert ScoreStore(store).require("2024-08-01").run_id == "run-2"
    # What the other model wrote is history, and a new day's scores become current again.
    replace(store, of_model("aaa", "run-5", 0.5), as_of="2024-09-01", run_id="run-5")
    assert current(store)[0].run_id == "run-5"


def test_a_model_that_never_scored_restores_nothing(store: Store) -> None:
    replace(store, scores())
    assert ScoreStore(store).restore("never") is None
    assert current(store)[0].run_id == "run-1"


def test_an_altered_history_is_not_restored(store: Store) -> None:
    replace(store, of_model("aaa", "run-1", 0.1))
    replace(store, of_model("bbb", "run-2", 0.2), as_of="2024-08-01", run_id="run-2")
    (place,) = (store.root / "scores").glob("2024-07-01-*.parquet")
    place.write_bytes(place.read_bytes()[:-1])
    with pytest.raises(IntegrityError, match=r"2024-07-01-run-1\.parquet"):
        ScoreStore(store).restore("aaa")
    assert current(store)[0].run_id == "run-2"


def test_the_table_has_these_columns_in_this_order(store: Store) -> None:
    with store.transaction() as ledger:
        assert tuple(row["name"] for row in ledger.execute("PRAGMA table_info(scores)")) == COLUMNS


@pytest.mark.parametrize(
    "change", ["detail = '1e308'", "detail = '[]'", "detail = '{}'", "as_of = 'x'", "as_of = ''", "rows = 'many'"]
)
def test_a_run_that_says_something_else_than_it_must_is_refused_by_name(tmp_path: Path, change: str) -> None:
    store = Store(tmp_path)
    score_case.replace(store, score_case.scores())
    with store.transaction() as ledger:
        ledger.execute(f"UPDATE score_runs SET {change}")
    for read in (ScoreStore(store).runs, ScoreStore(store).current):
        with pytest.raises(IntegrityError, match=r"the scores in .*attrition\.sqlite are damaged"):
            read()
