from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.foundation.settings.delivered_fields import FIELDS
from pipelines.operations.delivery.connector import Value
from pipelines.operations.delivery.values import instant, normal, remote_value


@pytest.mark.parametrize(
    ("name", "value", "form"),
    [
        ("churn_probability", 1, 1.0),
        ("churn_probability", None, None),
        ("horizon_days", 60, 60),
        ("suppressed", False, False),
        ("data_as_of", "2026-04-01", "2026-04-01"),
        ("scored_at", "2026-04-01T02:00:00+02:00", "2026-04-01T00:00:00+00:00"),
        ("reason_1", "", None),
        ("reason_1", "=1+1", "=1+1"),
    ],
)
def test_a_value_has_one_form(name: str, value: Value, form: Value) -> None:
    found = normal(FIELDS[name], value)
    assert (found, type(found)) == (form, type(form))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("churn_probability", float("nan")),
        ("churn_probability", float("inf")),
        ("churn_probability", 10**400),
        ("churn_probability", True),
        ("churn_probability", "0.5"),
        ("horizon_days", 60.0),
        ("horizon_days", True),
        ("suppressed", 1),
        ("data_as_of", "20260401"),
        ("data_as_of", "2026-04-31"),
        ("scored_at", "2026-04-01T02:00:00"),
        ("scored_at", "0001-01-01T00:00:00+05:00"),
        ("reason_1", "a\0b"),
        ("reason_1", "\ud83d"),
        ("reason_1", 5),
    ],
)
def test_a_value_of_another_kind_is_refused_without_repeating_it(name: str, value: Value) -> None:
    with pytest.raises(ValueError, match=f"{name} holds") as refused:
        normal(FIELDS[name], value)
    assert str(value) not in str(refused.value)


@pytest.mark.parametrize(
    ("name", "raw", "ours"),
    [
        ("churn_probability", "0.5", 0.5),
        ("churn_probability", 1, 1.0),
        ("churn_probability", "much", "much"),
        ("churn_probability", True, "True"),
        ("horizon_days", "60", 60),
        ("horizon_days", 60.0, 60),
        ("horizon_days", 2**53 + 1, 2**53 + 1),
        ("horizon_days", 60.5, "60.5"),
        ("suppressed", "True", True),
        ("suppressed", "perhaps", "perhaps"),
        ("data_as_of", "2026-04-01T00:00:00.000Z", "2026-04-01"),
        ("scored_at", "2026-04-01T00:00:00.000Z", "2026-04-01T00:00:00+00:00"),
        ("scored_at", "yesterday", "yesterday"),
        ("reason_1", "", None),
        ("reason_1", ["a"], "['a']"),
    ],
)
def test_what_is_held_is_read_in_our_types_or_as_it_stands(name: str, raw: object, ours: Value) -> None:
    found = remote_value(FIELDS[name], raw)
    assert (found, type(found)) == (ours, type(ours))


@given(st.datetimes(timezones=st.timezones()))
def test_the_form_of_a_time_is_its_own_form(at: object) -> None:
    try:
        once = instant(at.isoformat())  # type: ignore[attr-defined]
    except ValueError:
        return
    assert instant(once) == once
