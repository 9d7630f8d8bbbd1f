"""What computes, as the settings say it."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from pipelines.foundation.settings.engine import Engine


def test_the_kind_alone_may_stand_there_as_in_earlier_releases() -> None:
    assert Engine.model_validate("spark") == Engine(kind="spark")
    assert Engine.model_validate("duckdb") == Engine()


def test_what_is_of_spark_may_wait_while_duckdb_computes() -> None:
    assert Engine(remote="sc://a:15002").kind == "duckdb"


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"kind": "spark", "master": "spark://a:7077", "remote": "sc://a:15002", "shared": "/data"}, "set master"),
        ({"kind": "spark", "master": "spark://a:7077"}, "set shared, a folder or an address"),
        ({"kind": "spark", "remote": "sc://a:15002"}, "set shared, a folder or an address"),
        ({"kind": "spark", "master": "http://a"}, "no master of Spark; write it as spark://host:7077"),
        ({"kind": "spark", "remote": "a:15002", "shared": "/data"}, "write it as sc://host:15002"),
        ({"kind": "spark", "remote": "sc://a/;token=x", "shared": "/data"}, "SPARK_CONNECT_AUTHENTICATE_TOKEN"),
        ({"kind": "spark", "shared": "data"}, "must be a whole path, such as /mnt/shared/attrition, or an address"),
        ({"kind": "spark", "shared": "s3://key:secret@bucket"}, "keys come from the environment"),
        ({"kind": "spark", "options": {"spark.sql.session.timeZone": "CET"}}, "figures depend on it"),
        ({"kind": "spark", "options": {"spark.hadoop.fs.s3a.secret.key": "x"}}, "looks like a secret"),
    ],
)
def test_what_cannot_be_is_refused_with_what_to_write(told: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Engine.model_validate(told)


def test_a_token_is_not_told_again() -> None:
    with pytest.raises(ValidationError) as refused:
        Engine(kind="spark", remote="sc://a/;token=of-mine", shared="/data")
    assert "of-mine" not in str(refused.value)


@pytest.mark.parametrize(
    "master", ["spark://a:7077", "spark://a:7077,b:7077", "local[2]", "yarn", "k8s://https://a:6443"]
)
def test_masters_as_spark_writes_them(master: str) -> None:
    assert Engine(kind="spark", master=master, shared="s3://bucket/folder/").shared == "s3://bucket/folder"
