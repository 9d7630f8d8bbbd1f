"""Messages: how much customers are written to, how it suits them, and how they take it."""

from __future__ import annotations

import ibis.expr.types as ir

from features.aggregates import before, count, per_customer, ratio, within
from features.asof import AsOf
from features.catalog import Family, Group, Indicator, Lookbacks, Unit
from features.codes import as_code
from features.orders import purchases

REASONS = {
    "message_pressure": ("number of messages", "nombre de messages"),
    "message_sameness": ("messages that are all the same", "messages répétitifs ou impersonnels"),
    "message_response": ("response to messages", "réaction aux messages"),
    "unsubscribed": ("wish for no more messages", "désinscription"),
}
LEAST_PRESSURE = 2  # one message is none, however few are usual
_CHANNELS = {"emails": "email", "sms": "sms", "push_messages": "push"}


def _sent(name: str, singular: tuple[str, str], plural: tuple[str, str], *told_by: str) -> Indicator:
    """A count of messages of some sort."""
    return Indicator(
        name=f"{name}_{{days}}d",
        reason="message_pressure",
        unit="count",
        direction="higher",
        null="never: 0 where none was sent",
        told_by=told_by,
        en=f"{{value|{singular[0]}|{plural[0]}}} sent in the last {{days}} days",
        fr=f"{{value|{singular[1]}|{plural[1]}}} ces {{days}} derniers jours",
        least_told=LEAST_PRESSURE,
        per_lookback=True,
    )


def _share(name: str, reason: str, null: str, en: str, fr: str, *, told_by: str, unit: Unit = "share") -> Indicator:
    """A share of the messages sent in the lookback, or its change."""
    return Indicator(
        name=f"{name}_{{days}}d",
        reason=reason,
        unit=unit,
        direction="lower" if reason == "message_response" else "higher",
        null=null,
        told_by=(told_by,),
        en=en,
        fr=fr,
        en_null="no messages in the last {days} days to tell by"
        if unit == "share"
        else "no messages in the last {days} days, or none in the {days} before, to compare",
        fr_null="pas de messages ces {days} derniers jours pour en juger"
        if unit == "share"
        else "pas de messages à comparer pendant ces {days} derniers jours ou les {days} précédents",
        per_lookback=True,
    )


INDICATORS = (
    _sent("messages", ("message", "message envoyé"), ("messages", "messages envoyés")),
    _sent("emails", ("e-mail", "e-mail envoyé"), ("e-mails", "e-mails envoyés"), "messages.channel"),
    _sent("sms", ("text message", "SMS envoyé"), ("text messages", "SMS envoyés"), "messages.channel"),
    _sent(
        "push_messages",
        ("push message", "notification envoyée"),
        ("push messages", "notifications envoyées"),
        "messages.channel",
    ),
    _sent("reminders", ("reminder", "relance envoyée"), ("reminders", "relances envoyées"), "messages.kind=reminder"),
    Indicator(
        name="messages_change_{days}d",
        reason="message_pressure",
        unit="change",
        direction="higher",
        null="never: 0 where nothing changed",
        en="{value|message|messages} than in the {days} days before",
        fr="{value|message|messages} que pendant les {days} jours précédents",
        least_told=LEAST_PRESSURE,
        per_lookback=True,
    ),
    _share(
        "repeated_template_share",
        "message_sameness",
        "no message with a known template in the lookback",
        "{value} of the messages of the last {days} days repeated another one",
        "{value} des messages de ces {days} derniers jours en répétaient un autre",
        told_by="messages.template",
    ),
    _share(
        "prospect_message_share",
        "message_sameness",
        "no message in the lookback",
        "{value} of the messages of the last {days} days also went to people who are not customers",
        "{value} des messages de ces {days} derniers jours ont aussi été envoyés à des prospects",
        told_by="messages.also_sent_to_prospects",
    ),
    _share(
        "open_rate",
        "message_response",
        "no message in the lookback",
        "opened {value} of the messages of the last {days} days",
        "a ouvert {value} des messages de ces {days} derniers jours",
        told_by="messages.opened_at",
    ),
    _share(
        "open_rate_change",
        "message_response",
        "no message in the lookback, or none in the equal span before",
        "share of messages opened: {value} against the {days} days before",
        "part des messages ouverts : {value} par rapport aux {days} jours précédents",
        unit="share_change",
        told_by="messages.opened_at",
    ),
    _share(
        "click_rate",
        "message_response",
        "no message in the lookback",
        "clicked in {value} of the messages of the last {days} days",
        "a cliqué dans {value} des messages de ces {days} derniers jours",
        told_by="messages.clicked_at",
    ),
    _share(
        "click_rate_change",
        "message_response",
        "no message in the lookback, or none in the equal span before",
        "share of messages clicked in: {value} against the {days} days before",
        "part des messages avec clic : {value} par rapport aux {days} jours précédents",
        unit="share_change",
        told_by="messages.clicked_at",
    ),
    Indicator(
        name="days_since_last_open",
        reason="message_response",
        unit="days",
        direction="higher",
        null="never opened a message",
        told_by=("messages.opened_at",),
        en="last opened a message {value} ago",
        fr="dernier message ouvert il y a {value}",
        en_null="never opened a message",
        fr_null="n'a jamais ouvert de message",
        null_is_risk=True,
    ),
    Indicator(
        name="unsubscribed",
        reason="unsubscribed",
        unit="flag",
        direction="higher",
        null="never: 0 where the customer did not ask for that",
        told_by=("messages.unsubscribed_at",),
        en="asked for no more messages",
        fr="a demandé à ne plus recevoir de messages",
        en_no="has not unsubscribed from messages",
        fr_no="n'a pas demandé à ne plus recevoir de messages",
    ),
)

PER_ORDER = (
    Indicator(
        name="messages_per_order_{days}d",
        reason="message_pressure",
        unit="ratio",
        direction="higher",
        null="no order in the lookback",
        en="{value} messages for every order in the last {days} days",
        fr="{value|message|messages} par commande ces {days} derniers jours",
        en_null="no order in the last {days} days",
        fr_null="aucune commande ces {days} derniers jours",
        per_lookback=True,
    ),
)


def compute(view: AsOf, cohort: ir.Table, spans: Lookbacks) -> ir.Table:
    """Every indicator above but those that need orders."""
    messages = view["messages"]
    age = view.days_since(messages.sent_on)
    channel = as_code(messages.channel)
    opened, clicked = messages.opened_at.notnull(), messages.clicked_at.notnull()
    columns: dict[str, ir.Value] = {
        "days_since_last_open": view.days_since(messages.opened_on).min(),
        "unsubscribed": messages.unsubscribed_at.notnull().ifelse(1, 0).max().cast("int64"),
    }
    for days in spans.lookback_days:
        recent, earlier = within(age, days), before(age, days)
        sent, sent_before = count(recent), count(earlier)
        with_template = count(recent & messages.template.notnull())
        columns |= {f"{name}_{days}d": count(recent & (channel == at)) for name, at in _CHANNELS.items()}
        columns |= {
            f"messages_{days}d": sent,
            f"reminders_{days}d": count(recent & (messages.kind == "reminder")),
            f"messages_change_{days}d": sent - sent_before,
            f"repeated_template_share_{days}d": 1.0 - ratio(messages.template.nunique(where=recent), with_template),
            f"prospect_message_share_{days}d": ratio(count(recent & messages.also_sent_to_prospects), sent),
            f"open_rate_{days}d": ratio(count(recent & opened), sent),
            f"open_rate_change_{days}d": ratio(count(recent & opened), sent)
            - ratio(count(earlier & opened), sent_before),
            f"click_rate_{days}d": ratio(count(recent & clicked), sent),
            f"click_rate_change_{days}d": ratio(count(recent & clicked), sent)
            - ratio(count(earlier & clicked), sent_before),
        }
    return per_customer(cohort, messages.group_by("customer_id").agg(**columns))


def per_order(view: AsOf, cohort: ir.Table, spans: Lookbacks) -> ir.Table:
    """Messages for every order that stands."""
    messages, orders = view["messages"], purchases(view)
    sent_age, ordered_age = view.days_since(messages.sent_on), view.days_since(orders.ordered_on)
    lookbacks = spans.lookback_days
    sent = messages.group_by("customer_id").agg(**{f"sent_{days}": count(within(sent_age, days)) for days in lookbacks})
    ordered = orders.group_by("customer_id").agg(
        **{f"ordered_{days}": count(within(ordered_age, days)) for days in lookbacks}
    )
    joined = per_customer(cohort, sent, ordered)
    return joined.mutate(
        **{
            f"messages_per_order_{days}d": ratio(joined[f"sent_{days}"].fill_null(0), joined[f"ordered_{days}"])
            for days in lookbacks
        }
    )


FAMILY = Family(
    name="messages",
    reasons=REASONS,
    groups=(
        Group(needs=("messages",), indicators=INDICATORS, compute=compute),
        Group(needs=("messages", "orders|order_lines"), indicators=PER_ORDER, compute=per_order),
    ),
)
