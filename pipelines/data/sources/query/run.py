"""A query run where it reaches the files that it names and nothing else, and what comes of it in words."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from features.errors import DataError, SettingsError
from pipelines.data.sources.query import apart

_LEAST_BYTES = 1 << 30  # a result may always be so large, and then as large as so many times its files
_TIMES = 20
_MINUTE = 60.0  # seconds
_MEMORY = 6 << 30  # bytes: DuckDB spills far earlier what it counts
_OF_THE_LOADER = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")  # all that a query's process has of our environment

_TOO_MUCH = frozenset({"OutOfMemoryException", "MemoryError", "OSError", "IOException"})
_NO_FIT = frozenset({"BinderException", "CatalogException", "ParserException"})
_VALUES = frozenset({"ConversionException", "InvalidInputException", "OutOfRangeException"})


def result_columns(tables: Mapping[str, str], opened: Sequence[Path], text: str, *, where: str) -> list[str]:
    """The columns that a query gives. Raises: SettingsError where it does not fit its files."""
    return _apart(tables, opened, text, where=where, minutes=1)["columns"]


def write_result(
    tables: Mapping[str, str],
    opened: Sequence[Path],
    text: str,
    place: Path,
    *,
    where: str,
    minutes: int,
    bytes_read: int,
) -> list[str]:
    """What a query gives, as Parquet, in the order of its files or one that the rows decide: it is the same each time.

    Returns the columns in which texts may stand that begin or end with a space.
    Raises: SettingsError where it takes longer, or gives more, than a source may.
    """
    most = max(_LEAST_BYTES, _TIMES * bytes_read)
    found = _apart(tables, opened, text, where=where, minutes=minutes, place=place, most=most)
    return found["spaced"]


def _apart(
    tables: Mapping[str, str],
    opened: Sequence[Path],
    text: str,
    *,
    where: str,
    minutes: int,
    place: Path | None = None,
    most: int = 0,
) -> dict[str, list[str]]:
    """Run a query in a process of its own. What it answers: see `apart.answer`."""
    job = {
        "tables": dict(tables),
        "opened": [str(each) for each in opened],
        "text": text,
        "place": None if place is None else str(place),
        "most": most,
        "seconds": minutes * _MINUTE,
        "memory": _MEMORY,
    }
    found = _answered(job)
    if found is None:
        raise SettingsError(
            f"{where}: took longer than {minutes} minute{'s' * (minutes != 1)} and was stopped; raise "
            "time_limit_minutes of this source, or see whether it ever ends"
        )
    if "error" in found:
        _refuse(found, where=where, most=most)
    return found


def _answered(job: Mapping[str, Any]) -> dict[str, Any] | None:
    """What the process of a job answers; None where its time was up."""
    ended = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-P", "-m", apart.__name__],
        input=json.dumps(job).encode(),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # may quote a row
        cwd=Path(job["place"]).parent if job["place"] else "/",
        env={name: os.environ[name] for name in _OF_THE_LOADER if name in os.environ} | {"PYTHONPATH": _modules()},
        check=False,
    )
    if ended.returncode == -signal.SIGALRM:
        return None
    answer: dict[str, Any] = json.loads(ended.stdout) if ended.returncode == 0 else {"error": "crash", "said": ""}
    return answer


def _modules() -> str:
    """Where we have our modules from; not the folder in which a command happens to run."""
    return os.pathsep.join(path for path in sys.path if path)


def _refuse(found: Mapping[str, Any], *, where: str, most: int) -> NoReturn:
    """What DuckDB refuses, without its words: at a value at which it stopped, it quotes it."""
    error, said = found["error"], found["said"]
    if error == apart.TOO_LARGE:
        raise SettingsError(
            f"{where}: gives more than {most / (1 << 30):,.0f} GB, many times what its files hold; is a JOIN "
            "without its condition, or with one that fits too many rows?"
        )
    if error in _TOO_MUCH:
        raise SettingsError(f"{where}: needs more memory, or more room on the disk, than it is given")
    if error == "PermissionException":
        raise SettingsError(
            f"{where}: reaches for something outside of the files that it names, and may not; name files of the "
            "workspace in FROM, in quotes"
        )
    if error in _NO_FIT and said:
        raise SettingsError(f"{where}: {_of_the_query(said)}")
    if error in _VALUES or error in _NO_FIT:
        raise DataError(
            f"{where}: a value does not fit what the query does with it (a CAST of a text that is no number or date, "
            "or a number too large); take TRY_CAST, and let what it cannot read through as text, so that the row is "
            "set aside with its reason: coalesce(TRY_CAST(x AS DECIMAL(18, 4))::VARCHAR, x)"
        )
    if error == "ArrowNotImplementedError":
        raise SettingsError(f"{where}: gives a column of a type that no file has, such as INTERVAL; CAST it AS VARCHAR")
    raise SettingsError(f"{where}: DuckDB gave up on it, and its words may quote a row; make it simpler")


def _of_the_query(words: str) -> str:
    """What does not fit, as DuckDB says it when no row has been read; without the names that it proposes instead.

    Those are headings of the file, and where the first line of a file is no heading, a customer's.
    """
    lines = words.splitlines()
    said = lines[0].partition(": ")[2].partition("STRUCT(")[0].strip()
    place = next((line.partition(":")[0] for line in lines if line.startswith("LINE ")), "")
    return f"{said} ({place.lower()})" if place else said
