"""The `attrition` command. It alone, with the scheduler, reads the clock."""

from __future__ import annotations

from pipelines import (  # noqa: F401 - they bring their commands into the application
    cli_commands,
    cli_delivery,
    cli_figures,
    cli_impact,
    cli_inspect,
    cli_models,
    cli_monitor,
    cli_privacy,
    cli_schedule,
)
from pipelines.cli_frame import app

__all__ = ["app", "main"]


def main() -> None:
    """The `attrition` command."""
    app()


if __name__ == "__main__":
    main()
