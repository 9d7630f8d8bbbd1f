from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from features.errors import IntegrityError, TrainingError
from models import artifact
from pipelines.foundation.ledger.model_versions import Version, Versions
from pipelines.foundation.storage.store import Store
from tests.models.model_case import fitted, unseen_rows


@pytest.fixture
def versions(tmp_path: Path) -> Versions:
    return Versions(Store(tmp_path), "churn")


def version(name: str, *, promoted: bool, **changes: Any) -> Version:
    given = {
        "made_from": f"made of {name}",
        "trained_at": "2024-07-01T06:00:00+00:00",
        "verdict": "it is the first" if promoted else "it is worse",
        "record": {"parameters": {"seed": 7}},
        "published": False,
    }
    return Version(version=name, promoted=promoted, **(given | changes))


def test_without_a_promoted_version_there_is_no_champion_and_a_remedy(versions: Versions) -> None:
    with pytest.raises(TrainingError, match=r"^there is no champion model of churn yet; run `attrition train` first$"):
        versions.champion()
    versions.add(version("aaa", promoted=False))
    with pytest.raises(TrainingError, match=r"yet; aaa is not: it is worse \(`attrition promote aaa` overrules\)$"):
        versions.champion()
    challenger = versions.aliased("challenger")
    assert challenger is not None
    assert challenger.version == "aaa"


def test_a_version_that_is_promoted_later_has_the_new_verdict_and_keeps_it(versions: Versions) -> None:
    versions.add(version("aaa", promoted=False))
    versions.add(version("aaa", promoted=True, made_from="trusted", record={"leaks": "trusted"}))
    found = versions.champion()
    assert (found.promoted, found.verdict, found.record) == (True, "it is the first", {"leaks": "trusted"})
    versions.add(version("aaa", promoted=False, made_from="again", record={}))
    kept = versions.named("aaa")
    assert (kept.promoted, kept.verdict, kept.record) == (True, "it is the first", {"leaks": "trusted"})
    assert kept.made_from == "again"


def test_what_is_to_be_recorded_is_what_is(versions: Versions) -> None:
    """The model card is written of it, before it is recorded: of one trained again, its card stays as it was."""
    first = version("aaa", promoted=False)
    assert versions.as_recorded(first) == first
    versions.add(first)
    for again in (
        version("aaa", promoted=False, made_from="again", record={"data": "other"}, trained_at="2025-01-01T06:00:00"),
        version("aaa", promoted=True, made_from="trusted", record={"leaks": "trusted"}),
        version("aaa", promoted=False, made_from="third", record={}),
    ):
        told = versions.as_recorded(again)
        versions.add(again)
        assert told == versions.named("aaa")


def test_a_promoted_version_becomes_champion_and_one_that_is_not_leaves_it(versions: Versions) -> None:
    versions.add(version("aaa", promoted=True))
    versions.add(version("bbb", promoted=False))
    assert versions.champion().version == "aaa"
    assert [found.version for found in versions.all()] == ["aaa", "bbb"]
    versions.add(version("ccc", promoted=True))
    assert versions.champion().version == "ccc"
    challenger = versions.aliased("challenger")
    assert challenger is not None
    assert challenger.version == "ccc"


def test_everything_about_a_version_comes_back(versions: Versions) -> None:
    given = version("aaa", promoted=True, record={"data": [{"path": "é"}], "backtest": {"folds": []}})
    versions.add(given)
    assert versions.all() == [given]
    assert Versions(Store(versions.store.root), "churn").champion() == given


def test_a_version_is_found_by_what_it_was_made_from(versions: Versions) -> None:
    versions.add(version("aaa", promoted=True))
    found = versions.made_from("made of aaa")
    assert found is not None
    assert found.version == "aaa"
    assert versions.made_from("made of something else") is None


def test_the_same_model_made_from_something_else_is_the_same_version(versions: Versions) -> None:
    versions.add(version("aaa", promoted=True))
    versions.add(version("aaa", promoted=False, made_from="newer code"))
    assert [found.made_from for found in versions.all()] == ["newer code"]
    assert versions.champion().version == "aaa"


def test_a_version_that_comes_back_is_published_again_so_that_aliases_follow(versions: Versions) -> None:
    for name in ("aaa", "bbb"):
        versions.add(version(name, promoted=True))
        versions.mark_published(name)
    versions.add(version("aaa", promoted=True, made_from="older data restored"))
    assert versions.champion().version == "aaa"
    assert [(found.version, found.published) for found in versions.all()] == [("aaa", False), ("bbb", True)]


def test_published_is_marked_for_that_version_alone(versions: Versions) -> None:
    for name in ("aaa", "bbb"):
        versions.add(version(name, promoted=True))
    versions.mark_published("bbb")
    assert [(found.version, found.published) for found in versions.all()] == [("aaa", False), ("bbb", True)]


def test_a_kept_model_gives_the_same_probabilities_from_another_process_view(versions: Versions) -> None:
    version = artifact.version(files := artifact.to_files(fitted()))
    versions.keep(files, version)
    again = Versions(Store(versions.store.root), "churn").load(version)
    assert (
        again.probability(again.levelled(unseen_rows())).tobytes()
        == fitted().probability(fitted().levelled(unseen_rows())).tobytes()
    )


def test_a_model_without_a_local_copy_is_told_of(versions: Versions) -> None:
    with pytest.raises(
        TrainingError, match=r"^model aaa has no local copy of booster.txt; run `attrition train` again$"
    ):
        versions.load("aaa")


def test_trees_of_another_version_in_the_place_of_these_are_refused(versions: Versions) -> None:
    """Both files are whole and listed; together they are no model."""
    version = artifact.version(files := artifact.to_files(fitted()))
    versions.keep(files, version)
    other = artifact.to_files(fitted(start=False))
    versions.keep({artifact.BOOSTER: other[artifact.BOOSTER]}, version)
    with pytest.raises(IntegrityError, match="does not hold the model that it is named for: its files are those of"):
        versions.load(version)


def test_another_model_in_the_folder_of_this_one_is_refused_though_the_ledger_agrees(versions: Versions) -> None:
    """Files and hashes replaced together are whole, and are not what was promoted."""
    version = artifact.version(files := artifact.to_files(fitted()))
    versions.keep(files, version)
    versions.keep(other := artifact.to_files(fitted(start=False)), version)
    found = artifact.version(other)
    said = f"models/{version} does not hold the model that it is named for: its files are those of {found}"
    with pytest.raises(IntegrityError, match=said):
        versions.load(version)
    with pytest.raises(IntegrityError, match=said):
        versions.files(version)


@pytest.mark.parametrize(
    "edit", ["UPDATE versions SET record = '{'", "UPDATE champions SET version = 'zzz'", "DELETE FROM versions"]
)
def test_a_damaged_list_of_versions_is_refused_by_name(versions: Versions, edit: str) -> None:
    versions.add(version("aaa", promoted=True))
    with versions.store.transaction() as ledger:
        ledger.execute(edit)
    with pytest.raises(IntegrityError, match=r"attrition\.sqlite is damaged \(.*\); restore it from a backup"):
        versions.champion()


NOW = datetime(2024, 9, 1, tzinfo=UTC)


def test_a_rollback_goes_back_one_champion_and_another_one_further(versions: Versions) -> None:
    for name in ("aaa", "bbb", "ccc"):
        versions.add(version(name, promoted=True))
        versions.mark_published(name)
    for expected in ("bbb", "aaa"):
        assert versions.begin_roll_back() == expected
        versions.roll_back(expected, now=NOW)
        assert versions.begin_roll_back() == expected  # broken off here, it goes no further back
        versions.end_roll_back()
        assert versions.begin_roll_back() == expected  # nor before the command is at its end
        versions.store.seal()
        assert versions.champion().version == expected
        assert not versions.named(expected).published  # MLflow's alias is to follow
    with pytest.raises(TrainingError, match=r"^there is no champion of churn before today's to go back to"):
        versions.begin_roll_back()
    assert [(period.version, period.rolled_back_at is None) for period in versions.champion_periods()] == [
        ("aaa", True),
        ("bbb", False),
        ("ccc", False),
    ]


def test_a_version_promoted_by_hand_is_champion_and_can_be_rolled_back(versions: Versions) -> None:
    versions.add(version("aaa", promoted=True))
    versions.add(version("bbb", promoted=False))
    versions.promote("bbb", now=NOW, why="promoted by hand")
    assert versions.champion().version == "bbb"
    assert versions.begin_roll_back() == "aaa"
    versions.promote("aaa", now=NOW, why="promoted by hand")  # a rollback that broke off is not gone on with
    assert versions.begin_roll_back() == "bbb"


def test_a_version_that_is_not_there_is_told_with_those_that_are(versions: Versions) -> None:
    versions.add(version("aaa", promoted=True))
    with pytest.raises(TrainingError, match=r"^there is no model bbb of churn; there are: aaa$"):
        versions.named("bbb")


def test_a_models_own_text_tells_what_it_answers_and_from_which_columns(tmp_path: Path) -> None:
    model = fitted()
    version = artifact.version(files := artifact.to_files(model))
    found = Versions(Store(tmp_path), model.question.outcome)
    found.keep(files, version)
    assert found.answers(version) == (model.question, model.columns)


def test_of_a_model_in_another_format_only_loading_it_tells(tmp_path: Path) -> None:
    found = Versions(Store(tmp_path), "inactivity")
    for told in ('{"format": 4}', "[]", "{"):
        version = artifact.version(files := {artifact.BOOSTER: "trees", artifact.MODEL: told})
        found.keep(files, version)
        assert found.answers(version) is None
