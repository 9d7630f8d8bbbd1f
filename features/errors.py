"""What goes wrong in words that a user can act on: what, where, and the remedy."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class AttritionError(Exception):
    """A mistake that the user can mend; shown without a traceback, exit code 2."""


class SettingsError(AttritionError):
    """`attrition.toml` asks for something that cannot be."""


class DataError(AttritionError):
    """Input data breaks its contract."""


class TrainingError(AttritionError):
    """There is too little, or nothing, to learn from."""


class IntegrityError(AttritionError):
    """A file is not the one that was written: cut, altered or missing."""


class OutdatedModelError(IntegrityError):
    """A model is in a format that this version does not read, or answers another question than is asked today."""


class StaleError(AttritionError):
    """Data or model are too old for scores that somebody acts on."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint that starts with a space, or nothing where no known word is near.

    >>> did_you_mean("horizon_day", ["horizon_days", "lead_days"])
    " Did you mean 'horizon_days'?"
    >>> did_you_mean("zebra", ["horizon_days"])
    ''
    """
    near = difflib.get_close_matches(word, list(known), n=1)
    return f" Did you mean '{near[0]}'?" if near else ""
