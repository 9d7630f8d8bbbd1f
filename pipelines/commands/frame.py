"""What every command shares: options, workspace, errors in words. Imports that take seconds stay inside commands."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
import typer.core

from features.errors import SettingsError
from pipelines.foundation.storage.error_words import fault, in_words
from pipelines.foundation.wording.visible import visible

if TYPE_CHECKING:
    from pipelines.foundation.workspace.run_context import RunContext

FOUND, MISTAKE, FAULT = 1, 2, 3  # FAULT: ours, which nobody foresaw

_LONGEST_NAME = 255  # bytes: what every file system takes
_LONGEST_WORD = 4_000  # characters of an argument: no folder, name or number is longer


class Commands(typer.core.TyperGroup):
    """Commands, of which help says all that there is to say in a line.

    Words that are no text are refused before any command reads them: files, SQLite and JSON could not hold them.
    """

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        for number, word in enumerate(args, 1):
            if any("\ud800" <= letter <= "\udfff" for letter in word) or "\0" in word:
                ctx.fail(f"word {number} of the command is no text in UTF-8; type it anew, or rename the folder")
            if len(word) > _LONGEST_WORD:
                ctx.fail(f"word {number} of the command has {len(word):,} characters; {_LONGEST_WORD:,} are the most")
        return super().parse_args(ctx, args)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Every command with the whole of its first line: cut off after three words it says nothing."""
        rows = [(name, self.commands[name].get_short_help_str(limit=500)) for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


def _place(folder: Path) -> Path:
    """The folder back, where a folder may be called so."""
    if any(len(os.fsencode(part)) > _LONGEST_NAME for part in folder.parts):
        raise typer.BadParameter(f"a name in this path is longer than {_LONGEST_NAME} bytes; name a shorter one")
    return folder


app = typer.Typer(
    cls=Commands,
    help="Who will stop buying, why, and what it costs: features that cannot see the future, calibrated risks, reasons "
    "in plain words.",
    epilog="First steps: `attrition init shop --example cdnow`, then `attrition run --project shop`.",
    invoke_without_command=True,
    add_completion=False,
    rich_markup_mode=None,  # help is shown as written: a name in brackets is no markup
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Project = Annotated[
    Path, typer.Option("--project", "-p", help="Folder of the workspace.", metavar="DIR", callback=_place)
]
NewFolder = Annotated[Path, typer.Argument(help="New folder.", metavar="DIR", callback=_place)]
AsOf = Annotated[
    str | None,
    typer.Option(
        "--as-of",
        help="Local day to look from; nothing known on or after it is used to predict. Default: `as_of` of the "
        "settings, otherwise today.",
        metavar="DATE",
    ),
]
Port = Annotated[
    int, typer.Option(min=0, max=65535, help="Port of the page on 127.0.0.1; 0: any free one.", metavar="PORT")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout, and nothing on stderr.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]
HERE = Path()


def announce(document: dict[str, Any], in_words: str, *, as_json: bool) -> None:
    """Say that a page answers, while the command goes on; to a program by its document, at once."""
    if as_json:
        sys.stdout.write(json.dumps(document) + "\n")
        sys.stdout.flush()
    say(in_words, as_json=as_json)


def stage(
    name: str,
    project: Path,
    as_of: str | None,
    *,
    as_json: bool,
    debug: bool,
    older_ledger: bool = False,
    failed: Callable[[dict[str, Any]], bool] = lambda _: False,
) -> None:
    """Run one of the stages in pipelines.run on a workspace; exit code 1 where the document `failed`."""

    def work(job: RunContext) -> dict[str, Any]:
        from pipelines import run as stages

        found: dict[str, Any] = getattr(stages, name)(job)
        return found

    on_workspace(work, project, as_of, as_json=as_json, debug=debug, older_ledger=older_ledger, failed=failed)


def on_workspace(
    work: Callable[[RunContext], dict[str, Any]],
    project: Path,
    as_of: str | None,
    *,
    as_json: bool,
    debug: bool,
    writes: bool = True,
    older_ledger: bool = False,
    failed: Callable[[dict[str, Any]], bool] = lambda _: False,
) -> None:
    """Open a workspace, hold its lock where `writes`, and run `work` on it; exit code 1 where the document `failed`.

    older_ledger: go on where the ledger is older than an erasure; for what keeps the erased out, or takes them out.
    """

    def opened() -> dict[str, Any]:
        from pipelines.data.privacy.enforce import taken_to_write
        from pipelines.foundation.identity.erased_list import refuse_older
        from pipelines.foundation.workspace.console import Console
        from pipelines.foundation.workspace.run_context import RunContext
        from pipelines.foundation.workspace.workspace import open_workspace

        now = datetime.now(UTC)
        workspace = open_workspace(project, now=now, as_of=day_of("--as-of", as_of))
        job = RunContext(workspace, Console(quiet=as_json), now)
        if not writes:
            refuse_older(workspace.store)
            return work(job)
        with taken_to_write(workspace, older_ledger=older_ledger):
            return work(job)

    finish(opened, as_json=as_json, debug=debug, failed=failed)


def finish(
    work: Callable[[], dict[str, Any]],
    *,
    as_json: bool,
    debug: bool,
    failed: Callable[[dict[str, Any]], bool] = lambda _: False,
) -> None:
    """Run `work`; its document goes to stdout as JSON where wanted, a user's mistake to stderr in words."""
    try:
        document = work()
    except KeyboardInterrupt:
        typer.echo("attrition: stopped; what was finished is kept, the same command goes on from there", err=True)
        raise typer.Exit(130) from None
    except Exception as error:
        if debug:
            raise
        said = in_words(error)
        typer.echo(f"attrition: {visible(said or fault(error))}", err=True)
        raise typer.Exit(FAULT if said is None else MISTAKE) from None
    if as_json:
        sys.stdout.write(json.dumps(document, indent=1, sort_keys=True, default=str) + "\n")
    if failed(document):
        raise typer.Exit(FOUND)


def say(text: str, *, as_json: bool) -> None:
    """Tell people on stderr, unless a program reads us."""
    if not as_json:
        typer.echo(text, err=True)


def day_of(option: str, text: str | None) -> date | None:
    """The day that an option gives. Raises: SettingsError where it is not one."""
    if text is None:
        return None
    from pipelines.foundation.settings.section import FIRST_YEAR, LAST_YEAR

    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise SettingsError(f"{option} {text}: write the day as YYYY-MM-DD, for example 2026-04-01") from None
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise SettingsError(
            f"{option} {text}: the day lies outside the years {FIRST_YEAR} to {LAST_YEAR}; name another"
        )
    return day
