"""The `attrition` command. It alone, with the scheduler, reads the clock."""

from __future__ import annotations

import logging
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

# isort: on
from pipelines.commands.frame import app

__all__ = ["app", "main"]


def main() -> None:
    """The `attrition` command. What libraries warn of or log is not for its users, and might quote a value of a row."""
    if not sys.warnoptions:
        warnings.simplefilter("ignore")
    logging.getLogger().addHandler(
        logging.NullHandler()
    )  # without any, Python writes warnings of every logger to stderr
    app()


if __name__ == "__main__":
    main()
