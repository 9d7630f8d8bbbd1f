"""The report's section on monitoring, in both languages, from literal documents."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pipelines.foundation.wording.numbers import Language
from pipelines.report.data import ReportData
from pipelines.report.page import render
from tests.pipelines.operations.monitoring.document_case import document, indicator, run
from tests.pipelines.report.test_page import Page, report

DRIFT = "chart-monitoring-drift"
REALISED = [
    "chart-monitoring-roc-auc",
    "chart-monitoring-log-loss",
    "chart-monitoring-calibration-slope",
    "chart-monitoring-observed-over-expected",
]
MOVED = [indicator("net_amount_30d", "purchases", drifted=["values"], distance=0.93, usual=0.04, limit=0.15)]


def monitored(language: Language, *documents: dict[str, Any]) -> ReportData:
    return replace(report(language), monitoring=documents)


def section_of(page: str) -> str:
    return page[page.index('<section id="monitoring">') : page.index('<section id="customers">')]


def days(**newest: Any) -> tuple[dict[str, Any], ...]:
    before = document("2024-07-29")
    last = {"matured": [run("2024-05-01"), run("2024-05-29", observed_over_expected=0.9)]} | newest
    return before, document("2024-08-05", **last)


def test_every_chart_has_a_text_with_its_figures() -> None:
    whole = render(monitored("en", *days()))
    page = Page(section_of(whole))
    assert page.figures() == [DRIFT, *REALISED]
    for tag, attributes in page.tags:
        if tag == "figure":
            assert attributes["role"] == "img"
            assert any(letter.isdigit() for letter in attributes["aria-label"] or "")
    assert "what moved most did so by 70% of what would be news; the limit was passed on 0 of 2 days" in page.text
    assert "On 29 May 2024 it is 0.900, with an interval from 0.700 to 1.250." in page.text.replace("\u00a0", " ")
    assert "Nothing stood out." in page.text
    assert 'href="#monitoring"' in whole
    assert len(Page(whole).ids()) == len(set(Page(whole).ids()))


def test_what_came_of_scores_stands_with_and_without_those_treated() -> None:
    text = Page(section_of(render(monitored("en", *days())))).text
    assert "29 May 24 300 280 30 31.5 0.750 0.740" in text.replace("\u00a0", " ")
    assert "Nobody was set aside" in text


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", ("net_amount_30d is 0.93 away", "Time to train again: data are no longer")),
        ("fr", ("net_amount_30d s\u2019en écarte de 0,93", "Il est temps d\u2019entraîner à nouveau")),
    ],
)
def test_alerts_are_told_in_the_language_of_the_page(language: Language, said: tuple[str, ...]) -> None:
    drift = {"indicators": MOVED, "statistic": 3.2, "p_value": 0.001}
    text = Page(section_of(render(monitored(language, *days(drift=drift))))).text
    for part in said:
        assert part in text


def test_where_nothing_has_matured_and_drift_is_unknown_that_is_said() -> None:
    unknown = {"statistic": None, "threshold": None, "p_value": "unknown", "reason": "too few", "scores": None}
    page = Page(section_of(render(monitored("en", document(drift=unknown | {"indicators": []})))))
    assert page.figures() == []
    assert "No outcome of a delivered score is known yet" in page.text
    assert "cannot be told yet" in page.text


def test_days_judged_with_hindsight_are_left_out_and_counted() -> None:
    runs = [run("2024-03-01", hindsight=True), run("2024-05-29")]
    page = Page(section_of(render(monitored("en", document(matured=runs)))))
    assert "One scored day is left out" in page.text
    assert "1 Mar 24" not in page.text.replace("\u00a0", " ")


def test_a_figure_that_could_not_be_computed_leaves_its_chart_out() -> None:
    none = {"intervals": {"observed_over_expected": [0.7, 1.2]}, "roc_auc": None, "log_loss": None}
    runs = [run("2024-05-29", calibration_slope=None, **none)]
    assert Page(section_of(render(monitored("en", document(matured=runs))))).figures() == [DRIFT, REALISED[-1]]


def test_without_monitoring_there_is_no_section_and_no_way_to_it() -> None:
    page = render(report("en"))
    assert 'id="monitoring"' not in page
    assert 'href="#monitoring"' not in page


def test_by_whom_the_model_was_judged_is_said_where_plays_were_recommended() -> None:
    plain = run("2024-05-29")
    held = {"holdout": plain["untreated"], "judged_on": "holdout", "recommended": 90, "held_out": 30}
    text = Page(section_of(render(monitored("en", document(matured=[plain | held]))))).text.replace("\u00a0", " ")
    assert "recommended for 90 customers; 30 held out stand for them" in text
    assert "ROC AUC 0.740" in text
    few = {"holdout": None, "recommended": 90, "held_out": 3}
    text = Page(section_of(render(monitored("en", document(matured=[plain | few]))))).text.replace("\u00a0", " ")
    assert "the 3 held out are too few, or too few of them left, to stand for them" in text
    assert "Nobody was set aside" not in text
