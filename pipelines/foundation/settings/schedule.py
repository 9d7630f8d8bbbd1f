"""The part of `attrition.toml` that says when what starts by itself."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from pipelines.foundation.settings.cron import cron_line
from pipelines.foundation.settings.section import Section

CronLine = Annotated[str, AfterValidator(cron_line)]


class Schedule(Section):
    """When `attrition schedule` starts what, as cron lines in the workspace's time zone; "" is never.

    A step that fails for a reason that may pass is tried again, after 1, 3, 7, 15 ... times retry_delay_seconds.
    """

    ingest: CronLine = "0 4 * * *"
    score: CronLine = "0 5 * * *"
    retrain: CronLine = "0 6 * * 1"
    retries: Annotated[int, Field(ge=0, le=10)] = 5
    retry_delay_seconds: Annotated[int, Field(ge=1, le=86_400)] = 60
