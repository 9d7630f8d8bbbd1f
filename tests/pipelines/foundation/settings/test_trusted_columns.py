"""Names of columns that are trusted: known ones, and what is said of others."""

from __future__ import annotations

import pytest

from pipelines.foundation.settings.trusted_columns import refuse_unknown, unknown
from tests.pipelines.foundation.own_indicators.test_rules import FAMILY


@pytest.mark.parametrize("name", ["customers.value_tier", "price_over_competitors", "orders_30d"])
def test_columns_of_tables_and_indicators_are_known(name: str) -> None:
    refuse_unknown([name], (30, 90))


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("customers.value_teir", " Did you mean 'customers.value_tier'?"),
        ("value_tier", None),  # an indicator
        ("orders_31d", " Did you mean 'orders_30d'?"),
        ("zzz", ""),
    ],
)
def test_other_names_are_refused_with_the_nearest_known_one(name: str, meant: str | None) -> None:
    if meant is None:
        refuse_unknown([name], (30, 90))
        return
    with pytest.raises(ValueError, match=f"training.trusted_columns names '{name}'") as refused:
        refuse_unknown([name], (30, 90))
    assert str(refused.value).endswith(f"(`attrition indicators`).{meant}")


def test_a_column_of_ones_own_is_known_where_its_families_are_given() -> None:
    assert unknown(["visits_30d"], (30, 90)).startswith("training.trusted_columns names 'visits_30d'")
    assert unknown(["visits_30d", "orders_30d"], (30, 90), own=[FAMILY]) == ""
    assert "'visits_31d'" in unknown(["visits_31d"], (30, 90), own=[FAMILY])
