"""The part of `attrition.toml` that says what computes the indicators, and where."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from pipelines.foundation.settings.section import CONTROLS, Section

# What the results depend on, and so is not for settings to change.
OURS = {"spark.sql.session.timeZone": "UTC", "spark.sql.ansi.enabled": "false"}
_MASTER = re.compile(r"(spark://[^/\s]+|local(\[[\d*,]+\])?|yarn|k8s://\S+)")
_REMOTE = re.compile(r"sc://[^/\s]+(/(;[^;=\s]+=[^;\s]*)*)?")
_SECRET = re.compile(r"(?i)secret|password|passwd|token|credential|\.key$")


def _master(value: str) -> str:
    if not _MASTER.fullmatch(value):
        raise ValueError(f"'{value}' is no master of Spark; write it as spark://host:7077, yarn or k8s://host:6443")
    return value


def _remote(value: str) -> str:
    if not _REMOTE.fullmatch(value):
        raise ValueError("this is no address of Spark Connect; write it as sc://host:15002")
    if "token=" in value:
        raise ValueError("a token stands in the address; leave it out, and set SPARK_CONNECT_AUTHENTICATE_TOKEN")
    return value


def _shared(value: str) -> str:
    if CONTROLS.search(value) or not (value.startswith("/") or "://" in value) or "@" in value:
        raise ValueError(
            "must be a whole path, such as /mnt/shared/attrition, or an address such as s3://bucket/attrition; keys "
            "come from the environment"
        )
    return value.rstrip("/")


def _options(value: dict[str, str]) -> dict[str, str]:
    for name in value:
        if name in OURS:
            raise ValueError(f"'{name}' is not for settings to change: figures depend on it")
        if _SECRET.search(name):
            raise ValueError(f"'{name}' looks like a secret; set it where Spark runs, or in the environment")
    return value


class Engine(Section):
    """What computes the indicators.

    master, remote: of Spark alone: a cluster that this process is the driver of, or a Spark Connect server; with
    neither, Spark runs in this process. shared: a place that this process and every worker see under one name, needed
    with either of them. options: of Spark.
    """

    kind: Literal["duckdb", "spark"] = "duckdb"
    master: Annotated[str, AfterValidator(_master)] | None = None
    remote: Annotated[str, AfterValidator(_remote)] | None = None
    shared: Annotated[str, AfterValidator(_shared)] | None = None
    options: Annotated[dict[str, str], AfterValidator(_options)] = Field(default_factory=dict, max_length=100)

    @model_validator(mode="before")
    @classmethod
    def _by_name(cls, given: Any) -> Any:
        """`engine = "spark"` says the kind alone, as files of earlier releases do."""
        return {"kind": given} if isinstance(given, str) else given

    @model_validator(mode="after")
    def _fits(self) -> Engine:
        if self.kind == "duckdb":  # the others wait until Spark is asked for again
            return self
        if self.master and self.remote:
            raise ValueError("set master, where this process drives the cluster, or remote, where a server does")
        if (self.master or self.remote) and not self.shared:
            raise ValueError(
                "set shared, a folder or an address such as s3://bucket/folder that this process and all workers see: "
                "rows are read there, and results written"
            )
        return self
