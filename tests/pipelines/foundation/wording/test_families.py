from __future__ import annotations

import pytest

from features.segments import COLUMNS
from features.tables import TABLES
from features.training_set import FAMILIES
from pipelines.foundation.wording.families import family_name, segment_name, table_name
from pipelines.foundation.wording.words import Words


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_every_family_of_the_catalogue_has_a_french_name(family: object) -> None:
    name = getattr(family, "name", "")
    assert Words("fr").knows(f"family.{name}")
    assert family_name("weather_of_day", Words("fr")) == "weather of day"  # a workspace's own


def test_every_column_by_whose_values_models_are_judged_has_a_french_name() -> None:
    categories = {each.name for family in FAMILIES for each in family.indicators if each.unit == "category"} | {
        *COLUMNS,
        "plan_rank",
    }
    for column in categories:
        assert Words("fr").knows(f"segment.{column}"), column
    assert segment_name("value_tier", Words("fr")) == "Classe de valeur"
    assert segment_name("weather_of_day", Words("fr")) == "weather of day"


@pytest.mark.parametrize("name", TABLES)
def test_every_table_has_a_french_name_and_its_own_in_english(name: str) -> None:
    assert table_name(name, Words("en")) == name
    assert Words("fr").knows(f"table_name.{name}")
    assert table_name("weather", Words("fr")) == "weather"
