from __future__ import annotations

from typing import Any

from pipelines.foundation.wording.words import Words
from pipelines.prediction.charts.cohorts import MOST_COHORTS, curves

EN, FR = Words("en"), Words("fr")


def points(cohort: str, *retained: int, customers: int = 10) -> list[dict[str, Any]]:
    """One row per month since; intervals of ten points to either side."""
    return [
        {
            "cohort": cohort,
            "months_since": age,
            "customers": customers,
            "retained": left,
            "rate": 100 * left / customers,
            "low": max(100 * left / customers - 10, 0.0),
            "high": min(100 * left / customers + 10, 100.0),
        }
        for age, left in enumerate(retained)
    ]


def test_the_oldest_cohort_is_told_in_numbers() -> None:
    chart = curves([*points("2024-Q1", 10, 9, 7), *points("2024-Q2", 10, 8)], EN)
    assert chart is not None
    assert (
        chart.caption
        == "Of the 10 customers of 2024-Q1, 70.0% were there after 2 months (95% interval 60.0% to 80.0%)."
    )
    assert [entry.label for entry in chart.legend] == ["2024-Q1", "2024-Q2"]


def test_a_shop_is_told_of_in_words_of_its_own() -> None:
    again = curves(points("2024-Q1", 0, 3), FR, name="cohorts_again")
    active = curves(points("2024-Q1", 10, 3), FR, name="cohorts_active", days=90)
    assert again is not None
    assert active is not None
    assert (again.name, active.name) == ("chart-cohorts-again", "chart-cohorts-active")
    assert "30,0\u202f% avaient commandé à nouveau après 1 mois" in again.caption
    assert "30,0\u202f% avaient commandé dans les 90 jours précédents, 1 mois plus tard" in active.caption
    assert "en 90 jours" in active.svg


def test_quarters_are_written_as_the_language_does() -> None:
    chart = curves(points("2024-Q1", 10, 9), FR)
    assert chart is not None
    assert "Sur 10 clients arrivés en 2024-T1, 90,0\u202f% étaient encore là après 1 mois" in chart.caption


def test_many_cohorts_are_drawn_evenly_from_the_oldest_to_the_newest() -> None:
    rows = [row for number in range(1, 11) for row in points(f"2024-{number:02}", 10, 9)]
    chart = curves(rows, EN)
    assert chart is not None
    assert [entry.label for entry in chart.legend] == ["2024-01", "2024-04", "2024-07", "2024-10"]
    assert len(chart.legend) == MOST_COHORTS
    assert chart.svg.count("fill-opacity") >= MOST_COHORTS


def test_a_cohort_that_was_seen_once_is_no_curve() -> None:
    chart = curves([*points("2024-01", 10, 9), *points("2024-02", 10)], EN)
    assert chart is not None
    assert [entry.label for entry in chart.legend] == ["2024-01"]
    assert curves(points("2024-02", 10), EN) is None
    assert curves([], EN) is None
