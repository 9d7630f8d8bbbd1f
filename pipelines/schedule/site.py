"""What every asset needs: its workspace, opened for the run's moment and held, and words instead of tracebacks."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg

from features.errors import AttritionError
from pipelines.foundation.storage.error_words import fault, in_words
from pipelines.foundation.storage.lock import BusyError
from pipelines.foundation.workspace.console import Console, Step
from pipelines.operations.delivery.connector import UnavailableError
from pipelines.schedule.said import AgainError, SaidError

if TYPE_CHECKING:
    from pipelines.foundation.workspace.run_context import RunContext


class Logged(Console):
    """Speaks to whoever reads a run's log."""

    def __init__(self, log: logging.Logger) -> None:
        super().__init__(quiet=True)
        self.log = log

    def say(self, text: str) -> None:
        self.log.info(text.strip())

    @contextmanager
    def stage(self, name: str, *, steps: int | None = None) -> Iterator[Step]:
        """No bar: `name` and `steps` stand on the page."""
        del name, steps
        yield lambda _: None


@dataclass(frozen=True)
class Site:
    """The workspace's folder, and how often and after how long a step is tried again."""

    folder: Path
    retry: dg.RetryPolicy

    @contextmanager
    def job(self, context: dg.AssetExecutionContext | dg.AssetCheckExecutionContext) -> Iterator[RunContext]:
        """The workspace, held, as seen from the moment at which the run began.

        All steps of a run look from one moment: a run over midnight does not score one day and deliver another.
        Raises: AgainError where another run is at work, a destination is not to be reached, or something failed that
        nobody foresaw, and tries are left; otherwise SaidError.
        """
        from pipelines.data.privacy.enforce import taken_to_write
        from pipelines.foundation.workspace.run_context import RunContext
        from pipelines.foundation.workspace.workspace import open_workspace

        record = context.instance.get_run_record_by_id(context.run.run_id)
        if record is None or record.start_time is None:
            raise AssertionError(f"run {context.run.run_id} works without having begun")
        now = datetime.fromtimestamp(record.start_time, UTC)
        try:
            workspace = open_workspace(self.folder, now=now)
            with taken_to_write(workspace):
                yield RunContext(workspace, Logged(context.log), now)
        except (BusyError, UnavailableError) as error:
            raise self._again(context, str(error)) from None
        except AttritionError as error:
            raise SaidError(str(error)) from None
        except (SaidError, dg.DagsterError, dg.Failure, dg.RetryRequested):
            raise  # Dagster's own, and what was said already
        except Exception as error:  # noqa: BLE001 - whatever it is, Dagster is not to write it out
            # Dagster would write what a library says, and so perhaps values of rows, into its log.
            raise self._again(context, in_words(error) or fault(error)) from None

    def _again(self, context: dg.AssetExecutionContext | dg.AssetCheckExecutionContext, said: str) -> SaidError:
        """A failure after which the step is tried again, for as long as tries are left."""
        tried = context.op_execution_context.retry_number
        if tried < self.retry.max_retries:
            wait = float(self.retry.calculate_delay(tried + 1))
            return AgainError(said, max_retries=self.retry.max_retries, seconds_to_wait=wait)
        return SaidError(f"{said}; {tried + 1} tries are enough for now")
