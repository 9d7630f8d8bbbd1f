"""Batches, tries and pauses against a destination that fails as it is told."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings

from pipelines.foundation.storage.store import Store
from pipelines.operations.delivery.difference import Change
from pipelines.operations.delivery.outbox import Outbox
from pipelines.operations.delivery.policy import content
from pipelines.operations.delivery.sending import Patience, Sent, send
from tests.pipelines.operations.delivery.destination_case import Memory, values

AT = datetime(2024, 7, 1, 6, tzinfo=UTC)


def planned(folder: Path, *customers: str) -> Outbox:
    outbox = Outbox(Store(folder), "crm")
    said = values()
    outbox.plan([Change(each, said, content(said), withdrawn=False) for each in customers], keep=(), at=AT)
    return outbox


def sent(outbox: Outbox, memory: Memory, *, attempts: int = 4, pauses: list[float] | None = None) -> Sent:
    return send(
        outbox,
        memory,
        own=lambda names: [f"id of {name}" for name in names],
        at=AT,
        patience=Patience(attempts=attempts, pause_seconds=1.0),
        sleep=([] if pauses is None else pauses).append,
        progress=lambda _: None,
    )


def test_records_go_in_batches_under_the_companys_ids(tmp_path: Path) -> None:
    memory = Memory(batch=2)
    found = sent(planned(tmp_path, "A", "B", "C"), memory)
    assert memory.calls == [["id of A", "id of B"], ["id of C"]]
    assert memory.records["id of C"] == values()
    assert (found.taken, found.dead, found.failed) == (3, 0, 0)


def test_a_call_that_failed_is_made_again_whole_after_a_pause(tmp_path: Path) -> None:
    memory, pauses = Memory(mood=iter(["down", "down"])), list[float]()
    found = sent(planned(tmp_path, "A"), memory, pauses=pauses)
    assert found.taken == 1
    assert len(memory.calls) == 3
    assert 0.5 <= pauses[0] <= 1.0
    assert 1.0 <= pauses[1] <= 2.0


def test_an_answer_for_fewer_records_counts_for_none_of_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    outbox, memory = planned(tmp_path, "A", "B"), Memory()
    whole = memory.send
    monkeypatch.setattr(memory, "send", lambda records: whole(records)[:-1])
    found = sent(outbox, memory, attempts=2)
    assert (found.taken, found.failed, found.why) == (0, 2, "it answered for 1 of 2 records")
    monkeypatch.setattr(memory, "send", whole)
    assert sent(outbox, memory).taken == 2


def test_a_destination_that_asks_for_time_gets_it(tmp_path: Path) -> None:
    memory, pauses = Memory(mood=iter(["down"]), retry_after=17.5), list[float]()
    sent(planned(tmp_path, "A"), memory, pauses=pauses)
    assert pauses == [17.5]


def test_a_destination_that_asks_for_too_much_is_left_to_the_next_run(tmp_path: Path) -> None:
    outbox, pauses = planned(tmp_path, "A", "B"), list[float]()
    found = sent(outbox, Memory(mood=iter(["down"]), retry_after=3600), pauses=pauses)
    assert (found.failed, found.why, pauses) == (2, "it is down", [])
    assert outbox.waiting() == ["A", "B"]


def test_a_destination_that_stays_down_is_left_and_nothing_is_lost(tmp_path: Path) -> None:
    outbox, memory = planned(tmp_path, "A", "B", "C", "D"), Memory(mood=iter(["", *["down"] * 9]))
    found = sent(outbox, memory)
    assert (found.taken, found.failed, len(memory.calls)) == (3, 1, 5)
    assert sent(outbox, Memory()).taken == 1
    assert outbox.waiting() == []


def test_failures_count_only_in_a_row(tmp_path: Path) -> None:
    memory = Memory(batch=1, mood=iter(["down", "down", "", "down", "down", ""]))
    assert sent(planned(tmp_path, "A", "B"), memory, attempts=3).taken == 2


def test_a_lost_answer_sends_the_same_records_again(tmp_path: Path) -> None:
    memory = Memory(mood=iter(["lost"]))
    outbox = planned(tmp_path, "A", "B")
    assert sent(outbox, memory).taken == 2
    assert memory.calls[0] == memory.calls[1]
    assert not any(found.uncertain for found in outbox.remote_states().values())


def test_a_refused_record_holds_up_no_other(tmp_path: Path) -> None:
    outbox = planned(tmp_path, "A", "B", "C")
    found = sent(outbox, Memory(unknown=frozenset({"id of B"})))
    assert (found.taken, found.dead, found.failed) == (2, 1, 0)
    assert outbox.records("dead")[0].why == "nobody knows them"
    assert set(outbox.remote_states()) == {"A", "C"}


def test_records_to_be_tried_later_come_last_and_are_dead_letters_after_so_many_tries(tmp_path: Path) -> None:
    outbox, memory, pauses = planned(tmp_path, "A", "B"), Memory(batch=2, mood=iter(["busy"])), list[float]()
    assert sent(outbox, memory, pauses=pauses).taken == 2
    assert memory.calls == [["id of A", "id of B"], ["id of B"]]
    assert len(pauses) == 1

    class Locked(Memory):
        def send(self, records: Any) -> Any:
            super().send(records)
            from pipelines.operations.delivery.connector import Outcome

            return [Outcome("later", "the row is locked") for _ in records]

    (tmp_path / "two").mkdir()
    outbox, locked = planned(tmp_path / "two", "A"), Locked()
    assert sent(outbox, locked, attempts=3).dead == 1
    assert len(locked.calls) == 3
    assert outbox.records("dead")[0].why == "tried 3 times: the row is locked"
    assert outbox.remote_states()["A"].uncertain


@given(
    moods=st.lists(st.sampled_from(["", "down", "lost", "busy"]), max_size=12),
    count=st.integers(0, 12),
    batch=st.integers(1, 5),
)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_befalls_the_calls_the_end_is_exact(
    moods: list[str], count: int, batch: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    names = [f"C-{number:02d}" for number in range(count)]
    outbox = planned(tmp_path_factory.mktemp("any"), *names)
    memory = Memory(batch=batch, mood=iter(moods))
    found = sent(outbox, memory, attempts=14)
    assert found.taken == count
    assert memory.records == {f"id of {name}": values() for name in names}
    assert set(outbox.remote_states()) == set(names)
    assert outbox.waiting() == []


def test_pauses_grow_and_are_spread_and_bounded() -> None:
    patience, chance = Patience(attempts=9, pause_seconds=1.0), random.Random(1)
    pauses = [[patience.pause(failures, asked=None, chance=chance) for _ in range(200)] for failures in (1, 2, 3, 40)]
    for drawn, longest in zip(pauses, (1, 2, 4, 60), strict=True):
        assert longest / 2 <= min(drawn) < longest * 0.55
        assert longest * 0.95 < max(drawn) <= longest
