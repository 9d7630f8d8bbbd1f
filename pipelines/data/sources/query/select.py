"""What a query of the settings says before anything runs it: that it is one SELECT, and which files it names."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import duckdb

from features.errors import SettingsError
from pipelines.foundation.storage.sql_text import quoted

# What makes rows of nothing but its arguments. Every other function in FROM reads something.
_TABLE_FUNCTIONS = frozenset({"generate_series", "json_each", "json_tree", "range", "unnest"})
# Names that DuckDB takes for the clock where no column has them.
_CLOCKS = frozenset({"current_date", "current_time", "current_timestamp", "localtime", "localtimestamp"})


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
        tree = _parsed(text, where)
        nodes = list(_nodes(tree))
        maps = [node["map"] for node in nodes if isinstance(node.get("map"), list)]
        named = {entry["key"].casefold() for each in maps for entry in each}  # in WITH
        for node in nodes:
            _refuse(node, where)
        tables = [node for node in nodes if node.get("type") == "BASE_TABLE"]
        files = [each["table_name"] for each in tables if each["table_name"].casefold() not in named]
        if not files:
            raise SettingsError(f"{where}: names no file; name those that it reads in quotes, as in FROM 'orders.csv'")
        return cls(
            text=text,
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


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    """Every part of a parsed query, in the order of the query."""
    waiting = [tree]
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict):
            yield each
            waiting += reversed(list(each.values()))
        elif isinstance(each, list):
            waiting += reversed(each)


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
    if node.get("class") == "FUNCTION" and node["function_name"] in _changing():
        raise SettingsError(_changes(where, f"{node['function_name']}()"))
    if node.get("class") == "COLUMN_REF" and node["column_names"][-1].casefold() in _CLOCKS:
        raise SettingsError(_changes(where, node["column_names"][-1]))


def _changes(where: str, name: str) -> str:
    return (
        f"{where}: {name} depends on when and where it runs, and the same files must give the same rows; leave it out "
        "(what is dated after the day of a run is not counted before its day anyway)"
    )


@lru_cache(maxsize=1)
def _changing() -> frozenset[str]:
    """The functions whose result is not settled by their arguments."""
    with duckdb.connect() as library:
        found = library.execute(
            "SELECT DISTINCT function_name FROM duckdb_functions() WHERE stability <> 'CONSISTENT'"
        ).fetchall()
    return frozenset(name for (name,) in found)
