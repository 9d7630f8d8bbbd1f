"""The snapshots that the settings of a workspace ask for."""

from __future__ import annotations

from pipelines.data.snapshots.definitions import Definition
from pipelines.data.snapshots.measured import measured_tables
from pipelines.data.snapshots.outcomes import Observed
from pipelines.data.snapshots.snapshot import Snapshots
from pipelines.data.snapshots.stopped import may_stop
from pipelines.foundation.storage.atomic_file import unfinished
from pipelines.foundation.workspace.workspace import Workspace


def snapshots_of(workspace: Workspace) -> Snapshots:
    """Raises: DataError where nothing has landed."""
    settings, question = workspace.settings, workspace.settings.question
    tables = tuple(sorted(workspace.tables))
    definition = Definition(
        cohort=question.cohort,
        lookbacks=settings.lookbacks,
        time_zone=settings.time_zone,
        tables=tables,
        personal=settings.age_and_gender,
        pause_pauses_mrr=settings.endings.pause_pauses_mrr,
        own=workspace.own_files,
    )
    return Snapshots(
        store=workspace.store,
        engine=workspace.engine,
        tables=workspace.tables,
        files=tuple(workspace.landed),
        complete_until={name: until for name in may_stop(tables) if (until := workspace.told_until(name)) is not None},
        why_left_until=workspace.why_left_until,
        refusals=workspace.refusals.fingerprint if workspace.refusals else "",
        definition=definition,
        observed=Observed(
            cohort=question.cohort,
            lead_days=question.lead_days,
            horizon_days=question.horizon_days,
            endings=settings.endings if question.by_contract else None,
            price_rise_is_expansion=question.by_contract and settings.contracts.price_rise_is_expansion,
            time_zone=settings.time_zone,
            tables=tables,
        ),
        question=question,
        calendar=workspace.calendar,
        start_model=settings.training.start_model,
        compiled=workspace.compiled,
        measured=None
        if workspace.compiled is None
        else measured_tables(definition, workspace.store, workspace.landed, unfinished(workspace.scratch / "measured")),
    )
