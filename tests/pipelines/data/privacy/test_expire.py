from __future__ import annotations

import csv
import os
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import ibis
import pyarrow.parquet as pq
import pytest

from features.errors import DataError, SettingsError
from pipelines.data.landing.ingest import ingest
from pipelines.data.privacy.expire import expire
from pipelines.data.privacy.landed_rows import leave_out
from pipelines.foundation.ledger.recommendations import Recommended
from pipelines.foundation.ledger.score_store import ScoreStore
from pipelines.foundation.settings.privacy import Privacy
from pipelines.foundation.settings.settings import FILE_NAME, Settings, Snapshots
from pipelines.foundation.settings.template import render
from pipelines.foundation.storage import csv_file, documents
from pipelines.foundation.storage.landed_tables import landed_tables
from pipelines.foundation.storage.store import Store
from pipelines.foundation.workspace.console import Console
from pipelines.foundation.workspace.run_context import RunContext
from pipelines.foundation.workspace.workspace import open_workspace
from tests.pipelines.data.landing.landing_case import HEADER, LANDED_ON, newest, source, table
from tests.pipelines.foundation.ledger import score_case
from tests.pipelines.operations.plays.recommend_case import note

NOW = datetime(2030, 1, 1, tzinfo=UTC)
AS_OF = date(2024, 7, 1)
ORDERS = "A-1,C-1,2022-01-02,1\nA-2,C-1,2024-06-30,1\nA-3,C-2,2023-07-01,1\nA-4,C-2,2023-06-30,1\nA-5,SECRET,x,1\n"
SUBSCRIPTIONS = {name: name for name in ("subscription_id", "customer_id", "started_at")}


def workspace(root: Path, **periods: int) -> Store:
    wanted = Settings(
        currency="EUR",
        lookback_days=(30,),
        snapshots=Snapshots(at_most=4),
        sources=(source(), source("subscriptions.csv", table="subscriptions", columns=SUBSCRIPTIONS)),
        privacy=Privacy(**periods),
    )
    root.mkdir(exist_ok=True)
    (root / "orders.csv").write_text(HEADER + ORDERS)
    (root / "subscriptions.csv").write_text(",".join(SUBSCRIPTIONS) + "\nS-1,C-1,2019-01-01\n")
    (root / FILE_NAME).write_text(render(wanted), encoding="utf-8")
    ingest(Store(root), wanted, today=LANDED_ON)
    return Store(root)


def removed(root: Path, as_of: date = AS_OF) -> Any:
    found = expire(RunContext(open_workspace(root, now=NOW, as_of=as_of), Console(quiet=True), NOW))
    assert found["as_of"] == str(as_of)
    return found["removed"]


def written(place: Path) -> None:
    place.write_bytes(b"x")


def held(store: Store) -> set[int]:
    """The years of all orders that lie anywhere below the workspace, typed."""
    places = [place for kind in ("landed", "counted") for place in (store.root / kind / "orders").glob("*.parquet")]
    return {moment.year for place in places for moment in pq.read_table(place)["ordered_at"].to_pylist()}


def ids(store: Store, name: str = "orders") -> list[str]:
    return [next(iter(row.values())) for row in table(store, name)]


def test_without_periods_everything_is_kept(tmp_path: Path) -> None:
    store = workspace(tmp_path)
    before = store.files("landed"), store.files("rejected")
    assert removed(tmp_path) == {}
    assert (store.files("landed"), store.files("rejected")) == before


def test_facts_older_than_their_period_go_and_what_holds_until_it_ends_stays(tmp_path: Path) -> None:
    store = workspace(tmp_path, keep_facts_days=366)
    assert removed(tmp_path) == {"facts": 2}
    assert sorted(ids(store)) == ["A-2", "A-3"]
    assert ids(store, "subscriptions") == ["S-1"]
    (file, _) = store.files("landed")
    assert {name: file.detail[name] for name in ("rows_in", "landed", "rejected", "expired", "first_known_at")} == {
        "rows_in": 5,
        "landed": 2,
        "rejected": 1,
        "expired": 2,
        "first_known_at": "2023-07-01T00:00:00",
    }
    assert removed(tmp_path) == {"facts": 0}
    assert removed(tmp_path, date(2024, 7, 2)) == {"facts": 1}


def test_what_expired_does_not_land_again_with_the_same_file(tmp_path: Path) -> None:
    store = workspace(tmp_path, keep_facts_days=366)
    removed(tmp_path)
    assert [each.status for each in ingest(store, open_workspace(tmp_path, now=NOW).settings, today=LANDED_ON)] == [
        "unchanged"
    ] * 2
    assert len(ids(store)) == 2


def test_broken_off_and_run_again_no_copy_of_what_expired_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What counts of a file that follows another is kept beside what landed, with the same rows."""
    store = workspace(tmp_path, keep_facts_days=366)
    (tmp_path / "orders-2.csv").write_text(HEADER + "A-6,C-3,2022-03-04,1\nA-2,C-1,2024-06-30,1\n")
    settings = open_workspace(tmp_path, now=NOW).settings
    wanted = settings.model_copy(update={"sources": (source("orders*.csv"), *settings.sources[1:])})
    (tmp_path / FILE_NAME).write_text(render(wanted), encoding="utf-8")
    ingest(store, wanted, today=LANDED_ON)
    assert len(landed_tables(store, ibis.duckdb.connect(), settings=wanted)["orders"].execute()) == 5
    assert held(store) == {2022, 2023, 2024}

    def broken_off(*arguments: Any, **named: Any) -> None:
        leave_out(*arguments, **named)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("pipelines.data.privacy.expire.leave_out", broken_off)
        for _ in range(2):  # once for each file that holds old rows
            with pytest.raises(KeyboardInterrupt):
                removed(tmp_path)
    removed(tmp_path)
    assert held(store) == {2023, 2024}


def test_a_period_shorter_than_training_looks_back_is_refused(tmp_path: Path) -> None:
    store = workspace(tmp_path, keep_facts_days=147)
    with pytest.raises(SettingsError, match=r"keep_facts_days = 147, but training looks back 148 days"):
        removed(tmp_path)
    assert len(ids(store)) == 4


def test_the_text_of_old_rejects_goes_and_their_number_stays(tmp_path: Path) -> None:
    store = workspace(tmp_path, keep_rejects_days=30)
    assert removed(tmp_path, date(2024, 7, 30)) == {"rejects": 0}
    assert removed(tmp_path, date(2024, 7, 31)) == {"rejects": 1}
    assert [row for row in newest(store, "rejected") if row] == []
    (file, _) = store.files("rejected")
    assert pq.read_table(store.verified(file)).to_pylist() == [
        {"source_row": 5, "reason": "expired", "source": "orders.csv", "raw_row": None}
    ]
    assert removed(tmp_path, date(2024, 8, 1)) == {"rejects": 0}


def test_lists_of_refused_rows_go_by_the_day_they_were_written(tmp_path: Path) -> None:
    store = workspace(tmp_path, keep_rejects_days=30)
    strict = Settings(currency="EUR", sources=(source(max_rejected_share=0.0, date_format="%d/%m/%Y"),))
    with pytest.raises(DataError, match="are listed in"):
        ingest(store, strict, today=LANDED_ON)
    (place,) = tmp_path.glob("rejected/orders/*.refused.csv")
    written = datetime(2024, 5, 31, tzinfo=UTC).timestamp()
    os.utime(place, (written, written))
    removed(tmp_path, date(2024, 6, 30))
    assert place.exists()
    removed(tmp_path, date(2024, 7, 1))
    assert not place.exists()


def test_old_snapshots_outcomes_and_predictions_go(tmp_path: Path) -> None:
    store = workspace(tmp_path, keep_snapshots_days=30)
    for day in ("2024-05-31", "2024-06-01"):
        for kind in ("snapshot", "outcome"):
            store.put(f"{kind}s/{day}-x.parquet", written, kind=kind, day=day)
        frame = score_case.scores().assign(snapshot_on=day)
        documents.write_frame(store, f"results/{day}.parquet", frame, kind="predictions")
    assert removed(tmp_path) == {"snapshots": 3}
    assert [file.detail["day"] for kind in ("snapshot", "outcome") for file in store.files(kind)] == ["2024-06-01"] * 2
    assert [place.name for place in tmp_path.glob("snapshots/*")] == ["2024-06-01-x.parquet"]
    assert [file.path for file in store.files("predictions")] == ["results/2024-06-01.parquet"]


def test_scores_of_days_that_are_over_go_and_the_current_ones_never(tmp_path: Path) -> None:
    store = workspace(tmp_path, keep_scores_days=10, keep_delivery_days=10)
    for number, day in enumerate(("2024-01-01", "2024-06-20", "2024-06-21", "2024-06-22")):
        run_id = f"run-{number}"
        score_case.replace(store, score_case.scores(run_id), as_of=day, run_id=run_id)
        store.put(
            f"delivery/scores-{day}-{number}.csv",
            lambda place: csv_file.write(score_case.scores(), place),
            kind="delivery",
        )
    store.put("report.html", written, kind="report", day="2024-06-20")
    for day in ("2024-01-01", "2024-06-20", "2024-06-21"):
        note(store, day, ("C-1", "call", "treatment"))
    assert removed(tmp_path) == {"scores": 2, "recommendations": 2, "delivery": 3}
    assert [file.path for file in store.files("scores")] == [
        "scores/2024-06-21-run-2.parquet",
        "scores/2024-06-22-run-3.parquet",
    ]
    assert sorted(place.name for place in tmp_path.glob("delivery/*")) == [
        "scores-2024-06-21-2.csv",
        "scores-2024-06-22-3.csv",
    ]
    assert removed(tmp_path, date(2025, 1, 1)) == {"scores": 1, "recommendations": 1, "delivery": 1}
    assert len(Recommended(store).read()) == 0
    current = ScoreStore(store).current()
    assert current is not None
    assert current[0].run_id == "run-3"
    with (tmp_path / "delivery/scores-2024-06-22-3.csv").open(encoding="utf-8-sig") as handle:
        assert len(list(csv.DictReader(handle))) == 3
    assert b"run-0" not in store.ledger.read_bytes()
