"""The partitions of snapshots: days of the settings' grid, as far as there are data."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import dagster as dg

from features.errors import AttritionError
from pipelines.schedule.site import Site

if TYPE_CHECKING:
    from pipelines.foundation.workspace.workspace import Workspace

NAME = "snapshot_grid"
GRID = dg.DynamicPartitionsDefinition(name=NAME)


def grid_days(workspace: Workspace) -> list[date]:
    """From the first day with enough history before it to the day that scoring looks from."""
    first = workspace.data_days[0] + timedelta(days=max(1, workspace.settings.snapshots.min_history_days))
    return workspace.grid_days(first, min(workspace.as_of, workspace.data_days[1] + timedelta(days=1)))


def follow(workspace: Workspace, instance: dg.DagsterInstance) -> int:
    """Make the partitions those of the grid; their number back. What was computed for a day stays known.

    Partitions have the order in which they were added, and a range goes by it: where earlier days join, all are added
    anew.
    """
    wanted = [str(day) for day in grid_days(workspace)]
    there = list(instance.get_dynamic_partitions(NAME))
    if wanted[: len(there)] != there:
        for key in there:
            instance.delete_dynamic_partition(NAME, key)
        there = []
    if len(there) < len(wanted):
        instance.add_dynamic_partitions(NAME, wanted[len(there) :])
    return len(wanted)


def grid_sensor(site: Site) -> dg.SensorDefinition:
    """The partitions follow what others land, too: a person, or another scheduler."""

    @dg.sensor(minimum_interval_seconds=60, default_status=dg.DefaultSensorStatus.RUNNING)
    def snapshot_grid(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        """Make a partition for each day of the snapshot grid."""
        from pipelines.foundation.storage.fingerprint import fingerprint
        from pipelines.foundation.workspace.workspace import open_workspace

        try:
            workspace = open_workspace(site.folder, now=datetime.now(UTC))
            landed = [stored.sha256 for stored in workspace.landed]
            plan = workspace.settings.snapshots.model_dump(mode="json")
            seen = fingerprint({"landed": landed, "as_of": workspace.as_of, "snapshots": plan})
            if seen == context.cursor:
                return dg.SkipReason("nothing landed since")
            days = follow(workspace, context.instance)
        except AttritionError as error:
            return dg.SkipReason(str(error))
        context.update_cursor(seen)
        return dg.SkipReason(f"{days} days have a snapshot, or can have one")

    return snapshot_grid
