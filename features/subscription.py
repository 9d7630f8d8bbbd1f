"""Subscription: what customers are bound by, for how long, and which way it has been moving."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from features.aggregates import count, flag, newest, per_customer, ratio, real, within
from features.asof import AsOf
from features.catalog import Family, Group, Indicator, Lookbacks
from features.subscriptions import changes, months_until, running

REASONS = {
    "subscription_size": ("size of the subscription", "taille de l'abonnement"),
    "renewal": ("renewal coming up", "échéance de renouvellement"),
    "subscription_age": ("age of the subscription", "ancienneté de l'abonnement"),
    "downgrades": ("moves to a smaller subscription", "réductions d'abonnement"),
    "upgrades": ("moves to a larger subscription", "extensions d'abonnement"),
    "pauses": ("paused subscription", "abonnement en pause"),
}

TERMS = (
    Indicator(
        name="mrr",
        reason="subscription_size",
        unit="money",
        direction="either",
        null="no running subscription, or no price of any is recorded",
        en="{value} a month",
        fr="{value} par mois",
        en_null="no running subscription with a known price",
        fr_null="aucun abonnement en cours dont le prix est connu",
    ),
    Indicator(
        name="seats_paid",
        reason="subscription_size",
        unit="count",
        direction="lower",
        null="nothing sold by seat",
        en="pays for {value|seat|seats}",
        fr="paie {value|place|places}",
        en_null="no subscription sold by seat",
        fr_null="aucun abonnement vendu à la place",
    ),
    Indicator(
        name="plan_rank",
        reason="subscription_size",
        unit="share",
        direction="either",
        null="no running subscription, no plan is known, or nobody's price of it",
        en="on a plan dearer than {value} of the other plans",
        fr="sur une formule plus chère que {value} des autres formules",
        en_null="on no plan with a known price",
        fr_null="sur aucune formule dont le prix est connu",
    ),
    Indicator(
        name="subscriptions_running",
        reason="subscription_size",
        unit="count",
        direction="lower",
        null="never: 0 where none runs",
        en="{value|running subscription|running subscriptions}",
        fr="{value|abonnement en cours|abonnements en cours}",
    ),
    Indicator(
        name="months_to_renewal",
        reason="renewal",
        unit="ratio",
        direction="lower",
        null="no fixed term",
        told_by=("subscriptions.renews_at",),
        en="{value} months until the renewal",
        fr="{value} mois avant le renouvellement",
        en_null="no fixed term, can leave at any time",
        fr_null="sans engagement, peut partir à tout moment",
        null_is_risk=True,
    ),
    Indicator(
        name="auto_renew_off",
        reason="renewal",
        unit="flag",
        direction="higher",
        null="no running subscription",
        told_by=("subscriptions.auto_renew",),
        en="automatic renewal is off",
        fr="renouvellement automatique désactivé",
        en_no="automatic renewal is on",
        fr_no="renouvellement automatique actif",
        en_null="no running subscription",
        fr_null="aucun abonnement en cours",
    ),
    Indicator(
        name="days_since_term_start",
        reason="renewal",
        unit="days",
        direction="either",
        null="no running subscription",
        en="current term began {value} ago",
        fr="période en cours commencée il y a {value}",
        en_null="no running subscription",
        fr_null="aucun abonnement en cours",
    ),
    Indicator(
        name="subscription_age_days",
        reason="subscription_age",
        unit="days",
        direction="lower",
        null="no running subscription",
        en="subscriber for {value}",
        fr="abonné depuis {value}",
        en_null="no running subscription",
        fr_null="aucun abonnement en cours",
    ),
)

# Where no such change was ever exported, there may well have been some.
MOVED = (
    "subscription_changes.kind=plan|subscription_changes.kind=seats",
    "subscription_changes.mrr_before",
    "subscription_changes.mrr_after",
)

CHANGES = (
    Indicator(
        name="downgrades_{days}d",
        reason="downgrades",
        unit="count",
        direction="higher",
        null="never: 0 where nothing was reduced",
        told_by=MOVED,
        en="{value|move|moves} to a smaller subscription in the last {days} days",
        fr="{value|réduction d'abonnement|réductions d'abonnement} ces {days} derniers jours",
        per_lookback=True,
    ),
    Indicator(
        name="upgrades_{days}d",
        reason="upgrades",
        unit="count",
        direction="lower",
        null="never: 0 where nothing was added",
        told_by=MOVED,
        en="{value|move|moves} to a larger subscription in the last {days} days",
        fr="{value|extension d'abonnement|extensions d'abonnement} ces {days} derniers jours",
        per_lookback=True,
    ),
    Indicator(
        name="pauses_{days}d",
        reason="pauses",
        unit="count",
        direction="higher",
        null="never: 0 where nothing was paused",
        told_by=("subscription_changes.kind=pause",),
        en="paused {value|time|times} in the last {days} days",
        fr="{value|mise|mises} en pause ces {days} derniers jours",
        per_lookback=True,
    ),
)

PAUSED = (
    Indicator(
        name="paused",
        reason="pauses",
        unit="flag",
        direction="higher",
        null="never: 0 where nothing is paused",
        told_by=("subscription_changes.kind=pause",),
        en="a subscription is paused",
        fr="un abonnement est en pause",
        en_no="no subscription is paused",
        fr_no="aucun abonnement en pause",
    ),
)


def terms(view: AsOf, cohort: ir.Table, lookbacks: Lookbacks) -> ir.Table:  # noqa: ARG001 - as things stand, whatever the spans
    """Subscriptions that run."""
    table = running(view)
    to_renewal = months_until(view, table.renews_on)
    counted = table.group_by("customer_id").agg(
        mrr=real(table.mrr.sum()),
        seats_paid=table.seats.sum().cast("int64"),
        subscriptions_running=table.count().cast("int64"),
        months_to_renewal=to_renewal.min(where=to_renewal >= 0),
        auto_renew_off=(~table.auto_renew).ifelse(1, 0).max().cast("int64"),
        days_since_term_start=view.days_since(table.term_started_on).min(),
        subscription_age_days=view.days_since(table.started_on).max(),
    )
    return per_customer(cohort, counted, _ranks(table))


def _ranks(subscriptions: ir.Table) -> ir.Table:
    """The dearest plan of each customer: the share of the other plans in use that are cheaper, by mean per seat."""
    table = subscriptions.filter(subscriptions.plan.notnull(), subscriptions.mrr.notnull())
    # Money per seat is no exact decimal; in thousandths of the smallest unit its sum is.
    per_seat = (real(table.mrr) / real(ibis.greatest(table.seats.fill_null(1), 1)) * 1e6).round().cast("int64")
    table = table.mutate(per_seat=per_seat)
    plans = table.group_by("plan").agg(price=ratio(table.per_seat.sum(), table.count()))
    ranked = plans.mutate(cheaper=ibis.rank().over(order_by="price"), plans=plans.count().over(ibis.window()))
    ranked = ranked.select(
        ranked_plan="plan", plan_rank=ibis.coalesce(ratio(ranked.cheaper, ranked.plans - 1), ibis.literal(0.0))
    )
    mine = subscriptions.inner_join(ranked, subscriptions.plan == ranked.ranked_plan)
    return mine.group_by("customer_id").agg(plan_rank=mine.plan_rank.max())


def moves(view: AsOf, cohort: ir.Table, lookbacks: Lookbacks) -> ir.Table:
    """Changes that made subscriptions larger, smaller or still."""
    table = changes(view, "plan", "seats", "pause")
    paused = table.kind == "pause"
    columns: dict[str, ir.Value] = {}
    for days in lookbacks.lookback_days:
        recent = within(table.age, days)
        columns[f"downgrades_{days}d"] = count(recent & ~paused & (table.mrr_after < table.mrr_before))
        columns[f"upgrades_{days}d"] = count(recent & ~paused & (table.mrr_after > table.mrr_before))
        columns[f"pauses_{days}d"] = count(recent & paused)
    return per_customer(cohort, table.group_by("customer_id").agg(**columns))


def paused(view: AsOf, cohort: ir.Table, lookbacks: Lookbacks) -> ir.Table:  # noqa: ARG001 - as things stand, whatever the spans
    """Whether a running subscription was paused and not taken up again."""
    last = newest(changes(view, "pause", "resume"), "changed_at", by="subscription_id")
    last = last.select(changed_id="subscription_id", changed_to="kind")
    subscriptions = running(view)
    joined = subscriptions.left_join(last, subscriptions.subscription_id == last.changed_id)
    still = flag(joined.changed_to == "pause")
    return per_customer(cohort, joined.group_by("customer_id").agg(paused=still.max().cast("int64")))


FAMILY = Family(
    name="subscription",
    reasons=REASONS,
    groups=(
        Group(needs=("subscriptions",), indicators=TERMS, compute=terms),
        Group(needs=("subscription_changes",), indicators=CHANGES, compute=moves),
        Group(needs=("subscriptions", "subscription_changes"), indicators=PAUSED, compute=paused),
    ),
)
