"""The commands that look into indicators and leaks, and make a company to try them on."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from features.errors import SettingsError
from pipelines.commands.frame import HERE, AsJson, AsOf, Debug, NewFolder, Project, app, finish, on_workspace, say

if TYPE_CHECKING:
    from pipelines.foundation.workspace.run_context import RunContext
    from pipelines.foundation.workspace.workspace import Workspace


@app.command()
def indicators(
    project: Project = HERE,
    trust: Annotated[
        bool,
        typer.Option("--trust", help="Confirm the files of own indicators as they are now: their code may run."),
    ] = False,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """List every indicator: family, unit, direction of risk, what null means, and the tables that it takes.

    In a workspace with indicators of its own (settings: indicators) these follow, with their file. Such a file is code
    that runs with your rights: look at it, then confirm it with --trust. The hash of its bytes is noted for you alone,
    outside of the workspace, and once the file is altered nothing of it runs before you confirm it again.

    Example: attrition indicators

    Example: attrition indicators --trust --project shop

    JSON: {"indicators": [{"file": name or null, "name", "family", "unit", "direction", "null", "told_by": [column],
    "en", "fr", "tables": [table]}], "trusted": [{"file", "sha256"}]}
    """

    def work() -> dict[str, Any]:
        from pipelines.foundation.settings.settings import FILE_NAME
        from pipelines.prediction.checks.indicators import indicators as listed

        if project == HERE and not trust and not (project / FILE_NAME).exists():
            return listed(quiet=as_json) | {"trusted": []}
        from pipelines.foundation.workspace.workspace import open_workspace

        workspace = open_workspace(project, now=datetime.now(UTC))
        trusted = _trusted(workspace, as_json=as_json) if trust else []
        return listed(workspace.own_files, own_alone=trust, quiet=as_json) | {"trusted": trusted}

    finish(work, as_json=as_json, debug=debug)


def _trusted(workspace: Workspace, *, as_json: bool) -> list[dict[str, str]]:
    from pipelines.foundation.own_indicators.own_file import read
    from pipelines.foundation.own_indicators.trust import trust

    names = workspace.settings.indicators
    if not names:
        raise SettingsError('the settings name no file of own indicators; name one: indicators = ["my_indicators.py"]')
    files = [read(workspace.root, name) for name in names]
    place = trust(workspace.root, files)
    for file in files:
        lines = file.content.count(b"\n")
        say(f"{file.name}: {lines:,} lines, sha256 {file.sha256}, confirmed in {place}", as_json=as_json)
    return [{"file": file.name, "sha256": file.sha256} for file in files]


@app.command()
def audit(project: Project = HERE, as_of: AsOf = None, as_json: AsJson = False, debug: Debug = False) -> None:
    """Try whether anything knows the future: indicators that move with it, values taken from today, wrong clocks.

    Exit code 1 where something was found.

    Example: attrition audit --project shop

    Values taken from today are looked for before each training, too. Too few customers or departures, or data that end
    too soon, leave something untold, and it says so.

    JSON: {"as_of", "checked": {"snapshots": [date], "indicators", "columns", "customers", "departures"}, "findings":
    [{"check", "table": name or null, "column", "evidence", "remedy"}], "notes": [text], "untold": [text]}
    """

    def work(job: RunContext) -> dict[str, Any]:
        from pipelines.prediction.checks.audit import audit as look

        return look(job)

    on_workspace(work, project, as_of, as_json=as_json, debug=debug, failed=lambda found: bool(found["findings"]))


@app.command()
def simulate(
    folder: NewFolder,
    customers: Annotated[int, typer.Option(min=20, max=1_000_000, help="Customers who ever sign up.")] = 2000,
    months: Annotated[int, typer.Option(min=6, max=600, help="Length of the simulated time.")] = 24,
    seed: Annotated[int, typer.Option(min=0, max=2**63 - 1, help="The same seed gives the same company.")] = 7,
    messy: Annotated[bool, typer.Option("--messy", help="French CSV files with broken rows, not Parquet.")] = False,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Simulate a company: a workspace with every table, and the true risk of every customer kept apart in truth/.

    Example: attrition simulate company --customers 2000 --months 24 --seed 7

    JSON: {"folder", "tables": {name: rows}, "end": date}
    """

    def work() -> dict[str, Any]:
        from pipelines.foundation.simulation.simulate import simulate as draw
        from pipelines.foundation.workspace.console import Console

        console = Console(quiet=as_json)
        with console.stage("simulate") as step:
            made = draw(folder, customers=customers, months=months, seed=seed, messy=messy, progress=step)
        console.say(
            f"  {folder}: a simulated company of {customers:,} customers, {len(made.rows)} tables until {made.end}"
        )
        return {"folder": str(folder), "tables": made.rows, "end": str(made.end)}

    finish(work, as_json=as_json, debug=debug)
