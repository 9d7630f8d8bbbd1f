from __future__ import annotations

import sys
from typing import NoReturn

import dagster as dg
from dagster._utils.error import serializable_error_info_from_exc_info

from pipelines.schedule.said import AgainError, SaidError


def shown(error: Exception) -> str:
    """What Dagster keeps of an exception, and shows."""
    try:
        _throw(error)
    except Exception:  # noqa: BLE001 - as Dagster does
        return serializable_error_info_from_exc_info(sys.exc_info()).to_string()


def _throw(error: Exception) -> NoReturn:
    raise error


def test_a_failure_is_shown_as_it_is_said() -> None:
    assert shown(SaidError("there is no file; put one there")) == "there is no file; put one there"


def test_a_further_try_is_shown_as_it_is_said_and_is_one_for_dagster() -> None:
    again = AgainError("somebody is at work", max_retries=3, seconds_to_wait=60)
    assert shown(again) == "somebody is at work"
    assert isinstance(again, dg.RetryRequested)
    assert (again.max_retries, again.seconds_to_wait) == (3, 60)


def test_any_other_exception_is_shown_with_its_frames() -> None:
    assert "test_said.py" in shown(ZeroDivisionError("a fault"))
