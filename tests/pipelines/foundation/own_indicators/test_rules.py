"""Each demand on a catalog entry, by an entry that breaks it; ours are held to it in tests/features/test_catalog.py."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import ibis
import ibis.expr.types as ir
import pytest

from features.asof import AsOf
from features.catalog import Family, Group, Indicator, Lookbacks
from features.training_set import FAMILIES
from pipelines.foundation.own_indicators.rules import empty_view, faults, table_faults

LOOKBACKS = Lookbacks(lookback_days=(30, 90), horizon_days=60)
VISITS = Indicator(
    name="visits_{days}d",
    reason="visit_frequency",
    unit="count",
    direction="lower",
    null="never: 0 where nobody came",
    en="{value|visit|visits} in the last {days} days",
    fr="{value|visite|visites} ces {days} derniers jours",
    told_by=("orders.amount",),
    per_lookback=True,
)
TIRED = Indicator(
    name="is_tired",
    reason="visit_frequency",
    unit="flag",
    direction="higher",
    null="no visit so far",
    en="is tired",
    fr="est fatigué",
    en_null="no visit so far",
    fr_null="aucune visite",
    en_no="is not tired",
    fr_no="n'est pas fatigué",
)


def compute(view: AsOf, cohort: ir.Table, lookbacks: Lookbacks) -> ir.Table:
    columns = {f"visits_{days}d": ibis.literal(1) for days in lookbacks.lookback_days}
    return cohort.mutate(**columns, is_tired=ibis.literal(1))


GROUP = Group(needs=("orders",), indicators=(VISITS, TIRED), compute=compute)
FAMILY = Family(name="visiting", reasons={"visit_frequency": ("visits", "visites")}, groups=(GROUP,))


def family(each: Indicator = VISITS, **changed: Any) -> Family:
    return replace(FAMILY, groups=(replace(GROUP, indicators=(replace(each, **changed),)),))


def test_an_entry_like_ours_has_no_fault() -> None:
    assert faults([FAMILY], LOOKBACKS, beside=FAMILIES) == []


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"unit": "counts"}, "there is no unit 'counts'; take one of count, "),
        ({"direction": "up"}, "there is no direction 'up'; take one of higher, lower, either"),
        ({"reason": "visit_frequenzy"}, "in the reasons of family visiting. Did you mean 'visit_frequency'?"),
        ({"name": "Visits {days}"}, "the name must be small letters"),
        ({"name": "v" * 70 + "{days}"}, "at most 60"),
        ({"name": "visits"}, "per_lookback = True and {days} in the name go together"),
        ({"per_lookback": False}, "per_lookback = True and {days} in the name go together"),
        ({"per_lookback": False, "name": "visits"}, "en has the placeholder {days}; it may have "),
        ({"fr": ""}, "fr is empty; say it"),
        ({"null": " "}, "null is empty; say it"),
        ({"fr": "des visites ces {days} derniers jours"}, "different placeholders: {days}, {value} and {days}"),
        ({"en": "{valeu} visits in {days}", "fr": "{valeu} visites {days}"}, "en has the placeholder {valeu}"),
        ({"en": "{value|visit} in {days}"}, "en has a brace that opens or closes no placeholder"),
        ({"en": "{value} visits\nin {days}"}, "en holds a control character"),
        ({"null": "no visit"}, "en_null and fr_null say an empty value: needed unless null begins with"),
        ({"en_null": "none", "fr_null": "aucune"}, "and only then"),
        ({"null": "no visit", "en_null": "none"}, "en_null and fr_null are needed together"),
        ({"null": "no", "en_null": "{value}", "fr_null": "{value}"}, "en_null has a placeholder beside {days}"),
        ({"en_no": "no", "fr_no": "non"}, "en_no and fr_no say a flag that is 0"),
        ({"told_by": ("orders.amuont",)}, "there is no such column. Did you mean 'amount'?"),
        ({"told_by": ("order.amount",)}, "Did you mean 'orders'?"),
        ({"told_by": ("usage.feature",)}, "told_by names 'usage.feature', and needs does not ask for its table"),
        (
            {"told_by": ("content_views.kind=vist",)},
            "told_by names 'content_views.kind=vist', and a kind is one of content, visit, wish_list, basket_left",
        ),
        ({"told_by": "orders.amount"}, "told_by must be a tuple of texts"),
        ({"en": None}, "en must be a text"),
        ({"neutral": "1"}, "neutral must be a number or None"),
    ],
)  # fmt: skip
def test_an_entry_that_breaks_a_demand_is_told_by_name(changed: dict[str, Any], said: str) -> None:
    told = faults([family(**changed)], LOOKBACKS)
    assert any(said in each for each in told), told
    assert all(each.startswith(f"indicator {changed.get('name', VISITS.name)}: ") for each in told)


def test_a_flag_needs_words_for_0() -> None:
    assert "needed for the unit flag" in faults([family(TIRED, en_no="", fr_no="")], LOOKBACKS)[0]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"name": "Visiting us"}, "family 'Visiting us': the name must be small letters"),
        ({"reasons": {"visit_frequency": ("visits",)}}, "it needs its label in both languages"),
        ({"reasons": {"visit_frequency": ("visits", "")}}, "reason code visit_frequency: it needs its label in both"),
        ({"reasons": {"Visits": ("a", "b")}}, "reason code 'Visits': it must be small letters"),
        ({"groups": ()}, "family visiting: it has no group"),
        ({"groups": (replace(GROUP, needs=()),)}, "tuples that are not empty"),
        ({"groups": (replace(GROUP, needs=("order",)),)}, "there is no such table. Did you mean 'orders'?"),
        ({"groups": (replace(GROUP, compute=None),)}, "compute of a group is no function"),  # type: ignore[arg-type]
        ({"groups": ("x",)}, "each group is a Group"),
        ({"groups": (replace(GROUP, indicators=("x",)),)}, "is no Indicator with a name"),  # type: ignore[arg-type]
    ],
)
def test_a_family_or_group_that_breaks_a_demand_is_told(changed: dict[str, Any], said: str) -> None:
    told = faults([replace(FAMILY, **changed)], LOOKBACKS)
    assert any(said in each for each in told), told


@pytest.mark.parametrize(
    ("own", "said"),
    [
        (family(name="orders_{days}d"), "indicator orders_{days}d: there is an indicator of that name already"),
        (
            family(TIRED, name="orders_30d"),
            "indicator orders_30d: there is an indicator of that name already",
        ),
        (family(TIRED, name="orders_31d"), "indicator orders_31d: there is an indicator of that name already"),
        (family(TIRED, name="happened"), "indicator happened: the name stands for something else in every model"),
        (replace(FAMILY, name="support"), "family support: there is a family, or reason code, of that name"),
        (replace(FAMILY, name="support_speed"), "family support_speed: there is a family, or reason code, of that"),
        (
            replace(FAMILY, reasons={**FAMILY.reasons, "support_speed": ("a", "b")}),
            "reason code support_speed: there is a code, or family, of that name already",
        ),
        (
            replace(FAMILY, groups=(GROUP, GROUP)),
            "indicator visits_{days}d: there is an indicator of that name already",
        ),
    ],
)
def test_names_that_are_taken_are_refused(own: Family, said: str) -> None:
    told = faults([own], LOOKBACKS, beside=FAMILIES)
    assert any(each.startswith(said) for each in told), told


def test_two_families_may_not_share_names_either() -> None:
    assert faults([FAMILY, FAMILY], LOOKBACKS)[0].startswith("family visiting: there is a family")


def test_a_table_has_exactly_the_columns_that_are_declared_of_types_that_fit() -> None:
    everybody = ibis.table({"customer_id": "string"}, name="everybody")
    right = compute(AsOf(ibis.literal(None, type="date"), {}), everybody, LOOKBACKS)
    assert table_faults(GROUP, right, LOOKBACKS) == []
    assert table_faults(GROUP, None, LOOKBACKS) == [
        "compute returns no Ibis table; return one with customer_id and a column per indicator"
    ]
    assert table_faults(GROUP, right.drop("visits_90d"), LOOKBACKS) == [
        "compute returns no column 'visits_90d'; add it"
    ]
    assert table_faults(GROUP, right.mutate(vists=1), LOOKBACKS) == [
        "compute returns a column 'vists' that no indicator declares; declare or drop it"
    ]
    for kind, cast in (("boolean", "int64"), ("decimal(18, 4)", "float64"), ("string", "int64")):
        (told,) = table_faults(GROUP, right.mutate(is_tired=ibis.null(kind)), LOOKBACKS)
        assert told.startswith("compute returns 'is_tired' as ")
        assert told.endswith(f'its unit wants .cast("{cast}")')
    text = replace(GROUP, indicators=(replace(TIRED, unit="category"), VISITS))
    assert table_faults(text, right, LOOKBACKS) == [
        "compute returns 'is_tired' as int8; its unit wants .cast(\"string\")"
    ]


def test_a_view_without_rows_has_the_columns_of_the_contracts() -> None:
    assert "ordered_at" in empty_view(["orders"])["orders"].columns
