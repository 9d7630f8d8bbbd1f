from __future__ import annotations

from typing import Any

import pytest

from pipelines.foundation.wording.words import Words
from pipelines.operations.monitoring.alerts import Alert, alerts, retrain
from tests.pipelines.operations.monitoring.document_case import SCORES, document, indicator, run

EN, FR = Words("en"), Words("fr")
UNSEEN = {"customers": 120, "share": 0.4, "commonest": ["Teams", "Pro"]}
NO_ORDERS = {
    "table": "orders", "span_days": 28, "rows": 0, "usual": 700.0, "spans": 25, "unusual": True, "stopped": True,
}  # fmt: skip
FEWER = NO_ORDERS | {"table": "cohort", "span_days": None, "rows": 40, "usual": 300.0}
SILENT = {
    "table": "orders", "newest": "2024-07-20", "days_since": 16, "longest_pause": 2, "pauses": 700, "late": True,
}  # fmt: skip
WORSE = {
    "clearly_worse": ["observed_over_expected", "log_loss"],
    "log_loss": 0.4,
    "intervals": {"log_loss": [0.35, 0.45], "observed_over_expected": [1.5, 2.1]},
    "observed_over_expected": 1.8,
}


def told(**changes: Any) -> list[Alert]:
    return alerts(document(**changes), EN)


def test_a_quiet_day_has_nothing_to_tell_and_no_reason_to_train() -> None:
    quiet = document(matured=[run("2024-05-01")])
    assert alerts(quiet, EN) == []
    assert retrain(quiet, EN) == []


def test_each_family_that_drifted_is_one_alert_with_its_figures() -> None:
    moved = [
        indicator("net_amount_30d", "purchases", drifted=["values"], distance=0.93, usual=0.04, limit=0.15),
        *(indicator(f"orders_{days}d", "purchases", drifted=["values"]) for days in (7, 30, 90)),
        indicator("rating_30d", "satisfaction", drifted=["nulls", "values"], missing=1.0, missing_before=0.031),
        indicator("plan", "profile", drifted=["unseen"], unseen=UNSEEN),
    ]
    purchases, satisfaction, profile = told(drift={"indicators": moved})
    assert {each.check for each in (purchases, satisfaction, profile)} == {"drift"}
    assert "net_amount_30d is 0.93 away (usually 0.04, limit 0.15)" in purchases.evidence
    assert purchases.evidence.endswith("and one more")
    assert satisfaction.evidence == "rating_30d is empty for 100.0%, before 3.1%"
    assert profile.evidence == ("plan has values that the model never saw for 120 customers (40.0%): Teams, Pro")


def test_scores_that_drifted_are_an_alert_of_their_own() -> None:
    (alert,) = told(drift={"scores": SCORES | {"drifted": ["values"], "distance": 0.6}})
    assert alert.check == "scores"
    assert alert.evidence == "they are 0.60 away (usually 0.10, limit 0.40)"


def test_what_stopped_and_what_is_late_is_told_by_table() -> None:
    volume, cohort, freshness = told(volume=[NO_ORDERS, FEWER], freshness=[SILENT])
    assert volume.what == "orders: 0 rows became known in the last 28 days"
    assert volume.evidence == "700 in such a span before, and in 25 spans never none"
    assert cohort.what == "40 customers are at risk"
    assert cohort.evidence.startswith("300 on 10\u00a0June 2024, and by how their number moved before")
    assert freshness.what == "orders: no news for 16 days"
    assert "among 700 pauses the longest took 2 days" in freshness.evidence


def test_evidence_claims_no_more_than_was_judged() -> None:
    """An earlier span may have been as far off; those at risk are held against the day that today is compared with."""
    fewer, nobody = told(volume=[NO_ORDERS | {"stopped": False}, FEWER | {"rows": 0, "unusual": False}])
    assert fewer.evidence == "700 in such a span before, and by 25 spans before it no such change was to be expected"
    assert nobody.evidence == "300 on 10\u00a0June 2024"


def test_scores_that_turned_out_worse_are_told_with_interval_and_promise() -> None:
    found = document(matured=[run("2024-05-01"), run("2024-05-29", **WORSE)])
    (alert,) = alerts(found, EN)
    assert alert.check == "quality"
    assert "the scores of 29\u00a0May 2024" in alert.what
    assert "log loss 0.400 (95% from 0.350 to 0.450) against 0.270" in alert.evidence
    assert "outcomes over those expected 1.800 (95% from 1.500 to 2.100) against 1.000" in alert.evidence
    assert "attrition train" in alert.remedy
    assert retrain(found, EN) == ["the scores of 29\u00a0May 2024 turned out clearly worse than promised"]


def test_a_worse_model_that_was_replaced_is_no_reason_to_train_again() -> None:
    found = document(matured=[run("2024-05-29", model_version="another", **WORSE)])
    assert "another model has taken its place" in alerts(found, EN)[0].remedy
    assert retrain(found, EN) == []


@pytest.mark.parametrize("hindsight", [True, False])
def test_only_the_newest_scored_day_that_can_be_judged_counts(hindsight: bool) -> None:
    days = [run("2024-05-29", **WORSE), run("2024-06-01", hindsight=hindsight)]
    assert bool(alerts(document(matured=days), EN)) == hindsight


def test_drift_and_age_are_reasons_to_train_again() -> None:
    champion = {"learned_until": "2024-04-10", "age_days": 117, "retrain_after_days": 90}
    moved = [indicator("orders_30d", "purchases", drifted=["values"])]
    data, age = retrain(document(champion=champion, drift={"indicators": moved}), EN)
    assert data == "data are no longer as the champion knew them"
    assert age.startswith("the champion learned from outcomes until 10\u00a0April 2024, 117 days ago")


def test_every_alert_is_told_in_french_as_well() -> None:
    moved = [indicator("plan", "profile", drifted=[part], unseen=UNSEEN) for part in ("values", "nulls", "unseen")]
    found = document(
        drift={"indicators": moved, "scores": SCORES | {"drifted": ["values"]}},
        volume=[NO_ORDERS, FEWER],
        freshness=[SILENT],
        matured=[run("2024-05-29", **WORSE)],
    )
    english, french = alerts(found, EN), alerts(found, FR)
    assert [each.check for each in english] == [each.check for each in french]
    assert not {each.what for each in english} & {each.what for each in french}
    assert "jamais vues par le modèle pour 120 clients" in french[0].evidence


def test_where_the_holdout_was_judged_its_figures_are_told() -> None:
    alone = run("2024-05-29")
    held = {**alone, "log_loss": 0.4, "intervals": alone["intervals"] | {"log_loss": [0.36, 0.44]}}
    judged = run("2024-05-29", clearly_worse=["log_loss"], judged_on="holdout", holdout=held)
    (alert,) = alerts(document(matured=[judged]), Words("en"))
    assert "0.4" in alert.evidence
    assert "0.36" in alert.evidence
    assert "0.28" not in alert.evidence
