"""A layout: the settings and queries that read the exports of one system, in a folder beside this file."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from features.errors import SettingsError, did_you_mean
from pipelines.foundation.settings.settings import FILE_NAME

FILES = "files.toml"
_HERE = Path(__file__).parent
_BLOCK = re.compile(r"(?m)^(?=\[\[sources\]\])")
_QUERY = re.compile(r'(?m)^query = "([^"]+)"')
_NAMED = re.compile(r"FROM '([^']+)'")


@dataclass(frozen=True)
class Export:
    """A file that queries of a layout name. what: what it is called there; headings: by which it is known."""

    name: str
    what: str
    headings: frozenset[str]


@dataclass(frozen=True)
class Part:
    """One source of a layout: its text in the settings, the name of its query, and the query.

    needs: the exports that the query names.
    """

    text: str
    query: str
    sql: str

    @property
    def needs(self) -> list[str]:
        return _NAMED.findall(self.sql)


@dataclass(frozen=True)
class Layout:
    """The settings and queries for the exports of one system."""

    name: str
    folder: Path

    @cached_property
    def exports(self) -> list[Export]:
        """The files that its queries name."""
        told = tomllib.loads((self.folder / FILES).read_text(encoding="utf-8"))
        return [Export(name, each["what"], frozenset(each["headings"])) for name, each in told.items()]

    @cached_property
    def settings(self) -> str:
        """What stands in its settings ahead of the sources: a comment alone where it adds to another workspace."""
        return _BLOCK.split(self._text)[0]

    @cached_property
    def adds(self) -> bool:
        """Whether it only adds sources to a workspace that has orders or subscriptions already."""
        return not tomllib.loads(self.settings)

    @cached_property
    def parts(self) -> list[Part]:
        found = []
        for text in _BLOCK.split(self._text)[1:]:
            (query,) = _QUERY.findall(text)
            found.append(Part(text.rstrip() + "\n", query, (self.folder / query).read_text(encoding="utf-8")))
        return found

    @cached_property
    def about(self) -> str:
        return (self.folder / "README.md").read_text(encoding="utf-8")

    @cached_property
    def _text(self) -> str:
        return (self.folder / FILE_NAME).read_text(encoding="utf-8")


def layouts() -> dict[str, Layout]:
    """Every layout that ships, by name."""
    return {place.parent.name: Layout(place.parent.name, place.parent) for place in sorted(_HERE.glob(f"*/{FILES}"))}


def layout_of(name: str) -> Layout:
    """The layout of a name. Raises: SettingsError where there is none."""
    known = layouts()
    if name not in known:
        raise SettingsError(
            f"there is no layout and no file '{name}'.{did_you_mean(name, known)} Layouts are: {', '.join(known)}"
        )
    return known[name]
