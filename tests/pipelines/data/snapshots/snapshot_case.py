"""A shop and a club over literal rows, as tables of an engine, for the tests of this folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import ibis.expr.types as ir

from features.cohort import Cohort
from features.subscription_periods import Endings
from pipelines.data.snapshots.outcomes import Observed
from pipelines.foundation.workspace.compiled_queries import CompiledQueries
from tests.features.world_case import landed

ENDINGS = Endings(grace_days=3)
SHOP = Observed(
    cohort=Cohort(kind="ordered_within", active_days=365),
    lead_days=0,
    horizon_days=60,
    endings=None,
    price_rise_is_expansion=False,
    time_zone="Europe/Paris",
    tables=("orders",),
)
CLUB = Observed(
    cohort=Cohort(kind="subscribed"),
    lead_days=7,
    horizon_days=60,
    endings=ENDINGS,
    price_rise_is_expansion=False,
    time_zone="Europe/Paris",
    tables=("subscriptions",),
)


def tables_of(compiled: CompiledQueries, **rows: Sequence[Mapping[str, Any]]) -> dict[str, ir.Table]:
    """Rows as they land, under names that queries keep."""
    return {name: compiled.rows_of(name, landed(name, content)) for name, content in rows.items()}
