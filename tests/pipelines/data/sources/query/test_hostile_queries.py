"""Whatever a query says, it reads the exports that it names, changes nothing, ends, and is refused in words."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.errors import AttritionError
from pipelines.data.landing.ingest import ingest
from pipelines.data.sources.query import apart, run
from pipelines.foundation.storage.store import Store
from tests.pipelines.data.landing.landing_case import HEADER, LANDED_ON, settings
from tests.pipelines.data.sources.query.hostile_queries import ALL, BOMBS, ENDLESS, HARMLESS, REFUSED
from tests.pipelines.data.sources.query.query_case import query_source

ROWS = HEADER + "canary-1,canary@example.com,canary-day,canary-paid\ncanary-2,canary@example.com,2024-01-02,1\n"
SECRET = HEADER + "secret-1,secret@example.com,2024-01-02,1\n"
HOME = Path.home()
KINDS = ("landed", "rejected")
ANSWERED = run._answered
leaked = pa.table({"order_id": ["secret-2"]})  # a variable that DuckDB in this process would take for a table


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace with exports, files of attrition's own and links; beside it what nobody may read or change."""
    shop, outside = tmp_path / "shop", tmp_path / "outside"
    shop.mkdir()
    Store(shop)
    for folder in (shop / "sub", shop / "landed", shop / "snapshots", outside):
        folder.mkdir()
    for name in ("orders.csv", "it's; DROP TABLE x --.csv", "a.csv; DROP.csv", 'quo"te.csv'):
        (shop / name).write_text(ROWS)
    mail = "canary@example.com"
    (shop / "people.json").write_text(json.dumps([{"id": "canary", "mail": mail, "x": [{mail: 1}]}]))
    pq.write_table(pa.table({"id": ["canary"], "mail": [mail]}), shop / "items.parquet")
    own = ("landed/own.csv", "snapshots/own.csv", ".attrition-own.csv", "plays.toml", "attrition.toml")
    for place in (*(shop / name for name in own), outside / "secret.csv", outside / "secret.json"):
        place.write_text(SECRET)
    (shop / "link.csv").symlink_to(outside / "secret.csv")
    (shop / "linked").symlink_to(outside)
    (shop / "own.csv").symlink_to("landed/own.csv")
    (shop / "mine").symlink_to("landed")
    monkeypatch.setenv("HOME", str(outside))
    monkeypatch.setenv("CANARY", "secret")
    monkeypatch.chdir(outside)
    monkeypatch.setattr(run, "_answered", apart.answer)  # here, which is more than a process of its own could reach
    return shop


def tree(root: Path) -> dict[str, str]:
    """Every file and folder that is not for attrition to write, with its content."""
    found = {}
    for folder, names, files in os.walk(root):
        names[:] = [name for name in names if name not in ("landed", "rejected", "counted")]
        for name in (*names, *files):
            place = Path(folder) / name
            is_text = place.is_file() and not name.startswith("attrition.sqlite")
            found[str(place)] = hashlib.sha256(place.read_bytes()).hexdigest() if is_text else ""
    return {name: held for name, held in found.items() if "attrition.sqlite" not in name}


def attempt(shop: Path, query: str) -> str | None:
    """Land a query. The words with which it is refused, None where it landed; and see that it did nothing else."""
    outside = shop.parent / "outside"
    (shop / "hostile.sql").write_text(query.replace("OUTSIDE", str(outside)))
    before, home, store = tree(shop.parent), (HOME / ".duckdb").exists(), Store(shop)
    said: list[str] = []
    refused = None
    try:
        results = ingest(
            store, settings(query_source("hostile.sql", time_limit_minutes=1)), today=LANDED_ON, progress=said.append
        )
        said += [remark for result in results for remark in result.remarks]
    except AttritionError as error:
        refused = f"{type(error).__name__}: {error} {error.__cause__ or ''}"
    assert tree(shop.parent) == before
    assert (HOME / ".duckdb").exists() == home
    written = [pq.read_table(store.verified(each)).to_pylist() for kind in KINDS for each in store.files(kind)]
    assert "secret" not in str(written)
    assert refused is None or written == []
    assert refused is None or refused.startswith(("SettingsError", "DataError"))  # of the query, not of the workspace
    words = " ".join([*said, refused or ""]).replace(query, "").replace(str(outside), "")
    assert "canary-" not in words
    assert "canary@" not in words
    assert "secret-" not in words
    assert "secret@" not in words
    assert "Traceback" not in words
    return refused


REFUSED_QUERIES = [(group, number, query) for group, queries in REFUSED.items() for number, query in enumerate(queries)]


@pytest.mark.parametrize(
    "query", [pytest.param(query, id=f"{group} {number}") for group, number, query in REFUSED_QUERIES]
)
def test_what_a_query_may_not_is_refused_in_words(query: str, shop: Path) -> None:
    refused = attempt(shop, query)
    assert refused is not None
    assert len(refused) > 20


@pytest.fixture
def processes(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each query has a process of its own, as it has outside of tests, and a second instead of a minute."""
    monkeypatch.setattr(run, "_answered", ANSWERED)
    monkeypatch.setattr(run, "_MINUTE", 1.0)


@pytest.mark.parametrize("number", range(len(ENDLESS)))
@pytest.mark.usefixtures("processes")
def test_what_never_ends_is_stopped_whatever_it_is_busy_with(
    number: int, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "_MINUTE", 0.5)
    refused = attempt(shop, ENDLESS[number])
    assert refused is not None
    assert "took longer than 1 minute and was stopped" in refused


@pytest.mark.parametrize("number", range(len(BOMBS)))
@pytest.mark.usefixtures("processes")
def test_what_asks_for_too_much_memory_is_stopped(number: int, shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "_MEMORY", 400 << 20)
    assert attempt(shop, BOMBS[number]) is not None


@pytest.mark.parametrize("number", range(len(HARMLESS)))
def test_what_looks_hostile_and_is_not_gives_rows_of_its_own_files_alone(number: int, shop: Path) -> None:
    attempt(shop, HARMLESS[number])


@pytest.mark.usefixtures("processes")
def test_it_is_the_query_that_is_refused_there_and_not_the_workspace(
    shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "_MINUTE", 60.0)
    assert attempt(shop, ALL) is None


@pytest.mark.parametrize(
    "statement",
    [
        "FROM read_text('OUTSIDE/secret.csv')",
        "FROM 'OUTSIDE/secret.csv'",
        "FROM glob('OUTSIDE/*')",
        "FROM sniff_csv('OUTSIDE/secret.csv')",
        "FROM query_table('OUTSIDE/secret.csv')",
        "FROM read_text('OUTSIDE/../shop/landed/own.csv')",
        "FROM read_text('https://127.0.0.1:9/x')",
        "FROM leaked",
        "COPY (SELECT 1) TO 'OUTSIDE/out.csv'",
        "ATTACH 'OUTSIDE/x.db'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET threads = 1",
        "SET enable_external_access = true",
        "RESET allowed_paths",
        "CREATE PERSISTENT SECRET s (TYPE s3)",
    ],
)
def test_what_would_get_past_the_first_look_reaches_nothing_either(statement: str, shop: Path, tmp_path: Path) -> None:
    scratch, outside = tmp_path / "scratch", tmp_path / "outside"
    scratch.mkdir()
    before = tree(tmp_path)
    with apart.locked({}, [str(shop / "orders.csv")], scratch) as connection, pytest.raises(duckdb.Error):
        connection.execute(statement.replace("OUTSIDE", str(outside))).fetchall()
    assert tree(tmp_path) == before


def test_there_are_many() -> None:
    assert len(REFUSED_QUERIES) + len(ENDLESS) + len(BOMBS) + len(HARMLESS) >= 100
