"""What workers of a cluster wrote: more rows than this process is to hold at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any

import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.parquet as pq

ROWS = 65_536  # of each result that this process holds at a time


@dataclass(frozen=True)
class Parts:
    """Rows sorted by their first column, in files that hold a span of it each.

    files: opens them, in no order. schema: of the rows as they were asked for; engines have types of their own. table:
    the same rows as workers read them.
    """

    files: Callable[[], Sequence[pa.NativeFile]]
    schema: pa.Schema
    table: Callable[[], ir.Table]

    def batches(self) -> Iterator[pa.Table]:
        """The rows in order, `ROWS` at a time; one table without rows where there are none.

        Raises: AssertionError where files overlap, so that no order of them is one of the rows.
        """
        held, none_yet = self.schema.empty_table(), True
        for rows in self._in_order():
            held = pa.concat_tables([held, rows])
            while len(held) >= ROWS:
                yield held.slice(0, ROWS)
                held, none_yet = held.slice(ROWS), False
        if len(held) or none_yet:
            yield held

    def _in_order(self) -> Iterator[pa.Table]:
        opened = [pq.ParquetFile(each) for each in self.files()]
        last: Any = None
        for first, number in sorted((_first(each), at) for at, each in enumerate(opened) if each.metadata.num_rows):
            if last is not None and first < last:
                raise AssertionError("workers wrote files that overlap")
            for batch in opened[number].iter_batches(ROWS):
                rows = pa.Table.from_batches([batch]).select(self.schema.names).cast(self.schema)
                last = rows[0][-1].as_py()
                yield rows


def _first(file: pq.ParquetFile) -> Any:
    return next(file.iter_batches(1, columns=[file.schema_arrow.names[0]])).column(0)[0].as_py()


def in_step(found: Sequence[pa.Table | Parts]) -> Iterator[list[pa.Table]]:
    """Results with the same rows beside each other: all of them at once, or, of workers, `ROWS` at a time."""
    parts = [each.batches() if isinstance(each, Parts) else iter([each]) for each in found]
    return (list(each) for each in zip(*parts, strict=True))


@contextmanager
def by_workers(engine: Any, run: Callable[..., pa.Table]) -> Iterator[Callable[..., pa.Table | Parts]]:
    """`run` itself, which hands rows to this process; or, on a cluster, who has the workers write the same rows."""
    if engine.name != "pyspark":
        yield run
        return
    with engine.shared.parts() as folder:
        numbers = count()
        yield lambda _, make, day, **__: engine.written(make(day), f"{folder}/{next(numbers)}")
