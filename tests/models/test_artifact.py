from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, fields, replace

import pytest

from features.errors import IntegrityError
from models import artifact, boosting
from models.artifact import BOOSTER, MODEL
from models.training import Fitted
from tests.models.model_case import fitted, train_rows, unseen_rows


@pytest.mark.parametrize("start", [True, False], ids=["with a start model", "without"])
def test_probabilities_of_the_model_that_comes_back_are_the_same_bits(start: bool) -> None:
    model = fitted(start=start)
    again = artifact.from_files(artifact.to_files(model))
    for rows in (unseen_rows(start=start), train_rows(start=start)):
        assert again.probability(again.levelled(rows)).tobytes() == model.probability(model.levelled(rows)).tobytes()
        assert again.log_odds(rows).tobytes() == model.log_odds(rows).tobytes()


@pytest.mark.parametrize("start", [True, False], ids=["with a start model", "without"])
def test_everything_else_comes_back_too(start: bool) -> None:
    model = fitted(start=start)
    again = artifact.from_files(artifact.to_files(model))
    for field in fields(Fitted):
        if field.name != "booster":
            assert getattr(again, field.name) == getattr(model, field.name), field.name


def test_files_of_the_model_that_comes_back_are_the_same() -> None:
    files = artifact.to_files(fitted())
    assert artifact.to_files(artifact.from_files(files)) == files


def test_with_other_files_that_define_its_columns_it_is_another_model() -> None:
    """The trees of two definitions may be the same; a version's name, record and card are of one of them."""
    plain = fitted()
    ours, theirs = (replace(plain, defined_in=(("my_indicators.py", letter * 64),)) for letter in "ab")
    names = [artifact.version(artifact.to_files(each)) for each in (plain, ours, theirs)]
    assert len(set(names)) == len(names)
    assert artifact.from_files(artifact.to_files(ours)).defined_in == (("my_indicators.py", "a" * 64),)
    assert "defined_in" not in json.loads(artifact.to_files(plain)[MODEL])  # versions of before keep their names


def test_a_model_is_two_readable_texts() -> None:
    files = artifact.to_files(fitted())
    assert sorted(files) == [BOOSTER, MODEL] == ["booster.txt", "model.json"]
    assert files[BOOSTER].startswith("tree\nversion=v4\n")
    rest = json.loads(files[MODEL])
    assert rest["booster_sha256"] == hashlib.sha256(files[BOOSTER].encode()).hexdigest()
    assert rest["columns"] == list(train_rows().columns)
    assert rest["calibrator"] == asdict(fitted().calibrator)
    assert rest["start_model"]["kind"] == "bg_nbd"


def test_the_version_names_exactly_these_texts() -> None:
    files = artifact.to_files(fitted())
    assert artifact.version(files) == hashlib.sha256((files[BOOSTER] + files[MODEL]).encode()).hexdigest()[:12]
    assert artifact.version(dict(reversed(files.items()))) == artifact.version(files)
    for name in files:
        assert artifact.version(files | {name: files[name] + " "}) != artifact.version(files)


def test_trees_of_another_model_are_refused() -> None:
    files = artifact.to_files(fitted())
    with pytest.raises(IntegrityError, match="the model's text is not the one that was registered"):
        artifact.from_files(files | {BOOSTER: artifact.to_files(fitted(start=False))[BOOSTER]})


@pytest.mark.parametrize("corrected", [False, True])
def test_a_model_of_the_format_before_answers_as_it_did(corrected: bool) -> None:
    """The linear model corrected what the trees started from, and read no start; or there was none."""
    files, model, rows = artifact.to_files(fitted()), fitted(), unseen_rows()
    rest = json.loads(files[MODEL])
    straight = rest.pop("linear")
    correction = {name: part[:-1] if isinstance(part, list) else part for name, part in straight.items()}
    before = {name: part for name, part in rest.items() if name != "shares"}
    before |= {"format": 5, "linear_start": correction if corrected else None}
    found = artifact.from_files(files | {MODEL: json.dumps(before)})
    expected = boosting.raw_log_odds(model.booster, rows)
    if corrected:
        parts, _ = model.linear.contributions(rows)
        expected = expected + model.linear.intercept + parts.sum(axis=1)
    assert found.log_odds(rows) == pytest.approx(expected, abs=1e-12)
    assert found.calibrator == model.calibrator


def test_a_model_of_a_later_format_is_refused() -> None:
    files = artifact.to_files(fitted())
    later = json.dumps(json.loads(files[MODEL]) | {"format": 7})
    with pytest.raises(IntegrityError, match=r"^the model has format 7, this version reads 6; retrain it$"):
        artifact.from_files(files | {MODEL: later})
