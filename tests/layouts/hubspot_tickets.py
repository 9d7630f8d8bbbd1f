"""Exports of a made-up help desk in HubSpot (tickets and contacts), and what is right of them."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from tests.layouts.billing_views import Expected, write_csv
from tests.layouts.tickets import ZONE, Ticket, expect, make

TICKETS = (
    "Ticket ID", "Ticket name", "Pipeline", "Ticket status", "Create date", "Ticket owner", "Source", "Category",
    "Priority", "Close date", "First agent email response date", "Last customer reply date", "Last activity date",
    "Ticket description", "Associated Contact", "Associated Contact IDs", "Associated Company",
    "Associated Company IDs",
)  # fmt: skip
CONTACTS = ("Record ID", "First Name", "Last Name", "Email", "Phone Number", "Job Title", "Associated Company IDs")
PRIORITIES = {None: "", 1: "Low", 2: "Medium", 3: "High", 4: "Urgent"}


def local(moment: datetime | None) -> str:
    return moment.astimezone(ZoneInfo(ZONE)).strftime("%Y-%m-%d %H:%M") if moment else ""


def as_row(ticket: Ticket) -> dict[str, str]:
    ids = f"{700000 + ticket.person}" if ticket.person else ""
    if ticket.person and ticket.number % 20 == 0:
        ids += "; 700001"  # somebody else's ticket, too
    return {
        "Ticket ID": f"100{ticket.number:08}",
        "Ticket name": 'It says, "no"',
        "Pipeline": "Support Pipeline",
        "Ticket status": "Fermé" if ticket.solved else "Waiting on us",
        "Create date": local(ticket.opened),
        "Source": ticket.channel.title(),
        "Category": ticket.topic,
        "Priority": PRIORITIES[ticket.severity],
        "Close date": local(ticket.solved),
        "First agent email response date": local(ticket.answered),
        "Last activity date": local(ticket.updated),
        "Ticket description": "Line one\nline two, ü",
        "Associated Contact": ticket.name if ticket.person else "",
        "Associated Contact IDs": ids,
    }


def write(folder: Path, *, seed: int = 7, customers: int = 300) -> Expected:
    """The exports of one help desk over 24 months, and what is right."""
    tickets = make(seed, customers)
    right = expect(tickets)
    rows = [as_row(ticket) for ticket in tickets]
    known = next(row for row in rows if row["Associated Contact IDs"])
    rows += [
        known | {"Ticket ID": "10099999991", "Priority": "Dire"},
        known | {"Ticket ID": "10099999992", "Create date": "12/31/2024 10:00"},
        known | {"Ticket ID": "10099999993", "Associated Contact IDs": "123"},  # a contact that is not exported
        known | {"Ticket ID": "10099999994", "Associated Contact IDs": "700000"},  # one without an address
    ]
    right.refused["support_contacts"] = 4 + right.left_out["of nobody known"]
    people = {ticket.person: ticket for ticket in tickets}
    contacts = [
        {"Record ID": str(700000 + person), "First Name": ticket.name, "Last Name": "", "Email": ticket.address}
        for person, ticket in people.items()
    ]
    if 1 not in people:
        contacts.append({"Record ID": "700001", "First Name": "Else", "Email": "Person0001@Example.com"})
    write_csv(folder / "hubspot-tickets.csv", TICKETS, rows)
    write_csv(folder / "hubspot-contacts.csv", CONTACTS, contacts)
    return right
