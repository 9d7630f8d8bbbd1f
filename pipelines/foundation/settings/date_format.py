"""`date_format` as a pattern: what a date may look like, leaving nothing to a parser's leniency."""

from __future__ import annotations

import re

# The first is how a part is written where other characters separate it, the second where digits follow digits: there
# 2011123 could be two dates, so every part has its full width.
_DIGITS = {
    "Y": (r"\d{4}", r"\d{4}"),
    "y": (r"\d{2}", r"\d{2}"),
    "m": (r"\d{1,2}", r"\d{2}"),
    "d": (r"\d{1,2}", r"\d{2}"),
    "H": (r"\d{1,2}", r"\d{2}"),
    "I": (r"\d{1,2}", r"\d{2}"),
    "M": (r"[0-5]?\d", r"[0-5]\d"),
    "S": (r"[0-5]?\d", r"[0-5]\d"),
    "f": (r"\d{1,6}", r"\d{6}"),
}
_WORDS = {
    "b": "(?i:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)",
    "B": "(?i:january|february|march|april|may|june|july|august|september|october|november|december)",
    "p": "(?i:am|pm)",
    "z": r"(Z|[+-](0\d|1[0-4]):?[0-5]\d)",
}
_ONE_OF_EACH = (("Y", "y"), ("m", "b", "B"), ("d",))
_AT_MOST_ONE = (*_ONE_OF_EACH, ("H", "I"), ("M",), ("S",), ("f",), ("p",), ("z",))
_NEEDS = {"f": "S", "S": "M", "M": "HI", "z": "HI", "p": "I", "I": "p"}
_PIECE = re.compile(r"%(?P<directive>.)|%$|(?P<literal>[^%]+)", re.DOTALL)


def date_pattern(date_format: str) -> str:
    r"""The regular expression (RE2 and Python alike) of everything written in a strptime format.

    Raises: ValueError, in words, for a format that names no whole date or could be read in two ways.

    >>> date_pattern("%d/%m/%Y")
    '\\d{1,2}/\\d{1,2}/\\d{4}'
    >>> date_pattern("%Y%m%d")
    '\\d{4}\\d{2}\\d{2}'
    """
    pieces = list(_PIECE.finditer(date_format))
    directives = [piece["directive"] for piece in pieces]
    _refuse_ambiguous(date_format, [directive for directive in directives if directive])
    if re.search(r"%[HI].*Z$", date_format):
        raise ValueError(f"'{date_format}' ends in a bare Z, which stands for UTC; write %z, which reads it so")
    parts: list[str] = []
    for index, piece in enumerate(pieces):
        directive = piece["directive"]
        if directive in _DIGITS:
            beside = {*directives[max(index - 1, 0) : index], *directives[index + 1 : index + 2]}
            parts.append(_DIGITS[directive][bool(beside & _DIGITS.keys())])
        elif directive == "%":
            parts.append("%")
        else:
            parts.append(_WORDS[directive] if directive else re.escape(piece["literal"]))
    return "".join(parts)


def _refuse_ambiguous(date_format: str, directives: list[str]) -> None:
    for directive in directives:
        if directive not in _DIGITS and directive not in _WORDS and directive != "%":
            known = " ".join(f"%{name}" for name in (*_DIGITS, *_WORDS))
            raise ValueError(f"'{date_format}' has %{directive}, which is not read here; use {known}")
    if date_format.count("%") != len(directives) + directives.count("%"):
        raise ValueError(f"'{date_format}' ends in a lone %")
    for group in _AT_MOST_ONE:
        said = sum(directives.count(directive) for directive in group)
        if said == 0 and group in _ONE_OF_EACH:
            raise ValueError(f"'{date_format}' names no whole day; it needs %{' or %'.join(group)}")
        if said > 1:
            raise ValueError(f"'{date_format}' says %{' or %'.join(group)} twice")
    for directive, needed in _NEEDS.items():
        if directive in directives and not set(needed) & set(directives):
            raise ValueError(f"'{date_format}' has %{directive} without %{' or %'.join(needed)}")
