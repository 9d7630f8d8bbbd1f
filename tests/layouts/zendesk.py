"""Exports of a made-up help desk in Zendesk (JSON lines, CSV, ratings), and what is right of them."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from tests.layouts.billing_views import Expected, month_of, write_csv
from tests.layouts.tickets import ZONE, Ticket, expect, make

TICKETS = (
    "Summation column", "Id", "Requester", "Requester id", "Requester external id", "Requester email",
    "Requester domain", "Submitter", "Assignee", "Group", "Subject", "Tags", "Status", "Priority", "Via", "Ticket type",
    "Created at", "Updated at", "Assigned at", "Organization", "Due date", "Initially assigned at", "Solved at",
    "Resolution time", "Satisfaction Score", "Group stations", "Assignee stations", "Reopens", "Replies",
    "First reply time in minutes", "First reply time in minutes within business hours",
    "First resolution time in minutes", "First resolution time in minutes within business hours",
    "Full resolution time in minutes", "Full resolution time in minutes within business hours",
    "Agent wait time in minutes", "Agent wait time in minutes within business hours",
    "Requester wait time in minutes", "Requester wait time in minutes within business hours",
    "On hold time in minutes", "On hold time in minutes within business hours",
)  # fmt: skip
PRIORITIES = {None: None, 1: "low", 2: "normal", 3: "high", 4: "urgent"}


def utc(moment: datetime | None) -> str | None:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ") if moment else None


def local(moment: datetime | None) -> str:
    return moment.astimezone(ZoneInfo(ZONE)).strftime("%Y-%m-%d %H:%M") if moment else "-"


def minutes(ticket: Ticket) -> int | None:
    return int((ticket.answered - ticket.opened).total_seconds()) // 60 if ticket.answered else None


def status(ticket: Ticket) -> str:
    """Some that were solved have been opened again since."""
    return ("closed", "solved", "closed", "open")[ticket.number % 4] if ticket.solved else "pending"


def as_json(ticket: Ticket) -> dict[str, Any]:
    return {
        "url": f"https://example.com/api/v2/tickets/{ticket.number}.json",
        "id": ticket.number,
        "external_id": None,
        "via": {"channel": ticket.channel, "source": {"from": {}, "to": {}, "rel": None}},
        "created_at": utc(ticket.opened),
        "updated_at": utc(ticket.updated),
        "type": "problem",
        "subject": 'It says, "no"',
        "description": "Line one\nline two, ü",
        "priority": PRIORITIES[ticket.severity],
        "status": status(ticket),
        "recipient": None,
        "requester": {
            "id": 900000 + ticket.person,
            "name": ticket.name,
            "email": ticket.address or None,
            "external_id": f"00{ticket.person}",
        },
        "tags": ["a", "b"],
        "custom_fields": [{"id": 7, "value": None}],
        "satisfaction_rating": {"score": ticket.mark or "unoffered"},
        "metric_set": {
            "solved_at": utc(ticket.solved) if ticket.number % 50 else None,
            "reopens": 0,
            "reply_time_in_minutes": {"calendar": minutes(ticket), "business": 1},
        },
        "comments": [{"id": 1, "body": "Hello", "public": True}],
    }


def as_row(ticket: Ticket) -> dict[str, str]:
    first = minutes(ticket)
    return {
        "Summation column": "1",
        "Id": str(ticket.number),
        "Requester": ticket.name,
        "Requester id": str(900000 + ticket.person),
        "Requester external id": f"00{ticket.person}",
        "Requester email": ticket.address or "-",
        "Subject": 'It says, "no"',
        "Status": status(ticket).title(),
        "Priority": (PRIORITIES[ticket.severity] or "-").title(),
        "Via": ticket.channel.title(),
        "Created at": local(ticket.opened),
        "Updated at": local(ticket.updated),
        "Solved at": local(ticket.solved) if ticket.number % 50 else "-",
        "Satisfaction Score": (ticket.mark or "not offered").title(),
        "First reply time in minutes": "-" if first is None else str(first),
    }


def write(folder: Path, *, seed: int = 7, customers: int = 300) -> Expected:
    """The exports of one help desk over 24 months, and what is right: the same of JSON and of CSV."""
    tickets = make(seed, customers)
    right = expect(tickets)
    right.months["support_contacts"]["resolved"] = {}
    ratings = []
    for ticket in tickets:
        if ticket.person and ticket.solved and status(ticket) != "open":
            by = ticket.solved if ticket.number % 50 else ticket.updated
            right.add("support_contacts", "resolved", month_of(by, ZONE))
        if ticket.solved and ticket.mark:
            ratings.append(_rating(right, ticket))
    lines, rows = [as_json(ticket) for ticket in tickets], [as_row(ticket) for ticket in tickets]
    known = next(place for place, ticket in enumerate(tickets) if ticket.person)
    one, csv_row = lines[known], rows[known]
    lines += [
        one | {"id": 9000001, "status": "deleted"},
        one | {"id": 9000002, "priority": "dire"},
        one | {"id": 9000003, "requester": None},
    ]
    rows += [
        csv_row | {"Id": "9000001", "Status": "Deleted"},
        csv_row | {"Id": "9000002", "Priority": "Dire", "Requester email": "a@example.com"},
        csv_row | {"Id": "9000003", "Created at": "31/12/2024 10:00", "Requester email": "a@example.com"},
    ]
    right.leave_out("deleted")
    right.refused["support_contacts"] = 2 + right.left_out["of nobody known"]
    _lines(folder / "zendesk_tickets.json", lines)
    _lines(folder / "zendesk_ratings.json", ratings)
    write_csv(folder / "zendesk_tickets.csv", TICKETS, rows)
    return right


def _rating(right: Expected, ticket: Ticket) -> dict[str, Any]:
    """A rating offered a day after the ticket was solved, and given a day later, if at all."""
    asked = (ticket.solved or ticket.opened) + timedelta(days=1)
    answered = asked + timedelta(days=1)
    if ticket.person:
        right.count("surveys")
        right.add("surveys", "asked", month_of(asked, ZONE))
        if ticket.mark != "offered":
            right.add("surveys", "score", month_of(answered, ZONE), 5 if ticket.mark == "good" else 1)
    else:
        right.refuse("surveys")
    return {
        "id": 35000 + ticket.number,
        "ticket_id": ticket.number,
        "requester_id": 900000 + ticket.person,
        "score": ticket.mark,
        "created_at": utc(asked),
        "updated_at": utc(answered if ticket.mark != "offered" else asked),
        "comment": None,
        "reason": None,
    }


def _lines(path: Path, values: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(value, ensure_ascii=False) + "\n" for value in values), encoding="utf-8")
