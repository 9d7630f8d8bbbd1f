"""Codes in one spelling, whoever wrote them."""

from __future__ import annotations

import ibis
from hypothesis import given
from hypothesis import strategies as st

from features.codes import as_code, code


def test_case_and_spaces_make_no_other_code() -> None:
    assert {code(text) for text in ("Payment failed", "payment_failed", "PAYMENT\u202fFAILED")} == {"payment_failed"}
    assert code("too dear") != code("toodear")


def test_a_column_is_spelled_as_a_text_is() -> None:
    texts = ["Payment failed", "card\texpired", "unpaid", None]
    table = ibis.memtable({"reason": texts}, schema={"reason": "string"})
    found = table.select(found=as_code(table.reason)).to_pyarrow()["found"].to_pylist()
    assert found == ["payment_failed", "card_expired", "unpaid", None]


@given(st.text())
def test_a_code_that_is_spelled_stays_as_it_is(text: str) -> None:
    assert code(code(text)) == code(text)
