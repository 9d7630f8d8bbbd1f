"""Each guard on literal situations, and what a broken guard does."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from features.errors import SettingsError
from pipelines.foundation.ledger.model_versions import Version, Versions
from pipelines.foundation.ledger.score_store import ScoreRun
from pipelines.foundation.storage.store import Store
from pipelines.operations.delivery.difference import Change, RemoteState
from pipelines.operations.delivery.guards import of_a_destination, of_the_run, passable, stopped
from tests.pipelines.operations.delivery.destination_case import values


def run(**changes: Any) -> ScoreRun:
    plain: dict[str, Any] = {
        "sequence": 1, "as_of": "2024-07-01", "run_id": "r", "made_from": "m", "history": "h", "rows": 3,
        "content_sha256": "", "detail": {"valid_until": "2024-07-31", "model_version": "b"}, "current": True,
    }  # fmt: skip
    return ScoreRun(**plain | changes)


def versions(folder: Path, *verdicts: str) -> Versions:
    """Models a, b, ... with these verdicts, each champion in its turn."""
    made = Versions(Store(folder), "inactivity")
    for name, verdict in zip("abc", verdicts, strict=False):
        made.add(Version(name, f"made {name}", "2024-06-01T00:00:00", True, verdict, {}, False))
    return made


def told(guards: Any, **options: Any) -> list[str]:
    return [line.partition(":")[0] for line in stopped(guards, **options)]


def test_scores_of_the_champion_that_still_hold_pass(tmp_path: Path) -> None:
    found = of_the_run(run(), today=date(2024, 7, 31), versions=versions(tmp_path, "first", "better"))
    assert stopped(found) == []


@pytest.mark.parametrize(
    ("changes", "today", "said"),
    [
        ({"rows": 0}, date(2024, 7, 2), "nobody was scored"),
        ({}, date(2024, 8, 1), "valid until 2024-07-31, and it is 2024-08-01"),
        ({"detail": {"valid_until": "2024-07-31", "model_version": "a"}}, date(2024, 7, 2), "the champion is b"),
        ({"detail": {"valid_until": "2024-07-31", "model_version": "z"}}, date(2024, 7, 2), "there is no model z"),
        ({"detail": {"model_version": "b"}}, date(2024, 7, 2), "could not be evaluated"),
        ({"detail": {"valid_until": "soon", "model_version": "b"}}, date(2024, 7, 2), "could not be evaluated"),
    ],
)
def test_scores_that_nobody_should_act_on_stop(changes: dict[str, Any], today: date, said: str, tmp_path: Path) -> None:
    found = of_the_run(run(**changes), today=today, versions=versions(tmp_path, "first", "better"))
    (line,) = stopped(found)
    assert said in line
    assert stopped(found, despite=("scores", "model")) == [] or "--despite" not in line


def test_a_model_without_a_verdict_stops(tmp_path: Path) -> None:
    found = of_the_run(run(), today=date(2024, 7, 2), versions=versions(tmp_path, "first", ""))
    assert "model b was never judged" in stopped(found)[0]


def test_no_champion_at_all_stops(tmp_path: Path) -> None:
    assert told(of_the_run(run(), today=date(2024, 7, 2), versions=versions(tmp_path))) == ["model"]


def before(high: int, low: int) -> dict[str, RemoteState]:
    bands = ["high"] * high + ["low"] * low
    return {f"C-{number}": RemoteState("x", "2024-07-31", band, "call", False) for number, band in enumerate(bands)}


def to(number: int, band: str | None, *, play: str = "call", withdrawn: bool = False) -> Change:
    changed = values(churn_risk_band=band, recommended_play_code=play)
    return Change(f"C-{number}", changed, "y", withdrawn)


def guards(changes: list[Change], remote: dict[str, RemoteState]) -> Any:
    return of_a_destination(changes, remote, max_changed_share=0.5, max_band_shift=0.2)


def test_a_first_delivery_has_nothing_to_be_compared_with() -> None:
    assert stopped(guards([to(number, "high") for number in range(10)], {})) == []
    unsure = {"C-0": RemoteState(None, None, None, None, True)}
    assert stopped(guards([to(0, "high")], unsure)) == []


@pytest.mark.parametrize(
    "changes",
    [
        [to(number, "low", play="offer") for number in range(5, 11)],
        [to(number, None, withdrawn=True) for number in (0, 1, 2, 7, 8, 9)],
        [*(to(number, "high", play="") for number in range(5)), to(9, "medium")],
    ],
    ids=["other plays", "withdrawn", "no plays, and a band"],
)
def test_more_than_the_allowed_share_of_changes_stops(changes: list[Change]) -> None:
    assert told(guards(changes, before(5, 6))) == ["changes"]
    assert told(guards(changes[:-1], before(5, 6))) == []
    assert told(guards(changes, before(5, 6)), despite=("changes",)) == []


def test_new_customers_and_other_reasons_are_no_change_for_who_acts() -> None:
    changes = [to(number, "high" if number < 5 else "low") for number in range(11)]
    assert stopped(guards([*changes, to(99, "low")], before(5, 6))) == []


def test_a_shift_of_the_bands_stops_and_names_the_band() -> None:
    changes = [to(number, "high") for number in range(50, 71)]
    (line,) = stopped(guards(changes, before(50, 50)))
    assert line.startswith("bands: 50% of the customers were in band high, and 71% would be")
    assert line.endswith("--despite bands")
    assert stopped(guards(changes[:-2], before(50, 50))) == []


def test_new_customers_count_for_the_bands() -> None:
    assert told(guards([to(number, "high") for number in range(100, 200)], before(50, 50))) == ["bands"]


def test_a_guard_that_breaks_stops_and_cannot_be_passed_by() -> None:
    def broken() -> str | None:
        raise ZeroDivisionError

    (said,) = stopped({"bands": broken}, despite=("bands",))
    assert said.startswith("bands: it could not be evaluated; this is a fault of attrition")
    assert "ZeroDivisionError" not in said


def test_only_guards_that_somebody_may_know_better_than_can_be_passed_by() -> None:
    assert passable(["changes", "bands"]) == ["changes", "bands"]
    with pytest.raises(SettingsError, match=r"--despite scores: only these guards can be passed by: changes, bands"):
        passable(["scores"])
