"""Support: how often customers need help, how fast it comes, and what stays unsolved."""

from __future__ import annotations

import ibis.expr.types as ir

from features.aggregates import before, count, hours_between, per_customer, ratio, real, within
from features.asof import AsOf
from features.catalog import Family, Group, Indicator, Lookbacks

REASONS = {
    "support_frequency": ("contacts with customer service", "contacts avec le service client"),
    "support_trend": ("more contacts than usual", "plus de contacts que d'habitude"),
    "support_speed": ("speed of customer service", "rapidité du service client"),
    "support_unsolved": ("problems that stay unsolved", "problèmes non résolus"),
    "support_severity": ("complaints and severe problems", "réclamations et problèmes graves"),
    "support_mark": ("marks for customer service", "notes données au service client"),
}
SEVERE = 3
AGAIN_DAYS = 14
SATISFIED = 4  # of 5: marks from here on are no discontent

INDICATORS = (
    Indicator(
        name="support_contacts_{days}d",
        reason="support_frequency",
        unit="count",
        direction="higher",
        null="never: 0 where the customer did not ask",
        en="{value|support contact|support contacts} in the last {days} days",
        fr="{value|contact|contacts} avec le service client ces {days} derniers jours",
        per_lookback=True,
    ),
    Indicator(
        name="support_channels_{days}d",
        reason="support_frequency",
        unit="count",
        direction="higher",
        null="never: 0 where the customer did not ask",
        told_by=("support_contacts.channel",),
        en="asked for help on {value|channel|channels} in the last {days} days",
        fr="aide demandée par {value|canal|canaux} ces {days} derniers jours",
        per_lookback=True,
    ),
    Indicator(
        name="days_since_last_support_contact",
        reason="support_frequency",
        unit="days",
        direction="lower",
        null="never contacted support",
        en="last support contact {value} ago",
        fr="dernier contact avec le service client il y a {value}",
        en_null="never contacted support",
        fr_null="n'a jamais contacté le service client",
    ),
    Indicator(
        name="support_contacts_change_{days}d",
        reason="support_trend",
        unit="change",
        direction="higher",
        null="never: 0 where nothing changed",
        en="{value|support contact|support contacts} than in the {days} days before",
        fr="{value|contact|contacts} avec le service client que pendant les {days} jours précédents",
        per_lookback=True,
    ),
    Indicator(
        name="support_contacts_over_usual_{days}d",
        reason="support_trend",
        unit="ratio",
        direction="higher",
        null="no contact older than the lookback: no usual frequency",
        en="{value} times the usual number of support contacts in the last {days} days",
        fr="{value} fois le nombre habituel de contacts avec le service client ces {days} derniers jours",
        en_null="no earlier support contacts to compare with",
        fr_null="aucun contact antérieur avec le service client",
        per_lookback=True,
        neutral=1,
    ),
    Indicator(
        name="hours_to_first_response_{days}d",
        reason="support_speed",
        unit="hours",
        direction="higher",
        null="no answered contact in the lookback",
        told_by=("support_contacts.first_response_at",),
        en="{value} to the first answer on average in the last {days} days",
        fr="{value} avant la première réponse en moyenne ces {days} derniers jours",
        en_null="no answered support contact in the last {days} days",
        fr_null="aucune demande ayant reçu une réponse ces {days} derniers jours",
        per_lookback=True,
    ),
    Indicator(
        name="hours_to_resolution_{days}d",
        reason="support_speed",
        unit="hours",
        direction="higher",
        null="no resolved contact in the lookback",
        told_by=("support_contacts.resolved_at",),
        en="{value} to the solution on average in the last {days} days",
        fr="{value} avant la résolution en moyenne ces {days} derniers jours",
        en_null="no solved support contact in the last {days} days",
        fr_null="aucune demande résolue ces {days} derniers jours",
        per_lookback=True,
    ),
    Indicator(
        name="support_contacts_open",
        reason="support_unsolved",
        unit="count",
        direction="higher",
        null="never: 0 where nothing is open",
        told_by=("support_contacts.resolved_at",),
        en="{value|support contact is|support contacts are} still open",
        fr="{value|demande encore ouverte|demandes encore ouvertes} au service client",
    ),
    Indicator(
        name="support_reopened_{days}d",
        reason="support_unsolved",
        unit="count",
        direction="higher",
        null="never: 0 where nothing was reopened",
        told_by=("support_contacts.reopened_at",),
        en="{value|support contact|support contacts} reopened in the last {days} days",
        fr="{value|demande rouverte|demandes rouvertes} ces {days} derniers jours",
        per_lookback=True,
    ),
    Indicator(
        name="same_topic_again_{days}d",
        reason="support_unsolved",
        unit="count",
        direction="higher",
        null="never: 0 where no topic came back",
        told_by=("support_contacts.topic",),
        en="{value|further contact|further contacts} about the same topic within 14 days, in the last {days} days",
        fr="{value|nouveau contact|nouveaux contacts} sur le même sujet sous 14 jours, ces {days} derniers jours",
        per_lookback=True,
    ),
    Indicator(
        name="resolved_without_follow_up_{days}d",
        reason="support_unsolved",
        unit="count",
        direction="higher",
        null="never: 0 where nothing was closed, or everything followed up",
        told_by=("support_contacts.resolved_at", "support_contacts.followed_up_at"),
        en="{value|contact|contacts} closed without a follow-up in the last {days} days",
        fr="{value|demande close|demandes closes} sans suivi ces {days} derniers jours",
        per_lookback=True,
    ),
    Indicator(
        name="complaints_{days}d",
        reason="support_severity",
        unit="count",
        direction="higher",
        null="never: 0 where nobody complained",
        told_by=("support_contacts.complaint",),
        en="{value|complaint|complaints} in the last {days} days",
        fr="{value|réclamation|réclamations} ces {days} derniers jours",
        per_lookback=True,
    ),
    Indicator(
        name="severe_contacts_{days}d",
        reason="support_severity",
        unit="count",
        direction="higher",
        null="never: 0 where nothing was severe",
        told_by=("support_contacts.severity",),
        en="{value|severe problem|severe problems} in the last {days} days",
        fr="{value|problème grave|problèmes graves} ces {days} derniers jours",
        per_lookback=True,
    ),
    Indicator(
        name="support_mark_{days}d",
        reason="support_mark",
        unit="mark",
        direction="lower",
        null="no contact marked in the lookback",
        told_by=("support_contacts.csat",),
        en="gave support {value} of 5 on average in the last {days} days",
        fr="note moyenne de {value} sur 5 donnée au service client ces {days} derniers jours",
        en_null="gave support no mark in the last {days} days",
        fr_null="aucune note donnée au service client ces {days} derniers jours",
        per_lookback=True,
        neutral=SATISFIED,
    ),
)


def compute(view: AsOf, cohort: ir.Table, lookbacks: Lookbacks) -> ir.Table:
    """Every indicator above, over contacts as they stood at the snapshot."""
    contacts = view["support_contacts"]
    contacts = contacts.mutate(
        age=view.days_since(contacts.opened_on),
        response_hours=hours_between(contacts.opened_at, contacts.first_response_at),
        resolution_hours=hours_between(contacts.opened_at, contacts.resolved_at),
        is_open=contacts.resolved_at.isnull() | (contacts.reopened_at > contacts.resolved_at),
    )
    age, oldest = contacts.age, contacts.age.max()
    columns: dict[str, ir.Value] = {
        "days_since_last_support_contact": age.min(),
        "support_contacts_open": count(contacts.is_open),
    }
    for days in lookbacks.lookback_days:
        recent = within(age, days)
        closed = within(view.days_since(contacts.resolved_on), days)
        marked = within(view.days_since(contacts.csat_on), days)
        usual = ratio(real(count(age > days)) * days, oldest - days)
        columns |= {
            f"support_contacts_{days}d": count(recent),
            f"support_channels_{days}d": contacts.channel.nunique(where=recent),
            f"support_contacts_change_{days}d": count(recent) - count(before(age, days)),
            f"support_contacts_over_usual_{days}d": ratio(count(recent), usual),
            f"hours_to_first_response_{days}d": _mean(contacts.response_hours, recent),
            f"hours_to_resolution_{days}d": _mean(contacts.resolution_hours, recent),
            f"support_reopened_{days}d": count(within(view.days_since(contacts.reopened_on), days)),
            f"resolved_without_follow_up_{days}d": count(closed & contacts.followed_up_at.isnull()),
            f"complaints_{days}d": count(recent & contacts.complaint),
            f"severe_contacts_{days}d": count(recent & (contacts.severity >= SEVERE)),
            f"support_mark_{days}d": ratio(contacts.csat.sum(where=marked), count(marked & contacts.csat.notnull())),
        }
    return per_customer(cohort, contacts.group_by("customer_id").agg(**columns), _again(contacts, lookbacks))


def _again(contacts: ir.Table, lookbacks: Lookbacks) -> ir.Table:
    """Contacts that follow another of the same customer and topic within two weeks."""
    topics = contacts.filter(contacts.topic.notnull())
    # Contacts at one moment are one visit; the one before is the newest that is strictly earlier.
    moments = topics.group_by("customer_id", "topic", "opened_at", "opened_on", "age").agg(contacts=topics.count())
    earlier = moments.opened_on.lag().over(group_by=["customer_id", "topic"], order_by="opened_at")
    moments = moments.mutate(days_between=moments.opened_on.delta(earlier, unit="day"))
    again = moments.filter(moments.days_between <= AGAIN_DAYS)
    columns = {
        f"same_topic_again_{days}d": again.contacts.sum(where=within(again.age, days)).fill_null(0).cast("int64")
        for days in lookbacks.lookback_days
    }
    return again.group_by("customer_id").agg(**columns)


def _mean(hours: ir.FloatingColumn, where: ir.BooleanColumn) -> ir.FloatingScalar:
    # Whole seconds add up exactly, whatever the order of rows.
    seconds = (hours * 3600.0).round().cast("int64")
    return ratio(real(seconds.sum(where=where)) / 3600.0, count(where & hours.notnull()))


FAMILY = Family(
    name="support",
    reasons=REASONS,
    groups=(Group(needs=("support_contacts",), indicators=INDICATORS, compute=compute),),
)
