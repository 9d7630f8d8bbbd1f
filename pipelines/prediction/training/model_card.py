"""One page about one trained model, for people who use it or answer for it; no data of any customer."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from features.outcomes import OUTCOMES
from models import level
from pipelines.foundation.ledger.model_versions import Version
from pipelines.foundation.settings.privacy import Privacy

FILE_NAME = "model_card.md"
TEMPLATE = "model_card.md.jinja"

COHORTS = {
    "ever_ordered": "customers who ever ordered",
    "ordered_within": "customers who ordered within the last {days} days",
    "subscribed": "customers with a running subscription, past its trial, who have not given notice",
}
WAYS_IN_WORDS = {
    level.OWN: "what the model itself sums to",
    level.BUYING: "what the buying model expects of everybody",
    level.RECENT: "what was missed on the newest known days",
    level.SEASON: "the base rate of a year ago, where there is one",
}
METRICS = (
    ("roc_auc", "ROC AUC"),
    ("pr_auc", "PR AUC"),
    ("log_loss", "log loss"),
    ("brier", "Brier score"),
    ("calibration_slope", "calibration slope"),
    ("top_decile_lift", "lift of the top tenth"),
)


def model_card(version: Version, model: str) -> str:
    """The page as Markdown. model: the text of the version's model.json. The same version gives the same page."""
    record, fitted = version.record, json.loads(model)
    settings = {"privacy": Privacy().model_dump(), **record["settings"]}  # older versions know of no such settings
    # Markdown is not HTML: what may break a table is taken out of the few texts that come from data.
    environment = Environment(  # noqa: S701
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        loader=FileSystemLoader(Path(__file__).parent),
    )
    return environment.get_template(TEMPLATE).render(
        version=version.version,
        trained_at=version.trained_at[:16].replace("T", " "),
        promoted=version.promoted,
        verdict=_plain(version.verdict),
        record=record,
        settings=settings,
        parameters=record["parameters"],
        outcome=OUTCOMES[settings["outcome"]["kind"]].happens,
        cohort=COHORTS[settings["cohort"]["kind"]].format(days=settings["cohort"]["active_days"]),
        days=sorted(str(date.fromordinal(day)) for day in fitted["snapshots"]),
        tables=_tables(record["data"]),
        lists=any(settings["privacy"][name] for name in ("objections", "consent")),
        families=dict(sorted(Counter(column["family"].replace("_", " ") for column in record["schema"]).items())),
        folds=record["backtest"]["folds"],
        segments=[{**each, "segment": _plain(each["segment"])} for each in record["backtest"].get("segments", [])],
        calibrator=fitted["calibrator"],
        shares=fitted.get("shares"),
        level=_level(fitted.get("level")),
        leaks=_leaks(record.get("leaks")),
        own=[each | {"file": _plain(each["file"])} for each in record.get("own_indicators", [])],
        metrics=METRICS,
        figure=_figure,
        share=_share,
        four=_four,
    )


def _tables(files: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Per table of the data: how many files and rows had landed, and when the first row became known."""
    found: dict[str, dict[str, Any]] = {}
    for file in files:
        table = found.setdefault(file["table"], {"name": file["table"], "files": 0, "rows": 0, "first": None})
        table["files"] += 1
        table["rows"] += file["landed"]
        table["first"] = min((day for day in (table["first"], file["first_known_at"]) if day), default=None)
    return [found[name] for name in sorted(found)]


def _leaks(record: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """What was found of columns that know the future; None for versions that were made before it was looked for."""
    if record is None:
        return None
    findings = [
        {
            "place": f"{each['table']}.{each['column']}" if each["table"] else each["column"],
            "evidence": _plain(each["evidence"]),
            "remedy": _plain(each["remedy"]),
        }
        for each in record["findings"]
    ]
    return {"findings": findings, "trusted": record["trusted"], "untold": record["untold"]}


def _level(told: Mapping[str, Any] | None) -> list[tuple[str, float]]:
    """Each way in which the number of those who leave is told, and its share; nothing of a model that tells none."""
    if told is None:
        return []
    total = sum(told["weights"].values())
    return [(WAYS_IN_WORDS[way], weight / total) for way, weight in sorted(told["weights"].items())]


def _figure(fold: Mapping[str, Any], name: str) -> str:
    low, high = fold["intervals"].get(name, (None, None))
    interval = "" if low is None or high is None else f" ({_four(low)} to {_four(high)})"
    return _four(fold["model"][name]) + interval


def _share(figures: Mapping[str, Any]) -> str:
    return f"{figures['positives'] / figures['n']:.1%}" if figures["n"] else "-"


def _four(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def _plain(text: str) -> str:
    """Text that neither ends a table's cell nor starts anything else in Markdown or HTML."""
    return "".join(" " if mark in "|<>`\r\n" else mark for mark in text)
