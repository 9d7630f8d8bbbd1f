"""A destination in this process that fails as it is told, and values as policy makes them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from pipelines.foundation.settings.delivered_fields import FIELDS
from pipelines.foundation.settings.settings import Settings
from pipelines.foundation.workspace.console import Console
from pipelines.foundation.workspace.run_context import RunContext
from pipelines.foundation.workspace.workspace import Workspace
from pipelines.operations.delivery.connector import TAKEN, DestinationError, Outcome, Record, UnavailableError, Value
from pipelines.operations.delivery.policy import Values
from tests.pipelines.shop_case import AS_OF, SETTINGS

NOW = datetime(2024, 7, 1, 6, tzinfo=UTC)
BLOCKS = [{"kind": "sql", "name": name, "address": "postgresql://127.0.0.1:9/none"} for name in ("crm", "warehouse")]


def job_in(folder: Path) -> RunContext:
    """A job on an empty workspace with two destinations."""
    settings = Settings.model_validate(SETTINGS.model_dump(exclude_unset=True) | {"destinations": BLOCKS})
    return RunContext(Workspace(folder, settings, AS_OF, AS_OF), Console(quiet=True), NOW)


@dataclass
class Memory:
    """records: what it holds. mood: what befalls each call, one word after the other; "" where nothing does.

    "down": nothing is taken; "lost": all is taken, and the answer is lost; "busy": every second record is to be tried
    later. unknown: ids that it refuses.
    """

    batch: int = 3
    mood: Iterator[str] = field(default_factory=lambda: iter(()))
    unknown: frozenset[str] = frozenset()
    retry_after: float | None = None
    records: dict[str, dict[str, Value]] = field(default_factory=dict)
    calls: list[list[str]] = field(default_factory=list)
    broken: str = ""

    def setup(self) -> list[str]:
        return []

    def check(self) -> None:
        if self.broken:
            raise DestinationError(self.broken)

    def send(self, records: Sequence[Record]) -> list[Outcome]:
        self.calls.append([record.external_id for record in records])
        assert 0 < len(records) <= self.batch
        mood = next(self.mood, "")
        if mood == "down":
            raise UnavailableError("it is down", retry_after=self.retry_after)
        outcomes = []
        for number, record in enumerate(records):
            if record.external_id in self.unknown:
                outcomes.append(Outcome("refused", "nobody knows them"))
            elif mood == "busy" and number % 2:
                outcomes.append(Outcome("later", "the row is locked"))
            else:
                self.records.setdefault(record.external_id, {}).update(record.values)
                outcomes.append(TAKEN)
        if mood == "lost":
            raise UnavailableError("no answer came")
        return outcomes

    def read(self, external_ids: Sequence[str]) -> dict[str, dict[str, Value]]:
        return {name: self.records[name] for name in external_ids if name in self.records}


def values(**changes: Value) -> Values:
    """Of a customer at high risk, with a play."""
    empty: Values = dict.fromkeys(FIELDS)
    return (
        empty
        | {
            "churn_probability": 0.81,
            "churn_risk_band": "high",
            "reason_1": "no order for 94 days",
            "reason_1_code": "buying_rhythm",
            "recommended_play": "Call",
            "recommended_play_code": "call",
            "value_at_risk": 120.5,
            "currency": "EUR",
            "horizon_days": 60,
            "model_version": "aaaaaaaaaaaa",
            "scored_at": "2024-07-01T06:00:00+00:00",
            "data_as_of": "2024-06-30",
            "valid_until": "2024-07-31",
            "run_id": "20240701-1",
            "suppressed": False,
        }
        | changes
    )
