"""The command that runs a workspace by the clock."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from features.errors import AttritionError
from pipelines.commands.frame import HERE, AsJson, Debug, Port, Project, announce, app, finish, say

if TYPE_CHECKING:
    from pipelines.foundation.settings.settings import Settings
    from pipelines.schedule.start import Started


@app.command()
def schedule(
    project: Project = HERE,
    port: Port = 3000,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Run ingest, score and retrain by the clock, with a page to look at, to start runs and to fill in snapshots.

    The settings' section `schedule` says when. Works until Ctrl-C or TERM, then ends everything that it started. The
    page is for this machine alone, and for whoever has the address that is printed: its token is new at each start. One
    per workspace: a second one is refused. With --json the document comes when the page answers. Needs
    `pip install "attrition[schedule]"`.

    Example: attrition schedule --project shop --port 3000

    JSON: {"url", "processes": {"page": process id, "daemon": process id}}
    """

    def work() -> dict[str, Any]:
        from pipelines.foundation.settings.settings import FILE_NAME, load

        settings = load(project / FILE_NAME)
        if not (find_spec("dagster") and find_spec("dagster_webserver")):
            raise AttritionError('Dagster is not installed; get it with `pip install "attrition[schedule]"`')
        from pipelines.schedule.start import logs_of, serve

        def started(what: Started) -> None:
            where = f"page: {what.url} (from this machine only); logs: {logs_of(project)}; Ctrl-C ends it"
            announce({"url": what.url, "processes": what.processes}, where, as_json=as_json)

        for line in _plan(settings):
            say(line, as_json=as_json)
        name = serve(project, port=port, started=started)
        say(f"ended by {name}; nothing is left running", as_json=as_json)
        return {}

    finish(work, as_json=False, debug=debug)


def _plan(settings: Settings) -> list[str]:
    plan = settings.schedule
    lines = {"ingest": plan.ingest, "score": plan.score, "retrain": plan.retrain}
    told = [f"cron, in {settings.time_zone}:"]
    told += [f"  {name:<8} {line or 'never'}" for name, line in lines.items()]
    if settings.as_of:
        told.append(f"as_of is set to {settings.as_of}: every run looks from that day, whatever the clock says")
    return [*told, "starting ..."]
