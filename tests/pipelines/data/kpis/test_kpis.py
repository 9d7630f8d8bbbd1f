"""`attrition kpis` on twelve customers worked out by hand, through files, ingest and command; and on a small shop."""

from __future__ import annotations

import json
import shutil
import tomllib
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from scipy.stats import binomtest
from typer.testing import CliRunner, Result

from features import revenue
from features.segments import CHOICES
from pipelines.cli import app
from pipelines.data.kpis.figures import COUNTS, MONEY, OF_CONTRACTS, OF_SHOPS, figures
from pipelines.data.kpis.ground import Ground
from pipelines.data.kpis.words import FIELDS
from pipelines.foundation.settings.dialect import Dialect
from pipelines.foundation.settings.settings import Cohort, Outcome, Settings
from pipelines.foundation.settings.sources import FileSource
from pipelines.foundation.settings.template import render
from pipelines.foundation.storage import lock
from pipelines.foundation.wording.numbers import NOTHING
from pipelines.foundation.workspace.workspace import open_workspace
from tests.pipelines.shop_case import make_shop, order

GOLDEN = Path(__file__).parents[3] / "golden" / "twelve"
EXPECTED = tomllib.loads((GOLDEN / "expected.toml").read_text(encoding="utf-8"))
RATES = ("retention_rate", "attrition_rate", "attrition_rate_of_total", "grr", "nrr", "expansion_share")
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def told(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def document(folder: Path, *arguments: str) -> dict[str, Any]:
    result = told("kpis", "--project", str(folder), "--json", *arguments)
    assert result.exit_code == 0, result.output
    assert result.stderr == ""
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def contract_settings(language: str = "en") -> Settings:
    sources = []
    for place in sorted(GOLDEN.glob("*.csv")):
        columns = place.read_text(encoding="utf-8").splitlines()[0].split(",")
        dialect = Dialect(date_format="%Y-%m-%d %H:%M")
        sources.append(
            FileSource(table=place.stem, path=place.name, columns={name: name for name in columns}, dialect=dialect)
        )
    return Settings(
        time_zone="Europe/Paris",
        currency="EUR",
        language=language,
        as_of=date(2024, 7, 20),
        complete_until=date(2024, 7, 20),
        sources=tuple(sources),
        cohort=Cohort(kind="subscribed"),
        outcome=Outcome(kind="churn", horizon_days=30),
    )


@pytest.fixture(scope="module")
def twelve(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The twelve customers, landed."""
    folder = tmp_path_factory.mktemp("twelve") / "company"
    shutil.copytree(GOLDEN, folder)
    (folder / "expected.toml").unlink()
    (folder / "attrition.toml").write_text(render(contract_settings()), encoding="utf-8")
    result = told("ingest", "--project", str(folder))
    assert result.exit_code == 0, result.output
    assert " 0 landed" not in result.stderr
    assert result.stderr.count(" 0 rejected") == 5
    return folder


@pytest.fixture(scope="module")
def french(twelve: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("douze") / "société"
    shutil.copytree(twelve, folder)
    (folder / "attrition.toml").write_text(render(contract_settings("fr")), encoding="utf-8")
    return folder


@cache
def of(folder: Path, by: str | None = None) -> dict[str, Any]:
    return document(folder, *([] if by is None else ["--by", by]))


@pytest.mark.parametrize("wanted", EXPECTED["months"], ids=lambda month: month["month"])
def test_a_month_is_what_was_worked_out_by_hand(wanted: dict[str, Any], twelve: Path) -> None:
    found = next(row for row in of(twelve)["months"] if row["month"] == wanted["month"])
    named = {*COUNTS, *MONEY, *RATES, "net_negative_churn"}
    assert {name: found[name] for name in named} == dict.fromkeys(named) | {
        name: value for name, value in wanted.items() if name != "month"
    }
    assert found["segment"] == "all"
    assert found["provisional"] is False
    assert {found[name] for name in OF_SHOPS} == {None}


def test_the_months_are_those_from_the_first_customer_to_the_last_full_one(twelve: Path) -> None:
    assert [row["month"] for row in of(twelve)["months"]] == [row["month"] for row in EXPECTED["months"]]


def test_may_by_plan_is_what_was_worked_out_by_hand(twelve: Path) -> None:
    rows = {row["segment"]: row for row in of(twelve, "plan")["months"] if row["month"] == "2024-05"}
    for plan, wanted in EXPECTED["may_by_plan"].items():
        assert {name: rows[plan][name] for name in wanted} == wanted
    assert list(rows) == ["basic", "pro", "team"]


@pytest.mark.parametrize("by", CHOICES)
def test_segments_add_up_to_all(by: str, twelve: Path) -> None:
    for whole in of(twelve)["months"]:
        parts = [row for row in of(twelve, by)["months"] if row["month"] == whole["month"]]
        assert len(parts) > 1 or by == "signup_cohort"
        for name in COUNTS:
            assert sum(row[name] for row in parts) == whole[name], name
        for name in MONEY:
            assert sum(round(row[name] * 100) for row in parts) == round(whole[name] * 100), name


def test_signup_cohorts_of_segments_are_months_of_signing_up_or_of_the_first_paid_day(twelve: Path) -> None:
    june = [row for row in of(twelve, "signup_cohort")["months"] if row["month"] == "2024-06"]
    assert [(row["segment"], row["customers_start"]) for row in june] == [("2023-12", 1), ("2024-01", 7)]


def test_what_is_not_known_of_a_customer_is_a_segment_of_its_own_and_the_last(twelve: Path) -> None:
    march = [row for row in of(twelve, "country")["months"] if row["month"] == "2024-03"]
    assert [(row["segment"], row["customers_start"]) for row in march] == [("BE", 2), ("CH", 1), ("FR", 5), ("", 2)]
    assert f"2024-03  {NOTHING}" in told("kpis", "--project", str(twelve), "--by", "country").stderr


def test_signup_cohorts_are_what_was_worked_out_by_hand(twelve: Path) -> None:
    found: dict[str, dict[str, Any]] = {}
    for place, row in enumerate(of(twelve)["cohorts"]):
        cohort = found.setdefault(row["cohort"], {"customers": row["customers"], "retained": [], "rate": []})
        assert row["months_since"] == len(cohort["retained"]), place
        cohort["retained"].append(row["retained"])
        cohort["rate"].append(row["rate"])
    assert found == EXPECTED["cohorts"]


def test_a_cohort_is_seen_once_the_grace_period_has_passed_for_the_last_of_it(twelve: Path) -> None:
    # Five months after 31 January is 30 June; who had left by then may be back until 14 July.
    def january(day: str) -> list[int]:
        rows = document(twelve, "--as-of", day, "--months", "1")["cohorts"]
        return [row["months_since"] for row in rows if row["cohort"] == "2024-01"]

    assert january("2024-07-14") == [0, 1, 2, 3, 4]
    assert january("2024-07-15") == [0, 1, 2, 3, 4, 5]


def test_the_interval_of_a_cohort_is_wilsons(twelve: Path) -> None:
    for row in of(twelve)["cohorts"]:
        interval = binomtest(row["retained"], row["customers"]).proportion_ci(method="wilson")
        ends = (interval.low * 100, interval.high * 100)
        assert (row["low"], row["high"]) == pytest.approx(ends, abs=0.005 + 1e-9)


def test_the_newest_months_alone_are_the_same(twelve: Path) -> None:
    assert document(twelve, "--months", "2")["months"] == of(twelve)["months"][-2:]
    assert document(twelve, "--months", "99")["months"] == of(twelve)["months"]


def test_who_left_within_the_grace_period_counts_as_lost_and_the_month_as_provisional(twelve: Path) -> None:
    # On the 1st of March nobody knows that c05, gone since 25 February, will be back on the 5th.
    january, february = document(twelve, "--as-of", "2024-03-01")["months"]
    assert (january["provisional"], february["provisional"]) == (False, True)
    assert {name: february[name] for name in ("lost", "customers_end", "mrr_churned", "mrr_end")} == {
        "lost": 2, "customers_end": 9, "mrr_churned": 85.0, "mrr_end": 492.26
    }  # fmt: skip
    assert document(twelve, "--as-of", "2024-03-15")["months"][-1]["provisional"] is False
    shown = told("kpis", "--project", str(twelve), "--as-of", "2024-03-01").stderr
    assert "2024-02*" in shown
    assert "2024-01*" not in shown
    assert "* The grace period has not passed" in shown


def test_the_end_of_a_subscription_that_became_known_later_is_not_seen_before(twelve: Path) -> None:
    before, after = (document(twelve, "--as-of", day)["months"][-1]["month"] for day in ("2024-05-31", "2024-06-01"))
    assert (before, after) == ("2024-04", "2024-05")
    told_on_the_day = document(twelve, "--as-of", "2024-05-21")["months"][-1]
    assert told_on_the_day["customers_end"] == 8


def test_without_a_full_month_there_are_no_figures_and_people_are_told(twelve: Path) -> None:
    early = document(twelve, "--as-of", "2024-01-20")
    assert (early["months"], early["cohorts"]) == ([], [])
    shown = told("kpis", "--project", str(twelve), "--as-of", "2024-01-20")
    assert "No full month with a customer lies before 20\xa0January 2024" in shown.stderr


def test_every_field_is_defined_in_both_languages(twelve: Path) -> None:
    found = of(twelve)
    fields = {*found["months"][0], *found["cohorts"][0]}
    assert set(found["definitions"]) == fields == set(FIELDS)
    for name, texts in found["definitions"].items():
        assert set(texts) == {"en", "fr"}
        assert texts["en"] != texts["fr"]
        assert all(text[-1] in ".:" for text in texts.values()), name


def test_the_figures_have_the_names_of_the_trade_in_both_languages(twelve: Path) -> None:
    said = of(twelve)["definitions"]
    for name, en, fr in (
        ("retention_rate", "Retention rate: (Customers at the end - new", "Taux de rétention\xa0: (Clients à la fin"),
        ("attrition_rate", "Attrition rate: Lost customers /", "Taux d\u2019attrition\xa0: Clients perdus /"),
        ("attrition_rate_of_total", "Attrition rate of the total: ", "Taux d\u2019attrition sur le total\xa0: "),
        ("net_negative_churn", "Net negative churn: Yes where", "Attrition négative nette\xa0: Oui quand"),
        ("grr", "Gross revenue retention (GRR): ", "Rétention brute du revenu (GRR)\xa0: "),
        ("nrr", "Net revenue retention (NRR): ", "Rétention nette du revenu (NRR)\xa0: "),
        ("expansion_share", "Expansion share: ", "Part de l\u2019expansion\xa0: "),
    ):
        assert said[name]["en"].startswith(en)
        assert said[name]["fr"].startswith(fr)
    assert "loyalty rate has the same formula" in said["retention_rate"]["en"]
    assert "taux de fidélisation a la même formule" in said["retention_rate"]["fr"]
    assert "28.8% in 2020 and 32.3% in 2023 (ChartMogul" in said["expansion_share"]["en"]
    assert "price rises too" in said["mrr_expansion"]["en"]
    assert "hausses de prix aussi" in said["mrr_expansion"]["fr"]
    assert "back within 14 days never left" in said["customers_start"]["en"]


def test_people_get_tables_and_definitions_in_their_language(twelve: Path, french: Path) -> None:
    english, francais = (told("kpis", "--project", str(folder), "--months", "1") for folder in (twelve, french))
    assert (english.exit_code, english.stdout) == (francais.exit_code, francais.stdout) == (0, "")
    for part in ("Customers by month", "Retention", "Attrition", "Gross revenue retention (GRR): ", "459.00", "105.45"):
        assert part in english.stderr
    for part in (
        "Clients par mois",
        "réten-",
        "d\u2019attri-",
        "Rétention brute du revenu (GRR)\xa0: ",
        "459,00",
        "105,4",
    ):
        assert part in francais.stderr
    for part in ("Customer", "Month", "Retention rate", " yes"):
        assert part not in francais.stderr


@pytest.mark.parametrize("columns", ["62", "40"])
def test_a_narrow_terminal_shows_amounts_without_cents_rather_than_cut(
    columns: str, twelve: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    shown = told("kpis", "--project", str(twelve), "--months", "1").stderr
    revenue_line = [line for line in shown.splitlines() if line.startswith(" 2024-06")][2]
    assert revenue_line.split() == ["2024-06", "459", "0", "0", "125", "0", "100", "484"]


def test_figures_that_do_not_lead_from_start_to_end_are_a_fault(twelve: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def a_cent_short(movements: Any) -> Any:
        found = revenue_totals(movements)
        return found.mutate(mrr_end=found.mrr_end - found.customers_end.cast("decimal(24, 2)") / 100)

    revenue_totals = revenue.totals
    monkeypatch.setattr(revenue, "totals", a_cent_short)
    with pytest.raises(AssertionError, match=r"2024-01 all: revenue at the start and its movements make 503\.93, not"):
        figures(Ground(open_workspace(twelve, now=NOW)))


def test_the_command_writes_nothing_and_minds_no_other(twelve: Path) -> None:
    before = sorted(twelve.rglob("*"))
    with lock.held(twelve):
        assert told("kpis", "--project", str(twelve), "--months", "1").exit_code == 0
    assert [place for place in sorted(twelve.rglob("*")) if place not in before and "lock" not in place.name] == []


def test_an_unknown_kind_of_segments_is_refused_with_the_nearest(twelve: Path) -> None:
    result = told("kpis", "--project", str(twelve), "--by", "contry")
    assert result.exit_code == 2
    assert "--by contry: take one of country, plan," in result.stderr
    assert "Did you mean 'country'?" in result.stderr


PRICES = """id,customer,started,plan,mrr,ended
f0,f0,2023-12-15,basic,10,
f1,f1,2023-12-15,basic,10,
n1,a,2024-01-10,free,0,
n2,b,2024-01-10,basic,,
n3,c,2024-01-10,basic,-5,
y1,d,2024-01-10,year,166.66666666666666,
y2,e,2024-01-10,year,8.333333333,
s1,g,2024-02-05,basic,20,2024-02-20
"""


def prices(folder: Path, rows: str) -> Path:
    """A workspace of one file of subscriptions, landed, seen from 1 April 2024."""
    folder.mkdir(parents=True)
    (folder / "subs.csv").write_text(rows, encoding="utf-8")
    columns = {
        "subscription_id": "id", "customer_id": "customer", "started_at": "started", "plan": "plan", "mrr": "mrr",
        "ended_at": "ended", "known_at": "seen",
    }  # fmt: skip
    columns = {ours: theirs for ours, theirs in columns.items() if theirs in rows.splitlines()[0].split(",")}
    source = FileSource(table="subscriptions", path="subs.csv", columns=columns, max_rejected_share=1.0)
    day = date(2024, 4, 1)
    settings = contract_settings().model_copy(update={"sources": (source,), "as_of": day, "complete_until": day})
    (folder / "attrition.toml").write_text(render(settings), encoding="utf-8")
    assert told("ingest", "--project", str(folder)).exit_code == 0
    return folder


def test_free_and_divided_and_unknown_prices_and_none_below_zero(tmp_path: Path) -> None:
    folder = prices(tmp_path / "prices", PRICES)
    months = {row["month"]: row for row in document(folder)["months"]}
    names = ("customers_start", "new", "lost", "customers_end", "new_and_lost", "customers_unpriced")
    # a, free, is no customer; b, unpriced, is one; c, below zero, was refused; g came and went.
    assert {month: tuple(row[name] for name in names) for month, row in months.items()} == {
        "2023-12": (0, 2, 0, 2, 0, 0),
        "2024-01": (2, 3, 0, 5, 0, 1),
        "2024-02": (5, 1, 1, 5, 1, 1),
        "2024-03": (5, 0, 0, 5, 0, 1),
    }
    assert (months["2024-01"]["mrr_new"], months["2024-01"]["mrr_end"]) == (175.0, 195.0)  # 166.67 + 8.33
    february = months["2024-02"]
    assert (february["mrr_new"], february["mrr_churned"], february["mrr_new_and_lost"]) == (20.0, 20.0, 20.0)
    assert (february["retention_rate"], february["attrition_rate"], february["grr"]) == (100.0, 0.0, 100.0)
    shown = told("kpis", "--project", str(folder)).stderr
    assert "Of up to one customer in a month no price was known" in shown
    assert "Customers without a known price: " in shown
    assert "New and lost in the month: " in shown


def test_a_plan_that_became_free_is_a_loss_of_its_segment_though_only_a_new_version_says_so(tmp_path: Path) -> None:
    rows = """id,customer,started,plan,mrr,seen
s1,a,2024-01-10,basic,30,2024-01-10
s1,a,2024-01-10,free,0,2024-02-10
s2,b,2024-01-10,basic,20,2024-01-10
"""
    folder = prices(tmp_path / "freed", rows)
    for by, segment in ((None, "all"), ("plan", "basic"), ("signup_cohort", "")):
        months = document(folder, *([] if by is None else ["--by", by]))["months"]
        (february,) = (row for row in months if row["month"] == "2024-02" and row["lost"])
        assert (february["segment"], february["lost"], february["mrr_churned"]) == (segment, 1, 30.0)
    assert {row["segment"] for row in document(folder)["months"]} == {"all"}


def test_where_no_price_is_known_revenue_is_unknown_and_not_zero(tmp_path: Path) -> None:
    rows = "id,customer,started\ns1,a,2024-01-10\ns2,b,2024-02-10\n"
    months = document(prices(tmp_path / "unpriced", rows))["months"]
    assert [(row["customers_end"], row["customers_unpriced"]) for row in months] == [(1, 1), (2, 2), (2, 2)]
    of_money = (*MONEY, "mrr_new_and_lost", *revenue.LEARNED, "grr", "nrr", "net_negative_churn", "expansion_share")
    assert {row[name] for row in months for name in of_money} == {None}
    assert months[-1]["retention_rate"] == 100.0


# A customer for 60 days after an order: anna all the time; bert until 21 March; cleo from 1 March to 30 April, and
# again from 31 May on.
SHOP_ORDERS = [
    ("anna", date(2025, 1, 5)),
    ("anna", date(2025, 2, 20)),
    ("anna", date(2025, 4, 10)),
    ("anna", date(2025, 5, 20)),
    ("bert", date(2025, 1, 20)),
    ("cleo", date(2025, 3, 1)),
    ("cleo", date(2025, 5, 31)),
]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tests.pipelines.shop_case import SETTINGS

    settings = SETTINGS.model_copy(
        update={
            "cohort": Cohort(kind="ordered_within", active_days=60),
            "as_of": date(2025, 6, 10),
            "complete_until": date(2025, 6, 10),
        }
    )
    rows = [order(number, who, day, 10.0) for number, (who, day) in enumerate(SHOP_ORDERS)]
    folder = make_shop(tmp_path_factory.mktemp("shop") / "shop", settings=settings, rows=rows)
    assert told("ingest", "--project", str(folder)).exit_code == 0
    return folder


def test_a_shop_counts_customers_and_who_buys_again(shop: Path) -> None:
    months = of(shop)["months"]
    names = ("customers_start", "new", "reactivated", "lost", "customers_end", "buyers", "repeat_buyers", "repeat_rate")
    assert [[row["month"], *(row[name] for name in names)] for row in months] == [
        ["2025-01", 0, 2, 0, 0, 2, 2, 0, 0.0],
        ["2025-02", 2, 0, 0, 0, 2, 1, 1, 100.0],
        ["2025-03", 2, 1, 0, 1, 2, 1, 0, 0.0],
        ["2025-04", 2, 0, 0, 1, 1, 1, 1, 100.0],
        ["2025-05", 1, 1, 1, 0, 2, 2, 2, 100.0],
    ]
    for row in months:
        assert {row[name] for name in OF_CONTRACTS} == {None}
        assert row["provisional"] is False
    assert [row["retention_rate"] for row in months] == [None, 100.0, 50.0, 50.0, 100.0]


def test_a_shop_has_signup_cohorts_of_first_orders(shop: Path) -> None:
    found: dict[str, list[int]] = {}
    for row in of(shop)["cohorts"]:
        found.setdefault(row["cohort"], [row["customers"]]).append(row["retained"])
    # Two months after 20 January is the day before bert's last; two months after 1 March is the day after cleo's.
    assert found == {"2025-01": [2, 2, 2, 2, 1, 1], "2025-03": [1, 1, 1, 0]}


def test_a_shop_is_shown_in_its_own_words(shop: Path) -> None:
    shown = told("kpis", "--project", str(shop)).stderr
    assert "who ordered in the 60 days before" in shown
    assert "Repeat rate: Repeat buyers / buyers \u00d7 100." in shown
    assert "MRR" not in shown
    assert of(shop)["definitions"]["grr"]["en"].endswith("Only of subscriptions: empty here.")


@pytest.mark.parametrize(
    ("by", "said"), [("plan", "only subscriptions have plans"), ("country", "no customers have landed")]
)
def test_segments_that_the_workspace_knows_nothing_of_are_refused(by: str, said: str, shop: Path) -> None:
    result = told("kpis", "--project", str(shop), "--by", by)
    assert result.exit_code == 2
    assert said in result.stderr
