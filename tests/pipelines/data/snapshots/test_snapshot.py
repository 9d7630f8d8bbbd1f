"""Rows that arrive late: what was computed as they came in is what a rebuild from everything gives, byte for byte."""

from __future__ import annotations

import re
import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from features.asof import instant
from features.tables import TABLES
from pipelines.data.landing.ingest import ingest
from pipelines.data.snapshots.workspace_snapshots import snapshots_of
from pipelines.foundation.settings.settings import FILE_NAME, Contracts, Outcome, Settings
from pipelines.foundation.settings.settings import Cohort as AtRisk
from pipelines.foundation.settings.sources import FileSource
from pipelines.foundation.settings.template import render
from pipelines.foundation.simulation.simulate import simulate
from pipelines.foundation.workspace.workspace import Workspace, open_workspace
from tests.features.world_case import PARIS

NOW = datetime(2030, 1, 1, tzinfo=UTC)
SNAPSHOT = date(2023, 8, 7)
DELAYS = (1, 9, 60)  # days after the snapshot at which an export is fetched again


def _opened(folder: Path) -> Workspace:
    workspace = open_workspace(folder, now=NOW)
    ingest(workspace.store, workspace.settings, today=workspace.today)
    return workspace


def _bytes(workspace: Workspace, day: date) -> bytes:
    return workspace.store.verified(snapshots_of(workspace).at(day).file).read_bytes()


def _export(source: Path, folder: Path, name: str, *, known_from: date | None, known_before: date | None) -> None:
    """The rows of every table that became known in a span, as one file more of each."""
    for table in TABLES:
        rows = pq.read_table(source / f"{table}.parquet")
        for bound, keep in ((known_from, pc.greater_equal), (known_before, pc.less)):
            if bound is not None:
                rows = rows.filter(keep(rows["known_at"], instant(bound, zone=PARIS)))
        if rows.num_rows or known_from is None:
            pq.write_table(rows, folder / f"{table}-{name}.parquet")


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("late") / "company"
    simulate(folder, customers=150, months=12, seed=3)
    return folder


def test_a_rebuild_after_any_delay_equals_what_was_computed_as_rows_came_in(company: Path, tmp_path: Path) -> None:
    settings = (company / FILE_NAME).read_text(encoding="utf-8")
    settings = re.sub(r'path = "(\w+)\.parquet"', r'path = "\1-*.parquet"', settings)
    settings = re.sub(r"lookback_days = .*", "lookback_days = [30]", settings)
    slowly, at_once = tmp_path / "slowly", tmp_path / "at_once"
    for folder in (slowly, at_once):
        folder.mkdir()
        (folder / FILE_NAME).write_text(settings, encoding="utf-8")
    until: date | None = None
    seen: list[bytes] = []
    for number, delay in enumerate((0, *DELAYS)):
        fetched = SNAPSHOT + timedelta(days=delay)
        _export(company, slowly, str(number), known_from=until, known_before=fetched)
        seen.append(_bytes(_opened(slowly), SNAPSHOT))
        until = fetched
    later = SNAPSHOT + timedelta(days=30)
    after = _bytes(_opened(slowly), later)
    for place in slowly.glob("*-*.parquet"):
        shutil.copy(place, at_once / place.name)
    rebuilt = _opened(at_once)
    assert set(seen) == {_bytes(rebuilt, SNAPSHOT)}
    assert after == _bytes(rebuilt, later)
    late = pq.read_table(company / "messages.parquet")
    cut = instant(SNAPSHOT, zone=PARIS)
    assert pc.sum(pc.and_(pc.less(late["sent_at"], cut), pc.greater_equal(late["known_at"], cut))).as_py() > 0


def _club(folder: Path, **contracts: bool) -> Workspace:
    """Two subscriptions, of one of which no price is known."""
    columns = {name: name for name in ("subscription_id", "customer_id", "started_at", "mrr")}
    settings = Settings(
        time_zone="Europe/Paris",
        currency="EUR",
        complete_until=date(2024, 7, 1),
        sources=(FileSource(table="subscriptions", path="subs.csv", columns=columns),),
        cohort=AtRisk(kind="subscribed"),
        outcome=Outcome(kind="churn", also=("contraction",), horizon_days=30),
        contracts=Contracts(**contracts),
    )
    (folder / FILE_NAME).write_text(render(settings), encoding="utf-8")
    rows = "subscription_id,customer_id,started_at,mrr\ns1,priced,2024-01-10,30\ns2,unpriced,2024-01-10,\n"
    (folder / "subs.csv").write_text(rows, encoding="utf-8")
    return _opened(folder)


def test_whose_outcome_is_not_known_is_not_learned_from(tmp_path: Path) -> None:
    club = _club(tmp_path)
    snapshots, day = snapshots_of(club), date(2024, 3, 1)
    found, less = (
        of.at(day).labelled_frame() for of in (snapshots, snapshots.of(club.settings.question_of("contraction")))
    )
    assert found is not None
    assert less is not None
    assert sorted(found["customer_id"]) == ["priced", "unpriced"]
    assert list(less["customer_id"]) == ["priced"]


def test_how_a_pause_is_read_makes_other_indicators_outcomes_and_questions(tmp_path: Path) -> None:
    before, after = snapshots_of(_club(tmp_path)), snapshots_of(_club(tmp_path, pause_pauses_mrr=False))
    assert before.definition != after.definition
    assert before.question != after.question
    assert before.observed != after.observed
