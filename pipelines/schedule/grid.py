"""The partitions of snapshots: days of the settings' grid, as far as there are data."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import dagster as dg

from features.errors import AttritionError
from pipelines.schedule.site import Site

if TYPE_CHECKING:
    from pipelines.foundation.workspace.calendar import Calendar

NAME = "snapshot_grid"
GRID = dg.DynamicPartitionsDefinition(name=NAME)


def follow(calendar: Calendar, instance: dg.DagsterInstance) -> int:
    """Make the partitions those of the grid; their number back. What was computed for a day stays known.

    Partitions have the order in which they were added, and a range goes by it: where earlier days join, all are added
    anew.
    """
    wanted = [str(day) for day in calendar.snapshot_days()]
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
            landed = tuple(name for each in workspace.landed for name in each.names)
            seen = fingerprint(landed, workspace.as_of, workspace.settings.snapshots)
            if seen == context.cursor:
                return dg.SkipReason("nothing landed since")
            days = follow(workspace.calendar, context.instance)
        except AttritionError as error:
            return dg.SkipReason(str(error))
        context.update_cursor(seen)
        return dg.SkipReason(f"{days} days have a snapshot, or can have one")

    return snapshot_grid
