"""The text of a settings file in which every setting stands, explained."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from pydantic import BaseModel

from features.contract import ROW_CLOCKS
from features.tables import TABLES
from pipelines.foundation.settings.settings import FILE_NAME, Settings
from pipelines.foundation.settings.sources import Source


def render(settings: Settings) -> str:
    """The text of a settings file in which every setting stands, explained, with the values given."""
    # The text is TOML, where HTML escapes would be wrong.
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,  # noqa: S701
    )
    template = environment.get_template(f"{FILE_NAME}.jinja")
    tables = ", ".join(f'"{name}"' for name in TABLES)
    return template.render(settings=settings, line=_line, fields=_fields, columns=_columns, tables=tables) + "\n"


def _line(section: Any, name: str, unset: str = "") -> str:
    """`name = value`, with the default behind it where the value differs; commented out, with a sample, where unset."""
    value, field = getattr(section, name), type(section).model_fields[name]
    if value is None:
        return f"# {name} = {unset}"
    usual = field.get_default(call_default_factory=True)
    default = "" if field.is_required() or value == usual else f"  # default: {_toml(usual)}"
    return f"{name} = {_toml(value)}{default}"


def _columns(source: Source) -> str:
    """The mapping of a source: every column of its table's contract, those that it does not provide commented out."""
    meanings = {column.name: column.meaning for column in (*TABLES[source.table].columns, *ROW_CLOCKS)}
    return "\n".join(
        f"{name} = {_toml(source.columns[name])}  # {meaning}"
        if name in source.columns
        else f"# {name} = {_toml(name)}  # {meaning}"
        for name, meaning in meanings.items()
    )


def _fields(section: Any) -> list[str]:
    """The settings of a section, what it is first."""
    return sorted(type(section).model_fields, key=lambda name: name != "kind")


def _toml(value: Any) -> str:
    if value is None:
        return "unset"
    if isinstance(value, BaseModel):
        value = value.model_dump(mode="json", exclude_defaults=True)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {_toml(part)}" for key, part in value.items()) + "}"
    return value.isoformat() if isinstance(value, date) else json.dumps(value, ensure_ascii=False)
