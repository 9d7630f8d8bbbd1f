from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.catalog import Indicator
from features.training_set import FAMILIES
from models.explanation import Contributions
from pipelines.foundation.own_indicators.own_file import families_of
from pipelines.foundation.wording.numbers import Language
from pipelines.prediction.scoring.figures import SAYINGS
from pipelines.prediction.scoring.reasons import START, Wording, everything_that_raises, reasons
from tests.pipelines.foundation.own_indicators.own_case import example, own_workspace
from tests.pipelines.foundation.wording.grammar_case import faults

LOOKBACKS = (7, 30)
COLUMNS = [column for family in FAMILIES for column in family.columns(LOOKBACKS)]
EVERY_INDICATOR = [
    pytest.param(indicator, column, days, id=column)
    for family in FAMILIES
    for indicator in family.indicators
    for column, days in indicator.columns(LOOKBACKS).items()
]


CATEGORIES = {indicator.name for family in FAMILIES for indicator in family.indicators if indicator.unit == "category"}


def words(language: Language = "en", currency: str = "EUR") -> Wording:
    return Wording(FAMILIES, lookback_days=LOOKBACKS, language=language, currency=currency)


def said(column: str, values: Mapping[str, float | None], language: Language = "en") -> str:
    frame = pd.DataFrame({name: np.array([value], dtype=np.float64) for name, value in values.items()})
    (text,) = words(language).sentences(column, frame)
    assert isinstance(text, str)
    return text


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize(("indicator", "column", "days"), EVERY_INDICATOR)
def test_an_empty_value_is_told_as_such_or_as_a_dash(
    indicator: Indicator, column: str, days: int | None, language: Language
) -> None:
    """Never as a reason where the catalog has no words for it; but whoever tries a sentence must get one."""
    category = indicator.unit == "category"
    empty = {
        name: np.array([None] if name in CATEGORIES else [np.nan], dtype=object if name in CATEGORIES else float)
        for name in COLUMNS
    }
    if category and not getattr(indicator, f"{language}_null"):
        return
    (text,) = words(language).sentences(column, pd.DataFrame(empty))
    assert not re.search(r"\bnan\b", text)


# Exact sentences


@pytest.mark.parametrize(
    ("since", "usual", "en", "fr"),
    [
        (
            94,
            21,
            "no order for 94 days, usually 21 days between orders",
            "aucune commande depuis 94 jours, contre 21 jours d'habitude entre deux commandes",
        ),
        (
            1,
            2,
            "no order for 1 day, usually 2 days between orders",
            "aucune commande depuis 1 jour, contre 2 jours d'habitude entre deux commandes",
        ),
        (
            3,
            1,
            "no order for 3 days, usually 1 day between orders",
            "aucune commande depuis 3 jours, contre 1 jour d'habitude entre deux commandes",
        ),
        (
            1_200,
            30.5,
            "no order for 1,200 days, usually 30 days between orders",
            "aucune commande depuis 1\u202f200 jours, contre 30 jours d'habitude entre deux commandes",
        ),
    ],
)
def test_a_silence_is_told_beside_what_is_usual(since: float, usual: float, en: str, fr: str) -> None:
    values = {
        "days_since_last_order_over_usual": since / usual,
        "days_since_last_order": since,
        "median_days_between_orders": usual,
    }
    assert said("days_since_last_order_over_usual", values, "en") == en
    assert said("days_since_last_order_over_usual", values, "fr") == fr


@pytest.mark.parametrize("column", [START, "alive_probability", "expected_orders"])
def test_what_the_start_model_says_is_told_as_a_silence_beside_what_is_usual(column: str) -> None:
    values: dict[str, float | None] = {
        "days_since_last_order_over_usual": 4.0,
        "days_since_last_order": 84.0,
        "median_days_between_orders": 21.0,
    }
    assert said(column, values) == "no order for 84 days, usually 21 days between orders"
    never_usual = values | {"days_since_last_order_over_usual": None, "median_days_between_orders": None}
    assert said(column, never_usual) == "last order 84 days ago"
    assert said(column, never_usual, "fr") == "dernière commande il y a 84 jours"
    assert said(column, dict.fromkeys(values)) == "no order so far"


@pytest.mark.parametrize(
    ("column", "value", "en", "fr"),
    [
        ("orders_30d", 0, "0 orders in the last 30 days", "0 commande ces 30 derniers jours"),
        ("orders_30d", 1, "1 order in the last 30 days", "1 commande ces 30 derniers jours"),
        ("orders_30d", 2, "2 orders in the last 30 days", "2 commandes ces 30 derniers jours"),
        ("orders_30d", 1_234, "1,234 orders in the last 30 days", "1\u202f234 commandes ces 30 derniers jours"),
        ("lines_per_order", 1.96, "2.0 lines an order", "2,0 lignes par commande"),
        ("lines_per_order", 1.5, "1.5 lines an order", "1,5 ligne par commande"),
        (
            "usage_quantity_30d",
            1.96,
            "2.0 units used in the last 30 days",
            "2,0 unités utilisées ces 30 derniers jours",
        ),
        ("usage_quantity_30d", 1.04, "1.0 units used in the last 30 days", "1,0 unité utilisée ces 30 derniers jours"),
        (
            "negative_reasons_30d",
            1,
            "gave 1 reason for discontent in the last 30 days",
            "1 motif de mécontentement donné ces 30 derniers jours",
        ),
        (
            "nps_change",
            -1,
            "1 fewer point for recommending us than the time before",
            "1 point de moins à la note de recommandation que la fois précédente",
        ),
        ("orders_7d", 3, "3 orders in the last 7 days", "3 commandes ces 7 derniers jours"),
        (
            "orders_change_30d",
            -1,
            "1 fewer order than in the 30 days before",
            "1 commande de moins que pendant les 30 jours précédents",
        ),
        (
            "orders_change_30d",
            3,
            "3 more orders than in the 30 days before",
            "3 commandes de plus que pendant les 30 jours précédents",
        ),
        (
            "orders_change_30d",
            0,
            "no more and no fewer orders than in the 30 days before",
            "autant de commandes que pendant les 30 jours précédents",
        ),
        (
            "incidents_change_30d",
            -2,
            "2 fewer incidents with what the customer uses than in the 30 days before",
            "2 incidents de moins sur ce que le client utilise que pendant les 30 jours précédents",
        ),
        (
            "incidents_change_30d",
            0,
            "no more and no fewer incidents with what the customer uses than in the 30 days before",
            "autant d'incidents sur ce que le client utilise que pendant les 30 jours précédents",
        ),
        (
            "usage_quantity_change_30d",
            -0.4,
            "no more and no fewer units used than in the 30 days before",
            "autant d'unités utilisées que pendant les 30 jours précédents",
        ),
        (
            "support_contacts_change_30d",
            1,
            "1 more support contact than in the 30 days before",
            "1 contact de plus avec le service client que pendant les 30 jours précédents",
        ),
        (
            "order_value_30d",
            1234.5,
            "orders worth 1,234.50 EUR in the last 30 days",
            "1\u202f234,50 EUR de commandes ces 30 derniers jours",
        ),
        (
            "order_value_change_30d",
            -1234.5,
            "orders worth 1,234.50 EUR less than in the 30 days before",
            "commandes pour 1\u202f234,50 EUR de moins que pendant les 30 jours précédents",
        ),
        (
            "order_value_change_30d",
            12,
            "orders worth 12.00 EUR more than in the 30 days before",
            "commandes pour 12,00 EUR de plus que pendant les 30 jours précédents",
        ),
        (
            "order_value_change_30d",
            0.001,
            "orders worth neither more nor less than in the 30 days before",
            "commandes pour le même montant que pendant les 30 jours précédents",
        ),
        (
            "reversed_share_30d",
            0.256,
            "refunded or cancelled in the last 30 days: 26% of the value ordered",
            "remboursé ou annulé ces 30 derniers jours\u00a0: 26\u202f% de la valeur commandée",
        ),
        (
            "reversed_share_30d",
            None,
            "nothing of value ordered in the last 30 days",
            "aucune commande payante ces 30 derniers jours",
        ),
        ("average_order_value_30d", None, "no order in the last 30 days", "aucune commande ces 30 derniers jours"),
        (
            "spread_days_between_orders",
            None,
            "fewer than three days with orders so far",
            "moins de trois jours de commande jusqu'ici",
        ),
        ("repeat_order_days", 1, "came back to order on 1 other day", "1 autre jour de commande après le premier"),
        ("repeat_order_days", 4, "came back to order on 4 other days", "4 autres jours de commande après le premier"),
        ("customer_age_days", 0, "customer for 0 days", "client depuis 0 jour"),
        (
            "price_increase_since_renewal",
            -0.1,
            "price change since the last renewal: \u221210%",
            "évolution du prix depuis le dernier renouvellement\u00a0: \u221210\u202f%",
        ),
        (
            "price_increase_since_renewal",
            0.08,
            "price change since the last renewal: +8%",
            "évolution du prix depuis le dernier renouvellement\u00a0: +8\u202f%",
        ),
        (
            "usage_quantity_30d",
            0,
            "0 units used in the last 30 days",
            "0 unité utilisée ces 30 derniers jours",
        ),
        (
            "usage_quantity_30d",
            2.25,
            "2.2 units used in the last 30 days",
            "2,2 unités utilisées ces 30 derniers jours",
        ),
        (
            "largest_invoice_jump_30d",
            None,
            "no invoice in the last 30 days to compare with one before it that was not free",
            "aucune facture ces 30 derniers jours à comparer à une précédente non gratuite",
        ),
        ("card_expired", 1, "the card has expired", "la carte a expiré"),
        ("card_expired", 0, "the payment method has not expired", "le moyen de paiement n'a pas expiré"),
        (
            "card_expired",
            None,
            "the payment method in use is not known",
            "le moyen de paiement utilisé n'est pas connu",
        ),
        ("days_until_card_expires", 0, "the card is valid for 0 days more", "carte encore valable 0 jour"),
        (
            "backup_payment_method",
            None,
            "the payment method in use is not known",
            "le moyen de paiement utilisé n'est pas connu",
        ),
        (
            "downgrades_30d",
            1,
            "1 move to a smaller subscription in the last 30 days",
            "1 réduction d'abonnement ces 30 derniers jours",
        ),
        (
            "upgrades_30d",
            2,
            "2 moves to a larger subscription in the last 30 days",
            "2 extensions d'abonnement ces 30 derniers jours",
        ),
        ("mrr", None, "no running subscription with a known price", "aucun abonnement en cours dont le prix est connu"),
        ("plan_rank", None, "on no plan with a known price", "sur aucune formule dont le prix est connu"),
        (
            "days_since_last_nps",
            3,
            "last mark for recommending us given 3 days ago",
            "dernière note de recommandation donnée il y a 3 jours",
        ),
        (
            "days_since_last_csat",
            None,
            "never gave a mark for satisfaction",
            "n'a jamais donné de note de satisfaction",
        ),
        (
            "product_return_rate_30d",
            0.25,
            "25% of all order lines of the last 30 days for the customer's products were sent back",
            (
                "produits du client\u00a0: 25\u202f% de toutes les lignes de commande de ces 30 derniers jours ont été "
                "retournées"
            ),
        ),
        (
            "reordered_products_share",
            0.25,
            "25% of the products were ordered more than once",
            "25\u202f% des produits ont été commandés plus d'une fois",
        ),
        (
            "seats_used_share_30d",
            0.5,
            "50% of the seats paid for were used in the last 30 days",
            "50\u202f% des places payées ont été utilisées ces 30 derniers jours",
        ),
        (
            "onboarding_done_share",
            0.5,
            "50% of the introduction done",
            "prise en main effectuée à 50\u202f%",
        ),
        (
            "open_rate_change_30d",
            -0.05,
            "share of messages opened: \u22125 percentage points against the 30 days before",
            "part des messages ouverts\u00a0: \u22125 points par rapport aux 30 jours précédents",
        ),
        (
            "open_rate_change_30d",
            None,
            "no messages in the last 30 days, or none in the 30 before, to compare",
            "pas de messages à comparer pendant ces 30 derniers jours ou les 30 précédents",
        ),
        ("messages_per_order_30d", None, "no order in the last 30 days", "aucune commande ces 30 derniers jours"),
        (
            "payment_failure_streak",
            1,
            "1 failed payment without a successful one since",
            "1 paiement échoué sans paiement réussi depuis",
        ),
        (
            "largest_invoice_jump_30d",
            2,
            "in the last 30 days, an invoice 2.0 times the one before it",
            "ces 30 derniers jours, une facture égale à 2,0 fois la précédente",
        ),
        (
            "acquisition_channel",
            None,
            "how the customer was won is not recorded",
            "canal d'acquisition non renseigné",
        ),
        (
            "returned_lines_share_30d",
            0.25,
            "25% of the order lines of the last 30 days were sent back",
            "25\u202f% des lignes de commande de ces 30 derniers jours ont été retournées",
        ),
    ],
)
def test_a_reason_word_for_word(column: str, value: float | None, en: str, fr: str) -> None:
    assert said(column, {column: value}, "en") == en
    assert said(column, {column: value}, "fr") == fr


@pytest.mark.parametrize("days", [0, 12])
def test_a_card_about_to_expire_is_told_so_that_it_holds_for_one_that_has(days: float) -> None:
    values: dict[str, float | None] = {"card_expires_before_horizon": 1, "days_until_card_expires": days}
    assert said("card_expires_before_horizon", values) == f"the card is valid for only {days} days more"
    french = f"la carte n'est plus valable que {days} jour{'s' if days else ''}"
    assert said("card_expires_before_horizon", values, "fr") == french


# Every indicator of every family


def row(column: str, *, value: float | None) -> pd.DataFrame:
    """Plain figures everywhere, `value` in one column."""
    frame = pd.DataFrame({name: [21.0] for name in COLUMNS})
    if column in CATEGORIES:
        return frame.assign(**{column: pd.Series([None if value is None else f"word{value:.0f}"], dtype=object)})
    frame[column] = np.array([value], dtype=np.float64)
    return frame


def is_told(text: Any) -> bool:
    return isinstance(text, str) and text.strip() == text != "" and not re.search(r"[{}|]|\b(nan|None|inf)\b", text)


@pytest.mark.parametrize(("indicator", "column", "days"), EVERY_INDICATOR)
def test_every_indicator_is_told_in_two_languages(indicator: Indicator, column: str, days: int | None) -> None:
    texts = {}
    for language in ("en", "fr"):
        for value in (0.0, 1.0, -3.0, 1234.0):
            (text,) = words(language).sentences(column, row(column, value=value))
            assert is_told(text), (language, value, text)
        (texts[language],) = words(language).sentences(column, row(column, value=1234.0))
    assert texts["en"] != texts["fr"]
    if days is not None:
        assert all(str(days) in text for text in texts.values())


UNELIDED = re.compile(r"\b(?:de|que|ne|le|la|se|ce) [aàâeéèêiîoôuû]")  # que un client, de avance

# What of a sentence stands for itself, and not for the figure before it.
OWN_PLURAL = {"fois", "depuis", "mois", "cours", "sans", "des", "concurrents", "après", "exceptionnels"}


def disagreeing(text: str, language: Language) -> str | None:
    """A plural after a figure in the singular: 1 orders, 0 motifs, 1 motif donnés."""
    if language == "en":
        found = re.search(r"(?<![\d.,])1 (?:more |fewer )?([\w-]+s)\b", text)
        return None if found is None else found[1]
    for counted in re.findall(
        r"(?<![\d.,\u202f])[01](?:,\d)? (.*?)(?= ces | que | sur | sous | entre | au | aux |,|$)", text
    ):
        of = ""
        for word in counted.split():
            if word.endswith("s") and of != "de" and not word.startswith("d'") and word not in OWN_PLURAL:
                return str(word)
            of = word
    return None


@pytest.mark.parametrize(
    ("text", "language", "found"),
    [
        ("1 orders in the last 30 days", "en", "orders"),
        ("1 more orders than in the 30 days before", "en", "orders"),
        ("2 orders in the last 30 days", "en", None),
        ("1.0 lines an order", "en", None),
        ("1 motif de mécontentement donnés ces 30 derniers jours", "fr", "donnés"),
        ("0 commandes ces 30 derniers jours", "fr", "commandes"),
        ("1,5 lignes par commande", "fr", "lignes"),
        ("2 commandes ces 30 derniers jours", "fr", None),
    ],
)
def test_a_plural_after_one_is_found(text: str, language: Language, found: str | None) -> None:
    assert disagreeing(text, language) == found


@pytest.mark.parametrize(("indicator", "column", "days"), EVERY_INDICATOR)
def test_numbers_and_nouns_agree_and_no_sentence_begins_like_a_formula(
    indicator: Indicator, column: str, days: int | None
) -> None:
    assert days is None or indicator.per_lookback
    for value in (0.0, 1.0, 2.0, -1.0, -2.0):
        for language in ("en", "fr"):
            (text,) = words(language).sentences(column, row(column, value=value))
            assert not text.startswith(("+", "-", "=", "@")), text
            assert not (indicator.unit == "change" and re.search(r"[+\u2212]\d", text)), text
            assert disagreeing(text, language) is None, text
            assert language == "en" or not UNELIDED.search(text), text
            assert faults(text, language) == []


@pytest.mark.parametrize(("indicator", "column", "days"), EVERY_INDICATOR)
def test_every_indicator_that_may_be_empty_is_told_when_it_is(
    indicator: Indicator, column: str, days: int | None
) -> None:
    never_empty = indicator.null.startswith("never:")
    assert (indicator.en_null == "") == (indicator.fr_null == "") == never_empty, indicator.null
    if not never_empty:
        frame = row(column, value=None)
        (en,), (fr,) = words("en").sentences(column, frame), words("fr").sentences(column, frame)
        assert is_told(en)
        assert is_told(fr)
        assert en != fr


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_every_reason_code_has_a_label_in_two_languages_and_no_label_is_left_over(family: Any) -> None:
    assert {indicator.reason for indicator in family.indicators} == set(family.reasons)
    assert [each for en, fr in family.reasons.values() for each in (*faults(en, "en"), *faults(fr, "fr"))] == []
    assert all(en and fr and en != fr for en, fr in family.reasons.values())


def test_every_unit_can_be_said() -> None:
    assert {indicator.unit for family in FAMILIES for indicator in family.indicators} <= {*SAYINGS, "category"}


def test_many_customers_are_told_each_with_their_own_figures() -> None:
    frame = pd.DataFrame({"average_order_value_30d": [12.5, None, 7.0, 12.5]}, index=[9, 3, 3, 1])
    assert words().sentences("average_order_value_30d", frame).tolist() == [
        "12.50 EUR an order in the last 30 days",
        "no order in the last 30 days",
        "7.00 EUR an order in the last 30 days",
        "12.50 EUR an order in the last 30 days",
    ]


# Which reasons a customer is given

MODEL = ("days_since_last_order", "customer_age_days", "orders_30d", "order_value_30d", "alive_probability")
CODES = ("buying_rhythm", "tenure", "order_count", "order_value")


def told(
    columns: list[list[float]],
    start: list[float],
    language: Language = "en",
    count: int = 3,
    usual: Mapping[str, float] | None = None,
) -> pd.DataFrame:
    """Reasons of rows whose contributions per column of MODEL and of the start are given."""
    signed, starts = np.array(columns), np.array(start)
    values = np.column_stack([signed[:, 0] + signed[:, 4] + starts, signed[:, 1], signed[:, 2], signed[:, 3]])
    frame = pd.concat([row("orders_30d", value=2.0)] * len(columns), ignore_index=True)
    found = Contributions(CODES, values, signed, starts, 0.0)
    return reasons(found, frame, MODEL, words(language), usual=usual or {}, count=count)


def test_the_three_strongest_reasons_come_in_their_order_and_each_code_once() -> None:
    found = told([[0.9, 0.2, 0.5, 0.3, 0.8]], [0.0])
    assert found.iloc[0].to_dict() == {
        "reason_1": "last order 21 days ago",
        "reason_1_code": "buying_rhythm",
        "reason_2": "2 orders in the last 30 days",
        "reason_2_code": "order_count",
        "reason_3": "orders worth 21.00 EUR in the last 30 days",
        "reason_3_code": "order_value",
    }


def test_of_one_code_the_strongest_indicator_is_told() -> None:
    by_the_start = told([[0.1, 0, 0, 0, 0.2]], [0.3]).iloc[0]
    by_the_days = told([[0.4, 0, 0, 0, 0.2]], [0.3]).iloc[0]
    assert by_the_start["reason_1"] == "no order for 21 days, usually 21 days between orders"
    assert by_the_days["reason_1"] == "last order 21 days ago"


def test_what_lowers_the_risk_is_no_reason_and_the_rest_is_empty() -> None:
    found = told([[-0.9, -0.2, 0.5, 0.0, -0.8], [-1, -1, -1, -1, -1]], [-0.1, -0.1])
    assert found.iloc[0].tolist() == ["2 orders in the last 30 days", "order_count", "", "", "", ""]
    assert found.iloc[1].tolist() == [""] * 6


def test_an_indicator_that_raises_the_risk_within_a_code_that_lowers_it_is_no_reason() -> None:
    assert told([[0.5, 0, 0, 0, -0.9]], [0.0]).iloc[0].tolist() == [""] * 6


def test_more_reasons_can_be_asked_for() -> None:
    found = told([[0.9, 0.2, 0.5, 0.3, 0.8]], [0.0], count=4)
    assert found["reason_4_code"].tolist() == ["tenure"]


def test_good_news_is_no_reason_and_the_next_risk_takes_its_place() -> None:
    usual = {"orders_30d": 1.0, "order_value_30d": 30.0}  # two orders are more than usual; 21.00 EUR are less
    found = told([[0.0, 0.2, 0.9, 0.5, 0.0]], [0.0], usual=usual).iloc[0]
    assert found.tolist() == [
        "orders worth 21.00 EUR in the last 30 days",
        "order_value",
        "customer for 21 days",
        "tenure",
        "",
        "",
    ]


def test_of_one_code_what_is_no_good_news_is_told() -> None:
    usual = {"days_since_last_order": 30.0}  # 21 days since the last order are fewer than usual
    found = told([[0.9, 0, 0, 0, 0.2]], [0.1], usual=usual).iloc[0]
    assert found["reason_1"] == "no order for 21 days, usually 21 days between orders"


def test_who_ordered_on_one_day_is_told_how_long_ago_and_only_where_that_is_long() -> None:
    frame = pd.concat([row("orders_30d", value=2.0)] * 3, ignore_index=True)
    frame["days_since_last_order_over_usual"] = frame["median_days_between_orders"] = [np.nan, np.nan, 9.0]
    frame["days_since_last_order"] = [200.0, 20.0, 20.0]
    signed, start = np.zeros((3, len(MODEL))), np.ones(3)
    values = np.column_stack([start, np.zeros((3, len(CODES) - 1))])
    found = reasons(
        Contributions(CODES, values, signed, start, 0.0), frame, MODEL, words(), usual={"days_since_last_order": 90.0}
    )
    assert found["reason_1"].tolist() == [
        "last order 200 days ago",
        "",
        "no order for 20 days, usually 9 days between orders",
    ]


def silent(*, orders: float, value: float, by_columns: list[float], start: float = 0.0) -> list[str]:
    """Reasons, codes left out, of a customer with these orders in the last 30 days."""
    frame = row("orders_30d", value=orders)
    frame["order_value_30d"] = value
    signed, starts = np.array([by_columns]), np.array([start])
    values = np.column_stack([signed[:, 0] + signed[:, 4] + starts, signed[:, 1], signed[:, 2], signed[:, 3]])
    found = reasons(Contributions(CODES, values, signed, starts, 0.0), frame, MODEL, words(), usual={})
    return [text for text in found.iloc[0, ::2] if text]


def test_one_silence_is_told_once_by_the_code_that_says_most_of_it() -> None:
    by_columns = [0.9, 0.2, 0.5, 0.3, 0.8]
    assert silent(orders=0.0, value=0.0, by_columns=by_columns) == ["last order 21 days ago", "customer for 21 days"]
    assert silent(orders=0.0, value=0.0, by_columns=[0.1, 0.2, 0.5, 0.3, 0.1]) == [
        "0 orders in the last 30 days",
        "customer for 21 days",
    ]
    assert silent(orders=0.0, value=0.0, by_columns=[0.1, 0, 0.1, 0.1, 0.1], start=0.2) == [
        "no order for 21 days, usually 21 days between orders"
    ]


def test_who_ordered_little_is_told_of_it_beside_how_long_ago() -> None:
    """What is no silence says something of its own, and a silence of one thing leaves those of others alone."""
    assert silent(orders=0.0, value=7.0, by_columns=[0.9, 0, 0.5, 0.3, 0]) == [
        "last order 21 days ago",
        "orders worth 7.00 EUR in the last 30 days",
    ]
    topics = words().silences(["orders_30d", "usage_days_30d", "days_since_last_use", "country"])
    assert topics == {"orders": ["orders_30d"], "uses": ["usage_days_30d", "days_since_last_use"]}


def test_everything_that_raises_the_risk_can_be_asked_for() -> None:
    signed = np.array([[0.0, 0.2, 0.9, -0.5, 0.0]])
    parts = Contributions(CODES, signed[:, [0, 1, 2, 3]], signed, np.zeros(1), 0.0)
    frame = row("orders_30d", value=2.0)
    found = everything_that_raises(parts, frame, MODEL, words(), count=3).iloc[0]
    assert found.tolist() == ["2 orders in the last 30 days", "order_count", "customer for 21 days", "tenure", "", ""]


def test_what_is_usual_is_the_median_of_everybody_who_has_a_value() -> None:
    frame = pd.DataFrame({"orders_30d": [0, 1, 5], "last_nps": [None, 3.0, None], "country": ["FR", None, "CH"]})
    assert words().usual(frame) == {"orders_30d": 1.0, "last_nps": 3.0}


def test_reasons_are_told_in_french() -> None:
    assert told([[0.9, 0.2, 0, 0, 0]], [0.0], "fr").iloc[0].tolist()[:4] == [
        "dernière commande il y a 21 jours",
        "buying_rhythm",
        "client depuis 21 jours",
        "tenure",
    ]


@given(
    st.lists(st.lists(st.floats(-1, 1), min_size=5, max_size=5), min_size=1, max_size=6),
    st.lists(st.floats(-1, 1), min_size=6, max_size=6),
)
def test_codes_are_distinct_strongest_first_and_only_what_raises_the_risk(
    columns: list[list[float]], starts: list[float]
) -> None:
    found = told(columns, starts[: len(columns)])
    for signed, start, given_reasons in zip(columns, starts, found.to_dict("records"), strict=False):
        sums = {
            "buying_rhythm": signed[0] + signed[4] + start,
            "tenure": signed[1],
            "order_count": signed[2],
            "order_value": signed[3],
        }
        raising = sorted((code for code in CODES if sums[code] > 0), key=lambda code: (-sums[code], CODES.index(code)))
        codes = [given_reasons[f"reason_{rank}_code"] for rank in (1, 2, 3)]
        assert codes == [*raising, "", "", ""][:3]
        assert all(bool(given_reasons[f"reason_{rank}"]) == bool(code) for rank, code in enumerate(codes, start=1))


# A workspace's own


def test_an_own_indicator_is_told_in_both_languages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = families_of(own_workspace(tmp_path, example(), monkeypatch).own_files)
    cases: tuple[tuple[Language, str, str], ...] = (
        ("en", "25% of orders at the weekend in the last 30 days", "no order in the last 30 days"),
        ("fr", "25 % des commandes passées le week-end ces 30 derniers jours", "aucune commande ces 30 derniers jours"),
    )
    for language, full, empty in cases:
        said_in = Wording([*FAMILIES, *own], lookback_days=(30,), language=language, currency="EUR")
        frame = pd.DataFrame({"weekend_order_share_30d": [0.25, None]})
        texts = [re.sub(r"\s", " ", text) for text in said_in.sentences("weekend_order_share_30d", frame)]
        assert texts == [full, empty]
        assert said_in.codes()["weekend_order_share_30d"] == "weekend_orders"
