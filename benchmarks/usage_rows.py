"""Uses of a product, as many as asked for: every value follows from a row's number, so each run makes the same."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import duckdb

from features.tables import TABLES
from pipelines.foundation.storage.landed_parquet import landed_schema, write_parquet

CONTRACT = TABLES["usage"]
FIRST_DAY = date(2021, 6, 1)
# The first of each month of the third year, twelve snapshots and the one that is added: each sees as much history as
# the longest lookback and the span before it reach back, 730 days, so that none costs more than another by that.
SNAPSHOTS = tuple(date(2023 + month // 12, 1 + month % 12, 1) for month in range(5, 18))
DAYS = (SNAPSHOTS[-1] - FIRST_DAY).days
LANDED, EXPORTED = "landed.parquet", "exported.parquet"
ORDERS = {LANDED: "customer_id, used_at, source_row", EXPORTED: "used_at, source_row"}

# Seven visits have 1 to 7 uses each, four on average: 28 rows, of which row n belongs to the visit numbered by the
# triangular root of n. A visit lies between 6 and 23 o'clock. One in twenty became known up to 30 days late. Of
# quantities, features and errors a few are null, as the contract allows.
_ROWS = """
    WITH rows AS (SELECT n, floor((sqrt(8 * (n % 28) + 1) - 1) / 2)::BIGINT AS nth FROM range({events}) numbers(n)),
    uses AS (SELECT n, n // 28 * 7 + nth AS visit, n % 28 - nth * (nth + 1) // 2 AS use FROM rows),
    placed AS (
        SELECT n, visit, 'c' || lpad((hash(visit, 1) % {customers})::VARCHAR, 7, '0') AS customer_id,
            TIMESTAMP '{first_day}' + to_days((hash(visit, 2) % {days})::INTEGER)
                + to_seconds(21600 + (hash(visit, 3) % 57600)::BIGINT + 173 * use) AS used_at
        FROM uses
    )
    SELECT customer_id, used_at, used_at::DATE AS used_on,
        CASE WHEN hash(n, 4) % 100 > 0 THEN ['import', 'report', 'share', 'alert', 'export', 'search']
            [1 + (hash(n, 5) % 6)::INTEGER] END AS feature,
        's' || (hash(visit, 6) % 3)::VARCHAR AS seat_id,
        CASE WHEN hash(n, 7) % 100 > 0 THEN ((1 + hash(n, 8) % 20) * 0.25)::DECIMAL(18, 4) END AS quantity,
        CASE WHEN hash(n, 9) % 100 > 0 THEN greatest(0, (hash(n, 10) % 40)::BIGINT - 36) END AS errors,
        used_at + to_days(CASE WHEN hash(visit, 11) % 20 = 0 THEN 1 + (hash(visit, 12) % 30)::INTEGER ELSE 0 END)
            AS known_at,
        n AS source_row
    FROM placed
    ORDER BY {order}
"""


def customer_ids(customers: int) -> list[str]:
    """Everybody, sorted; in a small sample some of them never used anything."""
    return [f"c{number:07d}" for number in range(customers)]


def write_usage(folder: Path, name: str, *, events: int, customers: int) -> None:
    """One of `ORDERS`: as ingest leaves the rows, or in order of time as a system exports them."""
    rows = _ROWS.format(events=events, customers=customers, first_day=FIRST_DAY, days=DAYS, order=ORDERS[name])
    with duckdb.connect(config={"temp_directory": str(folder / "spilled"), "memory_limit": "2GB"}) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute("SET enable_progress_bar = false")
        batches = connection.execute(rows).to_arrow_reader(65_536)
        assert write_parquet(folder / name, batches, landed_schema(CONTRACT)) == events
