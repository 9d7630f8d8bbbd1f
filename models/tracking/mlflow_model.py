"""The folder from which MLflow loads a model: the two texts, lines of code that read them, and what goes in and out."""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib.metadata import version as installed
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_OID, uuid5

import numpy as np
import pandas as pd

from models import artifact
from models.frames import LEVEL, START, columns_of
from models.training import Fitted

if TYPE_CHECKING:
    from mlflow.models import ModelSignature

os.environ["MLFLOW_UV_AUTO_DETECT"] = "false"  # whatever project the folder of the call belongs to, the model does not

# What a model is read with. attrition itself is installed from its own distribution.
_NEEDED = ("attrition", "lightgbm", "mlflow", "numpy", "pandas", "scikit-learn", "scipy")
_QUARTILES = (0.25, 0.5, 0.75)


def write(place: Path, files: Mapping[str, str], fitted: Fitted, *, version: str) -> dict[str, Any]:
    """Make the folder; what a run notes of it back. files: the model's own two texts, of which `fitted` was read.

    It loads as a pyfunc (`mlflow.pyfunc`), and its trees as LightGBM's Booster (`mlflow.lightgbm`).
    """
    import mlflow

    with TemporaryDirectory() as folder:
        texts = Path(folder) / version
        texts.mkdir()
        for name in (artifact.BOOSTER, artifact.MODEL):
            (texts / name).write_text(files[name], encoding="utf-8")
        mlflow.pyfunc.save_model(
            place,
            python_model=str(Path(__file__).with_name("served.py")),
            artifacts={"model": str(texts)},
            model_config={"question": fitted.question.to_json()},
            signature=signature(fitted),
            input_example=example(files[artifact.BOOSTER], fitted),
            pip_requirements=[f"{name}=={installed(name)}" for name in _NEEDED],
        )
    code = place / "served.py"
    lines = code.read_text(encoding="utf-8")
    code.unlink()  # MLflow copies with it who may read it; what we write is for whom the umask says
    code.write_text(lines, encoding="utf-8")
    model = mlflow.models.Model.load(str(place))
    model.add_flavor(
        "lightgbm",
        lgb_version=installed("lightgbm"),
        data=f"artifacts/{version}/{artifact.BOOSTER}",
        model_class="lightgbm.basic.Booster",
        code=None,
    )
    # Where the texts and the code lay on this machine, and what would pickle a model that is not of code.
    loaded = model.flavors["python_function"]
    del loaded["cloudpickle_version"]
    loaded["model_code_path"] = Path(loaded["model_code_path"]).name
    for each in loaded["artifacts"].values():
        each["uri"] = each["path"]
    # The same model gives the same bytes: named for its content, and when it was trained stands in its run.
    model.model_uuid = uuid5(NAMESPACE_OID, version).hex
    model.utc_time_created = ""
    model.save(str(place / "MLmodel"))
    noted: dict[str, Any] = model.get_tags_dict()
    return noted


def signature(fitted: Fitted) -> ModelSignature:
    """Numbers, and text for categories, in; one number a row out."""
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema

    kinds = {name: "string" if name in fitted.encoder.shares else "double" for name in columns_of(fitted)}
    return ModelSignature(Schema([ColSpec(kind, name) for name, kind in kinds.items()]), Schema([ColSpec("double")]))


def example(trees: str, fitted: Fitted) -> pd.DataFrame:
    """Three rows that are nobody's: of each column the quartiles of the values at which the trees split.

    A column that no tree reads is 0, a category one that was learned. The start is the average one.
    """
    splits: dict[str, list[float]] = {name: [] for name in fitted.columns}
    features: list[int] = []
    for line in trees.splitlines():
        name, _, values = line.partition("=")
        if name == "split_feature":
            features = [int(value) for value in values.split()]
        elif name == "threshold":
            for feature, value in zip(features, values.split(), strict=True):
                splits[fitted.columns[feature]].append(float(value))
    rows: dict[str, Any] = {}
    for name, found in splits.items():
        finite = [value for value in found if np.isfinite(value)]
        known = sorted(fitted.encoder.shares.get(name, {}))
        rows[name] = (
            [known[-1] if known else ""] * 3
            if name in fitted.encoder.shares
            else (np.quantile(finite, _QUARTILES) if finite else np.zeros(3))
        )
    beside = {START: np.full(3, fitted.average_start), LEVEL: np.zeros(3)}
    return pd.DataFrame(rows | {name: beside[name] for name in columns_of(fitted) if name in beside})
