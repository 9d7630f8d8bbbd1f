"""The `attrition` command. It alone, with the scheduler, reads the clock."""

from __future__ import annotations

import os

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

FOR_OTHERS = 0o077  # what group and others may do with a file


def main() -> None:
    """The `attrition` command. What it makes is for its owner alone: most holds personal data."""
    os.umask(os.umask(FOR_OTHERS) | FOR_OTHERS)
    app()


if __name__ == "__main__":
    main()
