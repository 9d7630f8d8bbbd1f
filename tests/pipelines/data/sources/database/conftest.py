from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.mariadb_server import PASSWORD, mariadb_server
from tests.pipelines.data.sources.database.database_case import ACCESS, READER_PASSWORD, Database
from tests.postgres_server import postgres_server


@pytest.fixture(scope="session")
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with postgres_server(tmp_path_factory.mktemp("postgresql"), access=ACCESS) as port:
        with psycopg.connect(f"postgresql://tests@127.0.0.1:{port}/postgres") as owner:
            owner.execute(f"CREATE ROLE reader LOGIN PASSWORD '{READER_PASSWORD.replace(chr(39), chr(39) * 2)}'")
        url = f"postgresql://reader@127.0.0.1:{port}/postgres"
        yield Database("postgresql", url, port, READER_PASSWORD)


@pytest.fixture(scope="session")
def mysql() -> Iterator[Database]:
    with mariadb_server() as port:
        yield Database("mysql", f"mysql://reader@127.0.0.1:{port}/shop", port, PASSWORD)


@pytest.fixture(params=["postgresql", "mysql", "sqlite"])
def database(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Database:
    """Each kind of database, and the password of its reader in the environment."""
    if request.param == "sqlite":
        return Database("sqlite", "sqlite:///shop.db", tmp_path / "shop.db")
    found: Database = request.getfixturevalue(request.param)
    monkeypatch.setenv("ATTRITION_SOURCE_PASSWORD", str(found.password))
    return found
