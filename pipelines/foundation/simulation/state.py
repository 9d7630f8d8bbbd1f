"""What the simulated company's systems hold of every customer at the start of a week."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from pipelines.foundation.simulation.people import Flags, Floats

NEVER = 10**6


@dataclass
class State:
    """(n,) arrays, one place per customer. Weeks count from the start of the simulation."""

    n: int
    running: Flags = field(init=False)
    ended: Flags = field(init=False)

    def __post_init__(self) -> None:
        n = self.n
        self.running, self.ended = np.zeros(n, bool), np.zeros(n, bool)
        self.converted = np.ones(n, bool)
        self.start_week = np.full(n, NEVER)
        self.leaves_in = np.full(n, NEVER)  # the week of the last day, once it is certain
        self.plan, self.seats = np.zeros(n, int), np.ones(n, int)
        self.discount = np.zeros(n)
        self.price = np.zeros(n)  # of a seat
        self.rise = np.zeros(n)  # since the term began
        self.term_start = np.zeros(n, int)
        self.auto_renew = np.ones(n, bool)
        self.paused_until = np.full(n, -1)
        self.nps, self.csat = np.full(n, np.nan), np.full(n, np.nan)
        self.card_until = np.zeros(n, int)
        self.backup = np.zeros(n, bool)
        self.streak, self.hard = np.zeros(n, int), np.zeros(n, bool)
        self.unpaid_invoice = np.full(n, -1)
        self.overdue_since = np.full(n, NEVER)
        self.member = np.zeros(n, bool)
        self.points = np.zeros(n)
        self.last_order = np.full(n, -(10**4))
        self.treated_until = np.full(n, -1)
        self.unsubscribed = np.zeros(n, bool)
        self.open_contacts = np.zeros(n)

    def staying(self) -> Flags:
        """Whose subscription runs, and who has not given notice."""
        return np.asarray(self.running & (self.leaves_in == NEVER))

    def mrr(self) -> Floats:
        """Recurring revenue of a month, per customer."""
        return np.asarray((self.price * self.seats * (1 - self.discount)).round(2))
