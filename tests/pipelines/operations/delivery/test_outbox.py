"""What the ledger knows of each record, from plan to answer."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from pipelines.foundation.ledger.outbox import delete_customers, destinations, holders, rows_of
from pipelines.foundation.storage.store import Store
from pipelines.operations.delivery.difference import Change, RemoteState
from pipelines.operations.delivery.outbox import Outbox
from pipelines.operations.delivery.policy import content
from tests.pipelines.operations.delivery.destination_case import values

AT = datetime(2024, 7, 1, 6, tzinfo=UTC)


@pytest.fixture
def outbox(tmp_path: Path) -> Outbox:
    return Outbox(Store(tmp_path), "crm")


def change(customer: str, *, band: str = "high", withdrawn: bool = False) -> Change:
    said = values(churn_risk_band=band)
    return Change(customer, said, content(said), withdrawn)


def plan(outbox: Outbox, *changes: Change, keep: tuple[str, ...] = ()) -> None:
    outbox.plan(changes, keep=keep, at=AT)


def deliver(outbox: Outbox, *changes: Change) -> None:
    plan(outbox, *changes)
    outbox.taken(outbox.mark_in_flight([each.customer for each in changes]), at=AT)


def test_what_is_planned_waits_until_it_is_taken(outbox: Outbox) -> None:
    plan(outbox, change("B"), change("A"))
    assert outbox.waiting() == ["A", "B"]
    records = outbox.mark_in_flight(["A"])
    assert records[0].values == values()
    assert outbox.waiting() == ["A", "B"]
    outbox.taken(records, at=AT)
    assert outbox.waiting() == ["B"]
    assert outbox.remote_states()["A"] == RemoteState(content(values()), "2024-07-31", "high", "call", uncertain=False)


def test_once_in_flight_the_destination_may_hold_the_record(outbox: Outbox) -> None:
    plan(outbox, change("A"))
    assert outbox.remote_states() == {}
    outbox.mark_in_flight(["A"])
    assert outbox.remote_states()["A"] == RemoteState(None, None, None, None, uncertain=True)


def test_an_unanswered_call_makes_what_was_taken_before_uncertain_only(outbox: Outbox) -> None:
    deliver(outbox, change("A"))
    plan(outbox, change("A", band="low"))
    outbox.mark_in_flight(["A"])
    found = outbox.remote_states()["A"]
    assert (found.content_sha256, found.band, found.uncertain) == (content(values()), "high", True)


def test_a_refused_record_is_a_dead_letter_and_the_remote_state_stays(outbox: Outbox) -> None:
    deliver(outbox, change("A"))
    plan(outbox, change("A", band="low"), change("B"))
    outbox.mark_in_flight(["A", "B"])
    outbox.dead_letter({"A": "too long", "B": "nobody knows them"}, certain=True)
    assert outbox.waiting() == []
    assert outbox.remote_states() == {
        "A": RemoteState(content(values()), "2024-07-31", "high", "call", uncertain=False)
    }
    assert {record.customer: record.why for record in outbox.records("dead")} == {
        "A": "too long",
        "B": "nobody knows them",
    }
    assert outbox.refused() == {"A": change("A", band="low").content_sha256, "B": content(values())}


def test_a_record_given_up_may_be_there_all_the_same(outbox: Outbox) -> None:
    plan(outbox, change("A"))
    outbox.mark_in_flight(["A"])
    outbox.dead_letter({"A": "tried 10 times"}, certain=False)
    assert outbox.remote_states()["A"].uncertain


def test_a_newer_plan_takes_the_place_of_what_was_waiting(outbox: Outbox) -> None:
    plan(outbox, change("A"), change("B"))
    plan(outbox, change("B", band="low"))
    assert outbox.waiting() == ["B"]
    assert outbox.mark_in_flight(["B"])[0].values["churn_risk_band"] == "low"


def test_tries_are_counted_for_the_same_content_only(outbox: Outbox) -> None:
    plan(outbox, change("A"))
    outbox.tried({"A": "locked"})
    outbox.tried({"A": "locked"})
    plan(outbox, change("A"))
    assert outbox.records("pending")[0].attempts == 2
    plan(outbox, change("A", band="low"))
    assert outbox.records("pending")[0].attempts == 0


def test_refusals_that_still_hold_stay_and_others_go(outbox: Outbox) -> None:
    plan(outbox, change("A"), change("B"))
    outbox.mark_in_flight(["A", "B"])
    outbox.dead_letter({"A": "no", "B": "no"}, certain=True)
    plan(outbox, keep=("A",))
    assert [record.customer for record in outbox.records("dead")] == ["A"]
    plan(outbox, change("A", band="low"))
    assert outbox.records("dead") == []
    assert outbox.waiting() == ["A"]


def test_a_withdrawal_that_was_taken_leaves_nothing(outbox: Outbox) -> None:
    deliver(outbox, change("A"), change("B"))
    deliver(outbox, change("A", withdrawn=True))
    assert set(outbox.remote_states()) == {"B"}
    assert outbox.counts() == {"pending": 0, "dead": 0, "dropped": 0, "held": 1}


def test_refused_records_can_be_dropped_and_tried_again(outbox: Outbox) -> None:
    plan(outbox, change("A"), change("B"), change("C"))
    outbox.mark_in_flight(["A", "B"])
    outbox.tried({"A": "locked"})
    outbox.dead_letter({"A": "no", "B": "no"}, certain=True)
    assert outbox.put("dropped", {"A", "C"}) == 1
    assert outbox.counts() == {"pending": 1, "dead": 1, "dropped": 1, "held": 0}
    assert set(outbox.refused()) == {"A", "B"}
    assert outbox.put("pending", None) == 2
    assert outbox.waiting() == ["A", "B", "C"]
    assert outbox.records("pending")[0].attempts == 0


def test_destinations_do_not_see_each_other(outbox: Outbox) -> None:
    other = Outbox(outbox.store, "other")
    deliver(outbox, change("A"))
    plan(other, change("A"))
    outbox.plan([], keep=(), at=AT)
    assert other.waiting() == ["A"]
    assert other.remote_states() == {}
    assert destinations(outbox.store) == ["crm", "other"]


def test_who_is_deleted_is_in_no_outbox_any_more_and_perhaps_in_the_remote_state(outbox: Outbox) -> None:
    deliver(outbox, change("A"), change("B"))
    plan(outbox, change("A", band="low"), change("C"))
    gone = lambda names: np.array([name == "A" for name in names], dtype=np.bool_)  # noqa: E731
    assert rows_of(outbox.store, ["A", "B", "Z"], table="held") == {"A": 1, "B": 1}
    assert delete_customers(outbox.store, gone, tables=("outbox",)) == 1
    assert outbox.waiting() == ["C"]
    assert holders(outbox.store, "A") == ["crm"]
    assert delete_customers(outbox.store, gone, tables=("outbox", "held")) == 1
    assert holders(outbox.store, "A") == []
    assert set(outbox.remote_states()) == {"B"}


def test_deliveries_are_logged_newest_first(outbox: Outbox) -> None:
    for day in ("2024-07-01", "2024-07-02", "2024-07-03"):
        outbox.log(as_of=day, run_id=f"run of {day}", at=AT, detail={"sent": 1})
    assert [each["as_of"] for each in outbox.logged(limit=2)] == ["2024-07-03", "2024-07-02"]
    assert outbox.logged(limit=1)[0]["detail"] == {"sent": 1}
