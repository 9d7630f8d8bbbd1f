"""Pictures of what drives a model: a disc or point is a group, never a person."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

from models.shap_summary import Explained, Group
from pipelines.foundation.wording.words import Words
from pipelines.prediction.charts.explained import DEPENDENCES, SHOWN, charts, dependence, summary

WORDS = Words("en")


def column(name: str, importance: float = 0.1) -> Explained:
    found = (Group(30, 1.0, -0.2, 0.1), Group(20, 5.0, 0.1, 0.05), Group(15, 9.0, 0.4, 0.2), Group(12, None, 0.0, 0.1))
    return Explained(name, importance, found)


def discs(svg: str) -> int:
    ET.fromstring(f'<svg xmlns="http://www.w3.org/2000/svg" {svg.removeprefix("<svg ")}')
    return len(re.findall(r"PathCollection_\d+", svg))


def test_the_summary_has_a_disc_a_group_also_for_those_without_a_value() -> None:
    found = summary([column("orders_90d"), column("order_value_90d")], WORDS)
    assert discs(found.svg) == 8
    assert "orders_90d" in found.svg
    assert found.caption == "Each disc is a group of at least ten customers; orders_90d counts most."


def test_a_dependence_names_its_column() -> None:
    found = dependence(column("orders_90d"), WORDS)
    assert found.name == "shap-dependence-orders_90d"
    assert "orders_90d" in found.svg
    assert found.title == "Dependence on orders_90d"


def test_the_most_important_are_drawn_and_those_that_say_nothing_are_not() -> None:
    many = [column(f"c{number:02d}", 1 / (number + 1)) for number in range(30)]
    found = charts(many, WORDS)
    assert len(found) == 1 + DEPENDENCES
    assert f"c{SHOWN - 1:02d}" in found[0].svg
    assert f"c{SHOWN:02d}" not in found[0].svg
    assert charts([column("quiet", 0.0)], WORDS) == []
    assert charts([], WORDS) == []


def test_a_column_that_nobody_has_a_value_of_has_no_dependence() -> None:
    nobody = Explained("empty", 0.2, (Group(40, None, 0.2, 0.0),))
    assert [each.name for each in charts([nobody], WORDS)] == ["shap-summary"]
