from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.foundation.settings.delivered_fields import FIELDS
from pipelines.operations.delivery.connector import Value
from pipelines.operations.delivery.hubspot.values import text_of, value_of
from tests.pipelines.operations.delivery.hubspot.fake_hubspot_http import kept

TYPES: dict[str, dict[str, Any]] = {
    "text": {"type": "string"},
    "choice": {"type": "string"},
    "number": {"type": "number"},
    "integer": {"type": "number"},
    "flag": {"type": "bool", "options": [{"value": "true"}, {"value": "false"}]},
    "date": {"type": "date"},
    "datetime": {"type": "datetime"},
}


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("churn_probability", 0.8, "0.8"),
        ("churn_probability", 1e-07, "0.0000001"),
        ("churn_probability", 0.0, "0.0"),
        ("value_at_risk", 1e22, "10000000000000000000000"),
        ("value_at_risk", -3.5, "-3.5"),
        ("horizon_days", 90, "90"),
        ("suppressed", True, "true"),
        ("suppressed", False, "false"),
        ("data_as_of", "2024-07-01", "2024-07-01"),
        ("scored_at", "2024-07-01T08:00:00+02:00", "2024-07-01T06:00:00.000Z"),
        ("scored_at", "2024-07-01T06:00:00.250+00:00", "2024-07-01T06:00:00.250Z"),
        ("churn_risk_band", "high", "high"),
        ("reason_1", "Moins de commandes", "Moins de commandes"),
        ("reason_1", "", ""),
        ("churn_probability", None, ""),
        ("suppressed", None, ""),
    ],
)
def test_every_kind_has_one_text(name: str, value: Value, text: str) -> None:
    assert text_of(value, FIELDS[name]) == text


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("churn_probability", math.nan),
        ("churn_probability", math.inf),
        ("churn_probability", "0.8"),
        ("churn_probability", True),
        ("horizon_days", 90.5),
        ("suppressed", "true"),
        ("suppressed", 1),
        ("data_as_of", "01/07/2024"),
        ("scored_at", "yesterday"),
        ("reason_1", 7),
    ],
)
def test_a_value_of_another_kind_is_refused_without_being_repeated(name: str, value: Value) -> None:
    with pytest.raises(ValueError, match=rf"^{name} is not a {FIELDS[name].kind}$"):
        text_of(value, FIELDS[name])


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("horizon_days", "90.0", 90),
        ("horizon_days", "90.5", 90.5),
        ("suppressed", "TRUE", True),
        ("data_as_of", "1719792000000", "2024-07-01"),
        ("scored_at", "1719813600000", "2024-07-01T06:00:00+00:00"),
        ("scored_at", "1719813600250", "2024-07-01T06:00:00.250+00:00"),
        ("scored_at", "2024-07-01T06:00:00Z", "2024-07-01T06:00:00+00:00"),
        ("churn_probability", "", None),
        ("churn_probability", None, None),
    ],
)
def test_what_hubspot_writes_in_another_way_is_read_the_same(name: str, text: str | None, value: Value) -> None:
    found = value_of(text, FIELDS[name])
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("name", "text"),
    [("churn_probability", "high"), ("horizon_days", "NaN"), ("suppressed", "perhaps"), ("scored_at", "x")],
)
def test_a_text_of_another_kind_is_given_back_to_be_seen(name: str, text: str) -> None:
    assert value_of(text, FIELDS[name]) == text


def values(kind: str) -> st.SearchStrategy[Value]:
    """Values in the form that is given to a connector."""
    strategies: dict[str, st.SearchStrategy[Value]] = {
        "text": st.text(st.characters(exclude_categories=["Cs"]), min_size=1),
        "choice": st.sampled_from(["low", "high"]),
        "number": st.floats(allow_nan=False, allow_infinity=False),
        "integer": st.integers(-(10**12), 10**12),
        "flag": st.booleans(),
        "date": st.dates().map(str),
        "datetime": st.datetimes().map(lambda each: each.replace(microsecond=0).isoformat() + "+00:00"),
    }
    return strategies[kind]


@pytest.mark.parametrize("kind", sorted(TYPES))
@given(data=st.data())
def test_what_is_read_is_what_was_sent(kind: str, data: st.DataObject) -> None:
    field = next(each for each in FIELDS.values() if each.kind == kind)
    value = data.draw(values(kind))
    found = value_of(kept(text_of(value, field), TYPES[kind]), field)
    assert found == value
    assert type(found) is type(value)
