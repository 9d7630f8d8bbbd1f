"""What is to be sent to a destination, and its remote state: in the ledger, so that no crash forgets it."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pipelines.foundation.storage.store import Store
from pipelines.operations.delivery.difference import Change, RemoteState

_RECORD = (
    "SELECT customer_id, content_sha256, body, withdrawn, state, attempts, why, planned_at FROM outbox "
    "WHERE destination = ? AND customer_id = ?"
)


@dataclass(frozen=True)
class OutboxRecord:
    """One record of the outbox, of one customer. attempts: how often it was to be tried later; why: the last answer."""

    customer: str
    content_sha256: str
    values: Mapping[str, Any]
    withdrawn: bool
    state: str
    attempts: int
    why: str
    planned_at: str


class Outbox:
    """The outbox of one destination.

    A record is in it from the moment it is planned until the destination has taken it. One customer has one record at
    most: the newest takes the place of an older one that was not taken.
    """

    def __init__(self, store: Store, destination: str) -> None:
        self.store, self.destination = store, destination

    def remote_states(self) -> dict[str, RemoteState]:
        """What the destination has taken or may have taken, by customer."""
        with self.store.transaction() as ledger:
            rows = ledger.execute(
                "SELECT customer_id, content_sha256, valid_until, band, play, uncertain FROM held "
                "WHERE destination = ?",
                (self.destination,),
            ).fetchall()
        return {row[0]: RemoteState(row[1], row[2], row[3], row[4], bool(row[5])) for row in rows}

    def refused(self) -> dict[str, str]:
        """Content that was refused or dropped, by customer."""
        with self.store.transaction() as ledger:
            query = "SELECT customer_id, content_sha256 FROM outbox WHERE destination = ? AND state != 'pending'"
            return {row[0]: row[1] for row in ledger.execute(query, (self.destination,))}

    def plan(self, changes: Iterable[Change], *, keep: Collection[str], at: datetime) -> None:
        """Make these what is to be sent. Whatever else was waiting is no longer wanted.

        keep: customers whose refused content is still what would be sent; their records stay as they are.
        """
        stamp = at.isoformat(timespec="seconds")
        rows = [
            (
                self.destination,
                change.customer,
                change.content_sha256,
                json.dumps(change.values, sort_keys=True),
                change.withdrawn,
                stamp,
            )
            for change in changes
        ]
        staying = {row[1] for row in rows}.union(keep)
        with self.store.transaction() as ledger:
            there = ledger.execute("SELECT customer_id FROM outbox WHERE destination = ?", (self.destination,))
            gone = [(self.destination, row[0]) for row in there.fetchall() if row[0] not in staying]
            ledger.executemany("DELETE FROM outbox WHERE destination = ? AND customer_id = ?", gone)
            # A record that waits for another try keeps count of its tries.
            ledger.executemany(
                "INSERT INTO outbox VALUES (?, ?, ?, ?, ?, 'pending', 0, '', ?) "
                "ON CONFLICT (destination, customer_id) DO UPDATE SET body = excluded.body, "
                "withdrawn = excluded.withdrawn, planned_at = excluded.planned_at, state = 'pending', "
                "attempts = CASE WHEN content_sha256 = excluded.content_sha256 THEN attempts ELSE 0 END, "
                "content_sha256 = excluded.content_sha256",
                rows,
            )

    def waiting(self) -> list[str]:
        """Customers whose records are to be sent."""
        return self._customers("pending")

    def mark_in_flight(self, customers: Sequence[str]) -> list[OutboxRecord]:
        """The records of some customers, in flight from now on: the destination may hold them."""
        keys = self._keys(customers)
        with self.store.transaction() as ledger:
            ledger.executemany(
                "INSERT INTO held (destination, customer_id, uncertain) VALUES (?, ?, 1) "
                "ON CONFLICT (destination, customer_id) DO UPDATE SET uncertain = 1",
                keys,
            )
            return [self._record(ledger, key) for key in keys]

    def taken(self, records: Sequence[OutboxRecord], *, at: datetime) -> None:
        """The destination holds these records now; of what was withdrawn it holds nothing more."""
        stamp, keys = at.isoformat(timespec="seconds"), self._keys(record.customer for record in records)
        rows = [
            (
                self.destination,
                record.customer,
                record.content_sha256,
                record.values["valid_until"],
                record.values["churn_risk_band"],
                record.values["recommended_play_code"],
                stamp,
            )
            for record in records
            if not record.withdrawn
        ]
        with self.store.transaction() as ledger:
            ledger.executemany("DELETE FROM outbox WHERE destination = ? AND customer_id = ?", keys)
            ledger.executemany("DELETE FROM held WHERE destination = ? AND customer_id = ?", keys)
            ledger.executemany(
                "INSERT INTO held (destination, customer_id, content_sha256, valid_until, band, play, taken_at, "
                "uncertain) VALUES (?, ?, ?, ?, ?, ?, ?, 0)",
                rows,
            )

    def dead_letter(self, said: Mapping[str, str], *, certain: bool) -> None:
        """Make these records dead letters, which are not tried any more. said: why, by customer.

        certain: the destination refused them, and holds what it held before.
        """
        if not said:
            return
        keys = self._keys(said)
        with self.store.transaction() as ledger:
            ledger.executemany(
                "UPDATE outbox SET state = 'dead', why = ? WHERE destination = ? AND customer_id = ?",
                [(said[key[1]], *key) for key in keys],
            )
            if certain:
                ledger.executemany("UPDATE held SET uncertain = 0 WHERE destination = ? AND customer_id = ?", keys)
                ledger.executemany(
                    "DELETE FROM held WHERE destination = ? AND customer_id = ? AND content_sha256 IS NULL", keys
                )

    def tried(self, said: Mapping[str, str]) -> None:
        """These records are to be tried again, with one attempt less. said: why, by customer."""
        if not said:
            return
        rows = [(said[key[1]], *key) for key in self._keys(said)]
        with self.store.transaction() as ledger:
            ledger.executemany(
                "UPDATE outbox SET attempts = attempts + 1, why = ? WHERE destination = ? AND customer_id = ?", rows
            )

    def mark_uncertain(self, customers: Iterable[str]) -> None:
        """Of these customers the destination holds something else than it took: they are to be sent again.

        Of those who were withdrawn it holds something, although it took that it should not.
        """
        with self.store.transaction() as ledger:
            ledger.executemany(
                "INSERT INTO held (destination, customer_id, uncertain) VALUES (?, ?, 1) "
                "ON CONFLICT (destination, customer_id) DO UPDATE SET uncertain = 1, read_at = NULL",
                self._keys(customers),
            )

    def mark_read(self, customers: Iterable[str], *, at: datetime) -> None:
        """Of these customers the destination was seen to hold what it took."""
        stamp = at.isoformat(timespec="seconds")
        with self.store.transaction() as ledger:
            ledger.executemany(
                "UPDATE held SET read_at = ? WHERE destination = ? AND customer_id = ?",
                [(stamp, *key) for key in self._keys(customers)],
            )

    def longest_unread(self) -> list[str]:
        """Customers of whom the destination holds something: who was never read back, by chance, then by when."""
        with self.store.transaction() as ledger:
            query = (
                "SELECT customer_id FROM held WHERE destination = ? AND uncertain = 0 "
                "ORDER BY read_at IS NOT NULL, read_at, random()"
            )
            return [row[0] for row in ledger.execute(query, (self.destination,))]

    def records(self, state: str) -> list[OutboxRecord]:
        """Records in a state, by customer."""
        keys = self._keys(self._customers(state))
        with self.store.transaction() as ledger:
            return [self._record(ledger, key) for key in keys]

    def counts(self) -> dict[str, int]:
        """Records by state, and how many the destination holds."""
        with self.store.transaction() as ledger:
            query = "SELECT state, count(*) FROM outbox WHERE destination = ? GROUP BY state"
            found = dict(ledger.execute(query, (self.destination,)).fetchall())
            query = "SELECT count(*) FROM held WHERE destination = ? AND content_sha256 IS NOT NULL"
            holds = ledger.execute(query, (self.destination,)).fetchone()[0]
        return {"pending": 0, "dead": 0, "dropped": 0, **found, "held": holds}

    def put(self, state: str, customers: Collection[str] | None) -> int:
        """Put records that are not tried any more into another state, those of some customers or all. How many."""
        with self.store.transaction() as ledger:
            rows = ledger.execute(
                "SELECT customer_id FROM outbox WHERE destination = ? AND state NOT IN ('pending', ?)",
                (self.destination, state),
            ).fetchall()
            chosen = self._keys(row[0] for row in rows if customers is None or row[0] in customers)
            ledger.executemany(
                "UPDATE outbox SET state = ?, attempts = 0 WHERE destination = ? AND customer_id = ?",
                [(state, *key) for key in chosen],
            )
        return len(chosen)

    def log(self, *, as_of: str, run_id: str, at: datetime, detail: Mapping[str, Any]) -> None:
        """Note how a delivery ended; nobody is named."""
        row = (self.destination, as_of, run_id, at.isoformat(timespec="seconds"), json.dumps(detail, sort_keys=True))
        with self.store.transaction() as ledger:
            ledger.execute(
                "INSERT INTO deliveries (destination, as_of, run_id, started_at, detail) VALUES (?, ?, ?, ?, ?)", row
            )

    def logged(self, *, limit: int) -> list[dict[str, Any]]:
        """The newest deliveries, newest first."""
        with self.store.transaction() as ledger:
            rows = ledger.execute(
                "SELECT as_of, run_id, started_at, detail FROM deliveries WHERE destination = ? "
                "ORDER BY sequence DESC LIMIT ?",
                (self.destination, limit),
            ).fetchall()
        return [{**dict(row), "detail": json.loads(row["detail"])} for row in rows]

    def _customers(self, state: str) -> list[str]:
        with self.store.transaction() as ledger:
            query = "SELECT customer_id FROM outbox WHERE destination = ? AND state = ? ORDER BY customer_id"
            return [row[0] for row in ledger.execute(query, (self.destination, state))]

    def _keys(self, customers: Iterable[str]) -> list[tuple[str, str]]:
        return [(self.destination, customer) for customer in customers]

    def _record(self, ledger: Any, key: tuple[str, str]) -> OutboxRecord:
        row = ledger.execute(_RECORD, key).fetchone()
        customer, digest, body, withdrawn, *rest = row
        return OutboxRecord(customer, digest, json.loads(body), bool(withdrawn), *rest)
