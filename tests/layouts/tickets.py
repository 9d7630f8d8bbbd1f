"""Made-up tickets of a help desk, from which the exports of several makers are written."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from tests.layouts.billing_views import Expected, month_of

ZONE = "Europe/Paris"
FIRST, DAYS = datetime(2024, 1, 1, tzinfo=UTC), 730
NAMES = ("Müller, Söhne & Co", 'Ada "Test" Example', "Élise Inventée", "Nobody Inc")


@dataclass(frozen=True)
class Ticket:
    """One ticket. person: 0 where nobody's address is known. answered, solved: None where it was not, or not yet."""

    number: int
    person: int
    opened: datetime
    channel: str
    topic: str
    severity: int | None
    answered: datetime | None
    solved: datetime | None
    updated: datetime
    mark: str | None

    @property
    def address(self) -> str:
        return f"Person{self.person:04}@Example.com" if self.person else ""

    @property
    def name(self) -> str:
        return NAMES[self.person % len(NAMES)]


def make(seed: int, customers: int) -> list[Ticket]:
    """Tickets of customers who come, ask at their own pace and leave, over 24 months."""
    dice = random.Random(seed)
    tickets: list[Ticket] = []
    for person in range(customers + 1):
        since, stays = dice.uniform(0, DAYS - 60), dice.expovariate(1 / 300)
        if not person:  # those of nobody known come all the time
            since, stays = 0.0, float(DAYS)
        pace = dice.uniform(15, 120)
        day = since + dice.expovariate(1 / pace)
        while day < min(DAYS - 1, since + stays):
            tickets.append(_ticket(dice, len(tickets) + 1, person, day))
            day += dice.expovariate(1 / pace)
    return tickets


def _ticket(dice: random.Random, number: int, person: int, day: float) -> Ticket:
    # In opening hours, so that no clock time happens twice; answers do not come across a change of the clocks.
    opened = FIRST + timedelta(days=int(day), hours=dice.randint(8, 19), minutes=dice.randint(0, 59))
    minutes = timedelta(minutes=dice.choice((3, 45, 600, 2000)))
    zone = ZoneInfo(ZONE)
    if opened.astimezone(zone).utcoffset() != (opened + minutes).astimezone(zone).utcoffset():
        minutes = timedelta(minutes=3)
    answered = opened + minutes if dice.random() < 0.9 else None
    solved = opened + minutes + timedelta(days=dice.randint(0, 6)) if answered and dice.random() < 0.9 else None
    return Ticket(
        number=number,
        person=person,
        opened=opened,
        channel=dice.choice(("email", "web", "chat")),
        topic=dice.choice(("Billing issue", "Product issue", "")),
        severity=dice.choice((None, 1, 2, 2, 3, 4)),
        answered=answered,
        solved=solved,
        updated=(solved or answered or opened) + timedelta(days=4),
        mark=dice.choice((None, "offered", "good", "bad")) if solved else None,
    )


def expect(tickets: list[Ticket]) -> Expected:
    """What is right of the tickets themselves: those of nobody known are set aside."""
    right = Expected()
    for ticket in tickets:
        if not ticket.person:
            right.leave_out("of nobody known")
            continue
        month = month_of(ticket.opened, ZONE)
        right.count("support_contacts")
        right.add("support_contacts", "opened", month)
        right.add("support_contacts", f"by {ticket.channel}", month)
        if (ticket.severity or 0) >= 3:
            right.add("support_contacts", "severe", month)
        if ticket.topic:
            right.add("support_contacts", ticket.topic.lower().replace(" ", "_"), month)
        if ticket.answered:
            right.add(
                "support_contacts", "minutes", month, int((ticket.answered - ticket.opened).total_seconds()) // 60
            )
        if ticket.solved:
            right.add("support_contacts", "resolved", month_of(ticket.solved, ZONE))
    return right
