"""A model as two texts: LightGBM's trees, and JSON with everything else. Nothing is pickled."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from typing import Any

from features.errors import IntegrityError, OutdatedModelError
from models import boosting
from models.calibration import Calibrator
from models.encoder import Encoder
from models.level import OWN, WAYS, Level
from models.linear import Linear
from models.question import Question
from models.training import Fitted

BOOSTER = "booster.txt"
MODEL = "model.json"
FORMAT = 6
CORRECTED = 5  # the format before: the linear model corrected what the trees started from, or there was none
_MOST = 1 << 28  # characters of model.json
_HUGE = 1e300
WITHOUT_QUESTION = 4  # the format before that: a model's question stood beside it, in the settings it was trained with


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
        "linear": asdict(fitted.linear),
        "shares": fitted.shares,
        "level": asdict(fitted.level),
        "encoder": asdict(fitted.encoder),
        "rows": fitted.rows,
        "snapshots": fitted.snapshots,
    }
    if fitted.defined_in:
        rest["defined_in"] = dict(fitted.defined_in)
    return {BOOSTER: trees, MODEL: json.dumps(rest, indent=1, sort_keys=True) + "\n"}


def carries_question(files: Mapping[str, str]) -> bool:
    """Whether a model's own text tells its question; in the format before, its settings did."""
    return bool(document(files)["format"] != WITHOUT_QUESTION)


def document(files: Mapping[str, str]) -> dict[str, Any]:
    """What `model.json` says. Raises: IntegrityError where it is none."""
    try:
        found = json.loads(files[MODEL], parse_constant=_refuse_constant) if len(files[MODEL]) <= _MOST else None
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or type(found.get("format")) is not int:
        raise _malformed("it is no document with a format")
    return found


def snapshots(files: Mapping[str, str]) -> list[int]:
    """The days of the snapshots that a model learned from, whichever format it has. Raises: as `document`."""
    found = document(files).get("snapshots")
    if not isinstance(found, list) or not all(type(day) is int for day in found):
        raise _malformed("snapshots are no days")
    return found


def from_files(files: dict[str, str], *, asked: Question | None = None) -> Fitted:
    """The model back.

    asked: the question of a model in the format before, which does not carry it.

    Raises: OutdatedModelError for another format, IntegrityError where the trees are not those that model.json names,
    or one of the two is not as `to_files` writes it.
    """
    rest = document(files)
    carried = rest["format"] in (FORMAT, CORRECTED)
    if not carried and (rest["format"] != WITHOUT_QUESTION or asked is None or asked.outcome != rest.get("outcome")):
        raise OutdatedModelError(f"the model has format {rest['format']}, this version reads {FORMAT}; retrain it")
    try:
        return _fitted(files, rest, Question.from_json(rest["question"]) if carried or asked is None else asked)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        raise _malformed("a part is not there, or of another kind") from None


def _fitted(files: Mapping[str, str], rest: Mapping[str, Any], question: Question) -> Fitted:
    columns = tuple(_each(rest["columns"], str, "columns"))
    linear, shares = _linear(rest) if rest["format"] == FORMAT else _correction(rest["linear_start"], len(columns))
    if len(set(columns)) != len(columns):
        raise _malformed("columns are named twice")
    _each([linear.intercept, *shares], float, "linear, or shares")
    for part in (linear.low, linear.high, linear.centre, linear.scale, linear.weights):
        if len(_each(list(part), float, "linear")) != len(columns) + 1:
            raise _malformed("linear is not of the model's columns and the start")
    encoder, calibrator = Encoder(**rest["encoder"]), Calibrator(**rest["calibrator"])
    for name, of_each in encoder.shares.items():
        _each([name, *of_each], str, "encoder")
        _each(list(of_each.values()), float, "encoder")
    average = rest["start_model"]["average_log_odds"]
    _each([encoder.mean, calibrator.intercept, calibrator.slope, average], float, "calibrator, encoder or start_model")
    rounds, rows, *days = _each([rest["rounds"], rest["rows"], *rest["snapshots"]], int, "rounds, rows, snapshots")
    if rounds < 0 or rows < 0 or not all(1 <= day <= date.max.toordinal() for day in days):
        raise _malformed("rounds, rows or snapshots cannot be")
    _each([question.lead_days, question.horizon_days], int, "question")
    return Fitted(
        question=question,
        booster=boosting.from_text(files[BOOSTER], rest["booster_sha256"], columns),
        columns=columns,
        encoder=encoder,
        calibrator=calibrator,
        linear=linear,
        shares=shares,
        rounds=rounds,
        average_start=average,
        rows=rows,
        snapshots=tuple(days),
        defined_in=_defined_in(rest.get("defined_in", {})),
        level=_level(rest["level"]) if rest["format"] == FORMAT else Level.none(),
    )


def _level(told: Mapping[str, Any]) -> Level:
    weights, rates = told["weights"], tuple((day, rate) for day, rate in told["rates"])
    _each([told["missed"], *weights.values(), *(rate for _, rate in rates)], float, "level")
    _each([day for day, _ in rates], int, "level")
    if OWN not in weights or not weights.keys() <= WAYS or not all(weight > 0 for weight in weights.values()):
        raise _malformed("level has ways that are none, or weights of nothing")
    return Level(weights, told["missed"], rates)


def _linear(rest: Mapping[str, Any]) -> tuple[Linear, tuple[float, float]]:
    trees, straight = rest["shares"]
    return Linear(**_tuples(rest["linear"])), (trees, straight)


def _correction(told: dict[str, Any] | None, columns: int) -> tuple[Linear, tuple[float, float]]:
    """A linear correction of the start, or none, as a member: it counts beside the trees, and reads no start."""
    nothing = {"low": 0.0, "high": 0.0, "centre": 0.0, "scale": 1.0, "weights": 0.0}
    if told is None:
        return Linear(0.0, *((value,) * (columns + 1) for value in nothing.values())), (1.0, 0.0)
    parts = {name: (*told[name], value) for name, value in nothing.items()}
    return Linear(intercept=told["intercept"], **parts), (1.0, 1.0)


def _defined_in(files: dict[str, str]) -> tuple[tuple[str, str], ...]:
    _each([*files, *files.values()], str, "defined_in")
    return tuple(sorted(files.items()))


def _each(values: list[Any], kind: type, where: str) -> list[Any]:
    """The values back. Raises: IntegrityError where one is of another kind; a whole number is a number, too."""
    kinds = (int, float) if kind is float else (kind,)
    wrong = [each for each in values if type(each) not in kinds or (kind is float and not abs(each) <= _HUGE)]
    if wrong or not isinstance(values, list):
        raise _malformed(f"{where} has a value of another kind")
    return values


def _refuse_constant(name: str) -> None:
    raise _malformed(name)


def _malformed(what: str) -> IntegrityError:
    return IntegrityError(
        f"the model's {MODEL} is none that attrition wrote ({what}); restore the model from a backup, or run "
        "`attrition train` again"
    )


def version(files: dict[str, str]) -> str:
    """Twelve hexadecimal digits that name exactly this model."""
    return hashlib.sha256("".join(files[name] for name in sorted(files)).encode()).hexdigest()[:12]


def _tuples(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()}
