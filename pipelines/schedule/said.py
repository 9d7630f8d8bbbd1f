"""Failures that Dagster shows as they are said: a sentence for whoever runs the workspace, and no stack of frames.

Dagster shows the frames of every exception but one: an error of another process, which brings its own words along.
"""

from __future__ import annotations

import dagster as dg
from dagster._core.errors import DagsterUserCodeProcessError
from dagster_shared.error import SerializableErrorInfo


class SaidError(DagsterUserCodeProcessError):
    """The step has failed, and trying again would not help."""

    def __init__(self, text: str) -> None:
        Exception.__init__(self, text)
        self.user_code_process_error_infos = [SerializableErrorInfo(message=text, stack=[], cls_name=None)]


class AgainError(SaidError, dg.RetryRequested):
    """The step has failed, and is to be tried again after some seconds."""

    def __init__(self, text: str, *, max_retries: int, seconds_to_wait: float) -> None:
        SaidError.__init__(self, text)
        self.max_retries = max_retries
        self.seconds_to_wait = seconds_to_wait
