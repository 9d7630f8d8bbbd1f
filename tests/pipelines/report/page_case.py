"""A page in a browser: what it said on the console, what it asked for, and what axe-core finds wrong with it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pipelines.foundation.wording.numbers import Language
from pipelines.report.data import CustomerFacts, Plays, ReportData
from tests.pipelines.report.test_page import report

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

AXE = Path(__file__).parents[2] / "axe" / "axe.min.js"
AXE_SHA256 = "29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c"
CALL, MAIL = ("Call in person", "Ask what is missing."), ("Write a message", "Say hello.")


def with_facts(language: Language = "en", *, customers: int = 230) -> ReportData:
    """Every seventh has a play, every other a trend, two of three a country; the first two by name are held out."""
    plain = report(language, customers=customers)
    names = plain.scores["customer_id"].tolist()
    countries = ("France", "Österreich", "")
    facts = CustomerFacts(
        trends={name: ("rising", "falling", "steady")[place % 3] for place, name in enumerate(names) if place % 2},
        plays={name: ("call", "mail")[place % 2] for place, name in enumerate(names) if place % 7 == 0},
        play_names={"call": CALL, "mail": MAIL},
        segments={"country": {name: countries[place % 3] for place, name in enumerate(names)}},
        past=pd.DataFrame(
            {
                "2026-02-01": plain.scores["churn_probability"].to_numpy() / 2,
                "2026-03-01": np.where(np.arange(customers) % 4 == 3, np.nan, 0.5),
                "2026-04-01": plain.scores["churn_probability"].to_numpy(),
            },
            index=names,
        ),
        parts=pd.DataFrame(
            np.tile([1.25, -0.5, 0.0, *np.full(9, 0.05)], (customers, 1)),
            index=names,
            columns=["buying rhythm", "value of orders", "nothing", *(f"part {number}" for number in range(9))],
        ),
        average=0.4,
        events=pd.DataFrame(
            {
                "customer_id": names * 2,
                "table": "orders",
                "week": [4] * customers + [20] * customers,
                "events": [3] * customers + [1] * customers,
            }
        ),
    )
    return replace(plain, customers=facts, plays=Plays(held_out=frozenset(names[:2]), of_week=[]))


@contextmanager
def opened(
    browser: Browser, html: str, folder: Path, *, size: tuple[int, int] = (1366, 768), anchor: str = "", **options: Any
) -> Iterator[Page]:
    """The page in a browser, from disk; fails where it said something, or asked for anything but itself."""
    place = folder / "report.html"
    place.write_text(html, encoding="utf-8")
    page = browser.new_page(viewport={"width": size[0], "height": size[1]}, **options)
    said, asked = list[str](), list[str]()
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    try:
        page.goto(place.as_uri() + anchor)
        yield page
        assert said == []
        assert {url for url in asked if not url.startswith("data:")} == {place.as_uri()}
    finally:
        page.close()


def violations(page: Page) -> list[str]:
    """What axe-core finds, each with where: its rules for WCAG 2.2 AA and its best practices."""
    text = AXE.read_text(encoding="utf-8")
    assert hashlib.sha256(text.encode()).hexdigest() == AXE_SHA256
    page.evaluate(text)
    found = page.evaluate("axe.run()")
    return [f"{each['id']}: {[node['html'][:120] for node in each['nodes'][:3]]}" for each in found["violations"]]
