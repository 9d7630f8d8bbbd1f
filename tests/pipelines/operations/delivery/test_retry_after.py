from __future__ import annotations

import pytest

from pipelines.operations.delivery.retry_after import retry_after

ANSWERED = "Mon, 01 Jul 2024 06:00:00 GMT"


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        ("0", 0.0),
        ("0.5", 0.5),
        (" 12 ", 12.0),
        ("86400", 86400.0),
        ("Mon, 01 Jul 2024 06:01:30 GMT", 90.0),
        ("Mon, 01 Jul 2024 08:00:07 +0200", 7.0),
    ],
)
def test_seconds_or_a_date_against_that_of_the_answer(header: str, seconds: float) -> None:
    assert retry_after({"Retry-After": header, "Date": ANSWERED}) == seconds


@pytest.mark.parametrize("header", ["-3", "-0.1", "Mon, 01 Jul 2024 05:00:00 GMT"])
def test_what_is_over_already_is_no_wait(header: str) -> None:
    assert retry_after({"Retry-After": header, "Date": ANSWERED}) == 0.0


@pytest.mark.parametrize(
    "header",
    [
        "", "soon", "nan", "inf", "-inf", "1e999", "Mon, 01 Jul", "Mon, 01 Jul 99999 06:00:00 GMT",
        "Mon, 01 Jul 2024 06:00:30 -0000", "Mon, 01 Jul 2024 06:00:30 +99999999999999999",
    ],
)  # fmt: skip
def test_what_is_no_time_says_nothing(header: str) -> None:
    assert retry_after({"Retry-After": header, "Date": ANSWERED}) is None


@pytest.mark.parametrize("headers", [{}, {"Date": ANSWERED}])
def test_without_the_header_nothing_is_said(headers: dict[str, str]) -> None:
    assert retry_after(headers) is None


@pytest.mark.parametrize("answered", [{}, {"Date": ""}, {"Date": "today"}])
def test_a_date_without_a_date_of_the_answer_says_nothing(answered: dict[str, str]) -> None:
    assert retry_after({"Retry-After": "Mon, 01 Jul 2024 06:01:30 GMT"} | answered) is None


def test_a_system_may_call_its_header_otherwise() -> None:
    headers = {"x-sib-ratelimit-reset": "9", "Retry-After": "7"}
    assert retry_after(headers, name="x-sib-ratelimit-reset") == 9.0
