"""When what runs: jobs, their cron lines, and the sensor by which monitoring asks for a new model."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime

import dagster as dg

from features.errors import AttritionError
from pipelines.foundation.settings.settings import Settings
from pipelines.schedule.site import Site

_AUDIT = dg.AssetSelection.checks(dg.AssetCheckKey(dg.AssetKey("snapshots"), "audit"))

# Whatever a job relies on is in it: a check can only block what runs with it.
INGEST = dg.define_asset_job("ingest", ["landed"], description="Land new files.")
SCORE = dg.define_asset_job(
    "score",
    ["landed", "scores", "monitoring", "delivery", "report"],
    description="Land, score, monitor, deliver and report.",
)
RETRAIN = dg.define_asset_job(
    "retrain",
    dg.AssetSelection.assets("landed", "model") | _AUDIT,
    description="Land, audit and train a challenger.",
)
RUN = dg.define_asset_job(
    "run",
    (dg.AssetSelection.all() - dg.AssetSelection.assets("snapshots")) | _AUDIT,
    description="All of it, as `attrition run` does.",
)
JOBS = (INGEST, SCORE, RETRAIN, RUN)


def schedules(settings: Settings) -> list[dg.ScheduleDefinition]:
    """One for each cron line that is set."""
    plan = settings.schedule
    return [
        dg.ScheduleDefinition(
            name=f"{job.name}_by_cron",
            job=job,
            cron_schedule=line,
            execution_timezone=settings.time_zone,
            default_status=dg.DefaultScheduleStatus.RUNNING,
        )
        for job, line in ((INGEST, plan.ingest), (SCORE, plan.score), (RETRAIN, plan.retrain))
        if line
    ]


def retrain_sensor(site: Site) -> dg.SensorDefinition:
    """Monitoring asks for retraining, once for each document that says so."""

    @dg.sensor(job=RETRAIN, minimum_interval_seconds=60, default_status=dg.DefaultSensorStatus.RUNNING)
    def monitoring_asks() -> dg.RunRequest | dg.SkipReason:
        """Train a challenger where the newest monitoring document gives a reason to."""
        from pipelines.foundation.workspace.workspace import open_workspace
        from pipelines.operations.monitoring.monitor import newest

        try:
            workspace = open_workspace(site.folder, now=datetime.now(UTC))
            document = newest(workspace.store, workspace.as_of)
        except AttritionError as error:
            return dg.SkipReason(str(error))
        if document is None:
            return dg.SkipReason("nothing was monitored yet")
        if not document["retrain"]:
            return dg.SkipReason(f"monitoring at {document['as_of']} does not ask for a new model")
        written = json.dumps(document, sort_keys=True).encode()
        return dg.RunRequest(
            run_key=hashlib.sha256(written).hexdigest()[:16],
            tags={"asked_by_monitoring": "; ".join(document["retrain"])},
        )

    return monitoring_asks
