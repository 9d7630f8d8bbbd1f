"""What the plays changed, in plain sentences of both languages, and as a table for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.measure import Measurement
from rich.table import Table

from models.impact import CLEARLY
from pipelines.foundation.wording.numbers import NOTHING, Language
from pipelines.foundation.wording.words import Words
from pipelines.foundation.workspace.console import Console

Figures = Mapping[str, Any]

LANGUAGES: tuple[Language, ...] = ("en", "fr")
_WIDEST = 1_000
HEADS = ("play", "treatment", "holdout", "left", "kept", "interval", "money", "money_interval", "verdict")


def said(document: Figures) -> dict[str, list[str]]:
    """{language: sentences}: first of all plays together, then of each, then what holds for all."""
    return {language: sentences(document, Words(language)) for language in LANGUAGES}


def sentences(document: Figures, words: Words) -> list[str]:
    """The sentences of a document that may lack its own."""
    found = document["plays"]
    if not found:
        return [words.say("impact.nothing")]
    overall = document["overall"]
    lines = [words.say("impact.of_all", said=_one(overall, document, words))] if overall and len(found) > 1 else []
    lines += [words.say("impact.of_play", play=named(each, words), said=_one(each, document, words)) for each in found]
    if len(found) > 1:
        lines.append(words.say("impact.many", n=len(found)))
    if document["repeated"]:
        lines.append(words.say("impact.repeated", n=document["repeated"]))
    return lines


def named(figures: Figures, words: Words) -> str:
    """A play as people call it; by its code where plays.toml has it no more."""
    return str((figures.get("name") or {}).get(words.language, figures["play"]))


def _one(figures: Figures, document: Figures, words: Words) -> str:
    """Of one play, or of all together."""
    verdict, kept = figures["verdict"], figures["customers"]
    if kept is None:
        enrolled = figures["treatment"] + figures["holdout"]
        return words.say(f"impact.{verdict}", unknown=figures["unknown"], n=enrolled)
    judged = figures["judged"]
    numbers = {name: float(kept[name]) for name in ("estimate", "low", "high")}
    # What made it worse is told as customers lost, so that nobody reads past a minus.
    if verdict == "harmed":
        numbers = {"estimate": -numbers["estimate"], "low": -numbers["high"], "high": -numbers["low"]}
    parts = [words.say(f"impact.{verdict}", **numbers, n=judged["treatment"], held_out=judged["holdout"])]
    if verdict == "not_shown":
        parts.append(_power(figures, words))
    parts += [*_money(figures, document, words), *_done(figures, words)]
    if figures["unknown"]:
        parts.append(
            words.say("impact.unknown", unknown=figures["unknown"], n=figures["treatment"] + figures["holdout"])
        )
    return " ".join(parts)


def _power(figures: Figures, words: Words) -> str:
    """Why that is no proof that nothing changes."""
    detectable = figures["detectable"]
    if figures["p_value"] <= CLEARLY:
        return words.say("impact.one_of_many")
    if detectable is None:
        return words.say("impact.blind", without=float(figures["without"]))
    return words.say("impact.detectable", detectable=float(detectable))


def _money(figures: Figures, document: Figures, words: Words) -> list[str]:
    currency, money, net = document["currency"], figures["money"], figures["net"]
    if money is None:
        return [words.say("impact.no_money")]
    ends = {name: float(money[name]) for name in ("estimate", "low", "high")}
    parts = [words.say("impact.money", currency=currency, days=document["horizon_days"], **ends)]
    if figures["without_value"]:
        parts.append(words.say("impact.without_value", n=figures["without_value"]))
    if net is None:
        return [*parts, words.say("impact.no_cost")]
    ends = {name: float(net[name]) for name in ("estimate", "low", "high")}
    return [
        *parts,
        words.say("impact.net", currency=currency, cost=float(figures["cost"]), n=figures["actions"], **ends),
    ]


def _done(figures: Figures, words: Words) -> list[str]:
    done = figures["done"]
    if done is None:
        return [words.say("impact.not_read_back")]
    return [words.say("impact.done", share=float(done["treatment"]), crossed=float(done["holdout"]))]


def show(console: Console, document: Figures, *, language: Language) -> None:
    """Tell people of a document of `attrition impact`."""
    words = Words(language)
    if document["plays"]:
        table = Table(title=words.say("impact.caption"), title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
        for head in HEADS:
            left = head in ("play", "verdict")
            table.add_column(words.say(f"impact_head.{head}"), justify="left" if left else "right", no_wrap=True)
        for row in rows(document, words):
            table.add_row(*row)
        # Wider than the terminal rather than cut or folded: half a number is another number.
        wide = console.rich.options.update(max_width=_WIDEST)
        needs = Measurement.get(console.rich, wide, table).maximum
        table.width = needs if needs > console.rich.width else None
        console.rich.print(table, crop=False)
    for line in sentences(document, words):
        console.say(line)


def rows(document: Figures, words: Words) -> list[list[str]]:
    """The table's cells as text: a row per play, then all together where there are several."""
    found = [_row(named(each, words), each, words) for each in document["plays"]]
    if document["overall"] is not None and len(found) > 1:
        found.append(_row(words.say("impact.all"), document["overall"], words))
    return found


def _row(name: str, figures: Figures, words: Words) -> list[str]:
    left, judged = figures["left"], figures["judged"]
    shares = (
        NOTHING
        if left is None
        else " / ".join(words.percent(left[group] / judged[group], 1) for group in ("treatment", "holdout"))
    )
    cells = [name, words.number(figures["treatment"]), words.number(figures["holdout"]), shares]
    for part in (figures["customers"], figures["money"]):
        if part is None:
            cells += [NOTHING, NOTHING]
        else:
            cells.append(words.number(part["estimate"]))
            cells.append(f"{words.number(part['low'])} {words.say('outlook.to')} {words.number(part['high'])}")
    return [*cells, words.say(f"impact_verdict.{figures['verdict']}")]
