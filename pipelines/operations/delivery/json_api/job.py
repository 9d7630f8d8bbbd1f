"""Work that a system goes on with after its answer, and that is asked after until it ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from pipelines.foundation.settings.json_calls import Job
from pipelines.operations.delivery.connector import UnavailableError
from pipelines.operations.delivery.json_api.call import Answer, Caller
from pipelines.operations.delivery.json_api.place import found

_SLOWEST = 8.0  # times the first pause between two questions


def finished(caller: Caller, job: Job, answer: Answer, *, pause: Callable[[float], None]) -> tuple[Any, Any]:
    """The last state of the job that an answer names, and the document that holds its errors.

    Raises: UnavailableError where it fails as a whole, or is not done in time: then it may still be done later.
    """
    name = found(answer.document, job.id_at)
    if name is None:
        raise _later(caller, "its answer names no job")
    quoted = quote(str(name), safe="")
    waited, seconds = 0.0, job.poll_seconds
    while True:
        state_answer = caller.call("GET", job.path.replace("{job}", quoted))
        state = str(found(state_answer.document, job.state_at))
        if state_answer.refused or state in job.failed:
            raise _later(caller, f"the job ended: {caller.reason(state_answer) if state_answer.refused else state}")
        if state in job.done:
            break
        if waited >= job.wait_seconds:
            raise _later(caller, f"the job is not done after {job.wait_seconds:g} seconds ({caller.clean(state)})")
        pause(seconds)
        waited += seconds
        seconds = min(2 * seconds, _SLOWEST * job.poll_seconds)
    if job.errors_path is None:
        return state_answer.document, state_answer.document
    errors = caller.call("GET", job.errors_path.replace("{job}", quoted))
    if errors.refused:
        raise _later(caller, f"the job does not tell its errors: {caller.reason(errors)}")
    return state_answer.document, errors.document


def _later(caller: Caller, said: str) -> UnavailableError:
    return UnavailableError(f'destination "{caller.plan.name}": {said}')
