"""A ledger that release 0.1.0 made of a small shop, read by today's code. `tests/golden/ledger_of_0_1_0` holds it."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest

from pipelines.commands.frame import MISTAKE
from pipelines.foundation.identity.erased_customers import ErasedCustomers
from pipelines.foundation.ledger import outbox
from pipelines.foundation.ledger.model_versions import Versions
from pipelines.foundation.ledger.recommendations import Recommended
from pipelines.foundation.ledger.score_store import ScoreStore
from pipelines.foundation.storage.ledger_schema import VERSION
from pipelines.foundation.storage.store import Store
from pipelines.foundation.storage.workspace_paths import LEDGER
from pipelines.operations.delivery.outbox import Outbox
from tests.pipelines.foundation.storage.ledger_case import content, files, shape, version, write
from tests.pipelines.shop_case import attrition, make_shop, order

GOLDEN = Path(__file__).parents[3] / "golden" / "ledger_of_0_1_0"
SCRIPT = (GOLDEN / "attrition.sql").read_text(encoding="utf-8")
BEFORE, CHAMPION = "ea13fda55caa", "547123af5dc3"  # the versions that were champions, one after the other
NOW = datetime(2026, 12, 1, tzinfo=UTC)


def as_it_was(folder: Path, *, lacking: tuple[str, ...] = ()) -> Path:
    """The workspace as 0.1.0 left it: its ledger, scores and models. lacking: tables that it never needed."""
    shutil.copytree(GOLDEN, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.sql"))
    write(folder, "PRAGMA journal_mode = WAL;" + SCRIPT + "".join(f"DROP TABLE {name};" for name in lacking))
    return folder


@pytest.fixture
def old(tmp_path: Path) -> Path:
    return as_it_was(tmp_path / "old")


@pytest.fixture
def dump() -> Iterator[sqlite3.Connection]:
    """What the ledger held, read without our code."""
    with closing(sqlite3.connect(":memory:")) as found:
        found.row_factory = sqlite3.Row
        found.executescript(SCRIPT)
        yield found


def rows(dump: sqlite3.Connection, query: str) -> list[tuple[object, ...]]:
    return [tuple(row) for row in dump.execute(query)]


def values(frame: pd.DataFrame) -> list[tuple[object, ...]]:
    return list(frame.astype(object).where(frame.notna(), None).itertuples(index=False, name=None))


def of_today(before: dict[str, list[tuple[object, ...]]]) -> dict[str, list[tuple[object, ...]]]:
    """The rows of 0.1.0 with what was added since: nothing was read back longer ago."""
    return before | ({"held": [(*row, None) for row in before["held"]]} if "held" in before else {})


def test_it_becomes_a_ledger_of_today_with_every_row_that_it_had(tmp_path: Path, old: Path) -> None:
    before = content(old)
    assert (version(old), "posted" in shape(old)) == (0, False)  # no alert was ever posted
    Store(old)
    (tmp_path / "new").mkdir()
    Store(tmp_path / "new")
    assert shape(old) == shape(tmp_path / "new")
    assert version(old) == VERSION
    assert content(old) == of_today(before)
    assert {name: len(before[name]) for name in ("scores", "recommended", "outbox", "held")} == {
        "scores": 140,
        "recommended": 274,
        "outbox": 22,
        "held": 118,
    }


def test_a_second_opening_changes_nothing(old: Path) -> None:
    Store(old)
    before = files(old)
    Store(old)
    assert files(old) == before


@pytest.mark.parametrize(
    "lacking",
    [
        ("outbox", "held", "deliveries"),
        ("recommended",),
        ("enforced", "erasures", "keys"),
        ("versions", "rollbacks", "challengers", "champions", "scores", "score_runs"),
        ("rewrites",),
    ],
    ids=["never delivered", "without plays", "nobody erased", "never trained", "nothing rewritten"],
)
def test_tables_that_it_never_needed_are_made_and_the_others_keep_their_rows(
    tmp_path: Path, old: Path, lacking: tuple[str, ...]
) -> None:
    less = as_it_was(tmp_path / "less", lacking=lacking)
    before = content(less)
    assert not set(lacking) & set(shape(less))
    Store(less)
    Store(old)
    assert shape(less) == shape(old)
    assert content(less) == of_today(before)


def test_its_scores_are_the_same_value_for_value(old: Path, dump: sqlite3.Connection) -> None:
    current = ScoreStore(Store(old)).current()
    assert current is not None
    run, scores = current
    assert values(scores) == rows(dump, "SELECT * FROM scores ORDER BY customer_id")
    runs = [(each.run_id, each.as_of, each.rows, each.current) for each in ScoreStore(Store(old)).runs()]
    assert runs == rows(dump, "SELECT run_id, as_of, rows, current FROM score_runs ORDER BY as_of")
    assert [run.run_id] == [name for name, *_, is_current in runs if is_current]


def test_its_models_are_the_same_and_can_be_gone_back_from(old: Path, dump: sqlite3.Connection) -> None:
    versions = Versions(Store(old), "inactivity")
    found = [(each.version, each.trained_at, each.verdict, each.record, each.published) for each in versions.all()]
    kept = rows(dump, "SELECT version, trained_at, verdict, record, published FROM versions ORDER BY sequence")
    assert found == [(name, at, why, json.loads(str(record)), published) for name, at, why, record, published in kept]
    assert [each.version for each in versions.champion_periods()] == [BEFORE, CHAMPION]
    assert versions.champion().version == CHAMPION
    assert all(versions.files(CHAMPION).values())
    assert versions.begin_roll_back() == BEFORE
    versions.roll_back(BEFORE, now=NOW)
    assert versions.champion().version == BEFORE
    restored = ScoreStore(versions.store).restore(BEFORE)
    assert restored is not None
    current = ScoreStore(versions.store).current()
    assert current is not None
    assert current[0].as_of == restored.as_of == "2025-04-01"
    assert values(current[1]) == values(pd.read_parquet(old / restored.history))


def test_what_was_recommended_sent_refused_and_erased_is_the_same(old: Path, dump: sqlite3.Connection) -> None:
    store = Store(old)
    assert values(Recommended(store).read()) == rows(
        dump, "SELECT * FROM recommended ORDER BY recommended_on, customer_id"
    )
    assert outbox.destinations(store) == ["hubspot"]
    (refused,) = rows(dump, "SELECT customer_id FROM outbox ORDER BY customer_id LIMIT 1")[0]
    assert outbox.rows_of(store, [str(refused), "C-0005"], table="outbox") == {refused: 1}
    assert Outbox(store, "hubspot").counts() == {"pending": 0, "dead": 22, "dropped": 0, "held": 118}
    assert [each["run_id"] for each in Outbox(store, "hubspot").logged(limit=9)] == ["20250601-877c487d"]
    assert ErasedCustomers.of(store).among(["C-0004", "C-0005", "C-0006"]) == ["C-0005"]


def test_a_ledger_of_a_later_release_is_refused_in_words_and_left_as_it_is(tmp_path: Path) -> None:
    shop = make_shop(tmp_path / "shop", rows=[order(1, "C-1", NOW.date(), 1.0)])
    as_it_was(shop)
    Store(shop)
    write(shop, f"PRAGMA user_version = {VERSION + 1}")
    before = {name: found for name, found in files(shop).items() if name.startswith(LEDGER)}
    ended = attrition("check", "--project", str(shop))
    assert ended.returncode == MISTAKE
    assert " ".join(ended.stderr.split()) == (
        f"attrition: {shop / LEDGER} has version {VERSION + 1}, and this attrition knows none after {VERSION}: a newer "
        "one has worked in this workspace; install that one, or restore the ledger from a backup made before"
    )
    assert {name: found for name, found in files(shop).items() if name.startswith(LEDGER)} == before
