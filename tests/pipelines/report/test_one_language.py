"""One language at a time: every word of a page is one of its language, whoever looks, listens, points or searches."""

from __future__ import annotations

import json
import re
import shutil
import string
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from babel import Locale

from features.training_set import FAMILIES
from pipelines.data.kpis import words as kpi_words
from pipelines.foundation.ledger.model_versions import Version
from pipelines.foundation.settings import plays as plays_file
from pipelines.foundation.settings.settings import FILE_NAME
from pipelines.foundation.wording import words as wording
from pipelines.foundation.wording.numbers import Language
from pipelines.foundation.wording.words import Words
from pipelines.foundation.workspace.workspace import open_workspace
from pipelines.prediction.training.verdict import verdict_in
from pipelines.report.data import ReportData
from pipelines.report.page import render
from pipelines.report.write import write_report
from tests.pipelines.operations.monitoring.document_case import document as monitored
from tests.pipelines.operations.monitoring.document_case import indicator, run
from tests.pipelines.operations.plays.test_impact_words import document as changed
from tests.pipelines.operations.plays.test_impact_words import figures
from tests.pipelines.report.page_case import opened, with_facts
from tests.pipelines.report.test_money import with_money
from tests.pipelines.report.test_plays import with_plays
from tests.pipelines.report.test_retention import with_retention
from tests.pipelines.stage_case import recommend, score

if TYPE_CHECKING:
    from playwright.sync_api import Browser

LANGUAGES: tuple[Language, ...] = ("en", "fr")
SEEN = {"aria-label", "title", "alt", "placeholder", "data-label", "label"}
CODES = {"id", "language", "kind"}  # keys of the page's data whose texts nobody reads
# Words of figures.py and of Babel, which stand in no catalog.
OF_FIGURES = {
    "en": "day days hour hours percentage points point more fewer less neither nor no and",
    "fr": "jour jours heure heures point points de d plus moins autant le même montant er",
}
# What belongs to a company, a method or a source, whatever the language.
NAMES = {"shop", "eur", "attrition", "france", "österreich", "pareto", "nbd", "bg", "somebody", "chartmogul", "c"}
NAMES |= {"ingest", "train"}  # commands, which the page shows without their marks


class Visible(HTMLParser):
    """The texts of a page that reach anybody: shown, read aloud, pointed at, or kept for later."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._inside = ""
        self._data = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self._inside = tag if tag in {"script", "style"} else ""
        self._data = found.get("type") == "application/json"
        self.texts += [value for name, value in attrs if name in SEEN and value]

    def handle_endtag(self, tag: str) -> None:
        self._inside = "" if tag in {"script", "style"} else self._inside

    def handle_data(self, data: str) -> None:
        if not self._inside:
            self.texts.append(data)
        elif self._data:
            self.texts += _strings(json.loads(data))


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for each in value:
            yield from _strings(each)
    elif isinstance(value, dict):
        for key, each in value.items():
            if key == "advice":  # what to do, by the play's name
                yield from each
            if key not in CODES:
                yield from _strings(each)


def words_of(text: str) -> set[str]:
    """Lower-case words; neither commands nor what has a digit, a point or a line below in it: those are names."""
    text = re.sub(r"`[^`]*`|\{\w+\}", " ", text).replace("\u2019", "'")
    kept = [each for each in re.split(r"[\s\u00a0\u202f/()«»“”|#]+", text) if not re.search(r"\w[_.]\w|\d", each)]
    return {word.lower() for each in kept for word in re.findall(r"[^\W\d_]+", each)}


def vocabulary(language: Language) -> set[str]:
    """Every word that a language's texts are made of."""
    texts = [OF_FIGURES[language]]
    for section in tomllib.loads(Path(wording.__file__).with_suffix(".toml").read_text(encoding="utf-8")).values():
        for text in section.values():
            for literal, _, spec, _ in string.Formatter().parse(text[language]):
                texts += [literal, (spec or "").replace("|", " ")]
    for family in FAMILIES:
        texts += [label[LANGUAGES.index(language)] for label in family.reasons.values()]
        for each in family.indicators:
            texts += [getattr(each, f"{language}{ending}") for ending in ("", "_null", "_no")]
    for play in plays_file.load(plays_file.DEFAULT):
        texts += [play.name.of(language), play.advice.of(language)]
    months = Locale(language).months["format"]
    texts += [name for form in ("wide", "abbreviated") for name in months[form].values()]
    return set().union(*(words_of(text) for text in texts))


def foreign(page: str, language: Language) -> set[str]:
    """Words that reach a reader and are none of the page's language."""
    found = set().union(*(words_of(text) for text in Visible(page).texts))
    return found - vocabulary(language) - NAMES


def everything(language: Language) -> ReportData:
    """A page with every section, of data that have no language of their own."""
    say, labels = Words(language, by_contract=True), [each for family in FAMILIES for each in family.reasons.values()]
    found, shipped = with_facts(language, customers=60), plays_file.load(plays_file.DEFAULT)
    assert found.customers is not None
    play_names = {
        code: (play.name.of(language), play.advice.of(language))
        for code, play in zip(("call", "mail"), shipped, strict=False)
    }
    parts = found.customers.parts
    parts.columns = [labels[number][LANGUAGES.index(language)] for number in range(len(parts.columns))]
    facts = replace(found.customers, play_names=play_names, parts=parts)
    money, retention, week = with_money(language), with_retention(language).retention, with_plays(language).plays
    assert retention is not None
    assert week is not None
    retention = replace(retention, terms=[(kpi_words.label("month", say), say.say("kpi_means.month"))])
    names = [play.name.of(language) for play in shipped]
    week = replace(week, of_week=[replace(each, name=names[place]) for place, each in enumerate(week.of_week)])
    moved = [indicator("net_amount_30d", "purchases", drifted=["values"], distance=0.93, usual=0.04, limit=0.15)]
    drift = {"indicators": moved, "statistic": 3.2, "p_value": 0.001}
    days = (monitored("2024-07-29"), monitored(matured=[run("2024-05-01"), run("2024-05-29")], drift=drift))
    return replace(
        found,
        verdict=verdict_in(decided(), say),
        cohort_words=say.say("cohort.subscribed", days=365),
        simulated=True,
        by_contract=True,
        customers=facts,
        plays=week,
        money=money.money,
        predictions=money.predictions,
        retention=retention,
        monitoring=days,
        impact=changed(figures(play="call", name={name: shipped[0].name.of(name) for name in LANGUAGES}), repeated=4),
    )


def decided(**changes: Any) -> Version:
    gate = {"gate": "log_loss", "champion": 0.43, "challenger": 0.41, "high": 0.01, "margin": 0.02, "passed": True}
    record = {"promotion": [gate | {"segment": ""}]} | changes
    said = "no worse than the champion on 1,000 outcomes that neither knew: log loss 0.4100 against 0.4300"
    return Version(
        "abc123", "", "2026-01-01T00:00:00+00:00", promoted=True, verdict=said, record=record, published=True
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_word_of_a_page_with_everything_is_of_its_language(language: Language) -> None:
    page = render(everything(language))
    for name in ("money", "plays", "retention", "quality", "time", "monitoring", "impact", "customers", "definitions"):
        assert f'<section id="{name}">' in page
    assert foreign(page, language) == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_the_script_writes_of_a_customer_is_in_the_language_too(
    browser: Browser, tmp_path: Path, language: Language
) -> None:
    with opened(browser, render(everything(language)), tmp_path, anchor="#customer=C-00014") as page:
        page.wait_for_selector("#customer h3")
        shown = page.evaluate("document.querySelector('main').outerHTML")
    assert "C-00014" in shown
    assert foreign(shown, language) == set()


def editions(page: str) -> tuple[str, str]:
    """What is shown first, with the data of both, and what stands ready in the other language."""
    shown, _, rest = page.partition("<template")
    other, _, data = rest.partition("</template>")
    return shown + data, f"<template{other}"


def test_the_page_of_a_finished_workspace_is_french_once_the_settings_are(
    finished_workspace: Path, tmp_path: Path
) -> None:
    english, french = editions((finished_workspace / "report.html").read_text(encoding="utf-8"))
    assert (foreign(english, "en"), foreign(french, "fr")) == (set(), set())
    root = Path(shutil.copytree(finished_workspace, tmp_path / "shop"))
    settings = (root / FILE_NAME).read_text(encoding="utf-8")
    assert 'language = "en"' in settings
    (root / FILE_NAME).write_text(settings.replace('language = "en"', 'language = "fr"'), encoding="utf-8")
    (root / plays_file.FILE_NAME).write_bytes(plays_file.DEFAULT.read_bytes())
    now = datetime(2026, 1, 1, tzinfo=UTC)
    found = open_workspace(root, now=now)
    recommend(found, score(found, now=now).run)
    page = (root / write_report(found)).read_text(encoding="utf-8")
    assert '<html lang="fr">' in page
    french, english = editions(page)
    assert (foreign(french, "fr"), foreign(english, "en")) == (set(), set())


@pytest.mark.parametrize(
    "inside",
    [
        "<p>Clients at risk</p>", '<p aria-label="Customers">Clients</p>', "<svg><title>3 customers</title></svg>",
        '<script type="application/json">{"words": {"none": "aucun", "texts": ["no order"]}}</script>',
        '<td data-label="high">élevé</td>',
    ],
)  # fmt: skip
def test_an_english_word_is_found_wherever_it_stands(inside: str) -> None:
    assert foreign(inside, "fr")
    assert not foreign("<style>p { color: red }</style><p>Clients à risque : 3 C-0042</p><script>let x</script>", "fr")
