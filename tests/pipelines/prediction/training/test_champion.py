"""A challenger is compared with the champion on outcomes that neither knew, or it is not promoted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from features.errors import OutdatedModelError
from models.promotion import Verdict
from pipelines.data.landing.ingest import ingest
from pipelines.foundation.ledger.model_versions import Versions
from pipelines.foundation.workspace.workspace import Workspace
from pipelines.prediction.training import champion
from pipelines.prediction.training.task import main_task
from tests.pipelines.shop_case import SETTINGS, make_shop
from tests.pipelines.stage_case import train

NOW = datetime(2026, 1, 5, tzinfo=UTC)


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A shop whose champion was trained on 1 March 2025."""
    root = make_shop(tmp_path_factory.mktemp("champion") / "shop")
    workspace = Workspace(root, SETTINGS, date(2025, 3, 1), NOW.date())
    ingest(workspace.store, workspace.settings, today=workspace.today)
    assert train(workspace, now=NOW).version.verdict == "it is the first"
    return workspace


def later(first: Workspace, day: date, **changes: Mapping[str, Any]) -> Workspace:
    changed = {name: getattr(SETTINGS, name).model_copy(update=parts) for name, parts in changes.items()}
    return Workspace(first.root, SETTINGS.model_copy(update=changed), day, NOW.date())


def judged(workspace: Workspace) -> Verdict:
    return champion.verdict(main_task(workspace), workspace.calendar.training_days(workspace.as_of))


def test_it_is_judged_on_outcomes_that_began_after_everything_either_learned(first: Workspace) -> None:
    workspace = later(first, date(2025, 6, 1))
    verdict = judged(workspace)
    assert [gate.gate for gate in verdict.gates][:4] == ["log_loss", "pr_auc", "top_decile_lift", "calibration"]
    (stand_in,) = workspace.fits.values()  # the only model fitted for it
    calendar, fitted = workspace.calendar, workspace.versions.load(workspace.versions.champion().version)
    learned = calendar.known_on(max(champion.learned_from(fitted)))
    begins = min(day for day in calendar.training_days(workspace.as_of) if day >= learned)
    assert begins == date(2025, 3, 24)
    assert calendar.known_on(max(champion.learned_from(stand_in))) <= begins
    assert learned <= begins


def test_where_nothing_has_matured_since_the_champion_stays(first: Workspace) -> None:
    verdict = judged(later(first, date(2025, 5, 1)))
    assert verdict == Verdict(
        promote=False,
        reason=f"no outcome that began after champion {first.versions.champion().version} had learned its own is known "
        "yet",
    )


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        (
            {"outcome": {"horizon_days": 45}},
            "the rows ask another question than the model answers: outcome.horizon_days is 45, not 60",
        ),
        (
            {"cohort": {"active_days": 200}},
            "the rows ask another question than the model answers: cohort.active_days is 200, not 365",
        ),
    ],
)
def test_a_champion_that_answers_another_question_is_replaced(
    first: Workspace, changes: dict[str, Any], reason: str
) -> None:
    verdict = judged(later(first, date(2025, 6, 1), **changes))
    assert verdict.promote
    assert verdict.reason == f"it replaces champion {first.versions.champion().version}, which is outdated: {reason}"


def test_a_champion_that_reads_other_columns_is_replaced(first: Workspace) -> None:
    settings = SETTINGS.model_copy(update={"lookback_days": (30, 60)})
    verdict = judged(replace(first, settings=settings, as_of=date(2025, 6, 1)))
    assert verdict.promote
    assert "the model reads other columns than these rows have" in verdict.reason


def test_too_little_known_before_the_comparison_keeps_the_champion(first: Workspace) -> None:
    verdict = judged(later(first, date(2025, 6, 1), training={"min_positives": 100_000}))
    assert not verdict.promote
    assert verdict.reason.startswith("too little was known before 2025-03-24 to compare it with: ")


def test_the_verdicts_figures_are_kept_with_the_version(first: Workspace, tmp_path: Path) -> None:
    import shutil

    copy = tmp_path / "copy"
    shutil.copytree(first.root, copy)
    version = train(Workspace(copy, SETTINGS, date(2025, 6, 1), NOW.date()), now=NOW).version
    assert version.record["promotion"][0]["gate"] == "log_loss"
    assert version.promoted == all(gate["passed"] for gate in version.record["promotion"])


def test_one_that_learned_from_another_file_of_own_indicators_answers_nothing_and_is_replaced(
    first: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its columns may have the same names, and mean something else by now."""
    workspace = later(first, date(2025, 3, 1))
    assert champion.answering(main_task(workspace))[0].promoted
    old = workspace.versions.champion()
    record = {**old.record, "own_indicators": [{"file": "my_indicators.py", "sha256": "a" * 64, "families": ["own"]}]}
    monkeypatch.setattr(Versions, "champion", lambda _: replace(old, record=record))
    monkeypatch.setattr(Versions, "aliased", lambda *_: replace(old, record=record))
    with pytest.raises(OutdatedModelError, match=r"another my_indicators\.py than there is now; run `attrition train`"):
        champion.answering(main_task(workspace))
    verdict = judged(workspace)
    assert verdict.promote
    assert verdict.reason.endswith("is outdated: learned from another my_indicators.py than there is now")
