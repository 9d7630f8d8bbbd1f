"""What a result was made from, as one hash: the frozen things its maker was handed, and the code and libraries it ran.

Whoever makes a stored result is handed frozen inputs and nothing else of the settings, and the result is named by the
hash of just these (`fingerprint`). So a setting that is not in a name cannot be read.
"""

from __future__ import annotations

import ast
import dataclasses
import hashlib
import json
import sys
from collections.abc import Mapping
from datetime import date
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from pipelines.foundation.storage.code_meaning import code_of, imported, keep

ROOMS = ("features", "models", "pipelines")

# `field(metadata=...)` of a frozen dataclass. A field that came later names nothing while it is empty, so that what was
# stored before goes on to have its name; one that follows from the fields beside it has been named by them.
UNLESS_EMPTY: Mapping[str, str] = {"named": "unless empty"}
FOLLOWS: Mapping[str, str] = {"named": "by the other fields"}
_HERE = Path(__file__).parents[3]

# Distributions whose import has another name, and what an import runs on without saying so.
RUNS_ON: dict[str, tuple[str, ...]] = {
    "hubspot": ("hubspot-api-client",),
    "ibis": ("ibis-framework", "duckdb", "sqlglot", "pyspark"),
    "simple_salesforce": ("simple-salesforce",),
    "sklearn": ("scikit-learn",),
    "woodelf": ("woodelf-explainer", "shap"),
}


def fingerprint(*given: object, by: tuple[str, ...] = ()) -> str:
    """Sixteen hexadecimal digits of what a result was made from.

    given: frozen dataclasses, sections of the settings, and plain values; TypeError for what may change later. by: the
    modules, or whole rooms, whose code makes it; none where a result only puts together what has a name already.
    """
    text = json.dumps([*map(_frozen, given), code_version(*by) if by else None], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _frozen(value: object) -> Any:
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, tuple):
        return [_frozen(part) for part in value]
    if isinstance(value, frozenset):
        return sorted(json.dumps(_frozen(part)) for part in value)
    if isinstance(value, BaseModel) and value.model_config.get("frozen"):
        fields: dict[str, object] = {name: getattr(value, name) for name in type(value).model_fields}
    elif dataclasses.is_dataclass(value) and not isinstance(value, type) and _is_frozen(value):
        fields = {field.name: getattr(value, field.name) for field in dataclasses.fields(value) if _named(field, value)}
    else:
        raise TypeError(f"a result cannot be named by a {type(value).__name__}: it is not frozen")
    return {"is": type(value).__name__} | {name: _frozen(part) for name, part in fields.items()}


def _named(field: dataclasses.Field[Any], value: object) -> bool:
    named = field.metadata.get("named")
    return named is None or (named == UNLESS_EMPTY["named"] and bool(getattr(value, field.name)))


def _is_frozen(value: object) -> bool:
    parameters: Any = getattr(type(value), "__dataclass_params__", None)
    return bool(parameters and parameters.frozen)


@cache
def code_version(*makers: str) -> str:
    """The release, and a hash of what some modules, or whole rooms, and all that they import do; unnamed, of all rooms.

    Comments, docstrings and layout do not count; versions of the libraries that they import do.
    """
    digest, libraries = hashlib.sha256(), set[str]()
    for module in sorted(_with_all_imported(makers or ROOMS)):
        place = _place(module)
        if place is not None:
            code = code_of(place)
            digest.update(module.encode() + code.meaning)
            libraries |= {name for name, _, _ in (each.partition(".") for each in code.imports)}
    for told in _versions(libraries):
        digest.update(told.encode())
    keep()
    return f"{metadata.version('attrition')}+{digest.hexdigest()[:12]}"


def runs_on(source: bytes) -> str:
    """A hash of what a file of somebody else's imports: code of ours as in `code_version`, versions of libraries."""
    names = tuple(imported(ast.parse(source).body))
    ours = sorted({module for name in names if (module := _module(name)) is not None})
    told = [code_version(*ours)] if ours else []
    told += _versions({name.partition(".")[0] for name in names})
    return hashlib.sha256("\n".join(told).encode()).hexdigest()[:16]


def _versions(libraries: set[str]) -> list[str]:
    others = sorted(libraries - set(ROOMS) - set(sys.stdlib_module_names))
    return [f"{each} {library_version(each)}" for name in others for each in RUNS_ON.get(name, (name,))]


def library_version(distribution: str) -> str:
    """Empty where it is not installed, as extras may not be."""
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return ""


def _with_all_imported(makers: tuple[str, ...]) -> set[str]:
    found, waiting = set[str](), list(makers)
    while waiting:
        module = waiting.pop()
        if module in found:
            continue
        found.add(module)
        place = _place(module)
        if place is not None:
            waiting += [name for each in code_of(place).imports if (name := _module(each)) is not None]
        if module in ROOMS and module in makers:
            waiting += [_dotted(each) for each in (_HERE / module).rglob("*.py")]
    return found


def _dotted(place: Path) -> str:
    return ".".join(place.relative_to(_HERE).with_suffix("").parts).removesuffix(".__init__")


def _place(module: str) -> Path | None:
    path = _HERE.joinpath(*module.split("."))
    found = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    return found if found.is_file() else None


def _module(name: str) -> str | None:
    """The module of ours that an imported name stands in, or is."""
    while name.partition(".")[0] in ROOMS:
        if _place(name) is not None:
            return name
        name = name.rpartition(".")[0]
    return None
