"""A model out of MLflow: rows in, churn probabilities out, to the last digit those of `attrition score`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from mlflow.pyfunc.model import PythonModel, PythonModelContext

from features.errors import DataError, IntegrityError
from models import artifact
from models.classifier import ChurnClassifier
from models.question import Question
from models.training import Fitted

TEXTS = "model"  # the artifact that is the folder of the two texts


class Scorer(PythonModel):
    """What `mlflow.pyfunc.load_model` and `mlflow models serve` ask."""

    def load_context(self, context: PythonModelContext) -> None:
        """Look the texts over as a workspace does before it scores, and read them."""
        asked = Question.from_json(context.model_config["question"])
        self.classifier = ChurnClassifier.of(read(Path(context.artifacts[TEXTS]), asked=asked))

    def predict(
        self, context: PythonModelContext, model_input: pd.DataFrame, params: dict[str, Any] | None = None
    ) -> npt.NDArray[np.float64]:
        """(n,) probabilities of the outcome, 0 to 1. model_input: as `models.frames.as_frame` gives it."""
        del context, params
        wanted = list(self.classifier.feature_names_in_)
        missing = [name for name in wanted if name not in model_input.columns]
        if missing:
            raise DataError(f"the rows lack column '{missing[0]}'; `models.frames.as_frame` makes all of them")
        found: npt.NDArray[np.float64] = self.classifier.predict_proba(model_input[wanted])[:, 1]
        return found


def read(folder: Path, *, asked: Question) -> Fitted:
    """The model in a folder that is named for its content. asked: the question of one that does not carry it.

    Raises: IntegrityError where the folder has another name, or a text was altered.
    """
    try:
        files = {name: (folder / name).read_text(encoding="utf-8") for name in (artifact.BOOSTER, artifact.MODEL)}
    except (OSError, UnicodeDecodeError):
        raise IntegrityError(f"{folder} lacks {artifact.BOOSTER} or {artifact.MODEL}; restore the folder") from None
    if (found := artifact.version(files)) != folder.name:
        raise IntegrityError(
            f"{folder} does not hold the model that it is named for: its files are those of {found}; restore the folder"
        )
    return artifact.from_files(files, asked=asked)
