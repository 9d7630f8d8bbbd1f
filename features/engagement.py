"""Engagement: how much customers look at the shop and the brand's content, and whether it leads anywhere."""

from __future__ import annotations

import ibis.expr.types as ir

from features.aggregates import before, count, per_customer, within
from features.asof import AsOf
from features.catalog import Family, Group, Indicator, Lookbacks
from features.orders import purchases

REASONS = {
    "content_views": ("interest in the brand's content", "intérêt pour les contenus de la marque"),
    "last_visit": ("time since the last visit", "temps depuis la dernière visite"),
    "visits": ("more or fewer visits than before", "plus ou moins de visites qu'avant"),
    "hesitation": ("looking without ordering", "visites sans commande"),
    "wish_list": ("wish list", "liste d'envies"),
}

INDICATORS = (
    Indicator(
        name="content_views_{days}d",
        reason="content_views",
        unit="count",
        direction="lower",
        null="never: 0 where nothing was read",
        told_by=("content_views.kind=content",),
        en="{value|look|looks} at the brand's content in the last {days} days",
        fr="{value|contenu consulté|contenus consultés} ces {days} derniers jours",
        per_lookback=True,
    ),
    Indicator(
        name="content_views_change_{days}d",
        reason="content_views",
        unit="change",
        direction="lower",
        null="never: 0 where nothing changed",
        told_by=("content_views.kind=content",),
        en="{value|look|looks} at the brand's content than in the {days} days before",
        fr="{value|contenu consulté|contenus consultés} que pendant les {days} jours précédents",
        per_lookback=True,
    ),
    Indicator(
        name="brand_days_{days}d",
        reason="visits",
        unit="count",
        direction="lower",
        null="never: 0 where the customer was not seen",
        en="seen on {value|day|days} of the last {days}",
        fr="vu {value|jour|jours} au cours des {days} derniers",
        per_lookback=True,
        silence_of="visits",
    ),
    Indicator(
        name="visits_change_{days}d",
        reason="visits",
        unit="change",
        direction="lower",
        null="never: 0 where nothing changed",
        told_by=("content_views.kind=visit",),
        en="{value|visit|visits} than in the {days} days before",
        fr="{value|visite|visites} que pendant les {days} jours précédents",
        per_lookback=True,
    ),
    Indicator(
        name="days_since_last_visit",
        reason="last_visit",
        unit="days",
        direction="higher",
        null="never seen in the shop or at the content",
        en="last seen {value} ago",
        fr="vu pour la dernière fois il y a {value}",
        en_null="never seen in the shop or at the brand's content",
        fr_null="jamais vu dans la boutique ni sur les contenus de la marque",
        null_is_risk=True,
        silence_of="visits",
    ),
    Indicator(
        name="baskets_left_{days}d",
        reason="hesitation",
        unit="count",
        direction="higher",
        null="never: 0 where no basket was left",
        told_by=("content_views.kind=basket_left",),
        en="{value|basket|baskets} left behind in the last {days} days",
        fr="{value|panier abandonné|paniers abandonnés} ces {days} derniers jours",
        per_lookback=True,
    ),
    Indicator(
        name="wish_list_adds_{days}d",
        reason="wish_list",
        unit="count",
        direction="lower",
        null="never: 0 where nothing was wished for",
        told_by=("content_views.kind=wish_list",),
        en="{value|article|articles} put on the wish list in the last {days} days",
        fr="{value|article ajouté|articles ajoutés} à la liste d'envies ces {days} derniers jours",
        per_lookback=True,
    ),
)

WITHOUT_ORDER = (
    Indicator(
        name="visits_without_order_{days}d",
        reason="hesitation",
        unit="count",
        direction="higher",
        null="never: 0 where every visit led to an order, or there was none",
        told_by=("content_views.kind=visit",),
        en="{value|day|days} with a visit but no order in the last {days} days",
        fr="{value|jour|jours} de visite sans commande ces {days} derniers jours",
        per_lookback=True,
    ),
)


def compute(view: AsOf, cohort: ir.Table, lookbacks: Lookbacks) -> ir.Table:
    """Views of every kind, by customer."""
    views = view["content_views"]
    age, read, visit = view.days_since(views.viewed_on), views.kind == "content", views.kind == "visit"
    columns: dict[str, ir.Value] = {"days_since_last_visit": age.min()}
    for days in lookbacks.lookback_days:
        recent, earlier = within(age, days), before(age, days)
        columns |= {
            f"content_views_{days}d": count(read & recent),
            f"content_views_change_{days}d": count(read & recent) - count(read & earlier),
            f"brand_days_{days}d": views.viewed_on.nunique(where=recent),
            f"visits_change_{days}d": count(visit & recent) - count(visit & earlier),
            f"baskets_left_{days}d": count((views.kind == "basket_left") & recent),
            f"wish_list_adds_{days}d": count((views.kind == "wish_list") & recent),
        }
    return per_customer(cohort, views.group_by("customer_id").agg(**columns))


def without_order(view: AsOf, cohort: ir.Table, lookbacks: Lookbacks) -> ir.Table:
    """Days of visits on which the customer ordered nothing."""
    views, orders = view["content_views"], purchases(view)
    visits = views.filter(views.kind == "visit").select("customer_id", "viewed_on").distinct()
    ordered = orders.select("customer_id", viewed_on="ordered_on").distinct()
    idle = visits.anti_join(ordered, ["customer_id", "viewed_on"])
    age = view.days_since(idle.viewed_on)
    columns = {f"visits_without_order_{days}d": count(within(age, days)) for days in lookbacks.lookback_days}
    return per_customer(cohort, idle.group_by("customer_id").agg(**columns))


FAMILY = Family(
    name="engagement",
    reasons=REASONS,
    groups=(
        Group(needs=("content_views",), indicators=INDICATORS, compute=compute),
        Group(needs=("content_views", "orders|order_lines"), indicators=WITHOUT_ORDER, compute=without_order),
    ),
)
