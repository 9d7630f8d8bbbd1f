"""What a query of the settings says before anything runs it: that it is one SELECT, and which files it names."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import duckdb

from features.errors import SettingsError
from pipelines.foundation.settings.section import CONTROLS
from pipelines.foundation.storage.sql_text import quoted

# What makes rows of nothing but its arguments. Every other function in FROM reads something.
_TABLE_FUNCTIONS = frozenset({"generate_series", "json_each", "json_tree", "range", "unnest"})
# Names that DuckDB takes for the clock where no column has them.
_CLOCKS = frozenset({"current_date", "current_time", "current_timestamp", "localtime", "localtimestamp"})

# Functions that DuckDB takes for settled, and which read the clock, its settings or its version all the same.
_OF_THE_CONNECTION = frozenset(
    {"current_localtime", "current_localtimestamp", "current_setting", "getvariable", "version"}
)
_BLANK = str.maketrans(dict.fromkeys("\t\n\r\f\v", " "))
_SPACES_AND_END = " \t\n\r\f\v;"


@dataclass(frozen=True)
class Select:
    """One SELECT. files: what it names in FROM, in the order of the query. columns: every column it names by name.

    stars: whether it takes columns without naming them, as `SELECT *` does.
    """

    text: str
    files: tuple[str, ...]
    columns: frozenset[str]
    stars: bool

    @classmethod
    def of(cls, text: str, *, where: str) -> Select:
        """Look a query over. where: what messages call it.

        Raises: SettingsError where it is not one SELECT, reads anything but files by their names, or depends on when it
        runs or on chance: the same files must give the same rows.
        """
        if hidden := CONTROLS.search(text.translate(_BLANK)):
            raise SettingsError(f"{where}: holds the character {hidden.group()!r}, which nobody sees; take it out")
        tree = _parsed(text, where)
        nodes = [node for node, _ in _nodes(tree)]
        for node in nodes:
            _refuse(node, where)
        files = [
            node["table_name"]
            for node, made in _nodes(tree)
            if node.get("type") == "BASE_TABLE" and _known_as(node["table_name"]) not in made
        ]
        if not files:
            raise SettingsError(f"{where}: names no file; name those that it reads in quotes, as in FROM 'orders.csv'")
        return cls(
            text=text.rstrip(_SPACES_AND_END),
            files=tuple(dict.fromkeys(files)),
            columns=frozenset(
                node["column_names"][-1].casefold() for node in nodes if node.get("class") == "COLUMN_REF"
            ),
            stars=any(node.get("class") == "STAR" for node in nodes),
        )


def _parsed(text: str, where: str) -> Any:
    with duckdb.connect() as parser:
        # The text stands in the query, where it can: DuckDB loads pandas for values that are handed over beside it.
        literal, beside = ("?", [text]) if "\0" in text else (quoted(text), None)
        ((found,),) = parser.execute(f"SELECT json_serialize_sql({literal})", beside).fetchall()
    try:
        tree = json.loads(found)
    except RecursionError:
        raise SettingsError(f"{where}: is nested too deep; write its parts one after the other, in WITH") from None
    if not tree["error"] and len(tree["statements"]) == 1:
        return tree["statements"][0]
    if not tree["error"]:
        raise SettingsError(f"{where}: holds {len(tree['statements'])} statements; a source is one SELECT")
    if tree["error_type"] == "parser":  # of the query's own words: nothing has been read
        raise SettingsError(f"{where}: is not valid SQL: {tree['error_message'].splitlines()[0]}")
    raise SettingsError(
        f"{where}: is not one SELECT; a source may read, and neither write, load nor set anything. (Write PIVOT as "
        "sum(...) FILTER (WHERE ...))"
    )


def _nodes(tree: Any) -> Iterator[tuple[dict[str, Any], frozenset[str]]]:
    """Every part of a parsed query, in the order of the query, and the tables that WITH has made where it stands.

    A name that no WITH has made there is one that DuckDB looks for elsewhere, and it has tables of its own.
    """
    waiting: list[tuple[Any, frozenset[str]]] = [(tree, frozenset())]
    while waiting:
        each, made = waiting.pop()
        if isinstance(each, dict):
            yield each, made
            waiting += reversed(list(_parts(each, made)))
        elif isinstance(each, list):
            waiting += [(part, made) for part in reversed(each)]


def _parts(node: dict[str, Any], made: frozenset[str]) -> Iterator[tuple[Any, frozenset[str]]]:
    first = {"cte_map"}  # what makes names for the rest of a node
    for entry in node.get("cte_map", {}).get("map", ()):
        yield entry["value"], made
        made |= {_known_as(entry["key"])}
    if node.get("type") == "RECURSIVE_CTE_NODE":
        yield node["left"], made
        made |= {_known_as(node["cte_name"])}
        first.add("left")
    yield from ((part, made) for name, part in node.items() if name not in first)


def _known_as(name: str) -> str:
    """A name as DuckDB compares it: only A to Z have a small letter."""
    return name.encode().lower().decode()


def _refuse(node: dict[str, Any], where: str) -> None:
    kind = node.get("type")
    if kind == "BASE_TABLE" and (node["schema_name"] or node["catalog_name"]):
        raise SettingsError(
            f"{where}: reads {node['schema_name']}.{node['table_name']}, and there are no tables but files of the "
            "workspace; name them in quotes: FROM 'orders.csv'"
        )
    if kind == "TABLE_FUNCTION" and node["function"]["function_name"] not in _TABLE_FUNCTIONS:
        raise SettingsError(
            f"{where}: {node['function']['function_name']}(...) is not allowed in FROM; name a file of the workspace "
            "in quotes instead: FROM 'orders.csv'. How its values are written is said by `dialect` of the source"
        )
    if kind == "SHOW_REF":
        raise SettingsError(f"{where}: DESCRIBE and SUMMARIZE give no rows of a table; write what it is to give")
    if node.get("sample"):
        raise SettingsError(f"{where}: takes a sample, so the same files would give other rows each time; leave it out")
    if node.get("class") == "PARAMETER":
        raise SettingsError(f"{where}: has a parameter ($1 or ?), and nothing fills it; write its value")
    if _changing(node):
        raise SettingsError(_changes(where, f"{node['function_name']}()"))
    if node.get("class") == "COLUMN_REF" and node["column_names"][-1].casefold() in _CLOCKS:
        raise SettingsError(_changes(where, node["column_names"][-1]))


def _changes(where: str, name: str) -> str:
    return (
        f"{where}: {name} depends on when and where it runs, and the same files must give the same rows; leave it out "
        "(what is dated after the day of a run is not counted before its day anyway)"
    )


def _changing(node: dict[str, Any]) -> bool:
    """Whether a part is a function whose result is not settled by its arguments."""
    name = node.get("function_name")
    return name in _changing_functions() or (name == "age" and len(node["children"]) == 1)  # until now


@lru_cache(maxsize=1)
def _changing_functions() -> frozenset[str]:
    """Those that DuckDB or we know, and every macro that takes one of them or reads anything."""
    with duckdb.connect() as library:
        found = library.execute(
            "SELECT DISTINCT function_name FROM duckdb_functions() WHERE stability <> 'CONSISTENT'"
        ).fetchall()
        macros = library.execute(
            "SELECT function_name, json_serialize_sql('SELECT ' || macro_definition) FROM duckdb_functions() "
            "WHERE function_type = 'macro'"
        ).fetchall()
    changing = _OF_THE_CONNECTION | {name for (name,) in found}
    parts = [(name, [node for node, _ in _nodes(json.loads(tree))]) for name, tree in macros]
    while more := {name for name, nodes in parts if any(_reads(node, changing) for node in nodes)} - changing:
        changing |= more
    return changing


def _reads(node: dict[str, Any], changing: frozenset[str]) -> bool:
    """Whether a part of a macro reads a table, the clock or the connection."""
    clock = node.get("class") == "COLUMN_REF" and node["column_names"][-1].casefold() in _CLOCKS
    return clock or node.get("type") in ("BASE_TABLE", "TABLE_FUNCTION") or node.get("function_name") in changing
