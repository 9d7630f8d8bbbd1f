"""The `attrition` command. It alone, with the scheduler, reads the clock."""

from __future__ import annotations

from pipelines.commands import (  # noqa: F401, I001 - they bring their commands into the application, in this order
    checks,
    delivery,
    impact,
    kpis,
    models,
    monitor,
    privacy,
    schedule,
    workspace,
)
from pipelines.commands.frame import app

__all__ = ["app", "main"]


def main() -> None:
    """The `attrition` command."""
    app()


if __name__ == "__main__":
    main()
