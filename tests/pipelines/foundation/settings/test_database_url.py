from __future__ import annotations

from typing import Any

import pytest

from pipelines.foundation.settings.database_url import database_url, without_user
from pipelines.foundation.settings.sources import DatabaseSource, QuerySource
from tests.pipelines.data.landing.landing_case import settings

GIVEN = {"table": "orders", "query": "SELECT 1", "url": "sqlite:///shop.db"}


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PGHOST", "PGHOSTADDR", "PGSSLMODE"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("postgresql://shop:s3cret@db.example.com/shop", "it holds a password"),
        ("postgresql://shop:@db.example.com/shop", "it holds a password"),
        ("postgresql://shop:s3c/ret@db.example.com/shop", "a password stands in no url"),
        ("postgresql://shop:12/s3cret@db.example.com/shop", "a password stands in no url"),
        ("postgresql://shop:s3#cret@db.example.com/shop", "a password stands in no url"),
        ("postgresql://shop:s3@cret@db.example.com/shop", "it holds a password"),
        ("postgresql://db.example.com/shop?password=s3cret", "it holds a password"),
        ("mysql://db.example.com/shop?passwd=s3cret", "it holds a password"),
        ("bigquery://shop/orders?credentials_base64=s3cret", "it holds a password"),
        ("mssql://db.example.com/shop?odbc_connect=PWD%3Ds3cret", "it holds a password"),
        ("postgresql+psycopg2://db.example.com/shop", "write it like postgresql://"),
        ("oracle://db.example.com/shop", "also mssql://, bigquery://, snowflake://, which nobody has tested"),
        ("postgresql://[::1", "write it like postgresql://"),
        ("postgresql://db.example.com", "names no database"),
        ("mysql:///shop", "names no host"),
        ("sqlite:////etc/shop.db", "leaves the workspace"),
        ("sqlite:///../shop.db", "leaves the workspace"),
        ("sqlite:///shop.db?mode=rwc", "a file of the workspace, and nothing else"),
        ("postgresql://db.example.com/shop?options=-cx", "may stand sslmode and sslrootcert, and not 'options'"),
        ("postgresql://db.example.com/shop?sslmode=no", "sslmode is one of require, verify-ca, verify-full"),
        ("postgresql://db.example.com/shop?sslmode=prefer", "its connection need not be encrypted"),
        ("mysql://db.example.com/shop?sslmode=disable", "its connection need not be encrypted"),
        ("mssql://db.example.com/shop?Encrypt=no", "its connection need not be encrypted"),
    ],
)
def test_an_address_that_does_not_do_is_refused_and_not_repeated(url: str, words: str) -> None:
    with pytest.raises(ValueError, match="1 validation error") as found:
        DatabaseSource(**GIVEN | {"url": url})
    assert words in str(found.value)
    assert not any(part in str(found.value) for part in ("s3c", "cret", "s3#"))


@pytest.mark.parametrize(
    ("url", "environment", "mode"),
    [
        ("postgresql://db.example.com/shop", {}, "require"),
        ("mysql://db.example.com/shop", {}, "require"),
        ("postgresql://db.example.com/shop?sslmode=verify-full", {}, "verify-full"),
        ("postgresql://db.example.com/shop", {"PGSSLMODE": "disable"}, "require"),
        ("postgresql://db.example.com/shop", {"PGSSLMODE": "verify-full"}, "verify-full"),
        ("postgresql:///shop", {"PGHOST": "db.example.com"}, "require"),
        ("postgresql:///shop", {}, None),
        ("postgresql://localhost/shop", {}, None),
        ("mysql://127.0.0.1/shop?sslmode=disable", {}, "disable"),
    ],
)
def test_what_leaves_this_machine_is_encrypted(
    url: str, environment: dict[str, str], mode: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert database_url(url).tls == mode


def test_the_parts_of_an_address() -> None:
    found = database_url("postgresql://an%40n@db.example.com:5433/sh%20op?sslmode=require")
    assert (found.user, found.host, found.port, found.database) == ("an@n", "db.example.com", 5433, "sh op")
    assert database_url("sqlite:///exports/shop.db").database == "exports/shop.db"


@pytest.mark.parametrize(
    ("url", "written"),
    [
        (
            "postgresql://ann@db.example.com:5433/shop?sslmode=require",
            "postgresql://db.example.com:5433/shop?sslmode=require",
        ),
        ("sqlite:///shop.db", "sqlite:///shop.db"),
    ],
)
def test_settings_are_written_down_without_the_user(url: str, written: str) -> None:
    assert without_user(url) == written
    found = settings(DatabaseSource(**GIVEN | {"url": url}))
    assert found.sources[0].model_dump()["url"] == written
    assert "ann" not in found.model_dump_json()


@pytest.mark.parametrize(
    ("given", "kind"),
    [(GIVEN, DatabaseSource), (GIVEN | {"kind": "database"}, DatabaseSource),
     ({"table": "orders", "query": "SELECT 1"}, QuerySource)],
)  # fmt: skip
def test_a_source_with_a_url_is_a_database(given: dict[str, Any], kind: type) -> None:
    found = type(settings(DatabaseSource(**GIVEN))).model_validate({"currency": "EUR", "sources": [given]})
    assert type(found.sources[0]) is kind


def test_the_name_of_the_variable_is_no_password() -> None:
    with pytest.raises(ValueError, match="password_env") as found:
        DatabaseSource(**GIVEN | {"password_env": "s3cret!"})
    assert "s3cret" not in str(found.value)
