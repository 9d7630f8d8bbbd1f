"""A person puts a model in another's place, and back: the scores of before are there again, value for value."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from features.errors import IntegrityError, StaleError, TrainingError
from pipelines.foundation.ledger.score_store import ScoreStore
from pipelines.foundation.workspace.console import Console
from pipelines.foundation.workspace.run_context import RunContext
from pipelines.foundation.workspace.workspace import Workspace, open_workspace
from pipelines.prediction.training import promotion
from tests.pipelines.foundation.ledger.score_case import current
from tests.pipelines.stage_case import registry_of, score, train

NOW = datetime(2026, 1, 5, tzinfo=UTC)


@pytest.fixture
def job(finished_workspace: Path, tmp_path: Path) -> RunContext:
    copy = tmp_path / "shop"
    shutil.copytree(finished_workspace, copy)
    return RunContext(open_workspace(copy, now=NOW), Console(quiet=True), NOW)


def reseeded(job: RunContext) -> Workspace:
    """The same shop, whose next model comes out differently."""
    settings = job.workspace.settings
    training = settings.training.model_copy(update={"seed": 8})
    return replace(job.workspace, settings=settings.model_copy(update={"training": training}))


def test_promoted_by_hand_and_rolled_back(job: RunContext) -> None:
    root, first = job.workspace.root, job.workspace.versions.champion().version
    before = current(root)
    second = train(reseeded(job), now=NOW).version
    assert not second.promoted  # nothing has matured that the champion did not learn from
    done = promotion.promote(job, second.version)
    assert (done["champion"], done["was"], done["published"]) == (second.version, first, True)
    score(job.workspace, now=NOW)
    assert current(root) != before
    assert registry_of(job.workspace).aliased("champion") == second.version
    back = promotion.rollback(job, None)
    job.workspace.store.seal()  # as the command does at its end
    assert (back["champion"], back["was"], back["scores_of"]) == (first, second.version, str(job.workspace.as_of))
    assert current(root) == before
    assert registry_of(job.workspace).aliased("champion") == first
    assert score(job.workspace, now=NOW).unchanged
    listed = promotion.models(job)["models"]
    assert [(each["version"], each["champion"]) for each in listed] == [(first, True), (second.version, False)]
    with pytest.raises(TrainingError, match="no champion of inactivity before today's"):
        promotion.rollback(job, None)


@pytest.mark.parametrize(
    "step",
    [
        "pipelines.foundation.ledger.model_versions.Versions.roll_back",
        "pipelines.prediction.training.promotion.publish",
        "pipelines.foundation.ledger.model_versions.Versions.all",
    ],
)
def test_a_rollback_that_broke_off_ends_the_same(job: RunContext, step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = current(job.workspace.root)
    first = job.workspace.versions.champion().version
    promotion.promote(job, train(reseeded(job), now=NOW).version.version)
    score(job.workspace, now=NOW)

    class DiedError(BaseException):
        pass

    def dies(*_: object, **__: object) -> None:
        raise DiedError

    with monkeypatch.context() as patch:
        patch.setattr(step, dies)
        with pytest.raises(DiedError):
            promotion.rollback(job, None)
    assert promotion.rollback(job, None)["champion"] == first
    assert current(job.workspace.root) == before


@pytest.mark.parametrize(
    ("act", "said"),
    [
        (lambda job: promotion.promote(job, "zzz"), r"^there is no model zzz; there are: [0-9a-f]{12}$"),
        (lambda job: promotion.rollback(job, "churn"), r"^the settings have no outcome churn; they have: inactivity$"),
        (lambda job: promotion.rollback(job, None), r"to go back to; `attrition models` lists them$"),
    ],
)
def test_what_is_not_there_is_told_with_what_is(
    job: RunContext, act: Callable[[RunContext], object], said: str
) -> None:
    with pytest.raises(TrainingError, match=said):
        act(job)


def test_a_damaged_model_does_not_become_champion(job: RunContext) -> None:
    first = job.workspace.versions.champion().version
    second = train(reseeded(job), now=NOW).version.version
    place = job.workspace.root / "models" / second / "booster.txt"
    place.write_bytes(place.read_bytes()[:-1])
    with pytest.raises(IntegrityError, match=r"booster\.txt"):
        promotion.promote(job, second)
    assert job.workspace.versions.champion().version == first


def test_nobody_is_scored_from_data_that_are_too_old(job: RunContext) -> None:
    settings = job.workspace.settings.model_copy(update={"complete_until": None})
    late = replace(job.workspace, settings=settings, as_of=datetime(2025, 9, 15, tzinfo=UTC).date())
    before = current(job.workspace.root)
    with pytest.raises(
        StaleError, match=r"^the data end on 2025-07-31, 45 days before 2025-09-15, .*max_data_age_days$"
    ):
        score(late, now=NOW)
    assert current(job.workspace.root) == before


def test_nobody_is_scored_with_a_champion_that_is_too_old(job: RunContext) -> None:
    settings = job.workspace.settings
    promotion = settings.promotion.model_copy(update={"max_age_days": 1})
    strict = replace(job.workspace, settings=settings.model_copy(update={"promotion": promotion}))
    with pytest.raises(StaleError, match=r"^champion [0-9a-f]{12} learned from outcomes until 2025-0.*max_age_days$"):
        score(strict, now=NOW)
    assert ScoreStore(job.workspace.store).current() is not None
