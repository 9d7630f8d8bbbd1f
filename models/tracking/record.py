"""What is kept of one trained model in MLflow: texts and figures, and nothing of any one customer."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from models.training import Fitted


@dataclass(frozen=True, kw_only=True)
class DataSet:
    """Rows that a run read, by name and digest: the same digest, the same rows. They themselves stay where they are.

    about: where they come from, in words and days. columns: name to type.
    """

    name: str
    digest: str
    context: Literal["training", "testing", "source"]
    about: Mapping[str, Any]
    rows: int
    columns: Mapping[str, str] = field(default_factory=dict)

    @property
    def schema(self) -> str | None:
        """As MLflow's page reads it."""
        kinds = [{"type": kind, "name": name, "required": True} for name, kind in self.columns.items()]
        return json.dumps({"mlflow_colspec": kinds}) if kinds else None

    @property
    def profile(self) -> str:
        return json.dumps({"num_rows": self.rows, "num_columns": len(self.columns)})


@dataclass(frozen=True, kw_only=True)
class Fold:
    """One fold of the backtest, as a run under that of the training. day: the test day, by which it is known."""

    day: str
    parameters: Mapping[str, Any]
    metrics: Mapping[str, float]
    data: Sequence[DataSet] = ()


@dataclass(frozen=True, kw_only=True)
class Record:
    """One trained model.

    version: our own name of it, a hash of its files. files: artifact path to text. fold_metrics: per fold, name to
    value. at: when it was trained. model, fitted: the model's own texts, and the same as read; without them MLflow has
    nothing to load. description: of this version, in Markdown; about: of all versions.
    """

    version: str
    at: datetime
    files: Mapping[str, str]
    parameters: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    fold_metrics: Sequence[Mapping[str, float]] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    model: Mapping[str, str] = field(default_factory=dict)
    fitted: Fitted | None = None
    folds: Sequence[Fold] = ()
    data: Sequence[DataSet] = ()
    description: str = ""
    about: str = ""
