"""Which play was recommended for whom and when, holdout included: what was really done is judged against it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from pipelines.foundation.storage.store import Store

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = (
    "customer_id",
    "play",
    "recommended_on",
    "treatment_group",
    "churn_probability",
    "value",
    "expected_profit",
    "run_id",
)


class Recommended:
    """One row per customer and day on which a play was recommended anew.

    recommended_on: the day that scoring looked from. treatment_group: "treatment", or "holdout" for whom the play would
    have been recommended, had chance not kept them out. churn_probability, value (revenue over the horizon if the
    customer stays; null where it is not known) and expected_profit: as they were then.
    """

    def __init__(self, store: Store) -> None:
        self.store = store

    def read(self) -> pd.DataFrame:
        """Every row, by day and customer."""
        with self.store.transaction() as ledger:
            rows = ledger.execute("SELECT * FROM recommended ORDER BY recommended_on, customer_id").fetchall()
        import pandas as pd

        return pd.DataFrame([tuple(row) for row in rows], columns=list(COLUMNS))

    def replace(self, day: str, rows: pd.DataFrame) -> None:
        """Make these the recommendations of a day, whole."""
        marks = ", ".join("?" * len(COLUMNS))
        rows = rows[list(COLUMNS)].astype(object).where(rows[list(COLUMNS)].notna(), None)
        with self.store.transaction() as ledger:
            ledger.execute("DELETE FROM recommended WHERE recommended_on = ?", (day,))
            ledger.executemany(f"INSERT INTO recommended VALUES ({marks})", rows.itertuples(index=False, name=None))  # noqa: S608 - constants only

    def rows_of(self, customers: Iterable[str]) -> dict[str, int]:
        """How many rows each customer has who has any."""
        with self.store.transaction() as ledger:
            query = "SELECT count(*) FROM recommended WHERE customer_id = ?"
            found = {customer: ledger.execute(query, (customer,)).fetchone()[0] for customer in customers}
        return {customer: count for customer, count in found.items() if count}

    def expire(self, before: date) -> int:
        """Delete what was recommended before a day. How many rows."""
        with self.store.transaction() as ledger:
            return ledger.execute("DELETE FROM recommended WHERE recommended_on < ?", (str(before),)).rowcount

    def delete_customers(self, gone: Callable[[list[str]], npt.NDArray[np.bool_]]) -> int:
        """Delete customers. How many rows."""
        with self.store.transaction() as ledger:
            names = [row["customer_id"] for row in ledger.execute("SELECT DISTINCT customer_id FROM recommended")]
            leaving = [(name,) for name, leaves in zip(names, gone(names), strict=True) if leaves] if names else []
            before = ledger.total_changes
            ledger.executemany("DELETE FROM recommended WHERE customer_id = ?", leaving)
            return ledger.total_changes - before
