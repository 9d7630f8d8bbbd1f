"""docs/settings.md, written from what `attrition init` writes; `python -m pipelines.docs.settings --check` compares."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, field

from pipelines.docs.page import DocsPage
from pipelines.foundation.settings.settings import FILE_NAME, Settings
from pipelines.foundation.settings.sources import DatabaseSource, FileSource, QuerySource
from pipelines.foundation.settings.template import render as settings_file

_HEAD = """\
# Settings

Written from the `attrition.toml` of a new workspace by `python -m pipelines.docs.settings`; do not edit it by hand.

Every setting stands in the `attrition.toml` that `attrition init` writes, with its default and this meaning. An unknown
name is refused, and `attrition check` says whether the settings hold. No secrets stand there: user names and passwords
come from environment variables only.
"""
_TOP = "At the top"
_LAST_OF_DIALECT = (
    "# zone for all. Nothing is guessed: change these where your export differs."  # then its first setting
)
_NEEDED = {
    section: {name for model in models for name, each in model.model_fields.items() if each.is_required()}
    for section, models in {_TOP: (Settings,), "sources": (FileSource, QuerySource, DatabaseSource)}.items()
}
_SECTION = re.compile(r"^(?:# )?\[\[?([a-z_.]+)\]\]?$")
_SETTING = re.compile(r"^(# )?([a-z_]+) = (.*)$")
_SAMPLE_OF = re.compile(r"^#   \[\[([a-z_]+)\]\]$", re.MULTILINE)
_PAGE_NAMED = re.compile(r"\bdocs/([a-z-]+\.md)\b")


@dataclass
class Section:
    """comment: the lines above its name. settings: name, default as written and meaning."""

    name: str
    comment: list[str] = field(default_factory=list)
    settings: list[tuple[str, str, str]] = field(default_factory=list)


def sections(text: str) -> list[Section]:
    """The sections of a settings file in its order; blocks that stand there as a sample alone are sections, too."""
    found = [Section(_TOP)]
    current, comment = found[0], list[str]()
    for line in [*text.splitlines(), ""]:
        if name := _SECTION.match(line):
            current, comment = Section(name[1], comment), []
            found.append(current)
        elif setting := _SETTING.match(line):
            behind = _behind(setting[3])
            if behind or _LAST_OF_DIALECT in comment:
                above = len(comment) if behind else comment.index(_LAST_OF_DIALECT) + 1
                current.comment, comment = [*current.comment, *comment[:above]], comment[above:]
            current.settings.append(
                (setting[2], _default(setting, current.name), behind or _prose(comment) or "see above")
            )
            comment = []
        elif line.startswith("#"):
            comment.append(line)
        elif comment:
            if sample := _SAMPLE_OF.search("\n".join(comment)):
                found.append(Section(sample[1], comment))
            comment = []
    return [section for section in found if section.comment or section.settings]


def render() -> str:
    """The whole page. A source of each kind is told, so that what only one of them has stands there, too."""
    named = {name: name for name in ("order_id", "customer_id", "ordered_at", "amount")}
    sources = (
        FileSource(table="orders", path="orders.csv", columns=named),
        QuerySource(table="orders", query="orders.sql"),
        DatabaseSource(table="orders", url="postgresql://shop@db.example.com/shop", query="older.sql"),
    )
    merged: dict[str, Section] = {}
    for section in sections(settings_file(Settings(currency="EUR", sources=sources))):
        first = merged.setdefault(section.name, section)
        first.settings += [each for each in section.settings if each[0] not in {name for name, *_ in first.settings}]
    return "\n".join([_HEAD, *map(_section, merged.values())])


def _section(section: Section) -> str:
    title = _TOP if section.name == _TOP else f"`[{section.name}]`"
    sample = [line.removeprefix("#   ") for line in section.comment if line.startswith("#   ") or line == "#"]
    lines = [f"## {title}", ""]
    if intro := _prose([line for line in section.comment if not line.startswith("#   ")]):
        lines += [intro, ""]
    if any(line.startswith("#   ") for line in section.comment):
        code = "\n".join("" if line == "#" else line for line in sample).strip()
        lines += [f"```toml\n{code}\n```", ""]
    if section.settings:
        rows = [f"| `{name}` | {default} | {meaning} |" for name, default, meaning in section.settings]
        value = "heading, as" if section.name == "sources.columns" else "default"
        lines += [f"| setting | {value} | meaning |", "| --- | --- | --- |", *rows, ""]
    return "\n".join(lines)


def _default(setting: re.Match[str], section: str) -> str:
    value = f"`{setting[3].partition('  #')[0]}`"
    if section == "sources.columns":
        return value
    if setting[2] in _NEEDED.get(section, ()):
        return f"needed, as {value}"
    return f"unset, or as {value}" if setting[1] else value


def _behind(value: str) -> str:
    """The comment behind a value."""
    return _linked(value.partition("  # ")[2])


def _prose(comment: list[str]) -> str:
    return _linked(" ".join(line.removeprefix("#").strip() for line in comment).strip())


def _linked(text: str) -> str:
    return _PAGE_NAMED.sub(r"[\1](\1)", text).replace("|", "\\|").replace("*", "\\*")


PAGE = DocsPage("settings.md", f"the {FILE_NAME} of a new workspace", "pipelines.docs.settings", render)

if __name__ == "__main__":
    sys.exit(PAGE.main(sys.argv[1:]))
