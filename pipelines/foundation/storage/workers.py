"""Spark: an Ibis connection whose workers read landed rows and write results, so that this process holds neither."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies

import ibis
import ibis.expr.types as ir
from ibis.backends.pyspark import Backend
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from features.errors import AttritionError, SettingsError
from pipelines.foundation.settings.engine import OURS, Engine
from pipelines.foundation.storage.parts import Parts
from pipelines.foundation.storage.shared_place import SharedPlace


def open_workers(asked: Engine, shared: SharedPlace) -> Workers:
    """The session that the settings ask for. Raises: SettingsError where there is none to be had."""
    builder = SparkSession.builder.appName("attrition")
    if asked.remote is not None:
        builder, where = builder.remote(asked.remote), f'a Spark Connect server at remote = "{asked.remote}"'
    elif asked.master is not None:
        builder, where = builder.master(asked.master), f'a master of Spark at master = "{asked.master}"'
    else:
        builder, where = _in_this_process(builder), "Java 17, and JAVA_HOME set to it"
    for name, value in ({} if asked.remote else {**_QUIET, **asked.options}).items():
        builder = builder.config(name, value)
    if not _answers(asked.remote or asked.master or ""):
        raise SettingsError(f"engine: Spark did not start; is there {where}? Nobody answers there")
    try:
        session = builder.getOrCreate()
        for name, value in {**(asked.options if asked.remote else {}), **OURS}.items():
            session.conf.set(name, value)
        _ = ibis.pyspark  # Ibis registers the options of a backend where it is first named
        engine = Workers(session)
        engine.reconnect()
    except Exception as error:
        raise SettingsError(f"engine: Spark did not start; is there {where}? --debug shows what it said") from error
    engine.shared = shared
    return engine


PATIENCE = 30.0  # seconds
_CONNECT = 15_002  # the usual port of Spark Connect

# An embedded driver has no page of its own and draws no bars over our lines.
_QUIET = {"spark.ui.enabled": "false", "spark.ui.showConsoleProgress": "false", "spark.log.level": "ERROR"}


def _answers(address: str) -> bool:
    """Whether somebody listens where one server is named by its host: Spark itself tries for minutes before it says so.

    Behind a proxy nothing can be told beforehand.
    """
    parts = urlsplit(address)
    if parts.scheme not in {"sc", "spark"} or "," in parts.netloc or getproxies():
        return True
    with suppress(OSError), socket.create_connection((parts.hostname, parts.port or _CONNECT), timeout=PATIENCE):
        return True
    return False


def _in_this_process(builder: SparkSession.Builder) -> SparkSession.Builder:
    for name, value in (
        ("driver.bindAddress", "127.0.0.1"),
        ("driver.host", "127.0.0.1"),
        ("sql.shuffle.partitions", "4"),
    ):
        builder = builder.config(f"spark.{name}", value)
    return builder


class Workers(Backend):  # type: ignore[misc]
    """A session of Spark, and the place that it shares with this process."""

    shared: SharedPlace

    def read_parquet(self, path: str | Path, /, **told: Any) -> ir.Table:
        """A file of this process's, read where the workers see it."""
        return super().read_parquet(self.shared.seen(Path(path)), **told)

    def to_pyarrow(self, expr: ir.Expr, /, **told: Any) -> Any:
        """What is small enough for this process."""
        with _told():
            return super().to_pyarrow(expr, **told)

    def written(self, rows: ir.Table, name: str) -> Parts:
        """Rows with a key as their first column, computed and written by the workers, sorted by it."""
        with _told():
            self.to_parquet(rows.order_by(rows.columns[0]), self.shared.address(name))
        told = partial(super().read_parquet, self.shared.address(name))
        return Parts(partial(self.shared.files, name), rows.schema().to_pyarrow(), told)


@contextmanager
def _told() -> Iterator[None]:
    """What ends a query on the workers, in words: a cluster may lose all that could run it."""
    try:
        yield
    except PySparkException as error:  # what it says may hold values of rows
        kind = error.getCondition() or "it gave no reason a name"
        raise AttritionError(
            f"engine: Spark ended a query ({kind}); once it is well again, run the same command: days that were "
            "computed are kept. --debug shows what Spark said"
        ) from error
