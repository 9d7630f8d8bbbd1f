"""What retention figures are called and how each is defined, in both languages."""

from __future__ import annotations

from typing import Any

from pipelines.foundation.settings.settings import Settings
from pipelines.foundation.wording.words import Words

# Every field of a month, then those of a cohort, in the order of reading.
FIELDS = (
    "month", "segment", "customers_start", "new", "reactivated", "lost", "voluntary_lost", "involuntary_lost",
    "customers_end", "retention_rate", "attrition_rate", "attrition_rate_of_total", "buyers", "repeat_buyers",
    "repeat_rate", "mrr_start", "mrr_new", "mrr_reactivation", "mrr_expansion", "mrr_contraction", "mrr_churned",
    "mrr_end", "new_and_lost", "mrr_new_and_lost", "customers_unpriced", "mrr_became_known", "mrr_became_unknown",
    "grr", "nrr", "net_negative_churn", "expansion_share", "provisional", "cohort", "months_since",
    "customers", "retained", "rate", "low", "high",
)  # fmt: skip
# The share of revenue that came from expansion, by year (ChartMogul, SaaS report): a line to compare with.
CHARTMOGUL = {2020: 0.288, 2023: 0.323}


def label(name: str, words: Words) -> str:
    """What a field is called."""
    return words.say(f"kpi.{name}")


def head(name: str, words: Words) -> str:
    """The same for a narrow column."""
    return words.say(f"kpi_head.{name}") if words.knows(f"kpi_head.{name}") else label(name, words)


def cohort(name: str, words: Words) -> str:
    """A month or quarter, as the language writes it."""
    return name.replace("Q", words.say("kpi_page.quarter"))


def means(name: str, words: Words, settings: Settings) -> str:
    """How a field is defined here."""
    return words.say(
        f"kpi_means.{name}",
        grace=settings.contracts.grace_days,
        active=settings.cohort.active_days,
        earlier=CHARTMOGUL[2020],
        later=CHARTMOGUL[2023],
    )


def definitions(settings: Settings) -> dict[str, dict[str, str]]:
    """{field: {"en": text, "fr": text}}, for programs: the label, then the definition."""
    by_contract = settings.cohort.kind == "subscribed"
    found: dict[str, dict[str, str]] = {}
    for name in FIELDS:
        both: dict[str, Any] = {language: Words(language, by_contract=by_contract) for language in ("en", "fr")}
        found[name] = {
            language: words.say("kpi_page.defined", label=label(name, words), meaning=means(name, words, settings))
            for language, words in both.items()
        }
    return found
