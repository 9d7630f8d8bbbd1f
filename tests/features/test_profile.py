"""Profile indicators over literal rows, seen from 1 June 2024, Paris."""

from __future__ import annotations

from typing import Any

from features.profile import FAMILY
from tests.features.world_case import at, differing, fact, family_of


def _customer(signed_up_at: str, **more: Any) -> dict[str, Any]:
    return fact("a", signed_up_at=signed_up_at, **more)


def _of(*customers: dict[str, Any]) -> Any:
    return family_of(FAMILY, "a", customers=customers).loc["a"]


def test_customer_is_described_as_recorded() -> None:
    described = {"country": "FR", "acquisition_channel": "fair", "value_tier": "gold", "gender": "f"}
    row = _of(_customer("2023-06-02", **described))
    assert not differing(row, country="FR", acquisition_channel="fair", value_tier="gold", gender="f")


def test_signing_up_is_dated_by_the_local_calendar() -> None:
    row = _of(_customer("2024-05-01 00:30"))
    assert not differing(row, signup_cohort="2024-05", days_since_signup=31)
    assert not differing(_of(_customer("2024-04-30 23:59")), signup_cohort="2024-04", days_since_signup=32)


def test_age_is_in_completed_years() -> None:
    assert not differing(_of(_customer("2024-05-01", born_at="1990-06-01")), age_years=34)
    assert not differing(_of(_customer("2024-05-01", born_at="1990-06-02")), age_years=33)
    assert not differing(_of(_customer("2024-05-01", born_at="1990-12-31")), age_years=33)
    assert not differing(_of(_customer("2024-05-01", born_at="2000-02-29")), age_years=24)


def test_last_version_known_by_then_describes_the_customer() -> None:
    first = _customer("2023-01-01", country="FR", value_tier="silver")
    second = first | {"value_tier": "gold", "known_at": at("2024-05-31 23:59")}
    third = first | {"country": "DE", "value_tier": "none", "known_at": at("2024-06-01 00:00")}
    assert not differing(_of(first, third, second), country="FR", value_tier="gold", days_since_signup=517)


def test_what_is_not_recorded_is_null() -> None:
    row = _of(_customer("2024-05-01"))
    assert not differing(row, country=None, acquisition_channel=None, value_tier=None, gender=None, age_years=None)


def test_who_signs_up_at_the_snapshot_instant_is_not_known_yet() -> None:
    row = _of(_customer("2024-06-01 00:00", country="FR"))
    assert not differing(row, country=None, signup_cohort=None, days_since_signup=None)
