"""A query run where it reaches the files that it names and nothing else: no network, no setting, and not for ever."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Timer

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from features.errors import DataError, SettingsError
from pipelines.foundation.storage.engine import spilling
from pipelines.foundation.storage.sql_text import identifier, quoted

_LEAST_BYTES = 1 << 30  # a result may always be so large, and then as large as so many times its files
_TIMES = 20
_BATCH_ROWS = 1 << 17
_MINUTE = 60.0  # seconds


@contextmanager
def locked(
    tables: dict[str, str], opened: Sequence[Path], scratch: Path | None = None
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A DuckDB that knows some tables, by name, each SQL over the files in `opened`, and reaches nothing else."""
    with spilling(scratch) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute("SET max_temp_directory_size = '100GB'")
        for name, query in tables.items():
            connection.execute(f"CREATE VIEW {identifier(name)} AS {query}")
        # Within the statement: DuckDB loads pandas for values that are handed over beside it.
        connection.execute(f"SET allowed_paths = [{', '.join(map(quoted, opened))}]")
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")
        yield connection


def result_columns(connection: duckdb.DuckDBPyConnection, text: str, *, where: str) -> list[str]:
    """The columns that a query gives. Raises: SettingsError where it does not fit its files."""
    with _in_words(where):
        return [row[0] for row in connection.execute(f"DESCRIBE {text}").fetchall()]


def write_result(
    connection: duckdb.DuckDBPyConnection, text: str, place: Path, *, where: str, minutes: int, bytes_read: int
) -> None:
    """What a query gives, as Parquet, in an order that the rows themselves decide: it is the same each time.

    Raises: SettingsError where it takes longer, or gives more, than a source may.
    """
    timer = Timer(minutes * _MINUTE, connection.interrupt)
    timer.daemon = True
    timer.start()
    try:
        with _in_words(where, minutes=minutes):
            # The query stands in lines of its own: a comment at its end would hide what follows.
            rows = connection.sql(f"SELECT * FROM (\n{text}\n) ORDER BY ALL").to_arrow_reader(_BATCH_ROWS)  # noqa: S608
            _write(rows, place, most=max(_LEAST_BYTES, _TIMES * bytes_read), where=where)
    finally:
        timer.cancel()


def _write(rows: pa.RecordBatchReader, place: Path, *, most: int, where: str) -> None:
    with place.open("wb") as target, pq.ParquetWriter(target, rows.schema, compression="lz4") as writer:
        for batch in rows:
            writer.write_batch(batch)
            if target.tell() > most:
                raise SettingsError(
                    f"{where}: gives more than {most / (1 << 30):,.0f} GB, many times what its files hold; is a JOIN "
                    "without its condition, or with one that fits too many rows?"
                )


@contextmanager
def _in_words(where: str, *, minutes: int = 0) -> Iterator[None]:
    """What DuckDB refuses, without its words: at a value at which it stopped, it quotes it."""
    try:
        yield
    except duckdb.InterruptException:
        raise SettingsError(
            f"{where}: took longer than {minutes} minute{'s' * (minutes != 1)} and was stopped; raise "
            "time_limit_minutes of this source, or see whether it ever ends"
        ) from None
    except duckdb.OutOfMemoryException:
        raise SettingsError(f"{where}: needs more memory, or more room on the disk, than it is given") from None
    except duckdb.PermissionException:
        raise SettingsError(
            f"{where}: reaches for something outside of the files that it names, and may not; name files of the "
            "workspace in FROM, in quotes"
        ) from None
    except (duckdb.BinderException, duckdb.CatalogException, duckdb.ParserException) as error:
        raise SettingsError(f"{where}: {_of_the_query(error)}") from None
    except (duckdb.ConversionException, duckdb.InvalidInputException, duckdb.OutOfRangeException):
        raise DataError(
            f"{where}: a value does not fit what the query does with it (a CAST of a text that is no number or date, "
            "or a number too large); take TRY_CAST, and let what it cannot read through as text, so that the row is "
            "set aside with its reason: coalesce(TRY_CAST(x AS DECIMAL(18, 4))::VARCHAR, x)"
        ) from None
    except duckdb.Error:
        raise SettingsError(f"{where}: DuckDB gave up on it, and its words may quote a row; make it simpler") from None


def _of_the_query(error: duckdb.Error) -> str:
    """What does not fit, as DuckDB says it when no row has been read; without the names that it proposes instead.

    Those are headings of the file, and where the first line of a file is no heading, a customer's.
    """
    lines = str(error).splitlines()
    said = lines[0].partition(": ")[2].partition("STRUCT(")[0].strip()
    place = next((line.partition(":")[0] for line in lines if line.startswith("LINE ")), "")
    return f"{said} ({place.lower()})" if place else said
