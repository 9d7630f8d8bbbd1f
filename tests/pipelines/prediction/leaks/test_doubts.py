"""What is found of columns stops a promotion, in words, unless a column is trusted by name."""

from __future__ import annotations

from typing import Any

import pytest

from pipelines.prediction.leaks.doubts import Doubts, doubts_in

TIER = {"check": "only_the_departed", "table": "customers", "column": "value_tier", "evidence": "all who had it left"}
PRICE = {"check": "foretells", "table": None, "column": "price_over_competitors", "evidence": "it tells who leaves"}


def document(*findings: dict[str, Any], untold: tuple[str, ...] = ()) -> dict[str, Any]:
    return {"customers": 9, "departures": 3, "columns": 4, "findings": list(findings), "untold": list(untold)}


def test_a_doubted_column_stops_promotion_with_evidence_remedy_and_how_to_overrule() -> None:
    verdict = doubts_in(document(TIER), ()).verdict
    assert verdict is not None
    assert not verdict.promote
    assert verdict.reason.startswith("customers.value_tier seems to know the future: all who had it left; remedy: it")
    assert "training.trusted_columns" in verdict.reason


def test_nothing_found_leaves_the_decision_to_others() -> None:
    assert doubts_in(document(untold=("too few",)), ()).verdict is None
    assert doubts_in(document(untold=("too few",)), ()).untold == ("too few",)


@pytest.mark.parametrize(
    ("trusted", "doubted", "overruled"),
    [
        ((), ("customers.value_tier", "price_over_competitors"), ()),
        (("customers.value_tier",), ("price_over_competitors",), ("customers.value_tier",)),
        (("price_over_competitors", "customers.value_tier"), (), ("customers.value_tier", "price_over_competitors")),
        (("customers.country",), ("customers.value_tier", "price_over_competitors"), ()),
    ],
)
def test_a_column_is_trusted_by_its_name(
    trusted: tuple[str, ...], doubted: tuple[str, ...], overruled: tuple[str, ...]
) -> None:
    found = doubts_in(document(TIER, PRICE), trusted)
    assert (found.names, found.trusted) == (doubted, overruled)
    assert (found.verdict is None) is (doubted == ())


def test_of_many_columns_the_first_are_told_in_full() -> None:
    many = [{**TIER, "column": f"column_{number}"} for number in range(5)]
    reason = doubts_in(document(*many), ()).in_words
    assert reason.count("seems to know the future") == 3
    assert "so do customers.column_3, customers.column_4 (`attrition audit` says why)" in reason


def test_a_column_that_no_indicator_reads_stops_nothing() -> None:
    gender = {**TIER, "column": "gender"}
    assert doubts_in(document(gender), (), unread=("customers.gender",)).verdict is None
    assert doubts_in(document(gender), ()).names == ("customers.gender",)


def test_what_is_kept_has_findings_with_their_remedies() -> None:
    record = doubts_in(document(TIER, PRICE, untold=("too few",)), ("price_over_competitors",)).record
    assert [each["column"] for each in record["findings"]] == ["value_tier"]
    assert record["findings"][0]["remedy"].startswith("it was filled in")
    assert record["trusted"] == ["price_over_competitors"]
    assert record["untold"] == ["too few"]
    assert Doubts((), (), ()).record == {"findings": [], "trusted": [], "untold": []}
