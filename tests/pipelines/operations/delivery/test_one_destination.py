"""One destination from comparison to answer: literal rows, and a connector in memory that answers as it is told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from pipelines.foundation.ledger.score_store import ScoreRun
from pipelines.foundation.settings.delivered_fields import FIELDS, STAMPS
from pipelines.foundation.settings.settings import Settings
from pipelines.foundation.workspace.workspace import Workspace
from pipelines.operations.delivery.connector import TAKEN, DestinationError, Outcome, Record, UnavailableError, Value
from pipelines.operations.delivery.guards import stopped
from pipelines.operations.delivery.one_destination import (
    Compared,
    Wanted,
    compare,
    deliver_to,
    figures,
    wanted,
)
from pipelines.operations.delivery.policy import Values
from tests.pipelines.foundation.ledger.score_case import scores
from tests.pipelines.operations.delivery.destination_case import BLOCKS, NOW, values
from tests.pipelines.shop_case import SETTINGS

TODAY = date(2024, 7, 1)
REFUSED, LATER = Outcome("refused", "nobody knows them"), Outcome("later", "the row is locked")
RUN = ScoreRun(
    sequence=1, as_of="2024-07-01", run_id="20240701-1", made_from="m", history="h", rows=3, content_sha256="",
    detail={name: values()[name] for name in STAMPS}, current=True,
)  # fmt: skip


@dataclass
class InMemory:
    """A destination in this process, and what is in it by customer.

    answers: what each customer's record meets, one answer after another, before it is taken. lost: calls whose answer
    is lost. unchecked: why `check` fails. calls: the customers of each call.
    """

    answers: dict[str, list[Outcome]] = field(default_factory=dict)
    lost: int = 0
    unchecked: Exception | None = None
    batch: int = 2
    contents: dict[str, dict[str, Value]] = field(default_factory=dict)
    calls: list[list[str]] = field(default_factory=list)

    def setup(self) -> list[str]:
        return []

    def check(self) -> None:
        if self.unchecked is not None:
            raise self.unchecked

    def send(self, records: Sequence[Record]) -> list[Outcome]:
        self.calls.append([record.external_id for record in records])
        outcomes = [self._answer(record) for record in records]
        if self.lost:
            self.lost -= 1
            raise UnavailableError("no answer came")
        return outcomes

    def _answer(self, record: Record) -> Outcome:
        if answers := self.answers.get(record.external_id):
            return answers.pop(0)
        self.contents[record.external_id] = dict(record.values)
        return TAKEN

    def read(self, external_ids: Sequence[str]) -> dict[str, dict[str, Value]]:
        return {each: self.contents[each] for each in external_ids if each in self.contents}


def workspace(folder: Path, **sections: Any) -> Workspace:
    """Nothing has landed in it; it has one destination, "crm", and three attempts."""
    plain = {"destinations": BLOCKS[:1], "delivery": {"attempts": 3}}
    return Workspace(
        folder, Settings.model_validate(SETTINGS.model_dump(exclude_unset=True) | plain | sections), TODAY, TODAY
    )


def listed(folder: Path, setting: str, text: str) -> Workspace:
    (folder / "list.csv").write_text(text)
    return workspace(folder, privacy={setting: "list.csv"})


def wants_of(shop: Workspace, *, holdout: Sequence[str] = ()) -> Wanted:
    """What is wanted of A-17, É-2 and 10, who were scored."""
    rows = scores()
    groups = ["holdout" if name in holdout else "treatment" for name in rows["customer_id"]]
    plays = pd.DataFrame({"customer_id": rows["customer_id"], "treatment_group": groups})
    plays = plays.assign(recommended_play_code="call", recommended_play="Call")
    return wanted(shop.permissions, RUN, rows, before=None, plays=plays)


def compared(shop: Workspace, wants: Mapping[str, Values], *, why_not: str = "not_scored", days: int = 0) -> Compared:
    """With what "crm" has taken. why_not: of everybody who is not wanted. days: after TODAY."""
    (destination,) = shop.settings.destinations
    every = Wanted(RUN, wants, 0, lambda _: why_not)
    today, valid_days = TODAY + timedelta(days=days), shop.settings.delivery.valid_days
    return compare(shop.store, destination, every, today=today, valid_days=valid_days)


def delivered(shop: Workspace, wants: Mapping[str, Values], crm: InMemory, **options: Any) -> dict[str, Any]:
    return deliver_to(
        shop.settings.delivery, compared(shop, wants, **options), crm, RUN,
        now=NOW, own=list, sleep=lambda _: None, progress=lambda _: None,
    )  # fmt: skip


def counts(found: dict[str, Any]) -> tuple[int, ...]:
    return tuple(found[name] for name in ("planned", "sent", "unchanged", "failed", "dead"))


def customers(found: Compared) -> list[str]:
    return [change.customer for change in found.difference.changes]


def test_wanted_is_every_field_of_everybody_who_was_scored(tmp_path: Path) -> None:
    found = wants_of(workspace(tmp_path))
    assert list(found.values) == ["A-17", "É-2", "10"]
    assert (found.values["10"]["churn_risk_band"], found.values["10"]["recommended_play_code"]) == ("high", "call")
    assert (found.held_back, found.why_not("A-18")) == (0, "not_scored")
    assert found.stamps == {name: values()[name] for name in STAMPS}


@pytest.mark.parametrize(
    ("setting", "text", "why"),
    [
        ("opt_outs", "customer_id\nA-17\n", "opt_out"),
        ("objections", "customer_id\nA-17\n", "objection"),
        ("consent", "customer_id,given\nÉ-2,yes\n10,yes\n", "no_consent"),
    ],
)
def test_wanted_has_nothing_of_whom_a_list_names_and_says_why(
    setting: str, text: str, why: str, tmp_path: Path
) -> None:
    found = wants_of(listed(tmp_path, setting, text))
    assert list(found.values) == ["É-2", "10"]
    assert (found.held_back, found.why_not("A-17")) == (1, why)


def test_wanted_shows_no_risk_of_the_holdout(tmp_path: Path) -> None:
    found = wants_of(workspace(tmp_path), holdout=["10"])
    assert (found.values["10"]["churn_risk_band"], found.values["10"]["suppressed_why"]) == (None, "holdout")
    assert found.held_back == 1


def test_holdout_and_opt_outs_are_held_back_together(tmp_path: Path) -> None:
    assert wants_of(listed(tmp_path, "opt_outs", "customer_id\nA-17\n"), holdout=["A-17", "10"]).held_back == 2


def test_compare_before_anything_was_taken_changes_everybody_and_plans_nothing(tmp_path: Path) -> None:
    found = compared(workspace(tmp_path), {"A": values(), "B": values()})
    assert (customers(found), found.difference.unchanged, found.remote) == (["A", "B"], 0, {})
    assert found.outbox.waiting() == []


def test_compare_leaves_out_what_was_taken_and_has_not_changed(tmp_path: Path) -> None:
    shop = workspace(tmp_path)
    delivered(shop, {"A": values(), "B": values()}, InMemory())
    found = compared(shop, {"A": values(run_id="20240702-1"), "B": values(churn_risk_band="low")})
    assert (customers(found), found.difference.unchanged) == (["B"], 1)


def test_compare_sends_again_what_is_valid_for_less_than_half_of_the_days(tmp_path: Path) -> None:
    shop = workspace(tmp_path, delivery={"valid_days": 20})
    delivered(shop, {"A": values(valid_until="2024-07-21")}, InMemory())
    assert [customers(compared(shop, {"A": values()}, days=days)) for days in (10, 11)] == [[], ["A"]]


def test_compare_empties_whoever_is_not_wanted_any_more(tmp_path: Path) -> None:
    shop = workspace(tmp_path)
    delivered(shop, {"A": values(), "B": values()}, InMemory())
    found = compared(shop, {"B": values()}, why_not="opt_out")
    (change,) = found.difference.changes
    emptied = dict.fromkeys(FIELDS) | {name: values()[name] for name in STAMPS}
    assert (change.customer, change.withdrawn) == ("A", True)
    assert change.values == emptied | {"suppressed": True, "suppressed_why": "opt_out"}


def test_compared_has_the_guards_of_its_destination(tmp_path: Path) -> None:
    shop = workspace(tmp_path)
    delivered(shop, {name: values() for name in "ABC"}, InMemory())
    found = compared(shop, {"A": values(), **{name: values(churn_risk_band="low") for name in "BC"}})
    lines = stopped(found.guards(max_changed_share=0.5, max_band_shift=0.5))
    assert [line.partition(" ")[0] for line in lines] == ["changes:", "bands:"]
    assert stopped(found.guards(max_changed_share=0.7, max_band_shift=0.7)) == []
    assert found.outbox.waiting() == []


def test_a_sample_has_three_records_at_most_under_the_companys_ids(tmp_path: Path) -> None:
    wants = {name: values(reason_2=name) for name in "ABCDE"}
    found = compared(workspace(tmp_path), wants).sample(lambda names: [f"id of {name}" for name in names])
    assert len({each["reason_2"] for each in found}) == 3
    assert all(each["external_id"] == f"id of {each['reason_2']}" for each in found)


def test_deliver_to_sends_what_changed_and_nothing_else(tmp_path: Path) -> None:
    shop, crm = workspace(tmp_path), InMemory()
    assert counts(delivered(shop, {name: values() for name in "ABC"}, crm)) == (3, 3, 0, 0, 0)
    crm.calls.clear()
    changed = {"A": values(), "B": values(churn_risk_band="low"), "C": values()}
    assert counts(delivered(shop, changed, crm)) == (1, 1, 2, 0, 0)
    assert (crm.calls, crm.contents["B"]["churn_risk_band"]) == ([["B"]], "low")


def test_deliver_to_reads_alone_and_logs_nothing_where_nothing_changed(tmp_path: Path) -> None:
    shop, crm = workspace(tmp_path), InMemory()
    delivered(shop, {"A": values()}, crm)
    crm.unchecked = AssertionError("it was asked")
    found = delivered(shop, {"A": values()}, crm)
    assert (counts(found), found["read_back"], len(crm.calls)) == ((0, 0, 1, 0, 0), 1, 1)
    assert len(compared(shop, {}).outbox.logged(limit=5)) == 1


def test_deliver_to_empties_who_opted_out(tmp_path: Path) -> None:
    shop, crm = workspace(tmp_path), InMemory()
    delivered(shop, {"A": values(), "B": values()}, crm)
    assert counts(delivered(shop, {"B": values()}, crm, why_not="opt_out")) == (1, 1, 1, 0, 0)
    left = {name: value for name, value in crm.contents["A"].items() if value is not None and name not in STAMPS}
    assert left == {"suppressed": True, "suppressed_why": "opt_out"}
    assert set(compared(shop, {}).remote) == {"B"}


def test_what_is_refused_is_final_until_it_changes(tmp_path: Path) -> None:
    shop, crm = workspace(tmp_path), InMemory(answers={"B": [REFUSED]})
    assert counts(delivered(shop, {"A": values(), "B": values()}, crm)) == (2, 1, 0, 0, 1)
    assert counts(delivered(shop, {"A": values(), "B": values()}, crm)) == (0, 0, 1, 0, 1)
    assert "B" not in crm.contents
    assert counts(delivered(shop, {"A": values(), "B": values(churn_risk_band="low")}, crm)) == (1, 1, 1, 0, 0)


def test_what_is_for_later_is_tried_again_and_a_dead_letter_after_three_attempts(tmp_path: Path) -> None:
    shop, crm = workspace(tmp_path), InMemory(answers={"A": [LATER, LATER], "B": [LATER] * 9})
    found = delivered(shop, {"A": values(), "B": values()}, crm)
    assert (counts(found), crm.calls) == ((2, 1, 0, 0, 1), [["A", "B"]] * 3)
    (record,) = compared(shop, {}).outbox.records("dead")
    assert (record.customer, record.why) == ("B", "tried 3 times: the row is locked")


def test_records_without_an_answer_are_uncertain_and_sent_again(tmp_path: Path) -> None:
    shop, crm = workspace(tmp_path), InMemory(lost=3)
    found = delivered(shop, {"A": values()}, crm)
    assert (counts(found), found["why"]) == ((1, 0, 0, 1, 0), "no answer came")
    assert compared(shop, {"A": values()}).remote["A"].uncertain
    assert counts(delivered(shop, {"A": values()}, crm)) == (1, 1, 0, 0, 0)
    assert not compared(shop, {"A": values()}).remote["A"].uncertain


def test_a_connector_that_leaves_answers_out_is_stopped_and_its_records_are_uncertain(tmp_path: Path) -> None:
    class Forgetful(InMemory):
        def send(self, records: Sequence[Record]) -> list[Outcome]:
            return super().send(records)[:-1]

    shop = workspace(tmp_path)
    told = delivered(shop, {"A": values(), "B": values()}, Forgetful())
    assert told["why"] == "it answered for 1 of 2 records"
    assert told["sent"] == 0
    found = compared(shop, {"A": values(), "B": values()})
    assert [state.uncertain for state in found.remote.values()] == [True, True]
    assert customers(found) == ["A", "B"]


def test_a_destination_that_cannot_be_asked_leaves_everything_waiting(tmp_path: Path) -> None:
    shop = workspace(tmp_path)
    found = delivered(shop, {"A": values()}, InMemory(unchecked=UnavailableError("it is down")))
    assert (counts(found), found["why"]) == ((1, 0, 0, 1, 0), "it is down")
    with pytest.raises(DestinationError, match="a field is missing"):
        delivered(shop, {"A": values()}, InMemory(unchecked=DestinationError("a field is missing")))
    assert compared(shop, {}).outbox.waiting() == ["A"]


def test_what_is_read_back_otherwise_is_named_and_sent_again(tmp_path: Path) -> None:
    class Rounding(InMemory):
        def read(self, external_ids: Sequence[str]) -> dict[str, dict[str, Value]]:
            return {name: each | {"value_at_risk": 120.0} for name, each in super().read(external_ids).items()}

    shop = workspace(tmp_path)
    found = delivered(shop, {"A": values(), "B": values(value_at_risk=120)}, Rounding())
    assert (found["read_back"], found["differing"]) == (2, {"A": ["value_at_risk"]})
    assert customers(compared(shop, {"A": values(), "B": values(value_at_risk=120)})) == ["A"]
    (logged,) = compared(shop, {}).outbox.logged(limit=5)
    assert (logged["run_id"], logged["detail"]["differing"]) == ("20240701-1", 1)


def test_what_cannot_be_read_back_is_said_and_counts_as_sent(tmp_path: Path) -> None:
    class Unread(InMemory):
        def read(self, external_ids: Sequence[str]) -> dict[str, dict[str, Value]]:
            raise DestinationError(f"{len(external_ids)} may not be read")

    found = delivered(workspace(tmp_path), {"A": values()}, Unread())
    assert (found["sent"], found["read_back"], found["not_read_back"]) == (1, 0, "1 may not be read")


def test_figures_are_what_would_be_sent(tmp_path: Path) -> None:
    shop = workspace(tmp_path)
    delivered(shop, {"A": values(), "B": values(), "C": values()}, InMemory(answers={"C": [REFUSED]}))
    assert figures(compared(shop, {"A": values(), "B": values(churn_risk_band="low"), "C": values()})) == {
        "name": "crm", "planned": 1, "sent": 0, "unchanged": 1, "failed": 0, "dead": 1, "why": "", "read_back": 0,
        "not_read_back": "", "mended": 0, "differing": {},
    }  # fmt: skip


@pytest.mark.parametrize("lost", [0, 1, 3])
@pytest.mark.parametrize("refused", ["", "BD", "ABCDE"])
@pytest.mark.parametrize("later", ["", "CD"])
def test_everybody_is_planned_or_unchanged_and_every_planned_record_sent_failed_or_dead(
    lost: int, refused: str, later: str, tmp_path: Path
) -> None:
    shop = workspace(tmp_path)
    delivered(shop, {"F": values()}, InMemory())
    answers = {name: [LATER] * 9 for name in later} | {name: [REFUSED] for name in refused}
    found = delivered(shop, {name: values() for name in "ABCDEF"}, InMemory(answers=answers, lost=lost))
    planned, sent, unchanged, failed, dead = counts(found)
    assert (planned, unchanged) == (5, 1)
    assert sent + failed + dead == planned
