"""The settings' section on monitoring."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from pipelines.foundation.settings.section import Margin, PositiveSpan, Section


class Monitoring(Section):
    """When `attrition monitor` raises an alert, and when it says that it is time to train again.

    level: the chance of a false alarm about drift on a day on which nothing has changed. The others: how much worse
    than promised the figures of past scores must be, their intervals included. max_calibration_error: of the
    calibration slope, and of outcomes over those expected, from 1.
    """

    level: Annotated[float, Field(gt=0, lt=0.5)] = 0.05
    max_log_loss_increase: Margin = 0.01
    max_roc_auc_decrease: Margin = 0.02
    max_calibration_error: Margin = 0.2
    retrain_after_days: PositiveSpan = 90
