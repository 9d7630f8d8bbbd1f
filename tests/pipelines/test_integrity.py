"""A file that was cut or altered by one byte is refused by name before anything parses it."""

from __future__ import annotations

import hashlib
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import ibis
import lightgbm as lgb
import pandas as pd
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from features.errors import IntegrityError
from models import artifact
from pipelines.cli import app
from pipelines.foundation.ledger.model_versions import Versions
from pipelines.foundation.ledger.score_store import ScoreRun, ScoreStore
from pipelines.foundation.storage import documents
from pipelines.foundation.storage.landed_tables import landed_tables
from pipelines.foundation.storage.store import Store
from pipelines.foundation.storage.workspace_paths import LEDGER
from tests.models.model_case import fitted, snapshot_frame
from tests.pipelines.data.landing.landing_case import land
from tests.pipelines.foundation.ledger import score_case

EACH = 100


def mutations(content: bytes, seed: int) -> Iterator[tuple[str, bytes]]:
    """EACH cuts at random lengths, the empty file among them, and EACH changes of one byte."""
    random = Random(seed)
    for length in [0, len(content) - 1, *random.choices(range(len(content)), k=EACH - 2)]:
        yield f"cut to {length} of {len(content)} bytes", content[:length]
    for _ in range(EACH):
        place, change = random.randrange(len(content)), random.randrange(1, 256)
        altered = bytearray(content)
        altered[place] ^= change
        yield f"byte {place} changed by {change}", bytes(altered)


def refusal(read: Callable[[], object]) -> str | None:
    """Why the reader refuses; None where it reads."""
    try:
        read()
    except IntegrityError as error:
        return str(error)
    return None


def assert_every_mutation_is_refused(place: Path, read: Callable[[], object], seed: int) -> None:
    whole = place.read_bytes()
    read()
    refused = 0
    for what, content in mutations(whole, seed):
        place.write_bytes(content)
        said = refusal(read)
        assert said is not None, f"{place.name} was accepted: {what}"
        assert said.startswith(f"{place} is not the file that was written ("), what
        refused += 1
    assert refused == 2 * EACH
    place.write_bytes(whole)
    read()


@pytest.mark.parametrize(("name", "seed"), [(artifact.BOOSTER, 1), (artifact.MODEL, 2)])
def test_a_cut_or_altered_model_is_refused_and_never_parsed(
    name: str, seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    versions = Versions(Store(tmp_path), "churn")
    version = artifact.version(files := artifact.to_files(fitted()))
    versions.keep(files, version)
    parsed: list[str] = []
    real = lgb.Booster

    def booster(model_str: str) -> lgb.Booster:
        parsed.append(model_str)
        return real(model_str=model_str)

    monkeypatch.setattr(lgb, "Booster", booster)
    assert_every_mutation_is_refused(tmp_path / "models" / version / name, lambda: versions.load(version), seed)
    assert len(parsed) == 2  # before and after


def test_a_cut_or_altered_snapshot_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(tmp_path)
    path = documents.write_frame(store, "snapshots/2024-07-01.parquet", snapshot_frame(300), kind="profile")
    parsed: list[Path] = []
    real = pq.read_table

    def read_table(place: Path) -> object:
        parsed.append(place)
        return real(place)

    monkeypatch.setattr(pq, "read_table", read_table)
    assert_every_mutation_is_refused(tmp_path / path, lambda: documents.read_frame(store, path), 3)
    assert len(parsed) == 2


def test_a_cut_or_altered_landed_file_is_refused(tmp_path: Path) -> None:
    rows = "".join(f"A-{n},C-{n % 7},2024-01-{n % 28 + 1:02},{n}.50\n" for n in range(60))
    land(tmp_path, "order_id,customer_id,ordered_at,amount\n" + rows)
    store, connection = Store(tmp_path), ibis.duckdb.connect()
    (landed,) = store.files("landed")

    def read() -> object:
        return landed_tables(store, connection)["orders"].count().execute()

    assert read() == 60
    assert_every_mutation_is_refused(tmp_path / landed.path, read, 4)


def current(root: Path) -> tuple[ScoreRun, list[tuple[Any, ...]]] | None:
    read = ScoreStore(Store(root)).current()
    return None if read is None else (read[0], score_case.values(read[1]))


def test_a_cut_or_altered_score_store_is_refused_or_gives_exactly_what_was_written(tmp_path: Path) -> None:
    """SQLite has bytes that hold no value: to change those changes nothing."""
    (tmp_path / "whole").mkdir()
    store = Store(tmp_path / "whole")
    score_case.replace(store, score_case.scores("run-0"), as_of="2024-06-01", run_id="run-0")
    names = score_case.ROWS["customer_id"]
    score_case.replace(
        store,
        pd.concat([score_case.scores(customer_id=[f"{name}-{copy}" for name in names]) for copy in range(60)]),
    )
    assert not list(tmp_path.glob(f"whole/{LEDGER}-*"))  # nothing waits in a write-ahead log
    expected = current(store.root)
    assert expected is not None
    content, damaged = store.ledger.read_bytes(), tmp_path / "damaged"
    found: Counter[str] = Counter()
    for what, altered in mutations(content, 5):
        shutil.rmtree(damaged, ignore_errors=True)
        (damaged / "scores").mkdir(parents=True)
        (damaged / "scores" / "2024-06-01-run-0.parquet").touch()
        (damaged / LEDGER).write_bytes(altered)
        said = refusal(lambda: current(damaged))
        if said is None:
            assert current(damaged) == expected, what
        else:
            assert str(damaged / LEDGER) in said, what
        found["the same" if said is None else "refused"] += 1
    assert sum(found.values()) == 2 * EACH
    assert found["refused"] >= EACH  # every cut, for one
    assert found["the same"] > 0


def test_each_byte_that_holds_a_score_is_guarded(tmp_path: Path) -> None:
    """Changes aimed at the values themselves: none of them comes through."""
    store = Store(tmp_path)
    score_case.replace(store, score_case.scores())
    content = store.ledger.read_bytes()
    texts = [
        b"A-17",
        b"medium",
        b"no order for 94 days",
        b"aaaaaaaaaaaa",
        b"2024-07-31",
        b"made of run-1",
        b"CREATE TABLE s",
    ]
    places = [content.rindex(text) + 1 for text in texts]
    for place in places:
        altered = bytearray(content)
        altered[place] ^= 1
        store.ledger.write_bytes(altered)
        with pytest.raises(IntegrityError, match=r"attrition\.sqlite"):
            ScoreStore(Store(tmp_path)).current()


# Folders that are gone


def _content(folder: Path) -> dict[str, str]:
    """The hash of each file of the workspace."""
    return {
        place.relative_to(folder).as_posix(): hashlib.sha256(place.read_bytes()).hexdigest()
        for kind in FOLDERS
        for place in (folder / kind).rglob("*")
        if place.is_file() and place.name != "model_card.md"  # it tells when the model was trained
    }


FOLDERS = (
    "landed", "rejected", "snapshots", "outcomes", "results", "models", "scores", "delivery", "monitoring",
)  # fmt: skip


@pytest.mark.parametrize(
    "gone", [*((name,) for name in FOLDERS if name not in ("models", "results")), FOLDERS], ids="+".join
)
def test_whichever_folder_is_deleted_the_commands_make_it_again_byte_for_byte(
    finished_workspace: Path, tmp_path: Path, gone: tuple[str, ...]
) -> None:
    shop = Path(shutil.copytree(finished_workspace, tmp_path / "shop"))
    whole = _content(shop)
    for name in gone:
        shutil.rmtree(shop / name)
    for command in ("ingest", *(("train",) if "models" in gone else ()), "score", "monitor", "deliver"):
        ran = CliRunner().invoke(app, [command, "--project", str(shop), "--json"])
        assert ran.exit_code == 0 or (command, ran.exit_code) == ("monitor", 1), ran.output  # it has an alert to tell
    again = _content(shop)
    assert {name for name in again if name in whole and again[name] != whole[name]} == set()
    # What only training, backtests and reports need is made by them.
    later = ["outcomes/", "results/", "monitoring/matured/", *(["snapshots/"] if "models" not in gone else [])]
    deleted = tuple(place for place in later if place.partition("/")[0] in gone)
    assert {name for name in whole.keys() - again.keys() if not name.startswith(deleted)} == set()
