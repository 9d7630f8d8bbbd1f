"""A workspace whose orders are a query, landed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipelines.data.landing.ingest import ingest
from pipelines.foundation.settings.sources import QuerySource
from pipelines.foundation.storage.store import Store
from tests.pipelines.data.landing.landing_case import LANDED_ON, Landed, newest, settings

COLUMNS = "order_id, customer_id, ordered_at, amount"


def query_source(query: str, **changes: Any) -> QuerySource:
    return QuerySource(**({"table": "orders", "query": query, "max_rejected_share": 1.0} | changes))


def land_query(root: Path, query: str, files: dict[str, str | bytes] | None = None, **changes: Any) -> Landed:
    """Write files and land what a query gives of them; every row may be rejected unless `changes` say otherwise."""
    for name, content in (files or {}).items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content.encode() if isinstance(content, str) else content)
    store = Store(root)
    (result,) = ingest(store, settings(query_source(query, **changes)), today=LANDED_ON)
    return Landed(result, newest(store, "landed"), newest(store, "rejected"))
