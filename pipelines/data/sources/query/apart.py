"""One query in a process of its own, which reaches the files that the query names and nothing else, and not for ever.

A query can keep DuckDB busy where it does not look whether it is to stop, or take memory that it does not count. A
process has an end whatever it does. `run` starts it with a job, as JSON, in its input; its answer is JSON, too.
"""

from __future__ import annotations

import json
import resource
import shutil
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import duckdb

from pipelines.foundation.storage.spilling import spilling
from pipelines.foundation.storage.sql_text import identifier, quoted

TOO_LARGE = "too large"  # stands for the name of an error
# What hands rows on in the order in which they stand in the files: DuckDB promises it of FROM, WHERE and UNION ALL.
_IN_FILE_ORDER = frozenset({"READ_CSV", "READ_PARQUET", "FILTER", "PROJECTION", "UNION"})
_BATCH_ROWS = 1 << 17
_MOST_SPILLED = 100 << 30


def main() -> None:
    """Do the job that the input holds, and answer."""
    job = json.load(sys.stdin)
    if job["place"] is not None:
        import pyarrow.parquet  # noqa: F401 - not in the time that the query is given
    _bound(job["seconds"], job["memory"])
    json.dump(answer(job), sys.stdout)


def _bound(seconds: float, memory: int) -> None:
    """From here on the system itself ends this process, with SIGALRM, and gives it only so much memory."""
    with suppress(ValueError, OSError):  # there are systems that count no such memory
        resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # what is left of a crash would hold rows
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, seconds)


def answer(job: Mapping[str, Any]) -> dict[str, Any]:
    """The columns that the query gives; with a `place`, what it gives is written there. Otherwise what went wrong.

    spaced: the columns, of those that are written, whose texts may need trimming.

    Of an error its name is told, and what it says only where no row has been read: it quotes them.
    """
    place = job["place"]
    scratch = None if place is None else Path(place).parent
    try:
        with locked(job["tables"], job["opened"], scratch) as connection:
            if place is not None:
                return _written(connection, job["text"], Path(place), most=job["most"])
            return {"columns": [row[0] for row in connection.execute(f"DESCRIBE {job['text']}").fetchall()]}
    except Exception as error:  # noqa: BLE001 - whatever it is, its words go no further
        return {"error": type(error).__name__, "said": str(error) if place is None else ""}


@contextmanager
def locked(
    tables: Mapping[str, str], opened: Sequence[str], scratch: Path | None = None
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A DuckDB that knows some tables, by name, each SQL over the files in `opened`, and reaches nothing else."""
    with spilling(scratch) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute("SET preserve_insertion_order = true")
        if scratch is not None:
            spilled = min(_MOST_SPILLED, shutil.disk_usage(scratch).free // 2)
            connection.execute(f"SET max_temp_directory_size = '{spilled}B'")
        for name, query in tables.items():
            connection.execute(f"CREATE VIEW {identifier(name)} AS {query}")
        connection.execute("SET python_enable_replacements = false")  # no variable of this code is a table
        paths = ", ".join(map(quoted, opened))  # as a parameter a list takes a quarter of a second: pandas is imported
        connection.execute(f"SET allowed_paths = [{paths}]")
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")
        yield connection


def _written(connection: duckdb.DuckDBPyConnection, text: str, place: Path, *, most: int) -> dict[str, Any]:
    import pyarrow.parquet as pq

    # The query stands in lines of its own: a comment at its end would hide what follows.
    query = f"SELECT * FROM (\n{text}\n)"  # noqa: S608
    order = "" if _in_file_order(connection, query) else " ORDER BY ALL"
    rows = connection.sql(query + order).to_arrow_reader(_BATCH_ROWS)
    # Read once, by us: what makes a file quicker to search takes longer than all else of writing it.
    plain = {"compression": "lz4", "use_dictionary": False, "write_statistics": False}
    spaced = dict.fromkeys(rows.schema.names, False)
    with place.open("wb") as target, pq.ParquetWriter(target, rows.schema, **plain) as writer:
        for batch in rows:
            writer.write_batch(batch)
            for name, column in zip(rows.schema.names, batch.columns, strict=True):
                spaced[name] = spaced[name] or _spaced(column)
            if target.tell() > most:
                return {"error": TOO_LARGE, "said": ""}
    return {"columns": rows.schema.names, "spaced": [name for name in rows.schema.names if spaced[name]]}


def _spaced(column: Any) -> bool:
    """Whether a text begins or ends with anything but a visible ASCII character. column: an Arrow array."""
    import numpy as np

    if str(column.type) != "string":
        return True  # not looked at
    if not len(column):
        return False
    _, ends, letters = column.buffers()
    places = np.frombuffer(ends, np.int32)[column.offset : column.offset + len(column) + 1]
    firsts, lasts = places[:-1], places[1:] - 1
    there = firsts <= lasts
    if not there.any():
        return False
    found = np.frombuffer(letters, np.uint8)[np.concatenate((firsts[there], lasts[there]))]
    return bool(((found < ord("!")) | (found > ord("~"))).any())


def _in_file_order(connection: duckdb.DuckDBPyConnection, query: str) -> bool:
    """Whether a query gives the rows of its files as they stand there: some, and some of each, but in no other order.

    What groups, joins or takes apart gives them in an order that nobody promises.
    """
    (found,) = connection.execute(f"EXPLAIN (FORMAT json) {query}").fetchall()
    plan = json.loads(found[1])
    while plan:
        if plan[-1]["name"] not in _IN_FILE_ORDER:
            return False
        plan.extend(plan.pop()["children"])
    return True


if __name__ == "__main__":
    main()
