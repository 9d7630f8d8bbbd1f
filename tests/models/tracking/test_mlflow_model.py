"""The folder that MLflow loads: the same probabilities to the last digit, nothing pickled, nobody's row."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import lightgbm as lgb
import mlflow
import numpy as np
import pandas as pd
import pytest

from features.errors import IntegrityError
from models import artifact, training
from models.frames import LEVEL, START, as_frame
from models.matrix import Matrix, matrix, stack
from models.tracking import mlflow_model
from models.tracking.scorer import read
from models.training import Fitted
from tests.models.model_case import (
    FIRST,
    INDICATORS,
    QUESTION,
    fitted,
    snapshot_frame,
    snapshot_matrix,
    train_rows,
    unseen_rows,
)


def written(place: Path, model: Fitted) -> Path:
    files = artifact.to_files(model)
    mlflow_model.write(place, files, artifact.from_files(files), version=artifact.version(files))
    return place


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("written") / "model", fitted())


@pytest.fixture
def copy(folder: Path, tmp_path: Path) -> Path:
    """A copy that a test may alter."""
    return shutil.copytree(folder, tmp_path / "model")


def with_countries(day: int) -> Matrix:
    frame = snapshot_frame(day)
    number = frame["customer_id"].str[2:].astype(int)
    frame = frame.assign(country=np.array(["FR", "DE", None], dtype=object)[number % 3])
    at, columns = FIRST + timedelta(days=day), ("country", *INDICATORS)
    return matrix(frame, at, question=QUESTION, columns=columns, categories=("country",), start_model=True)


def test_a_pyfunc_gives_our_probabilities_of_1000_to_the_last_digit_together_and_alone(folder: Path) -> None:
    rows = fitted().levelled(stack([snapshot_matrix(day, snapshot_frame(day)) for day in (390, 391)]))
    loaded = mlflow.pyfunc.load_model(str(folder))
    assert len(rows) == 1_000
    expected = fitted().probability(rows)
    assert (loaded.predict(as_frame(rows)) == expected).all()
    assert [loaded.predict(as_frame(rows).iloc[[row]])[0] for row in range(20)] == expected[:20].tolist()


def test_columns_may_come_in_another_order_and_with_others(folder: Path) -> None:
    loaded, rows = mlflow.pyfunc.load_model(str(folder)), fitted().levelled(unseen_rows())
    turned = as_frame(rows)[as_frame(rows).columns[::-1]].assign(customer_id="C-1")
    assert (loaded.predict(turned) == fitted().probability(rows)).all()


def test_with_a_linear_correction_it_is_the_same(tmp_path: Path) -> None:
    model = fitted(start=False)
    rows = model.levelled(unseen_rows(start=False))
    loaded = mlflow.pyfunc.load_model(str(written(tmp_path / "model", model)))
    assert model.linear is not None
    assert START not in loaded.metadata.get_input_schema().input_names()
    assert (loaded.predict(as_frame(rows)) == model.probability(rows)).all()
    assert loaded.predict(as_frame(rows).iloc[[3]])[0] == model.probability(rows)[3]


def test_categories_are_text_and_unknown_ones_are_taken(tmp_path: Path) -> None:
    model = training.fit(stack([with_countries(180), with_countries(210)]), seed=7, threads=1)
    later = model.levelled(with_countries(300))
    loaded = mlflow.pyfunc.load_model(str(written(tmp_path / "model", model)))
    schema = loaded.metadata.get_input_schema()
    kinds = dict(zip(schema.input_names(), map(str, schema.input_types()), strict=True))
    assert [name for name, kind in kinds.items() if kind == "DataType.string"] == ["country"]
    assert (loaded.predict(as_frame(later)) == model.probability(later)).all()
    other = as_frame(later).assign(country="NZ")
    unknown = replace(later, categories={"country": np.full(len(later), "NZ", dtype=object)})
    assert (loaded.predict(other) == model.probability(unknown)).all()


def test_its_trees_are_lightgbms_booster(folder: Path) -> None:
    booster, rows = mlflow.lightgbm.load_model(str(folder)), fitted().levelled(unseen_rows())
    assert isinstance(booster, lgb.Booster)
    assert (replace(fitted(), booster=booster).probability(rows) == fitted().probability(rows)).all()


def test_what_goes_in_and_out_is_declared(folder: Path) -> None:
    schema = mlflow.pyfunc.load_model(str(folder)).metadata.signature
    assert schema.inputs.input_names() == [*fitted().columns, START, LEVEL]
    assert {str(kind) for kind in schema.inputs.input_types()} == {"DataType.double"}
    with pytest.raises(mlflow.MlflowException, match=r"missing inputs.*orders_90d"):
        mlflow.pyfunc.load_model(str(folder)).predict(
            as_frame(fitted().levelled(unseen_rows())).drop(columns="orders_90d")
        )


def test_the_example_is_nobodys_row_and_can_be_predicted(folder: Path) -> None:
    loaded = mlflow.pyfunc.load_model(str(folder))
    example = loaded.input_example
    assert isinstance(example, pd.DataFrame)
    assert len(loaded.predict(example)) == 3
    people = pd.concat([as_frame(train_rows()), as_frame(unseen_rows())])
    columns = [name for name in example.columns if example[name].iloc[0] != example[name].iloc[2]]
    assert len(columns) > 3
    for name in columns:  # between the values that customers have: there trees split
        assert set(example[name]).isdisjoint(people[name]), name


def test_nothing_is_pickled_and_no_place_of_this_machine_is_told(folder: Path) -> None:
    files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    name = artifact.version(artifact.to_files(fitted()))
    assert set(files) == {
        "MLmodel",
        "served.py",
        "conda.yaml",
        "python_env.yaml",
        "requirements.txt",
        "input_example.json",
        "serving_input_example.json",
        f"artifacts/{name}/booster.txt",
        f"artifacts/{name}/model.json",
    }
    for path in files.values():
        text = path.read_bytes().decode("utf-8")
        assert "pickle" not in text or path.name == "served.py", path  # whose own words say that nothing is
        assert "/tmp/" not in text, path
        assert str(Path(__file__).parents[3]) not in text, path


def altered(copy: Path) -> dict[str, Any]:
    (texts,) = (copy / "artifacts").iterdir()
    return {"texts": texts, "model": json.loads((texts / "model.json").read_text())}


def test_an_altered_text_is_refused_before_it_is_parsed(copy: Path) -> None:
    texts = altered(copy)["texts"]
    trees = texts / "booster.txt"
    trees.write_text(trees.read_text().replace("left_child=", "left_child=99 ", 1))
    with pytest.raises(IntegrityError, match="does not hold the model that it is named for"):
        mlflow.pyfunc.load_model(str(copy))


def test_a_folder_with_the_name_of_its_altered_content_meets_the_look_at_the_trees(copy: Path) -> None:
    """Whoever alters all that names the content is still not given to LightGBM, which would crash."""
    found = altered(copy)
    texts, trees = found["texts"], found["texts"] / "booster.txt"
    trees.write_text(trees.read_text().replace("left_child=", "left_child=99 ", 1))
    from models import boosting

    found["model"]["booster_sha256"] = boosting.digest(trees.read_text())
    (texts / "model.json").write_text(json.dumps(found["model"]))
    files = {name: (texts / name).read_text() for name in (artifact.BOOSTER, artifact.MODEL)}
    place = texts.rename(texts.with_name(artifact.version(files)))
    loads = copy / "MLmodel"
    loads.write_text(loads.read_text().replace(texts.name, place.name))
    with pytest.raises(IntegrityError, match="LightGBM was not given it"):
        mlflow.pyfunc.load_model(str(copy))


def test_a_folder_without_a_text_is_refused(copy: Path) -> None:
    texts = altered(copy)["texts"]
    (texts / "model.json").unlink()
    with pytest.raises(IntegrityError, match=r"lacks booster\.txt or model\.json"):
        read(texts, asked=QUESTION)


def test_a_model_of_before_is_read_with_the_question_beside_it(tmp_path: Path) -> None:
    files = artifact.to_files(fitted())
    older = json.loads(files[artifact.MODEL]) | {"format": artifact.WITHOUT_QUESTION, "outcome": QUESTION.outcome}
    older["linear_start"] = None  # it may have been the trees alone
    for name in ("question", "linear", "shares", "level"):
        del older[name]
    files[artifact.MODEL] = json.dumps(older)
    model = artifact.from_files(files, asked=QUESTION)
    mlflow_model.write(tmp_path / "model", files, model, version=artifact.version(files))
    loaded = mlflow.pyfunc.load_model(str(tmp_path / "model"))
    rows = model.levelled(unseen_rows())
    assert rows.level is not None
    assert not rows.level.any()
    assert (loaded.predict(as_frame(rows)) == model.probability(rows)).all()
    # What was published then declares no level, and MLflow hands over what is declared.
    assert LEVEL not in loaded.metadata.get_input_schema().input_names()
    assert (loaded.predict(as_frame(unseen_rows())) == model.probability(rows)).all()
