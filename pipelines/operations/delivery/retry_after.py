"""How long an answer asks to be left alone."""

from __future__ import annotations

import math
from collections.abc import Mapping
from email.utils import parsedate_to_datetime


def retry_after(headers: Mapping[str, str], *, name: str = "Retry-After") -> float | None:
    """Seconds, 0 or more, that the header `name` of an answer asks for; None where it says nothing usable.

    A date is measured from the answer's own Date, so that our clock may be wrong. urllib3's parse_retry_after measures
    it from our clock, and takes no fractions of a second.

    >>> retry_after({"Retry-After": "2.5"})
    2.5
    >>> retry_after({"Retry-After": "Thu, 01 Jan 2026 00:01:00 GMT", "Date": "Thu, 01 Jan 2026 00:00:00 GMT"})
    60.0
    """
    wanted = headers.get(name, "")
    try:
        seconds = float(wanted)
    except ValueError:
        try:
            moment, answered = parsedate_to_datetime(wanted), parsedate_to_datetime(headers.get("Date", ""))
            seconds = (moment - answered).total_seconds()
        except (ValueError, TypeError, OverflowError):
            return None
    return max(seconds, 0.0) if math.isfinite(seconds) else None
