"""Delivery of a small shop's scores to a destination in this process, day after day."""

from __future__ import annotations

import json
import shutil
import socket
from collections.abc import Callable, Collection
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from typer.testing import CliRunner

from features.errors import DataError, IntegrityError
from pipelines.cli import app
from pipelines.data.privacy.enforce import taken_to_write
from pipelines.data.privacy.erase import erase
from pipelines.foundation.ledger.recommendations import Recommended
from pipelines.foundation.ledger.score_store import ScoreStore
from pipelines.foundation.settings.delivered_fields import STAMPS
from pipelines.foundation.settings.settings import Settings
from pipelines.foundation.settings.template import render
from pipelines.foundation.storage.store import Store
from pipelines.foundation.workspace.console import Console
from pipelines.foundation.workspace.run_context import RunContext
from pipelines.foundation.workspace.workspace import Workspace, open_workspace
from pipelines.operations.delivery import deliver as delivery
from pipelines.operations.delivery.connector import DestinationError
from pipelines.operations.delivery.guards import StoppedError
from pipelines.operations.delivery.outbox import Outbox
from tests.pipelines.operations.delivery.destination_case import Memory
from tests.pipelines.operations.delivery.json_api.json_api_case import rest
from tests.pipelines.shop_case import SETTINGS, attrition

NOW = datetime(2025, 6, 1, 6, tzinfo=UTC)
ELSEWHERE = {"kind": "sql", "name": "crm", "address": "postgresql://127.0.0.1:9/none"}


@pytest.fixture(scope="module")
def scored(finished_workspace: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scored") / "shop"
    shutil.copytree(finished_workspace, folder)
    settle(folder)
    return folder


@pytest.fixture
def shop(scored: Path, tmp_path: Path) -> Path:
    shutil.copytree(scored, tmp_path / "shop")
    return tmp_path / "shop"


@pytest.fixture
def memory(monkeypatch: pytest.MonkeyPatch) -> Memory:
    made = Memory(batch=50)
    monkeypatch.setattr(delivery, "connect", lambda plan, language: made)
    return made


def settle(folder: Path, **changes: Any) -> None:
    """Settings with one destination."""
    wanted = SETTINGS.model_dump(exclude_unset=True) | {"destinations": [ELSEWHERE]} | changes
    (folder / "attrition.toml").write_text(render(Settings.model_validate(wanted)), encoding="utf-8")


def opened(folder: Path, *, now: datetime = NOW) -> Workspace:
    return open_workspace(folder, now=now)


def deliver(folder: Path, *, now: datetime = NOW, despite: Collection[str] = (), dry_run: bool = False) -> Any:
    """As the command does: the workspace is taken to write, unless nothing is to be."""
    workspace = opened(folder, now=now)
    with nullcontext() if dry_run else taken_to_write(workspace):
        return delivery.deliver(workspace, now=now, despite=despite, dry_run=dry_run, sleep=lambda _: None)


def counts(document: Any) -> tuple[int, ...]:
    """planned, sent, unchanged, failed, dead of the destination."""
    found = next(each for each in document["destinations"] if each["name"] == "crm")
    return tuple(found[name] for name in ("planned", "sent", "unchanged", "failed", "dead"))


def rescored(folder: Path, change: Callable[[pd.DataFrame], pd.DataFrame], *, run_id: str = "20250601-changed") -> None:
    """The scores of the day again, after `change` was made to them."""
    workspace = opened(folder)
    scores = ScoreStore(workspace.store)
    run = scores.require(str(workspace.as_of))
    frame = pd.read_parquet(folder / run.history)
    frame = change(frame).assign(run_id=run_id, scored_at="2025-06-01T07:00:00+00:00")
    detail = {**run.detail, "run_id": run_id, "scored_at": "2025-06-01T07:00:00+00:00"}
    scores.replace(frame, as_of=run.as_of, run_id=run_id, made_from=run_id, detail=detail)


def everybody(folder: Path) -> set[str]:
    found = ScoreStore(Store(folder)).current()
    assert found is not None
    return set(found[1]["customer_id"])


def listed(folder: Path, setting: str, *customers: str) -> None:
    (folder / f"{setting}.csv").write_text("customer_id\n" + "".join(f"{each}\n" for each in customers))
    settle(folder, privacy={setting: f"{setting}.csv"})


def test_everybody_is_sent_once_and_a_second_delivery_sends_nothing(shop: Path, memory: Memory) -> None:
    n = len(everybody(shop))
    first = deliver(shop)
    assert counts(first) == (n, n, 0, 0, 0)
    assert (first["sent"], first["unchanged"], first["suppressed"]) == (n, 0, 0)
    assert set(memory.records) == everybody(shop)
    calls = len(memory.calls)
    assert counts(deliver(shop)) == (0, 0, n, 0, 0)
    assert len(memory.calls) == calls


def test_what_is_held_is_what_was_scored(shop: Path, memory: Memory) -> None:
    deliver(shop)
    found = ScoreStore(Store(shop)).current()
    assert found is not None
    for row in found[1].to_dict("records"):
        remote = memory.records[row["customer_id"]]
        assert remote["churn_probability"] == round(row["churn_probability"], 4)
        assert remote["churn_risk_band"] == row["churn_risk_band"]
        assert (remote["reason_1"] or "") == row["reason_1"]
        assert remote["run_id"] == row["run_id"]
        assert remote["valid_until"] == "2025-07-01"


def test_a_change_in_one_customer_sends_one_record(shop: Path, memory: Memory) -> None:
    n = len(everybody(shop))
    deliver(shop)
    memory.calls.clear()

    def change(frame: pd.DataFrame) -> pd.DataFrame:
        frame.loc[frame.customer_id == "C-0042", "churn_probability"] = 0.123456
        return frame

    rescored(shop, change)
    assert counts(deliver(shop)) == (1, 1, n - 1, 0, 0)
    assert memory.calls == [["C-0042"]]
    assert memory.records["C-0042"]["churn_probability"] == 0.1235
    assert memory.records["C-0042"]["run_id"] == "20250601-changed"


def test_a_new_scoring_with_the_same_figures_sends_nothing(shop: Path, memory: Memory) -> None:
    n = len(everybody(shop))
    deliver(shop)
    rescored(shop, lambda frame: frame)
    assert counts(deliver(shop)) == (0, 0, n, 0, 0)


def test_without_destinations_the_file_is_counted_by_what_is_new_in_it(shop: Path) -> None:
    settle(shop, destinations=[])
    n = len(everybody(shop))
    assert {name: deliver(shop)[name] for name in delivery.COUNTS} == dict.fromkeys(delivery.COUNTS, 0) | {
        "unchanged": n
    }

    def change(frame: pd.DataFrame) -> pd.DataFrame:
        frame.loc[frame.customer_id == "C-0042", "churn_probability"] = 0.123456
        return frame[frame.customer_id != "C-0043"]

    rescored(shop, change)
    found = deliver(shop)
    assert (found["planned"], found["sent"], found["unchanged"]) == (1, 1, n - 2)
    (shop / "delivery" / Path(found["csv"]).name).unlink()
    next((shop / "delivery").glob("scores-*.csv")).unlink()
    assert deliver(shop)["sent"] == n - 1


def test_a_file_that_was_altered_after_its_delivery_is_refused_by_name_and_made_anew_once_it_is_gone(
    shop: Path,
) -> None:
    settle(shop, destinations=[])
    place = shop / deliver(shop)["csv"]
    written = place.read_bytes()
    place.write_bytes(written.replace(b"C-0042", b"C-0043"))
    with pytest.raises(IntegrityError, match=f"{place.name} is not the file that was written .* delete it"):
        deliver(shop)
    place.unlink()
    deliver(shop)
    assert place.read_bytes() == written


def test_yesterdays_file_may_have_been_altered_and_then_tells_of_nothing(shop: Path) -> None:
    settle(shop, destinations=[])
    place = shop / deliver(shop)["csv"]
    place.write_bytes(place.read_bytes().replace(b"C-0042", b"C-0043"))
    rescored(shop, lambda frame: frame.assign(churn_probability=frame["churn_probability"] / 2))
    assert deliver(shop)["sent"] == len(everybody(shop))


def test_what_soon_holds_no_longer_is_sent_again_though_nothing_changed(shop: Path, memory: Memory) -> None:
    n = len(everybody(shop))
    deliver(shop)
    with Store(shop).transaction() as ledger:
        ledger.execute("UPDATE held SET valid_until = '2025-06-15' WHERE customer_id = 'C-0042'")
        ledger.execute("UPDATE held SET valid_until = '2025-06-16' WHERE customer_id = 'C-0043'")
    memory.records["C-0043"]["valid_until"] = "2025-06-16"
    memory.calls.clear()
    assert counts(deliver(shop)) == (1, 1, n - 1, 0, 0)
    assert memory.calls == [["C-0042"]]


def test_a_dry_run_tells_what_would_be_sent_and_sends_and_writes_nothing(shop: Path, memory: Memory) -> None:
    n = len(everybody(shop))
    before = {place: place.read_bytes() for place in shop.rglob("*") if place.is_file() and "sqlite" not in place.name}
    found = deliver(shop, dry_run=True)
    assert counts(found) == (n, 0, 0, 0, 0)
    sample = found["destinations"][0]["sample"]
    assert len(sample) == 3
    assert {each["external_id"] for each in sample} <= everybody(shop)
    assert memory.calls == []
    assert Outbox(Store(shop), "crm").waiting() == []
    assert found["stopped"] == []
    for place, content in before.items():
        assert place.read_bytes() == content


def test_who_objects_after_delivery_is_emptied_there_and_never_sent_again(shop: Path, memory: Memory) -> None:
    deliver(shop)
    listed(shop, "objections", "C-0042")
    n = len(everybody(shop))
    memory.calls.clear()
    assert counts(deliver(shop)) == (1, 1, n - 1, 0, 0)
    assert memory.calls == [["C-0042"]]
    left = {name for name, value in memory.records["C-0042"].items() if value is not None}
    assert left == {"model_version", "scored_at", "data_as_of", "valid_until", "run_id", "suppressed", "suppressed_why"}
    assert memory.records["C-0042"]["suppressed_why"] == "objection"
    memory.calls.clear()
    assert counts(deliver(shop)) == (0, 0, n - 1, 0, 0)
    assert memory.calls == []


@pytest.mark.parametrize("setting", ["objections", "opt_outs"])
def test_who_objected_or_opted_out_never_leaves(setting: str, shop: Path, memory: Memory) -> None:
    listed(shop, setting, "C-0042")
    found = deliver(shop)
    assert "C-0042" not in memory.records
    assert "C-0042" not in {name for call in memory.calls for name in call}
    assert found["suppressed"] == (setting == "opt_outs")
    for place in (shop / "delivery").glob("*.csv"):
        assert "C-0042" not in place.read_text(encoding="utf-8-sig")
    assert all(b"C-0042" not in place.read_bytes() for place in shop.glob("delivery/*"))


def test_the_report_names_nobody_who_opted_out(shop: Path) -> None:
    settle(shop, destinations=[], delivery={"csv": False})
    found = ScoreStore(Store(shop)).current()
    assert found is not None
    worst = found[1].sort_values("churn_probability")["customer_id"].iloc[-1]
    assert worst in (shop / "report.html").read_text()
    (shop / "opt_outs.csv").write_text(f"customer_id\n{worst}\n")
    settle(shop, destinations=[], delivery={"csv": False}, privacy={"opt_outs": "opt_outs.csv"})
    deliver(shop)
    assert not (shop / "report.html").exists()
    assert CliRunner().invoke(app, ["report", "--project", str(shop)]).exit_code == 0
    assert worst not in (shop / "report.html").read_text()


def test_who_opted_out_is_scored_all_the_same(shop: Path, memory: Memory) -> None:
    listed(shop, "opt_outs", "C-0042")
    deliver(shop)
    assert "C-0042" in everybody(shop)


def test_a_record_that_waits_leaves_the_outbox_when_its_customer_objects(shop: Path, memory: Memory) -> None:
    memory.mood = iter(["down"] * 99)
    assert counts(deliver(shop))[3] == len(everybody(shop))
    memory.mood = iter([])
    tried = set(memory.calls[0])
    first = min(tried)
    listed(shop, "objections", first, min(everybody(shop) - tried))
    memory.calls.clear()
    deliver(shop)
    # Of the first a call was made that may have been taken, so it is emptied; of the second nothing ever left.
    assert memory.records[first]["suppressed_why"] == "objection"
    assert set(memory.records) == everybody(shop) | {first}


def test_who_is_scored_no_more_is_emptied(shop: Path, memory: Memory) -> None:
    deliver(shop)

    rescored(shop, lambda frame: frame[frame.customer_id != "C-0042"])
    deliver(shop)
    assert memory.records["C-0042"]["suppressed_why"] == "not_scored"
    assert "C-0042" not in Outbox(Store(shop), "crm").remote_states()


def test_an_erased_customer_is_in_no_outbox_and_the_receipt_names_the_destination(shop: Path, memory: Memory) -> None:
    memory.unknown = frozenset({"C-0043"})
    deliver(shop)
    job = RunContext(opened(shop), Console(quiet=True), NOW)
    first, second = erase(job, ["C-0042", "C-0043"])["receipts"]
    assert (first["sent_to"], first["removed"]["held"]) == (["crm"], {"files": 1, "rows": 1})
    assert (second["sent_to"], second["removed"]["outbox"]) == ([], {"files": 1, "rows": 1})
    assert "held" not in second["removed"]
    for place in shop.glob("attrition.sqlite*"):
        content = place.read_bytes()
        assert b"C-0042" not in content
        assert b"C-0043" not in content
    memory.calls.clear()
    deliver(shop)
    assert not {"C-0042", "C-0043"} & {name for call in memory.calls for name in call}


def test_a_half_done_delivery_goes_on_where_it_was(shop: Path, memory: Memory) -> None:
    n = len(everybody(shop))
    memory.mood = iter(["", "", *["down"] * 10])
    assert counts(deliver(shop)) == (n, 100, 0, n - 100, 0)
    memory.calls.clear()
    assert counts(deliver(shop)) == (n - 100, n - 100, 100, 0, 0)
    assert set(memory.records) == everybody(shop)


def test_what_the_destination_refuses_is_not_sent_again_until_it_changes(shop: Path, memory: Memory) -> None:
    memory.unknown = frozenset({"C-0042"})
    n = len(everybody(shop))
    assert counts(deliver(shop)) == (n, n - 1, 0, 0, 1)
    memory.calls.clear()
    assert counts(deliver(shop)) == (0, 0, n - 1, 0, 1)
    assert memory.calls == []
    Outbox(Store(shop), "crm").put("dropped", None)
    assert counts(deliver(shop)) == (0, 0, n - 1, 0, 0)
    Outbox(Store(shop), "crm").put("pending", None)
    memory.unknown = frozenset()
    assert counts(deliver(shop)) == (1, 1, n - 1, 0, 0)


def test_a_destination_that_holds_something_else_is_found_and_sent_again(shop: Path, memory: Memory) -> None:
    settle(shop, delivery={"read_back": 1000})
    read = memory.read

    def altered(external_ids: Any) -> Any:
        found = {name: dict(record) for name, record in read(external_ids).items()}
        found["C-0042"]["reason_1"] = "cut"
        return found

    memory.read = altered  # type: ignore[method-assign]
    found = deliver(shop)["destinations"][-1]
    assert (found["read_back"], found["differing"]) == (len(everybody(shop)), {"C-0042": ["reason_1"]})
    memory.read = read  # type: ignore[method-assign]
    memory.calls.clear()
    deliver(shop)
    assert memory.calls == [["C-0042"]]


def test_guards_stop_before_anything_is_planned_and_can_be_passed_by_on_purpose(shop: Path, memory: Memory) -> None:
    deliver(shop)
    memory.calls.clear()

    rescored(shop, lambda frame: frame.assign(churn_risk_band="medium"))
    with pytest.raises(StoppedError, match=r"(?s)nothing was sent to crm.*crm, changes: .*crm, bands: ") as stopped:
        deliver(shop)
    assert "--despite changes" in str(stopped.value)
    assert len(deliver(shop, dry_run=True)["stopped"]) == 2
    with pytest.raises(StoppedError, match="bands"):
        deliver(shop, despite=["changes"])
    assert memory.calls == []
    assert Outbox(Store(shop), "crm").waiting() == []
    planned, sent, *_ = counts(deliver(shop, despite=["changes", "bands"]))
    assert planned == sent > len(everybody(shop)) / 2


def test_scores_that_are_out_of_date_are_not_sent(shop: Path, memory: Memory) -> None:
    settle(shop, as_of=None)
    job = open_workspace(shop, now=NOW)
    assert str(job.as_of) == "2025-06-01"
    late = datetime(2025, 7, 2, 6, tzinfo=UTC)
    workspace = open_workspace(shop, now=late, as_of=job.as_of)
    with pytest.raises(StoppedError, match=r"valid until 2025-07-01, and it is 2025-07-02"):
        delivery.deliver(workspace, now=late, sleep=lambda _: None)
    assert memory.calls == []


def test_days_that_were_not_scored_are_not_delivered(shop: Path, memory: Memory) -> None:
    workspace = open_workspace(shop, now=NOW, as_of=pd.Timestamp("2025-05-05").date())
    with pytest.raises(DataError, match=r"2025-05-05 was not scored yet; run `attrition score --as-of 2025-05-05`"):
        delivery.deliver(workspace, now=NOW)


def test_an_earlier_day_leaves_the_destinations_alone(shop: Path, memory: Memory) -> None:
    done = CliRunner().invoke(app, ["score", "--project", str(shop), "--as-of", "2025-05-20", "--json"])
    assert done.exit_code == 0, done.stderr
    document = json.loads(done.stdout)
    assert (document["current"], [each["name"] for each in document["delivery"]["destinations"]]) == (False, ["csv"])


def test_a_broken_destination_does_not_keep_the_others_from_theirs(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good, bad = Memory(batch=50), Memory(broken="the token does not do; set ATTRITION_REST_TOKEN")
    settings = opened(shop).settings
    first = settings.destinations[0]
    both = settings.model_copy(update={"destinations": (first, first.model_copy(update={"name": "other"}))})
    workspace = Workspace(shop, both, opened(shop).as_of, opened(shop).today)
    monkeypatch.setattr(delivery, "connect", lambda plan, language: bad if plan.name == "crm" else good)
    with pytest.raises(DestinationError, match=r"crm: the token does not do"):
        delivery.deliver(workspace, now=NOW)
    assert set(good.records) == everybody(shop)
    assert len(Outbox(Store(shop), "crm").waiting()) == len(everybody(shop))


def test_the_log_names_nobody(shop: Path, memory: Memory) -> None:
    deliver(shop)
    (entry,) = Outbox(Store(shop), "crm").logged(limit=9)
    assert entry["detail"]["sent"] == len(everybody(shop))
    assert "C-0" not in json.dumps(entry)


PLAYS = """
[[plays]]
code = "call"
for = ["buying_rhythm", "purchases"]
name.en = "Call"
name.fr = "Appel"
advice.en = "Ask what is missing."
advice.fr = "Demander ce qui manque."
contact_cost = 0.5
success_rate = 0.5
capacity_per_week = 5
bands = ["low", "medium", "high"]
"""


def holdout(folder: Path) -> set[str]:
    customers = sorted(everybody(folder))
    return {name for name, out in zip(customers, opened(folder).holdout.holds(customers), strict=True) if out}


def test_a_held_out_customers_risk_reaches_nobody_who_could_act(shop: Path, memory: Memory) -> None:
    (shop / "plays.toml").write_text(PLAYS)
    settle(shop, retention={"holdout_share": 0.2})
    found, out = deliver(shop), holdout(shop)
    assert 30 < len(out) == found["suppressed"]
    for name in out:
        shown = {field for field, value in memory.records[name].items() if value is not None}
        assert shown == {*STAMPS, "treatment_group", "suppressed", "suppressed_why"}
        assert memory.records[name]["suppressed_why"] == "holdout"
    rows = pd.read_csv(shop / found["csv"], encoding="utf-8-sig")
    assert set(rows["customer_id"].str.removeprefix("'")) == everybody(shop) - out
    sample = deliver(shop, dry_run=True)
    assert sample["planned"] == 0


def test_the_plays_of_the_week_are_shown_and_no_more_than_there_is_room_for(shop: Path, memory: Memory) -> None:
    (shop / "plays.toml").write_text(PLAYS)
    first = deliver(shop)
    called = {name for name, remote in memory.records.items() if remote["recommended_play_code"] == "call"}
    assert len(called) == 5
    assert {memory.records[name]["recommended_play"] for name in called} == {"Call: Ask what is missing."}
    assert {remote["treatment_group"] for remote in memory.records.values()} == {"treatment", "holdout"}
    rows = pd.read_csv(shop / first["csv"], encoding="utf-8-sig")
    assert set(rows["customer_id"][rows["recommended_play_code"] == "call"]) == called
    assert counts(deliver(shop))[:2] == (0, 0)


def test_a_dry_run_notes_no_recommendation(shop: Path, memory: Memory) -> None:
    (shop / "plays.toml").write_text(PLAYS)
    deliver(shop, dry_run=True)
    assert len(Recommended(Store(shop)).read()) == 0


def test_who_opted_out_takes_no_room_and_is_in_neither_group(shop: Path, memory: Memory) -> None:
    (shop / "plays.toml").write_text(PLAYS)
    deliver(shop)
    first = Recommended(Store(shop)).read()
    chosen = first["customer_id"][first["treatment_group"] == "treatment"].iloc[0]
    with Store(shop).transaction() as ledger:
        ledger.execute("DELETE FROM recommended")
    listed(shop, "opt_outs", chosen)
    deliver(shop)
    assert chosen not in set(Recommended(Store(shop)).read()["customer_id"])
    assert memory.records[chosen]["suppressed_why"] == "opt_out"
    assert sum(remote["recommended_play_code"] == "call" for remote in memory.records.values()) == 5


def test_what_a_delivery_leaves_undone_is_an_exit_code(shop: Path) -> None:
    with socket.socket() as nobody:  # bound, and not listening
        nobody.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        block = rest("lists", address=address, name="crm").model_dump(mode="json")
        settle(shop, destinations=[block], delivery={"attempts": 1})
        done = attrition("score", "--project", str(shop), "--json", ATTRITION_REST_TOKEN="none")
        again = attrition("deliver", "--project", str(shop), ATTRITION_REST_TOKEN="none")
    n = len(everybody(shop))
    assert (done.returncode, again.returncode) == (1, 1)
    assert counts(json.loads(done.stdout)["delivery"])[3] == n
    assert f"{n} wait for the next run" in again.stderr
    assert "Traceback" not in again.stderr
