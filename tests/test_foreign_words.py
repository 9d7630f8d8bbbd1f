"""What a library says of an error is shown to nobody: it may quote the value of a row at which it stopped.

One rule, held by reading the sources: of an exception that is not ours, nothing is used but what can hold no value of a
row (its kind, a number of the operating system, a place in a file). Whoever needs more stands below, with the reason.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.test_layout import ALL, named

# What may be asked of any exception.
SAFE_ATTRIBUTES = {
    "errno",
    "strerror",
    "start",  # the place of a byte
    "error_code",  # MLflow's
    "sqlite_errorcode",
    "sqlstate",
    "name",  # of a module that is not installed
}
SAFE_CALLS = {
    "isinstance",
    "type",  # to look at; the name of a class is no word for people, see below
    "in_words",  # ours, or None
    "fault",  # where in our code it came up
    "unanswered",  # its kind alone
    "damage",  # the same, of SQLite
    "refused",  # the disk's doing, by number and file
    "refusal",  # the code of a database, and its column
    "of_the_record",  # PostgreSQL's code
}

# Where more of a foreign exception is used: "file: function", and why no value of a row comes out of it.
REASONS = {
    "pipelines/foundation/settings/toml_file.py: read": "tomllib and pydantic speak of settings, which hold no rows",
    "pipelines/data/sources/csv_rows.py: csv_table": "Python's words are looked at, not passed on",
    "pipelines/data/sources/query/apart.py: answer": "of a query, before it reads a row",
    "pipelines/data/sources/query/query_rows.py: _files": "the settings' own words of a path",
    "pipelines/data/sources/encoding.py: check_text": "the bytes before the bad one are taken to count lines",
    "pipelines/foundation/storage/shared_place.py: _opened": "the cause, which is shown by --debug alone",
    "pipelines/foundation/storage/workers.py: open_workers": "the cause, which is shown by --debug alone",
    "pipelines/foundation/storage/workers.py: _told": "Spark's name of a kind of error; its cause by --debug alone",
    "pipelines/docs/site.py: main": "of the project's own pages, to who builds them",
    "pipelines/foundation/own_indicators/load.py: _compiled": "the number of a line of a file that holds no rows",
    "pipelines/foundation/own_indicators/load.py: _words_of": "a line's number; the cause is shown by --debug alone",
    "pipelines/data/snapshots/own.py: words_of_own": "the cause, which is shown by --debug alone",
    "pipelines/operations/delivery/hubspot/calls.py: ask": "`_meaning` takes codes and names of fields",
    "pipelines/operations/delivery/postgresql/session.py: _connected": "words at the door: nothing was sent yet",
    "pipelines/operations/delivery/salesforce/session.py: request": "looked at for a certificate, and not passed on",
    "pipelines/operations/delivery/postgresql/session.py: visit": "`_explained` takes the code and the column",
    "pipelines/operations/monitoring/webhook.py: post": "`_reason` takes its kind, or the number of the answer",
}


def ours() -> set[str]:
    """Names of exceptions that are raised with words of ours alone."""
    bases: dict[str, set[str]] = {}
    for path in ALL:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef):
                bases[node.name] = {ast.unparse(base).rpartition(".")[2] for base in node.bases}
    found = {"AttritionError", "SaidError", "UnsendableError"}
    while more := {name for name, theirs in bases.items() if theirs & found} - found:
        found |= more
    return found


LOGS = {"logging", "log", "logger", "traceback", "sys", "context.log"}
WRITERS = {"exception", "print_exc", "format_exc", "print_exception", "format_exception", "exc_info"}

OURS = ours()


def _handlers(tree: ast.Module) -> Iterator[tuple[str, ast.ExceptHandler]]:
    """Each `except` of a foreign exception, with the function that it stands in."""
    for function in ast.walk(tree):
        if not isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
            continue
        for node in ast.walk(function):
            if isinstance(node, ast.ExceptHandler) and _foreign(node.type):
                yield function.name, node


def _foreign(kind: ast.expr | None) -> bool:
    kinds = kind.elts if isinstance(kind, ast.Tuple) else [kind]
    return any(each is None or ast.unparse(each).rpartition(".")[2] not in OURS for each in kinds)


def uses(source: str) -> set[str]:
    """Functions that use more of a foreign exception than what can hold no value, or name its class to people."""
    found = set()
    for function, handler in _handlers(ast.parse(source)):
        parents = {child: node for node in ast.walk(handler) for child in ast.iter_child_nodes(node)}
        for node in ast.walk(handler):
            if isinstance(node, ast.Name) and node.id == handler.name and not _safe(node, parents):
                found.add(function)
            if isinstance(node, ast.Raise) and node.cause is None and node.exc is not None:
                found.add(f"{function}: raises without `from None`, so that the foreign one is shown above ours")
    return found


def _safe(name: ast.Name, parents: dict[ast.AST, ast.AST]) -> bool:
    parent = parents[name]
    if isinstance(parent, ast.Attribute):
        return parent.attr in SAFE_ATTRIBUTES
    if isinstance(parent, ast.Call) and name in parent.args:
        called = ast.unparse(parent.func).rpartition(".")[2]
        above = parents.get(parent)
        return called in SAFE_CALLS and not (isinstance(above, ast.Attribute) and above.attr == "__name__")
    return False


def logs(source: str) -> list[str]:
    """Calls that write an exception out by themselves."""
    return [
        f"line {node.lineno}"
        for node in ast.walk(ast.parse(source))
        if (isinstance(node, ast.keyword) and node.arg == "exc_info")
        or (isinstance(node, ast.Attribute) and node.attr in WRITERS and ast.unparse(node.value) in LOGS)
    ]


@pytest.mark.parametrize("path", ALL, ids=named)
def test_nothing_that_a_library_says_is_passed_on(path: Path) -> None:
    found = {f"{named(path)}: {each}" for each in uses(path.read_text())}
    assert found - REASONS.keys() == set()
    assert logs(path.read_text()) == []


def test_every_reason_is_still_needed() -> None:
    found = {f"{named(path)}: {each}" for path in ALL for each in uses(path.read_text())}
    assert REASONS.keys() - found == set()


@pytest.mark.parametrize(
    "inside",
    [
        "raise DataError(f'no: {error}') from None",
        "raise DataError(str(error)) from None",
        "said.append(repr(error))",
        "print(error.args)",
        "told(error)",
        "raise DataError('no') from error",
        "raise DataError('no')",
        "say(type(error).__name__)",
        "raise DataError(error.diag.message_primary) from None",
    ],
)
def test_a_way_out_is_found(inside: str) -> None:
    assert uses(f"def f():\n    try:\n        g()\n    except duckdb.Error as error:\n        {inside}")


@pytest.mark.parametrize(
    "handler",
    [
        "except DataError as error:\n        raise SettingsError(f'{error}') from None",
        "except OSError as error:\n        raise DataError(error.strerror) from None",
        "except ValueError:\n        raise DataError('no') from None",
        "except Exception as error:\n        say(in_words(error) or fault(error))",
    ],
)
def test_words_of_ours_may_be_passed_on(handler: str) -> None:
    assert not uses(f"def f():\n    try:\n        g()\n    {handler}")
