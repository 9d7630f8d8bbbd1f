"""What customers said to the company, and the company to them."""

from __future__ import annotations

from features.contract import Column, Table

SUPPORT_CONTACTS = Table(
    name="support_contacts",
    grain="one row per contact with customer service",
    key=("contact_id",),
    happened_at="opened_at",
    columns=(
        Column(name="contact_id", kind="text", meaning="the ticket's number", made_when_absent=True),
        Column(name="customer_id", kind="text", meaning="who asked"),
        Column(name="opened_at", kind="timestamp", meaning="when the customer came"),
        Column(name="channel", kind="text", meaning="phone, mail, chat, social, form", null="not recorded", code=True),
        Column(name="topic", kind="text", meaning="what it is about, as a code", null="not recorded", code=True),
        Column(name="severity", kind="integer", meaning="how bad, 1 the least", unit="level", null="not recorded"),
        Column(name="complaint", kind="boolean", meaning="whether it is a complaint", null="not recorded: taken as no"),
        Column(
            name="first_response_at",
            kind="timestamp",
            meaning="when somebody first answered",
            known_at="first_response_at",
            null="not answered, as far as was known",
        ),
        Column(
            name="resolved_at",
            kind="timestamp",
            meaning="when it was last closed",
            known_at="resolved_at",
            null="open, as far as was known",
        ),
        Column(
            name="reopened_at",
            kind="timestamp",
            meaning="when the customer came back with it",
            known_at="reopened_at",
            null="not reopened, as far as was known",
        ),
        Column(
            name="followed_up_at",
            kind="timestamp",
            meaning="when somebody asked afterwards whether all is well",
            known_at="followed_up_at",
            null="nobody asked, as far as was known",
        ),
        Column(
            name="csat_at",
            kind="timestamp",
            meaning="when the customer marked the answer",
            known_at="csat_at",
            null="not marked, as far as was known",
        ),
        Column(
            name="csat",
            kind="number",
            meaning="the mark, 1 to 5, higher is better",
            unit="mark",
            at_least=1,
            at_most=5,
            known_at="csat_at",
            null="not marked, as far as was known",
        ),
    ),
)

SURVEYS = Table(
    name="surveys",
    grain="one row per questionnaire sent to a customer",
    key=("survey_id",),
    happened_at="asked_at",
    columns=(
        Column(name="survey_id", kind="text", meaning="the questionnaire's number", made_when_absent=True),
        Column(name="customer_id", kind="text", meaning="who was asked"),
        Column(name="kind", kind="text", meaning="what was asked", choices=("nps", "csat", "exit")),
        Column(name="asked_at", kind="timestamp", meaning="when it was sent"),
        Column(
            name="answered_at",
            kind="timestamp",
            meaning="when the customer answered",
            known_at="answered_at",
            null="not answered, as far as was known",
        ),
        Column(
            name="score",
            kind="number",
            meaning="0 to 10 for nps, 1 to 5 for csat; higher is better",
            unit="mark",
            at_least=0,
            at_most=10,
            known_at="answered_at",
            null="not answered, or without a mark",
        ),
        Column(
            name="reason",
            kind="text",
            meaning="the reason given, as a code",
            known_at="answered_at",
            null="not answered, or without a reason",
            code=True,
        ),
    ),
)

MESSAGES = Table(
    name="messages",
    grain="one row per message sent to a customer",
    key=("message_id",),
    happened_at="sent_at",
    columns=(
        Column(name="message_id", kind="text", meaning="the message's number", made_when_absent=True),
        Column(name="customer_id", kind="text", meaning="who got it"),
        Column(name="sent_at", kind="timestamp", meaning="when it was sent"),
        Column(name="channel", kind="text", meaning="email, sms, push, post and so on", null="not recorded", code=True),
        Column(name="campaign", kind="text", meaning="the campaign it belongs to", null="none, or not recorded"),
        Column(name="template", kind="text", meaning="the text it was made of", null="not recorded"),
        Column(
            name="kind",
            kind="text",
            meaning="what it is for",
            null="not recorded",
            choices=("reminder", "newsletter", "transactional"),
        ),
        Column(
            name="also_sent_to_prospects",
            kind="boolean",
            meaning="whether people who are no customers got the same",
            null="not recorded: taken as no",
        ),
        Column(
            name="opened_at",
            kind="timestamp",
            meaning="when it was first opened",
            known_at="opened_at",
            null="not opened, as far as was known",
        ),
        Column(
            name="clicked_at",
            kind="timestamp",
            meaning="when a link in it was first followed",
            known_at="clicked_at",
            null="not clicked, as far as was known",
        ),
        Column(
            name="unsubscribed_at",
            kind="timestamp",
            meaning="when the customer asked through it for no more",
            known_at="unsubscribed_at",
            null="did not ask, as far as was known",
        ),
    ),
)
