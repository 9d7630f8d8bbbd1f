"""`attrition kpis`: retention of customers and of revenue, by calendar month and segment, and by signup cohort."""

from __future__ import annotations

from typing import Any

from pipelines.data.kpis import tables as kpi_tables
from pipelines.data.kpis.figures import figures
from pipelines.data.kpis.ground import Ground
from pipelines.foundation.workspace.run_context import RunContext


def kpis(job: RunContext, *, by: str | None = None, months: int | None = None) -> dict[str, Any]:
    """The document of `kpi_figures.figures`, which people get as tables with what the words mean.

    Raises: SettingsError where there is no such kind of segments, or the workspace has nothing to make them of.
    """
    ground = Ground(job.workspace, by)
    with job.console.stage("kpis") as step:
        document = figures(ground, months=months, progress=step)
    kpi_tables.show(job.console, ground, document)
    return document
