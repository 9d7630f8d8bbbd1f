"""The commands that make, run and read a workspace."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from features.errors import SettingsError
from pipelines.commands.frame import (
    HERE,
    AsJson,
    AsOf,
    Debug,
    NewFolder,
    Project,
    app,
    day_of,
    finish,
    on_workspace,
    say,
    stage,
)
from pipelines.operations.delivery.progress_lines import undelivered

if TYPE_CHECKING:
    from pipelines.foundation.workspace.run_context import RunContext


@app.command()
def init(
    folder: NewFolder,
    files: Annotated[
        list[Path] | None,
        typer.Argument(help="Exports to start from, or folders of them; see --from.", metavar="FILES"),
    ] = None,
    example: Annotated[str | None, typer.Option(help="Start from cdnow (real orders) or company (simulated).")] = None,
    layout: Annotated[
        str | None,
        typer.Option(
            "--from",
            help="Start from exports of shopify, woocommerce, prestashop, stripe-export or online-retail, or from what "
            "an API gives: stripe-api; zendesk and hubspot-tickets add to a workspace that is there. Or from any "
            "export: the file's or folder's name, or its https address.",
            metavar="LAYOUT|FILE|URL",
        ),
    ] = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Make a workspace: attrition.toml with every setting explained, plays.toml, and perhaps an example's data.

    With --from, the settings and queries that read a system's exports; the exports are copied into the workspace.

    Example: attrition init shop --example cdnow

    Of any other export everything is guessed and marked, and nothing is trained before you confirm it.

    Example: attrition init shop --from shopify orders_export.csv

    Example: attrition init shop --from sales.csv

    Example: attrition init shop --from stripe-api

    JSON: {"folder", "written": [name], "already_there": [name], "told": [text]}
    """

    def work() -> dict[str, Any]:
        from pipelines.foundation.workspace.init import init as make

        if layout is not None:
            from pipelines.data.layouts.from_any import init_from

            made = init_from(folder, layout, files or [])
        elif files:
            raise SettingsError(
                "files are given, and nothing says what they are; say it with --from, as --from shopify"
            )
        else:
            made = make(folder, example=example)
        say(made.in_words(), as_json=as_json)
        return {
            "folder": str(made.folder),
            "written": made.written,
            "already_there": made.already_there,
            "told": made.told,
        }

    finish(work, as_json=as_json, debug=debug)


@app.command()
def check(
    project: Project = HERE,
    as_of: AsOf = None,
    deep: Annotated[bool, typer.Option("--deep", help="Also audit: does anything know the future?")] = False,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Look at the workspace: what has landed and was rejected, what is odd or missing, and the command to type next.

    Each odd thing is told with what to do. Nothing long is computed: outcomes are counted where `train` or `snapshots`
    have made them. With --deep the audit follows, and exit code 1 where it finds something.

    Example: attrition check --project shop

    JSON: {"as_of", "tables": {name: rows}, "seen": {name: {"rows", "first": date, "last": date, "days_since_newest",
    "rejected", "reasons": {fault: rows}}}, "odd": [{"kind", "table", "column", "rows", "text"}], "indicators",
    "absent": [{"family", "indicators", "for_want_of": [table]}], "untold": [{"family", "indicators", "for_want_of":
    [column]}], "complete_until", "first_snapshot": date, "training_snapshots": [date], "folds": [date], "outcome",
    "matured": {"snapshot_on", "happened", "not_happened", "all_happened", "all_not_happened", "customers",
    "complete"} or null, "least": {"customers", "positives"}, "enough": true, false or null where it cannot be told
    yet, "more_from": {"day", "snapshot_on"}, "guessed": whether a guess is to be confirmed, "champion", "answers":
    whether it answers what is asked, "scored": as_of or null, "notes": [text], "own_indicators": [{"file", "sha256",
    "confirmed", "indicators"}], "next": command, "audit": document of `audit` or null}
    """

    def work(job: RunContext) -> dict[str, Any]:
        from pipelines.prediction.checks.check import check as look

        looked = look(job)
        if not deep:
            return looked | {"audit": None}
        from pipelines.prediction.checks.audit import audit

        return looked | {"audit": audit(job)}

    def failed(document: dict[str, Any]) -> bool:
        return bool(document["audit"] and document["audit"]["findings"])

    on_workspace(work, project, as_of, as_json=as_json, debug=debug, writes=deep, failed=failed)


@app.command()
def ingest(project: Project = HERE, as_of: AsOf = None, as_json: AsJson = False, debug: Debug = False) -> None:
    """Land the files that the settings name: typed, hashed, immutable; rows that break the contract go to a ledger.

    What APIs hold (settings: fetches) is fetched first, and removed once it has landed. Broken off, the same command
    goes on from there on the same day.

    Example: attrition ingest --project shop

    JSON: {"files": [{"table", "path", "rows_in", "landed", "rejected", "status", "remarks": [text]}]}
    """
    stage("ingest", project, as_of, as_json=as_json, debug=debug, older_ledger=True)


@app.command()
def snapshots(
    project: Project = HERE,
    first: Annotated[
        str | None, typer.Option("--from", help="First day. Default: the oldest training snapshot.", metavar="DATE")
    ] = None,
    last: Annotated[
        str | None,
        typer.Option("--to", help="Last day, included. Default: the newest training snapshot.", metavar="DATE"),
    ] = None,
    as_of: AsOf = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Compute the snapshots of a range of days: those of the settings' grid, features and outcomes.

    Each is computed once; broken off, the same command goes on with the next. `train` and `score` compute what they
    need by themselves.

    Example: attrition snapshots --project shop --from 1997-06-01 --to 1997-12-31

    JSON: {"snapshots": [{"snapshot_on", "customers", "features": path, "sha256", "outcomes": path or null}]}
    """

    def work(job: RunContext) -> dict[str, Any]:
        from pipelines import run as stages

        return stages.snapshots(job, day_of("--from", first), day_of("--to", last))

    on_workspace(work, project, as_of, as_json=as_json, debug=debug)


@app.command()
def backtest(project: Project = HERE, as_of: AsOf = None, as_json: AsJson = False, debug: Debug = False) -> None:
    """Walk forward through the past: train on what had matured by each day, compare with what followed.

    Once for each outcome of the settings. Segments are judged over all folds together; `worse` names those whose
    calibration or lift is clearly worse than that of all others.

    Example: attrition backtest --project shop --as-of 1998-01-01

    JSON: {"outcome", "folds": [{"snapshot_on", "rows", "train_rows", "train_first", "train_last", "model": {metric:
    value}, "intervals": {metric: [low, high]}, "treated_rows", "untreated": {metric: value}, "baselines": {name:
    {metric: value}}, "empc": {"share", "profit"} or null}], "segments": [{"column", "segment", "rows", "positives",
    "calibration", "calibration_interval", "lift", "lift_interval", "worse": ["calibration" or "lift"]}], "skipped":
    [{"snapshot_on", "reason"}], "predictions": path, "also": [the same for each further outcome]}
    """
    stage("backtest", project, as_of, as_json=as_json, debug=debug)


@app.command()
def train(project: Project = HERE, as_of: AsOf = None, as_json: AsJson = False, debug: Debug = False) -> None:
    """Train on every matured snapshot, register the version, and promote it if it is not worse than the champion.

    Each outcome of the settings gets a model of its own; a further one that is too rare to learn is left out.

    Example: attrition train --project shop

    Before that it looks for columns that tell who leaves much later, as only values of today do. A model that reads one
    is not promoted, unless training.trusted_columns names the column; what could not be told is said.

    JSON: {"version", "promoted", "verdict", "unchanged", "published", "doubted": [column], "untold": [text], "also":
    [{"outcome", and these, or "skipped": reason}]}
    """
    stage("train_", project, as_of, as_json=as_json, debug=debug)


@app.command()
def score(project: Project = HERE, as_of: AsOf = None, as_json: AsJson = False, debug: Debug = False) -> None:
    """Score everybody at risk with the champion: probability (0 to 1, higher is worse), band and three reasons.

    Needs no tracking server. Scoring a date again replaces that date, whole. Each score has the value at risk
    (probability times revenue over the horizon) and a priority by it. Beside the scores lie the probabilities of
    further outcomes, and who has already given notice and is not scored any more. Then it delivers, as `deliver` does,
    with its exit codes.

    Example: attrition score --project shop --as-of 1998-01-01

    JSON: {"as_of", "run_id", "scored", "unchanged", "current", "history", "csv", "also": path or null, "too_old":
    [outcome], "announced": {"customers", "mrr", "csv"}, "currency", "horizon_days", "model_version", "scored_at",
    "data_as_of", "valid_until", "delivery": {"planned", "sent", and the rest of the document of `deliver`}}
    """
    stage(
        "score_",
        project,
        as_of,
        as_json=as_json,
        debug=debug,
        failed=lambda found: bool(undelivered(found["delivery"])),
    )


@app.command()
def explain(
    customer: Annotated[str, typer.Argument(help="The customer's id.", metavar="CUSTOMER")],
    project: Project = HERE,
    as_of: AsOf = None,
    holdout: Annotated[bool, typer.Option("--holdout", help="Also of a customer who is held out.")] = False,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Why one customer is at risk: every contribution to the log-odds, and the reasons in words.

    Of customers who are held out nothing is shown, so that nobody acts on it; --holdout is for whoever only looks.

    Example: attrition explain 12747 --project shop

    JSON: {"customer_id", "as_of", "model_version", "churn_probability", "churn_risk_band", "reasons": [{"code",
    "text"}], "average_log_odds", "level_log_odds", "contributions": [these, "log_odds"], "indicators": {name: value}}
    """

    def work(job: RunContext) -> dict[str, Any]:
        from pipelines.prediction.scoring.explain import explain as look

        return look(job, customer, held_out_too=holdout)

    on_workspace(work, project, as_of, as_json=as_json, debug=debug)


@app.command()
def report(project: Project = HERE, as_of: AsOf = None, as_json: AsJson = False, debug: Debug = False) -> None:
    """Write report.html (one file, no network) and summary.json.

    Example: attrition report --project shop

    JSON: {"as_of", "outcomes": {"churn": {metric: value}}, "intervals", "baselines", "evaluated_on", "references",
    "champion", "scored", "report"}
    """
    stage("report", project, as_of, as_json=as_json, debug=debug)


@app.command()
def run(project: Project = HERE, as_of: AsOf = None, as_json: AsJson = False, debug: Debug = False) -> None:
    """All of it in order: ingest, backtest, train, score, deliver, monitor, report. A second run does only what is new.

    Example: attrition run --project shop

    JSON: {"ingest", "backtest", "train", "score", "monitor", "report"}, each the document of that command.
    """

    def work(job: RunContext) -> dict[str, Any]:
        from pipelines import run as stages
        from pipelines.report.closing_table import closing_table

        documents = stages.everything(job)
        closing_table(job, documents["report"])
        return documents

    def failed(documents: dict[str, Any]) -> bool:
        return bool(undelivered(documents["score"]["delivery"]))

    on_workspace(work, project, as_of, as_json=as_json, debug=debug, failed=failed)
