"""The `attrition` command. It alone, with the scheduler, reads the clock."""

from __future__ import annotations

import gc
import logging
import os
import sys
import warnings

# Each brings its commands into the application; help lists them in this order.
# isort: off
from pipelines.commands import workspace  # noqa: F401
from pipelines.commands import delivery  # noqa: F401
from pipelines.commands import kpis  # noqa: F401
from pipelines.commands import impact  # noqa: F401
from pipelines.commands import checks  # noqa: F401
from pipelines.commands import models  # noqa: F401
from pipelines.commands import monitor  # noqa: F401
from pipelines.commands import privacy  # noqa: F401
from pipelines.commands import schedule  # noqa: F401
from pipelines.commands import alone  # noqa: F401

# isort: on
from pipelines.commands.frame import app

__all__ = ["app", "main"]

FOR_OTHERS = 0o077  # what group and others may do with a file
# New ones after which Python looks for those in circles. Queries, models and libraries are of millions of small ones
# that stay: to look through them after every 700, as Python does, takes a tenth of a run's time.
OBJECTS = 50_000


def main() -> None:
    """The `attrition` command.

    What it makes is for its owner alone: most holds personal data. What libraries warn of or log is not for its users,
    and might quote a value of a row.
    """
    os.umask(os.umask(FOR_OTHERS) | FOR_OTHERS)
    gc.set_threshold(OBJECTS, 10, 10)
    if not sys.warnoptions:
        warnings.simplefilter("ignore")
    logging.getLogger().addHandler(logging.NullHandler())  # without any, Python writes warnings of every logger
    app()


if __name__ == "__main__":
    main()
