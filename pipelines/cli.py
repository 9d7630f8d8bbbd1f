"""The command line. It alone, with the scheduler, reads the clock. Imports that take seconds stay inside commands."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from features.errors import AttritionError, SettingsError

if TYPE_CHECKING:
    from pipelines.run import Job

MISTAKE = 2

app = typer.Typer(
    help="Who will stop buying, why, and what it costs: features that cannot see the future, calibrated risks, reasons "
    "in plain words.",
    epilog="First steps: `attrition init shop --example cdnow`, then `attrition run --project shop`.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Project = Annotated[Path, typer.Option("--project", "-p", help="Folder of the workspace.", metavar="DIR")]
AsOf = Annotated[
    str | None,
    typer.Option(
        "--as-of",
        help="Local day to look from; nothing known on or after it is used to predict. Default: `as_of` of the "
        "settings, otherwise today.",
        metavar="DATE",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout, and nothing on stderr.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]
HERE = Path()


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(help="Folder to make.", metavar="DIR")],
    example: Annotated[str | None, typer.Option(help="Start from an example that ships: cdnow.")] = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Make a workspace: attrition.toml with every setting explained, and perhaps an example's data.

    Example: attrition init shop --example cdnow

    JSON: {"folder", "written": [name], "already_there": [name]}
    """

    def work() -> dict[str, Any]:
        from pipelines.init import init as make

        made = make(folder, example=example)
        _say(made.in_words(), as_json=as_json)
        return {"folder": str(made.folder), "written": made.written, "already_there": made.already_there}

    _finish(work, as_json=as_json, debug=debug)


@app.command()
def check(project: Project = HERE, as_of: AsOf = None, as_json: AsJson = False, debug: Debug = False) -> None:
    """Read the settings and say what the workspace can do: tables, indicators, snapshots, folds, champion, scores.

    Example: attrition check --project shop

    JSON: {"as_of", "tables": {name: rows}, "indicators", "absent": [{"family", "indicators", "for_want_of": [table]}],
    "complete_until", "training_snapshots": [date], "folds": [date], "champion", "scored": as_of or null, "notes":
    [text]}
    """

    def work(job: Job) -> dict[str, Any]:
        from pipelines.check import check as look

        return look(job)

    _on_workspace(work, project, as_of, as_json=as_json, debug=debug, writes=False)


@app.command()
def ingest(project: Project = HERE, as_of: AsOf = None, as_json: AsJson = False, debug: Debug = False) -> None:
    """Land the files that the settings name: typed, hashed, immutable; rows that break the contract go to a ledger.

    Example: attrition ingest --project shop

    JSON: {"files": [{"table", "path", "rows_in", "landed", "rejected", "status"}]}
    """
    _stage("ingest", project, as_of, as_json=as_json, debug=debug)


@app.command()
def backtest(project: Project = HERE, as_of: AsOf = None, as_json: AsJson = False, debug: Debug = False) -> None:
    """Walk forward through the past: train on what had matured by each day, compare with what followed.

    Example: attrition backtest --project shop --as-of 1998-01-01

    JSON: {"outcome", "folds": [{"snapshot_on", "rows", "train_rows", "train_first", "train_last", "model": {metric:
    value}, "intervals": {metric: [low, high]}, "baselines": {name: {metric: value}}}], "skipped": [{"snapshot_on",
    "reason"}], "predictions": path}
    """
    _stage("backtest", project, as_of, as_json=as_json, debug=debug)


@app.command()
def train(project: Project = HERE, as_of: AsOf = None, as_json: AsJson = False, debug: Debug = False) -> None:
    """Train on every matured snapshot, register the version, and promote it if it is not worse than the champion.

    Example: attrition train --project shop

    JSON: {"version", "promoted", "verdict", "unchanged", "published"}
    """
    _stage("train_", project, as_of, as_json=as_json, debug=debug)


@app.command()
def score(project: Project = HERE, as_of: AsOf = None, as_json: AsJson = False, debug: Debug = False) -> None:
    """Score everybody at risk with the champion: probability (0 to 1, higher is worse), band and three reasons.

    Needs no tracking server. Scoring a date again replaces that date, whole.

    Example: attrition score --project shop --as-of 1998-01-01

    JSON: {"as_of", "run_id", "scored", "unchanged", "history", "csv", "horizon_days", "model_version", "scored_at",
    "data_as_of", "valid_until"}
    """
    _stage("score_", project, as_of, as_json=as_json, debug=debug)


@app.command()
def explain(
    customer: Annotated[str, typer.Argument(help="The customer's id.", metavar="CUSTOMER")],
    project: Project = HERE,
    as_of: AsOf = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Why one customer is at risk: every contribution to the log-odds, and the reasons in words.

    Example: attrition explain 12747 --project shop

    JSON: {"customer_id", "as_of", "model_version", "churn_probability", "churn_risk_band", "reasons": [{"code",
    "text"}], "average_log_odds", "contributions": [{"code", "log_odds", "text"}], "indicators": {name: value}}
    """

    def work(job: Job) -> dict[str, Any]:
        from pipelines.explain import explain as look

        return look(job, customer)

    _on_workspace(work, project, as_of, as_json=as_json, debug=debug)


@app.command()
def report(project: Project = HERE, as_of: AsOf = None, as_json: AsJson = False, debug: Debug = False) -> None:
    """Write report.html (one file, no network) and summary.json.

    Example: attrition report --project shop

    JSON: {"as_of", "outcomes": {"churn": {metric: value}}, "intervals", "baselines", "evaluated_on", "references",
    "champion", "scored", "report"}
    """
    _stage("report", project, as_of, as_json=as_json, debug=debug)


@app.command()
def run(project: Project = HERE, as_of: AsOf = None, as_json: AsJson = False, debug: Debug = False) -> None:
    """All of it in order: ingest, backtest, train, score, deliver, report. A second run does only what is new.

    Example: attrition run --project shop

    JSON: {"ingest", "backtest", "train", "score", "report"}, each the document of that command.
    """

    def work(job: Job) -> dict[str, Any]:
        from pipelines import run as stages
        from pipelines.closing import closing_table

        documents = stages.everything(job)
        closing_table(job, documents["report"])
        return documents

    _on_workspace(work, project, as_of, as_json=as_json, debug=debug)


def main() -> None:
    """The `attrition` command."""
    app()


def _stage(name: str, project: Path, as_of: str | None, *, as_json: bool, debug: bool) -> None:
    def work(job: Job) -> dict[str, Any]:
        from pipelines import run as stages

        found: dict[str, Any] = getattr(stages, name)(job)
        return found

    _on_workspace(work, project, as_of, as_json=as_json, debug=debug)


def _on_workspace(
    work: Callable[[Job], dict[str, Any]],
    project: Path,
    as_of: str | None,
    *,
    as_json: bool,
    debug: bool,
    writes: bool = True,
) -> None:
    def opened() -> dict[str, Any]:
        from contextlib import nullcontext

        from pipelines import lock
        from pipelines.console import People
        from pipelines.run import Job
        from pipelines.workspace import open_workspace

        now = datetime.now(UTC)
        workspace = open_workspace(project, now=now, as_of=_day(as_of))
        with lock.held(project) if writes else nullcontext():
            return work(Job(workspace, People(quiet=as_json), now))

    _finish(opened, as_json=as_json, debug=debug)


def _finish(work: Callable[[], dict[str, Any]], *, as_json: bool, debug: bool) -> None:
    try:
        document = work()
    except AttritionError as error:
        if debug:
            raise
        typer.echo(f"attrition: {error}", err=True)
        raise typer.Exit(MISTAKE) from None
    except KeyboardInterrupt:
        typer.echo("attrition: stopped; what was finished is kept, the same command goes on from there", err=True)
        raise typer.Exit(130) from None
    if as_json:
        sys.stdout.write(json.dumps(document, indent=1, sort_keys=True, default=str) + "\n")


def _say(text: str, *, as_json: bool) -> None:
    if not as_json:
        typer.echo(text, err=True)


def _day(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise SettingsError(f"--as-of {text}: write the day as YYYY-MM-DD, for example 2026-04-01") from None


if __name__ == "__main__":
    main()
