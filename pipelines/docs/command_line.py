"""docs/command-line.md, written from the commands' help; `python -m pipelines.docs.command_line --check` compares."""

from __future__ import annotations

import inspect
import sys
from typing import Any

from typer.main import get_command

from pipelines.cli import app
from pipelines.docs.page import DocsPage

_HEAD = """\
# Command line

Written from the commands' own help by `python -m pipelines.docs.command_line`; do not edit it by hand.
"""

_CONDUCT = """\
## What holds for all of them
- Without `--project`, the current folder is the workspace.
- People read stderr. stdout holds nothing, or with `--json` one JSON document.
- Exit code 0: done. 2: a mistake that you can mend, told in words (a traceback only with `--debug`). 130: stopped with
  Ctrl-C; the same command goes on from there. Any other: a fault of the program.
- `check` and `kpis` may look on while another command works in the workspace; of two others, the second is refused.
"""


def commands() -> dict[str, Any]:
    """Each command by name, in the order of the help; those of a group by both names."""
    group: Any = get_command(app)
    found: dict[str, Any] = {}
    for name, command in group.commands.items():
        inner = getattr(command, "commands", None)
        found |= {name: command} if inner is None else {f"{name} {each}": part for each, part in inner.items()}
    return found


def render() -> str:
    """The whole page. It depends on the commands alone: not on the terminal's width, its colours or the machine."""
    group: Any = get_command(app)
    overview = ["| command | what it does |", "| --- | --- |"]
    overview += [
        f"| [`{name}`](#attrition-{name.replace(' ', '-')}) | {_first_line(command)} |"
        for name, command in commands().items()
    ]
    parts = [_HEAD, f"{group.help}\n\n{group.epilog}\n", "\n".join(overview) + "\n", _CONDUCT]
    return "\n".join([*parts, *(_section(name, command) for name, command in commands().items())])


def paragraphs(command: Any) -> tuple[list[str], list[str], str | None]:
    """A command's help, taken apart: its prose, what follows each `Example:`, and `JSON:`; None where it has none."""
    prose: list[str] = []
    found: dict[str, list[str]] = {}
    for paragraph in inspect.cleandoc(command.help or "").split("\n\n"):
        text = " ".join(paragraph.split())
        mark, _, rest = text.partition(": ")
        if mark in ("Example", "JSON"):
            found.setdefault(mark, []).append(rest)
        elif text:
            prose.append(text)
    return prose, found.get("Example", []), next(iter(found.get("JSON", [])), None)


def _first_line(command: Any) -> str:
    prose, _, _ = paragraphs(command)
    return prose[0] if prose else ""


def _section(name: str, command: Any) -> str:
    prose, examples, document = paragraphs(command)
    rows = [f"| `{_written(parameter)}` | {parameter.help or ''} |" for parameter in command.params]
    lines = [f"## attrition {name}", "", f"```\n{_usage(name, command)}\n```", ""]
    for paragraph in prose:
        lines += [paragraph, ""]
    lines += ["| argument or option | meaning |", "| --- | --- |", *rows, ""]
    for example in examples:
        lines += [f"Example: `{example}`", ""]
    if document:
        lines += [f"With `--json`: `{document}`", ""]
    return "\n".join(lines)


def _usage(name: str, command: Any) -> str:
    arguments = [parameter.metavar for parameter in command.params if parameter.param_type_name == "argument"]
    return " ".join(["attrition", name, "[OPTIONS]", *arguments])


def _written(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return str(parameter.metavar)
    names = ", ".join(sorted(parameter.opts, key=len))
    return names if parameter.is_flag else f"{names} {parameter.metavar or 'TEXT'}"


PAGE = DocsPage("command-line.md", "the commands' help", "pipelines.docs.command_line", render)

if __name__ == "__main__":
    sys.exit(PAGE.main(sys.argv[1:]))
