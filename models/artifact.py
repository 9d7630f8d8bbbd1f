"""A model as two texts: LightGBM's trees, and JSON with everything else. Nothing is pickled."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from typing import Any

from features.errors import OutdatedModelError
from models import boosting
from models.calibration import Calibrator
from models.encoder import Encoder
from models.linear_start import LinearStart
from models.question import Question
from models.training import Fitted

BOOSTER = "booster.txt"
MODEL = "model.json"
FORMAT = 5
WITHOUT_QUESTION = 4  # the format before: a model's question stood beside it, in the settings it was trained with


def to_files(fitted: Fitted) -> dict[str, str]:
    """File name to text; `model.json` holds the hash of the trees."""
    trees = boosting.to_text(fitted.booster)
    rest = {
        "format": FORMAT,
        "question": fitted.question.to_json(),
        "booster_sha256": boosting.digest(trees),
        "columns": fitted.columns,
        "calibrator": asdict(fitted.calibrator),
        "rounds": fitted.rounds,
        "start_model": {"kind": "bg_nbd", "average_log_odds": fitted.average_start, "refitted": "at every snapshot"},
        "linear_start": None if fitted.linear is None else asdict(fitted.linear),
        "encoder": asdict(fitted.encoder),
        "rows": fitted.rows,
        "snapshots": fitted.snapshots,
    }
    return {BOOSTER: trees, MODEL: json.dumps(rest, indent=1, sort_keys=True) + "\n"}


def carries_question(files: dict[str, str]) -> bool:
    """Whether a model's own text tells its question; in the format before, its settings did."""
    return bool(json.loads(files[MODEL])["format"] != WITHOUT_QUESTION)


def from_files(files: dict[str, str], *, asked: Question | None = None) -> Fitted:
    """The model back.

    asked: the question of a model in the format before, which does not carry it.

    Raises: OutdatedModelError for another format, IntegrityError where the trees are not those that model.json names.
    """
    rest = json.loads(files[MODEL])
    carried = rest["format"] == FORMAT
    if not carried and (rest["format"] != WITHOUT_QUESTION or asked is None or asked.outcome != rest["outcome"]):
        raise OutdatedModelError(f"the model has format {rest['format']}, this version reads {FORMAT}; retrain it")
    booster = boosting.from_text(files[BOOSTER], rest["booster_sha256"])
    return Fitted(
        question=Question.from_json(rest["question"]) if carried or asked is None else asked,
        booster=booster,
        columns=tuple(rest["columns"]),
        encoder=Encoder(**rest["encoder"]),
        calibrator=Calibrator(**rest["calibrator"]),
        linear=None if rest["linear_start"] is None else LinearStart(**_tuples(rest["linear_start"])),
        rounds=rest["rounds"],
        average_start=rest["start_model"]["average_log_odds"],
        rows=rest["rows"],
        snapshots=tuple(rest["snapshots"]),
    )


def version(files: dict[str, str]) -> str:
    """Twelve hexadecimal digits that name exactly this model."""
    return hashlib.sha256("".join(files[name] for name in sorted(files)).encode()).hexdigest()[:12]


def _tuples(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()}
