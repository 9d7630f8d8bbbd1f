"""What MLflow runs to load a model: a copy of these lines lies beside the model's texts, and nothing is pickled."""

from __future__ import annotations

from mlflow.models import set_model

from models.tracking.scorer import Scorer

set_model(Scorer())
