"""The tables of every outbox: what waits for destinations, what they hold, and deleting customers from both."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np
import numpy.typing as npt

from pipelines.foundation.storage.store import Store

Gone = Callable[[list[str]], npt.NDArray[np.bool_]]


def destinations(store: Store) -> list[str]:
    """Every destination that something is planned for or that holds something, also those that settings forgot."""
    with store.transaction() as ledger:
        query = "SELECT destination FROM outbox UNION SELECT destination FROM held ORDER BY 1"
        return [row[0] for row in ledger.execute(query)]


def holders(store: Store, customer: str) -> list[str]:
    """The destinations that hold or may hold something of a customer."""
    with store.transaction() as ledger:
        query = "SELECT destination FROM held WHERE customer_id = ? ORDER BY destination"
        return [row[0] for row in ledger.execute(query, (customer,))]


def rows_of(store: Store, customers: Iterable[str], *, table: str) -> dict[str, int]:
    """How many rows of `outbox` or `held` each customer has who has any."""
    with store.transaction() as ledger:
        query = f"SELECT count(*) FROM {table} WHERE customer_id = ?"  # noqa: S608 - constants only
        found = {customer: ledger.execute(query, (customer,)).fetchone()[0] for customer in customers}
    return {customer: count for customer, count in found.items() if count}


def delete_customers(store: Store, gone: Gone, *, tables: Sequence[str]) -> int:
    """Delete customers from `outbox`, `held` or both, whatever the destination. How many rows."""
    deleted = 0
    with store.transaction() as ledger:
        for table in tables:
            names = [row[0] for row in ledger.execute(f"SELECT DISTINCT customer_id FROM {table}")]  # noqa: S608 - constants only
            leaving = [name for name, leaves in zip(names, gone(names), strict=True) if leaves]
            for name in leaving:
                deleted += ledger.execute(f"DELETE FROM {table} WHERE customer_id = ?", (name,)).rowcount  # noqa: S608 - constants only
    return deleted


def waiting(store: Store, names: Iterable[str]) -> list[str]:
    """Those of some destinations that something is planned for and not sent, or that hold nothing at all."""
    with store.reading() as ledger:
        pending = {row[0] for row in ledger.execute("SELECT DISTINCT destination FROM outbox WHERE state = 'pending'")}
        holding = {row[0] for row in ledger.execute("SELECT DISTINCT destination FROM held")}
    return [name for name in names if name in pending or name not in holding]
