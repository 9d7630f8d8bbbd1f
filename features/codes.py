"""Codes (reasons, kinds, channels) in one spelling, so that two of them can be compared."""

from __future__ import annotations

import ibis.expr.types as ir

# What stands for a space in a code: written by people, it is any of these.
_SPACES = " \t\u00a0\u202f\u2009"


def code(text: str) -> str:
    """The spelling in which codes are compared: small letters, spaces as underscores.

    >>> code("Payment failed")
    'payment_failed'
    """
    return "".join("_" if letter in _SPACES else letter for letter in text.lower())


def code_sql(text: str) -> str:
    """The same as DuckDB's SQL over SQL of a text."""
    return f"translate(lower({text}), '{_SPACES}', '{'_' * len(_SPACES)}')"


def as_code(column: ir.StringValue) -> ir.StringValue:
    """The same of a column: rows that landed before codes were written one way hold them as their source did."""
    found = column.lower()
    for space in _SPACES:
        found = found.replace(space, "_")
    return found
