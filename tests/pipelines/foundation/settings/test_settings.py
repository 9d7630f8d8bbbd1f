from __future__ import annotations

from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from features.errors import AttritionError, SettingsError
from pipelines.foundation.settings.dialect import Dialect
from pipelines.foundation.settings.settings import Cohort, Outcome, Settings, load
from pipelines.foundation.settings.sources import FileSource

ORDERS = """
[[sources]]
table = "orders"
path = "orders.csv"
columns = { customer_id = "id", ordered_at = "date", amount = "total" }
"""
SMALLEST = 'currency = "EUR"\n' + ORDERS


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "attrition.toml"


def loaded(file: Path, text: str) -> Settings:
    file.write_text(text, encoding="utf-8")
    return load(file)


def complaint(file: Path, text: str) -> str:
    """What is said of a file, without the line that names it."""
    with pytest.raises(SettingsError) as caught:
        loaded(file, text)
    first, _, rest = str(caught.value).partition("\n")
    assert first == f"{file}:"
    return rest


def test_a_currency_and_a_source_of_orders_are_enough(file: Path) -> None:
    columns = {"customer_id": "id", "ordered_at": "date", "amount": "total"}
    assert loaded(file, SMALLEST) == Settings(
        currency="EUR", sources=(FileSource(table="orders", path="orders.csv", columns=columns),)
    )


def test_what_is_set_holds_and_the_rest_keeps_its_default(file: Path) -> None:
    settings = loaded(
        file,
        'time_zone = "Europe/Paris"\ncomplete_until = 2026-04-01\nas_of = 2026-03-01\nlookback_days = [14, 60]\n'
        + SMALLEST
        + '[sources.dialect]\ndelimiter = ";"\ndecimal = ","\n[outcome]\nhorizon_days = 60\n',
    )
    assert settings.zone == ZoneInfo("Europe/Paris")
    assert (settings.complete_until, settings.as_of) == (date(2026, 4, 1), date(2026, 3, 1))
    assert settings.lookback_days == (14, 60)
    assert settings.sources[0].dialect == Dialect(delimiter=";", decimal=",")
    assert settings.outcome == Outcome(lead_days=0, horizon_days=60)
    assert settings.cohort == Cohort()


@pytest.mark.parametrize(
    ("added", "said"),
    [
        ("time_zon = 'UTC'\n", "  time_zon: there is no such setting. Did you mean 'time_zone'?"),
        ("zebra = 1\n", "  zebra: there is no such setting."),
    ],
)
def test_an_unknown_setting_is_refused_with_the_nearest_known_one(file: Path, added: str, said: str) -> None:
    assert complaint(file, added + SMALLEST) == said


@pytest.mark.parametrize(
    ("added", "said"),
    [
        (
            "[outcome]\nhorizon_day = 60\n",
            "  outcome.horizon_day: there is no such setting. Did you mean 'horizon_days'?",
        ),
        (
            "[training]\nhorizon_days = 60\n",
            "  training.horizon_days: there is no such setting.",
        ),
        (
            "[sources.dialect]\ndecmal = ','\n",
            "  sources.0.dialect.decmal: there is no such setting. Did you mean 'decimal'?",
        ),
        (
            '[[sources]]\ntable = "customers"\npaht = "c.csv"\npath = "c.csv"\ncolumns = {}\n',
            "  sources.1.paht: there is no such setting. Did you mean 'path'?",
        ),
    ],
)
def test_an_unknown_setting_of_a_section_is_looked_for_in_that_section(file: Path, added: str, said: str) -> None:
    assert complaint(file, SMALLEST + added) == said


def places(complaint: str) -> list[str]:
    return [line.partition(": ")[0].strip() for line in complaint.splitlines()]


def test_every_mistake_is_told_at_once(file: Path) -> None:
    text = SMALLEST.replace("EUR", "euro") + "[outcome]\nhorizon_days = 0\n[bands]\nhihg = 0.5\n"
    assert places(complaint(file, text)) == ["currency", "outcome.horizon_days", "bands.hihg"]


@pytest.mark.parametrize(
    ("added", "place"),
    [
        ("time_zone = 5\n", "time_zone"),
        ("language = 'de'\n", "language"),
        ("complete_until = 'soon'\n", "complete_until"),
        ("as_of = 1998-01-01T12:00:00\n", "as_of"),
        ("lookback_days = [7, 'x']\n", "lookback_days.1"),
        ("lookback_days = 7\n", "lookback_days"),
        ("outcome = 90\n", "outcome"),
        ("outcome.horizon_days = 1.5\n", "outcome.horizon_days"),
        ("training.start_model = 'perhaps'\n", "training.start_model"),
    ],
)
def test_a_value_of_the_wrong_type_is_refused(file: Path, added: str, place: str) -> None:
    assert places(complaint(file, added + SMALLEST)) == [place]


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("outcome.lead_days", "-1"),
        ("outcome.horizon_days", "0"),
        ("cohort.active_days", "0"),
        ("cohort.kind", "'all'"),
        ("snapshots.every_days", "0"),
        ("snapshots.min_history_days", "-1"),
        ("snapshots.at_most", "0"),
        ("training.threads", "0"),
        ("training.tuning_trials", "-1"),
        ("backtest.folds", "0"),
        ("backtest.embargo_days", "-1"),
        ("promotion.max_log_loss_increase", "-0.1"),
        ("promotion.max_pr_auc_decrease", "-0.1"),
        ("promotion.snapshots", "0"),
        ("bands.high", "1.2"),
        ("bands.high", "nan"),
        ("bands.medium", "-0.1"),
        ("delivery.valid_days", "0"),
        ("schedule.ingest", "'every day'"),
        ("schedule.retries", "-1"),
        ("schedule.retries", "11"),
        ("schedule.retry_delay_seconds", "0"),
    ],
)
def test_a_value_out_of_range_is_refused(file: Path, place: str, value: str) -> None:
    assert places(complaint(file, f"{place} = {value}\n" + SMALLEST)) == [place]


def test_bands_out_of_order_are_refused(file: Path) -> None:
    said = complaint(file, SMALLEST + "[bands]\nhigh = 0.3\nmedium = 0.4\n")
    assert said == "  bands: medium (0.4) is above high (0.3)"


@pytest.mark.parametrize("lookbacks", ["[]", "[30, 7]", "[7, 7]", "[0, 7]"])
def test_lookbacks_must_rise(file: Path, lookbacks: str) -> None:
    assert complaint(file, f"lookback_days = {lookbacks}\n" + SMALLEST).startswith("  lookback_days")


def test_a_misspelt_time_zone_is_refused_with_the_nearest_known_one(file: Path) -> None:
    said = complaint(file, 'time_zone = "Europe/Pari"\n' + SMALLEST)
    assert said == "  time_zone: 'Europe/Pari' is not a time zone. Did you mean 'Europe/Paris'?"


def test_a_misspelt_time_zone_of_a_source_is_refused_too(file: Path) -> None:
    said = complaint(file, SMALLEST + '[sources.dialect]\ntime_zone = "UTCC"\n')
    assert said.startswith("  sources.0.dialect.time_zone: 'UTCC' is not a time zone. Did you mean '")


@pytest.mark.parametrize(
    ("added", "said"),
    [
        ('decimal = ","\nthousands = ","', "  sources.0.dialect: decimal and thousands are both ','"),
        ('delimiter = "\'"\nquote = "\'"', "  sources.0.dialect: quote and delimiter are both '''"),
        ('delimiter = ";;"', "  sources.0.dialect.delimiter: must have at most 1 character"),
        ('delimiter = ""', "  sources.0.dialect.delimiter: must have at least 1 character"),
        (
            'encoding = "utf-9"',
            "  sources.0.dialect.encoding: 'utf-9' is not an encoding; use for example utf-8, cp1252 or utf-16",
        ),
    ],
)
def test_a_dialect_that_cannot_be_read_is_refused(file: Path, added: str, said: str) -> None:
    assert complaint(file, f"{SMALLEST}[sources.dialect]\n{added}\n") == said


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"orders"', '"order"', "there is no table 'order'. Did you mean 'orders'?"),
        ("amount =", "amuont =", "table orders has no column 'amuont'. Did you mean 'amount'?"),
        (', amount = "total"', "", "table orders needs 'amount': say which source column holds it"),
        ("orders.csv", "../orders.csv", "path '../orders.csv' leaves the workspace; put the file inside it"),
        ("orders.csv", "a/../../o.csv", "path 'a/../../o.csv' leaves the workspace; put the file inside it"),
        ("orders.csv", "/etc/passwd", "path '/etc/passwd' leaves the workspace; put the file inside it"),
    ],
)
def test_a_source_that_cannot_be_read_is_refused(file: Path, old: str, new: str, said: str) -> None:
    assert complaint(file, SMALLEST.replace(old, new)) == f"  sources.0: {said}"


def test_a_workspace_without_orders_is_refused(file: Path) -> None:
    customers = (
        ORDERS.replace('"orders"', '"customers"')
        .replace("ordered_at", "signed_up_at")
        .replace(', amount = "total"', "")
    )
    said = complaint(file, 'currency = "EUR"\n' + customers)
    assert said == '  nothing provides orders; add a source with table = "orders" or "order_lines"'


@pytest.mark.parametrize("text", ["", 'currency = "EUR"\n'])
def test_what_must_be_there_is_missed_by_name(file: Path, text: str) -> None:
    assert "  sources: is missing" in complaint(file, text).splitlines()


def test_a_password_in_the_address_of_the_tracking_server_is_refused_and_not_repeated(file: Path) -> None:
    said = complaint(file, SMALLEST + '[tracking]\nuri = "https://me:hunter2@mlflow.example.com"\n')
    assert said == (
        "  tracking.uri: uri holds a password; set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD instead"
    )


def test_an_address_without_a_password_is_taken(file: Path) -> None:
    settings = loaded(file, SMALLEST + '[tracking]\nuri = "https://mlflow.example.com:5000/x"\n')
    assert settings.tracking.uri == "https://mlflow.example.com:5000/x"


def test_a_missing_file_is_named_with_the_command_that_makes_it(file: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        load(file)
    assert str(caught.value) == f"{file} does not exist; make a workspace with `attrition init {file.parent}`"


def test_a_file_that_is_not_toml_is_named_with_the_place(file: Path) -> None:
    with pytest.raises(SettingsError, match=r"attrition\.toml is not valid TOML: .*line 1"):
        loaded(file, "currency = EUR\n")


def test_a_file_that_is_not_utf_8_is_named_with_the_remedy(file: Path) -> None:
    file.write_bytes(SMALLEST.replace("orders.csv", "commandes-été.csv").encode("cp1252"))
    with pytest.raises(SettingsError) as caught:
        load(file)
    assert str(caught.value) == f"{file} is not UTF-8 text (byte 65); save it as UTF-8"


def test_settings_cannot_be_changed_after_they_were_read(file: Path) -> None:
    settings = loaded(file, SMALLEST)
    with pytest.raises(ValidationError, match="frozen"):
        settings.outcome.horizon_days = 1  # type: ignore[misc]
    with pytest.raises(ValidationError, match="frozen"):
        settings.sources[0].dialect.decimal = ","  # type: ignore[misc]


def test_a_settings_error_is_a_mistake_that_the_user_can_mend() -> None:
    assert issubclass(SettingsError, AttritionError)


CONTRACTS = """
currency = "EUR"
cohort.kind = "subscribed"
[[sources]]
table = "subscriptions"
path = "s.csv"
columns = { customer_id = "id", subscription_id = "s", started_at = "start" }
[outcome]
kind = "churn"
"""


def test_further_outcomes_are_taken_with_contracts(file: Path) -> None:
    settings = loaded(file, CONTRACTS + 'also = ["voluntary", "expansion"]\n')
    assert settings.outcome.also == ("voluntary", "expansion")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (SMALLEST + '[outcome]\nkind = "voluntary"\n', 'outcome.kind "voluntary" does not fit cohort.kind'),
        (SMALLEST + '[outcome]\nkind = "churn"\n', 'outcome.kind "churn" does not fit cohort.kind'),
        (CONTRACTS.replace('"churn"', '"inactivity"'), 'outcome.kind "inactivity" does not fit cohort.kind'),
        (CONTRACTS.replace('"churn"', '"voluntary"'), 'outcome.kind "voluntary" does not fit cohort.kind "subscribed"'),
        (SMALLEST + '[outcome]\nalso = ["voluntary"]\n', 'needs cohort.kind "subscribed"'),
        (CONTRACTS + 'also = ["inactivity"]\n', "outcome.also may hold voluntary, involuntary, contraction, expansion"),
        (CONTRACTS + 'also = ["churn"]\n', "outcome.also repeats an outcome: ['churn', 'churn']"),
        (CONTRACTS + 'also = ["voluntary", "voluntary"]\n', "outcome.also repeats an outcome"),
        (CONTRACTS + 'also = ["upsell"]\n', "outcome.also.0: must be"),
    ],
)
def test_outcomes_that_do_not_fit_are_refused(file: Path, text: str, said: str) -> None:
    assert said in complaint(file, text)


@pytest.mark.parametrize("rate", ["0", "1", "-0.1", "1.5"])
def test_a_success_rate_is_a_share_that_leaves_room_for_doubt(file: Path, rate: str) -> None:
    said = complaint(file, SMALLEST + f"[retention]\nsuccess_rate = {rate}\n")
    assert said.startswith("  retention.success_rate")
