"""Profile: who the customer is to the company."""

from __future__ import annotations

import ibis.expr.types as ir

from features.aggregates import per_customer
from features.asof import AsOf
from features.catalog import Family, Group, Indicator, Lookbacks

REASONS = {
    "country": ("country", "pays"),
    "acquisition_channel": ("how the customer was won", "canal d'acquisition"),
    "value_tier": ("class of value", "classe de valeur"),
    "signup": ("time of signing up", "date d'inscription"),
    "age_and_gender": ("age and gender", "âge et genre"),
}


def _category(name: str, reason: str, en: str, fr: str, *, en_null: str = "", personal: bool = False) -> Indicator:
    return Indicator(
        name=name,
        reason=reason,
        unit="category",
        direction="either",
        null="not recorded",
        en=f"{en}: {{value}}",
        fr=f"{fr} : {{value}}",
        en_null=f"{en_null or en} not recorded",
        fr_null=f"{fr} non renseigné",
        personal=personal,
    )


INDICATORS = (
    _category("country", "country", "country", "pays"),
    _category(
        "acquisition_channel",
        "acquisition_channel",
        "won through",
        "canal d'acquisition",
        en_null="how the customer was won is",
    ),
    _category("value_tier", "value_tier", "class of value", "classe de valeur"),
    _category("signup_cohort", "signup", "signed up in", "mois d'inscription", en_null="month of signing up"),
    Indicator(
        name="days_since_signup",
        reason="signup",
        unit="days",
        direction="lower",
        null="not recorded",
        en="signed up {value} ago",
        fr="inscrit il y a {value}",
        en_null="time of signing up not recorded",
        fr_null="date d'inscription non renseignée",
    ),
    Indicator(
        name="age_years",
        reason="age_and_gender",
        unit="count",
        direction="either",
        null="not recorded",
        en="{value|year|years} old",
        fr="âge : {value|an|ans}",
        en_null="age not recorded",
        fr_null="âge non renseigné",
        personal=True,
    ),
    _category("gender", "age_and_gender", "gender", "genre", personal=True),
)


def compute(view: AsOf, cohort: ir.Table, lookbacks: Lookbacks) -> ir.Table:  # noqa: ARG001 - as it is known, whatever the spans
    """Every indicator above, from the last version of the customer that was known."""
    customers = view["customers"]
    return per_customer(
        cohort,
        customers.select(
            "customer_id",
            "country",
            "acquisition_channel",
            "value_tier",
            "gender",
            signup_cohort=customers.signed_up_on.cast("string").substr(0, 7),
            days_since_signup=view.days_since(customers.signed_up_on),
            age_years=_age(view, customers.born_on),
        ),
    )


def _age(view: AsOf, born: ir.DateColumn) -> ir.IntegerColumn:
    """Completed years, as people count them."""
    today = view.today
    still_to_come = born.month() * 100 + born.day() > today.month() * 100 + today.day()
    return (today.year() - born.year() - still_to_come.ifelse(1, 0)).cast("int64")


FAMILY = Family(
    name="profile",
    reasons=REASONS,
    groups=(Group(needs=("customers",), indicators=INDICATORS, compute=compute),),
)
