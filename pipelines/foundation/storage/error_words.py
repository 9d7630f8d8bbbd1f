"""What people are told of an exception: words of ours alone. The command line and the scheduler both ask here.

A library's message may quote what it stumbled over: DuckDB a value that it cannot convert, pyarrow a text that is not
UTF-8, Python a word that is no number. So none is shown, logged or kept, whoever raised it: what is known to happen is
told in a sentence of ours, where it happens or here, and of everything else only where in our code it came up.
"""

from __future__ import annotations

import traceback
from pathlib import Path

from features.errors import AttritionError
from pipelines.foundation.storage import disk_errors as disk

_OURS = ("features", "models", "pipelines")
_ROOT = Path(__file__).parents[3]


def in_words(error: Exception) -> str | None:
    """The sentence for whoever runs the command; None where nobody foresaw it, and it is a fault of attrition."""
    if isinstance(error, AttritionError):
        return str(error)
    if refused := disk.refused(error):
        return str(refused)
    # By name: whoever asks for help must not wait for DuckDB to be imported.
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryException":
        return (
            "there is too little memory for what was asked. What was finished is kept: end other programs, or lower "
            "training.bootstrap_samples, snapshots.at_most or the number of lookback_days, and run the same "
            "command again"
        )
    return None


def unanswered(error: BaseException) -> str:
    """Why a call over the network came to nothing: whoever made it, its exceptions quote addresses and answers.

    >>> unanswered(TimeoutError("10.0.0.1")), unanswered(ConnectionRefusedError(111, "no"))
    ('it did not answer in time', 'it was not reached')
    """
    names = {each.__name__ for each in type(error).__mro__}  # of requests, urllib3 and Python: each has its own
    if any("Timeout" in name for name in names):
        return "it did not answer in time"
    if any("SSL" in name for name in names):
        return "its certificate is not trusted, or what it speaks is no TLS"
    if names & {"ConnectionError", "NewConnectionError", "MaxRetryError", "gaierror", "ProtocolError"}:
        return "it was not reached"
    if names & {"InvalidURL", "InvalidSchema", "MissingSchema", "UnicodeError", "InvalidHeader", "LocationParseError"}:
        return "its address cannot be called"
    return "the call broke off"


def fault(error: Exception) -> str:
    """What is said of an exception that nobody foresaw: where in our code it came up, and nothing that it says."""
    where = "outside of its own code"
    for frame in traceback.extract_tb(error.__traceback__):
        place = Path(frame.filename)
        if place.is_relative_to(_ROOT) and place.relative_to(_ROOT).parts[0] in _OURS:
            where = f"{place.relative_to(_ROOT).as_posix()}, line {frame.lineno}"
    return (
        f"this is a fault of attrition, not of yours: it stopped at {where}, and what was finished is kept. Please "
        "report this line. --debug shows more, and may show values of your rows: look it through before you pass it on"
    )
